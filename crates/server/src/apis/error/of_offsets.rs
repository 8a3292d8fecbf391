//! Errors of `replica` that ListOffsets alone knows.

use klamm_protocol::ErrorCode;
use klamm_replica::ListOffsetError;

use super::{KafkaError, ToKafkaError};

impl ToKafkaError for ListOffsetError {
    fn to_kafka_error(&self) -> KafkaError {
        match self {
            ListOffsetError::Partition(error) => error.to_kafka_error(),
            ListOffsetError::NotAvailable { .. } => {
                KafkaError::new(ErrorCode::OffsetNotAvailable, self.to_string())
            }
        }
    }
}
