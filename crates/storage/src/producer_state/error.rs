//! Why a producer's batch is refused.

use klamm_record::{Offset, ProducerId};

/// Each variant stands for one of Kafka's exceptions; the server chooses the code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProducerStateError {
    /// A newer instance of the producer has written since (Kafka's `InvalidProducerEpochException`).
    #[error(
        "epoch of producer {producer_id} at offset {offset} is {epoch}, but {current} was seen already \
         (transaction version {transaction_version})"
    )]
    InvalidProducerEpoch {
        /// The producer.
        producer_id: ProducerId,
        /// Where the batch would begin.
        offset: Offset,
        /// The batch's epoch.
        epoch: i16,
        /// The epoch known.
        current: i16,
        /// 2 for markers of transactions v2, else 0 or 1; −1 for data.
        transaction_version: i16,
    },
    /// Records are missing before these (Kafka's `OutOfOrderSequenceException`).
    #[error(
        "out of order sequence number for producer {producer_id} epoch {epoch} at offset {offset}: {sequence} \
         (incoming), {current} (current end, epoch {current_epoch})"
    )]
    OutOfOrderSequence {
        /// The producer.
        producer_id: ProducerId,
        /// The batch's epoch.
        epoch: i16,
        /// Where the batch would begin.
        offset: Offset,
        /// The batch's first sequence.
        sequence: i32,
        /// The last sequence known, −1 for none.
        current: i32,
        /// The epoch known, −1 for none.
        current_epoch: i16,
    },
    /// Data outside a transaction while one is open (Kafka's `InvalidTxnStateException`).
    #[error(
        "producer {producer_id} has a transaction open since offset {txn_first_offset} and sent data outside of it at \
         offset {offset}"
    )]
    InvalidTxnState {
        /// The producer.
        producer_id: ProducerId,
        /// Where the batch would begin.
        offset: Offset,
        /// Where the open transaction begins.
        txn_first_offset: Offset,
    },
    /// The marker comes from a coordinator that has been replaced (Kafka's `TransactionCoordinatorFencedException`).
    #[error(
        "coordinator epoch {epoch} for producer {producer_id} at offset {offset} is a zombie's, the current one is {current}"
    )]
    CoordinatorFenced {
        /// The producer.
        producer_id: ProducerId,
        /// Where the marker would lie.
        offset: Offset,
        /// The marker's coordinator epoch.
        epoch: i32,
        /// The coordinator epoch known.
        current: i32,
    },
}
