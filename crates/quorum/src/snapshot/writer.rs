//! Writing a snapshot into the metadata directory, so that it is there whole or not at all.

use std::io;
use std::path::Path;

use klamm_env::{Disk, OpenMode};
use klamm_metadata::MetadataVersion;
use klamm_metadata::records::MetadataRecord;

use super::{SnapshotEncoder, SnapshotHeader};
use crate::batch_encoding::EncodingError;
use crate::offset_and_epoch::{CHECKPOINT_SUFFIX, OffsetAndEpoch, PART_SUFFIX};

/// Why there is no snapshot. What was written of it is left as `.part` and removed at the next start.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotWriteError {
    /// The disk failed.
    #[error("writing snapshot {name} failed: {source}")]
    Io {
        /// Its file name.
        name: String,
        /// What the system said.
        source: io::Error,
    },
    /// The image holds something that its own level cannot say.
    #[error("snapshot {name} cannot be written: {source}")]
    Encoding {
        /// Its file name.
        name: String,
        /// The record.
        source: EncodingError,
    },
}

/// Writes snapshot `id` into `dir` and returns its size in bytes. Blocks; run it offloaded.
///
/// # Errors
/// If the disk fails or a record cannot be encoded; there is then no snapshot `id`.
pub fn write_snapshot(
    disk: &Disk,
    dir: &Path,
    id: OffsetAndEpoch,
    header: SnapshotHeader,
    contents: (&[MetadataRecord], MetadataVersion),
) -> Result<u64, SnapshotWriteError> {
    let name = id.file_name(CHECKPOINT_SUFFIX);
    let io_error = |source| SnapshotWriteError::Io { name: name.clone(), source };
    let part = dir.join(id.file_name(PART_SUFFIX));
    let file = disk.open(&part, OpenMode::Truncate).map_err(io_error)?;
    let mut position = 0;
    let mut put = |bytes: &[u8]| -> Result<(), SnapshotWriteError> {
        file.write_all_at(bytes, position).map_err(io_error)?;
        position += bytes.len() as u64;
        Ok(())
    };
    let (mut encoder, first) = SnapshotEncoder::begin(header);
    put(&first)?;
    let (mut left, version) = contents;
    while !left.is_empty() {
        let (bytes, later) = encoder
            .records(left, version)
            .map_err(|source| SnapshotWriteError::Encoding { name: name.clone(), source })?;
        put(&bytes)?;
        left = later;
    }
    put(&encoder.finish())?;
    file.sync_blocking().map_err(io_error)?;
    file.close_descriptor();
    disk.rename(&part, &dir.join(&name)).map_err(io_error)?;
    disk.sync_dir(dir).map_err(io_error)?;
    Ok(position)
}
