//! `meta.properties`: to which cluster and node a log dir belongs, and its own id.

use std::io;
use std::path::{Path, PathBuf};

use klamm_env::Disk;
use klamm_record::config::parse_properties;
use klamm_record::{BrokerId, Uuid};

/// File name within a log dir.
pub const META_PROPERTIES: &str = "meta.properties";
const FILE_BYTES_MAX: usize = 1 << 20;

/// Kafka's `DirectoryId.MIGRATING`: the broker has not yet told where the replica lies.
pub const DIRECTORY_MIGRATING: Uuid = Uuid::ZERO;
/// Kafka's `DirectoryId.UNASSIGNED`: the broker may choose.
pub const DIRECTORY_UNASSIGNED: Uuid = Uuid::from_parts(0, 1);
/// Kafka's `DirectoryId.LOST`: the directory has failed.
pub const DIRECTORY_LOST: Uuid = Uuid::from_parts(0, 2);

/// Version of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetaPropertiesVersion {
    /// Of ZooKeeper times: `broker.id`, all fields optional. Read only.
    V0,
    /// Of KRaft: `node.id`.
    V1,
}

/// The content (Kafka's `MetaProperties`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetaProperties {
    /// Version.
    pub version: MetaPropertiesVersion,
    /// Always there in version 1.
    pub cluster_id: Option<String>,
    /// Always there in version 1.
    pub node_id: Option<BrokerId>,
    /// Id of this directory; one without gets an id at the next start.
    pub directory_id: Option<Uuid>,
    /// Keys that are not known here, kept as they are.
    pub other: Vec<(String, String)>,
}

/// What is wrong with a `meta.properties` text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MetaPropertiesError {
    /// Not a properties text.
    #[error("not a properties file: {reason}")]
    Syntax {
        /// Why.
        reason: String,
    },
    /// A version that is not known.
    #[error("unknown version {version:?}, known are 0 and 1")]
    Version {
        /// As written.
        version: String,
    },
    /// A key that version 1 needs.
    #[error("{key} was not found")]
    Missing {
        /// The key.
        key: &'static str,
    },
    /// A value that is not what it should be.
    #[error("{key} has value {value:?}, expected {expected}")]
    Value {
        /// The key.
        key: &'static str,
        /// As written.
        value: String,
        /// What is allowed.
        expected: &'static str,
    },
}

impl MetaProperties {
    /// The content that a formatted directory gets.
    pub fn new(cluster_id: impl Into<String>, node_id: BrokerId, directory_id: Uuid) -> Self {
        Self {
            version: MetaPropertiesVersion::V1,
            cluster_id: Some(cluster_id.into()),
            node_id: Some(node_id),
            directory_id: Some(directory_id),
            other: Vec::new(),
        }
    }

    /// Reads the bytes of a `meta.properties`.
    ///
    /// # Errors
    /// If it is no properties text, of an unknown version, or a value is missing or wrong.
    pub fn parse(bytes: &[u8]) -> Result<Self, MetaPropertiesError> {
        let text = String::from_utf8_lossy(bytes);
        let entries = parse_properties(&text)
            .map_err(|error| MetaPropertiesError::Syntax { reason: error.to_string() })?;
        let mut read = Self {
            version: MetaPropertiesVersion::V0,
            cluster_id: None,
            node_id: None,
            directory_id: None,
            other: Vec::new(),
        };
        let (mut broker_id, mut node_id) = (None, None);
        for (key, value) in entries {
            match key.as_str() {
                "version" => {
                    read.version = match value.trim() {
                        "0" => MetaPropertiesVersion::V0,
                        "1" => MetaPropertiesVersion::V1,
                        _ => return Err(MetaPropertiesError::Version { version: value }),
                    }
                }
                "cluster.id" => read.cluster_id = Some(value),
                "broker.id" => broker_id = Some(value),
                "node.id" => node_id = Some(value),
                "directory.id" => read.directory_id = Some(directory_id(&value)?),
                _ => read.other.push((key, value)),
            }
        }
        let (key, value, spare) = match read.version {
            MetaPropertiesVersion::V0 => ("broker.id", broker_id, ("node.id", node_id)),
            MetaPropertiesVersion::V1 => ("node.id", node_id, ("broker.id", broker_id)),
        };
        read.node_id = value.map(|value| number(key, value)).transpose()?;
        if let (key, Some(value)) = spare {
            read.other.push((key.to_owned(), value));
        }
        if read.version == MetaPropertiesVersion::V1 {
            for (key, missing) in
                [("cluster.id", read.cluster_id.is_none()), ("node.id", read.node_id.is_none())]
            {
                if missing {
                    return Err(MetaPropertiesError::Missing { key });
                }
            }
        }
        Ok(read)
    }

