//! `FdCache`: which of the logical files hold a descriptor.

use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Unbounded};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use super::file::RealFile;

/// Keeps the number of file descriptors within a bound by closing the one unused for longest (by the clock algorithm:
/// a file that was used since the hand last passed gets another round).
///
/// Descriptors in use by a call are never closed under it; they may overstep the bound for that long.
/// Lock order: a file's slot, then `ring`; while `ring` is held, slots are only tried.
pub(crate) struct FdCache {
    max: usize,
    open: AtomicUsize,
    next_id: AtomicU64,
    ring: Mutex<Ring>,
}

#[derive(Default)]
struct Ring {
    /// The files that hold a descriptor, by their id.
    files: BTreeMap<u64, Weak<RealFile>>,
    /// The id looked at last.
    hand: u64,
}

/// An open descriptor, counted until its last user has dropped it.
pub(crate) struct Descriptor {
    fd: OwnedFd,
    cache: Arc<FdCache>,
}

impl AsFd for Descriptor {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl Drop for Descriptor {
    fn drop(&mut self) {
        self.cache.open.fetch_sub(1, Ordering::Relaxed);
    }
}

impl FdCache {
    pub(crate) fn new(max: usize) -> Arc<FdCache> {
        let ring = Mutex::new(Ring::default());
        Arc::new(FdCache { max, open: AtomicUsize::new(0), next_id: AtomicU64::new(1), ring })
    }

    pub(crate) fn next_id(&self) -> u64 {
        self.next_id.fetch_add(1, Ordering::Relaxed)
    }

    /// Descriptors open now.
    #[cfg(test)]
    pub(crate) fn open_count(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// Opens a descriptor, closing others first if the bound is reached or the process has none left.
    pub(crate) fn open(
        self: &Arc<Self>,
        path: &Path,
        flags: OFlags,
    ) -> Result<Arc<Descriptor>, Errno> {
        while self.open.load(Ordering::Relaxed) >= self.max && self.evict_one() {}
        let flags = flags | OFlags::CLOEXEC;
        let mode = Mode::from_raw_mode(0o666);
        let fd = loop {
            match rustix::fs::open(path, flags, mode) {
                Err(Errno::INTR) => {}
                // Sockets may have taken more than their share: give back one after the other.
                Err(Errno::MFILE | Errno::NFILE) if self.evict_one() => {}
                result => break result?,
            }
        };
        self.open.fetch_add(1, Ordering::Relaxed);
        Ok(Arc::new(Descriptor { fd, cache: Arc::clone(self) }))
    }

    /// Notes that a file holds a descriptor.
    pub(crate) fn insert(&self, id: u64, file: Weak<RealFile>) {
        self.ring.lock().files.insert(id, file);
    }

    /// Notes that a file holds none any more.
    pub(crate) fn remove(&self, id: u64) {
        self.ring.lock().files.remove(&id);
    }

    /// Closes the descriptor that was unused for longest. False if all are in use, or there is none.
    pub(crate) fn evict_one(&self) -> bool {
        // Dropping the last reference to a file locks the ring, so references are kept until it is unlocked.
        let mut seen = Vec::new();
        let mut ring = self.ring.lock();
        let rounds = 2 * ring.files.len();
        for _ in 0..rounds {
            let Some((id, file)) = ring.advance() else { break };
            let Some(file) = file.upgrade() else { continue };
            let evicted = file.try_evict();
            seen.push(file);
            if evicted {
                ring.files.remove(&id);
                drop(ring);
                return true;
            }
        }
        drop(ring);
        false
    }
}

impl Ring {
    fn advance(&mut self) -> Option<(u64, Weak<RealFile>)> {
        let behind = self.files.range((Excluded(self.hand), Unbounded)).next();
        let (id, file) = behind.or_else(|| self.files.iter().next())?;
        self.hand = *id;
        Some((*id, Weak::clone(file)))
    }
}
