//! Leader epochs: the cache in memory and the checkpoint that keeps it.

use std::io;
use std::sync::atomic::Ordering;

use klamm_record::{LeaderEpoch, Offset};

use super::UnifiedLog;
use crate::leader_epoch_cache::{Changed, LeaderEpochCache, LeaderEpochCheckpointFile};

impl UnifiedLog {
    /// The latest leader epoch that is known here.
    pub fn latest_epoch(&self) -> Option<LeaderEpoch> {
        self.epochs.read().latest().map(|entry| entry.epoch)
    }

    /// End offset of the largest epoch not above `epoch`, and that epoch; none if nothing is known about it (KIP-101, KIP-279).
    pub fn offset_for_leader_epoch(&self, epoch: LeaderEpoch) -> Option<(LeaderEpoch, Offset)> {
        self.epochs.read().end_offset_for(epoch, self.log_end_offset())
    }

    /// The epoch under which the record at `offset` was written.
    pub fn epoch_for_offset(&self, offset: Offset) -> Option<LeaderEpoch> {
        self.epochs.read().epoch_for_offset(offset)
    }

    /// Where `epoch` begins in this log, if it is known.
    pub fn epoch_start_offset(&self, epoch: LeaderEpoch) -> Option<Offset> {
        let epochs = self.epochs.read();
        epochs.entries().iter().find(|entry| entry.epoch == epoch).map(|entry| entry.start_offset)
    }

    /// Notes that `epoch` begins at `start_offset`, and puts that on the disk. Looks at memory only if it is known already.
    pub(crate) fn assign_epoch(&self, epoch: LeaderEpoch, start_offset: Offset) -> io::Result<()> {
        let known = self.latest_epoch().is_some_and(|latest| latest == epoch);
        if (known || epoch < LeaderEpoch(0)) && !self.epochs_unsaved.load(Ordering::Acquire) {
            return Ok(());
        }
        self.change_epochs(|epochs| epochs.assign(epoch, start_offset))
    }

    /// Changes the epochs and writes the checkpoint if that changed anything, or if the last write failed.
    pub(crate) fn change_epochs(
        &self,
        change: impl FnOnce(&mut LeaderEpochCache) -> Changed,
    ) -> io::Result<()> {
        let changed = change(&mut self.epochs.write());
        if changed == Changed::Yes {
            self.epochs_unsaved.store(true, Ordering::Release);
        }
        if self.epochs_unsaved.load(Ordering::Acquire) {
            let epochs = self.epochs.read().clone();
            LeaderEpochCheckpointFile::write(self.disk(), &self.dir(), &epochs)?;
            self.epochs_unsaved.store(false, Ordering::Release);
        }
        Ok(())
    }
}
