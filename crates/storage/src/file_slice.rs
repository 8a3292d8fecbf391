//! A stretch of a log file that a fetch answers with, without reading it.

use klamm_env::File;

/// `length` bytes of `file` from `position` on. May end in the middle of a batch (readers discard it, as in Kafka); never
/// reaches past the bound of the read that made it.
#[derive(Clone)]
pub struct FileSlice {
    /// The segment's `.log`; stays readable while it waits for deletion under another name.
    pub file: File,
    /// First byte, counted from the start of the file.
    pub position: u64,
    /// In bytes; 0 if there is nothing to read.
    pub length: u64,
}

impl FileSlice {
    /// True if there is nothing to read.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }
}

impl std::fmt::Debug for FileSlice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { file, position, length } = self;
        write!(f, "{}[{position}+{length}]", file.path().display())
    }
}