    /// Writes the text, in version 1 or 0 as read; unknown keys follow the known ones.
    pub fn render(&self) -> String {
        let mut entries = Vec::new();
        let (version, id_key) = match self.version {
            MetaPropertiesVersion::V0 => ("0", "broker.id"),
            MetaPropertiesVersion::V1 => ("1", "node.id"),
        };
        entries.extend(self.node_id.map(|id| (id_key, id.to_string())));
        entries.extend(self.directory_id.map(|id| ("directory.id", id.to_string())));
        entries.push(("version", version.to_owned()));
        entries.extend(self.cluster_id.clone().map(|id| ("cluster.id", id)));
        entries.extend(self.other.iter().map(|(key, value)| (key.as_str(), value.clone())));
        let lines = entries.iter().map(|(key, value)| {
            format!("{}={}\n", escape(key, Escape::Key), escape(value, Escape::Value))
        });
        lines.collect()
    }

    /// Where the file lies.
    pub fn path(log_dir: &Path) -> PathBuf {
        log_dir.join(META_PROPERTIES)
    }

    /// Reads the file; none if there is none: the directory is not formatted.
    ///
    /// # Errors
    /// What the disk says; a damaged file is [`io::ErrorKind::InvalidData`].
    pub fn read(disk: &Disk, log_dir: &Path) -> io::Result<Option<Self>> {
        let path = Self::path(log_dir);
        let bytes = match disk.read(&path, FILE_BYTES_MAX) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        Self::parse(&bytes).map(Some).map_err(|error| {
            io::Error::new(io::ErrorKind::InvalidData, format!("{}: {error}", path.display()))
        })
    }

    /// Replaces the file atomically and synced. Blocks on the disk.
    ///
    /// # Errors
    /// What the disk says.
    pub fn write(&self, disk: &Disk, log_dir: &Path) -> io::Result<()> {
        disk.write_atomic(&Self::path(log_dir), self.render().as_bytes())
    }
}

fn number(key: &'static str, value: String) -> Result<BrokerId, MetaPropertiesError> {
    let wrong = |value| MetaPropertiesError::Value { key, value, expected: "a whole number" };
    value.trim().parse().map(BrokerId).map_err(|_| wrong(value))
}

fn directory_id(value: &str) -> Result<Uuid, MetaPropertiesError> {
    let wrong = |expected| MetaPropertiesError::Value {
        key: "directory.id",
        value: value.to_owned(),
        expected,
    };
    let id = value.trim().parse::<Uuid>().map_err(|_| wrong("22 characters of base64url"))?;
    if id.is_reserved() { Err(wrong("an id that is not reserved")) } else { Ok(id) }
}

#[derive(Clone, Copy, PartialEq)]
enum Escape {
    Key,
    Value,
}

/// As `java.util.Properties.store` does, for text that any properties reader takes back.
fn escape(text: &str, what: Escape) -> String {
    let mut escaped = String::new();
    for (index, c) in text.chars().enumerate() {
        match c {
            ' ' if index == 0 || what == Escape::Key => escaped.push_str("\\ "),
            '\t' => escaped.push_str("\\t"),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\x0c' => escaped.push_str("\\f"),
            '\\' | '=' | ':' | '#' | '!' => escaped.extend(['\\', c]),
            ' '..='~' => escaped.push(c),
            _ => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    escaped.push_str(&format!("\\u{unit:04X}"));
                }
            }
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trips_with_unknown_keys() {
        let mut meta = MetaProperties::new("a=b :ü", BrokerId(7), Uuid::from_parts(5, 9));
        meta.other.push(("future key".to_owned(), " x\\\n".to_owned()));
        assert_eq!(MetaProperties::parse(meta.render().as_bytes()), Ok(meta));
    }

    #[test]
    fn reads_version_0() {
        let meta = MetaProperties::parse(b"broker.id=3\n").expect("all but the id is optional");
        assert_eq!(meta.version, MetaPropertiesVersion::V0);
        assert_eq!((meta.node_id, &meta.cluster_id), (Some(BrokerId(3)), &None));
        assert_eq!(meta.render(), "broker.id=3\nversion=0\n");
        assert_eq!(MetaProperties::parse(b"").map(|meta| meta.node_id), Ok(None));
    }

    #[test]
    fn damage_is_named() {
        let cases = [
            ("version=2", "unknown version \"2\", known are 0 and 1"),
            ("version=1\ncluster.id=x", "node.id was not found"),
            ("version=1\nnode.id=1", "cluster.id was not found"),
            ("version=1\nnode.id=a", "node.id has value \"a\", expected a whole number"),
            (
                "directory.id=AAAAAAAAAAAAAAAAAAAAAg",
                "directory.id has value \"AAAAAAAAAAAAAAAAAAAAAg\", expected an id that is not reserved",
            ),
            ("directory.id=x", "directory.id has value \"x\", expected 22 characters of base64url"),
        ];
        for (text, expected) in cases {
            let error = MetaProperties::parse(text.as_bytes()).expect_err(text);
            assert_eq!(error.to_string(), expected);
        }
        assert!(MetaProperties::parse(b"a=\\u00").is_err());
    }
}
