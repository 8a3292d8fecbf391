//! Which leader epoch began at which offset, and the `leader-epoch-checkpoint` file that keeps it.

use std::io;
use std::path::{Path, PathBuf};

use klamm_env::Disk;
use klamm_record::{LeaderEpoch, Offset};

use crate::checkpoint_file::{self, CheckpointError, CheckpointReadError};

/// File name within a replica directory.
pub const LEADER_EPOCH_CHECKPOINT: &str = "leader-epoch-checkpoint";

/// A leader epoch and the offset of its first record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct EpochEntry {
    /// The epoch.
    pub epoch: LeaderEpoch,
    /// The first offset written under it, inclusive.
    pub start_offset: Offset,
}

/// The epochs of one replica, epochs and offsets both strictly rising (Kafka's `LeaderEpochFileCache`).
///
/// Pure memory: methods that change it say so, and the owner then writes [`LeaderEpochCheckpointFile`]. A new epoch must
/// be on disk before records of it are; what a truncation removed may be written later, because loading truncates again.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LeaderEpochCache {
    entries: Vec<EpochEntry>,
}

/// Whether a call changed the cache, and so whether the checkpoint is to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Changed {
    /// The checkpoint on disk is now old.
    Yes,
    /// Nothing changed.
    No,
}

impl LeaderEpochCache {
    /// Takes the entries of a checkpoint; entries that do not rise push out those before them, as in Kafka.
    pub fn from_entries(entries: impl IntoIterator<Item = EpochEntry>) -> Self {
        let mut cache = Self::default();
        for entry in entries {
            let _ = cache.assign(entry.epoch, entry.start_offset);
        }
        cache.entries.shrink_to_fit();
        cache
    }

    /// Notes that `epoch` begins at `start_offset`. An epoch that is already the latest keeps its start unless the new one is
    /// lower; entries at or above the new epoch or offset are dropped. Negative values are ignored.
    pub fn assign(&mut self, epoch: LeaderEpoch, start_offset: Offset) -> Changed {
        if epoch.0 < 0 || start_offset.0 < 0 {
            return Changed::No;
        }
        if let Some(latest) = self.entries.last()
            && latest.epoch == epoch
            && start_offset >= latest.start_offset
        {
            return Changed::No;
        }
        while self
            .entries
            .last()
            .is_some_and(|last| last.epoch >= epoch || last.start_offset >= start_offset)
        {
            self.entries.pop();
        }
        self.entries.push(EpochEntry { epoch, start_offset });
        Changed::Yes
    }

    /// The end of `epoch` in this replica: the largest known epoch not above it, and where the next higher epoch begins, or
    /// `log_end_offset` for the latest. Nothing if the epoch is negative or above all known ones; an epoch below the first
    /// known one answers itself and that one's start (KIP-101, KIP-279).
    pub fn end_offset_for(
        &self,
        epoch: LeaderEpoch,
        log_end_offset: Offset,
    ) -> Option<(LeaderEpoch, Offset)> {
        if epoch.0 < 0 {
            return None;
        }
        if self.latest().is_some_and(|latest| latest.epoch == epoch) {
            return Some((epoch, log_end_offset));
        }
        let higher = self.entries.partition_point(|entry| entry.epoch <= epoch);
        let end = self.entries.get(higher)?.start_offset;
        let floor = higher.checked_sub(1).and_then(|index| self.entries.get(index));
        Some((floor.map_or(epoch, |entry| entry.epoch), end))
    }

    /// The epoch that a record at `offset` was written under, if an epoch is known that begins at or below it.
    pub fn epoch_for_offset(&self, offset: Offset) -> Option<LeaderEpoch> {
        let next = self.entries.partition_point(|entry| entry.start_offset <= offset);
        next.checked_sub(1).and_then(|index| self.entries.get(index)).map(|entry| entry.epoch)
    }

