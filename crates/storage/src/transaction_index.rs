//! The transaction index of a segment: the aborted transactions whose markers lie in it.

use std::io;
use std::path::PathBuf;

use klamm_env::{Disk, File, OpenMode};
use klamm_record::{Offset, ProducerId};
use parking_lot::Mutex;

use crate::index_file::{IndexCheckError, IndexDamage};

/// Bytes of one entry.
pub const ENTRY_BYTES: usize = 34;
/// The only version of an entry.
const VERSION: i16 = 0;
/// How many entries are read at once.
const READ_ENTRIES: usize = 128;

/// A transaction that was aborted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AbortedTxn {
    /// Who wrote it.
    pub producer_id: ProducerId,
    /// Its first record, inclusive.
    pub first_offset: Offset,
    /// The abort marker, inclusive.
    pub last_offset: Offset,
    /// The last stable offset once the marker was written: where the oldest transaction then open begins, else the offset after
    /// the marker.
    pub last_stable_offset: Offset,
}

/// The aborted transactions that a range of the log overlaps with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TxnIndexSearch {
    /// In the order of their markers.
    pub aborted: Vec<AbortedTxn>,
    /// Whether no later segment can hold another one.
    pub complete: bool,
}

/// Why an entry was not taken.
#[derive(Debug, thiserror::Error)]
pub enum TxnIndexAppendError {
    /// The disk failed.
    #[error("writing the transaction index: {0}")]
    Io(#[from] io::Error),
    /// Entries come in the order of their markers.
    #[error(
        "aborted transaction ending at {offset} does not follow the last one, ending at {last}"
    )]
    NotRising {
        /// The entry's last offset.
        offset: Offset,
        /// That of the last entry.
        last: Offset,
    },
}

impl AbortedTxn {
    /// The bytes of the entry.
    pub fn encode(&self) -> [u8; ENTRY_BYTES] {
        let mut bytes = [0; ENTRY_BYTES];
        bytes[..2].copy_from_slice(&VERSION.to_be_bytes());
        bytes[2..10].copy_from_slice(&self.producer_id.0.to_be_bytes());
        bytes[10..18].copy_from_slice(&self.first_offset.0.to_be_bytes());
        bytes[18..26].copy_from_slice(&self.last_offset.0.to_be_bytes());
        bytes[26..].copy_from_slice(&self.last_stable_offset.0.to_be_bytes());
        bytes
    }

    /// Reads an entry; nothing for a version that is not known.
    pub fn decode(bytes: &[u8; ENTRY_BYTES]) -> Option<Self> {
        let long = |at: usize| {
            i64::from_be_bytes(bytes[at..at + 8].try_into().expect("eight bytes are eight"))
        };
        let known = i16::from_be_bytes([bytes[0], bytes[1]]) == VERSION;
        known.then(|| Self {
            producer_id: ProducerId(long(2)),
            first_offset: Offset(long(10)),
            last_offset: Offset(long(18)),
            last_stable_offset: Offset(long(26)),
        })
    }
}

/// The entries in the bytes of a `.txnindex` file; a cut last entry is left out. Any bytes are read.
pub fn parse(bytes: &[u8]) -> impl Iterator<Item = Result<AbortedTxn, IndexDamage>> + '_ {
    let (entries, _) = bytes.as_chunks::<ENTRY_BYTES>();
    entries
        .iter()
        .enumerate()
        .map(|(index, entry)| AbortedTxn::decode(entry).ok_or(IndexDamage::Entry { index }))
}

/// Looks at every entry of a `.txnindex` file: whole, known, ending at or above the base, in order.
///
/// # Errors
/// The first damage.
pub fn check(bytes: &[u8], base_offset: Offset) -> Result<(), IndexDamage> {
    if !bytes.len().is_multiple_of(ENTRY_BYTES) {
        let (bytes, entry_bytes) = (bytes.len() as u64, ENTRY_BYTES as u64);
        return Err(IndexDamage::Length { bytes, entry_bytes });
    }
    let mut last = None;
    for (index, entry) in parse(bytes).enumerate() {
        let AbortedTxn { first_offset, last_offset, .. } = entry?;
        if last_offset < base_offset {
            return Err(IndexDamage::BelowBase { offset: last_offset, base_offset });
        }
        if first_offset > last_offset {
            return Err(IndexDamage::Entry { index });
        }
        if last.is_some_and(|last| last >= last_offset) {
            return Err(IndexDamage::NotRising { index });
        }
        last = Some(last_offset);
    }
    Ok(())
}

