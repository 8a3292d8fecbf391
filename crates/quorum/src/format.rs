//! Formatting log directories, and checking those that are formatted already.
//!
//! A directory is formatted once `meta.properties` lies in it; that file is written last, so that a format cut short is begun
//! again. What is written is what Kafka 4.3's `StorageTool format --standalone` writes, and Kafka starts on it.

use std::io;
use std::path::{Path, PathBuf};

use klamm_env::{Env, Rng};
use klamm_metadata::MetadataVersion;
use klamm_record::{BrokerId, LeaderEpoch, Offset, Uuid};
use klamm_storage::meta_properties::{MetaProperties, MetaPropertiesVersion};

use crate::bootstrap::BootstrapMetadata;
use crate::local_metadata_log::METADATA_LOG_DIR;
use crate::offset_and_epoch::{CHECKPOINT_SUFFIX, OffsetAndEpoch};
use crate::snapshot::{SnapshotHeader, SnapshotWriteError, write_snapshot};
use crate::voters::{KRAFT_VERSION_DYNAMIC, QuorumMembership, Voter, VoterEndpoint};

/// What the directories should belong to.
#[derive(Debug, Clone)]
pub struct FormatArgs {
    /// `log.dirs`, and `metadata.log.dir` if it is not one of them.
    pub log_dirs: Vec<PathBuf>,
    /// `metadata.log.dir`; one of `log_dirs`.
    pub metadata_dir: PathBuf,
    /// `node.id`.
    pub node_id: BrokerId,
    /// The cluster's id if one is asked for; else that of the directories, or a new one.
    pub cluster_id: Option<String>,
    /// Where this node is reached as a controller; noted as the only voter of a new cluster.
    pub controller: VoterEndpoint,
    /// Level of a new cluster.
    pub metadata_version: MetadataVersion,
}

/// Whose the directories are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormattedDirs {
    /// The cluster.
    pub cluster_id: String,
    /// Each directory and its id, in the order of `log_dirs`.
    pub directory_ids: Vec<(PathBuf, Uuid)>,
    /// The directories that were formatted just now.
    pub newly_formatted: Vec<PathBuf>,
}

/// Why the directories cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// The disk failed, or a `meta.properties` is damaged.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The first snapshot could not be written.
    #[error(transparent)]
    Snapshot(#[from] SnapshotWriteError),
    /// The directories belong to two clusters, or to another than was asked for.
    #[error(
        "{dir} belongs to cluster {found}, not to {expected}: correct log.dirs, or start with the cluster id of the directory"
    )]
    ClusterId {
        /// The directory.
        dir: PathBuf,
        /// What it says.
        found: String,
        /// What was expected.
        expected: String,
    },
    /// The directory belongs to another node.
    #[error(
        "{dir} belongs to node {found}, but node.id is {expected}: correct log.dirs or node.id"
    )]
    NodeId {
        /// The directory.
        dir: PathBuf,
        /// What it says.
        found: BrokerId,
        /// What was expected.
        expected: BrokerId,
    },
    /// Two directories have the same id: one is a copy of the other.
    #[error(
        "{first} and {second} both have directory.id {id}: one is a copy of the other, remove it from log.dirs"
    )]
    DuplicateDirectory {
        /// One directory.
        first: PathBuf,
        /// The other.
        second: PathBuf,
        /// Their id.
        id: Uuid,
    },
    /// There is metadata, but not whose.
    #[error(
        "{dir} holds a metadata log but no meta.properties: restore that file, nothing was changed"
    )]
    UnknownOwner {
        /// The directory.
        dir: PathBuf,
    },
    /// The directory with the metadata is new, others are not.
    #[error(
        "metadata.log.dir {metadata_dir} is not formatted, but {formatted} is: correct metadata.log.dir or log.dirs"
    )]
    MetadataDirEmpty {
        /// Where the metadata should be.
        metadata_dir: PathBuf,
        /// A directory that belongs to a cluster.
        formatted: PathBuf,
    },
    /// A directory of ZooKeeper times.
    #[error(
        "{dir} was written by Kafka in ZooKeeper mode (meta.properties version 0): migrate it with Kafka 3.9 first"
    )]
    ZooKeeper {
        /// The directory.
        dir: PathBuf,
    },
    /// `metadata.log.dir` is unknown.
    #[error("metadata.log.dir {metadata_dir} is not among the directories of this node")]
    MetadataDirUnknown {
        /// Where the metadata should be.
        metadata_dir: PathBuf,
    },
}

