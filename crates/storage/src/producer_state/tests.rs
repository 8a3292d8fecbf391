//! Tests of the rules of idempotence, fencing and transactions, and of snapshots on disk.

use std::path::Path;

use klamm_env::{Disk, Env, RealOptions};
use klamm_record::{Attributes, BatchHeader, LeaderEpoch, Offset, ProducerId};

use super::*;

const PRODUCER: ProducerId = ProducerId(7);

struct Fixture {
    dir: tempfile::TempDir,
    disk: Disk,
    state: ProducerStateManager,
}

fn manager() -> Fixture {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let disk = Env::real(RealOptions::default()).disk().clone();
    let state = open(&disk, dir.path());
    Fixture { dir, disk, state }
}

fn open(disk: &Disk, dir: &Path) -> ProducerStateManager {
    let mut state =
        ProducerStateManager::new(disk.clone(), dir.to_owned(), ProducerStateConfig::default());
    state.load_snapshots().expect("readable");
    state
}

fn header(epoch: i16, sequence: i32, records: i32) -> BatchHeader {
    BatchHeader {
        base_offset: Offset(0),
        batch_length: 100,
        partition_leader_epoch: LeaderEpoch(0),
        crc: 0,
        attributes: Attributes::default(),
        last_offset_delta: records - 1,
        base_timestamp_ms: 1000,
        max_timestamp_ms: 1000,
        producer_id: PRODUCER,
        producer_epoch: epoch,
        base_sequence: sequence,
        record_count: records,
    }
}

fn in_transaction(mut header: BatchHeader) -> BatchHeader {
    header.attributes = header.attributes.transactional();
    header
}

fn marker(epoch: i16, kind: EndTxnKind, transaction_version: i16) -> (BatchHeader, EndTxnMarker) {
    let mut header = in_transaction(header(epoch, -1, 1));
    header.attributes = header.attributes.control();
    (header, EndTxnMarker { kind, coordinator_epoch: 0, transaction_version })
}

fn write(
    state: &mut ProducerStateManager,
    origin: Origin,
    header: &BatchHeader,
    offset: i64,
) -> Result<(), ProducerStateError> {
    let mut info = state.prepare_update(header.producer_id, origin);
    assert_eq!(info.append(header, None, Offset(offset))?, None);
    state.update(&info);
    state.update_map_end_offset(Offset(offset + i64::from(header.last_offset_delta) + 1));
    Ok(())
}

fn end(
    state: &mut ProducerStateManager,
    (header, marker): (BatchHeader, EndTxnMarker),
    offset: i64,
) -> Result<Option<CompletedTxn>, ProducerStateError> {
    let mut info = state.prepare_update(header.producer_id, Origin::Coordinator);
    let completed = info.append(&header, Some(marker), Offset(offset))?;
    state.update(&info);
    if let Some(completed) = &completed {
        assert!(state.complete_txn(completed));
    }
    state.update_map_end_offset(Offset(offset + 1));
    Ok(completed)
}

fn is_out_of_order(result: Result<(), ProducerStateError>) -> bool {
    matches!(result, Err(ProducerStateError::OutOfOrderSequence { .. }))
}

fn is_fenced(result: Result<(), ProducerStateError>) -> bool {
    matches!(result, Err(ProducerStateError::InvalidProducerEpoch { .. }))
}

#[test]
fn sequences_have_no_gaps() {
    let mut fixture = manager();
    let state = &mut fixture.state;
    write(state, Origin::Client, &header(0, 0, 5), 100).expect("the first batch");
    write(state, Origin::Client, &header(0, 5, 1), 105).expect("it follows");
    assert!(is_out_of_order(write(state, Origin::Client, &header(0, 7, 1), 106)));
    assert!(is_out_of_order(write(state, Origin::Client, &header(0, 5, 1), 106)));
    write(state, Origin::Client, &header(0, 6, 1), 106).expect("what was refused left no trace");
    let entry = state.last_entry(PRODUCER).expect("known");
    assert_eq!((entry.last_sequence(), entry.last_data_offset()), (6, Offset(106)));
    assert_eq!(state.producer_count(), 1);
}

#[test]
fn an_unknown_producer_may_begin_anywhere() {
    let mut fixture = manager();
    write(&mut fixture.state, Origin::Client, &header(3, 16, 2), 0).expect("any sequence");
    assert!(is_out_of_order(write(&mut fixture.state, Origin::Client, &header(3, 19, 1), 2)));
}

