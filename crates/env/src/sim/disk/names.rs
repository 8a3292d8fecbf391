//! `Names`: the directory tree, as seen now and as a power cut would leave it.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use super::content::{Content, CrashKind};
use crate::rng::Rng;

/// A file, whatever its names.
pub(crate) struct Inode {
    pub(crate) id: u64,
    pub(crate) content: Mutex<Content>,
}

#[derive(Clone)]
pub(crate) enum Node {
    Dir(DirId),
    File(Arc<Inode>),
}

pub(crate) type DirId = u64;

/// One name in one directory.
pub(crate) type Slot = (DirId, String);

const ROOT: DirId = 0;

pub(crate) struct Names {
    dirs: BTreeMap<DirId, Dir>,
    /// Changes of names that no directory sync has covered, in order.
    changes: Vec<Change>,
    next_id: u64,
}

#[derive(Default)]
struct Dir {
    current: BTreeMap<String, Node>,
    durable: BTreeMap<String, Node>,
}

/// Happens whole or not at all, also across directories.
struct Change {
    edits: Vec<(Slot, Option<Node>)>,
}

impl Names {
    pub(crate) fn new() -> Names {
        Names { dirs: BTreeMap::from([(ROOT, Dir::default())]), changes: Vec::new(), next_id: 1 }
    }

    /// What the path names now.
    pub(crate) fn find(&self, path: &Path) -> io::Result<Option<Node>> {
        let mut node = Node::Dir(ROOT);
        for name in parts(path)? {
            let Node::Dir(dir) = node else { return Err(io::ErrorKind::NotADirectory.into()) };
            match self.get(&(dir, name)) {
                Some(next) => node = next,
                None => return Ok(None),
            }
        }
        Ok(Some(node))
    }

    /// The slot that the path names, in a directory that exists.
    pub(crate) fn slot(&self, path: &Path) -> io::Result<Slot> {
        let mut parts = parts(path)?;
        let Some(name) = parts.pop() else { return Err(io::ErrorKind::IsADirectory.into()) };
        let parent: PathBuf = parts.iter().collect();
        Ok((self.dir(&parent)?, name))
    }

