//! Names of segment files and replica directories, made and read as Kafka does.

use std::fmt;

use klamm_record::{Offset, TopicPartition};

/// Longest name of a directory that Kafka makes, in bytes.
const DIR_NAME_BYTES_MAX: usize = 255;

/// What a file in a replica directory holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LogFileKind {
    /// Record batches.
    Log,
    /// Offset index.
    OffsetIndex,
    /// Time index.
    TimeIndex,
    /// Aborted transactions.
    TransactionIndex,
    /// Producer state up to, not including, the offset in the name.
    ProducerSnapshot,
}

/// In which stage of its life a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LogFileState {
    /// In use.
    Live,
    /// `.deleted`: renamed, to be unlinked after `file.delete.delay.ms`.
    Deleted,
    /// `.cleaned`: output of an unfinished compaction or split; thrown away at load.
    Cleaned,
    /// `.swap`: output of a finished compaction that was being put in place.
    Swap,
}

/// The name of a segment's file or of a producer snapshot, read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogFileName {
    /// The segment's base offset, or the snapshot's offset.
    pub base_offset: Offset,
    /// What it holds.
    pub kind: LogFileKind,
    /// Its stage of life.
    pub state: LogFileState,
}

impl LogFileKind {
    /// All kinds that belong to a segment, the log first.
    pub const ALL: [Self; 5] = [
        Self::Log,
        Self::OffsetIndex,
        Self::TimeIndex,
        Self::TransactionIndex,
        Self::ProducerSnapshot,
    ];

    /// The suffix with its dot.
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::Log => ".log",
            Self::OffsetIndex => ".index",
            Self::TimeIndex => ".timeindex",
            Self::TransactionIndex => ".txnindex",
            Self::ProducerSnapshot => ".snapshot",
        }
    }

    /// The name of a live file of this kind.
    pub fn file_name(self, base_offset: Offset) -> String {
        format!("{:020}{}", base_offset.0, self.suffix())
    }
}

impl LogFileState {
    /// The suffix that follows the kind's, with its dot; empty for a live file.
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::Live => "",
            Self::Deleted => ".deleted",
            Self::Cleaned => ".cleaned",
            Self::Swap => ".swap",
        }
    }
}

impl LogFileName {
    /// Reads a file name; nothing for any other file.
    pub fn parse(name: &str) -> Option<Self> {
        let stages = [LogFileState::Deleted, LogFileState::Cleaned, LogFileState::Swap];
        let (rest, state) = stages
            .into_iter()
            .find_map(|state| Some((name.strip_suffix(state.suffix())?, state)))
            .unwrap_or((name, LogFileState::Live));
        let (digits, suffix) = rest.split_at_checked(rest.find('.')?)?;
        let kind = LogFileKind::ALL.into_iter().find(|kind| kind.suffix() == suffix)?;
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        Some(Self { base_offset: Offset(digits.parse().ok()?), kind, state })
    }
}

impl fmt::Display for LogFileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kind.file_name(self.base_offset))?;
        f.write_str(self.state.suffix())
    }
}

/// What a directory in a log dir is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReplicaDirKind {
    /// A replica in use.
    Current,
    /// Renamed for deletion in the background.
    Delete,
    /// Found at start though the metadata does not place it here; kept, never served.
    Stray,
    /// Being filled by a move between log dirs.
    Future,
}

impl ReplicaDirKind {
    /// The suffix, with its dash; empty for a replica in use.
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::Current => "",
            Self::Delete => "-delete",
            Self::Stray => "-stray",
            Self::Future => "-future",
        }
    }
}

/// The name of a replica directory, read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReplicaDirName {
    /// The partition; for `-delete` and `-stray` the topic may be cut short.
    pub topic_partition: TopicPartition,
    /// What the directory is.
    pub kind: ReplicaDirKind,
}

impl ReplicaDirName {
    /// Reads a directory name: `topic-partition`, or that with `.<unique>-delete` and the like. The last dash separates, so
    /// topics may hold dashes. Nothing for a name that Kafka would not have made.
    pub fn parse(name: &str) -> Option<Self> {
        let marked = [ReplicaDirKind::Delete, ReplicaDirKind::Stray, ReplicaDirKind::Future];
        let found =
            marked.into_iter().find_map(|kind| Some((name.strip_suffix(kind.suffix())?, kind)));
        let (rest, kind) = match found {
            Some((rest, kind)) => {
                let (rest, unique) = rest.rsplit_once('.')?;
                if unique.is_empty() {
                    return None;
                }
                (rest, kind)
            }
            None => (name, ReplicaDirKind::Current),
        };
        let (topic, digits) = rest.rsplit_once('-')?;
        if topic.is_empty() || digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let topic_partition = TopicPartition::new(topic, digits.parse().ok()?);
        Some(Self { topic_partition, kind })
    }
}

