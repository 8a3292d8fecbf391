//! Kafka's checkpoint text: version, entry count, one entry a line; replaced atomically.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use klamm_env::Disk;
use klamm_record::{Offset, TopicPartition};

/// The only version there is (`OffsetCheckpointFile`, `LeaderEpochCheckpointFile`).
const VERSION: i32 = 0;
/// A checkpoint of a million partitions with the longest names stays below this.
const FILE_BYTES_MAX: usize = 512 << 20;

/// File name of the offsets up to which each partition is known to be flushed.
pub const RECOVERY_POINT_CHECKPOINT: &str = "recovery-point-offset-checkpoint";
/// File name of the log start offsets that lie above the first segment's base offset.
pub const LOG_START_OFFSET_CHECKPOINT: &str = "log-start-offset-checkpoint";
/// File name of the high watermarks.
pub const REPLICATION_OFFSET_CHECKPOINT: &str = "replication-offset-checkpoint";
/// File name of the first dirty offsets of compacted partitions.
pub const CLEANER_OFFSET_CHECKPOINT: &str = "cleaner-offset-checkpoint";

/// What is wrong with a checkpoint's text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// Written by a version that is not known here.
    #[error("unrecognised version {found}, expected {VERSION}")]
    Version {
        /// The version on the first line.
        found: i32,
    },
    /// A line that is no entry, or no number where one belongs.
    #[error("malformed line {number}: {text:?}")]
    Line {
        /// Line number, from 1.
        number: usize,
        /// The line, cut after 200 characters.
        text: String,
    },
    /// More or fewer entries than the second line says.
    #[error("expected {expected} entries, found {found}")]
    Count {
        /// What the second line says.
        expected: usize,
        /// How many lines followed.
        found: usize,
    },
    /// Not text at all.
    #[error("the file is not UTF-8 text")]
    NotText,
}

/// Why a checkpoint file could not be read.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointReadError {
    /// The disk failed; the log dir is in doubt.
    #[error("reading checkpoint file {path}: {source}", path = .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the disk said.
        source: io::Error,
    },
    /// The content is damaged; Kafka goes on as if the file were empty.
    #[error("checkpoint file {path} is damaged: {source}", path = .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: CheckpointError,
    },
}

/// Reads a checkpoint's bytes; `entry` reads one line. An empty file, or one with no count, holds no entries.
///
/// # Errors
/// Damaged content, as Kafka's `CheckpointFile` sees it.
pub fn parse<T>(
    bytes: &[u8],
    entry: impl Fn(&str) -> Option<T>,
) -> Result<Vec<T>, CheckpointError> {
    let text = std::str::from_utf8(bytes).map_err(|_| CheckpointError::NotText)?;
    let mut lines = text.lines().enumerate();
    let malformed = |number: usize, line: &str| CheckpointError::Line {
        number: number + 1,
        text: line.chars().take(200).collect(),
    };
    let Some((number, line)) = lines.next() else { return Ok(Vec::new()) };
    let found = line.parse::<i32>().map_err(|_| malformed(number, line))?;
    if found != VERSION {
        return Err(CheckpointError::Version { found });
    }
    let Some((number, line)) = lines.next() else { return Ok(Vec::new()) };
    let expected = line.parse::<u32>().map_err(|_| malformed(number, line))? as usize;
    let mut entries = Vec::new();
    for (number, line) in lines {
        entries.push(entry(line).ok_or_else(|| malformed(number, line))?);
    }
    if entries.len() != expected {
        return Err(CheckpointError::Count { expected, found: entries.len() });
    }
    Ok(entries)
}

/// Writes a checkpoint's text; each item is one line without its end.
pub fn render<L: std::fmt::Display>(lines: impl ExactSizeIterator<Item = L>) -> String {
    let mut text = format!("{VERSION}\n{}\n", lines.len());
    for line in lines {
        writeln!(text, "{line}").expect("a String takes everything");
    }
    text
}

