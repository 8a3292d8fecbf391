//! The controller's task: takes operations in groups, appends what they say, publishes and answers.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use arc_swap::ArcSwap;
use klamm_env::{Env, Instant};
use klamm_metadata::controller::{Controller, ControllerContext};
use klamm_metadata::{
    MetadataDelta, MetadataImage, MetadataProvenance, MetadataVersion, ReplayError,
};
use klamm_record::Offset;
use tokio::sync::{mpsc, oneshot, watch};

use super::command::Operation;
use super::handle::{Command, ControllerError, MetadataLogFailure};
use super::loaded_state::LoadedState;
use super::publisher::MetadataPublisher;
use super::start::StartError;
use crate::batch_encoding::{PreparedBatch, prepare};
use crate::metadata_log::{MetadataLog, MetadataLogError};
use crate::offset_and_epoch::OffsetAndEpoch;
use crate::snapshot::SnapshotWriteError;
use crate::snapshot_schedule::SnapshotSchedule;

/// Operations that share a write and a sync at most.
const GROUP_MAX: usize = 256;
/// Bytes after which a group takes no further operation.
const GROUP_BYTES: usize = 4 << 20;

type SnapshotFuture =
    Pin<Box<dyn Future<Output = Result<OffsetAndEpoch, SnapshotWriteError>> + Send>>;
type Failure = watch::Sender<Option<Arc<MetadataLogFailure>>>;

pub(super) struct ControllerTask<L> {
    pub(super) env: Env,
    pub(super) log: L,
    pub(super) controller: Controller,
    image: Arc<MetadataImage>,
    published: Arc<ArcSwap<MetadataImage>>,
    publishers: Vec<Arc<dyn MetadataPublisher>>,
    schedule: SnapshotSchedule,
    snapshot: Option<SnapshotFuture>,
}

/// Operations that were run and wait for one commit.
struct Group {
    delta: MetadataDelta,
    batches: Vec<PreparedBatch>,
    operations: Vec<Box<dyn Operation>>,
    next_offset: Offset,
    bytes: usize,
    now_ms: i64,
}

impl<L: MetadataLog> ControllerTask<L> {
    pub fn new(env: Env, log: L, loaded: LoadedState, schedule: SnapshotSchedule) -> Self {
        let image = Arc::new(loaded.delta.apply(loaded.provenance));
        Self {
            env,
            log,
            controller: loaded.controller,
            published: Arc::new(ArcSwap::new(Arc::clone(&image))),
            image,
            publishers: Vec::new(),
            schedule,
            snapshot: None,
        }
    }

    /// The level that the log names.
    pub fn metadata_version(&self) -> Option<MetadataVersion> {
        self.controller.image().features.metadata_version
    }

    /// Where the image is published.
    pub fn image_cell(&self) -> Arc<ArcSwap<MetadataImage>> {
        Arc::clone(&self.published)
    }

    /// Appends the first records of a new leader.
    pub async fn append_activation(
        &mut self,
        batches: Vec<PreparedBatch>,
        now_ms: i64,
    ) -> Result<(), StartError> {
        let mut group = self.begin_group(now_ms);
        for batch in batches {
            self.stage(&mut group, batch)?;
        }
        self.log.append(&group.batches, now_ms).await?;
        self.commit(&group);
        Ok(())
    }

    /// Serves until it is told to close, all handles are gone, or the log fails.
    pub async fn run(mut self, mut commands: mpsc::Receiver<Command>, failure: Failure) {
        let ended = self.serve(&mut commands).await;
        // Nobody is let in any more; who waits in the queue is told so by its channel.
        commands.close();
        let now_ms = self.env.clock().now_ms();
        let done = match ended {
            Ok(done) => match self.log.close(now_ms).await {
                Ok(()) => done,
                Err(error) => {
                    fail(&failure, &error);
                    done
                }
            },
            Err(error) => {
                fail(&failure, &error);
                None
            }
        };
        if let Some(done) = done {
            // An error means that nobody waits for the end.
            let _ = done.send(());
        }
    }

