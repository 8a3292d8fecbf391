//! The name of a snapshot: the end offset it covers and the epoch of the last record in it.

use klamm_record::{LeaderEpoch, Offset};

/// Suffix of a finished snapshot.
pub const CHECKPOINT_SUFFIX: &str = ".checkpoint";
/// Suffix of a snapshot that is being written.
pub const PART_SUFFIX: &str = ".checkpoint.part";
/// Suffix of a snapshot that waits to be removed.
pub const DELETED_SUFFIX: &str = ".checkpoint.deleted";

const OFFSET_WIDTH: usize = 20;
const EPOCH_WIDTH: usize = 10;

/// Offset (exclusive) and epoch of a snapshot (Kafka's `OffsetAndEpoch`). Ordered by epoch, then offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct OffsetAndEpoch {
    /// The first offset that the snapshot does not cover.
    pub offset: Offset,
    /// Leader epoch of the last record that it covers.
    pub epoch: LeaderEpoch,
}

/// What a file name in the metadata directory says about a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SnapshotFile {
    /// Complete: it was synced before it got this name.
    Frozen(OffsetAndEpoch),
    /// Left behind by a writer that did not finish.
    Partial,
    /// Marked for removal.
    Deleted,
}

impl PartialOrd for OffsetAndEpoch {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for OffsetAndEpoch {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.epoch, self.offset).cmp(&(other.epoch, other.offset))
    }
}

impl OffsetAndEpoch {
    /// Id of the snapshot that the format step writes (Kafka's `Snapshots.BOOTSTRAP_SNAPSHOT_ID`).
    pub const BOOTSTRAP: Self = Self { offset: Offset(0), epoch: LeaderEpoch(0) };

    /// File name of the snapshot with `suffix` (Kafka's `Snapshots.filenameFromSnapshotId`).
    pub fn file_name(&self, suffix: &str) -> String {
        format!("{:020}-{:010}{suffix}", self.offset.0, self.epoch.0)
    }
}

impl SnapshotFile {
    /// Reads a file name; `None` if it is not a snapshot's.
    pub fn parse(name: &str) -> Option<Self> {
        // Kafka puts random digits between the id and `.part`: only the end counts.
        if name.ends_with(".part") && name.contains("-") {
            return parse_id(name).map(|_| Self::Partial);
        }
        if name.ends_with(DELETED_SUFFIX) {
            return parse_id(name).map(|_| Self::Deleted);
        }
        let stem = name.strip_suffix(CHECKPOINT_SUFFIX)?;
        if stem.len() != OFFSET_WIDTH + 1 + EPOCH_WIDTH {
            return None;
        }
        parse_id(stem).map(Self::Frozen)
    }
}

fn parse_id(name: &str) -> Option<OffsetAndEpoch> {
    let offset = name.get(..OFFSET_WIDTH)?;
    let dash = name.get(OFFSET_WIDTH..=OFFSET_WIDTH)?;
    let epoch = name.get(OFFSET_WIDTH + 1..OFFSET_WIDTH + 1 + EPOCH_WIDTH)?;
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if dash != "-" || !digits(offset) || !digits(epoch) {
        return None;
    }
    Some(OffsetAndEpoch {
        offset: Offset(offset.parse().ok()?),
        epoch: LeaderEpoch(epoch.parse().ok()?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        let id = OffsetAndEpoch { offset: Offset(1234), epoch: LeaderEpoch(7) };
        let name = id.file_name(CHECKPOINT_SUFFIX);
        assert_eq!(name, "00000000000000001234-0000000007.checkpoint");
        assert_eq!(SnapshotFile::parse(&name), Some(SnapshotFile::Frozen(id)));
        assert_eq!(SnapshotFile::parse(&id.file_name(PART_SUFFIX)), Some(SnapshotFile::Partial));
        assert_eq!(
            SnapshotFile::parse("00000000000000001234-0000000007-82817.checkpoint.part"),
            Some(SnapshotFile::Partial)
        );
        assert_eq!(SnapshotFile::parse(&id.file_name(DELETED_SUFFIX)), Some(SnapshotFile::Deleted));
    }

    #[test]
    fn other_names_are_not_snapshots() {
        for name in
            ["00000000000000001234.log", "bootstrap.checkpoint", "x.part", "quorum-state", ""]
        {
            assert_eq!(SnapshotFile::parse(name), None, "{name}");
        }
    }

    #[test]
    fn a_higher_epoch_is_later() {
        let old = OffsetAndEpoch { offset: Offset(90), epoch: LeaderEpoch(1) };
        let new = OffsetAndEpoch { offset: Offset(50), epoch: LeaderEpoch(2) };
        assert!(old < new);
    }
}
