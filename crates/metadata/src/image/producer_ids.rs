//! The next block of producer ids.

use crate::records::{MetadataRecord, ProducerIdsRecord};
use klamm_record::ProducerId;

/// Where the next block of producer ids begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProducerIdsImage {
    /// −1 until the first block is given out.
    pub next_producer_id: ProducerId,
}

impl Default for ProducerIdsImage {
    fn default() -> Self {
        Self { next_producer_id: ProducerId(-1) }
    }
}

impl ProducerIdsImage {
    pub(super) fn replay(&mut self, record: &ProducerIdsRecord) {
        self.next_producer_id = ProducerId(record.next_producer_id);
    }

    pub(super) fn write(self, out: &mut Vec<MetadataRecord>) {
        if self.next_producer_id.0 >= 0 {
            out.push(MetadataRecord::ProducerIds(ProducerIdsRecord {
                broker_id: -1,
                broker_epoch: -1,
                next_producer_id: self.next_producer_id.0,
            }));
        }
    }
}
