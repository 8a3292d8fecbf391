//! `File`: a logical file handle with positioned reads and writes.

use std::io::{self, IoSlice};
use std::path::PathBuf;
use std::sync::Arc;

use crate::real::RealFile;

/// A logical handle: the descriptor behind it is opened on demand and closed when others need it more.
///
/// Cheap to clone (clones share descriptor and path) and safe to use from many threads at once. All calls are
/// synchronous. Every error names the path and the operation ([`crate::DiskError`]); reopening a file that was removed
/// or replaced under the handle is such an error.
#[derive(Clone)]
pub struct File {
    kind: Kind,
}

#[derive(Clone)]
enum Kind {
    Real(Arc<RealFile>),
    #[cfg(feature = "sim")]
    Memory(Arc<crate::sim::MemoryFile>),
}

/// Whether bytes can be read without waiting for the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Residency {
    Cached,
    NotCached,
    /// The system cannot tell.
    Unknown,
}

impl File {
    pub(crate) fn real(file: Arc<RealFile>) -> File {
        File { kind: Kind::Real(file) }
    }

    /// The operating system's file, if it is one.
    pub(crate) fn as_real(&self) -> Option<&Arc<RealFile>> {
        match &self.kind {
            Kind::Real(file) => Some(file),
            #[cfg(feature = "sim")]
            Kind::Memory(_) => None,
        }
    }

    #[cfg(feature = "sim")]
    pub(crate) fn memory(file: Arc<crate::sim::MemoryFile>) -> File {
        File { kind: Kind::Memory(file) }
    }

    #[cfg(feature = "sim")]
    pub(crate) fn as_memory(&self) -> Option<&Arc<crate::sim::MemoryFile>> {
        match &self.kind {
            Kind::Memory(file) => Some(file),
            Kind::Real(_) => None,
        }
    }

    /// Reads up to `buffer.len()` bytes; fewer only at the end of the file, 0 at or behind it.
    pub fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        match &self.kind {
            Kind::Real(file) => file.read_at(buffer, position),
            #[cfg(feature = "sim")]
            Kind::Memory(file) => file.read_at(buffer, position),
        }
    }

    /// Fills the whole buffer.
    ///
    /// # Errors
    /// `UnexpectedEof` when the file ends before.
    pub fn read_exact_at(&self, buffer: &mut [u8], position: u64) -> io::Result<()> {
        let read = self.read_at(buffer, position)?;
        if read < buffer.len() {
            let text = format!("file ends {} bytes early", buffer.len() - read);
            let cause = io::Error::new(io::ErrorKind::UnexpectedEof, text);
            return Err(crate::DiskError::wrap("read", &self.path(), cause));
        }
        Ok(())
    }

    /// Writes all bytes at the position, extending the file if need be. On an error a part may have been written.
    pub fn write_all_at(&self, bytes: &[u8], position: u64) -> io::Result<()> {
        self.write_vectored_at(&[IoSlice::new(bytes)], position)
    }

    /// Writes all slices one behind the other, with as few system calls as possible. On an error a part may have been
    /// written.
    pub fn write_vectored_at(&self, slices: &[IoSlice<'_>], position: u64) -> io::Result<()> {
        match &self.kind {
            Kind::Real(file) => file.write_vectored_at(slices, position),
            #[cfg(feature = "sim")]
            Kind::Memory(file) => file.write_vectored_at(slices, position),
        }
    }

    /// Bytes in the file.
    #[expect(
        clippy::len_without_is_empty,
        reason = "a length that costs a system call and can fail"
    )]
    pub fn len(&self) -> io::Result<u64> {
        match &self.kind {
            Kind::Real(file) => file.len(),
            #[cfg(feature = "sim")]
            Kind::Memory(file) => file.len(),
        }
    }

    /// Cuts the file, or extends it with zeros.
    pub fn set_len(&self, len: u64) -> io::Result<()> {
        match &self.kind {
            Kind::Real(file) => file.set_len(len),
            #[cfg(feature = "sim")]
            Kind::Memory(file) => file.set_len(len),
        }
    }

    /// Reserves room for the first `len` bytes without changing the length. A file system that cannot do so is no
    /// error.
    ///
    /// # Errors
    /// `StorageFull` when there is no room.
    pub fn preallocate(&self, len: u64) -> io::Result<()> {
        match &self.kind {
            Kind::Real(file) => file.preallocate(len),
            #[cfg(feature = "sim")]
            Kind::Memory(file) => file.preallocate(len),
        }
    }

    /// Makes contents and length survive a power cut (fdatasync). Blocks on the device: see [`crate::Env::sync`].
    ///
    /// After an error nothing is known about what was not synced before, and a second call proves nothing.
    pub fn sync_blocking(&self) -> io::Result<()> {
        match &self.kind {
            Kind::Real(file) => file.sync_blocking(),
            #[cfg(feature = "sim")]
            Kind::Memory(file) => file.sync_blocking(),
        }
    }

    /// Gives the descriptor back, as for a closed segment; the next call opens it again.
    pub fn close_descriptor(&self) {
        match &self.kind {
            Kind::Real(file) => file.close_descriptor(),
            #[cfg(feature = "sim")]
            Kind::Memory(file) => file.close_descriptor(),
        }
    }

    /// Where the handle believes the file to be.
    pub fn path(&self) -> PathBuf {
        match &self.kind {
            Kind::Real(file) => file.path(),
            #[cfg(feature = "sim")]
            Kind::Memory(file) => file.path(),
        }
    }

    /// Tells the handle (and its clones) that the file, or a directory above it, was renamed.
    pub fn moved_to(&self, path: PathBuf) {
        match &self.kind {
            Kind::Real(file) => file.moved_to(path),
            #[cfg(feature = "sim")]
            Kind::Memory(file) => file.moved_to(path),
        }
    }

    /// Whether `len` bytes from `position` (within the file) are in the page cache. A hint: never an error.
    pub fn residency(&self, position: u64, len: u64) -> Residency {
        match &self.kind {
            Kind::Real(file) => file.residency(position, len),
            #[cfg(feature = "sim")]
            Kind::Memory(file) => file.residency(),
        }
    }
}

impl std::fmt::Debug for File {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("File").field(&self.path()).finish()
    }
}
