//! Checks what one producer appends, and gathers the change to its state.

use klamm_record::{BatchHeader, Offset, ProducerId};

use super::transactions::CompletedTxn;
use super::{
    BatchMetadata, NO_PRODUCER_EPOCH, NO_SEQUENCE, Origin, ProducerStateEntry, ProducerStateError,
    VerificationStateEntry,
};

/// The rule of [KIP-890] that data is checked by: none, as it is not a marker.
const NO_TRANSACTION_VERSION: i16 = -1;

/// How a transaction ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndTxnKind {
    /// Readers of committed data see it.
    Commit,
    /// They never do.
    Abort,
}

/// The content of a transaction marker, and the rule to check it by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndTxnMarker {
    /// How the transaction ended.
    pub kind: EndTxnKind,
    /// Epoch of the coordinator's partition.
    pub coordinator_epoch: i32,
    /// 2 or more: the marker's epoch must be above the producer's (KIP-890). It is not stored with the marker, so a marker that
    /// was replicated or read from disk carries 0.
    pub transaction_version: i16,
}

/// The batches of one producer in one append (Kafka's `ProducerAppendInfo`). Nothing changes in the manager before
/// [`super::ProducerStateManager::update`], so an append that fails leaves no trace.
#[derive(Debug)]
pub struct ProducerAppendInfo {
    producer_id: ProducerId,
    origin: Origin,
    current: ProducerStateEntry,
    updated: ProducerStateEntry,
    verification: Option<VerificationStateEntry>,
    started: Vec<Offset>,
}

impl ProducerAppendInfo {
    pub(super) fn new(
        producer_id: ProducerId,
        current: ProducerStateEntry,
        origin: Origin,
        verification: Option<VerificationStateEntry>,
    ) -> Self {
        let updated = current.without_batches();
        Self { producer_id, origin, current, updated, verification, started: Vec::new() }
    }

    /// The producer.
    pub fn producer_id(&self) -> ProducerId {
        self.producer_id
    }

    /// The state after the append.
    pub fn updated(&self) -> &ProducerStateEntry {
        &self.updated
    }

    pub(super) fn started(&self) -> &[Offset] {
        &self.started
    }

    /// Takes one batch that begins at `first_offset`. `marker` is what the control record of a control batch says; a control batch
    /// without one (compaction took it, or it is no transaction marker) changes nothing. Answers the transaction that the batch ends.
    ///
    /// # Errors
    /// If the batch is to be refused; never for [`Origin::Replication`], except data outside an open transaction.
    pub fn append(
        &mut self,
        header: &BatchHeader,
        marker: Option<EndTxnMarker>,
        first_offset: Offset,
    ) -> Result<Option<CompletedTxn>, ProducerStateError> {
        if !header.is_control() {
            return self.append_data(header, first_offset).map(|()| None);
        }
        match marker {
            Some(marker) => self.append_marker(header, marker, first_offset),
            None => Ok(None),
        }
    }

