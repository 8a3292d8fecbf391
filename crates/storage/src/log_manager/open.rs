//! The start: scanning the log dirs, and recovering those that were not stopped cleanly.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use klamm_env::Env;
use klamm_record::{Offset, TopicPartition};
use parking_lot::Mutex;

use super::{
    Checkpointed, DeletionQueue, DirArgs, KnownLog, LogDir, LogManager, LogManagerArgs, Status,
    StorageMetrics,
};
use crate::checkpoint_file::{
    CheckpointReadError, LOG_START_OFFSET_CHECKPOINT, OffsetCheckpointFile,
    RECOVERY_POINT_CHECKPOINT, REPLICATION_OFFSET_CHECKPOINT,
};
use crate::clean_shutdown_file;
use crate::log_dir_state::LogDirState;
use crate::log_file_names::{ReplicaDirKind, ReplicaDirName};
use crate::log_loader::{LoadMode, LoadReport};

/// The metadata log lies in a log dir too, but is opened by its own owner.
const CLUSTER_METADATA_TOPIC: &str = "__cluster_metadata";

/// What the start found and did.
#[derive(Debug, Clone, Default)]
pub struct OpenReport {
    /// Partitions that have a directory.
    pub partitions: usize,
    /// Directories without the marker of a clean stop.
    pub unclean_dirs: Vec<PathBuf>,
    /// Epoch of the broker that stopped cleanly last, if all directories had a clean stop (KIP-966).
    pub previous_broker_epoch: Option<i64>,
    /// Logs that were recovered, and what that took.
    pub recovered: Vec<(TopicPartition, LoadReport)>,
    /// Directories of replicas that do not belong to this node: kept, not served.
    pub stray: Vec<PathBuf>,
}

/// Why the logs of a node cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A partition must lie in one log dir.
    #[error(
        "duplicate log directories for {topic_partition} are found in both {} and {}: delete the one in the log dir that failed most recently",
        first.display(), second.display()
    )]
    DuplicateLog {
        /// The partition.
        topic_partition: TopicPartition,
        /// One log dir.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },
}

/// What one directory holds.
#[derive(Default)]
struct Scanned {
    partitions: Vec<TopicPartition>,
    doomed: Vec<PathBuf>,
    stray: Vec<PathBuf>,
    clean: bool,
    broker_epoch: Option<i64>,
    checkpoints: BTreeMap<TopicPartition, Checkpointed>,
}

impl LogManager {
    /// Scans the log dirs and recovers what was not stopped cleanly, several logs at a time. A directory that fails is taken
    /// offline; the others go on.
    ///
    /// If the call is dropped, recovery is left half done; the next start does it again.
    ///
    /// # Errors
    /// If a partition is found twice.
    pub async fn open(args: LogManagerArgs) -> Result<(Arc<Self>, OpenReport), OpenError> {
        let jobs = args.recovery_jobs_per_dir.max(1);
        let env = args.env.clone();
        let (manager, mut report) =
            env.offload("log-dir-scan", move || Self::scan_all(args)).await?;
        let manager = Arc::new(manager);
        report.recovered = manager.recover_all(jobs).await;
        Ok((manager, report))
    }

    fn scan_all(args: LogManagerArgs) -> Result<(Self, OpenReport), OpenError> {
        let LogManagerArgs { env, dirs, config_of, producer_state, metrics, .. } = args;
        let deletions = Arc::new(DeletionQueue::default());
        let mut report = OpenReport::default();
        let mut logs: BTreeMap<TopicPartition, KnownLog> = BTreeMap::new();
        let mut log_dirs: Vec<LogDir> = Vec::new();
        let mut epochs = Vec::new();
        let now_ms = env.clock().now_ms();
        for (at, DirArgs { path, id }) in dirs.into_iter().enumerate() {
            let state = Arc::new(LogDirState::new(path.clone()));
            log_dirs.push(LogDir {
                state: Arc::clone(&state),
                id,
                partitions: AtomicUsize::new(0),
                checkpointing: Mutex::new(()),
            });
            let scanned = match scan_dir(&env, &path) {
                Ok(scanned) => scanned,
                Err(error) => {
                    state.fail(&format!("cannot load the log directory: {error}"));
                    continue;
                }
            };
            epochs.push(scanned.broker_epoch.filter(|_| scanned.clean));
            if !scanned.clean {
                report.unclean_dirs.push(path.clone());
            }
            report.stray.extend(scanned.stray);
            for dir in scanned.doomed {
                deletions.push_dir(dir, now_ms.saturating_add(DOOMED_DIR_DELAY_MS));
            }
            log_dirs[at].partitions.store(scanned.partitions.len(), Ordering::Relaxed);
            let mode = if scanned.clean { LoadMode::Clean } else { LoadMode::Unclean };
            for topic_partition in scanned.partitions {
                let checkpointed =
                    scanned.checkpoints.get(&topic_partition).copied().unwrap_or_default();
                let known = KnownLog { dir: at, checkpointed, mode, status: Status::Unopened };
                if let Some(other) = logs.insert(topic_partition.clone(), known) {
                    let first = log_dirs[other.dir].state.path().to_path_buf();
                    return Err(OpenError::DuplicateLog { topic_partition, first, second: path });
                }
            }
        }
        report.partitions = logs.len();
        let newest = epochs.iter().flatten().max().copied();
        report.previous_broker_epoch =
            newest.filter(|_| epochs.iter().all(|epoch| *epoch == newest));
        let logs = Mutex::new(logs);
        let dirs = log_dirs;
        let producer_state = Mutex::new(producer_state);
        let manager = Self { env, config_of, producer_state, dirs, logs, deletions, metrics };
        manager.update_metrics();
        Ok((manager, report))
    }

