//! `Disk`: directories and the opening of files.

use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::file::File;
use crate::real::{RealDirLock, RealDisk};

/// The file system of one node. Synchronous; cheap to clone.
///
/// Every error names the path and the operation ([`crate::DiskError`]). What is written survives the end of the process;
/// a power cut is survived by file contents after `sync`, and by names (created, renamed, removed) after
/// [`Disk::sync_dir`] on the directory that holds them.
#[derive(Clone)]
pub struct Disk {
    kind: Kind,
}

#[derive(Clone)]
enum Kind {
    Real(Arc<RealDisk>),
    #[cfg(feature = "sim")]
    Memory(crate::sim::MemoryDisk),
}

/// How [`Disk::open`] treats what is there and what is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenMode {
    /// Reading only; the file must exist.
    Read,
    /// Reading and writing; the file must exist.
    ReadWrite,
    /// Reading and writing; made if missing.
    Create,
    /// Reading and writing; fails with `AlreadyExists` if the file exists.
    CreateNew,
    /// Reading and writing; made if missing, emptied if not.
    Truncate,
}

/// One name in a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirEntry {
    pub name: String,
    pub is_dir: bool,
    /// Bytes; 0 for a directory.
    pub len: u64,
}

/// Room on the volume that holds a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    pub total_bytes: u64,
    /// What an unprivileged process may still write.
    pub usable_bytes: u64,
}

/// Holds a directory for this process until it is dropped.
#[must_use = "the lock is released when this is dropped"]
pub struct DirLock {
    _held: Held,
}

#[expect(dead_code, reason = "held for its drop")]
enum Held {
    Real(RealDirLock),
    #[cfg(feature = "sim")]
    Memory(crate::sim::MemoryDirLock),
}

impl Disk {
    pub(crate) fn real(disk: Arc<RealDisk>) -> Disk {
        Disk { kind: Kind::Real(disk) }
    }

    #[cfg(feature = "sim")]
    pub(crate) fn memory(disk: crate::sim::MemoryDisk) -> Disk {
        Disk { kind: Kind::Memory(disk) }
    }

    /// Opens a file. The returned handle is logical: see [`File`].
    ///
    /// # Errors
    /// As the mode says, and what the operating system reports.
    pub fn open(&self, path: &Path, mode: OpenMode) -> io::Result<File> {
        match &self.kind {
            Kind::Real(disk) => disk.open(path, mode).map(File::real),
            #[cfg(feature = "sim")]
            Kind::Memory(disk) => disk.open(path, mode).map(File::memory),
        }
    }

    /// Reads a whole file of at most `max_len` bytes.
    ///
    /// # Errors
    /// `FileTooLarge` when it is longer than that.
    pub fn read(&self, path: &Path, max_len: usize) -> io::Result<Vec<u8>> {
        let file = self.open(path, OpenMode::Read)?;
        let len = file.len()?;
        if len > max_len as u64 {
            let text = format!("it has {len} bytes, over the limit of {max_len}");
            let cause = io::Error::new(io::ErrorKind::FileTooLarge, text);
            return Err(crate::DiskError::wrap("read", path, cause));
        }
        let mut bytes = vec![0; len as usize];
        file.read_exact_at(&mut bytes, 0)?;
        Ok(bytes)
    }

