//! Closing: everything to the disk, so that the next start need not scan.

use std::io;

use super::LogAppender;

impl LogAppender {
    /// Writes and syncs log, indexes and producer snapshot, and moves the recovery point to the log end. The log counts as
    /// closed then; nothing may be appended any more. Costs nothing if nothing was written since it was opened. Blocks on the
    /// disk.
    ///
    /// # Errors
    /// If the disk fails, or the log failed before: its directory must not be marked as cleanly stopped.
    pub fn close(&mut self) -> io::Result<()> {
        let log = &self.log;
        if let Some(reason) = log.offline_reason() {
            return Err(io::Error::other(reason));
        }
        let segments = log.segments.load_full();
        if self.dirty {
            let end = log.log_end_offset();
            let active = segments.active();
            active.on_become_inactive()?;
            let mut plan = log.flush_plan(end)?;
            plan.files.push(active.file().clone());
            plan.files.extend(active.index_files()?);
            plan.dirs.push(log.dir());
            plan.files.extend(self.snapshot_producers_at(end)?);
            log.sync_blocking(&plan)?;
            self.dirty = false;
        }
        log.drop_caches();
        log.mark_closed();
        Ok(())
    }
}
