//! Appending: write, sync, then it counts.

use bytes::Bytes;
use klamm_record::{Offset, ValidBatch};
use klamm_storage::{AppendError, AppendItem, Origin, Progress};

use super::LocalMetadataLog;
use crate::metadata_log::MetadataLogError;

impl LocalMetadataLog {
    /// Appends batches in one write where they fit one segment, and syncs once.
    pub(super) async fn append_bytes(
        &mut self,
        batches: Vec<Bytes>,
        now_ms: i64,
    ) -> Result<(), MetadataLogError> {
        let before = self.log.log_end_offset();
        match self.write(batches, now_ms).await {
            Ok(()) => self.sync().await,
            Err(error) => {
                // Some batches may stand in the log: none of them was promised.
                self.cut_back(before, now_ms).await?;
                Err(error)
            }
        }
    }

    async fn write(&mut self, batches: Vec<Bytes>, now_ms: i64) -> Result<(), MetadataLogError> {
        let mut items = batches
            .into_iter()
            .map(|bytes| {
                let batch = ValidBatch::trusted(bytes).map_err(MetadataLogError::failed)?;
                Ok(AppendItem::new(batch, Origin::Coordinator, self.epoch))
            })
            .collect::<Result<Vec<_>, MetadataLogError>>()?;
        loop {
            let Some(appender) = &mut self.appender else {
                return Err(MetadataLogError::Failed("the log is closed".to_owned()));
            };
            if appender.append(&mut items, now_ms) == Progress::Done {
                break;
            }
            // What is to be synced of the old segment is part of the next flush plan too.
            self.with_appender("roll-metadata-log", move |appender| {
                appender.roll(now_ms).map(drop)
            })
            .await?;
        }
        for item in items {
            match item.result {
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(from_append(error)),
                None => return Err(MetadataLogError::Failed("an append had no answer".to_owned())),
            }
        }
        Ok(())
    }

    /// Syncs all that was written; with it, it is committed.
    pub(super) async fn sync(&mut self) -> Result<(), MetadataLogError> {
        let plan =
            self.log.flush_plan(self.log.log_end_offset()).map_err(MetadataLogError::failed)?;
        for file in &plan.files {
            self.env.sync(file).await.map_err(MetadataLogError::failed)?;
        }
        if !plan.dirs.is_empty() {
            let (disk, dirs) = (self.env.disk().clone(), plan.dirs.clone());
            let synced = self.env.offload("sync-metadata-dir", move || {
                dirs.iter().try_for_each(|dir| disk.sync_dir(dir))
            });
            synced.await.map_err(MetadataLogError::failed)?;
        }
        self.log.mark_flushed(&plan);
        self.log.set_high_watermark(plan.up_to);
        Ok(())
    }

    async fn cut_back(&mut self, end: Offset, now_ms: i64) -> Result<(), MetadataLogError> {
        if self.log.log_end_offset() == end {
            return Ok(());
        }
        let cut = self.with_appender("cut-metadata-log", move |appender| {
            // this log has no recovery point: it is scanned from its beginning at every start
            appender.truncate_to(end, now_ms).map(drop)
        });
        cut.await.map_err(MetadataLogError::failed)
    }
}

fn from_append(error: AppendError) -> MetadataLogError {
    use std::io::ErrorKind::{QuotaExceeded, StorageFull};
    match &error {
        AppendError::Io(fault) if matches!(fault.kind, StorageFull | QuotaExceeded) => {
            MetadataLogError::DiskFull(error.to_string())
        }
        _ => MetadataLogError::failed(error),
    }
}