    /// # Errors
    /// `NotFound` or `NotADirectory`.
    pub(crate) fn dir(&self, path: &Path) -> io::Result<DirId> {
        match self.find(path)? {
            Some(Node::Dir(dir)) => Ok(dir),
            Some(Node::File(_)) => Err(io::ErrorKind::NotADirectory.into()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    pub(crate) fn get(&self, slot: &Slot) -> Option<Node> {
        self.dirs[&slot.0].current.get(&slot.1).cloned()
    }

    /// In order of names.
    pub(crate) fn entries(&self, dir: DirId) -> impl Iterator<Item = (&String, &Node)> {
        self.dirs[&dir].current.iter()
    }

    pub(crate) fn create_file(&mut self, slot: Slot) -> Arc<Inode> {
        let inode = Arc::new(Inode { id: self.new_id(), content: Mutex::default() });
        self.change(vec![(slot, Some(Node::File(Arc::clone(&inode))))]);
        inode
    }

    pub(crate) fn create_dir(&mut self, slot: Slot) -> DirId {
        let id = self.new_id();
        self.dirs.insert(id, Dir::default());
        self.change(vec![(slot, Some(Node::Dir(id)))]);
        id
    }

    pub(crate) fn remove(&mut self, slot: Slot) {
        self.change(vec![(slot, None)]);
    }

    /// Removes a directory's contents from the leaves up, each in a change of its own, as a real one goes.
    pub(crate) fn remove_tree(&mut self, slot: Slot) {
        if let Some(Node::Dir(dir)) = self.get(&slot) {
            let names: Vec<_> = self.entries(dir).map(|(name, _)| name.clone()).collect();
            names.into_iter().for_each(|name| self.remove_tree((dir, name)));
        }
        self.remove(slot);
    }

    pub(crate) fn rename(&mut self, from: Slot, to: Slot) -> io::Result<()> {
        let node = self.get(&from).ok_or(io::ErrorKind::NotFound)?;
        match (&node, self.get(&to)) {
            _ if from == to => return Ok(()),
            (Node::File(_), Some(Node::Dir(_))) => return Err(io::ErrorKind::IsADirectory.into()),
            (Node::Dir(_), Some(Node::File(_))) => return Err(io::ErrorKind::NotADirectory.into()),
            (Node::Dir(_), Some(Node::Dir(there))) if self.entries(there).next().is_some() => {
                return Err(io::ErrorKind::DirectoryNotEmpty.into());
            }
            (Node::Dir(dir), _) if self.holds(*dir, to.0) => {
                return Err(io::ErrorKind::InvalidInput.into());
            }
            _ => {}
        }
        self.change(vec![(from, None), (to, Some(node))]);
        Ok(())
    }

    /// Whether `inner` is `outer` or lies below it.
    fn holds(&self, outer: DirId, inner: DirId) -> bool {
        outer == inner
            || self.entries(outer).any(|(_, node)| match node {
                Node::Dir(dir) => self.holds(*dir, inner),
                Node::File(_) => false,
            })
    }

    fn new_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    fn change(&mut self, edits: Vec<(Slot, Option<Node>)>) {
        let change = Change { edits };
        change.apply(&mut self.dirs, |dir| &mut dir.current);
        self.changes.push(change);
    }

    /// Makes the names in this directory survive, and with them the earlier changes that they rest on (a rename from
    /// elsewhere, and how the file came to its old name). Nothing else: real file systems often do more.
    pub(crate) fn sync(&mut self, dir: DirId) {
        let mut wanted: BTreeSet<Slot> = BTreeSet::new();
        let mut keep = Vec::new();
        let mut apply = Vec::new();
        for change in std::mem::take(&mut self.changes).into_iter().rev() {
            let covered = change.slots().any(|slot| slot.0 == dir || wanted.contains(slot));
            if covered {
                wanted.extend(change.slots().cloned());
                apply.push(change);
            } else {
                keep.push(change);
            }
        }
        keep.reverse();
        self.changes = keep;
        for change in apply.into_iter().rev() {
            self.settle(&change);
        }
    }

    fn settle(&mut self, change: &Change) {
        change.apply(&mut self.dirs, |dir| &mut dir.durable);
    }

    pub(crate) fn crash(&mut self, kind: CrashKind, rng: &Rng) {
        let changes = match kind {
            CrashKind::Process => return,
            CrashKind::DropUnsynced => {
                self.changes.clear();
                Vec::new()
            }
            CrashKind::PowerLoss => surviving(std::mem::take(&mut self.changes), rng),
        };
        changes.iter().for_each(|change| self.settle(change));
        for dir in self.dirs.values_mut() {
            dir.current = dir.durable.clone();
        }
        let reachable = self.reachable_dirs();
        self.dirs.retain(|id, _| reachable.contains(id));
        for (_, inode) in self.files() {
            inode.content.lock().crash(kind, rng);
        }
    }

    fn reachable_dirs(&self) -> BTreeSet<DirId> {
        let mut reachable = BTreeSet::new();
        let mut todo = vec![ROOT];
        while let Some(dir) = todo.pop() {
            reachable.insert(dir);
            todo.extend(self.entries(dir).filter_map(|(_, node)| match node {
                Node::Dir(dir) => Some(*dir),
                Node::File(_) => None,
            }));
        }
        reachable
    }

    /// All files as seen now, in order of paths.
    pub(crate) fn files(&self) -> Vec<(PathBuf, Arc<Inode>)> {
        self.walk(|dir| &dir.current)
    }

    /// All files whose names would survive the worst power cut.
    pub(crate) fn durable_files(&self) -> Vec<(PathBuf, Arc<Inode>)> {
        self.walk(|dir| &dir.durable)
    }

    fn walk(&self, view: impl Fn(&Dir) -> &BTreeMap<String, Node>) -> Vec<(PathBuf, Arc<Inode>)> {
        let mut files = Vec::new();
        let mut todo = vec![(PathBuf::from("/"), ROOT)];
        while let Some((path, dir)) = todo.pop() {
            for (name, node) in view(&self.dirs[&dir]) {
                match node {
                    Node::Dir(dir) => todo.push((path.join(name), *dir)),
                    Node::File(inode) => files.push((path.join(name), Arc::clone(inode))),
                }
            }
        }
        files.sort_by(|a, b| a.0.cmp(&b.0));
        files
    }
}

impl Change {
    fn slots(&self) -> impl Iterator<Item = &Slot> {
        self.edits.iter().map(|(slot, _)| slot)
    }

    fn apply(
        &self,
        dirs: &mut BTreeMap<DirId, Dir>,
        view: impl Fn(&mut Dir) -> &mut BTreeMap<String, Node>,
    ) {
        for ((dir, name), node) in &self.edits {
            // A directory is gone only if it was cut off by an earlier crash.
            let Some(names) = dirs.get_mut(dir).map(&view) else { continue };
            match node {
                Some(node) => names.insert(name.clone(), node.clone()),
                None => names.remove(name),
            };
        }
    }
}

/// The changes that a power cut leaves: none, the first ones, some (each with those it rests on), or all.
fn surviving(mut changes: Vec<Change>, rng: &Rng) -> Vec<Change> {
    if changes.is_empty() {
        return changes;
    }
    match rng.below(4) {
        0 => changes.clear(),
        1 => changes.truncate(rng.below(changes.len() as u64 + 1) as usize),
        2 => {
            let mut lost: BTreeSet<Slot> = BTreeSet::new();
            changes.retain(|change| {
                let kept = rng.below(2) == 0 && !change.slots().any(|slot| lost.contains(slot));
                if !kept {
                    lost.extend(change.slots().cloned());
                }
                kept
            });
        }
        _ => {}
    }
    changes
}

/// The names along a path from the root; relative paths start there too.
fn parts(path: &Path) -> io::Result<Vec<String>> {
    let mut parts = Vec::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => {
                let name = name.to_str().ok_or(io::ErrorKind::InvalidFilename)?;
                parts.push(name.to_owned());
            }
            Component::ParentDir => {
                parts.pop();
            }
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    Ok(parts)
}
