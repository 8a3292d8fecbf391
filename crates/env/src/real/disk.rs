//! `RealDisk`: directories of the operating system.
#![expect(clippy::disallowed_methods, reason = "this is the disk that the bans point to")]

use std::io;
use std::path::Path;
use std::sync::Arc;

use rustix::fs::OFlags;
use rustix::io::retry_on_intr;

use super::fd_cache::FdCache;
use super::file::RealFile;
use super::lock::RealDirLock;
use crate::disk::{DirEntry, OpenMode, Space};
use crate::error::DiskError;

pub(crate) struct RealDisk {
    cache: Arc<FdCache>,
}

impl RealDisk {
    pub(crate) fn new(cache: Arc<FdCache>) -> RealDisk {
        RealDisk { cache }
    }

    pub(crate) fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<RealFile>> {
        let flags = match mode {
            OpenMode::Read => OFlags::RDONLY,
            OpenMode::ReadWrite => OFlags::RDWR,
            OpenMode::Create => OFlags::RDWR | OFlags::CREATE,
            OpenMode::CreateNew => OFlags::RDWR | OFlags::CREATE | OFlags::EXCL,
            OpenMode::Truncate => OFlags::RDWR | OFlags::CREATE | OFlags::TRUNC,
        };
        RealFile::open(&self.cache, path.to_path_buf(), flags)
    }

    pub(crate) fn exists(&self, path: &Path) -> io::Result<bool> {
        path.try_exists().map_err(|e| DiskError::wrap("look up", path, e))
    }

    pub(crate) fn is_dir(&self, path: &Path) -> io::Result<bool> {
        match std::fs::metadata(path) {
            Ok(metadata) => Ok(metadata.is_dir()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(DiskError::wrap("look up", path, error)),
        }
    }

    /// In no order.
    pub(crate) fn list(&self, path: &Path) -> io::Result<Vec<DirEntry>> {
        let wrap = |e| DiskError::wrap("list", path, e);
        let mut entries = Vec::new();
        for entry in std::fs::read_dir(path).map_err(wrap)? {
            let entry = entry.map_err(wrap)?;
            // Follows links, so that a log dir may be one.
            let metadata = match std::fs::metadata(entry.path()) {
                Ok(metadata) => metadata,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(DiskError::wrap("look up", &entry.path(), error)),
            };
            let is_dir = metadata.is_dir();
            let name = entry.file_name().to_string_lossy().into_owned();
            entries.push(DirEntry { name, is_dir, len: if is_dir { 0 } else { metadata.len() } });
        }
        Ok(entries)
    }

    pub(crate) fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        std::fs::create_dir_all(path).map_err(|e| DiskError::wrap("create directory", path, e))
    }

    pub(crate) fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to).map_err(|error| {
            let text = format!("to {}: {error}", to.display());
            DiskError::wrap("rename", from, io::Error::new(error.kind(), text))
        })
    }

    pub(crate) fn remove_file(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path).map_err(|e| DiskError::wrap("remove", path, e))
    }

    pub(crate) fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_dir_all(path).map_err(|e| DiskError::wrap("remove directory", path, e))
    }

    pub(crate) fn sync_dir(&self, path: &Path) -> io::Result<()> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY;
        self.cache
            .open(path, flags)
            .and_then(|fd| retry_on_intr(|| rustix::fs::fsync(&fd)))
            .map_err(|e| DiskError::wrap("sync directory", path, e))
    }

    pub(crate) fn lock(&self, path: &Path) -> io::Result<RealDirLock> {
        RealDirLock::acquire(path)
    }

    pub(crate) fn space(&self, path: &Path) -> io::Result<Space> {
        let stat = rustix::fs::statvfs(path);
        let stat = stat.map_err(|e| DiskError::wrap("measure the space at", path, e))?;
        Ok(Space {
            total_bytes: stat.f_blocks.saturating_mul(stat.f_frsize),
            usable_bytes: stat.f_bavail.saturating_mul(stat.f_frsize),
        })
    }
}

#[cfg(test)]
mod tests;