/// The `.txnindex` file of one segment (Kafka's `TransactionIndex`). The file exists only once something was aborted; every
/// append is written at once, none is synced before [`Self::flush`]. Idle, it holds nothing but its path.
pub struct TransactionIndex {
    disk: Disk,
    base_offset: Offset,
    state: Mutex<State>,
}

struct State {
    path: PathBuf,
    presence: Presence,
}

enum Presence {
    /// Nobody has looked.
    Unknown,
    /// There is no file, that is: no abort.
    Absent,
    /// There is one.
    Present { file: File, entries: u64, last_offset: Option<Offset> },
}

impl TransactionIndex {
    /// Names the file, which is looked at when first needed.
    pub fn new(disk: Disk, path: PathBuf, base_offset: Offset) -> Self {
        let state = Mutex::new(State { path, presence: Presence::Unknown });
        Self { disk, base_offset, state }
    }

    /// Says that the segment is new and has no transaction index, so that nobody looks for it.
    pub fn assume_absent(&self) {
        self.state.lock().presence = Presence::Absent;
    }

    /// Writes one entry behind the others.
    ///
    /// # Errors
    /// If its marker does not follow the last one; what the disk says.
    pub fn append(&self, aborted: AbortedTxn) -> Result<(), TxnIndexAppendError> {
        let mut state = self.state.lock();
        self.look(&mut state)?;
        if !matches!(state.presence, Presence::Present { .. }) {
            let file = self.disk.open(&state.path, OpenMode::Create)?;
            state.presence = Presence::Present { file, entries: 0, last_offset: None };
        }
        let Presence::Present { file, entries, last_offset } = &mut state.presence else {
            unreachable!("the file was made above")
        };
        if let Some(last) = *last_offset
            && last >= aborted.last_offset
        {
            return Err(TxnIndexAppendError::NotRising { offset: aborted.last_offset, last });
        }
        file.write_all_at(&aborted.encode(), *entries * ENTRY_BYTES as u64)?;
        *entries += 1;
        *last_offset = Some(aborted.last_offset);
        Ok(())
    }

    /// The aborted transactions that overlap with `fetch_offset` (inclusive) to `upper_bound` (exclusive).
    ///
    /// # Errors
    /// What the disk says; an entry that is not known is [`io::ErrorKind::InvalidData`].
    pub fn collect_aborted(
        &self,
        fetch_offset: Offset,
        upper_bound: Offset,
    ) -> io::Result<TxnIndexSearch> {
        let mut search = TxnIndexSearch { aborted: Vec::new(), complete: false };
        self.visit(|_, entry| {
            if entry.last_offset >= fetch_offset && entry.first_offset < upper_bound {
                search.aborted.push(entry);
            }
            search.complete = entry.last_stable_offset >= upper_bound;
            search.complete
        })?;
        Ok(search)
    }

    /// All entries, in order.
    ///
    /// # Errors
    /// As [`Self::collect_aborted`].
    pub fn all(&self) -> io::Result<Vec<AbortedTxn>> {
        let mut all = Vec::new();
        self.visit(|_, entry| {
            all.push(entry);
            false
        })?;
        Ok(all)
    }

    /// Drops the entries whose marker lies at or above `offset`.
    ///
    /// # Errors
    /// What the disk says.
    pub fn truncate_to(&self, offset: Offset) -> io::Result<()> {
        let (mut kept, mut kept_last) = (0, None);
        self.visit(|index, entry| {
            if entry.last_offset < offset {
                (kept, kept_last) = (index + 1, Some(entry.last_offset));
            }
            entry.last_offset >= offset
        })?;
        self.keep(kept, kept_last)
    }

    /// Drops all entries.
    ///
    /// # Errors
    /// What the disk says.
    pub fn reset(&self) -> io::Result<()> {
        self.keep(0, None)
    }

