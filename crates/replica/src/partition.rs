//! One partition on this node: who leads it, its log, the queue in front of the log, and who waits.

use std::collections::VecDeque;
use std::sync::Arc;

use arc_swap::{ArcSwap, ArcSwapOption};
use klamm_metadata::PartitionRegistration;
use klamm_record::{BrokerId, LeaderEpoch, TopicId, TopicPartition, Uuid};
use klamm_storage::log_manager::{OpenLogError, Placement};
use klamm_storage::{AppendItem, LoadedLog, LogAppender, LogConfig, Progress, UnifiedLog};
use parking_lot::Mutex;
use tokio::sync::{Semaphore, oneshot, watch};

use crate::append_queue::{AppendQueue, AppendResult, Closing, Exclusive, Job, Next, Writer};
use crate::error::PartitionError;
use crate::fetch_waiter::FetchWaiters;
use crate::high_watermark::{self, HighWatermarkWaits};
use crate::replica_manager::Shared;

/// Most batches that wait in one partition's queue; whoever comes then waits before the queue.
const QUEUED_APPENDS_MAX: usize = 1024;

/// Who leads a partition, as this node sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leadership {
    /// This node.
    pub node: BrokerId,
    /// Who leads; −1 for nobody.
    pub leader: BrokerId,
    /// Since which leader epoch.
    pub leader_epoch: LeaderEpoch,
    /// Counts every change of the partition's registration.
    pub partition_epoch: i32,
    /// All replicas, in the order of preference.
    pub replicas: Vec<BrokerId>,
    /// Those in sync.
    pub isr: Vec<BrokerId>,
    /// The log dir of this node's replica, as the controller knows it.
    pub directory: Uuid,
}

impl Leadership {
    /// From the metadata.
    pub fn new(node: BrokerId, registration: &PartitionRegistration) -> Self {
        Self {
            node,
            leader: registration.leader,
            leader_epoch: registration.leader_epoch,
            partition_epoch: registration.partition_epoch,
            replicas: registration.replicas.to_vec(),
            isr: registration.isr.to_vec(),
            directory: registration.directory(node).unwrap_or(Uuid::ZERO),
        }
    }

    /// True if this node leads.
    pub fn is_leader(&self) -> bool {
        self.leader == self.node
    }

    /// True if this node leads and nobody else is in sync: its log end is the high watermark.
    pub fn is_alone(&self) -> bool {
        self.is_leader() && self.isr.iter().all(|replica| *replica == self.node)
    }
}

/// A replica on this node (Kafka's `Partition`). Idle, it costs this struct and no descriptor.
pub struct Partition {
    topic_partition: TopicPartition,
    topic_id: TopicId,
    shared: Arc<Shared>,
    leadership: ArcSwap<Leadership>,
    config: ArcSwap<LogConfig>,
    log: ArcSwapOption<UnifiedLog>,
    opening: Arc<tokio::sync::Mutex<()>>,
    /// Closed when the directory of an earlier topic of this name is out of the way.
    predecessor: Option<watch::Receiver<()>>,
    queue: Mutex<AppendQueue>,
    room: Arc<Semaphore>,
    pub(crate) waiters: FetchWaiters,
    pub(crate) acks: HighWatermarkWaits,
}

impl Partition {
    pub(crate) fn new(
        shared: Arc<Shared>,
        topic_partition: TopicPartition,
        topic_id: TopicId,
        leadership: Leadership,
        config: Arc<LogConfig>,
    ) -> Self {
        Self {
            topic_partition,
            topic_id,
            shared,
            leadership: ArcSwap::from_pointee(leadership),
            config: ArcSwap::from(config),
            log: ArcSwapOption::empty(),
            opening: Arc::new(tokio::sync::Mutex::new(())),
            predecessor: None,
            queue: Mutex::new(AppendQueue::default()),
            room: Arc::new(Semaphore::new(QUEUED_APPENDS_MAX)),
            waiters: FetchWaiters::default(),
            acks: HighWatermarkWaits::default(),
        }
    }

    /// The log must not be touched before the deletion of an earlier topic of this name is over.
    pub(crate) fn after(self, predecessor: Option<watch::Receiver<()>>) -> Self {
        Self { predecessor, ..self }
    }

    /// Completes when no earlier topic of this name is in the way. Cancel safe.
    pub(crate) async fn predecessor_gone(&self) {
        if let Some(mut deletion) = self.predecessor.clone() {
            while deletion.changed().await.is_ok() {}
        }
    }

    pub(crate) fn env(&self) -> &klamm_env::Env {
        &self.shared.env
    }

