//! Blocks of producer ids.

use super::{ApiError, Controller, ControllerResult};
use crate::records::{MetadataRecord, ProducerIdsRecord};
use klamm_protocol::ErrorCode;
use klamm_protocol::messages::allocate_producer_ids_request::AllocateProducerIdsRequest;
use klamm_protocol::messages::allocate_producer_ids_response::AllocateProducerIdsResponse;
use klamm_record::BrokerId;

/// Ids in a block.
pub const PRODUCER_ID_BLOCK_SIZE: i32 = 1000;

impl Controller {
    /// Gives a broker the next block of producer ids.
    pub fn allocate_producer_ids(
        &self,
        request: &AllocateProducerIdsRequest,
    ) -> ControllerResult<AllocateProducerIdsResponse> {
        match self.next_producer_ids(request) {
            Ok(record) => {
                let response = AllocateProducerIdsResponse {
                    producer_id_start: record.next_producer_id - i64::from(PRODUCER_ID_BLOCK_SIZE),
                    producer_id_len: PRODUCER_ID_BLOCK_SIZE,
                    ..AllocateProducerIdsResponse::default()
                };
                ControllerResult::of(vec![MetadataRecord::ProducerIds(record)], response)
            }
            Err(error) => {
                let error_code = error.code.code();
                let response = AllocateProducerIdsResponse {
                    error_code,
                    ..AllocateProducerIdsResponse::default()
                };
                ControllerResult::of(Vec::new(), response)
            }
        }
    }

    fn next_producer_ids(
        &self,
        request: &AllocateProducerIdsRequest,
    ) -> Result<ProducerIdsRecord, ApiError> {
        self.check_broker_epoch(BrokerId(request.broker_id), request.broker_epoch)?;
        let first = self.latest.image.producer_ids.next_producer_id.0.max(0);
        let next = first.checked_add(i64::from(PRODUCER_ID_BLOCK_SIZE)).ok_or_else(|| {
            ApiError::new(
                ErrorCode::UnknownServerError,
                "Exhausted all producerIds as the next block's end producerId has exceeded the int64 type limit",
            )
        })?;
        Ok(ProducerIdsRecord {
            broker_id: request.broker_id,
            broker_epoch: request.broker_epoch,
            next_producer_id: next,
        })
    }
}
