//! `RealDirLock`: one process per directory.

use std::fs::{OpenOptions, TryLockError};
use std::io;
use std::path::Path;

use crate::error::DiskError;

/// Released when dropped, and by the kernel when the process ends.
pub(crate) struct RealDirLock {
    #[expect(clippy::disallowed_types, reason = "held outside the descriptor cache for good")]
    _file: std::fs::File,
}

impl RealDirLock {
    pub(crate) fn acquire(directory: &Path) -> io::Result<RealDirLock> {
        let path = directory.join(".lock");
        let wrap = |e| DiskError::wrap("lock", &path, e);
        let mut options = OpenOptions::new();
        let file = options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(wrap)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(wrap(held())),
            Err(TryLockError::Error(error)) => return Err(wrap(error)),
        }
        #[cfg(target_os = "linux")]
        record_lock(&file).map_err(wrap)?;
        Ok(RealDirLock { _file: file })
    }
}

fn held() -> io::Error {
    io::Error::new(io::ErrorKind::WouldBlock, "another process or node holds it")
}

/// Takes the record lock too, which is the one that Java's `FileChannel.lock` (and so Apache Kafka) takes. The "open
/// file description" variety belongs to the descriptor, as flock does.
#[cfg(target_os = "linux")]
#[expect(clippy::disallowed_types, reason = "held outside the descriptor cache for good")]
fn record_lock(file: &std::fs::File) -> io::Result<()> {
    use std::os::fd::AsRawFd;
    let lock = libc::flock {
        l_type: libc::F_WRLCK as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: 0,
        l_len: 0,
        l_pid: 0,
    };
    #[expect(unsafe_code, reason = "rustix has only the variety that belongs to the process")]
    // SAFETY: the descriptor is open for the call, and the struct is valid and only read.
    let result = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_OFD_SETLK, &raw const lock) };
    if result == 0 {
        return Ok(());
    }
    let error = io::Error::last_os_error();
    match error.raw_os_error() {
        Some(libc::EAGAIN | libc::EACCES) => Err(held()),
        // A file system without record locks: flock holds.
        Some(libc::EINVAL | libc::ENOLCK | libc::ENOSYS) => Ok(()),
        _ => Err(error),
    }
}
