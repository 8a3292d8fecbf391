//! The checks: what a consumer sees, and what a whole log holds.

use std::collections::BTreeSet;

use super::{Fate, History, Place, Sent, State, id_of};
use crate::batches::{FoundBatch, FoundRecord};

/// Where the part of a batch begins that a leader does not touch: behind base offset, length and leader epoch.
const UNTOUCHED_FROM: usize = 16;

/// A whole log as a consumer reads it.
pub struct FoundLog<'a> {
    /// First offset that can be read.
    pub log_start: i64,
    /// One behind the last.
    pub log_end: i64,
    /// From the one that holds `log_start` on.
    pub batches: &'a [FoundBatch],
    /// When it was read, in Unix ms.
    pub now_ms: i64,
}

impl History {
    /// A consumer got these batches. `generation` is from when it asked.
    pub fn observe(
        &self,
        place: &Place,
        batches: &[FoundBatch],
        high_watermark: i64,
        generation: u64,
    ) {
        let mut state = self.state.lock();
        if generation != state.generation {
            return;
        }
        for batch in batches {
            let last = batch.header.last_offset().0;
            assert!(
                last < high_watermark,
                "{place:?}: a consumer got offset {last} at high watermark {high_watermark}"
            );
            state.check_batch(place, batch);
        }
    }

    /// Compares a whole log with what clients know, and takes it for the truth where they were in doubt.
    pub fn verify(&self, place: &Place, found: &FoundLog<'_>) {
        let mut state = self.state.lock();
        state.check_start(place, found);
        let first = found.batches.first().map_or(found.log_end, |it| it.header.base_offset.0);
        let mut expected = first.min(found.log_start);
        let mut epoch = -1;
        let mut ids = BTreeSet::new();
        for batch in found.batches {
            let header = batch.header;
            assert_eq!(header.base_offset.0, expected, "{place:?}: offsets are not dense");
            assert!(
                header.partition_leader_epoch.0 >= epoch,
                "{place:?}: an epoch fell at {expected}"
            );
            epoch = header.partition_leader_epoch.0;
            state.check_batch(place, batch);
            for record in &batch.records {
                let id = id_of(record.value.as_ref()).expect("checked before");
                let first = ids.insert(id);
                assert!(first || !state.records[&id].once, "{place:?}: record {id} is there twice");
                state.settle(id, record.offset);
            }
            expected = header.last_offset().0 + 1;
        }
        assert_eq!(expected, found.log_end, "{place:?}: the log ends early");
        let current = state.places[place].leader_epoch;
        let known = current.is_some_and(|current| epoch <= current);
        assert!(known, "{place:?}: epoch {epoch} in the log, {current:?} in the metadata");
        state.check_complete(place, found, &ids);
    }
}

impl State {
    /// Each record of the batch was sent, to here, with these bytes, and nobody saw another at its offset.
    fn check_batch(&mut self, place: &Place, batch: &FoundBatch) {
        let base = batch.header.base_offset.0;
        let count = i64::from(batch.header.last_offset_delta) + 1;
        assert_eq!(batch.records.len() as i64, count, "{place:?}: gaps in the batch at {base}");
        let rules = self.places[place].rules;
        for (offset, record) in (base..).zip(&batch.records) {
            assert_eq!(record.offset, offset, "{place:?}: gaps in the batch at {base}");
            let id = id_of(record.value.as_ref());
            let sent = id.and_then(|id| self.records.get(&id));
            let Some((id, sent)) = id.zip(sent) else {
                panic!("{place:?}: nobody sent what is at {offset}: {record:?}");
            };
            assert_eq!(&sent.place, place, "record {id} at {offset} was sent elsewhere");
            check_bytes(sent, record, rules.as_sent);
            if let (Some(bytes), true) = (&sent.batch, rules.as_sent && offset == base) {
                let same = bytes[UNTOUCHED_FROM..] == batch.bytes[UNTOUCHED_FROM..];
                assert!(same, "{place:?}: the batch at {base} is not as it was sent");
            }
            let seen = self.places.get_mut(place).expect("declared").observed.entry(offset);
            let seen = *seen.or_insert(id);
            assert_eq!(seen, id, "{place:?}: offset {offset} had another record before");
        }
    }

    fn check_start(&self, place: &Place, found: &FoundLog<'_>) {
        let (at, start) = (&self.places[place], found.log_start);
        assert!(
            start >= at.start_min,
            "{place:?} starts at {start}, deleted up to {}",
            at.start_min
        );
        if at.rules.retention_ms.is_none() {
            assert!(start <= at.start_max, "{place:?} starts at {start}, after {}", at.start_max);
        }
    }

    /// The record is in the log at this offset.
    fn settle(&mut self, id: u64, offset: i64) {
        let sent = self.records.get_mut(&id).expect("checked before");
        match sent.fate {
            Fate::Gone => panic!("record {id} of {:?} came back at {offset}", sent.place),
            Fate::At(known) | Fate::MaybeAt(known) if sent.once => {
                assert_eq!(known, offset, "record {id} of {:?} moved", sent.place);
                sent.fate = Fate::At(offset);
            }
            Fate::MaybeAt(known) if known == offset => sent.fate = Fate::At(offset),
            Fate::Unknown if sent.once => sent.fate = Fate::At(offset),
            _ => {}
        }
    }

    /// Nothing is missing that must be there.
    fn check_complete(&mut self, place: &Place, found: &FoundLog<'_>, ids: &BTreeSet<u64>) {
        let at = &self.places[place];
        for (id, sent) in self.records.iter_mut().filter(|(_, sent)| sent.place == *place) {
            match sent.fate {
                Fate::At(offset) if offset >= found.log_end => {}
                Fate::At(offset) if offset < found.log_start => {
                    let age_ms = found.now_ms - sent.record.timestamp_ms;
                    let old = at.rules.retention_ms.is_some_and(|limit| age_ms > limit);
                    let deleted = offset < at.start_max;
                    assert!(
                        old || deleted,
                        "{place:?}: record {id} at {offset} is {age_ms} ms old"
                    );
                }
                Fate::At(offset) => {
                    assert!(
                        ids.contains(id),
                        "{place:?}: record {id}, acknowledged at {offset}, is lost"
                    );
                }
                Fate::MaybeAt(_) if ids.contains(id) => sent.fate = Fate::Unknown,
                Fate::MaybeAt(_) => sent.fate = Fate::Gone,
                Fate::Unknown | Fate::Gone => {}
            }
        }
    }
}

fn check_bytes(sent: &Sent, found: &FoundRecord, as_sent: bool) {
    let record = &sent.record;
    let same = found.key == record.key && found.value == record.value;
    assert!(same, "{:?}: the record at {} is not as it was sent", sent.place, found.offset);
    if as_sent {
        assert_eq!(found.timestamp_ms, record.timestamp_ms, "{:?} at {}", sent.place, found.offset);
    }
}
