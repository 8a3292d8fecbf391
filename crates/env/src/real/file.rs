//! `RealFile`: a logical file over descriptors that come and go.

use std::io::{self, IoSlice};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::{Mutex, RwLock};
use rustix::fs::OFlags;
use rustix::io::{Errno, retry_on_intr};

use super::cachestat;
use super::fd_cache::{Descriptor, FdCache};
use crate::error::DiskError;
use crate::file::Residency;

/// The most slices that one `pwritev` takes (`IOV_MAX` on Linux and macOS).
const SLICES_MAX: usize = 1024;

pub(crate) struct RealFile {
    id: u64,
    path: RwLock<PathBuf>,
    reopen_flags: OFlags,
    cache: Arc<FdCache>,
    /// Used since the cache's hand last passed.
    recent: AtomicBool,
    slot: Mutex<Slot>,
}

struct Slot {
    descriptor: Option<Arc<Descriptor>>,
    /// What the first descriptor showed; a later one must show the same.
    identity: Identity,
}

/// Which file it is, whatever its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
}

impl RealFile {
    /// Opens the file for the first time.
    pub(crate) fn open(
        cache: &Arc<FdCache>,
        path: PathBuf,
        flags: OFlags,
    ) -> io::Result<Arc<RealFile>> {
        let first = cache.open(&path, flags).and_then(|fd| Ok((Identity::of(&fd)?, fd)));
        let (identity, fd) = first.map_err(|e| DiskError::wrap("open", &path, e))?;
        let file = Arc::new(RealFile {
            id: cache.next_id(),
            path: RwLock::new(path),
            reopen_flags: flags - (OFlags::CREATE | OFlags::EXCL | OFlags::TRUNC),
            cache: Arc::clone(cache),
            recent: AtomicBool::new(true),
            slot: Mutex::new(Slot { descriptor: Some(fd), identity }),
        });
        cache.insert(file.id, Arc::downgrade(&file));
        Ok(file)
    }

    /// The descriptor, opened again if it was closed. Whoever holds the `Arc` keeps it open.
    pub(crate) fn descriptor(self: &Arc<Self>) -> io::Result<Arc<Descriptor>> {
        let mut slot = self.slot.lock();
        self.recent.store(true, Ordering::Relaxed);
        if let Some(descriptor) = &slot.descriptor {
            return Ok(Arc::clone(descriptor));
        }
        let opened = self.cache.open(&self.path.read(), self.reopen_flags);
        let descriptor = opened.map_err(|e| self.failed("reopen", e))?;
        let identity = Identity::of(&descriptor).map_err(|e| self.failed("reopen", e))?;
        if identity != slot.identity {
            let cause = io::Error::new(io::ErrorKind::NotFound, "another file has its name now");
            return Err(DiskError::wrap("reopen", &self.path.read(), cause));
        }
        slot.descriptor = Some(Arc::clone(&descriptor));
        self.cache.insert(self.id, Arc::downgrade(self));
        Ok(descriptor)
    }

    /// Called by the cache: closes the descriptor unless it was used lately or is in use.
    pub(crate) fn try_evict(&self) -> bool {
        if self.recent.swap(false, Ordering::Relaxed) {
            return false;
        }
        let Some(mut slot) = self.slot.try_lock() else { return false };
        match &slot.descriptor {
            Some(descriptor) if Arc::strong_count(descriptor) == 1 => {
                slot.descriptor = None;
                true
            }
            _ => false,
        }
    }

    pub(crate) fn close_descriptor(&self) {
        let mut slot = self.slot.lock();
        if slot.descriptor.take().is_some() {
            self.cache.remove(self.id);
        }
    }

    fn failed(&self, operation: &'static str, errno: Errno) -> io::Error {
        DiskError::wrap(operation, &self.path.read(), errno)
    }