    fn append_data(
        &mut self,
        header: &BatchHeader,
        first_offset: Offset,
    ) -> Result<(), ProducerStateError> {
        let epoch = header.producer_epoch;
        self.check_epoch(epoch, first_offset, NO_TRANSACTION_VERSION)?;
        if self.origin == Origin::Client {
            self.check_sequence(epoch, header.base_sequence, first_offset)?;
        }
        let last_offset =
            Offset(first_offset.0.saturating_add(i64::from(header.last_offset_delta)));
        self.updated.add_batch(
            epoch,
            BatchMetadata {
                last_sequence: header.last_sequence(),
                offset_delta: header.last_offset_delta,
                last_offset,
                timestamp_ms: header.max_timestamp_ms,
            },
        );
        match (self.updated.current_txn_first_offset, header.is_transactional()) {
            (Some(txn_first_offset), false) => Err(ProducerStateError::InvalidTxnState {
                producer_id: self.producer_id,
                offset: first_offset,
                txn_first_offset,
            }),
            (None, true) => {
                self.updated.current_txn_first_offset = Some(first_offset);
                self.started.push(first_offset);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn append_marker(
        &mut self,
        header: &BatchHeader,
        marker: EndTxnMarker,
        offset: Offset,
    ) -> Result<Option<CompletedTxn>, ProducerStateError> {
        self.check_epoch(header.producer_epoch, offset, marker.transaction_version.max(0))?;
        self.check_coordinator_epoch(marker, offset)?;
        // a marker without data moves no last stable offset and belongs in no index
        let completed = self.updated.current_txn_first_offset.map(|first_offset| CompletedTxn {
            producer_id: self.producer_id,
            first_offset,
            last_offset: offset,
            kind: marker.kind,
        });
        self.updated.take_marker(
            header.producer_epoch,
            marker.coordinator_epoch,
            header.max_timestamp_ms,
        );
        Ok(completed)
    }

    fn check_epoch(
        &self,
        epoch: i16,
        offset: Offset,
        transaction_version: i16,
    ) -> Result<(), ProducerStateError> {
        let current = self.updated.producer_epoch;
        let valid = if transaction_version >= 2 {
            // an equal epoch is the same marker once more, if no transaction is open (KAFKA-19999); at the top of the range it
            // cannot rise, and is let through so that the transaction can end
            let again = self.updated.current_txn_first_offset.is_none() || epoch == i16::MAX;
            epoch > current || (epoch == current && again)
        } else {
            epoch >= current
        };
        if valid {
            return Ok(());
        }
        let error = ProducerStateError::InvalidProducerEpoch {
            producer_id: self.producer_id,
            offset,
            epoch,
            current,
            transaction_version,
        };
        self.refuse_or_warn(error)
    }

    fn check_coordinator_epoch(
        &self,
        marker: EndTxnMarker,
        offset: Offset,
    ) -> Result<(), ProducerStateError> {
        let current = self.updated.coordinator_epoch;
        if current <= marker.coordinator_epoch {
            return Ok(());
        }
        self.refuse_or_warn(ProducerStateError::CoordinatorFenced {
            producer_id: self.producer_id,
            offset,
            epoch: marker.coordinator_epoch,
            current,
        })
    }

    /// What the leader has taken, a follower takes too.
    fn refuse_or_warn(&self, error: ProducerStateError) -> Result<(), ProducerStateError> {
        if self.origin != Origin::Replication {
            return Err(error);
        }
        tracing::warn!(%error, "the leader's log holds a batch that would be refused");
        Ok(())
    }

    fn check_sequence(
        &self,
        epoch: i16,
        sequence: i32,
        offset: Offset,
    ) -> Result<(), ProducerStateError> {
        let refused = |current: i32| ProducerStateError::OutOfOrderSequence {
            producer_id: self.producer_id,
            epoch,
            offset,
            sequence,
            current,
            current_epoch: self.updated.producer_epoch,
        };
        if let Some(verification) = self.verification {
            if verification.supports_epoch_bump && sequence != 0 && self.current.is_empty() {
                return Err(refused(NO_SEQUENCE));
            }
            if sequence > verification.lowest_sequence {
                return Err(refused(verification.lowest_sequence));
            }
        }
        if epoch != self.updated.producer_epoch {
            let known = self.updated.producer_epoch != NO_PRODUCER_EPOCH;
            return if sequence != 0 && known { Err(refused(NO_SEQUENCE)) } else { Ok(()) };
        }
        // without a known epoch any sequence is taken: all that the producer wrote may have been deleted
        if self.current.producer_epoch == NO_PRODUCER_EPOCH {
            return Ok(());
        }
        let last = if !self.updated.is_empty() {
            self.updated.last_sequence()
        } else if epoch == self.current.producer_epoch {
            self.current.last_sequence()
        } else {
            NO_SEQUENCE
        };
        let follows = i64::from(sequence) == i64::from(last) + 1;
        if follows || (sequence == 0 && last == i32::MAX) { Ok(()) } else { Err(refused(last)) }
    }
}
