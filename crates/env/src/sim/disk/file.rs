//! `MemoryFile`: a logical handle on an in-memory file.

use std::io::{self, IoSlice};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

use super::fault::FaultOperation;
use super::names::{Inode, Node};
use super::store::{MemoryDisk, State};
use crate::disk::OpenMode;
use crate::error::DiskError;
use crate::file::Residency;

/// Longer files are refused, lest a wild position fill the memory.
const LEN_MAX: u64 = 1 << 30;
/// One call in so many finds its descriptor taken by others and opens the path again.
const EVICTED_ONE_IN: u64 = 32;
const NOT_CACHED_ONE_IN: u64 = 8;

pub(crate) struct MemoryFile {
    disk: MemoryDisk,
    inode: Arc<Inode>,
    path: Mutex<PathBuf>,
    writable: bool,
    descriptor_closed: AtomicBool,
}

impl MemoryFile {
    pub(super) fn new(
        disk: MemoryDisk,
        inode: Arc<Inode>,
        path: PathBuf,
        mode: OpenMode,
    ) -> MemoryFile {
        let (path, writable) = (Mutex::new(path), mode != OpenMode::Read);
        MemoryFile { disk, inode, path, writable, descriptor_closed: AtomicBool::new(false) }
    }

    /// Runs one operation, after the descriptor was found or opened again.
    fn operate<R>(
        &self,
        (verb, fault): (&'static str, Option<FaultOperation>),
        operation: impl FnOnce(&mut State, &Inode) -> io::Result<R>,
    ) -> io::Result<R> {
        let path = self.path();
        let mut state = self.disk.store.state.lock();
        self.disk.life.check().map_err(|e| DiskError::wrap(verb, &path, e))?;
        self.reopen(&state).map_err(|e| DiskError::wrap("reopen", &path, e))?;
        let struck = fault.map_or(Ok(()), |fault| state.strike(fault, &path));
        struck
            .and_then(|()| operation(&mut state, &self.inode))
            .map_err(|e| DiskError::wrap(verb, &path, e))
    }

    fn reopen(&self, state: &State) -> io::Result<()> {
        let evicted = self.disk.store.rng.below(EVICTED_ONE_IN) == 0;
        if !self.descriptor_closed.swap(false, Ordering::Relaxed) && !evicted {
            return Ok(());
        }
        let result = match state.names.find(&self.path.lock())? {
            Some(Node::File(inode)) if inode.id == self.inode.id => Ok(()),
            Some(_) => {
                let text = "another file has its name now";
                Err(io::Error::new(io::ErrorKind::NotFound, text))
            }
            None => Err(io::ErrorKind::NotFound.into()),
        };
        if result.is_err() {
            self.descriptor_closed.store(true, Ordering::Relaxed);
        }
        result
    }

    fn check_writable(&self) -> io::Result<()> {
        if self.writable { Ok(()) } else { Err(io::Error::from_raw_os_error(libc::EBADF)) }
    }

    pub(crate) fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        self.operate(("read", Some(FaultOperation::Read)), |_, inode| {
            let content = inode.content.lock();
            let from = content.bytes().len().min(usize::try_from(position).unwrap_or(usize::MAX));
            let rest = &content.bytes()[from..];
            let count = rest.len().min(buffer.len());
            buffer[..count].copy_from_slice(&rest[..count]);
            Ok(count)
        })
    }

    pub(crate) fn write_vectored_at(
        &self,
        slices: &[IoSlice<'_>],
        position: u64,
    ) -> io::Result<()> {
        let bytes: Vec<u8> = slices.iter().flat_map(|slice| slice.iter().copied()).collect();
        let store = &self.disk.store;
        let result = self.operate(("write", None), |state, inode| {
            self.check_writable()?;
            let end = position.saturating_add(bytes.len() as u64);
            if end > LEN_MAX {
                return Err(io::ErrorKind::FileTooLarge.into());
            }
            let mut content = inode.content.lock();
            let allocated = content.allocated();
            drop(content);
            let struck = state.strike(FaultOperation::Write, &self.path());
            let taken = match &struck {
                Err(_) => store.rng.below(bytes.len() as u64 + 1),
                Ok(()) => {
                    let limit = allocated.saturating_add(state.room());
                    limit.saturating_sub(position).min(bytes.len() as u64)
                }
            };
            content = inode.content.lock();
            content.write(position as usize, &bytes[..taken as usize]);
            struck?;
            if taken < bytes.len() as u64 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            Ok(())
        });
        let outcome = if result.is_ok() { "" } else { " failed" };
        let (path, len) = (self.path(), bytes.len());
        store.note(format_args!("write {} {position}+{len}{outcome}", path.display()));
        result
    }

    pub(crate) fn len(&self) -> io::Result<u64> {
        self.operate(("measure", None), |_, inode| Ok(inode.content.lock().bytes().len() as u64))
    }

    pub(crate) fn set_len(&self, len: u64) -> io::Result<()> {
        let verb = ("change the length of", Some(FaultOperation::Write));
        self.operate(verb, |_, inode| {
            self.check_writable()?;
            if len > LEN_MAX {
                return Err(io::ErrorKind::FileTooLarge.into());
            }
            // Extending leaves a hole, which takes no room; it is counted all the same by later writes.
            inode.content.lock().set_len(len as usize);
            Ok(())
        })?;
        self.disk.store.note(format_args!("set length {} {len}", self.path().display()));
        Ok(())
    }

    pub(crate) fn preallocate(&self, len: u64) -> io::Result<()> {
        self.operate(("preallocate", Some(FaultOperation::Write)), |state, inode| {
            self.check_writable()?;
            let allocated = inode.content.lock().allocated();
            if len.saturating_sub(allocated) > state.room() {
                return Err(io::ErrorKind::StorageFull.into());
            }
            inode.content.lock().reserve(len);
            Ok(())
        })
    }

    /// Names all that was written so far, for [`MemoryFile::sync_to`].
    pub(crate) fn mark(&self) -> u64 {
        self.inode.content.lock().mark()
    }

    pub(crate) fn sync_to(&self, mark: u64) -> io::Result<()> {
        let result = self.operate(("sync", None), |state, inode| {
            let struck = state.strike(FaultOperation::Sync, &self.path());
            let mut content = inode.content.lock();
            match struck {
                Ok(()) => content.sync_to(mark),
                Err(_) => content.lose_to(mark),
            }
            struck
        });
        let outcome = if result.is_ok() { "" } else { " failed" };
        self.disk.store.note(format_args!("sync {}{outcome}", self.path().display()));
        result
    }

    pub(crate) fn sync_blocking(&self) -> io::Result<()> {
        self.sync_to(self.mark())
    }

    pub(crate) fn close_descriptor(&self) {
        self.descriptor_closed.store(true, Ordering::Relaxed);
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.path.lock().clone()
    }

    pub(crate) fn moved_to(&self, path: PathBuf) {
        *self.path.lock() = path;
    }

    pub(crate) fn residency(&self) -> Residency {
        match self.disk.store.rng.below(NOT_CACHED_ONE_IN) {
            0 => Residency::NotCached,
            _ => Residency::Cached,
        }
    }
}