    pub(crate) fn read_at(self: &Arc<Self>, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        let fd = self.descriptor()?;
        let mut filled = 0;
        while filled < buffer.len() {
            let rest = &mut buffer[filled..];
            match rustix::io::pread(&fd, rest, position + filled as u64) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(Errno::INTR) => {}
                Err(errno) => return Err(self.failed("read", errno)),
            }
        }
        Ok(filled)
    }

    pub(crate) fn write_vectored_at(
        self: &Arc<Self>,
        slices: &[IoSlice<'_>],
        mut position: u64,
    ) -> io::Result<()> {
        let fd = self.descriptor()?;
        let mut next = 0;
        // Bytes of `slices[next]` that a short write has already taken.
        let mut taken = 0;
        while next < slices.len() {
            if taken == slices[next].len() {
                (next, taken) = (next + 1, 0);
                continue;
            }
            let last = slices.len().min(next + SLICES_MAX);
            let result = if taken > 0 || last == next + 1 {
                rustix::io::pwrite(&fd, &slices[next][taken..], position)
            } else {
                rustix::io::pwritev(&fd, &slices[next..last], position)
            };
            let mut written = match result {
                Ok(0) => return Err(self.failed("write", Errno::IO)),
                Ok(written) => written,
                Err(Errno::INTR) => continue,
                Err(errno) => return Err(self.failed("write", errno)),
            };
            position += written as u64;
            while written > 0 {
                let step = written.min(slices[next].len() - taken);
                (written, taken) = (written - step, taken + step);
                if taken == slices[next].len() {
                    (next, taken) = (next + 1, 0);
                }
            }
        }
        Ok(())
    }

    pub(crate) fn len(self: &Arc<Self>) -> io::Result<u64> {
        let fd = self.descriptor()?;
        let stat = rustix::fs::fstat(&fd).map_err(|e| self.failed("measure", e))?;
        Ok(stat.st_size as u64)
    }

    pub(crate) fn set_len(self: &Arc<Self>, len: u64) -> io::Result<()> {
        let fd = self.descriptor()?;
        let result = retry_on_intr(|| rustix::fs::ftruncate(&fd, len));
        result.map_err(|e| self.failed("change the length of", e))
    }

    pub(crate) fn preallocate(self: &Arc<Self>, len: u64) -> io::Result<()> {
        #[cfg(target_os = "linux")]
        if len > 0 {
            use rustix::fs::{FallocateFlags, fallocate};
            let fd = self.descriptor()?;
            let result = retry_on_intr(|| fallocate(&fd, FallocateFlags::KEEP_SIZE, 0, len));
            return match result {
                Ok(()) | Err(Errno::OPNOTSUPP | Errno::NOSYS) => Ok(()),
                Err(errno) => Err(self.failed("preallocate", errno)),
            };
        }
        #[cfg(not(target_os = "linux"))]
        let _ = len;
        Ok(())
    }

    pub(crate) fn sync_blocking(self: &Arc<Self>) -> io::Result<()> {
        let fd = self.descriptor()?;
        let result = retry_on_intr(|| {
            #[cfg(target_vendor = "apple")]
            return rustix::fs::fcntl_fullfsync(&fd);
            #[cfg(not(target_vendor = "apple"))]
            return rustix::fs::fdatasync(&fd);
        });
        result.map_err(|e| self.failed("sync", e))
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.path.read().clone()
    }

    pub(crate) fn moved_to(&self, path: PathBuf) {
        *self.path.write() = path;
    }

    pub(crate) fn residency(self: &Arc<Self>, position: u64, len: u64) -> Residency {
        match self.descriptor() {
            Ok(fd) => cachestat::residency(&*fd, position, len),
            Err(_) => Residency::Unknown,
        }
    }

    /// The device that holds the file, for one sync thread each.
    pub(crate) fn device(&self) -> u64 {
        self.slot.lock().identity.device
    }

    pub(crate) fn id(&self) -> u64 {
        self.id
    }
}

impl Drop for RealFile {
    fn drop(&mut self) {
        if self.slot.get_mut().descriptor.is_some() {
            self.cache.remove(self.id);
        }
    }
}

impl Identity {
    fn of(descriptor: &Descriptor) -> Result<Identity, Errno> {
        let stat = rustix::fs::fstat(descriptor)?;
        #[allow(
            clippy::unnecessary_cast,
            clippy::cast_lossless,
            reason = "the types differ between systems"
        )]
        Ok(Identity { device: stat.st_dev as u64, inode: stat.st_ino as u64 })
    }
}

#[cfg(test)]
mod tests;