/// Formats what is new and checks what is not (Kafka's `Formatter` and `MetaPropertiesEnsemble`). Blocks; run it offloaded,
/// while the directories are locked.
///
/// # Errors
/// See [`FormatError`]. Directories that were formatted before are not changed then.
pub fn ensure_formatted(env: &Env, args: &FormatArgs) -> Result<FormattedDirs, FormatError> {
    let disk = env.disk();
    if !args.log_dirs.contains(&args.metadata_dir) {
        return Err(FormatError::MetadataDirUnknown { metadata_dir: args.metadata_dir.clone() });
    }
    let mut found = Vec::new();
    for dir in &args.log_dirs {
        disk.create_dir_all_durably(dir)?;
        found.push((dir.clone(), MetaProperties::read(disk, dir)?));
    }
    let cluster_id = check(args, &found)?;
    check_metadata_dir(env, args, &found)?;
    let cluster_id = cluster_id.unwrap_or_else(|| new_id(env.rng()).to_string());
    let mut formatted =
        FormattedDirs { cluster_id, directory_ids: Vec::new(), newly_formatted: Vec::new() };
    for (dir, properties) in found {
        let known = properties.as_ref().and_then(|it| it.directory_id);
        let id = known.unwrap_or_else(|| new_id(env.rng()));
        match properties {
            Some(properties) if known.is_none() => {
                MetaProperties { directory_id: Some(id), ..properties }.write(disk, &dir)?;
            }
            Some(_) => {}
            None => {
                if dir == args.metadata_dir {
                    format_metadata_dir(env, args, id)?;
                }
                let id_file = MetaProperties::new(formatted.cluster_id.clone(), args.node_id, id);
                id_file.write(disk, &dir)?;
                formatted.newly_formatted.push(dir.clone());
            }
        }
        formatted.directory_ids.push((dir, id));
    }
    Ok(formatted)
}

type Found = [(PathBuf, Option<MetaProperties>)];

/// Compares all that is there with what is asked for, and with one another. The cluster's id, if one is known.
fn check(args: &FormatArgs, found: &Found) -> Result<Option<String>, FormatError> {
    let mut cluster_id = args.cluster_id.clone();
    let mut ids: Vec<(&Path, Uuid)> = Vec::new();
    for (dir, properties) in found {
        let Some(properties) = properties else { continue };
        if properties.version == MetaPropertiesVersion::V0 {
            return Err(FormatError::ZooKeeper { dir: dir.clone() });
        }
        if let Some(id) = properties.node_id
            && id != args.node_id
        {
            let expected = args.node_id;
            return Err(FormatError::NodeId { dir: dir.clone(), found: id, expected });
        }
        let own = properties.cluster_id.clone().unwrap_or_default();
        let expected = cluster_id.get_or_insert_with(|| own.clone());
        if *expected != own {
            let expected = expected.clone();
            return Err(FormatError::ClusterId { dir: dir.clone(), found: own, expected });
        }
        if let Some(id) = properties.directory_id {
            if let Some((first, _)) = ids.iter().find(|(_, other)| *other == id) {
                let first = first.to_path_buf();
                return Err(FormatError::DuplicateDirectory { first, second: dir.clone(), id });
            }
            ids.push((dir, id));
        }
    }
    Ok(cluster_id)
}

/// The metadata must not be made anew beside data that it does not know.
fn check_metadata_dir(env: &Env, args: &FormatArgs, found: &Found) -> Result<(), FormatError> {
    let is_new = found.iter().any(|(dir, it)| *dir == args.metadata_dir && it.is_none());
    if !is_new {
        return Ok(());
    }
    if let Some((formatted, _)) = found.iter().find(|(_, properties)| properties.is_some()) {
        let (metadata_dir, formatted) = (args.metadata_dir.clone(), formatted.clone());
        return Err(FormatError::MetadataDirEmpty { metadata_dir, formatted });
    }
    let log_dir = args.metadata_dir.join(METADATA_LOG_DIR);
    if env.disk().is_dir(&log_dir)? {
        let entries = env.disk().list(&log_dir)?;
        if entries.iter().any(|entry| entry.name.ends_with(".log")) {
            return Err(FormatError::UnknownOwner { dir: args.metadata_dir.clone() });
        }
    }
    Ok(())
}

fn format_metadata_dir(
    env: &Env,
    args: &FormatArgs,
    directory_id: Uuid,
) -> Result<(), FormatError> {
    let disk = env.disk();
    let now_ms = env.clock().now_ms();
    let bootstrap = BootstrapMetadata::for_new_cluster(args.metadata_version);
    bootstrap.write(disk, &args.metadata_dir, now_ms)?;
    let log_dir = args.metadata_dir.join(METADATA_LOG_DIR);
    disk.create_dir_all_durably(&log_dir)?;
    let snapshot = log_dir.join(OffsetAndEpoch::BOOTSTRAP.file_name(CHECKPOINT_SUFFIX));
    if disk.exists(&snapshot)? {
        // Of a format that was cut short, and made out to another directory id.
        disk.remove_file(&snapshot)?;
    }
    let voter = Voter {
        id: args.node_id,
        directory_id,
        endpoints: vec![args.controller.clone()],
        kraft_versions: (0, KRAFT_VERSION_DYNAMIC),
    };
    let header = SnapshotHeader {
        epoch: LeaderEpoch(0),
        last_contained_log_time_ms: now_ms,
        membership: QuorumMembership {
            kraft_version: KRAFT_VERSION_DYNAMIC,
            voters: vec![voter],
            offset: Offset::NONE,
        },
        now_ms,
    };
    write_snapshot(
        disk,
        &log_dir,
        OffsetAndEpoch::BOOTSTRAP,
        header,
        (&[], args.metadata_version),
    )?;
    Ok(())
}

fn new_id(rng: &Rng) -> Uuid {
    loop {
        let mut bytes = [0; 16];
        rng.fill(&mut bytes);
        if let Some(id) = Uuid::from_random(bytes) {
            return id;
        }
    }
}
