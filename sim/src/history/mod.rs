//! `History`: what clients sent and were told, and so what every log may and must hold.
//!
//! Invariants that it checks, each by a panic that says what was broken:
//! - what was acknowledged is there, at the offset that was told, byte for byte; after a power cut that holds for what
//!   had been synced, and the rest is there as it was or never again;
//! - offsets are dense; nothing is there that nobody sent; nothing is there twice that was sent under idempotence;
//! - two consumers never see different records at one offset, and none sees a record beyond the high watermark;
//! - leader epochs rise with every start, and never fall along a log;
//! - a log begins where DeleteRecords or retention allow it, and no later.

mod check;

pub use check::FoundLog;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use parking_lot::Mutex;

use crate::batches::NewRecord;

/// A topic's name and a partition of it.
pub type Place = (String, i32);

/// What is special about a partition.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rules {
    /// Records may go when they are older, in ms.
    pub retention_ms: Option<i64>,
    /// Batches are stored as they came: no other codec, no other timestamps.
    pub as_sent: bool,
}

/// What clients know. Cheap to clone; all clones are one.
#[derive(Clone, Default)]
pub struct History {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// Counts crashes that lose data.
    generation: u64,
    /// Counts starts of the node after the first.
    starts: u64,
    records: BTreeMap<u64, Sent>,
    places: BTreeMap<Place, PlaceState>,
    producers: BTreeMap<i64, ()>,
    acked: u64,
}

#[derive(Default)]
struct PlaceState {
    rules: Rules,
    /// What consumers have seen, by offset.
    observed: BTreeMap<i64, u64>,
    /// DeleteRecords may have moved the start up to here.
    start_max: i64,
    /// DeleteRecords has moved the start here, and no crash came after it.
    start_min: i64,
    leader_epoch: Option<i32>,
}

struct Sent {
    place: Place,
    record: NewRecord,
    /// The whole batch, with its first record only.
    batch: Option<Bytes>,
    /// Sent under idempotence.
    once: bool,
    fate: Fate,
}

/// What is known of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// Sent; it may be anywhere, or nowhere.
    Unknown,
    /// Acknowledged at this offset: it must be there.
    At(i64),
    /// Acknowledged at this offset, but a power cut came: it may be there.
    MaybeAt(i64),
    /// Acknowledged, and lost by a power cut: it must not come back.
    Gone,
}

/// A value that names its record: the number, then filling.
pub fn value(id: u64, filling: &[u8]) -> Bytes {
    let mut value = BytesMut::with_capacity(8 + filling.len());
    value.extend_from_slice(&id.to_be_bytes());
    value.extend_from_slice(filling);
    value.freeze()
}

fn id_of(value: Option<&Bytes>) -> Option<u64> {
    value?.first_chunk().map(|bytes| u64::from_be_bytes(*bytes))
}

impl History {
    /// Nothing has happened.
    pub fn new() -> History {
        History::default()
    }

    /// Makes a partition known.
    pub fn declare(&self, place: &Place, rules: Rules) {
        let state = PlaceState { rules, ..PlaceState::default() };
        self.state.lock().places.insert(place.clone(), state);
    }

    /// Every partition, in order.
    pub fn places(&self) -> Vec<Place> {
        self.state.lock().places.keys().cloned().collect()
    }

    /// How many crashes have lost data so far: what was asked before one and answered after it is in doubt.
    pub fn generation(&self) -> u64 {
        self.state.lock().generation
    }

    /// How many records were acknowledged.
    pub fn acked_count(&self) -> u64 {
        self.state.lock().acked
    }

    /// A producer id was handed out.
    pub fn producer_id(&self, id: i64) {
        let known = self.state.lock().producers.insert(id, ());
        assert!(known.is_none(), "producer id {id} was handed out twice");
    }

    /// The numbers for the next `count` records, of which the first is answered.
    pub fn next_id(&self) -> u64 {
        self.state.lock().records.last_key_value().map_or(0, |(id, _)| id + 1)
    }

