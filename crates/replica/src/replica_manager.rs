//! All partitions of this node (Kafka's `ReplicaManager`, without its purgatories).

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use imbl::OrdMap;
use klamm_env::{Env, TaskScope};
use klamm_metadata::MetadataImage;
use klamm_metadata::delta::MetadataDelta;
use klamm_metadata::image::ResourceType;
use klamm_record::{BrokerId, TopicId, TopicPartition};
use klamm_storage::{FlushPlan, LogConfig, LogManager, UnifiedLog};
use parking_lot::Mutex;
use prometheus_client::registry::Registry;
use tokio::sync::watch;

use crate::error::{LookupError, PartitionError};
use crate::metrics::Metrics;
use crate::partition::{Leadership, Partition};
use crate::topic_configs::TopicConfigs;

/// What a replica manager is made of.
pub struct ReplicaManagerArgs {
    /// This node.
    pub node: BrokerId,
    /// Clock, disk, tasks.
    pub env: Env,
    /// Owner of every task that this crate starts.
    pub scope: TaskScope,
    /// The logs.
    pub log_manager: Arc<LogManager>,
    /// How topics are configured.
    pub topic_configs: TopicConfigs,
}

/// What every partition needs.
pub(crate) struct Shared {
    pub env: Env,
    pub scope: TaskScope,
    pub log_manager: Arc<LogManager>,
}

/// How many logs are closed at the same time.
const CLOSED_AT_ONCE: usize = 16;

impl Shared {
    /// Syncs what a roll left behind; the recovery point follows. Appends go on meanwhile.
    pub fn flush(self: &Arc<Self>, log: Arc<UnifiedLog>, plan: FlushPlan) {
        let env = self.env.clone();
        self.scope.spawn("flush log", async move {
            let flushed = env.offload("flush log", move || log.sync_blocking(&plan)).await;
            // a failure is logged by the directory's state, once
            drop(flushed);
        });
    }
}

type Partitions = OrdMap<TopicPartition, Arc<Partition>>;

/// Every partition that has a replica here, and what changes when the metadata do.
pub struct ReplicaManager {
    node: BrokerId,
    pub(crate) shared: Arc<Shared>,
    partitions: ArcSwap<Partitions>,
    /// Logs that are on their way out; closed when they are.
    deletions: Mutex<BTreeMap<TopicPartition, watch::Receiver<()>>>,
    topic_configs: TopicConfigs,
    pub(crate) metrics: Arc<Metrics>,
}

impl ReplicaManager {
    /// Without partitions; the first metadata bring them.
    pub fn new(args: ReplicaManagerArgs, registry: &mut Registry) -> Arc<Self> {
        let ReplicaManagerArgs { node, env, scope, log_manager, topic_configs } = args;
        Arc::new(Self {
            node,
            shared: Arc::new(Shared { env, scope, log_manager }),
            partitions: ArcSwap::from_pointee(Partitions::new()),
            deletions: Mutex::default(),
            topic_configs,
            metrics: Metrics::register(registry),
        })
    }

    pub(crate) fn env(&self) -> &Env {
        &self.shared.env
    }

    /// The logs.
    pub fn log_manager(&self) -> &Arc<LogManager> {
        &self.shared.log_manager
    }

    /// How topics are configured.
    pub fn topic_configs(&self) -> &TopicConfigs {
        &self.topic_configs
    }

    /// All partitions as they are now.
    pub fn partitions(&self) -> Vec<Arc<Partition>> {
        self.partitions.load().values().cloned().collect()
    }

    /// One partition; `topic_id` is checked if the client sent one.
    ///
    /// # Errors
    /// If it is not here, or has another id.
    pub fn partition(
        &self,
        topic_partition: &TopicPartition,
        topic_id: Option<TopicId>,
    ) -> Result<Arc<Partition>, LookupError> {
        let partitions = self.partitions.load();
        let partition = partitions
            .get(topic_partition)
            .ok_or_else(|| LookupError::UnknownTopicOrPartition(topic_partition.clone()))?;
        match topic_id {
            Some(asked) if asked != partition.topic_id() => Err(LookupError::InconsistentTopicId {
                topic_partition: topic_partition.clone(),
                here: partition.topic_id(),
                asked,
            }),
            _ => Ok(Arc::clone(partition)),
        }
    }

