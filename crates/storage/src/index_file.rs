//! What offset index and time index share: fixed-size entries, the tail in memory, pages on disk, one page read a look-up.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use klamm_env::{Disk, File, OpenMode};
use klamm_record::Offset;
use parking_lot::{Mutex, RwLock};

/// How much of an index one look-up reads, and the grain of the top level.
pub(crate) const PAGE_BYTES: usize = 4096;
/// Read size while the top level is loaded.
const LOAD_BYTES: usize = 16 * PAGE_BYTES;

/// Why an entry was not taken.
#[derive(Debug, thiserror::Error)]
pub enum IndexAppendError {
    /// The disk failed while the index was loaded.
    #[error("reading the index: {0}")]
    Io(#[from] io::Error),
    /// The index has reached `segment.index.bytes`; the segment is to be rolled.
    #[error("the index is full at {entries} entries")]
    Full {
        /// How many it holds.
        entries: u32,
    },
    /// Entries must rise.
    #[error("offset {offset} does not follow the last indexed offset {last}")]
    NotRising {
        /// The entry's offset.
        offset: Offset,
        /// The last entry's offset.
        last: Offset,
    },
    /// The distance to the base offset does not fit in 31 bits; the segment is to be rolled.
    #[error("offset {offset} is out of reach of base offset {base_offset}")]
    OutOfReach {
        /// The entry's offset.
        offset: Offset,
        /// The segment's base offset.
        base_offset: Offset,
    },
}

/// What a sanity check found; the index is to be rebuilt from the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IndexDamage {
    /// The length is no multiple of the entry size.
    #[error("{bytes} bytes are not a multiple of the {entry_bytes} bytes of an entry")]
    Length {
        /// Length of the file.
        bytes: u64,
        /// Bytes of one entry.
        entry_bytes: u64,
    },
    /// An entry points before its segment.
    #[error("offset {offset} lies below base offset {base_offset}")]
    BelowBase {
        /// The entry's offset.
        offset: Offset,
        /// The segment's base offset.
        base_offset: Offset,
    },
    /// Entries do not rise.
    #[error("entry {index} does not follow the one before it")]
    NotRising {
        /// Its place, from 0.
        index: usize,
    },
    /// An entry of a version or content that cannot be.
    #[error("entry {index} is not valid")]
    Entry {
        /// Its place, from 0.
        index: usize,
    },
}

/// Why a sanity check did not pass.
#[derive(Debug, thiserror::Error)]
pub enum IndexCheckError {
    /// The disk failed.
    #[error("reading the index: {0}")]
    Io(#[from] io::Error),
    /// The content is damaged.
    #[error("the index is damaged: {0}")]
    Damaged(#[from] IndexDamage),
}

/// One entry of fixed size.
pub(crate) trait IndexEntry: Copy {
    /// Bytes on disk.
    const BYTES: usize;
    /// What look-ups search by.
    type Key: Copy + Ord;

    /// Appends the bytes; the distance to `base_offset` fits in 31 bits.
    fn encode(&self, base_offset: Offset, out: &mut Vec<u8>);
    /// Reads exactly [`Self::BYTES`] bytes; any content decodes.
    fn decode(bytes: &[u8], base_offset: Offset) -> Self;
    /// The search key.
    fn key(&self) -> Self::Key;
    /// The offset, for truncation.
    fn offset(&self) -> Offset;
}

/// Entries in bytes; a cut last entry is left out.
pub(crate) fn entries<E: IndexEntry>(
    bytes: &[u8],
    base_offset: Offset,
) -> impl DoubleEndedIterator<Item = E> + ExactSizeIterator + '_ {
    bytes.chunks_exact(E::BYTES).map(move |chunk| E::decode(chunk, base_offset))
}

/// The distance to the base offset as stored, if it is in reach.
pub(crate) fn relative(offset: Offset, base_offset: Offset) -> Option<i32> {
    let distance = offset.0.checked_sub(base_offset.0)?;
    i32::try_from(distance).ok().filter(|distance| *distance >= 0)
}

/// The largest entry whose key is not above `key`.
fn floor<E: IndexEntry>(bytes: &[u8], base_offset: Offset, key: E::Key) -> Option<E> {
    let (mut low, mut high) = (0, bytes.len() / E::BYTES);
    let at = |index: usize| E::decode(&bytes[index * E::BYTES..][..E::BYTES], base_offset);
    while low < high {
        let middle = low + (high - low) / 2;
        if at(middle).key() <= key { low = middle + 1 } else { high = middle }
    }
    low.checked_sub(1).map(at)
}

struct Loaded<E: IndexEntry> {
    /// Entries in the file.
    stored: u32,
    /// Entries behind them, not yet in the file.
    tail: Vec<u8>,
    /// The last of all entries.
    last: Option<E>,
    /// The first key of each page in the file, once somebody has asked; empty while the file has one page.
    top: Option<Vec<E::Key>>,
}

/// Where the file lies; it is opened, and made if missing, at first use.
struct Place {
    path: PathBuf,
    file: Option<File>,
}

/// An index file. Readers look up while one writer appends; the content is loaded at first use and can be dropped.
///
/// Locks: `writing` before `loaded` before `place`; no disk access under `loaded` but in truncation and first loading.
pub(crate) struct IndexFile<E: IndexEntry> {
    disk: Disk,
    place: Mutex<Place>,
    base_offset: Offset,
    entries_max: AtomicU32,
    /// Rises with each truncation, so that a reader notices that its page is gone.
    generation: AtomicU64,
    writing: Mutex<()>,
    loaded: RwLock<Option<Box<Loaded<E>>>>,
}

impl<E: IndexEntry> IndexFile<E> {
    const PAGE_ENTRIES: usize = PAGE_BYTES / E::BYTES;

