//! Appending: each batch is admitted or answered, those admitted go to the file in one write.

use std::io::{self, IoSlice};
use std::sync::Arc;

use klamm_record::LeaderEpoch;
use klamm_record::batch::HEADER_BYTES;

use super::group::{Admitted, Group};
use super::{AppendError, AppendInfo, AppendItem, LogAppender, Origin, Progress};
use crate::log_segment::RollParams;
use crate::unified_log::OffsetMetadata;

/// What becomes of an item.
enum Admission {
    /// It has its answer without a write: refused, or a duplicate.
    Answer(Result<AppendInfo, AppendError>),
    /// It goes into the write at hand.
    Join(Admitted),
    /// The write at hand must come first: the same producer is in it.
    AfterGroup,
    /// It does not fit into the active segment.
    NeedsRoll,
}

impl LogAppender {
    /// Appends the items that have no answer yet, in order, with as few writes as possible (as a rule one), without copying
    /// their records. Runs inline: it writes to the page cache, looks at no other file than those of the active segment, and
    /// never rolls.
    ///
    /// Producer sequences are checked (KIP-98): a duplicate is answered with the offsets it got the first time.
    pub fn append(&mut self, items: &mut [AppendItem], now_ms: i64) -> Progress {
        let mut group = Group::new(self.log.log_end_offset());
        let mut at = 0;
        while let Some(item) = items.get_mut(at) {
            if item.result.is_some() {
                at += 1;
                continue;
            }
            match self.admit(item, &group, now_ms) {
                Admission::Answer(result) => {
                    item.result = Some(result);
                    at += 1;
                }
                Admission::Join(admitted) => {
                    group.push(at, item, admitted);
                    at += 1;
                }
                Admission::AfterGroup => self.write(items, &mut group, now_ms),
                Admission::NeedsRoll => {
                    self.roll_to = (item.origin == Origin::Replication)
                        .then_some(item.batch.header.base_offset);
                    self.write(items, &mut group, now_ms);
                    return Progress::NeedsRoll { at };
                }
            }
        }
        self.write(items, &mut group, now_ms);
        Progress::Done
    }

    fn admit(&self, item: &mut AppendItem, group: &Group, now_ms: i64) -> Admission {
        if let Some(reason) = self.log.offline_reason() {
            return Admission::Answer(Err(AppendError::Offline(reason)));
        }
        if let Err(error) = self.place(item, group) {
            return Admission::Answer(Err(error));
        }
        if group.has_producer(item.batch.header.producer_id) {
            return Admission::AfterGroup;
        }
        let admitted = match self.check_producer(item) {
            Ok(Ok(admitted)) => admitted,
            Ok(Err(duplicate)) => return Admission::Answer(Ok(duplicate)),
            Err(error) => return Admission::Answer(Err(error)),
        };
        match self.must_roll(item, group, now_ms) {
            Ok(false) => Admission::Join(admitted),
            Ok(true) => Admission::NeedsRoll,
            Err(error) => Admission::Answer(Err(AppendError::Io(error.into()))),
        }
    }

    /// Gives the batch its offset and epoch; for a replicated one, checks those it has.
    fn place(&self, item: &mut AppendItem, group: &Group) -> Result<(), AppendError> {
        let batch_bytes = item.batch.size_bytes() as u64;
        let header = &mut item.batch.header;
        if item.origin == Origin::Replication {
            let (base_offset, next_offset) = (header.base_offset, group.next_offset());
            if base_offset < next_offset {
                return Err(AppendError::UnexpectedOffset { base_offset, next_offset });
            }
            let (batch_epoch, current_epoch) = (header.partition_leader_epoch, item.leader_epoch);
            if batch_epoch != LeaderEpoch::NONE && batch_epoch > current_epoch {
                return Err(AppendError::HigherLeaderEpoch { batch_epoch, current_epoch });
            }
            return Ok(());
        }
        header.base_offset = group.next_offset();
        header.partition_leader_epoch = item.leader_epoch;
        let segment_bytes = u64::from(self.log.config().segment_bytes);
        if batch_bytes > segment_bytes {
            return Err(AppendError::BatchTooLarge { batch_bytes, segment_bytes });
        }
        Ok(())
    }