    /// Takes over a change of the metadata: new and deleted partitions, leaders, configs. Costs what changed, not what exists.
    /// Does not wait for the disk; logs of new partitions are made by a task that this starts. Called for one change after the
    /// other.
    pub fn apply(self: &Arc<Self>, delta: &MetadataDelta, image: &MetadataImage) {
        let changes = delta.topics().local_changes(self.node);
        let mut configs = EffectiveConfigs { of: &self.topic_configs, image, last: None };
        let mut partitions = (**self.partitions.load()).clone();
        let (mut gone, mut new) = (Vec::new(), Vec::new());
        let mut leaders = self.metrics.leaders.get();
        for (topic_partition, topic_id) in &changes.deletes {
            if partitions.get(topic_partition).is_some_and(|it| it.topic_id() == *topic_id) {
                gone.extend(partitions.remove(topic_partition));
            }
        }
        let gone = self.begin_deletions(gone);
        for (topic_partition, replica) in changes.leaders.iter().chain(&changes.followers) {
            let leadership = Leadership::new(self.node, &replica.partition);
            leaders += i64::from(leadership.is_leader());
            match partitions.get(topic_partition) {
                Some(partition) if partition.topic_id() == replica.topic_id => {
                    leaders -= i64::from(partition.leadership().is_leader());
                    partition.update_leadership(leadership);
                }
                _ => {
                    let partition = Partition::new(
                        Arc::clone(&self.shared),
                        topic_partition.clone(),
                        replica.topic_id,
                        leadership,
                        configs.of_topic(&topic_partition.topic),
                    );
                    let before = self.deletions.lock().get(topic_partition).cloned();
                    let partition = Arc::new(partition.after(before));
                    partitions.insert(topic_partition.clone(), Arc::clone(&partition));
                    new.push(partition);
                }
            }
        }
        for (partition, _) in &gone {
            leaders -= i64::from(partition.leadership().is_leader());
        }
        self.metrics.partitions.set(partitions.len() as i64);
        self.metrics.leaders.set(leaders);
        self.partitions.store(Arc::new(partitions));
        self.update_configs(delta, configs);
        self.follow_up(gone, new);
    }

    /// What is made under the same names from now on waits until the senders are dropped.
    fn begin_deletions(
        &self,
        gone: Vec<Arc<Partition>>,
    ) -> Vec<(Arc<Partition>, watch::Sender<()>)> {
        let mut deletions = self.deletions.lock();
        deletions.retain(|_, over| over.has_changed().is_ok());
        let begin = |partition: Arc<Partition>| {
            let (deleting, over) = watch::channel(());
            deletions.insert(partition.topic_partition().clone(), over);
            (partition, deleting)
        };
        gone.into_iter().map(begin).collect()
    }

    fn update_configs(&self, delta: &MetadataDelta, mut configs: EffectiveConfigs<'_>) {
        let changed = delta.configs();
        let mut update = |partition: &Partition| {
            partition.update_config(configs.of_topic(&partition.topic_partition().topic));
        };
        let partitions = self.partitions.load();
        let mut resources = changed.changed.keys();
        if resources.any(|resource| resource.resource_type == ResourceType::Broker) {
            partitions.values().for_each(|partition| update(partition));
            return;
        }
        for resource in changed.changed.keys() {
            if resource.resource_type == ResourceType::Topic {
                let from = TopicPartition { topic: Arc::clone(&resource.name), partition: 0 };
                let of_topic = partitions.range(from..).map(|(_, partition)| partition);
                of_topic
                    .take_while(|it| it.topic_partition().topic == resource.name)
                    .for_each(|partition| update(partition));
            }
        }
    }

