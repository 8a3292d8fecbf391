//! One session: its partitions, in the order in which they are read next.

use std::collections::BTreeMap;

use klamm_env::Instant;
use klamm_record::{TopicId, TopicPartition};

use super::{PartitionKey, WantedPartition};

/// What was told of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent {
    /// There were records.
    pub has_records: bool,
    /// There was an error.
    pub error: bool,
    /// The client was told to truncate.
    pub diverging: bool,
    /// As told; −1 with an error.
    pub high_watermark: i64,
    /// As told; −1 with an error.
    pub log_start_offset: i64,
}

/// A partition of a session with what its client knows.
#[derive(Debug, Clone)]
pub(super) struct CachedPartition {
    pub wanted: WantedPartition,
    high_watermark: i64,
    log_start_offset: i64,
}

impl CachedPartition {
    pub fn new(wanted: WantedPartition) -> Self {
        Self { wanted, high_watermark: -1, log_start_offset: -1 }
    }

    /// Takes over what is about to be told; true if it must be told at all (Kafka's `maybeUpdateResponseData`).
    pub fn must_tell(&mut self, sent: &Sent) -> bool {
        let changed = sent.has_records
            || sent.error
            || sent.diverging
            || self.high_watermark != sent.high_watermark
            || self.log_start_offset != sent.log_start_offset;
        self.log_start_offset = sent.log_start_offset;
        // After an error everything is told again, so that the client sees that it is over.
        self.high_watermark = if sent.error { -1 } else { sent.high_watermark };
        changed
    }
}

/// A partition's name within its session.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Name {
    ById(TopicId, i32),
    ByName(TopicPartition),
}

impl Name {
    fn of(key: &PartitionKey, by_id: bool) -> Name {
        if by_id {
            Name::ById(key.topic_id, key.topic_partition.partition)
        } else {
            Name::ByName(key.topic_partition.clone())
        }
    }
}

/// A client's session.
#[derive(Debug)]
pub(super) struct Session {
    pub epoch: i32,
    pub uses_topic_ids: bool,
    pub created: Instant,
    pub last_used: Instant,
    /// By place: lower ones are read first.
    order: BTreeMap<u64, CachedPartition>,
    places: BTreeMap<Name, u64>,
    next_place: u64,
}

impl Session {
    /// Without partitions, after its first request.
    pub fn new(uses_topic_ids: bool, now: Instant) -> Self {
        Self {
            epoch: 1,
            uses_topic_ids,
            created: now,
            last_used: now,
            order: BTreeMap::new(),
            places: BTreeMap::new(),
            next_place: 0,
        }
    }

    /// Takes over what a request changes. New partitions come last.
    pub fn update(&mut self, changed: Vec<WantedPartition>, forgotten: &[PartitionKey]) {
        for wanted in changed {
            self.want(wanted);
        }
        for key in forgotten {
            if let Some(place) = self.places.remove(&Name::of(key, self.uses_topic_ids)) {
                self.order.remove(&place);
            }
        }
    }

    /// Adds a partition, or changes what is wanted of it.
    pub fn want(&mut self, wanted: WantedPartition) -> &mut CachedPartition {
        let place = *self
            .places
            .entry(Name::of(&wanted.key, self.uses_topic_ids))
            .or_insert_with(|| next(&mut self.next_place));
        let cached = self.order.entry(place);
        cached
            .and_modify(|cached| cached.wanted = wanted.clone())
            .or_insert_with(|| CachedPartition::new(wanted))
    }

    /// The partitions with their places, in the order in which they are read.
    pub fn partitions(&self) -> impl Iterator<Item = (u64, &WantedPartition)> {
        self.order.iter().map(|(place, cached)| (*place, &cached.wanted))
    }

    /// How many partitions there are.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// The partition at a place.
    pub fn at(&mut self, place: u64) -> Option<&mut CachedPartition> {
        self.order.get_mut(&place)
    }

    /// Lets the partition at a place be read last from now on.
    pub fn move_to_back(&mut self, place: u64) {
        let Some(cached) = self.order.remove(&place) else { return };
        let last = next(&mut self.next_place);
        self.places.insert(Name::of(&cached.wanted.key, self.uses_topic_ids), last);
        self.order.insert(last, cached);
    }

    /// After each request; wraps to 1, since 0 begins a session.
    pub fn next_epoch(&mut self) {
        self.epoch = if self.epoch == i32::MAX { 1 } else { self.epoch + 1 };
    }
}

fn next(place: &mut u64) -> u64 {
    let taken = *place;
    *place += 1;
    taken
}