/// Reads the bytes of an offset checkpoint: `topic partition offset` a line. A partition named twice keeps the last.
///
/// # Errors
/// Damaged content.
pub fn parse_offsets(bytes: &[u8]) -> Result<BTreeMap<TopicPartition, Offset>, CheckpointError> {
    let entries = parse(bytes, |line| {
        let mut words = line.split_whitespace();
        let (topic, partition, offset) = (words.next()?, words.next()?, words.next()?);
        if words.next().is_some() {
            return None;
        }
        let partition = TopicPartition::new(topic, partition.parse().ok()?);
        Some((partition, Offset(offset.parse().ok()?)))
    })?;
    Ok(entries.into_iter().collect())
}

/// Writes the text of an offset checkpoint.
pub fn render_offsets(offsets: &BTreeMap<TopicPartition, Offset>) -> String {
    render(offsets.iter().map(|(partition, offset)| {
        format!("{} {} {}", partition.topic, partition.partition, offset)
    }))
}

/// One offset checkpoint file of a log dir (Kafka's `OffsetCheckpointFile`).
#[derive(Debug, Clone)]
pub struct OffsetCheckpointFile {
    path: PathBuf,
}

impl OffsetCheckpointFile {
    /// Names the file; nothing is read or made.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Reads all entries; a missing file has none.
    ///
    /// # Errors
    /// [`CheckpointReadError::Damaged`] is for the caller to report and then treat as empty.
    pub fn read(
        &self,
        disk: &Disk,
    ) -> Result<BTreeMap<TopicPartition, Offset>, CheckpointReadError> {
        let bytes = read_or_empty(disk, &self.path)?;
        parse_offsets(&bytes)
            .map_err(|source| CheckpointReadError::Damaged { path: self.path.clone(), source })
    }

    /// Replaces the file atomically and synced. Blocks on the disk.
    ///
    /// # Errors
    /// What the disk says; the old file is then still whole.
    pub fn write(&self, disk: &Disk, offsets: &BTreeMap<TopicPartition, Offset>) -> io::Result<()> {
        disk.write_atomic(&self.path, render_offsets(offsets).as_bytes())
    }
}

/// Reads a small file whole; a missing one is empty.
pub(crate) fn read_or_empty(disk: &Disk, path: &Path) -> Result<Vec<u8>, CheckpointReadError> {
    match disk.read(path, FILE_BYTES_MAX) {
        Ok(bytes) => Ok(bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(source) => Err(CheckpointReadError::Io { path: path.to_owned(), source }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_and_reads_kafkas_text() {
        let offsets = BTreeMap::from([
            (TopicPartition::new("orders", 10), Offset(3)),
            (TopicPartition::new("a.b_c-d", 0), Offset(i64::MAX)),
        ]);
        let text = render_offsets(&offsets);
        assert_eq!(text, "0\n2\na.b_c-d 0 9223372036854775807\norders 10 3\n");
        assert_eq!(parse_offsets(text.as_bytes()), Ok(offsets));
    }

    #[test]
    fn an_empty_file_has_no_entries() {
        for text in ["", "0", "0\n", "0\n0\n"] {
            assert_eq!(parse_offsets(text.as_bytes()), Ok(BTreeMap::new()), "{text:?}");
        }
    }

    #[test]
    fn damage_is_named() {
        let cases = [
            ("1\n0\n", "unrecognised version 1, expected 0"),
            ("x\n", "malformed line 1: \"x\""),
            ("0\n-1\n", "malformed line 2: \"-1\""),
            ("0\n1\na 0\n", "malformed line 3: \"a 0\""),
            ("0\n1\na 0 1 2\n", "malformed line 3: \"a 0 1 2\""),
            ("0\n1\na b 1\n", "malformed line 3: \"a b 1\""),
            ("0\n4000000000\na 0 1\n", "expected 4000000000 entries, found 1"),
            ("0\n0\na 0 1\n", "expected 0 entries, found 1"),
        ];
        for (text, expected) in cases {
            let error = parse_offsets(text.as_bytes()).expect_err(text);
            assert_eq!(error.to_string(), expected);
        }
        assert_eq!(parse_offsets(&[0xff, 0xfe]), Err(CheckpointError::NotText));
    }
}