    pub(crate) fn new(disk: Disk, path: PathBuf, base_offset: Offset, bytes_max: u32) -> Self {
        Self {
            disk,
            place: Mutex::new(Place { path, file: None }),
            base_offset,
            entries_max: AtomicU32::new(bytes_max / E::BYTES as u32),
            generation: AtomicU64::new(0),
            writing: Mutex::new(()),
            loaded: RwLock::new(None),
        }
    }

    pub(crate) fn file(&self) -> io::Result<File> {
        let mut place = self.place.lock();
        if let Some(file) = &place.file {
            return Ok(file.clone());
        }
        let file = self.disk.open(&place.path, OpenMode::Create)?;
        place.file = Some(file.clone());
        Ok(file)
    }

    pub(crate) fn base_offset(&self) -> Offset {
        self.base_offset
    }

    pub(crate) fn set_bytes_max(&self, bytes_max: u32) {
        self.entries_max.store(bytes_max / E::BYTES as u32, Ordering::Relaxed);
    }

    pub(crate) fn entries_max(&self) -> u32 {
        self.entries_max.load(Ordering::Relaxed)
    }

    pub(crate) fn renamed(&self, path: PathBuf) {
        let mut place = self.place.lock();
        if let Some(file) = &place.file {
            file.moved_to(path.clone());
        }
        place.path = path;
    }

    /// Takes the index as empty without looking at the disk, for a file that was just made.
    pub(crate) fn assume_empty(&self) {
        *self.loaded.write() =
            Some(Box::new(Loaded { stored: 0, tail: Vec::new(), last: None, top: None }));
    }

    pub(crate) fn count(&self) -> io::Result<u32> {
        self.with_loaded(|loaded| loaded.count())
    }

    pub(crate) fn last(&self) -> io::Result<Option<E>> {
        self.with_loaded(|loaded| loaded.last)
    }

    /// Appends in memory only. The caller has checked order, reach and room.
    pub(crate) fn append(&self, entry: E) -> io::Result<()> {
        loop {
            self.load()?;
            if let Some(loaded) = self.loaded.write().as_mut() {
                entry.encode(self.base_offset, &mut loaded.tail);
                loaded.last = Some(entry);
                return Ok(());
            }
        }
    }

    /// Bytes that are in memory only.
    pub(crate) fn unwritten_bytes(&self) -> usize {
        self.loaded.read().as_ref().map_or(0, |loaded| loaded.tail.len())
    }