    fn must_roll(&self, item: &AppendItem, group: &Group, now_ms: i64) -> io::Result<bool> {
        let config = self.log.config();
        let header = &item.batch.header;
        self.log.segments.load().active().should_roll(&RollParams {
            segment_ms: config.max_segment_ms(),
            segment_bytes: u64::from(config.segment_bytes),
            pending_bytes: group.bytes(),
            pending_batches: group.len() as u32,
            batch_bytes: header.size_bytes() as u64,
            max_timestamp_ms: header.max_timestamp_ms,
            last_offset: header.last_offset(),
            now_ms,
        })
    }

    /// Writes the group and answers its items.
    fn write(&mut self, items: &mut [AppendItem], group: &mut Group, now_ms: i64) {
        if group.is_empty() {
            return;
        }
        self.dirty = true;
        let outcome = self.write_bytes(items, group);
        let members = group.take();
        match outcome {
            Ok(()) => {
                self.publish(items, members, now_ms);
                let end = self.log.log_end_offset();
                *group = Group::new(end);
            }
            Err(error) => {
                self.cut_back(&error);
                for member in members {
                    items[member.at].result = Some(Err(AppendError::Io((&error).into())));
                }
                *group = Group::new(self.log.log_end_offset());
            }
        }
    }

    fn write_bytes(&self, items: &[AppendItem], group: &Group) -> io::Result<()> {
        for member in group.members() {
            let header = &items[member.at].batch.header;
            self.log.assign_epoch(header.partition_leader_epoch, header.base_offset)?;
        }
        let headers: Vec<[u8; HEADER_BYTES]> =
            group.members().map(|member| items[member.at].batch.header.encode()).collect();
        let mut slices = Vec::with_capacity(2 * headers.len());
        for (header, member) in headers.iter().zip(group.members()) {
            slices.push(IoSlice::new(header));
            slices.push(IoSlice::new(&items[member.at].batch.body));
        }
        let segments = self.log.segments.load();
        let active = segments.active();
        active.file().write_vectored_at(&slices, active.size_bytes())
    }

    /// After a failed write: nothing may lie behind the log end.
    fn cut_back(&self, error: &io::Error) {
        tracing::warn!(partition = %self.log.topic_partition(), %error, "append failed");
        if let Err(cut) = self.log.segments.load().active().cut_torn_tail() {
            self.log
                .poison(format!("a write failed ({error}) and could not be cut off again ({cut})"));
        }
    }

    /// The bytes are in the file: indexes, producers and offsets follow, the log end last.
    fn publish(&self, items: &mut [AppendItem], members: Vec<super::group::Member>, now_ms: i64) {
        let log = &self.log;
        let segments = log.segments.load();
        let active = segments.active();
        let headers = members.iter().map(|member| items[member.at].batch.header);
        if let Err(error) = active.appended(headers, now_ms) {
            log.poison(format!("an index could not be extended: {error}"));
        }
        let mut end = log.log_end_offset();
        let mut transactional = false;
        for member in members {
            let item = &mut items[member.at];
            let header = item.batch.header;
            end = header.next_offset();
            transactional |= header.is_transactional();
            if let Err(error) = self.note_producer(active, &header, member.admitted) {
                log.poison(format!("the transaction index could not be extended: {error}"));
            }
            item.result = Some(Ok(AppendInfo {
                base_offset: header.base_offset,
                last_offset: header.last_offset(),
                max_timestamp_ms: header.max_timestamp_ms,
                log_start_offset: log.log_start_offset(),
                duplicate: false,
            }));
        }
        if transactional {
            log.refresh_first_unstable_offset();
        }
        log.end.store(Arc::new(OffsetMetadata {
            offset: end,
            segment_base: active.base_offset(),
            position: active.size_bytes(),
        }));
    }
}