#[test]
fn sequences_wrap() {
    let mut fixture = manager();
    let state = &mut fixture.state;
    write(state, Origin::Client, &header(0, i32::MAX - 9, 10), 0).expect("the first batch");
    write(state, Origin::Client, &header(0, 0, 1), 10).expect("after the largest comes 0");
    let mut fixture = manager();
    let state = &mut fixture.state;
    let across = header(0, i32::MAX - 9, 20);
    write(state, Origin::Client, &across, 0).expect("the first batch");
    let batch = state.last_entry(PRODUCER).and_then(|entry| entry.find_duplicate(&across));
    let batch = batch.expect("remembered");
    assert_eq!((batch.first_sequence(), batch.last_sequence), (i32::MAX - 9, 9));
    assert_eq!((batch.first_offset(), batch.last_offset), (Offset(0), Offset(19)));
    write(state, Origin::Client, &header(0, 10, 1), 20).expect("it follows");
}

#[test]
fn the_last_five_batches_are_found_again() {
    let mut fixture = manager();
    for n in 0..7 {
        write(&mut fixture.state, Origin::Client, &header(0, n * 2, 2), 50 + 2 * i64::from(n))
            .expect("it follows");
    }
    let entry = fixture.state.last_entry(PRODUCER).expect("known");
    let found = |header: &BatchHeader| entry.find_duplicate(header).map(|b| b.first_offset().0);
    assert_eq!(found(&header(0, 2, 2)), None);
    assert_eq!(found(&header(0, 4, 2)), Some(54));
    assert_eq!(found(&header(0, 12, 2)), Some(62));
    assert_eq!(found(&header(0, 12, 1)), None, "other sequences");
    assert_eq!(found(&header(1, 12, 2)), None, "another epoch");
    assert_eq!(found(&header(0, -1, 1)), None, "no sequence");
}

#[test]
fn a_new_epoch_begins_at_zero_and_fences_the_old() {
    let mut fixture = manager();
    let state = &mut fixture.state;
    write(state, Origin::Client, &header(1, 0, 5), 0).expect("the first batch");
    assert!(is_out_of_order(write(state, Origin::Client, &header(2, 5, 1), 5)));
    write(state, Origin::Client, &header(2, 0, 1), 5).expect("a new epoch");
    assert_eq!(state.last_entry(PRODUCER).map(|entry| entry.batches().len()), Some(1));
    assert!(is_fenced(write(state, Origin::Client, &header(1, 5, 1), 6)));
    assert!(is_fenced(write(state, Origin::Coordinator, &header(1, 5, 1), 6)));
    write(state, Origin::Replication, &header(1, 5, 1), 6).expect("the leader has taken it");
}

#[test]
fn only_clients_are_held_to_sequences() {
    let mut fixture = manager();
    for (n, origin) in [(0, Origin::Client), (9, Origin::Replication), (3, Origin::Coordinator)] {
        write(&mut fixture.state, origin, &header(0, n, 1), 10 + i64::from(n)).expect("taken");
    }
}

#[test]
fn several_batches_in_one_append() {
    let mut fixture = manager();
    let state = &mut fixture.state;
    write(state, Origin::Client, &header(0, 0, 1), 0).expect("the first batch");
    let mut info = state.prepare_update(PRODUCER, Origin::Client);
    for n in 1..4 {
        info.append(&header(0, n, 1), None, Offset(i64::from(n))).expect("it follows");
    }
    assert!(info.append(&header(0, 9, 1), None, Offset(4)).is_err());
    let last = |state: &ProducerStateManager| state.last_entry(PRODUCER).map(|e| e.last_sequence());
    assert_eq!(last(state), Some(0), "nothing counts before the update");
    state.update(&info);
    assert_eq!(last(state), Some(3));
}

#[test]
fn the_last_stable_offset_waits_for_markers_and_their_replication() {
    let mut fixture = manager();
    let state = &mut fixture.state;
    let other = ProducerId(8);
    write(state, Origin::Client, &in_transaction(header(0, 0, 5)), 10).expect("opens");
    let mut second = in_transaction(header(0, 0, 5));
    second.producer_id = other;
    write(state, Origin::Client, &second, 15).expect("opens");
    write(state, Origin::Client, &in_transaction(header(0, 5, 5)), 20).expect("goes on");
    assert_eq!(state.first_unstable_offset(), Some(Offset(10)));

    let (header_of_end, content) = marker(0, EndTxnKind::Abort, 0);
    let mut info = state.prepare_update(PRODUCER, Origin::Coordinator);
    let completed = info.append(&header_of_end, Some(content), Offset(25)).expect("valid");
    let completed = completed.expect("a transaction was open");
    assert!(completed.is_aborted());
    assert_eq!((completed.first_offset, completed.last_offset), (Offset(10), Offset(25)));
    assert_eq!(state.last_stable_offset(&completed), Offset(15));
    state.update(&info);
    assert!(state.complete_txn(&completed));
    assert!(!state.complete_txn(&completed), "it ends once");
    assert_eq!(state.first_undecided_offset(), Some(Offset(15)));
    assert_eq!(state.first_unstable_offset(), Some(Offset(10)), "the marker is not replicated");
    state.on_high_watermark_updated(Offset(25));
    assert_eq!(state.first_unstable_offset(), Some(Offset(10)));
    state.on_high_watermark_updated(Offset(26));
    assert_eq!(state.first_unstable_offset(), Some(Offset(15)));

    let mut commit = marker(0, EndTxnKind::Commit, 0);
    commit.0.producer_id = other;
    let completed = end(state, commit, 26).expect("valid").expect("a transaction was open");
    assert_eq!(state.last_stable_offset(&completed), Offset(27));
    state.on_high_watermark_updated(Offset(27));
    assert_eq!(state.first_unstable_offset(), None);
}

