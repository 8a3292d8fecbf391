//! Files and directories that were renamed for deletion and wait until nobody reads them any more.

use std::io;
use std::path::PathBuf;

use klamm_env::Disk;
use parking_lot::Mutex;

/// What to unlink, and when.
struct Doomed {
    due_ms: i64,
    path: PathBuf,
    is_dir: bool,
}

/// Shared by all logs of a node; emptied in the background. What is still in it when the node stops is found again by its name
/// at the next start.
#[derive(Default)]
pub struct DeletionQueue {
    doomed: Mutex<Vec<Doomed>>,
}

impl DeletionQueue {
    /// Files to unlink from `due_ms` on.
    pub fn push_files(&self, paths: Vec<PathBuf>, due_ms: i64) {
        let doomed = paths.into_iter().map(|path| Doomed { due_ms, path, is_dir: false });
        self.doomed.lock().extend(doomed);
    }

    /// A replica directory to remove from `due_ms` on.
    pub fn push_dir(&self, path: PathBuf, due_ms: i64) {
        self.doomed.lock().push(Doomed { due_ms, path, is_dir: true });
    }

    /// When the next one is due.
    pub fn next_due_ms(&self) -> Option<i64> {
        self.doomed.lock().iter().map(|doomed| doomed.due_ms).min()
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.doomed.lock().len()
    }

    /// True if none waits.
    pub fn is_empty(&self) -> bool {
        self.doomed.lock().is_empty()
    }

    /// Unlinks what is due; returns how many. What cannot be unlinked is reported and left for the next start. Blocks on the
    /// disk.
    pub fn unlink_due(&self, disk: &Disk, now_ms: i64) -> usize {
        let due: Vec<Doomed> = {
            let mut doomed = self.doomed.lock();
            doomed.extract_if(.., |doomed| doomed.due_ms <= now_ms).collect()
        };
        for Doomed { path, is_dir, .. } in &due {
            let removed = if *is_dir { disk.remove_dir_all(path) } else { disk.remove_file(path) };
            match removed {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    tracing::warn!(path = %path.display(), %error, "cannot remove what was deleted");
                }
                _ => tracing::debug!(path = %path.display(), "removed what was deleted"),
            }
        }
        due.len()
    }
}

impl std::fmt::Debug for DeletionQueue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DeletionQueue").field("len", &self.len()).finish()
    }
}
