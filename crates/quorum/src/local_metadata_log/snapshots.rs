//! Which snapshots there are.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use klamm_env::Disk;
use klamm_record::Offset;

use crate::offset_and_epoch::{CHECKPOINT_SUFFIX, OffsetAndEpoch, SnapshotFile};

/// The complete snapshots in the metadata directory.
#[derive(Debug, Clone)]
pub(super) struct Snapshots {
    ids: BTreeSet<OffsetAndEpoch>,
}

impl Snapshots {
    /// Lists the snapshots in `dir` and removes what is left of unfinished, deleted and superfluous ones
    /// (`KafkaRaftLog.recoverSnapshots`).
    pub fn recover(disk: &Disk, dir: &Path, log_start: Offset) -> io::Result<Self> {
        let mut ids = BTreeSet::new();
        for entry in disk.list(dir)? {
            match SnapshotFile::parse(&entry.name) {
                None => {}
                Some(SnapshotFile::Frozen(id)) if id.offset >= log_start => {
                    ids.insert(id);
                }
                Some(_) => {
                    tracing::info!(file = entry.name, "removing an unneeded snapshot");
                    disk.remove_file(&dir.join(&entry.name))?;
                }
            }
        }
        Ok(Self { ids })
    }

    /// A snapshot was written.
    pub fn add(&mut self, id: OffsetAndEpoch) {
        self.ids.insert(id);
    }

    /// A snapshot is gone, or not to be used.
    pub fn remove(&mut self, id: OffsetAndEpoch) {
        self.ids.remove(&id);
    }

    /// All, the oldest first.
    pub fn ids(&self) -> impl DoubleEndedIterator<Item = OffsetAndEpoch> + '_ {
        self.ids.iter().copied()
    }

    /// The newest.
    pub fn latest(&self) -> Option<OffsetAndEpoch> {
        self.ids.last().copied()
    }
}

/// Where snapshot `id` lies.
pub(super) fn path_of(dir: &Path, id: OffsetAndEpoch) -> PathBuf {
    dir.join(id.file_name(CHECKPOINT_SUFFIX))
}
