//! One log at a time: opening, creating, deleting. All of it blocks on the disk and belongs under `Env::offload`.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use klamm_record::{Offset, TopicId, TopicPartition, Uuid};

use super::{Checkpointed, KnownLog, LogManager, Status};
use crate::log_appender::LogAppender;
use crate::log_file_names::{ReplicaDirKind, marked_dir_name, replica_dir_name};
use crate::log_loader::{LoadArgs, LoadError, LoadMode, LoadReport, LoadedLog, load};
use crate::partition_metadata_file;
use crate::producer_state::ProducerStateConfig;

/// Where a new partition goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placement {
    /// To the online log dir with the fewest partitions.
    Any,
    /// To the log dir with this id, as the controller assigned it (KIP-858).
    Directory(Uuid),
}

/// Why a log was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenLogError {
    /// The partition has no directory here.
    #[error("no log for {0} in any log directory")]
    NotFound(TopicPartition),
    /// Its appender was given out, or it is being opened or deleted.
    #[error("the log of {0} is in use")]
    InUse(TopicPartition),
    /// The directory belongs to an earlier topic of the same name.
    #[error("the log of {topic_partition} has topic id {found}, expected {expected}")]
    InconsistentTopicId {
        /// The partition.
        topic_partition: TopicPartition,
        /// In `partition.metadata`.
        found: TopicId,
        /// As the metadata has it.
        expected: TopicId,
    },
    /// Its log dir is offline.
    #[error("log directory {} is offline: {reason}", dir.display())]
    Offline {
        /// The log dir.
        dir: PathBuf,
        /// Why.
        reason: String,
    },
    /// Its files cannot be read.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The disk failed.
    #[error("opening a log failed: {0}")]
    Io(#[from] io::Error),
}

/// Why a log was not created.
#[derive(Debug, thiserror::Error)]
pub enum CreateLogError {
    /// There is one; open it.
    #[error("the log of {0} exists")]
    Exists(TopicPartition),
    /// No log dir is online, or not the one asked for.
    #[error("no log directory for {0} is online")]
    NoDirectory(TopicPartition),
    /// The new log cannot be opened.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The disk failed.
    #[error("creating a log failed: {0}")]
    Io(#[from] io::Error),
}

/// Why a log was not deleted.
#[derive(Debug, thiserror::Error)]
pub enum DeleteLogError {
    /// The partition has no directory here.
    #[error("no log for {0} in any log directory")]
    NotFound(TopicPartition),
    /// Whoever holds its appender must give it back.
    #[error("the log of {0} is in use")]
    InUse(TopicPartition),
    /// The disk failed.
    #[error("deleting a log failed: {0}")]
    Io(#[from] io::Error),
}

impl LogManager {
    /// Opens the log of a partition that has a directory here and gives out its appender. A topic id that is given must be that
    /// of `partition.metadata`, if there is such a file.
    ///
    /// # Errors
    /// See [`OpenLogError`]. A log that was closed can be opened again.
    pub fn open_log(
        &self,
        topic_partition: &TopicPartition,
        topic_id: Option<TopicId>,
    ) -> Result<LoadedLog, OpenLogError> {
        let loaded = match self.take(topic_partition)? {
            (_, Status::Parked(loaded)) => Ok(*loaded),
            (dir, _) => self.load_known(topic_partition, dir),
        };
        let loaded = loaded.and_then(|loaded| match (topic_id, loaded.log.topic_id()) {
            (Some(expected), Some(found)) if expected != found => {
                let topic_partition = topic_partition.clone();
                self.put_back(&topic_partition, Status::Parked(Box::new(loaded)));
                Err(OpenLogError::InconsistentTopicId { topic_partition, found, expected })
            }
            _ => Ok(loaded),
        });
        match &loaded {
            Ok(loaded) => self.put_back(topic_partition, Status::Open(Arc::clone(&loaded.log))),
            Err(OpenLogError::InconsistentTopicId { .. }) => {}
            Err(_) => self.put_back(topic_partition, Status::Unopened),
        }
        loaded
    }

    /// Recovery opens a log and keeps it until it is asked for.
    pub(super) fn park(
        &self,
        topic_partition: &TopicPartition,
    ) -> Result<LoadReport, OpenLogError> {
        let (dir, _) = self.take(topic_partition)?;
        match self.load_known(topic_partition, dir) {
            Ok(loaded) => {
                let report = loaded.report;
                self.put_back(topic_partition, Status::Parked(Box::new(loaded)));
                Ok(report)
            }
            Err(error) => {
                self.put_back(topic_partition, Status::Unopened);
                Err(error)
            }
        }
    }

