//! Reading the marker that ends a transaction out of a control batch.

use klamm_record::{BatchHeader, Record};

use crate::producer_state::{EndTxnKind, EndTxnMarker};

/// The marker in a control batch; none if the batch is no control batch, holds another control record, or was emptied by
/// compaction. `body` is what follows the header; control batches are never compressed.
pub(crate) fn of_batch(header: &BatchHeader, body: &[u8]) -> Option<EndTxnMarker> {
    if !header.is_control() || header.record_count < 1 {
        return None;
    }
    let (record, _) = Record::parse(body).ok()?;
    let marker = klamm_record::EndTxnMarker::decode(record.key?, record.value?).ok()??;
    let kind = if marker.commit { EndTxnKind::Commit } else { EndTxnKind::Abort };
    Some(EndTxnMarker { kind, coordinator_epoch: marker.coordinator_epoch, transaction_version: 0 })
}
