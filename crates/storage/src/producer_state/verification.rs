//! A producer that is being verified with its transaction coordinator before its first transactional write (KIP-890).

/// Kept until data or a marker is written (Kafka's `VerificationStateEntry`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VerificationStateEntry {
    /// When verification began, Unix ms.
    pub timestamp_ms: i64,
    /// Unique in this partition for the life of the process; an append carries it to prove that it was verified.
    pub guard: u64,
    /// The lowest sequence seen; a higher one may not be written before it.
    pub lowest_sequence: i32,
    /// The epoch seen.
    pub epoch: i16,
    /// Whether the client speaks transactions v2, and so must start at sequence 0.
    pub supports_epoch_bump: bool,
}

impl VerificationStateEntry {
    /// Takes another batch that wants verification: a lower sequence of the same epoch, or a higher epoch, replaces what is known.
    pub(super) fn see(&mut self, sequence: i32, epoch: i16) {
        if epoch == self.epoch {
            self.lowest_sequence = self.lowest_sequence.min(sequence);
        }
        if epoch > self.epoch {
            (self.epoch, self.lowest_sequence) = (epoch, sequence);
        }
    }
}
