//! Whether a log directory may still be written to.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// Shared by everything that lies in one log directory. A directory that failed stays failed until the node starts again
/// (Kafka's `LogDirFailureChannel`).
#[derive(Debug)]
pub struct LogDirState {
    path: PathBuf,
    offline: OnceLock<String>,
}

impl LogDirState {
    /// An online directory.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), offline: OnceLock::new() }
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Takes the directory offline. The first reason stays; true if this was it.
    pub fn fail(&self, reason: &str) -> bool {
        let first = self.offline.set(reason.to_owned()).is_ok();
        if first {
            tracing::error!(dir = %self.path.display(), reason, "log directory is offline");
        }
        first
    }

    /// True once it failed.
    pub fn is_offline(&self) -> bool {
        self.offline.get().is_some()
    }

    /// Why it is offline, if it is.
    pub fn offline_reason(&self) -> Option<String> {
        self.offline.get().cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_reason_stays() {
        let state = LogDirState::new("/d");
        assert!(!state.is_offline());
        assert!(state.fail("sync failed"));
        assert!(!state.fail("something else"));
        assert_eq!(state.offline_reason().as_deref(), Some("sync failed"));
    }
}