    /// Replaces a file so that after a crash it holds either the old or the new bytes: written to `<path>.tmp`, synced,
    /// renamed, and the directory synced. Two writers of one path must be kept apart by the caller.
    pub fn write_atomic(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut temporary = path.as_os_str().to_owned();
        temporary.push(".tmp");
        let temporary = Path::new(&temporary);
        let file = self.open(temporary, OpenMode::Truncate)?;
        file.write_all_at(bytes, 0)?;
        file.sync_blocking()?;
        drop(file);
        self.rename(temporary, path)?;
        match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => self.sync_dir(parent),
            _ => self.sync_dir(Path::new(".")),
        }
    }

    /// Whether the path exists.
    ///
    /// # Errors
    /// When that cannot be told, as for lack of permission: "unreadable" never looks like "missing".
    pub fn exists(&self, path: &Path) -> io::Result<bool> {
        match &self.kind {
            Kind::Real(disk) => disk.exists(path),
            #[cfg(feature = "sim")]
            Kind::Memory(disk) => disk.exists(path),
        }
    }

    /// Whether the path exists and is a directory.
    ///
    /// # Errors
    /// As [`Disk::exists`].
    pub fn is_dir(&self, path: &Path) -> io::Result<bool> {
        match &self.kind {
            Kind::Real(disk) => disk.is_dir(path),
            #[cfg(feature = "sim")]
            Kind::Memory(disk) => disk.is_dir(path),
        }
    }

    /// What a directory holds, sorted by name. Entries that vanish meanwhile are left out.
    pub fn list(&self, path: &Path) -> io::Result<Vec<DirEntry>> {
        let mut entries = match &self.kind {
            Kind::Real(disk) => disk.list(path),
            #[cfg(feature = "sim")]
            Kind::Memory(disk) => disk.list(path),
        }?;
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    /// Makes a directory and those above it; existing ones are fine.
    pub fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        match &self.kind {
            Kind::Real(disk) => disk.create_dir_all(path),
            #[cfg(feature = "sim")]
            Kind::Memory(disk) => disk.create_dir_all(path),
        }
    }

    /// Makes a directory and those above it, so that a power cut does not take them away: the names of those that were missing
    /// are synced, and that of the directory itself in any case, since an earlier start may have ended before it did so.
    pub fn create_dir_all_durably(&self, path: &Path) -> io::Result<()> {
        let mut unsynced = vec![path];
        let above = path.ancestors().skip(1).filter(|it| !it.as_os_str().is_empty());
        for ancestor in above {
            if self.is_dir(ancestor)? {
                break;
            }
            unsynced.push(ancestor);
        }
        self.create_dir_all(path)?;
        for made in unsynced.iter().rev() {
            match made.parent() {
                Some(parent) if !parent.as_os_str().is_empty() => self.sync_dir(parent)?,
                Some(_) => self.sync_dir(Path::new("."))?,
                None => {}
            }
        }
        Ok(())
    }

    /// Renames a file or directory; an existing file at `to` is replaced. Tell open handles by [`File::moved_to`].
    pub fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        match &self.kind {
            Kind::Real(disk) => disk.rename(from, to),
            #[cfg(feature = "sim")]
            Kind::Memory(disk) => disk.rename(from, to),
        }
    }

    /// Removes a file. Handles that have no descriptor open cannot read it any more.
    pub fn remove_file(&self, path: &Path) -> io::Result<()> {
        match &self.kind {
            Kind::Real(disk) => disk.remove_file(path),
            #[cfg(feature = "sim")]
            Kind::Memory(disk) => disk.remove_file(path),
        }
    }

    /// Removes a directory and all below it.
    pub fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        match &self.kind {
            Kind::Real(disk) => disk.remove_dir_all(path),
            #[cfg(feature = "sim")]
            Kind::Memory(disk) => disk.remove_dir_all(path),
        }
    }

    /// Makes the names in this directory (not below it) survive a power cut. Blocks on the device.
    pub fn sync_dir(&self, path: &Path) -> io::Result<()> {
        match &self.kind {
            Kind::Real(disk) => disk.sync_dir(path),
            #[cfg(feature = "sim")]
            Kind::Memory(disk) => disk.sync_dir(path),
        }
    }

    /// Locks `<path>/.lock`, making the file if need be; it is left in place on release.
    ///
    /// # Errors
    /// `WouldBlock` when somebody holds it: another process (Apache Kafka's lock counts) or another environment here.
    pub fn lock(&self, path: &Path) -> io::Result<DirLock> {
        match &self.kind {
            Kind::Real(disk) => Ok(DirLock { _held: Held::Real(disk.lock(path)?) }),
            #[cfg(feature = "sim")]
            Kind::Memory(disk) => Ok(DirLock { _held: Held::Memory(disk.lock(path)?) }),
        }
    }

    /// Room on the volume that holds `path`.
    pub fn space(&self, path: &Path) -> io::Result<Space> {
        match &self.kind {
            Kind::Real(disk) => disk.space(path),
            #[cfg(feature = "sim")]
            Kind::Memory(disk) => disk.space(path),
        }
    }
}
