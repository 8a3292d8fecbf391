//! Files that a stop left half way: deletions, compactions, segment swaps.

use std::collections::BTreeSet;
use std::io;

use klamm_record::Offset;

use super::Loader;
use crate::log_appender::remove_if_there;
use crate::log_file_names::{LogFileKind, LogFileName, LogFileState};
use crate::log_segment::LogSegment;

impl Loader {
    /// Removes `.deleted` and `.cleaned` files; finishes swaps whose output is complete and drops those of an interrupted split
    /// (`LogLoader.removeTempFilesAndCollectSwapFiles` and the passes after it).
    pub(super) fn finish_swaps(&mut self) -> io::Result<()> {
        let names = self.file_names()?;
        let state = |wanted| names.iter().filter(move |name| name.state == wanted);
        let min_cleaned = state(LogFileState::Cleaned).map(|name| name.base_offset).min();
        for name in state(LogFileState::Deleted).chain(state(LogFileState::Cleaned)) {
            tracing::debug!(file = %name, "removing a leftover file");
            self.remove(name)?;
        }
        let mut swaps = BTreeSet::new();
        for name in state(LogFileState::Swap) {
            if min_cleaned.is_some_and(|min| name.base_offset >= min) {
                tracing::warn!(file = %name, "removing the output of an interrupted split");
                self.remove(name)?;
            } else {
                swaps.insert(*name);
            }
        }
        let logs = swaps.iter().filter(|name| name.kind == LogFileKind::Log);
        let mut replaced: Option<(Offset, Offset)> = None;
        for name in logs {
            let next = self.next_offset_of_swap(name)?;
            let (low, high) = replaced.unwrap_or((name.base_offset, next));
            replaced = Some((low.min(name.base_offset), high.max(next)));
        }
        if let Some((low, high)) = replaced {
            let live = names.iter().filter(|name| name.state == LogFileState::Live);
            for name in live.filter(|name| (low..high).contains(&name.base_offset)) {
                tracing::info!(file = %name, "removing a file that a finished compaction replaces");
                self.remove(name)?;
            }
        }
        for name in &swaps {
            let to = LogFileName { state: LogFileState::Live, ..*name };
            self.disk().rename(&self.path(name), &self.path(&to))?;
        }
        Ok(())
    }

    /// The segment and snapshot files of the directory, in any state.
    pub(super) fn file_names(&self) -> io::Result<Vec<LogFileName>> {
        let entries = self.disk().list(&self.args.dir)?;
        let files = entries.iter().filter(|entry| !entry.is_dir);
        Ok(files.filter_map(|entry| LogFileName::parse(&entry.name)).collect())
    }

    pub(super) fn path(&self, name: &LogFileName) -> std::path::PathBuf {
        self.args.dir.join(name.to_string())
    }

    pub(super) fn remove(&self, name: &LogFileName) -> io::Result<()> {
        remove_if_there(self.disk(), &self.path(name))
    }

    fn next_offset_of_swap(&self, name: &LogFileName) -> io::Result<Offset> {
        LogSegment::scan_next_offset(self.disk(), &self.path(name), name.base_offset)
    }
}