    /// Drops the epochs that begin at or above `end_offset`.
    pub fn truncate_from_end(&mut self, end_offset: Offset) -> Changed {
        let before = self.entries.len();
        if end_offset.0 >= 0 {
            self.entries.retain(|entry| entry.start_offset < end_offset);
        }
        if self.entries.len() == before { Changed::No } else { Changed::Yes }
    }

    /// Drops the epochs that end at or below `start_offset`; the one that spans it now begins there.
    pub fn truncate_from_start(&mut self, start_offset: Offset) -> Changed {
        let kept = self.entries.partition_point(|entry| entry.start_offset <= start_offset);
        let Some(spanning) = kept.checked_sub(1) else { return Changed::No };
        let Some(entry) = self.entries.get_mut(spanning) else { return Changed::No };
        if spanning == 0 && entry.start_offset == start_offset {
            return Changed::No;
        }
        entry.start_offset = start_offset;
        self.entries.drain(..spanning);
        Changed::Yes
    }

    /// Forgets everything.
    pub fn clear(&mut self) -> Changed {
        if self.entries.is_empty() {
            return Changed::No;
        }
        self.entries.clear();
        Changed::Yes
    }

    /// The latest epoch.
    pub fn latest(&self) -> Option<EpochEntry> {
        self.entries.last().copied()
    }

    /// The earliest epoch.
    pub fn earliest(&self) -> Option<EpochEntry> {
        self.entries.first().copied()
    }

    /// The largest known epoch below `epoch`.
    pub fn previous(&self, epoch: LeaderEpoch) -> Option<EpochEntry> {
        let below = self.entries.partition_point(|entry| entry.epoch < epoch);
        below.checked_sub(1).and_then(|index| self.entries.get(index)).copied()
    }

    /// All epochs, rising.
    pub fn entries(&self) -> &[EpochEntry] {
        &self.entries
    }
}

/// Reads the bytes of a `leader-epoch-checkpoint`: `epoch startOffset` a line.
///
/// # Errors
/// Damaged content.
pub fn parse(bytes: &[u8]) -> Result<Vec<EpochEntry>, CheckpointError> {
    checkpoint_file::parse(bytes, |line| {
        let mut words = line.split_whitespace();
        let epoch = LeaderEpoch(words.next()?.parse().ok()?);
        let start_offset = Offset(words.next()?.parse().ok()?);
        words.next().is_none().then_some(EpochEntry { epoch, start_offset })
    })
}

/// Writes the text of a `leader-epoch-checkpoint`.
pub fn render(entries: &[EpochEntry]) -> String {
    checkpoint_file::render(
        entries.iter().map(|entry| format!("{} {}", entry.epoch, entry.start_offset)),
    )
}

/// The `leader-epoch-checkpoint` of one replica directory.
#[derive(Debug, Clone, Copy)]
pub struct LeaderEpochCheckpointFile;

impl LeaderEpochCheckpointFile {
    /// Where the file lies.
    pub fn path(replica_dir: &Path) -> PathBuf {
        replica_dir.join(LEADER_EPOCH_CHECKPOINT)
    }

    /// Reads the cache; a missing file is an empty one.
    ///
    /// # Errors
    /// [`CheckpointReadError::Damaged`] is for the caller to report and to rebuild from the batches' own epochs.
    pub fn read(disk: &Disk, replica_dir: &Path) -> Result<LeaderEpochCache, CheckpointReadError> {
        let path = Self::path(replica_dir);
        let bytes = checkpoint_file::read_or_empty(disk, &path)?;
        let entries =
            parse(&bytes).map_err(|source| CheckpointReadError::Damaged { path, source })?;
        Ok(LeaderEpochCache::from_entries(entries))
    }

