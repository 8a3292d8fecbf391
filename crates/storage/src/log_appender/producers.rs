//! Producer state along with an append: checks before the write, changes after it.

use std::io;

use klamm_record::{BatchHeader, Offset};

use super::group::Admitted;
use super::{AppendError, AppendInfo, AppendItem, LogAppender, Origin};
use crate::log_segment::LogSegment;
use crate::marker;
use crate::transaction_index::AbortedTxn;

impl LogAppender {
    /// Checks epoch and sequence of an idempotent batch whose offset is assigned. The inner error is the answer to a duplicate.
    pub(super) fn check_producer(
        &self,
        item: &AppendItem,
    ) -> Result<Result<Admitted, AppendInfo>, AppendError> {
        let header = &item.batch.header;
        if !header.has_producer_id() {
            return Ok(Ok(Admitted::default()));
        }
        let marker = marker::of_batch(header, &item.batch.body);
        if header.is_control() && marker.is_none() && item.origin != Origin::Replication {
            return Err(AppendError::BadMarker { producer_id: header.producer_id });
        }
        let producers = self.log.producers.lock();
        if item.origin == Origin::Client
            && let Some(entry) = producers.last_entry(header.producer_id)
            && let Some(duplicate) = entry.find_duplicate(header)
        {
            return Ok(Err(AppendInfo {
                base_offset: duplicate.first_offset(),
                last_offset: duplicate.last_offset,
                max_timestamp_ms: duplicate.timestamp_ms,
                log_start_offset: self.log.log_start_offset(),
                duplicate: true,
            }));
        }
        let mut producer = producers.prepare_update(header.producer_id, item.origin);
        let completed = producer.append(header, marker, header.base_offset)?;
        Ok(Ok(Admitted { producer: Some(Box::new(producer)), completed }))
    }

    /// Takes over what [`Self::check_producer`] prepared, now that the batch is written.
    pub(super) fn note_producer(
        &self,
        active: &LogSegment,
        header: &BatchHeader,
        admitted: Admitted,
    ) -> io::Result<()> {
        let mut producers = self.log.producers.lock();
        if let Some(producer) = &admitted.producer {
            producers.update(producer);
            producers.clear_verification(header.producer_id);
        }
        producers.update_map_end_offset(header.next_offset());
        let Some(completed) = admitted.completed else { return Ok(()) };
        let last_stable_offset = producers.last_stable_offset(&completed);
        producers.complete_txn(&completed);
        drop(producers);
        if completed.is_aborted() {
            active.note_aborted(AbortedTxn {
                producer_id: completed.producer_id,
                first_offset: completed.first_offset,
                last_offset: completed.last_offset,
                last_stable_offset,
            })?;
        }
        Ok(())
    }

    /// Writes the producer snapshot at an offset, unless there is one already; not synced.
    pub(super) fn snapshot_producers_at(
        &self,
        offset: Offset,
    ) -> io::Result<Option<klamm_env::File>> {
        let mut producers = self.log.producers.lock();
        producers.update_map_end_offset(offset);
        producers.take_snapshot()
    }
}