    pub(crate) fn offline(&self, reason: String) -> PartitionError {
        PartitionError::Offline { topic_partition: self.topic_partition.clone(), reason }
    }

    /// Topic and number.
    pub fn topic_partition(&self) -> &TopicPartition {
        &self.topic_partition
    }

    /// The topic's id.
    pub fn topic_id(&self) -> TopicId {
        self.topic_id
    }

    /// Who leads.
    pub fn leadership(&self) -> Arc<Leadership> {
        self.leadership.load_full()
    }

    /// The topic's effective configuration.
    pub fn config(&self) -> Arc<LogConfig> {
        self.config.load_full()
    }

    /// The log, if it has been opened.
    pub fn opened_log(&self) -> Option<Arc<UnifiedLog>> {
        self.log.load_full()
    }

    /// Checks the leader epoch that the client knows; −1 is no check.
    ///
    /// # Errors
    /// [`PartitionError::FencedLeaderEpoch`] or [`PartitionError::UnknownLeaderEpoch`].
    pub fn check_epoch(&self, asked: LeaderEpoch) -> Result<Arc<Leadership>, PartitionError> {
        let leadership = self.leadership();
        let current = leadership.leader_epoch;
        if asked != LeaderEpoch::NONE && asked < current {
            return Err(PartitionError::FencedLeaderEpoch { asked, current });
        }
        if asked > current {
            return Err(PartitionError::UnknownLeaderEpoch { asked, current });
        }
        Ok(leadership)
    }

    /// Checks the leader epoch that the client knows (−1 is no check), then that this node leads.
    ///
    /// # Errors
    /// As [`PartitionError`] says.
    pub fn check_leader(&self, asked: LeaderEpoch) -> Result<Arc<Leadership>, PartitionError> {
        let leadership = self.check_epoch(asked)?;
        if !leadership.is_leader() {
            return Err(PartitionError::NotLeader {
                topic_partition: self.topic_partition.clone(),
                leader: leadership.leader,
                leader_epoch: leadership.leader_epoch,
            });
        }
        Ok(leadership)
    }

    /// The log; opens it (recovering it where that is due) if nobody has yet.
    ///
    /// # Errors
    /// If it cannot be opened, or is closed.
    pub async fn log(self: &Arc<Self>) -> Result<Arc<UnifiedLog>, PartitionError> {
        if let Some(log) = self.opened_log() {
            return Ok(log);
        }
        let one_at_a_time = Arc::clone(&self.opening).lock_owned().await;
        if let Some(log) = self.opened_log() {
            return Ok(log);
        }
        if matches!(self.queue.lock().writer, Writer::Closed) {
            return Err(PartitionError::Closed(self.topic_partition.clone()));
        }
        let partition = Arc::clone(self);
        // Opening changes the disk: it runs to its end in a task of its own, whoever stops waiting for it; until then nobody
        // else opens or closes.
        let opened = self.shared.scope.spawn("open log", async move {
            let _one_at_a_time = one_at_a_time;
            partition.predecessor_gone().await;
            let env = partition.shared.env.clone();
            env.offload("open log", move || partition.open_blocking()).await
        });
        opened.await.unwrap_or_else(|_| Err(PartitionError::Closed(self.topic_partition.clone())))
    }

    fn open_blocking(self: Arc<Self>) -> Result<Arc<UnifiedLog>, PartitionError> {
        if let Some(log) = self.opened_log() {
            return Ok(log);
        }
        let leadership = self.leadership();
        let mut loaded = self.load_blocking()?;
        loaded.log.update_config(self.config());
        if leadership.is_leader() {
            loaded
                .appender
                .assign_leader_epoch(leadership.leader_epoch)
                .map_err(|error| self.offline(error.to_string()))?;
        }
        self.log.store(Some(Arc::clone(&loaded.log)));
        // Whatever changed before the log could be seen was left to us.
        loaded.log.update_config(self.config());
        let now = self.leadership();
        if now.is_leader() && now.leader_epoch != leadership.leader_epoch {
            assign_leader_epoch(&mut loaded.appender, now.leader_epoch);
        }
        high_watermark::advance(&loaded.log, &now);
        self.drain(Box::new(loaded.appender));
        Ok(loaded.log)
    }

