//! What DescribeLogDirs and DescribeProducers tell.

use std::path::PathBuf;
use std::sync::Arc;

use klamm_env::{Env, Space};
use klamm_record::{ProducerId, TopicPartition};
use klamm_storage::LogManager;
use klamm_storage::log_file_names::replica_dir_name;
use klamm_storage::log_manager::DirInfo;
use klamm_storage::producer_state::ProducerStateEntry;

use crate::error::PartitionError;
use crate::partition::Partition;
use crate::replica_manager::ReplicaManager;

/// One log directory.
#[derive(Debug, Clone)]
pub struct LogDirDescription {
    /// Its absolute path.
    pub path: PathBuf,
    /// Why it is offline, if it is; nothing else is known of it then.
    pub offline: Option<String>,
    /// Size of its file system, in bytes; −1 if unknown.
    pub total_bytes: i64,
    /// What is free there for us, in bytes; −1 if unknown.
    pub usable_bytes: i64,
    /// The replicas in it.
    pub replicas: Vec<ReplicaDescription>,
}

/// One replica in a log directory.
#[derive(Debug, Clone)]
pub struct ReplicaDescription {
    /// Which partition.
    pub topic_partition: TopicPartition,
    /// Bytes of its `.log` files.
    pub size_bytes: u64,
    /// How far its log end lies behind the high watermark; 0 for a leader.
    pub offset_lag: i64,
}

impl ReplicaManager {
    /// Every log directory with its replicas, in the order of `log.dirs`. Looks at the disk.
    pub async fn describe_log_dirs(&self) -> Vec<LogDirDescription> {
        let log_manager = Arc::clone(self.log_manager());
        let env = self.env().clone();
        self.env()
            .offload("describe log dirs", move || {
                let dirs = log_manager.dirs();
                dirs.into_iter().map(|dir| describe(&env, &log_manager, dir)).collect()
            })
            .await
    }
}

fn describe(env: &Env, log_manager: &LogManager, dir: DirInfo) -> LogDirDescription {
    let space = env.disk().space(&dir.path).ok();
    let bytes = |of: fn(&Space) -> u64| {
        space.as_ref().map_or(-1, |space| i64::try_from(of(space)).unwrap_or(i64::MAX))
    };
    let here = log_manager.partitions().into_iter().filter(|(_, path)| *path == dir.path);
    let replicas = here
        .map(|(topic_partition, _)| ReplicaDescription {
            size_bytes: size_bytes(env, log_manager, &topic_partition, &dir),
            topic_partition,
            offset_lag: 0,
        })
        .collect();
    LogDirDescription {
        total_bytes: bytes(|space| space.total_bytes),
        usable_bytes: bytes(|space| space.usable_bytes),
        path: dir.path,
        offline: dir.offline,
        replicas,
    }
}

/// Bytes of the `.log` files; of a log that is not open as the directory lists them.
fn size_bytes(env: &Env, log_manager: &LogManager, of: &TopicPartition, dir: &DirInfo) -> u64 {
    if let Some(log) = log_manager.log(of) {
        return log.size_bytes();
    }
    let files = env.disk().list(&dir.path.join(replica_dir_name(of))).unwrap_or_default();
    files.iter().filter(|file| file.name.ends_with(".log")).map(|file| file.len).sum()
}

impl Partition {
    /// The producers that this replica remembers, be it the leader or not (KIP-664).
    ///
    /// # Errors
    /// If the log cannot be opened.
    pub async fn active_producers(
        self: &Arc<Self>,
    ) -> Result<Vec<(ProducerId, ProducerStateEntry)>, PartitionError> {
        Ok(self.log().await?.active_producers())
    }
}