/// The directory of a replica in use.
pub fn replica_dir_name(topic_partition: &TopicPartition) -> String {
    format!("{}-{}", topic_partition.topic, topic_partition.partition)
}

/// The name that a replica directory is renamed to; `unique` is drawn at random. The topic is cut where the name would pass
/// 255 bytes, but never for `-future`, as in Kafka.
pub fn marked_dir_name(
    topic_partition: &TopicPartition,
    kind: ReplicaDirKind,
    unique: u128,
) -> String {
    if kind == ReplicaDirKind::Current {
        return replica_dir_name(topic_partition);
    }
    let end = format!("-{}.{unique:032x}{}", topic_partition.partition, kind.suffix());
    let topic = &*topic_partition.topic;
    let mut length = topic.len();
    if kind != ReplicaDirKind::Future {
        length = length.min(DIR_NAME_BYTES_MAX - end.len());
        while !topic.is_char_boundary(length) {
            length -= 1;
        }
    }
    format!("{}{end}", &topic[..length])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_round_trip() {
        for name in [
            "00000000000000000000.log",
            "00000000000000000042.index",
            "09223372036854775807.timeindex.deleted",
            "00000000000000000001.txnindex.swap",
            "00000000000000000007.snapshot",
            "00000000000000000007.log.cleaned",
        ] {
            assert_eq!(LogFileName::parse(name).map(|n| n.to_string()).as_deref(), Some(name));
        }
        assert_eq!(LogFileKind::Log.file_name(Offset(12)), "00000000000000000012.log");
        for name in [
            "",
            ".log",
            "1",
            "-1.log",
            "+1.log",
            "a.log",
            "1.log2",
            "99999999999999999999.log",
            "partition.metadata",
            "00000000000000000000-0000000000.checkpoint",
            "1.log.deleted.swap",
        ] {
            assert_eq!(LogFileName::parse(name), None, "{name}");
        }
    }

    #[test]
    fn directories_with_dashes_dots_and_marks() {
        let read = |name: &str| {
            ReplicaDirName::parse(name)
                .map(|n| (n.topic_partition.topic.to_string(), n.topic_partition.partition, n.kind))
        };
        assert_eq!(read("a-0"), Some(("a".into(), 0, ReplicaDirKind::Current)));
        assert_eq!(read("a.b-c-12"), Some(("a.b-c".into(), 12, ReplicaDirKind::Current)));
        assert_eq!(read("a--1"), Some(("a-".into(), 1, ReplicaDirKind::Current)));
        assert_eq!(
            read("my.topic-delete-3"),
            Some(("my.topic-delete".into(), 3, ReplicaDirKind::Current))
        );
        assert_eq!(read("x.y-1.0f-delete"), Some(("x.y".into(), 1, ReplicaDirKind::Delete)));
        assert_eq!(read("x-1.0f-stray"), Some(("x".into(), 1, ReplicaDirKind::Stray)));
        assert_eq!(read("x-1.0f-future"), Some(("x".into(), 1, ReplicaDirKind::Future)));
        for name in [
            "",
            "a",
            "-0",
            "a-",
            "a-x",
            "x-delete",
            "x-1-delete",
            "x.-delete",
            "a-99999999999",
            "lost+found",
        ] {
            assert_eq!(read(name), None, "{name}");
        }
    }

    #[test]
    fn long_topics_are_cut_except_for_future() {
        let partition = TopicPartition::new("t".repeat(249), 1234);
        let name = marked_dir_name(&partition, ReplicaDirKind::Delete, 0xab);
        assert_eq!(name.len(), 255);
        assert!(name.ends_with("t-1234.000000000000000000000000000000ab-delete"), "{name}");
        assert_eq!(ReplicaDirName::parse(&name).map(|n| n.kind), Some(ReplicaDirKind::Delete));
        assert_eq!(marked_dir_name(&partition, ReplicaDirKind::Future, 1).len(), 249 + 5 + 33 + 7);
        let short = TopicPartition::new("a-b", 0);
        assert_eq!(
            marked_dir_name(&short, ReplicaDirKind::Stray, u128::MAX),
            "a-b-0.ffffffffffffffffffffffffffffffff-stray"
        );
    }
}