    /// Writes the tail to the file, without a sync; makes the file if it is missing.
    pub(crate) fn write_tail(&self) -> io::Result<()> {
        let _writing = self.writing.lock();
        let file = self.file()?;
        let (position, bytes) = match self.loaded.read().as_ref() {
            Some(loaded) if !loaded.tail.is_empty() => {
                (u64::from(loaded.stored) * E::BYTES as u64, loaded.tail.clone())
            }
            _ => return Ok(()),
        };
        file.write_all_at(&bytes, position)?;
        let mut guard = self.loaded.write();
        let loaded = guard.as_mut().expect("a tail is never unloaded");
        if let Some(top) = &mut loaded.top {
            for (index, entry) in entries::<E>(&bytes, self.base_offset).enumerate() {
                if (loaded.stored as usize + index).is_multiple_of(Self::PAGE_ENTRIES) {
                    top.push(entry.key());
                }
            }
        }
        loaded.stored += (bytes.len() / E::BYTES) as u32;
        loaded.tail.drain(..bytes.len());
        if loaded.tail.is_empty() {
            loaded.tail = Vec::new();
        }
        Ok(())
    }

    /// Forgets what the file holds too, and the handle; does nothing while entries are unwritten.
    pub(crate) fn drop_memory(&self) {
        let _writing = self.writing.lock();
        let mut guard = self.loaded.write();
        if guard.as_ref().is_some_and(|loaded| loaded.tail.is_empty()) {
            *guard = None;
            self.place.lock().file = None;
        }
    }

    /// The largest entry whose key is not above `key`.
    pub(crate) fn lookup(&self, key: E::Key) -> io::Result<Option<E>> {
        loop {
            self.load()?;
            let generation = self.generation.load(Ordering::Acquire);
            let (page, count) = match self.loaded.read().as_ref() {
                None => continue,
                Some(loaded) => match loaded.find(key, self.base_offset) {
                    Found::Entry(entry) => return Ok(entry),
                    Found::Page { page, count } => (page, count),
                    Found::NeedsTop => (usize::MAX, 0),
                },
            };
            if page == usize::MAX {
                self.load_top()?;
                continue;
            }
            let mut buffer = [0_u8; PAGE_BYTES];
            let bytes = &mut buffer[..count * E::BYTES];
            let position = (page * Self::PAGE_ENTRIES * E::BYTES) as u64;
            let read = self.file()?.read_exact_at(bytes, position);
            if self.generation.load(Ordering::Acquire) != generation {
                continue;
            }
            read?;
            return Ok(floor(bytes, self.base_offset, key));
        }
    }

    /// The entry at a place, from 0.
    pub(crate) fn entry(&self, index: u32) -> io::Result<Option<E>> {
        let _writing = self.writing.lock();
        self.load_locked()?;
        let guard = self.loaded.read();
        let loaded = guard.as_ref().expect("loaded above, and unloading takes the lock held here");
        if index >= loaded.count() {
            return Ok(None);
        }
        self.entry_of(loaded, index).map(Some)
    }

