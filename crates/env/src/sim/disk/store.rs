//! `Store`, one node's disk; `MemoryDisk`, as one start of the node sees it; `SimDisk`, as a test sees it.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use super::content::CrashKind;
use super::fault::{Fault, FaultOperation};
use super::file::MemoryFile;
use super::names::{Inode, Names, Node};
use crate::disk::{DirEntry, OpenMode, Space};
use crate::error::DiskError;
use crate::rng::Rng;
use crate::sim::life::Life;
use crate::sim::trace::Trace;
use crate::sim::world::World;

/// What `space` shows when a test has set no capacity.
const CAPACITY_BYTES: u64 = 1 << 40;

/// Outlives the crashes of its node. Lock order: `state`, then an inode's content.
pub(crate) struct Store {
    pub(crate) node: Arc<str>,
    pub(crate) rng: Rng,
    pub(crate) trace: Trace,
    pub(crate) state: Mutex<State>,
}

pub(crate) struct State {
    pub(crate) names: Names,
    faults: Vec<Fault>,
    capacity: Option<u64>,
    /// Locked directories with the token of their holder.
    locks: BTreeMap<PathBuf, u64>,
    next_token: u64,
}

#[derive(Clone)]
pub(crate) struct MemoryDisk {
    pub(crate) store: Arc<Store>,
    pub(crate) life: Life,
}

pub(crate) struct MemoryDirLock {
    store: Arc<Store>,
    path: PathBuf,
    token: u64,
}

impl Store {
    pub(crate) fn new(node: Arc<str>, rng: Rng, trace: Trace) -> Store {
        let state = State {
            names: Names::new(),
            faults: Vec::new(),
            capacity: None,
            locks: BTreeMap::new(),
            next_token: 0,
        };
        Store { node, rng, trace, state: Mutex::new(state) }
    }

    pub(crate) fn note(&self, what: fmt::Arguments<'_>) {
        self.trace.note(&self.node, what);
    }

    pub(crate) fn crash(&self, kind: CrashKind) {
        let mut state = self.state.lock();
        state.names.crash(kind, &self.rng);
        state.locks.clear();
    }

    pub(crate) fn image(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let files = self.state.lock().names.files();
        let bytes = |inode: Arc<Inode>| inode.content.lock().bytes().to_vec();
        files.into_iter().map(|(path, inode)| (path, bytes(inode))).collect()
    }
}

impl State {
    pub(crate) fn strike(&mut self, operation: FaultOperation, path: &Path) -> io::Result<()> {
        self.faults.iter_mut().try_for_each(|fault| fault.strike(operation, path))
    }

    fn used(&self) -> u64 {
        self.names.files().iter().map(|(_, inode)| inode.content.lock().allocated()).sum()
    }

    /// Bytes that may still be allocated.
    pub(crate) fn room(&self) -> u64 {
        self.capacity.map_or(u64::MAX, |capacity| capacity.saturating_sub(self.used()))
    }
}

impl MemoryDisk {
    /// Runs one operation on the state, with what can strike any of them, and names the path in its error.
    fn operate<R>(
        &self,
        (verb, fault): (&'static str, Option<FaultOperation>),
        path: &Path,
        operation: impl FnOnce(&mut State) -> io::Result<R>,
    ) -> io::Result<R> {
        let mut state = self.store.state.lock();
        let result = self
            .life
            .check()
            .and_then(|()| fault.map_or(Ok(()), |fault| state.strike(fault, path)))
            .and_then(|()| operation(&mut state));
        drop(state);
        if fault.is_some() {
            let outcome = if result.is_ok() { "" } else { " failed" };
            self.store.note(format_args!("{verb} {}{outcome}", path.display()));
        }
        result.map_err(|e| DiskError::wrap(verb, path, e))
    }

    pub(crate) fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<MemoryFile>> {
        let inode = self.operate(("open", Some(FaultOperation::Open)), path, |state| {
            match (state.names.find(path)?, mode) {
                (Some(Node::Dir(_)), _) => Err(io::ErrorKind::IsADirectory.into()),
                (Some(Node::File(_)), OpenMode::CreateNew) => {
                    Err(io::ErrorKind::AlreadyExists.into())
                }
                (Some(Node::File(inode)), OpenMode::Truncate) => {
                    inode.content.lock().set_len(0);
                    Ok(inode)
                }
                (Some(Node::File(inode)), _) => Ok(inode),
                (None, OpenMode::Read | OpenMode::ReadWrite) => Err(io::ErrorKind::NotFound.into()),
                (None, _) => {
                    let slot = state.names.slot(path)?;
                    Ok(state.names.create_file(slot))
                }
            }
        })?;
        Ok(Arc::new(MemoryFile::new(self.clone(), inode, path.to_path_buf(), mode)))
    }

    pub(crate) fn exists(&self, path: &Path) -> io::Result<bool> {
        self.find(path).map(|node| node.is_some())
    }

    pub(crate) fn is_dir(&self, path: &Path) -> io::Result<bool> {
        self.find(path).map(|node| matches!(node, Some(Node::Dir(_))))
    }

    fn find(&self, path: &Path) -> io::Result<Option<Node>> {
        self.operate(("look up", None), path, |state| match state.names.find(path) {
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => Ok(None),
            result => result,
        })
    }

    pub(crate) fn list(&self, path: &Path) -> io::Result<Vec<DirEntry>> {
        self.operate(("list", None), path, |state| {
            let dir = state.names.dir(path)?;
            let entry = |(name, node): (&String, &Node)| {
                let (is_dir, len) = match node {
                    Node::Dir(_) => (true, 0),
                    Node::File(inode) => (false, inode.content.lock().bytes().len() as u64),
                };
                DirEntry { name: name.clone(), is_dir, len }
            };
            Ok(state.names.entries(dir).map(entry).collect())
        })
    }

    pub(crate) fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        let verb = ("create directory", Some(FaultOperation::Open));
        self.operate(verb, path, |state| {
            let mut ancestors: Vec<_> = path.ancestors().collect();
            ancestors.reverse();
            for ancestor in ancestors {
                match state.names.find(ancestor)? {
                    Some(Node::Dir(_)) => {}
                    Some(Node::File(_)) => return Err(io::ErrorKind::NotADirectory.into()),
                    None => {
                        let slot = state.names.slot(ancestor)?;
                        state.names.create_dir(slot);
                    }
                }
            }
            Ok(())
        })
    }