#[test]
fn data_outside_an_open_transaction_is_refused() {
    let mut fixture = manager();
    let state = &mut fixture.state;
    write(state, Origin::Client, &in_transaction(header(0, 0, 1)), 0).expect("opens");
    let result = write(state, Origin::Client, &header(0, 1, 1), 1);
    assert!(matches!(result, Err(ProducerStateError::InvalidTxnState { .. })));
}

#[test]
fn markers_follow_the_rules_of_their_transaction_version() {
    let mut fixture = manager();
    let state = &mut fixture.state;
    write(state, Origin::Client, &in_transaction(header(5, 0, 1)), 0).expect("opens");
    assert!(is_fenced(end(state, marker(4, EndTxnKind::Commit, 0), 1).map(drop)));
    assert!(is_fenced(end(state, marker(5, EndTxnKind::Commit, 2), 1).map(drop)), "TV2 raises it");
    assert!(end(state, marker(6, EndTxnKind::Commit, 2), 1).expect("valid").is_some());
    let entry = state.last_entry(PRODUCER).expect("known");
    assert_eq!((entry.producer_epoch, entry.is_empty()), (6, true));
    assert_eq!(end(state, marker(6, EndTxnKind::Commit, 2), 2), Ok(None), "sent again");
    assert!(is_fenced(end(state, marker(5, EndTxnKind::Commit, 2), 3).map(drop)));
    write(state, Origin::Client, &in_transaction(header(6, 0, 1)), 3).expect("the next one");
    assert!(
        end(state, marker(6, EndTxnKind::Abort, 0), 4).expect("valid").is_some(),
        "the old rule"
    );
}

#[test]
fn markers_of_old_coordinators_are_fenced() {
    let mut fixture = manager();
    let state = &mut fixture.state;
    let (header, mut content) = marker(0, EndTxnKind::Abort, 0);
    content.coordinator_epoch = 4;
    end(state, (header, content), 0).expect("the first");
    content.coordinator_epoch = 3;
    let result = end(state, (header, content), 1);
    assert!(matches!(
        result,
        Err(ProducerStateError::CoordinatorFenced { epoch: 3, current: 4, .. })
    ));
    let mut info = state.prepare_update(PRODUCER, Origin::Replication);
    assert_eq!(info.append(&header, Some(content), Offset(1)), Ok(None));
}

#[test]
fn verified_producers_begin_with_the_lowest_sequence() {
    let mut fixture = manager();
    let state = &mut fixture.state;
    let seen = VerificationSeen { now_ms: 1, supports_epoch_bump: false };
    let first = state.begin_verification(PRODUCER, 5, 0, seen);
    let again = state.begin_verification(PRODUCER, 3, 0, seen);
    assert_eq!((first.guard, again.guard, again.lowest_sequence), (1, 1, 3));
    assert!(is_out_of_order(write(state, Origin::Client, &in_transaction(header(0, 5, 1)), 0)));
    assert_eq!(state.begin_verification(PRODUCER, 9, 1, seen).lowest_sequence, 9);
    state.clear_verification(PRODUCER);
    assert_eq!(state.verification(PRODUCER), None);
    let seen = VerificationSeen { now_ms: 1, supports_epoch_bump: true };
    assert_eq!(state.begin_verification(PRODUCER, 5, 0, seen).guard, 2);
    let result = write(state, Origin::Client, &in_transaction(header(0, 5, 1)), 0);
    assert!(is_out_of_order(result), "a producer of transactions v2 begins at 0");
}