    /// Drops all entries at or above `offset`.
    pub(crate) fn truncate_to(&self, offset: Offset) -> io::Result<()> {
        let _writing = self.writing.lock();
        self.load_locked()?;
        let mut guard = self.loaded.write();
        let loaded = guard.as_mut().expect("loaded above, and unloading takes the lock held here");
        if loaded.last.is_none_or(|last| last.offset() < offset) {
            return Ok(());
        }
        let (mut low, mut high) = (0, loaded.count());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.entry_of(loaded, middle)?.offset() < offset {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        self.keep(loaded, low)
    }

    /// Drops all entries.
    pub(crate) fn reset(&self) -> io::Result<()> {
        let _writing = self.writing.lock();
        let mut guard = self.loaded.write();
        self.generation.fetch_add(1, Ordering::AcqRel);
        self.file()?.set_len(0)?;
        *guard = Some(Box::new(Loaded { stored: 0, tail: Vec::new(), last: None, top: None }));
        Ok(())
    }

    fn keep(&self, loaded: &mut Loaded<E>, count: u32) -> io::Result<()> {
        self.generation.fetch_add(1, Ordering::AcqRel);
        if count >= loaded.stored {
            loaded.tail.truncate((count - loaded.stored) as usize * E::BYTES);
        } else {
            self.file()?.set_len(u64::from(count) * E::BYTES as u64)?;
            loaded.stored = count;
            loaded.tail = Vec::new();
            if let Some(top) = &mut loaded.top {
                top.truncate((count as usize).div_ceil(Self::PAGE_ENTRIES));
            }
        }
        loaded.last = match count.checked_sub(1) {
            Some(index) => Some(self.entry_of(loaded, index)?),
            None => None,
        };
        Ok(())
    }

    fn entry_of(&self, loaded: &Loaded<E>, index: u32) -> io::Result<E> {
        if let Some(index) = index.checked_sub(loaded.stored) {
            let bytes = &loaded.tail[index as usize * E::BYTES..][..E::BYTES];
            return Ok(E::decode(bytes, self.base_offset));
        }
        self.stored_entry(index)
    }

    fn stored_entry(&self, index: u32) -> io::Result<E> {
        let mut buffer = [0_u8; 16];
        let bytes = &mut buffer[..E::BYTES];
        self.file()?.read_exact_at(bytes, u64::from(index) * E::BYTES as u64)?;
        Ok(E::decode(bytes, self.base_offset))
    }

    fn with_loaded<R>(&self, f: impl Fn(&Loaded<E>) -> R) -> io::Result<R> {
        loop {
            self.load()?;
            if let Some(loaded) = self.loaded.read().as_ref() {
                return Ok(f(loaded));
            }
        }
    }

    fn load(&self) -> io::Result<()> {
        if self.loaded.read().is_some() {
            return Ok(());
        }
        let _writing = self.writing.lock();
        self.load_locked()
    }

    /// Loads while `writing` is held.
    fn load_locked(&self) -> io::Result<()> {
        if self.loaded.read().is_some() {
            return Ok(());
        }
        let stored = u32::try_from(self.file()?.len()? / E::BYTES as u64).unwrap_or(u32::MAX);
        let last = match stored.checked_sub(1) {
            Some(index) => Some(self.stored_entry(index)?),
            None => None,
        };
        *self.loaded.write() = Some(Box::new(Loaded { stored, tail: Vec::new(), last, top: None }));
        Ok(())
    }

    fn load_top(&self) -> io::Result<()> {
        let _writing = self.writing.lock();
        self.load_locked()?;
        let stored = match self.loaded.read().as_ref() {
            Some(loaded) if loaded.top.is_none() => loaded.stored as usize,
            _ => return Ok(()),
        };
        let mut top = Vec::with_capacity(stored.div_ceil(Self::PAGE_ENTRIES));
        let chunk_entries = LOAD_BYTES / PAGE_BYTES * Self::PAGE_ENTRIES;
        let mut buffer = vec![0_u8; chunk_entries * E::BYTES];
        let mut done = 0;
        while done < stored {
            let count = chunk_entries.min(stored - done);
            let bytes = &mut buffer[..count * E::BYTES];
            self.file()?.read_exact_at(bytes, (done * E::BYTES) as u64)?;
            top.extend(
                bytes
                    .chunks(Self::PAGE_ENTRIES * E::BYTES)
                    .map(|page| E::decode(&page[..E::BYTES], self.base_offset).key()),
            );
            done += count;
        }
        if let Some(loaded) = self.loaded.write().as_mut() {
            loaded.top = Some(top);
        }
        Ok(())
    }
}

enum Found<E> {
    Entry(Option<E>),
    Page { page: usize, count: usize },
    NeedsTop,
}

impl<E: IndexEntry> Loaded<E> {
    fn count(&self) -> u32 {
        self.stored + (self.tail.len() / E::BYTES) as u32
    }

    fn find(&self, key: E::Key, base_offset: Offset) -> Found<E> {
        let entry = floor(&self.tail, base_offset, key);
        if entry.is_some() || self.stored == 0 {
            return Found::Entry(entry);
        }
        let page_entries = PAGE_BYTES / E::BYTES;
        let stored = self.stored as usize;
        let page = match &self.top {
            _ if stored <= page_entries => 0,
            None => return Found::NeedsTop,
            Some(top) => match top.partition_point(|first| *first <= key).checked_sub(1) {
                None => return Found::Entry(None),
                Some(page) => page,
            },
        };
        Found::Page { page, count: page_entries.min(stored - page * page_entries) }
    }
}
