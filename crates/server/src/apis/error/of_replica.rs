//! Errors of `replica` and `storage`.

use klamm_protocol::ErrorCode;
use klamm_replica::{AppendError, DeleteRecordsError, FetchError, LookupError, PartitionError};
use klamm_storage::producer_state::ProducerStateError;
use klamm_storage::{AppendError as LogAppendError, ReadError};

use super::{KafkaError, ToKafkaError};

impl ToKafkaError for LookupError {
    fn to_kafka_error(&self) -> KafkaError {
        match self {
            // Kafka gives both without a text of their own
            LookupError::UnknownTopicOrPartition(_) => {
                KafkaError::code(ErrorCode::UnknownTopicOrPartition)
            }
            LookupError::InconsistentTopicId { .. } => KafkaError::code(ErrorCode::UnknownTopicId),
        }
    }
}

impl ToKafkaError for PartitionError {
    fn to_kafka_error(&self) -> KafkaError {
        let code = match self {
            PartitionError::NotLeader { .. } | PartitionError::Closed(_) => {
                ErrorCode::NotLeaderOrFollower
            }
            PartitionError::FencedLeaderEpoch { .. } => ErrorCode::FencedLeaderEpoch,
            PartitionError::UnknownLeaderEpoch { .. } => ErrorCode::UnknownLeaderEpoch,
            PartitionError::Offline { .. } => ErrorCode::KafkaStorageError,
        };
        KafkaError::new(code, self.to_string())
    }
}

impl ToKafkaError for AppendError {
    fn to_kafka_error(&self) -> KafkaError {
        let code = match self {
            AppendError::Partition(error) => return error.to_kafka_error(),
            AppendError::Log(error) => return error.to_kafka_error(),
            AppendError::NotEnoughReplicas { .. } => ErrorCode::NotEnoughReplicas,
            AppendError::NotEnoughReplicasAfterAppend { .. } => {
                ErrorCode::NotEnoughReplicasAfterAppend
            }
            AppendError::TimedOut => ErrorCode::RequestTimedOut,
        };
        KafkaError::new(code, self.to_string())
    }
}

impl ToKafkaError for LogAppendError {
    fn to_kafka_error(&self) -> KafkaError {
        let code = match self {
            LogAppendError::Producer(error) => return error.to_kafka_error(),
            LogAppendError::BatchTooLarge { .. } => ErrorCode::RecordListTooLarge,
            LogAppendError::UnexpectedOffset { .. }
            | LogAppendError::HigherLeaderEpoch { .. }
            | LogAppendError::BadMarker { .. } => ErrorCode::InvalidRecord,
            LogAppendError::Io(_) | LogAppendError::Offline(_) => ErrorCode::KafkaStorageError,
        };
        KafkaError::new(code, self.to_string())
    }
}

impl ToKafkaError for ProducerStateError {
    fn to_kafka_error(&self) -> KafkaError {
        let code = match self {
            ProducerStateError::InvalidProducerEpoch { .. } => ErrorCode::InvalidProducerEpoch,
            ProducerStateError::OutOfOrderSequence { .. } => ErrorCode::OutOfOrderSequenceNumber,
            ProducerStateError::InvalidTxnState { .. } => ErrorCode::InvalidTxnState,
            ProducerStateError::CoordinatorFenced { .. } => ErrorCode::TransactionCoordinatorFenced,
        };
        KafkaError::new(code, self.to_string())
    }
}

impl ToKafkaError for ReadError {
    fn to_kafka_error(&self) -> KafkaError {
        let code = match self {
            ReadError::OffsetOutOfRange { .. } => ErrorCode::OffsetOutOfRange,
            ReadError::Io(_) => ErrorCode::KafkaStorageError,
        };
        KafkaError::new(code, self.to_string())
    }
}

impl ToKafkaError for FetchError {
    fn to_kafka_error(&self) -> KafkaError {
        match self {
            FetchError::Lookup(error) => error.to_kafka_error(),
            FetchError::Partition(error) => error.to_kafka_error(),
            FetchError::Read(error) => error.to_kafka_error(),
        }
    }
}

impl ToKafkaError for DeleteRecordsError {
    fn to_kafka_error(&self) -> KafkaError {
        let code = match self {
            DeleteRecordsError::Partition(error) => return error.to_kafka_error(),
            DeleteRecordsError::Policy(_) => ErrorCode::PolicyViolation,
            DeleteRecordsError::OffsetOutOfRange { .. } => ErrorCode::OffsetOutOfRange,
        };
        KafkaError::new(code, self.to_string())
    }
}
