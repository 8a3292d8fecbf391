//! Bringing a log to the disk: what is to be synced, and the recovery point that follows.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::Ordering;

use klamm_env::{Disk, File};
use klamm_record::Offset;

use super::UnifiedLog;

/// Everything that must be synced before the recovery point may move to `up_to`. Made before the syncs begin, so that what is
/// written meanwhile is not claimed.
#[derive(Debug, Clone)]
#[must_use = "a plan does nothing until its files are synced and `mark_flushed` is called"]
pub struct FlushPlan {
    /// Files to sync, in order.
    pub files: Vec<File>,
    /// Directories to sync after them: files in it are new since the recovery point.
    pub dirs: Vec<PathBuf>,
    /// Recovery point once that is done (exclusive).
    pub up_to: Offset,
    /// Base offset of the segment that was active when the plan was made: its indexes are not in it.
    active_base: Offset,
    /// How often the log had been truncated: what is written after another truncation is not covered.
    truncations: u64,
}

impl FlushPlan {
    /// True if there is nothing to sync.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty() && self.dirs.is_empty()
    }

    /// Syncs one after the other on this thread; for `offload`.
    ///
    /// # Errors
    /// What the disk says. The recovery point must not move then, and the log dir counts as failed.
    pub fn sync_blocking(&self, disk: &Disk) -> io::Result<()> {
        for file in &self.files {
            match file.sync_blocking() {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                other => other?,
            }
        }
        for dir in &self.dirs {
            match disk.sync_dir(dir) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                other => other?,
            }
        }
        Ok(())
    }
}

impl UnifiedLog {
    /// What to sync so that all below `up_to` survives a power cut: from the recovery point on, every segment with such
    /// offsets; of closed segments also the indexes. The active segment's indexes are rebuilt after an unclean stop.
    pub fn flush_plan(&self, up_to: Offset) -> io::Result<FlushPlan> {
        let up_to = up_to.min(self.log_end_offset());
        let from = self.recovery_point();
        let segments = self.segments.load();
        let active_base = segments.active().base_offset();
        let mut plan = FlushPlan {
            files: Vec::new(),
            dirs: Vec::new(),
            up_to,
            active_base,
            truncations: self.truncations.load(Ordering::Acquire),
        };
        if up_to <= from {
            return Ok(plan);
        }
        for segment in segments.range(from, up_to) {
            plan.files.push(segment.file().clone());
            if segment.base_offset() != active_base {
                plan.files.extend(segment.index_files()?);
            }
        }
        if segments.range(from, up_to).iter().any(|segment| segment.base_offset() >= from) {
            plan.dirs.push(self.dir());
        }
        Ok(plan)
    }

    /// Carries out a plan on this thread and moves the recovery point; for `offload`. Counts the time it took. A failed sync
    /// takes the log dir offline: nothing is known then about what was written since the last one.
    ///
    /// # Errors
    /// What the disk says.
    pub fn sync_blocking(&self, plan: &FlushPlan) -> io::Result<()> {
        let began = self.env.clock().now();
        let synced = plan.sync_blocking(self.disk());
        if let Some(flush_seconds) = self.flush_seconds.as_ref().filter(|_| !plan.is_empty()) {
            let took = self.env.clock().now() - began;
            flush_seconds.observe(took.as_secs_f64());
        }
        if let Err(error) = &synced {
            self.dir_state().fail(&format!("sync of {} failed: {error}", self.topic_partition()));
        }
        synced?;
        self.mark_flushed(plan);
        Ok(())
    }

    /// Notes that a plan was carried out: the recovery point moves to its end, never back. If a segment was rolled since the
    /// plan was made, it stays within the one that was active then, whose indexes were not synced: recovery begins with the
    /// segment that the recovery point lies in.
    /// If the log was truncated since, the plan says nothing any more.
    pub fn mark_flushed(&self, plan: &FlushPlan) {
        if plan.truncations != self.truncations.load(Ordering::Acquire) {
            return;
        }
        let segments = self.segments.load();
        let rolled = segments.iter().find(|segment| segment.base_offset() > plan.active_base);
        let limit = rolled.map_or(self.log_end_offset(), |segment| segment.base_offset() - 1);
        self.recovery_point.fetch_max(plan.up_to.min(limit).0, Ordering::AcqRel);
        let active = segments.active().base_offset();
        let closed = segments.iter().rev().filter(|segment| segment.base_offset() < active);
        for segment in closed.take(2) {
            segment.drop_caches();
        }
    }

    /// The log was cut: nothing above its end can be flushed.
    pub(crate) fn lower_recovery_point(&self, end: Offset) {
        self.truncations.fetch_add(1, Ordering::AcqRel);
        self.recovery_point.fetch_min(end.0, Ordering::AcqRel);
    }

    /// Bytes that a power cut could take, at most.
    pub fn unflushed_bytes(&self) -> u64 {
        let (from, end) = (self.recovery_point(), self.log_end_offset());
        self.segments.load().range(from, end).iter().map(|segment| segment.size_bytes()).sum()
    }
}