    async fn serve(
        &mut self,
        commands: &mut mpsc::Receiver<Command>,
    ) -> Result<Option<oneshot::Sender<()>>, MetadataLogError> {
        loop {
            let due = self.schedule.due_at(self.snapshot.is_some());
            let command = tokio::select! {
                biased;
                written = finished(&mut self.snapshot) => {
                    self.snapshot_ended(written).await?;
                    continue;
                }
                command = commands.recv() => command,
                () = at(&self.env, due) => {
                    self.begin_snapshot();
                    continue;
                }
            };
            match command {
                None => return Ok(None),
                Some(Command::Close { done }) => return Ok(Some(done)),
                Some(Command::AddPublisher { publisher, done }) => {
                    self.add_publisher(publisher);
                    // An error means that whoever added it has gone away.
                    let _ = done.send(());
                }
                Some(Command::Run(first)) => {
                    if let Some(command) = self.run_group(first, commands).await? {
                        match command {
                            Command::Close { done } => return Ok(Some(done)),
                            Command::AddPublisher { publisher, done } => {
                                self.add_publisher(publisher);
                                let _ = done.send(());
                            }
                            Command::Run(_) => {
                                unreachable!("a group ends with what is no operation")
                            }
                        }
                    }
                }
            }
        }
    }

    /// Runs `first` and what waits behind it, commits all of it and answers. What is no operation ends the group and is
    /// given back.
    async fn run_group(
        &mut self,
        first: Box<dyn Operation>,
        commands: &mut mpsc::Receiver<Command>,
    ) -> Result<Option<Command>, MetadataLogError> {
        let mut group = self.begin_group(self.env.clock().now_ms());
        self.run_operation(&mut group, first);
        let mut other = None;
        while group.operations.len() < GROUP_MAX && group.bytes < GROUP_BYTES {
            match commands.try_recv() {
                Ok(Command::Run(operation)) => self.run_operation(&mut group, operation),
                Ok(command) => {
                    other = Some(command);
                    break;
                }
                Err(_) => break,
            }
        }
        if !group.batches.is_empty()
            && let Err(error) = self.log.append(&group.batches, group.now_ms).await
        {
            self.controller.revert_to_committed();
            let answer = match &error {
                MetadataLogError::DiskFull(_) => ControllerError::DiskFull,
                MetadataLogError::Failed(_) => ControllerError::Stopped,
            };
            for operation in group.operations {
                operation.finish(Err(answer.clone()));
            }
            tracing::error!(error = %error, "metadata records were not written");
            return if error.is_fatal() { Err(error) } else { Ok(other) };
        }
        self.commit(&group);
        for operation in group.operations {
            operation.finish(Ok(()));
        }
        Ok(other)
    }

    fn begin_group(&self, now_ms: i64) -> Group {
        Group {
            delta: MetadataDelta::new(&self.image),
            batches: Vec::new(),
            operations: Vec::new(),
            next_offset: self.log.end_offset(),
            bytes: 0,
            now_ms,
        }
    }

    fn run_operation(&mut self, group: &mut Group, mut operation: Box<dyn Operation>) {
        let seed = self.env.rng().next_u64();
        let ctx = ControllerContext::new(group.now_ms, group.next_offset, seed);
        let produced = operation.run(&mut self.controller, &ctx);
        let version = self.controller.image().features.metadata_version_or_minimum();
        let prepared = prepare(produced.records, produced.atomicity, version, group.now_ms);
        let batches = match prepared {
            Ok(batches) => batches,
            Err(error) => return operation.finish(Err(error.into())),
        };
        if let Err(error) = try_replay(&group.delta, &batches) {
            let name = operation.name();
            tracing::error!(operation = name, error = %error, "records do not apply, nothing was written");
            let reason = error.to_string();
            return operation.finish(Err(ControllerError::BadRecords { operation: name, reason }));
        }
        for batch in batches {
            self.stage(group, batch)
                .expect("records that apply to the image apply to the controller");
        }
        group.operations.push(operation);
    }

