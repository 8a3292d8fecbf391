//! All logs of a node, over its log dirs (Kafka's `LogManager`).
//!
//! Owns: which partition lies in which directory, which of them are open, the checkpoints of each directory, and what waits
//! for deletion. Partitions are known from a scan of directory names at the start; a log is opened when somebody asks for it,
//! except after an unclean stop, when all logs of that directory are recovered first.
//!
//! Invariant: the appender of a log is given out once, to the partition that owns it. What needs the right to write (retention,
//! closing) is done there; this is told by the log's state.
//!
//! Does not know: locks and `meta.properties` (whoever starts the node has checked them), who leads.

mod background;
mod checkpoints;
mod deletion_queue;
mod dirs;
mod logs;
mod metrics;
mod open;
mod shutdown;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use klamm_env::Env;
use klamm_record::{Offset, TopicPartition, Uuid};
use parking_lot::Mutex;

pub use background::BackgroundIntervals;
pub use deletion_queue::DeletionQueue;
pub use dirs::{DirArgs, DirInfo};
pub use logs::{CreateLogError, DeleteLogError, OpenLogError, Placement};
pub use metrics::StorageMetrics;
pub use open::{OpenError, OpenReport};
pub use shutdown::ShutdownReport;

use crate::log_config::LogConfig;
use crate::log_dir_state::LogDirState;
use crate::log_loader::{LoadMode, LoadedLog};
use crate::producer_state::ProducerStateConfig;
use crate::unified_log::UnifiedLog;

/// The topic configuration of a topic, by name.
pub type ConfigOf = Arc<dyn Fn(&str) -> Arc<LogConfig> + Send + Sync>;

/// What a [`LogManager`] needs.
pub struct LogManagerArgs {
    /// Clock, disk, randomness, the pool for blocking work.
    pub env: Env,
    /// The log dirs, in order of preference.
    pub dirs: Vec<DirArgs>,
    /// Topic configurations.
    pub config_of: ConfigOf,
    /// Expiry of producers.
    pub producer_state: ProducerStateConfig,
    /// `num.recovery.threads.per.data.dir`: logs recovered at the same time in each directory.
    pub recovery_jobs_per_dir: usize,
    /// Where counts go.
    pub metrics: StorageMetrics,
}

/// The logs of a node.
pub struct LogManager {
    env: Env,
    config_of: ConfigOf,
    producer_state: Mutex<ProducerStateConfig>,
    dirs: Vec<LogDir>,
    logs: Mutex<BTreeMap<TopicPartition, KnownLog>>,
    deletions: Arc<DeletionQueue>,
    metrics: StorageMetrics,
}

/// A log dir.
struct LogDir {
    state: Arc<LogDirState>,
    id: Option<Uuid>,
    /// Partitions in it, so that placing a new one need not count them.
    partitions: AtomicUsize,
    /// Held while a checkpoint of this directory is written: two writers of one file would mix.
    checkpointing: Mutex<()>,
}

/// A partition that has a directory here.
struct KnownLog {
    /// Index of its log dir.
    dir: usize,
    checkpointed: Checkpointed,
    /// How its files were left, for the next opening.
    mode: LoadMode,
    status: Status,
}

/// What the checkpoints say about a partition; kept until it is opened.
#[derive(Debug, Clone, Copy, Default)]
struct Checkpointed {
    recovery_point: Option<Offset>,
    log_start_offset: Option<Offset>,
    high_watermark: Option<Offset>,
}

enum Status {
    /// Nobody has asked for it.
    Unopened,
    /// Somebody is opening or deleting it.
    Busy,
    /// Opened by recovery, and not asked for yet.
    Parked(Box<LoadedLog>),
    /// Its appender was given out.
    Open(Arc<UnifiedLog>),
}

impl KnownLog {
    fn log(&self) -> Option<&Arc<UnifiedLog>> {
        match &self.status {
            Status::Parked(loaded) => Some(&loaded.log),
            Status::Open(log) => Some(log),
            Status::Unopened | Status::Busy => None,
        }
    }
}

impl LogManager {
    /// The log of a partition, if it is open.
    pub fn log(&self, topic_partition: &TopicPartition) -> Option<Arc<UnifiedLog>> {
        self.logs.lock().get(topic_partition).and_then(KnownLog::log).cloned()
    }

    /// All open logs.
    pub fn open_logs(&self) -> Vec<Arc<UnifiedLog>> {
        self.logs.lock().values().filter_map(KnownLog::log).cloned().collect()
    }

    /// Every partition that has a directory here, open or not, and the log dir it lies in.
    pub fn partitions(&self) -> Vec<(TopicPartition, PathBuf)> {
        let logs = self.logs.lock();
        logs.iter()
            .map(|(partition, known)| {
                (partition.clone(), self.dirs[known.dir].state.path().to_path_buf())
            })
            .collect()
    }

    /// True if the partition has a directory here.
    pub fn contains(&self, topic_partition: &TopicPartition) -> bool {
        self.logs.lock().contains_key(topic_partition)
    }

    /// What waits to be unlinked; shared with logs that are opened beside the manager.
    pub fn deletions(&self) -> &Arc<DeletionQueue> {
        &self.deletions
    }

    fn dir_path(&self, dir: usize) -> &Path {
        self.dirs[dir].state.path()
    }
}
