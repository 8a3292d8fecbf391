//! What is known of one producer.

use klamm_record::{BatchHeader, Offset};

/// How many batches are remembered for each producer, as in Kafka: clients keep at most this many in flight.
const BATCHES_MAX: usize = 5;
/// Kafka's "no producer epoch".
pub const NO_PRODUCER_EPOCH: i16 = -1;
/// Kafka's "no sequence".
pub const NO_SEQUENCE: i32 = -1;

/// One remembered batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchMetadata {
    /// Sequence of its last record.
    pub last_sequence: i32,
    /// Last offset minus first offset.
    pub offset_delta: i32,
    /// Its last offset, inclusive.
    pub last_offset: Offset,
    /// Its largest timestamp, Unix ms.
    pub timestamp_ms: i64,
}

impl BatchMetadata {
    const EMPTY: Self = Self {
        last_sequence: NO_SEQUENCE,
        offset_delta: 0,
        last_offset: Offset(-1),
        timestamp_ms: -1,
    };

    /// Its first offset.
    pub fn first_offset(&self) -> Offset {
        Offset(self.last_offset.0.wrapping_sub(i64::from(self.offset_delta)))
    }

    /// Sequence of its first record; sequences wrap from `i32::MAX` to 0.
    pub fn first_sequence(&self) -> i32 {
        if self.last_sequence >= self.offset_delta {
            return self.last_sequence.wrapping_sub(self.offset_delta);
        }
        i32::MAX.wrapping_sub(self.offset_delta.wrapping_sub(self.last_sequence)).wrapping_add(1)
    }
}

/// The last batches, oldest first; inline, so that an append allocates nothing.
#[derive(Debug, Clone, Copy)]
struct RecentBatches {
    count: u8,
    batches: [BatchMetadata; BATCHES_MAX],
}

impl RecentBatches {
    const EMPTY: Self = Self { count: 0, batches: [BatchMetadata::EMPTY; BATCHES_MAX] };

    fn as_slice(&self) -> &[BatchMetadata] {
        &self.batches[..usize::from(self.count)]
    }

    fn push(&mut self, batch: BatchMetadata) {
        if usize::from(self.count) == BATCHES_MAX {
            self.batches.rotate_left(1);
            self.count -= 1;
        }
        self.batches[usize::from(self.count)] = batch;
        self.count += 1;
    }
}

/// State of one producer in one partition (Kafka's `ProducerStateEntry`).
#[derive(Debug, Clone, Copy)]
pub struct ProducerStateEntry {
    /// −1 if not known, for instance because all it wrote was deleted.
    pub producer_epoch: i16,
    /// Epoch of the coordinator that wrote the last marker; −1 if none did.
    pub coordinator_epoch: i32,
    /// Timestamp of its last batch or marker, Unix ms; −1 if none.
    pub last_timestamp_ms: i64,
    /// Where its open transaction begins.
    pub current_txn_first_offset: Option<Offset>,
    recent: RecentBatches,
}

impl ProducerStateEntry {
    /// A producer that has written nothing.
    pub const EMPTY: Self = Self {
        producer_epoch: NO_PRODUCER_EPOCH,
        coordinator_epoch: -1,
        last_timestamp_ms: -1,
        current_txn_first_offset: None,
        recent: RecentBatches::EMPTY,
    };

    /// The remembered batches of the current epoch, oldest first.
    pub fn batches(&self) -> &[BatchMetadata] {
        self.recent.as_slice()
    }

    /// Whether no batch of the current epoch is remembered.
    pub fn is_empty(&self) -> bool {
        self.recent.count == 0
    }

    /// The last batch.
    pub fn last_batch(&self) -> Option<&BatchMetadata> {
        self.batches().last()
    }

    /// Sequence of the last record; −1 if none is known.
    pub fn last_sequence(&self) -> i32 {
        self.last_batch().map_or(NO_SEQUENCE, |batch| batch.last_sequence)
    }

    /// Offset of the last data record; −1 if none is known.
    pub fn last_data_offset(&self) -> Offset {
        self.last_batch().map_or(Offset(-1), |batch| batch.last_offset)
    }

    /// The remembered batch that has the epoch and exactly the sequences of `header`: a client sent it again.
    pub fn find_duplicate(&self, header: &BatchHeader) -> Option<BatchMetadata> {
        if header.producer_epoch != self.producer_epoch || header.base_sequence < 0 {
            return None;
        }
        let (first, last) = (header.base_sequence, header.last_sequence());
        self.batches()
            .iter()
            .find(|batch| batch.first_sequence() == first && batch.last_sequence == last)
            .copied()
    }

    /// Remembers a batch; one of another epoch pushes out those of the old.
    pub fn add_batch(&mut self, producer_epoch: i16, batch: BatchMetadata) {
        self.take_epoch(producer_epoch);
        self.recent.push(batch);
        self.last_timestamp_ms = batch.timestamp_ms;
    }

    /// Completes the remembered batches with older ones that a snapshot does not keep, if `batches` (of the same epoch, oldest
    /// first) ends with the last batch known.
    pub(super) fn restore_recent(&mut self, producer_epoch: i16, batches: &[BatchMetadata]) {
        if producer_epoch != self.producer_epoch || batches.last() != self.last_batch() {
            return;
        }
        self.recent = RecentBatches::EMPTY;
        for batch in batches {
            self.recent.push(*batch);
        }
    }

    /// Ends the open transaction with a marker.
    pub(super) fn take_marker(&mut self, epoch: i16, coordinator_epoch: i32, timestamp_ms: i64) {
        self.take_epoch(epoch);
        self.coordinator_epoch = coordinator_epoch;
        self.last_timestamp_ms = timestamp_ms;
        self.current_txn_first_offset = None;
    }

    /// Takes over what an append brought.
    pub(super) fn update(&mut self, next: &Self) {
        self.take_epoch(next.producer_epoch);
        for batch in next.batches() {
            self.recent.push(*batch);
        }
        self.coordinator_epoch = next.coordinator_epoch;
        self.current_txn_first_offset = next.current_txn_first_offset;
        self.last_timestamp_ms = next.last_timestamp_ms;
    }

    /// The same state without its batches: what an append starts from.
    pub(super) fn without_batches(&self) -> Self {
        Self { recent: RecentBatches::EMPTY, ..*self }
    }

    fn take_epoch(&mut self, producer_epoch: i16) {
        if self.producer_epoch != producer_epoch {
            self.recent = RecentBatches::EMPTY;
            self.producer_epoch = producer_epoch;
        }
    }
}

impl PartialEq for ProducerStateEntry {
    fn eq(&self, other: &Self) -> bool {
        let fields = |e: &Self| {
            (e.producer_epoch, e.coordinator_epoch, e.last_timestamp_ms, e.current_txn_first_offset)
        };
        fields(self) == fields(other) && self.batches() == other.batches()
    }
}

impl Eq for ProducerStateEntry {}