    /// The topic id in the partition's directory; none if there is no such file. Reads the disk for a log that is not open.
    ///
    /// # Errors
    /// If the disk fails or the file is damaged.
    pub fn topic_id(&self, topic_partition: &TopicPartition) -> io::Result<Option<TopicId>> {
        let dir = match self.logs.lock().get(topic_partition) {
            None => return Ok(None),
            Some(known) => match known.log() {
                Some(log) => return Ok(log.topic_id()),
                None => self.dir_path(known.dir).join(replica_dir_name(topic_partition)),
            },
        };
        partition_metadata_file::read(self.env.disk(), &dir)
    }

    /// Makes the directory of a new partition, `partition.metadata` first, and opens its log.
    ///
    /// # Errors
    /// See [`CreateLogError`].
    pub fn create(
        &self,
        topic_partition: &TopicPartition,
        topic_id: TopicId,
        placement: Placement,
    ) -> Result<LoadedLog, CreateLogError> {
        let dir = match placement {
            Placement::Any => self.emptiest_dir(),
            Placement::Directory(id) => self.dir_with_id(id),
        };
        let dir = dir.ok_or_else(|| CreateLogError::NoDirectory(topic_partition.clone()))?;
        let known = KnownLog {
            dir,
            checkpointed: Checkpointed::default(),
            mode: LoadMode::Clean,
            status: Status::Busy,
        };
        {
            let mut logs = self.logs.lock();
            if logs.contains_key(topic_partition) {
                return Err(CreateLogError::Exists(topic_partition.clone()));
            }
            logs.insert(topic_partition.clone(), known);
        }
        self.dirs[dir].partitions.fetch_add(1, Ordering::Relaxed);
        let created = self.make(topic_partition, topic_id, dir);
        match &created {
            Ok(loaded) => self.put_back(topic_partition, Status::Open(Arc::clone(&loaded.log))),
            Err(error) => {
                self.logs.lock().remove(topic_partition);
                self.dirs[dir].partitions.fetch_sub(1, Ordering::Relaxed);
                tracing::error!(partition = %topic_partition, %error, "cannot create the log");
            }
        }
        created
    }

    fn make(
        &self,
        topic_partition: &TopicPartition,
        topic_id: TopicId,
        dir: usize,
    ) -> Result<LoadedLog, CreateLogError> {
        let disk = self.env.disk();
        let parent = self.dir_path(dir);
        let path = parent.join(replica_dir_name(topic_partition));
        disk.create_dir_all(&path)?;
        partition_metadata_file::write(disk, &path, topic_id)?;
        disk.sync_dir(parent)?;
        let args = self.load_args(topic_partition, dir, Checkpointed::default(), LoadMode::Clean);
        Ok(load(LoadArgs { topic_id: Some(topic_id), ..args })?)
    }

    /// Renames the partition's directory so that it counts as deleted; it is removed after `file.delete.delay.ms`. The appender
    /// of an open log must be handed in.
    ///
    /// # Errors
    /// See [`DeleteLogError`].
    pub fn delete(
        &self,
        topic_partition: &TopicPartition,
        appender: Option<LogAppender>,
    ) -> Result<(), DeleteLogError> {
        self.retire(topic_partition, appender, ReplicaDirKind::Delete)
    }

    /// Renames the directory of a replica that the metadata does not place here: it is kept, and never served.
    ///
    /// # Errors
    /// See [`DeleteLogError`].
    pub fn mark_stray(
        &self,
        topic_partition: &TopicPartition,
        appender: Option<LogAppender>,
    ) -> Result<(), DeleteLogError> {
        self.retire(topic_partition, appender, ReplicaDirKind::Stray)
    }

    fn retire(
        &self,
        topic_partition: &TopicPartition,
        appender: Option<LogAppender>,
        kind: ReplicaDirKind,
    ) -> Result<(), DeleteLogError> {
        let (dir, log) = {
            let mut logs = self.logs.lock();
            let known = logs
                .get_mut(topic_partition)
                .ok_or_else(|| DeleteLogError::NotFound(topic_partition.clone()))?;
            let in_use = match &known.status {
                Status::Open(log) => appender.is_none() && !log.is_closed(),
                Status::Busy => true,
                Status::Unopened | Status::Parked(_) => false,
            };
            if in_use {
                return Err(DeleteLogError::InUse(topic_partition.clone()));
            }
            let log = known.log().cloned();
            known.status = Status::Busy;
            (known.dir, log)
        };
        let outcome = self.rename_away(topic_partition, dir, kind);
        match (outcome, log) {
            (Ok(path), log) => {
                if let Some(log) = log {
                    log.poison("the partition was deleted".into());
                    log.set_dir(path);
                }
                self.logs.lock().remove(topic_partition);
                self.dirs[dir].partitions.fetch_sub(1, Ordering::Relaxed);
                drop(appender);
                Ok(())
            }
            (Err(error), log) => {
                let status = log.map_or(Status::Unopened, Status::Open);
                self.put_back(topic_partition, status);
                Err(error.into())
            }
        }
    }