    /// A batch is about to be sent; `records` are numbered from `first_id` on.
    pub fn sending(
        &self,
        place: &Place,
        first_id: u64,
        records: &[NewRecord],
        (batch, once): (&Bytes, bool),
    ) {
        let mut state = self.state.lock();
        for (id, record) in (first_id..).zip(records) {
            assert_eq!(id_of(record.value.as_ref()), Some(id), "values name their records");
            let sent = Sent {
                place: place.clone(),
                record: record.clone(),
                batch: (id == first_id).then(|| batch.clone()),
                once,
                fate: Fate::Unknown,
            };
            assert!(state.records.insert(id, sent).is_none(), "numbers are given once");
        }
    }

    /// A batch was acknowledged. `generation` is from when it was sent.
    pub fn acked(&self, first_id: u64, count: usize, base_offset: i64, generation: u64) {
        let mut state = self.state.lock();
        let in_doubt = generation != state.generation;
        state.acked += count as u64;
        for (id, offset) in (first_id..).zip(base_offset..).take(count) {
            let sent = state.records.get_mut(&id).expect("acknowledged after it was sent");
            if let (Fate::At(known), true) = (sent.fate, sent.once) {
                assert_eq!(known, offset, "record {id} of {:?} has two offsets", sent.place);
            }
            sent.fate = match (in_doubt, sent.fate) {
                (true, Fate::Unknown) => Fate::MaybeAt(offset),
                (true, known) => known,
                (false, _) => Fate::At(offset),
            };
        }
    }

    /// DeleteRecords is about to be asked for.
    pub fn deleting(&self, place: &Place, to: i64) {
        let mut state = self.state.lock();
        let place = state.places.get_mut(place).expect("declared");
        place.start_max = place.start_max.max(to);
    }

    /// DeleteRecords was answered. `generation` is from when it was asked for.
    pub fn deleted(&self, place: &Place, low_watermark: i64, generation: u64) {
        let mut state = self.state.lock();
        let current = state.generation;
        let at = state.places.get_mut(place).expect("declared");
        let allowed = low_watermark <= at.start_max || at.rules.retention_ms.is_some();
        assert!(
            allowed,
            "{place:?} starts at {low_watermark}, nobody asked for more than {}",
            at.start_max
        );
        if generation == current {
            at.start_min = at.start_min.max(low_watermark);
        }
    }

    /// The partition was made, or the node was started; this is the partition's leader epoch now.
    pub fn started(&self, place: &Place, leader_epoch: i32) {
        let mut state = self.state.lock();
        let at = state.places.get_mut(place).expect("declared");
        assert!(
            at.leader_epoch.is_none_or(|before| before < leader_epoch),
            "the leader epoch of {place:?} was {:?} before the start and is {leader_epoch} after it",
            at.leader_epoch
        );
        at.leader_epoch = Some(leader_epoch);
    }

    /// How often the node has gone down so far.
    pub fn starts(&self) -> u64 {
        self.state.lock().starts
    }

    /// The node has gone down, in whatever way.
    pub fn stopped(&self) {
        self.state.lock().starts += 1;
    }

    /// The process was killed. Its files are as they were; where logs start may be forgotten, as in Kafka.
    pub fn killed(&self) {
        let mut state = self.state.lock();
        state.places.values_mut().for_each(|place| place.start_min = 0);
    }

    /// The power was cut when so much of each log had been synced.
    pub fn power_lost(&self, synced: &BTreeMap<Place, i64>) {
        let mut state = self.state.lock();
        state.generation += 1;
        let State { places, records, .. } = &mut *state;
        let synced = |place: &Place| synced.get(place).copied().unwrap_or(0);
        for (place, at) in places {
            at.start_min = 0;
            at.observed.split_off(&synced(place));
        }
        for sent in records.values_mut() {
            if let Fate::At(offset) = sent.fate
                && offset >= synced(&sent.place)
            {
                sent.fate = Fate::MaybeAt(offset);
            }
        }
    }
}
