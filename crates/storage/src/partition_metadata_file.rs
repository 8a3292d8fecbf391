//! `partition.metadata`: the topic id of a replica directory, written before its first data.

use std::io;
use std::path::{Path, PathBuf};

use klamm_env::Disk;
use klamm_record::{TopicId, Uuid};

/// File name within a replica directory.
pub const PARTITION_METADATA: &str = "partition.metadata";
/// The only version.
const VERSION: i32 = 0;
const FILE_BYTES_MAX: usize = 64 << 10;

/// What is wrong with a `partition.metadata` text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PartitionMetadataError {
    /// Not the lines that belong there.
    #[error("malformed line: {line:?}")]
    Malformed {
        /// The line, cut after 200 characters.
        line: String,
    },
    /// A version that is not known.
    #[error("unrecognised version {version}, expected {VERSION}")]
    Version {
        /// The version.
        version: i32,
    },
    /// The id that stands for no id.
    #[error("invalid topic id {topic_id}")]
    TopicId {
        /// As written.
        topic_id: TopicId,
    },
    /// Fewer than two lines.
    #[error("the file is cut short")]
    Truncated,
}

/// Reads the text: `version: 0`, then `topic_id: <uuid>`.
///
/// # Errors
/// Anything else.
pub fn parse(bytes: &[u8]) -> Result<TopicId, PartitionMetadataError> {
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.lines();
    let mut value = |name: &str| {
        let line = lines.next().ok_or(PartitionMetadataError::Truncated)?;
        let malformed =
            || PartitionMetadataError::Malformed { line: line.chars().take(200).collect() };
        let (key, value) = line.split_once(':').ok_or_else(malformed)?;
        if key.trim() != name || value.trim().is_empty() {
            return Err(malformed());
        }
        Ok((value.trim().to_owned(), malformed()))
    };
    let (version, malformed) = value("version")?;
    let version = version.parse().map_err(|_| malformed)?;
    if version != VERSION {
        return Err(PartitionMetadataError::Version { version });
    }
    let (topic_id, malformed) = value("topic_id")?;
    let topic_id = TopicId(topic_id.parse::<Uuid>().map_err(|_| malformed)?);
    if topic_id == TopicId::ZERO {
        return Err(PartitionMetadataError::TopicId { topic_id });
    }
    Ok(topic_id)
}

/// Writes the text, without a line end after the last line, as Kafka does.
pub fn render(topic_id: TopicId) -> String {
    format!("version: {VERSION}\ntopic_id: {topic_id}")
}

/// Where the file lies.
pub fn path(replica_dir: &Path) -> PathBuf {
    replica_dir.join(PARTITION_METADATA)
}

/// Reads the topic id; none if there is no file.
///
/// # Errors
/// What the disk says; a damaged file is [`io::ErrorKind::InvalidData`].
pub fn read(disk: &Disk, replica_dir: &Path) -> io::Result<Option<TopicId>> {
    let path = path(replica_dir);
    let bytes = match disk.read(&path, FILE_BYTES_MAX) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    parse(&bytes).map(Some).map_err(|error| {
        io::Error::new(io::ErrorKind::InvalidData, format!("{}: {error}", path.display()))
    })
}

/// Writes the file atomically and synced. Blocks on the disk.
///
/// # Errors
/// What the disk says.
pub fn write(disk: &Disk, replica_dir: &Path, topic_id: TopicId) -> io::Result<()> {
    disk.write_atomic(&path(replica_dir), render(topic_id).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_round_trips() {
        let topic_id = TopicId("z3vO1oAGRhSQQa6uTpEQCg".parse().expect("a uuid"));
        let text = render(topic_id);
        assert_eq!(text, "version: 0\ntopic_id: z3vO1oAGRhSQQa6uTpEQCg");
        assert_eq!(parse(text.as_bytes()), Ok(topic_id));
        assert_eq!(parse(format!("{text}\n").as_bytes()), Ok(topic_id));
    }

    #[test]
    fn damage_is_named() {
        use PartitionMetadataError::{Malformed, TopicId, Truncated, Version};
        let fails = |text: &str| parse(text.as_bytes()).expect_err(text);
        assert_eq!(fails(""), Truncated);
        assert_eq!(fails("version: 0"), Truncated);
        assert_eq!(fails("version: 1\ntopic_id: z3vO1oAGRhSQQa6uTpEQCg"), Version { version: 1 });
        assert!(matches!(fails("topic_id: x\nversion: 0"), Malformed { .. }));
        assert!(matches!(fails("version: 0\ntopic_id: zz"), Malformed { .. }));
        assert!(matches!(fails("version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAAA"), TopicId { .. }));
        assert!(parse(&[0xff; 40]).is_err());
    }
}
