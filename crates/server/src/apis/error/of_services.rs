//! Errors of the controller and of the producer id manager.

use klamm_coordinator::transaction::ProducerIdError;
use klamm_protocol::ErrorCode;
use klamm_quorum::ControllerError;

use super::{KafkaError, ToKafkaError};

impl ToKafkaError for ControllerError {
    fn to_kafka_error(&self) -> KafkaError {
        let code = match self {
            ControllerError::Stopped => ErrorCode::NotController,
            ControllerError::DiskFull => ErrorCode::KafkaStorageError,
            ControllerError::Encoding(_) | ControllerError::BadRecords { .. } => {
                ErrorCode::UnknownServerError
            }
        };
        KafkaError::new(code, self.to_string())
    }
}

impl ToKafkaError for ProducerIdError {
    fn to_kafka_error(&self) -> KafkaError {
        KafkaError::new(ErrorCode::CoordinatorLoadInProgress, self.to_string())
    }
}
