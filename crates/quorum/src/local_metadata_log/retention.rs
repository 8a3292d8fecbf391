//! Removing old snapshots, and the log below the oldest that stays.

use std::io;
use std::path::Path;
use std::sync::Arc;

use klamm_env::{Disk, OpenMode};
use klamm_metadata::ReplayError;
use klamm_metadata::records::MetadataRecord;

use super::LocalMetadataLog;
use super::snapshots::path_of;
use crate::metadata_log::MetadataLogError;
use crate::offset_and_epoch::{DELETED_SUFFIX, OffsetAndEpoch};
use crate::snapshot::{SnapshotError, SnapshotVisitor, read_snapshot};

impl LocalMetadataLog {
    /// Removes snapshots, oldest first, while log and snapshots exceed `metadata.max.retention.bytes` or the oldest is over
    /// `metadata.max.retention.ms` old; the newest always stays (`KafkaRaftLog.maybeClean`).
    pub(super) async fn clean(&mut self, now_ms: i64) -> Result<(), MetadataLogError> {
        let mut sizes = self.measure().await.map_err(|error| MetadataLogError::from_io(&error))?;
        while sizes.len() >= 2 {
            let (oldest, next) = (sizes[0].clone(), sizes[1].id);
            let total = self.log.size_bytes() + sizes.iter().map(|it| it.bytes).sum::<u64>();
            let too_large = self.config.retention_bytes >= 0
                && total > self.config.retention_bytes.cast_unsigned();
            let too_old = self.config.retention_ms >= 0
                && now_ms.saturating_sub(oldest.time_ms) > self.config.retention_ms;
            if !too_large && !too_old {
                break;
            }
            tracing::info!(snapshot = ?oldest.id, too_large, too_old, "removing a snapshot and the log below the next");
            self.delete_before(oldest.id, next, now_ms).await?;
            sizes.remove(0);
        }
        Ok(())
    }

    async fn delete_before(
        &mut self,
        old: OffsetAndEpoch,
        next: OffsetAndEpoch,
        now_ms: i64,
    ) -> Result<(), MetadataLogError> {
        self.with_appender("trim-metadata-log", move |appender| {
            appender.increment_log_start_offset(next.offset).map_err(io::Error::other)?;
            appender.delete_old_segments(now_ms).map(drop)
        })
        .await?;
        self.snapshots.remove(old);
        let (disk, dir) = (self.env.disk().clone(), self.dir.clone());
        let deletions = Arc::clone(&self.deletions);
        let removed = self.env.offload("remove-metadata-snapshot", move || {
            deletions.unlink_due(&disk, i64::MAX);
            let doomed = dir.join(old.file_name(DELETED_SUFFIX));
            disk.rename(&path_of(&dir, old), &doomed)?;
            disk.remove_file(&doomed)
        });
        removed.await.map_err(|error| MetadataLogError::from_io(&error))
    }

    async fn measure(&self) -> io::Result<Vec<Measured>> {
        let ids: Vec<OffsetAndEpoch> = self.snapshots.ids().collect();
        let (disk, dir) = (self.env.disk().clone(), self.dir.clone());
        let measured = self.env.offload("measure-metadata-snapshots", move || {
            ids.into_iter().map(|id| measure(&disk, &dir, id)).collect()
        });
        measured.await
    }
}

#[derive(Debug, Clone)]
struct Measured {
    id: OffsetAndEpoch,
    bytes: u64,
    /// Append time of the last batch that it covers.
    time_ms: i64,
}

fn measure(disk: &Disk, dir: &Path, id: OffsetAndEpoch) -> io::Result<Measured> {
    let path = path_of(dir, id);
    match read_snapshot(disk, &path, &mut Ignore) {
        Ok(summary) => {
            let time_ms = summary.last_contained_log_time_ms;
            Ok(Measured { id, bytes: summary.size_bytes, time_ms })
        }
        Err(SnapshotError::Io { source, .. }) => Err(source),
        Err(error) => {
            // A newer one is whole: this one is of no use to anybody, and goes first.
            tracing::warn!(error = %error, "an old snapshot is damaged");
            let bytes = disk.open(&path, OpenMode::Read)?.len()?;
            Ok(Measured { id, bytes, time_ms: i64::MIN })
        }
    }
}

struct Ignore;

impl SnapshotVisitor for Ignore {
    fn record(&mut self, _: MetadataRecord) -> Result<(), ReplayError> {
        Ok(())
    }
}
