//! `Fault`: an error that a test wants the disk to give.

use std::io;
use std::path::Path;

/// What a [`Fault`] strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultOperation {
    Open,
    Read,
    /// Writes, changes of length, reservations. A write that fails may leave a part of its bytes.
    Write,
    /// Syncs of files. What the sync covered is then lost in a power cut, whatever is synced later.
    Sync,
    SyncDir,
    Rename,
    Remove,
}

/// An error for the operations that match; by default every one, with `EIO`.
#[derive(Debug, Clone)]
pub struct Fault {
    operation: FaultOperation,
    path_part: String,
    skip: u64,
    times: u64,
    errno: i32,
}

impl Fault {
    pub fn on(operation: FaultOperation) -> Fault {
        let errno = libc::EIO;
        Fault { operation, path_part: String::new(), skip: 0, times: u64::MAX, errno }
    }

    /// Only on paths that contain this text.
    #[must_use]
    pub fn path(mut self, part: &str) -> Fault {
        part.clone_into(&mut self.path_part);
        self
    }

    /// Only after so many that match have gone well.
    #[must_use]
    pub fn after(mut self, count: u64) -> Fault {
        self.skip = count;
        self
    }

    /// At most so many times.
    #[must_use]
    pub fn times(mut self, count: u64) -> Fault {
        self.times = count;
        self
    }

    /// `ENOSPC` in place of `EIO`.
    #[must_use]
    pub fn storage_full(mut self) -> Fault {
        self.errno = libc::ENOSPC;
        self
    }

    /// Counts the operation; an error if it is to fail.
    pub(crate) fn strike(&mut self, operation: FaultOperation, path: &Path) -> io::Result<()> {
        if operation != self.operation || !path.to_string_lossy().contains(&self.path_part) {
            return Ok(());
        }
        if self.skip > 0 {
            self.skip -= 1;
            return Ok(());
        }
        if self.times == 0 {
            return Ok(());
        }
        self.times -= 1;
        Err(io::Error::from_raw_os_error(self.errno))
    }
}
