//! The log dirs: their state, and which one a new partition goes to.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use klamm_record::Uuid;

use super::LogManager;
use crate::log_dir_state::LogDirState;

/// A log dir to use. Its lock is held and its `meta.properties` are checked by the caller.
#[derive(Debug, Clone)]
pub struct DirArgs {
    /// Where it is.
    pub path: PathBuf,
    /// `directory.id` of its `meta.properties`.
    pub id: Option<Uuid>,
}

/// A log dir as it is now.
#[derive(Debug, Clone)]
pub struct DirInfo {
    /// Where it is.
    pub path: PathBuf,
    /// Its id, if it has one.
    pub id: Option<Uuid>,
    /// Why it is offline, if it is.
    pub offline: Option<String>,
    /// Partitions that have a directory in it.
    pub partitions: usize,
    /// Bytes of the open logs in it.
    pub open_bytes: u64,
}

impl LogManager {
    /// All log dirs, in the order they were given.
    pub fn dirs(&self) -> Vec<DirInfo> {
        let logs = self.logs.lock();
        let count = |dir: usize| logs.values().filter(move |known| known.dir == dir);
        let info = |(at, dir): (usize, &super::LogDir)| DirInfo {
            path: dir.state.path().to_path_buf(),
            id: dir.id,
            offline: dir.state.offline_reason(),
            partitions: count(at).count(),
            open_bytes: count(at).filter_map(|known| known.log()).map(|log| log.size_bytes()).sum(),
        };
        self.dirs.iter().enumerate().map(info).collect()
    }

    /// State of a log dir, by its path.
    pub fn dir_state(&self, path: &std::path::Path) -> Option<Arc<LogDirState>> {
        self.dirs.iter().find(|dir| dir.state.path() == path).map(|dir| Arc::clone(&dir.state))
    }

    /// True as long as one directory can be used.
    pub fn any_dir_online(&self) -> bool {
        self.dirs.iter().any(|dir| !dir.state.is_offline())
    }

    /// The online directory with the fewest partitions, the first one of several (`LogManager.nextLogDirs`).
    pub(super) fn emptiest_dir(&self) -> Option<usize> {
        let online = self.dirs.iter().enumerate().filter(|(_, dir)| !dir.state.is_offline());
        online.min_by_key(|(_, dir)| dir.partitions.load(Ordering::Relaxed)).map(|(at, _)| at)
    }

    pub(super) fn dir_with_id(&self, id: Uuid) -> Option<usize> {
        self.dirs.iter().position(|dir| dir.id == Some(id) && !dir.state.is_offline())
    }
}