#[test]
fn idle_producers_expire_unless_in_a_transaction() {
    let mut fixture = manager();
    let state = &mut fixture.state;
    write(state, Origin::Client, &header(0, 0, 1), 0).expect("taken");
    let mut open = in_transaction(header(0, 0, 1));
    open.producer_id = ProducerId(9);
    write(state, Origin::Client, &open, 1).expect("taken");
    state.remove_expired(1000 + 86_400_000 - 1);
    assert_eq!(state.producer_count(), 2);
    state.remove_expired(1000 + 86_400_000);
    assert_eq!(state.active_producers().map(|(id, _)| id.0).collect::<Vec<_>>(), [9]);
    assert!(!state.has_late_transaction(1000 + 1_200_000));
    assert!(state.has_late_transaction(1000 + 1_200_001));
}

#[test]
fn snapshots_survive_a_restart_and_truncation() {
    let mut fixture = manager();
    let state = &mut fixture.state;
    assert!(state.take_snapshot().expect("writable").is_none(), "nothing to keep at offset 0");
    write(state, Origin::Client, &in_transaction(header(0, 0, 2)), 0).expect("opens");
    state.take_snapshot().expect("writable").expect("a file");
    assert!(state.take_snapshot().expect("writable").is_none(), "there is one already");
    end(state, marker(0, EndTxnKind::Commit, 0), 2).expect("valid");
    write(state, Origin::Client, &header(0, 2, 2), 3).expect("it follows");
    state.take_snapshot().expect("writable").expect("a file");
    let expected = *state.last_entry(PRODUCER).expect("known");

    let mut state = open(&fixture.disk, fixture.dir.path());
    assert_eq!(
        (state.oldest_snapshot_offset(), state.latest_snapshot_offset()),
        (Some(Offset(2)), Some(Offset(5)))
    );
    state.truncate_and_reload(Offset(0), Offset(5), 1000).expect("readable");
    let entry = state.last_entry(PRODUCER).expect("known");
    assert_eq!(entry.batches(), &expected.batches()[1..], "only the last batch is kept on disk");
    assert_eq!((entry.coordinator_epoch, state.map_end_offset()), (0, Offset(5)));
    assert_eq!(state.first_unstable_offset(), None);
    write(&mut state, Origin::Client, &header(0, 4, 1), 5).expect("it follows");

    state.truncate_and_reload(Offset(0), Offset(4), 1000).expect("readable");
    assert_eq!(
        (state.map_end_offset(), state.latest_snapshot_offset()),
        (Offset(2), Some(Offset(2)))
    );
    assert_eq!(state.first_unstable_offset(), Some(Offset(0)), "the transaction is open again");
    state.truncate_fully_and_start_at(Offset(40)).expect("writable");
    assert!(
        state.is_empty() && fixture.disk.list(fixture.dir.path()).expect("readable").is_empty()
    );
    assert_eq!(state.map_end_offset(), Offset(40));
}

#[test]
fn damaged_snapshots_are_passed_over() {
    let mut fixture = manager();
    let state = &mut fixture.state;
    write(state, Origin::Client, &header(0, 0, 2), 0).expect("taken");
    state.take_snapshot().expect("writable").expect("a file");
    write(state, Origin::Client, &header(0, 2, 2), 2).expect("taken");
    let file = state.take_snapshot().expect("writable").expect("a file");
    file.write_all_at(b"x", 20).expect("writable");
    let mut state = open(&fixture.disk, fixture.dir.path());
    state.truncate_and_reload(Offset(0), Offset(9), 1000).expect("readable");
    assert_eq!((state.map_end_offset(), state.has_snapshot(Offset(4))), (Offset(2), false));
    assert_eq!(state.last_entry(PRODUCER).map(|entry| entry.last_sequence()), Some(1));
}

#[test]
fn stray_snapshots_go_but_for_the_newest() {
    let mut fixture = manager();
    for offset in [1, 3, 5, 9, 12] {
        fixture.state.update_map_end_offset(Offset(offset));
        fixture.state.take_snapshot().expect("writable").expect("a file");
    }
    let left = |state: &ProducerStateManager| {
        (0..20).filter(|offset| state.has_snapshot(Offset(*offset))).collect::<Vec<_>>()
    };
    let state = &mut fixture.state;
    state.remove_stray_snapshots(&[Offset(0), Offset(3), Offset(8)]).expect("writable");
    assert_eq!(left(state), [3, 12]);
    let gone = state.mark_snapshot_for_deletion(Offset(3)).expect("writable").expect("renamed");
    assert!(gone.ends_with("00000000000000000003.snapshot.deleted"));
    assert_eq!(state.mark_snapshot_for_deletion(Offset(3)).expect("writable"), None);
    state.delete_snapshots_before(Offset(12)).expect("writable");
    assert_eq!(left(state), [12]);
    state.remove_stray_snapshots(&[Offset(0), Offset(13)]).expect("writable");
    assert!(left(state).is_empty());
}
