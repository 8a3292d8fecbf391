//! Errors of `record`: what a producer's batch may be refused for.

use klamm_protocol::ErrorCode;
use klamm_record::log_validator::ValidationError;

use super::{KafkaError, ToKafkaError};

impl ToKafkaError for ValidationError {
    fn to_kafka_error(&self) -> KafkaError {
        let code = match self {
            ValidationError::Corrupt(_) => ErrorCode::CorruptMessage,
            ValidationError::TooLarge { .. } | ValidationError::DecompressedTooLarge { .. } => {
                ErrorCode::MessageTooLarge
            }
            ValidationError::UnsupportedCodec { .. } => ErrorCode::UnsupportedCompressionType,
            ValidationError::InvalidTimestamp { .. } => ErrorCode::InvalidTimestamp,
            ValidationError::Recompress(_) => ErrorCode::UnknownServerError,
            _ => ErrorCode::InvalidRecord,
        };
        KafkaError::new(code, self.to_string())
    }
}