    /// Syncs the file, if there is one. Blocks on the disk.
    ///
    /// # Errors
    /// What the disk says.
    pub fn flush(&self) -> io::Result<()> {
        match self.file()? {
            Some(file) => file.sync_blocking(),
            None => Ok(()),
        }
    }

    /// The file, if there is one.
    ///
    /// # Errors
    /// What the disk says.
    pub fn file(&self) -> io::Result<Option<File>> {
        let mut state = self.state.lock();
        self.look(&mut state)?;
        match &state.presence {
            Presence::Present { file, .. } => Ok(Some(file.clone())),
            _ => Ok(None),
        }
    }

    /// Kafka's check at load: every entry is known and ends at or above the base, and none is cut.
    ///
    /// # Errors
    /// Damage, or what the disk says.
    pub fn sanity_check(&self) -> Result<(), IndexCheckError> {
        let Some(file) = self.file()? else { return Ok(()) };
        let (bytes, entry_bytes) = (file.len()?, ENTRY_BYTES as u64);
        if !bytes.is_multiple_of(entry_bytes) {
            return Err(IndexDamage::Length { bytes, entry_bytes }.into());
        }
        let base_offset = self.base_offset;
        let mut damage = None;
        let visited = self.visit(|_, entry| {
            if entry.last_offset < base_offset {
                damage = Some(IndexDamage::BelowBase { offset: entry.last_offset, base_offset });
            }
            damage.is_some()
        });
        match visited {
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                Err(IndexDamage::Entry { index: 0 }.into())
            }
            Err(error) => Err(error.into()),
            Ok(()) => damage.map_or(Ok(()), |damage| Err(damage.into())),
        }
    }

    /// Tells that the file, or its directory, was renamed.
    pub fn renamed(&self, path: PathBuf) {
        let mut state = self.state.lock();
        if let Presence::Present { file, .. } = &state.presence {
            file.moved_to(path.clone());
        }
        state.path = path;
    }

    /// Drops what is in memory.
    pub fn drop_memory(&self) {
        let mut state = self.state.lock();
        if matches!(state.presence, Presence::Present { .. }) {
            state.presence = Presence::Unknown;
        }
    }

    fn look(&self, state: &mut State) -> io::Result<()> {
        if !matches!(state.presence, Presence::Unknown) {
            return Ok(());
        }
        let file = match self.disk.open(&state.path, OpenMode::ReadWrite) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                state.presence = Presence::Absent;
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let entries = file.len()? / ENTRY_BYTES as u64;
        let mut last_offset = None;
        if let Some(index) = entries.checked_sub(1) {
            let mut bytes = [0; ENTRY_BYTES];
            file.read_exact_at(&mut bytes, index * ENTRY_BYTES as u64)?;
            last_offset = AbortedTxn::decode(&bytes).map(|entry| entry.last_offset);
        }
        state.presence = Presence::Present { file, entries, last_offset };
        Ok(())
    }

    /// Calls `visit` for each entry until it answers true. No lock is held while reading.
    fn visit(&self, mut visit: impl FnMut(u64, AbortedTxn) -> bool) -> io::Result<()> {
        let (file, entries) = {
            let mut state = self.state.lock();
            self.look(&mut state)?;
            match &state.presence {
                Presence::Present { file, entries, .. } => (file.clone(), *entries),
                _ => return Ok(()),
            }
        };
        let mut buffer = [0; READ_ENTRIES * ENTRY_BYTES];
        let mut index = 0;
        while index < entries {
            let count = (entries - index).min(READ_ENTRIES as u64);
            let bytes = &mut buffer[..count as usize * ENTRY_BYTES];
            file.read_exact_at(bytes, index * ENTRY_BYTES as u64)?;
            for entry in parse(bytes) {
                let entry = entry.map_err(|damage| {
                    io::Error::new(io::ErrorKind::InvalidData, damage.to_string())
                })?;
                if visit(index, entry) {
                    return Ok(());
                }
                index += 1;
            }
        }
        Ok(())
    }

    fn keep(&self, count: u64, last: Option<Offset>) -> io::Result<()> {
        let mut state = self.state.lock();
        self.look(&mut state)?;
        if let Presence::Present { file, entries, last_offset } = &mut state.presence
            && *entries != count
        {
            file.set_len(count * ENTRY_BYTES as u64)?;
            (*entries, *last_offset) = (count, last);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