    /// Opens every log of an unclean directory and keeps it until it is asked for.
    async fn recover_all(
        self: &Arc<Self>,
        jobs_per_dir: usize,
    ) -> Vec<(TopicPartition, LoadReport)> {
        let reports: Arc<Mutex<Vec<(TopicPartition, LoadReport)>>> = Arc::default();
        let scope = self.env.scope("log-recovery");
        let mut workers = Vec::new();
        for dir in 0..self.dirs.len() {
            let logs = self.unclean_logs(dir);
            self.metrics.set_logs_to_recover(self.dir_path(dir), logs.len());
            let jobs = jobs_per_dir.min(logs.len());
            let queue = Arc::new(Mutex::new(logs));
            for _ in 0..jobs {
                let (manager, queue) = (Arc::clone(self), Arc::clone(&queue));
                let worker = recovery_worker(manager, dir, queue, Arc::clone(&reports));
                workers.push(scope.spawn("log-recovery", worker));
            }
        }
        for worker in workers {
            if worker.await.is_err() {
                tracing::error!("a recovery task was aborted");
            }
        }
        std::mem::take(&mut *reports.lock())
    }

    fn unclean_logs(&self, dir: usize) -> VecDeque<TopicPartition> {
        let logs = self.logs.lock();
        logs.iter()
            .filter(|(_, known)| known.dir == dir && known.mode == LoadMode::Unclean)
            .map(|(topic_partition, _)| topic_partition.clone())
            .collect()
    }
}

/// `-delete` directories that a start finds are removed soon after it, not during it.
const DOOMED_DIR_DELAY_MS: i64 = 10_000;

async fn recovery_worker(
    manager: Arc<LogManager>,
    dir: usize,
    queue: Arc<Mutex<VecDeque<TopicPartition>>>,
    reports: Arc<Mutex<Vec<(TopicPartition, LoadReport)>>>,
) {
    let env: Env = manager.env.clone();
    loop {
        let Some(topic_partition) = queue.lock().pop_front() else { return };
        if manager.dirs[dir].state.is_offline() {
            return;
        }
        let worker = Arc::clone(&manager);
        let partition = topic_partition.clone();
        let outcome = env.offload("log-recovery", move || worker.park(&partition)).await;
        match outcome {
            Ok(report) => reports.lock().push((topic_partition, report)),
            Err(error) => {
                tracing::error!(partition = %topic_partition, %error, "cannot recover the log");
            }
        }
        manager.metrics.set_logs_to_recover(manager.dir_path(dir), queue.lock().len());
    }
}

/// Looks at one directory: its marker, which is removed so that a crash from here on counts as one; checkpoints; replicas.
fn scan_dir(env: &Env, path: &Path) -> io::Result<Scanned> {
    let disk = env.disk();
    let mut scanned = Scanned::default();
    if let Some(marker) = clean_shutdown_file::read(disk, path)? {
        clean_shutdown_file::delete(disk, path)?;
        scanned.clean = true;
        scanned.broker_epoch = marker.broker_epoch;
    }
    let mut note = |file: &str, set: fn(&mut Checkpointed, Offset)| -> io::Result<()> {
        for (topic_partition, offset) in read_checkpoint(env, path, file)? {
            set(scanned.checkpoints.entry(topic_partition).or_default(), offset);
        }
        Ok(())
    };
    note(RECOVERY_POINT_CHECKPOINT, |entry, offset| entry.recovery_point = Some(offset))?;
    note(LOG_START_OFFSET_CHECKPOINT, |entry, offset| entry.log_start_offset = Some(offset))?;
    note(REPLICATION_OFFSET_CHECKPOINT, |entry, offset| entry.high_watermark = Some(offset))?;
    for entry in disk.list(path)?.into_iter().filter(|entry| entry.is_dir) {
        let dir = path.join(&entry.name);
        let Some(name) = ReplicaDirName::parse(&entry.name) else {
            tracing::warn!(dir = %dir.display(), "not a replica's directory, left alone");
            continue;
        };
        match name.kind {
            ReplicaDirKind::Current if &*name.topic_partition.topic == CLUSTER_METADATA_TOPIC => {}
            ReplicaDirKind::Current => scanned.partitions.push(name.topic_partition),
            ReplicaDirKind::Delete => scanned.doomed.push(dir),
            ReplicaDirKind::Stray | ReplicaDirKind::Future => scanned.stray.push(dir),
        }
    }
    Ok(scanned)
}

/// A checkpoint that is missing or damaged counts as empty: logs are then recovered from their beginning.
fn read_checkpoint(
    env: &Env,
    dir: &Path,
    file: &str,
) -> io::Result<BTreeMap<TopicPartition, Offset>> {
    match OffsetCheckpointFile::new(dir.join(file)).read(env.disk()) {
        Ok(offsets) => Ok(offsets),
        Err(CheckpointReadError::Io { source, .. }) => Err(source),
        Err(damaged @ CheckpointReadError::Damaged { .. }) => {
            tracing::warn!(error = %damaged, "taking the checkpoint as empty");
            Ok(BTreeMap::new())
        }
    }
}

impl StorageMetrics {
    fn set_logs_to_recover(&self, dir: &Path, count: usize) {
        self.remaining_logs_to_recover.get_or_create(&Self::dir(dir)).set(count as i64);
    }
}