    /// Loads the log of this partition, or makes it.
    fn load_blocking(&self) -> Result<LoadedLog, PartitionError> {
        let (at, log_manager) = (&self.topic_partition, &self.shared.log_manager);
        if log_manager.contains(at) {
            match log_manager.open_log(at, Some(self.topic_id)) {
                // Left over of a topic that was deleted just before the node stopped.
                Err(error @ OpenLogError::InconsistentTopicId { .. }) => {
                    tracing::warn!(partition = %at, %error, "the directory of another topic is set aside");
                    let aside = log_manager.mark_stray(at, None);
                    aside.map_err(|error| self.offline(error.to_string()))?;
                }
                opened => return opened.map_err(|error| self.offline(error.to_string())),
            }
        }
        let made = log_manager.create(at, self.topic_id, self.placement());
        made.map_err(|error| self.offline(error.to_string()))
    }

    /// The log dir that the controller assigned, unless it leaves the choice to us.
    fn placement(&self) -> Placement {
        match self.leadership().directory {
            directory if directory.is_reserved() => Placement::Any,
            directory => Placement::Directory(directory),
        }
    }

    /// Appends one batch; resolves when it is in the log (or refused). The append is done even if the future is dropped.
    pub(crate) async fn append(
        self: &Arc<Self>,
        item: AppendItem,
    ) -> Result<AppendResult, PartitionError> {
        let closed = || PartitionError::Closed(self.topic_partition.clone());
        let permit = Arc::clone(&self.room).acquire_owned().await.map_err(|_| closed())?;
        let (answer, answered) = oneshot::channel();
        self.submit(Job::Append { item, answer, permit })?;
        answered.await.map_err(|_| closed())
    }