    pub(crate) fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.store.note(format_args!("rename to {}", to.display()));
        self.operate(("rename", Some(FaultOperation::Rename)), from, |state| {
            let (from, to) = (state.names.slot(from)?, state.names.slot(to)?);
            state.names.rename(from, to)
        })
    }

    pub(crate) fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.operate(("remove", Some(FaultOperation::Remove)), path, |state| {
            let slot = state.names.slot(path)?;
            match state.names.get(&slot) {
                Some(Node::File(_)) => state.names.remove(slot),
                Some(Node::Dir(_)) => return Err(io::ErrorKind::IsADirectory.into()),
                None => return Err(io::ErrorKind::NotFound.into()),
            }
            Ok(())
        })
    }

    pub(crate) fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        let verb = ("remove directory", Some(FaultOperation::Remove));
        self.operate(verb, path, |state| {
            state.names.dir(path)?;
            let slot = state.names.slot(path)?;
            state.names.remove_tree(slot);
            Ok(())
        })
    }

    pub(crate) fn sync_dir(&self, path: &Path) -> io::Result<()> {
        let verb = ("sync directory", Some(FaultOperation::SyncDir));
        self.operate(verb, path, |state| {
            let dir = state.names.dir(path)?;
            state.names.sync(dir);
            Ok(())
        })
    }

    pub(crate) fn lock(&self, path: &Path) -> io::Result<MemoryDirLock> {
        self.open(&path.join(".lock"), OpenMode::Create)?;
        self.operate(("lock", None), &path.join(".lock"), |state| {
            if state.locks.contains_key(path) {
                let text = "another process or node holds it";
                return Err(io::Error::new(io::ErrorKind::WouldBlock, text));
            }
            state.next_token += 1;
            let token = state.next_token;
            state.locks.insert(path.to_path_buf(), token);
            Ok(MemoryDirLock { store: Arc::clone(&self.store), path: path.to_path_buf(), token })
        })
    }

    pub(crate) fn space(&self, path: &Path) -> io::Result<Space> {
        self.operate(("measure the space at", None), path, |state| {
            state.names.find(path)?.ok_or(io::ErrorKind::NotFound)?;
            let total_bytes = state.capacity.unwrap_or(CAPACITY_BYTES);
            Ok(Space { total_bytes, usable_bytes: total_bytes.saturating_sub(state.used()) })
        })
    }
}

impl Drop for MemoryDirLock {
    fn drop(&mut self) {
        let mut state = self.store.state.lock();
        // After a crash the next start may hold it.
        if state.locks.get(&self.path) == Some(&self.token) {
            state.locks.remove(&self.path);
        }
    }
}

/// One node's disk, for tests: crashes, faults, images. Made by [`crate::sim::Sim::disk`].
#[derive(Clone)]
pub struct SimDisk {
    pub(crate) store: Arc<Store>,
    pub(crate) world: Weak<World>,
}

impl SimDisk {
    /// Takes the node down: as [`crate::sim::Sim::crash`].
    pub fn crash(&self, kind: CrashKind) {
        if let Some(world) = self.world.upgrade() {
            world.crash(&self.store.node, kind);
        }
    }

    /// Adds a fault; it stays until [`SimDisk::clear_faults`], over crashes too.
    pub fn inject(&self, fault: Fault) {
        self.store.state.lock().faults.push(fault);
    }

    pub fn clear_faults(&self) {
        self.store.state.lock().faults.clear();
    }

    /// Writes beyond so many bytes on the whole disk fail with `StorageFull`; `None` lifts the bound.
    pub fn set_capacity(&self, bytes: Option<u64>) {
        self.store.state.lock().capacity = bytes;
    }

    /// Every file as a reader sees it now.
    pub fn image(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        self.store.image()
    }

    /// Every file as [`CrashKind::DropUnsynced`] would leave it.
    pub fn durable_image(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let files = self.store.state.lock().names.durable_files();
        let bytes = |inode: Arc<Inode>| inode.content.lock().durable_bytes().to_vec();
        files.into_iter().map(|(path, inode)| (path, bytes(inode))).collect()
    }

    /// Overwrites bytes of a file behind the node's back, as bad hardware does; they count as synced.
    ///
    /// # Errors
    /// When there is no such file, or it ends before.
    pub fn corrupt(&self, path: &Path, position: usize, bytes: &[u8]) -> io::Result<()> {
        let node = self.store.state.lock().names.find(path)?;
        let Some(Node::File(inode)) = node else { return Err(io::ErrorKind::NotFound.into()) };
        let mut content = inode.content.lock();
        if content.bytes().len() < position + bytes.len() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        content.write(position, bytes);
        let mark = content.mark();
        content.sync_to(mark);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
