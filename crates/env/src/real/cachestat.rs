//! Whether bytes of a file are in the page cache.

use std::os::fd::AsFd;

use crate::file::Residency;

#[cfg(not(target_os = "linux"))]
pub(crate) fn residency(_: &impl AsFd, _: u64, _: u64) -> Residency {
    Residency::Unknown
}

/// Asks `cachestat` (Linux 6.5), else reads one byte per 64 KiB with `RWF_NOWAIT` (Linux 4.14), else does not know.
#[cfg(target_os = "linux")]
pub(crate) fn residency(fd: &impl AsFd, position: u64, len: u64) -> Residency {
    use std::sync::atomic::{AtomicBool, Ordering};
    /// Set once the kernel, or a seccomp filter, refused the call.
    static REFUSED: AtomicBool = AtomicBool::new(false);

    if len == 0 {
        return Residency::Cached;
    }
    if !REFUSED.load(Ordering::Relaxed) {
        match linux::cachestat(fd, position, len) {
            Ok(residency) => return residency,
            Err(libc::ENOSYS) => REFUSED.store(true, Ordering::Relaxed),
            // EPERM: a filter, or a file of somebody else; EOPNOTSUPP: this file system.
            Err(_) => {}
        }
    }
    linux::nowait(fd, position, len)
}

#[cfg(target_os = "linux")]
pub(super) mod linux {
    use std::io::IoSliceMut;
    use std::os::fd::{AsFd, AsRawFd};

    use rustix::io::{Errno, ReadWriteFlags, preadv2};

    use crate::file::Residency;

    /// `cachestat` has the same number on every architecture.
    const SYS_CACHESTAT: libc::c_long = 451;
    const NOWAIT_STEP: usize = 64 * 1024;

    #[repr(C)]
    struct Range {
        offset: u64,
        len: u64,
    }

    #[repr(C)]
    #[derive(Default)]
    struct Counts {
        cached: u64,
        dirty: u64,
        writeback: u64,
        evicted: u64,
        recently_evicted: u64,
    }

    /// Err holds the errno.
    pub(super) fn cachestat(fd: &impl AsFd, position: u64, len: u64) -> Result<Residency, i32> {
        let range = Range { offset: position, len };
        let mut counts = Counts::default();
        let raw = fd.as_fd().as_raw_fd();
        #[expect(unsafe_code, reason = "no library wraps cachestat yet")]
        // SAFETY: both structs have the kernel's layout (linux/mman.h) and outlive the call, which only reads the first
        // and fills the second; the descriptor is borrowed for as long; the flags must be 0.
        let result =
            unsafe { libc::syscall(SYS_CACHESTAT, raw, &raw const range, &raw mut counts, 0) };
        if result != 0 {
            return Err(std::io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO));
        }
        let page = rustix::param::page_size() as u64;
        let pages = (position + len - 1) / page - position / page + 1;
        Ok(if counts.cached >= pages { Residency::Cached } else { Residency::NotCached })
    }

    pub(crate) fn nowait(fd: &impl AsFd, position: u64, len: u64) -> Residency {
        let last = position + len - 1;
        let probes = (position..last).step_by(NOWAIT_STEP).chain(std::iter::once(last));
        for at in probes {
            let mut byte = [0];
            match preadv2(fd, &mut [IoSliceMut::new(&mut byte)], at, ReadWriteFlags::NOWAIT) {
                Ok(_) => {}
                Err(Errno::AGAIN) => return Residency::NotCached,
                Err(_) => return Residency::Unknown,
            }
        }
        Residency::Cached
    }
}