    /// Replaces the file atomically and synced. Blocks on the disk.
    ///
    /// # Errors
    /// What the disk says.
    pub fn write(disk: &Disk, replica_dir: &Path, cache: &LeaderEpochCache) -> io::Result<()> {
        disk.write_atomic(&Self::path(replica_dir), render(cache.entries()).as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache(entries: &[(i32, i64)]) -> LeaderEpochCache {
        LeaderEpochCache::from_entries(entries.iter().map(|&(epoch, start)| EpochEntry {
            epoch: LeaderEpoch(epoch),
            start_offset: Offset(start),
        }))
    }

    fn pairs(cache: &LeaderEpochCache) -> Vec<(i32, i64)> {
        cache.entries().iter().map(|entry| (entry.epoch.0, entry.start_offset.0)).collect()
    }

    #[test]
    fn assign_keeps_both_columns_rising() {
        let mut epochs = cache(&[(2, 6), (3, 8)]);
        assert_eq!(epochs.assign(LeaderEpoch(3), Offset(9)), Changed::No);
        assert_eq!(epochs.assign(LeaderEpoch(4), Offset(8)), Changed::Yes);
        assert_eq!(pairs(&epochs), [(2, 6), (4, 8)]);
        assert_eq!(epochs.assign(LeaderEpoch(1), Offset(7)), Changed::Yes);
        assert_eq!(pairs(&epochs), [(1, 7)]);
        assert_eq!(epochs.assign(LeaderEpoch(1), Offset(5)), Changed::Yes);
        assert_eq!(epochs.assign(LeaderEpoch(-1), Offset(5)), Changed::No);
        assert_eq!(pairs(&epochs), [(1, 5)]);
    }

    #[test]
    fn end_offsets_follow_kip_101() {
        let epochs = cache(&[(2, 100), (4, 200), (5, 300)]);
        let end =
            |epoch| epochs.end_offset_for(LeaderEpoch(epoch), Offset(350)).map(|(e, o)| (e.0, o.0));
        assert_eq!(end(5), Some((5, 350)));
        assert_eq!(end(4), Some((4, 300)));
        assert_eq!(end(3), Some((2, 200)));
        assert_eq!(end(1), Some((1, 100)), "below the first known epoch");
        assert_eq!(end(6), None, "above the latest");
        assert_eq!(end(-1), None);
        assert_eq!(cache(&[]).end_offset_for(LeaderEpoch(0), Offset(0)), None);
    }

    #[test]
    fn truncates_at_both_ends() {
        let mut epochs = cache(&[(2, 6), (3, 8), (4, 11)]);
        assert_eq!(epochs.truncate_from_end(Offset(12)), Changed::No);
        assert_eq!(epochs.truncate_from_end(Offset(11)), Changed::Yes);
        assert_eq!(epochs.truncate_from_start(Offset(6)), Changed::No);
        assert_eq!(epochs.truncate_from_start(Offset(5)), Changed::No);
        assert_eq!(epochs.truncate_from_start(Offset(9)), Changed::Yes);
        assert_eq!(pairs(&epochs), [(3, 9)]);
        assert_eq!(epochs.clear(), Changed::Yes);
    }

    #[test]
    fn finds_the_epoch_of_an_offset() {
        let epochs = cache(&[(2, 6), (3, 8)]);
        let at = |offset| epochs.epoch_for_offset(Offset(offset)).map(|epoch| epoch.0);
        assert_eq!(
            (at(5), at(6), at(7), at(8), at(99)),
            (None, Some(2), Some(2), Some(3), Some(3))
        );
        assert_eq!(epochs.previous(LeaderEpoch(3)).map(|entry| entry.epoch.0), Some(2));
        assert_eq!(epochs.previous(LeaderEpoch(2)), None);
    }

    #[test]
    fn text_round_trips_and_damage_is_named() {
        let epochs = cache(&[(0, 0), (7, 123)]);
        let text = render(epochs.entries());
        assert_eq!(text, "0\n2\n0 0\n7 123\n");
        assert_eq!(parse(text.as_bytes()), Ok(epochs.entries().to_vec()));
        assert!(parse(b"0\n1\n0\n").is_err());
        assert!(parse(b"0\n1\n0 0 0\n").is_err());
    }
}