    /// Runs a change that needs the log for itself, after what is queued; resolves to what it returned. The log must be open.
    ///
    /// # Errors
    /// If the partition is closed.
    pub async fn exclusively<R: Send + 'static>(
        self: &Arc<Self>,
        change: impl FnOnce(&mut LogAppender) -> R + Send + 'static,
    ) -> Result<R, PartitionError> {
        let (answer, answered) = oneshot::channel();
        let job: Exclusive = Box::new(move |appender| {
            // nobody may be waiting any more
            let _ = answer.send(change(appender));
        });
        self.submit(Job::Exclusive(job))?;
        answered.await.map_err(|_| PartitionError::Closed(self.topic_partition.clone()))
    }

    /// Queues a job, and drains the queue if nobody else does.
    fn submit(self: &Arc<Self>, job: Job) -> Result<(), PartitionError> {
        let appender = {
            let mut queue = self.queue.lock();
            if queue.closing.is_some() {
                return Err(PartitionError::Closed(self.topic_partition.clone()));
            }
            match std::mem::replace(&mut queue.writer, Writer::Busy) {
                Writer::Closed => {
                    queue.writer = Writer::Closed;
                    return Err(PartitionError::Closed(self.topic_partition.clone()));
                }
                Writer::Idle(appender) => {
                    queue.jobs.push_back(job);
                    appender
                }
                other => {
                    queue.writer = other;
                    queue.jobs.push_back(job);
                    return Ok(());
                }
            }
        };
        self.drain(appender);
        Ok(())
    }

    /// Works the queue off. Appends run inline; what blocks goes on in a task of its own, which then goes on draining.
    fn drain(self: &Arc<Self>, mut appender: Box<LogAppender>) {
        loop {
            let next = {
                let mut queue = self.queue.lock();
                let Some(next) = queue.next() else {
                    return queue.hand_back(appender);
                };
                next
            };
            match next {
                Next::Appends(jobs) => match self.append_now(&mut appender, jobs) {
                    None => {}
                    Some(left) => return self.roll_then_drain(appender, left),
                },
                Next::Exclusive(change) => return self.change_then_drain(appender, change),
            }
        }
    }

    /// Appends with one write; returns the jobs that need a roll first.
    fn append_now(&self, appender: &mut LogAppender, jobs: Vec<Job>) -> Option<Vec<Job>> {
        let mut items = Vec::with_capacity(jobs.len());
        let mut answers = Vec::with_capacity(jobs.len());
        for job in jobs {
            if let Job::Append { item, answer, permit } = job {
                items.push(item);
                answers.push((answer, permit));
            }
        }
        let end_before = appender.log().log_end_metadata();
        let progress = appender.append(&mut items, self.shared.env.clock().now_ms());
        self.after_append(appender, end_before);
        let mut left = Vec::new();
        for (mut item, (answer, permit)) in items.into_iter().zip(answers) {
            match item.result.take() {
                Some(result) => {
                    // the one who asked may have gone
                    let _ = answer.send(result);
                }
                None => left.push(Job::Append { item, answer, permit }),
            }
        }
        debug_assert!(progress != Progress::Done || left.is_empty());
        (!left.is_empty()).then_some(left)
    }

    fn after_append(&self, appender: &LogAppender, before: klamm_storage::OffsetMetadata) {
        let log = appender.log();
        let end = log.log_end_metadata();
        if end.offset == before.offset {
            return;
        }
        if high_watermark::advance(log, &self.leadership.load()) {
            self.acks.wake();
        }
        self.waiters.add_bytes(end.bytes_since(&before).unwrap_or(end.position));
    }

    /// Rolls away from the runtime's threads, appends what is left, and goes on.
    fn roll_then_drain(self: &Arc<Self>, appender: Box<LogAppender>, left: Vec<Job>) {
        {
            let mut queue = self.queue.lock();
            for job in left.into_iter().rev() {
                queue.jobs.push_front(job);
            }
        }
        let partition = Arc::clone(self);
        self.shared.scope.spawn("roll segment", async move {
            let env = partition.shared.env.clone();
            let now_ms = env.clock().now_ms();
            let (appender, rolled) = env
                .offload("roll segment", move || {
                    let mut appender = appender;
                    let rolled = appender.roll(now_ms);
                    (appender, rolled)
                })
                .await;
            match rolled {
                Ok(plan) => partition.shared.flush(Arc::clone(appender.log()), plan),
                Err(error) => partition.fail_queued(&error),
            }
            partition.drain(appender);
        });
    }

    fn change_then_drain(self: &Arc<Self>, appender: Box<LogAppender>, change: Exclusive) {
        let partition = Arc::clone(self);
        self.shared.scope.spawn("change log", async move {
            let env = partition.shared.env.clone();
            let appender = env
                .offload("change log", move || {
                    let mut appender = appender;
                    change(&mut appender);
                    appender
                })
                .await;
            partition.drain(appender);
        });
    }

    /// A roll failed: whoever waits in the queue is told, instead of being tried again without end.
    fn fail_queued(&self, error: &std::io::Error) {
        tracing::error!(partition = %self.topic_partition, %error, "rolling a segment failed");
        let appends = {
            let mut queue = self.queue.lock();
            let (appends, others): (VecDeque<Job>, VecDeque<Job>) =
                queue.jobs.drain(..).partition(|job| matches!(job, Job::Append { .. }));
            queue.jobs = others;
            appends
        };
        for job in appends {
            if let Job::Append { answer, .. } = job {
                let _ = answer.send(Err(klamm_storage::AppendError::Io(error.into())));
            }
        }
    }

    /// Takes over what the metadata say; wakes whoever must hear of it.
    pub(crate) fn update_leadership(self: &Arc<Self>, leadership: Leadership) {
        let before = self.leadership.swap(Arc::new(leadership.clone()));
        if let Some(log) = self.opened_log() {
            if leadership.is_leader() && before.leader_epoch != leadership.leader_epoch {
                let epoch = leadership.leader_epoch;
                let assign: Exclusive =
                    Box::new(move |appender| assign_leader_epoch(appender, epoch));
                // a closed partition needs no epoch
                let _ = self.submit(Job::Exclusive(assign));
            }
            if high_watermark::advance(&log, &leadership) {
                self.acks.wake();
            }
        }
        self.waiters.wake_all();
    }

    pub(crate) fn update_config(&self, config: Arc<LogConfig>) {
        self.config.store(Arc::clone(&config));
        if let Some(log) = self.opened_log() {
            log.update_config(config);
        }
    }

    /// Closes the partition for good: nothing is taken any more; what is queued is answered. Returns the writer if the log was
    /// open.
    pub(crate) async fn close(self: &Arc<Self>) -> Option<Box<LogAppender>> {
        let _not_while_opening = self.opening.lock().await;
        self.room.close();
        let taken = self.queue.lock().close();
        let appender = match taken {
            Closing::Done(appender) => appender,
            // behind everything that is queued
            Closing::Waiting(handed_over) => handed_over.await.ok(),
        };
        self.queue.lock().jobs.clear();
        self.acks.wake();
        self.waiters.wake_all();
        appender
    }
}

/// Whoever is told of a new leader epoch cannot refuse it; a disk that fails is found out at the next append.
fn assign_leader_epoch(appender: &mut LogAppender, epoch: LeaderEpoch) {
    if let Err(error) = appender.assign_leader_epoch(epoch) {
        tracing::error!(%error, "the leader epoch checkpoint cannot be written");
    }
}

impl std::fmt::Debug for Partition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Partition")
            .field("topic_partition", &self.topic_partition)
            .field("leadership", &self.leadership())
            .finish_non_exhaustive()
    }
}