    /// Takes a batch into the group: replayed, but not written.
    fn stage(&mut self, group: &mut Group, batch: PreparedBatch) -> Result<(), ReplayError> {
        for record in &batch.records {
            group.delta.replay(record)?;
            self.controller.replay(record, group.next_offset)?;
            group.next_offset += 1;
        }
        self.controller.end_append(group.next_offset - 1);
        group.bytes += batch.bytes.len();
        group.batches.push(batch);
        Ok(())
    }

    /// What the group says is committed: publish it.
    fn commit(&mut self, group: &Group) {
        if group.batches.is_empty() {
            return;
        }
        let last = group.next_offset - 1;
        self.controller.commit(last);
        let provenance = MetadataProvenance {
            last_contained_offset: last,
            last_contained_epoch: self.log.leader_epoch(),
            last_contained_log_time_ms: group.now_ms,
        };
        self.image = Arc::new(group.delta.apply(provenance));
        self.published.store(Arc::clone(&self.image));
        for publisher in &self.publishers {
            publisher.on_update(&group.delta, &self.image);
        }
        self.schedule.appended(group.bytes as u64, self.env.clock().now());
    }

    fn add_publisher(&mut self, publisher: Arc<dyn MetadataPublisher>) {
        let mut delta = MetadataDelta::new(&MetadataImage::empty());
        let version = self.image.features.metadata_version_or_minimum();
        for record in self.image.to_records(version) {
            delta.replay(&record).expect("what an image says of itself can be replayed");
        }
        publisher.on_update(&delta, &self.image);
        self.publishers.push(publisher);
    }

    fn begin_snapshot(&mut self) {
        self.schedule.begun(self.env.clock().now());
        let writing = self.log.write_snapshot(Arc::clone(&self.image), self.env.clock().now_ms());
        self.snapshot = Some(Box::pin(writing));
    }

    async fn snapshot_ended(
        &mut self,
        written: Result<OffsetAndEpoch, SnapshotWriteError>,
    ) -> Result<(), MetadataLogError> {
        match written {
            Ok(id) => {
                tracing::info!(snapshot = ?id, "wrote a snapshot of the metadata");
                let cleaned = self.log.snapshot_written(id, self.env.clock().now_ms()).await;
                match cleaned {
                    Err(error) if error.is_fatal() => Err(error),
                    Err(error) => {
                        tracing::warn!(error = %error, "old metadata was not removed");
                        Ok(())
                    }
                    Ok(()) => Ok(()),
                }
            }
            Err(error) => {
                // The log has it all; the next snapshot is tried when the next is due.
                tracing::error!(error = %error, "no snapshot of the metadata was written");
                Ok(())
            }
        }
    }
}

/// Whether the records apply, without keeping what they change.
fn try_replay(delta: &MetadataDelta, batches: &[PreparedBatch]) -> Result<(), ReplayError> {
    let mut trial = delta.clone();
    batches.iter().flat_map(|batch| &batch.records).try_for_each(|record| trial.replay(record))
}

fn fail(failure: &Failure, error: &MetadataLogError) {
    tracing::error!(error = %error, "the metadata log failed");
    failure.send_replace(Some(Arc::new(MetadataLogFailure { reason: error.to_string() })));
}

/// The end of a snapshot that is being written; never, if none is.
async fn finished(
    snapshot: &mut Option<SnapshotFuture>,
) -> Result<OffsetAndEpoch, SnapshotWriteError> {
    match snapshot {
        None => std::future::pending().await,
        Some(writing) => {
            let written = writing.as_mut().await;
            *snapshot = None;
            written
        }
    }
}

async fn at(env: &Env, when: Option<Instant>) {
    match when {
        Some(when) => env.clock().sleep_until(when).await,
        None => std::future::pending::<()>().await,
    }
}