    fn rename_away(
        &self,
        topic_partition: &TopicPartition,
        dir: usize,
        kind: ReplicaDirKind,
    ) -> io::Result<PathBuf> {
        let disk = self.env.disk();
        let parent = self.dir_path(dir);
        let rng = self.env.rng();
        let unique = (u128::from(rng.next_u64()) << 64) | u128::from(rng.next_u64());
        let from = parent.join(replica_dir_name(topic_partition));
        let to = parent.join(marked_dir_name(topic_partition, kind, unique));
        disk.rename(&from, &to)?;
        disk.sync_dir(parent)?;
        tracing::info!(partition = %topic_partition, to = %to.display(), "renamed the partition's directory");
        if kind == ReplicaDirKind::Delete {
            let delay_ms = (self.config_of)(&topic_partition.topic).file_delete_delay_ms;
            self.deletions.push_dir(to.clone(), self.env.clock().now_ms().saturating_add(delay_ms));
        }
        Ok(to)
    }

    /// Takes a log for opening; it is busy until it is put back.
    fn take(&self, topic_partition: &TopicPartition) -> Result<(usize, Status), OpenLogError> {
        let mut logs = self.logs.lock();
        let known = logs
            .get_mut(topic_partition)
            .ok_or_else(|| OpenLogError::NotFound(topic_partition.clone()))?;
        if let Some(reason) = self.dirs[known.dir].state.offline_reason() {
            return Err(OpenLogError::Offline {
                dir: self.dir_path(known.dir).to_path_buf(),
                reason,
            });
        }
        let closed = match &known.status {
            Status::Open(log) => log.is_closed(),
            Status::Busy => false,
            Status::Unopened | Status::Parked(_) => true,
        };
        if !closed {
            return Err(OpenLogError::InUse(topic_partition.clone()));
        }
        if let Status::Open(log) = &known.status {
            known.checkpointed = Checkpointed {
                recovery_point: Some(log.recovery_point()),
                log_start_offset: Some(log.log_start_offset()),
                high_watermark: Some(log.high_watermark()),
            };
            known.mode = LoadMode::Clean;
        }
        Ok((known.dir, std::mem::replace(&mut known.status, Status::Busy)))
    }

    fn put_back(&self, topic_partition: &TopicPartition, status: Status) {
        if let Some(known) = self.logs.lock().get_mut(topic_partition) {
            known.status = status;
        }
    }

    fn load_known(
        &self,
        topic_partition: &TopicPartition,
        dir: usize,
    ) -> Result<LoadedLog, OpenLogError> {
        let (checkpointed, mode) = match self.logs.lock().get(topic_partition) {
            Some(known) => (known.checkpointed, known.mode),
            None => return Err(OpenLogError::NotFound(topic_partition.clone())),
        };
        let args = self.load_args(topic_partition, dir, checkpointed, mode);
        let topic_id = partition_metadata_file::read(self.env.disk(), &args.dir)?;
        let loaded = load(LoadArgs { topic_id, ..args }).inspect_err(|error| {
            // one damaged log is no reason to give up the others
            let LoadError::Io { source, .. } = error;
            if source.kind() != io::ErrorKind::InvalidData {
                self.dirs[dir].state.fail(&error.to_string());
            }
        })?;
        Ok(loaded)
    }

    /// What is configured on producers.
    pub fn producer_state(&self) -> ProducerStateConfig {
        *self.producer_state.lock()
    }

    /// Takes a changed `producer.id.expiration.ms`. Logs that are opened from now on have it; those that are open get it from
    /// whoever expires their producers ([`crate::LogAppender::remove_expired_producers`]).
    pub fn set_producer_id_expiration_ms(&self, expiration_ms: i64) {
        self.producer_state.lock().producer_id_expiration_ms = expiration_ms;
    }

    fn load_args(
        &self,
        topic_partition: &TopicPartition,
        dir: usize,
        checkpointed: Checkpointed,
        mode: LoadMode,
    ) -> LoadArgs {
        LoadArgs {
            env: self.env.clone(),
            dir: self.dir_path(dir).join(replica_dir_name(topic_partition)),
            topic_partition: topic_partition.clone(),
            topic_id: None,
            config: (self.config_of)(&topic_partition.topic),
            log_start_offset: checkpointed.log_start_offset.unwrap_or(Offset::ZERO),
            recovery_point: checkpointed.recovery_point.unwrap_or(Offset::ZERO),
            high_watermark: checkpointed.high_watermark.unwrap_or(Offset::ZERO),
            mode,
            producer_state: self.producer_state(),
            dir_state: Arc::clone(&self.dirs[dir].state),
            deletions: Arc::clone(&self.deletions),
            flush_seconds: Some(self.metrics.flush_seconds.clone()),
        }
    }
}