    /// Deletes the logs of `gone` and makes those of `new`, in the background and in this order: a topic may come back under
    /// its old name.
    fn follow_up(
        self: &Arc<Self>,
        gone: Vec<(Arc<Partition>, watch::Sender<()>)>,
        new: Vec<Arc<Partition>>,
    ) {
        if gone.is_empty() && new.is_empty() {
            return;
        }
        let manager = Arc::clone(self);
        self.shared.scope.spawn("make and delete logs", async move {
            for (partition, deleting) in gone {
                manager.delete_log(&partition).await;
                drop(deleting);
            }
            for partition in new {
                partition.predecessor_gone().await;
                if manager.shared.log_manager.contains(partition.topic_partition()) {
                    continue; // it is there already, and opened when it is needed
                }
                match partition.log().await {
                    // deleted again before its turn came
                    Ok(_) | Err(PartitionError::Closed(_)) => {}
                    Err(error) => {
                        tracing::error!(partition = %partition.topic_partition(), %error, "a new log cannot be made");
                    }
                }
            }
        });
    }

    async fn delete_log(&self, partition: &Arc<Partition>) {
        partition.predecessor_gone().await;
        let appender = partition.close().await;
        let log_manager = Arc::clone(&self.shared.log_manager);
        let topic_partition = partition.topic_partition().clone();
        let deleted = self
            .env()
            .offload("delete log", move || {
                log_manager.delete(&topic_partition, appender.map(|it| *it))
            })
            .await;
        if let Err(error) = deleted {
            tracing::error!(partition = %partition.topic_partition(), %error, "a log cannot be deleted");
        }
    }

    /// Sets aside the directories of partitions that the metadata does not place here: their topics were deleted just before the
    /// node stopped. They are kept, as in Kafka, and never served. For the start, once the metadata have been applied; blocks
    /// on the disk.
    pub fn set_strays_aside(&self) {
        let (log_manager, partitions) = (&self.shared.log_manager, self.partitions.load());
        for (topic_partition, _) in log_manager.partitions() {
            if partitions.contains_key(&topic_partition) {
                continue;
            }
            match log_manager.mark_stray(&topic_partition, None) {
                Ok(()) => {
                    tracing::warn!(partition = %topic_partition, "the directory of a partition that is not in the metadata is set aside");
                }
                Err(error) => {
                    tracing::error!(partition = %topic_partition, %error, "a directory cannot be set aside");
                }
            }
        }
    }

    /// Closes every partition and its log, several at a time: flushed, with snapshots written. The checkpoints and the clean
    /// marker come after it and are the log manager's.
    pub async fn shutdown(&self) {
        let left = Arc::new(Mutex::new(self.partitions().into_iter()));
        let closing: Vec<_> = (0..CLOSED_AT_ONCE)
            .map(|_| {
                let left = Arc::clone(&left);
                self.shared.scope.spawn("close logs", async move {
                    loop {
                        let next = left.lock().next();
                        let Some(partition) = next else { return };
                        close_log(&partition).await;
                    }
                })
            })
            .collect();
        for task in closing {
            let _ended = task.await;
        }
    }
}

async fn close_log(partition: &Arc<Partition>) {
    let Some(mut appender) = partition.close().await else { return };
    let closed = partition.env().offload("close log", move || appender.close()).await;
    if let Err(error) = closed {
        tracing::error!(partition = %partition.topic_partition(), %error, "a log was not closed well");
    }
}

/// The effective configs of topics, resolved once for all partitions of a topic that come one after the other.
struct EffectiveConfigs<'a> {
    of: &'a TopicConfigs,
    image: &'a MetadataImage,
    last: Option<(Arc<str>, Arc<LogConfig>)>,
}

impl EffectiveConfigs<'_> {
    fn of_topic(&mut self, topic: &Arc<str>) -> Arc<LogConfig> {
        if let Some((name, config)) = &self.last
            && name == topic
        {
            return Arc::clone(config);
        }
        let config = self.of.of(self.image, topic).unwrap_or_else(|error| {
            tracing::error!(topic = &**topic, %error, "the topic's configuration has no meaning here; defaults are used");
            Arc::new(LogConfig::default())
        });
        self.last = Some((Arc::clone(topic), Arc::clone(&config)));
        config
    }
}
