//! Appending, rolling, reading, truncating, opening again: on a real file system.

use klamm_record::batch::HEADER_BYTES;
use klamm_record::{BatchOptions, EndTxnMarker, LeaderEpoch, Offset, ProducerId, ValidBatch};
use klamm_storage::{
    AppendError, AppendInfo, AppendItem, OffsetSpec, Origin, Progress, ReadArgs, ReadBound,
    ReadError,
};

use crate::harness::{
    NOW_MS, Place, append_all, append_ok, batch, batch_with, check_log, config, idempotent,
    read_batches, small_segments,
};

/// 40 batches of about 64 KiB: two and a half segments.
fn fill(appender: &mut klamm_storage::LogAppender) {
    for round in 0..10 {
        let batches =
            (0..4).map(|i| batch(8 + i, 8000 - i as usize, NOW_MS + round * 100)).collect();
        append_ok(appender, batches);
    }
}

#[test]
fn several_items_are_one_run_of_dense_offsets() {
    let place = Place::new();
    let mut loaded = place.opening(&small_segments()).open();
    let infos = append_ok(
        &mut loaded.appender,
        vec![batch(3, 10, NOW_MS), batch(1, 10, NOW_MS), batch(5, 10, NOW_MS)],
    );
    let offsets: Vec<_> =
        infos.iter().map(|info| (info.base_offset.0, info.last_offset.0)).collect();
    assert_eq!(offsets, [(0, 2), (3, 3), (4, 8)]);
    check_log(&loaded.log, Offset(0));
}

#[test]
fn rolls_and_opens_again_after_a_clean_stop_and_after_a_crash() {
    let place = Place::new();
    let mut loaded = place.opening(&small_segments()).open();
    fill(&mut loaded.appender);
    assert!(loaded.log.segments().len() >= 3, "{:?}", loaded.log.segments().len());
    assert_eq!(loaded.log.recovery_point(), loaded.log.segments().active().base_offset());
    check_log(&loaded.log, Offset(0));
    let (end, before) =
        (loaded.log.log_end_offset(), read_batches(&loaded.log, Offset(0), 1 << 20));
    drop(loaded);

    let crashed = place.opening(&small_segments()).unclean(Offset(0)).open();
    assert_eq!(crashed.log.log_end_offset(), end);
    assert_eq!(crashed.report.truncated_bytes, 0);
    assert_eq!(crashed.report.recovered_segments, crashed.log.segments().len());
    assert_eq!(read_batches(&crashed.log, Offset(0), 5000), before);
    let mut appender = crashed.appender;
    append_ok(&mut appender, vec![batch(1, 1, NOW_MS)]);
    appender.close().expect("closes");

    let clean = place.opening(&small_segments()).open();
    assert_eq!(clean.report.recovered_segments, 0);
    assert_eq!(clean.log.log_end_offset(), end + 1);
    assert_eq!(clean.log.recovery_point(), end + 1);
    check_log(&clean.log, Offset(0));
}

#[test]
fn a_torn_tail_is_cut_off() {
    let place = Place::new();
    let mut loaded = place.opening(&small_segments()).open();
    append_ok(&mut loaded.appender, vec![batch(3, 10, NOW_MS), batch(4, 10, NOW_MS)]);
    let file = loaded.log.segments().active().file().clone();
    let size = file.len().expect("has a length");
    let torn = batch(5, 100, NOW_MS).to_bytes();
    for tail in [&torn[..torn.len() - 1], &torn[..30], &[0; 200][..], b"x"] {
        file.set_len(size).expect("cuts");
        file.write_all_at(tail, size).expect("writes");
        let crashed = place.opening(&small_segments()).unclean(Offset(7)).open();
        assert_eq!(crashed.report.truncated_bytes, tail.len() as u64);
        assert_eq!(crashed.log.log_end_offset(), Offset(7));
        check_log(&crashed.log, Offset(0));
    }
    // even where a clean stop was claimed, nothing is appended behind bytes that are no batch
    file.write_all_at(&torn[..30], size).expect("writes");
    let clean = place.opening(&small_segments()).open();
    assert_eq!(clean.log.log_end_offset(), Offset(7));
    check_log(&clean.log, Offset(0));
}

#[test]
fn damage_in_the_middle_ends_the_log_there() {
    let place = Place::new();
    let mut loaded = place.opening(&small_segments()).open();
    fill(&mut loaded.appender);
    let segments = loaded.log.segments();
    let middle = segments.iter().nth(1).expect("three segments").clone();
    middle.file().write_all_at(&[0xff], 70_000).expect("damages");
    drop(loaded);
    // below the recovery point nothing is looked at
    let last = segments.active().base_offset();
    let trusted = place.opening(&small_segments()).unclean(last).open();
    assert_eq!(trusted.report.recovered_segments, 1);
    drop(trusted);
    let crashed = place.opening(&small_segments()).unclean(Offset(0)).open();
    assert_eq!(crashed.log.segments().len(), 2);
    assert!(crashed.report.removed_segments >= 1);
    check_log(&crashed.log, Offset(0));
}

#[test]
fn a_torn_segment_before_one_without_index_is_no_obstacle() {
    let place = Place::new();
    let mut loaded = place.opening(&small_segments()).open();
    fill(&mut loaded.appender);
    let dir = loaded.log.dir();
    let segments = loaded.log.segments();
    segments.first().expect("three").file().write_all_at(&[0; 200_000], 100_000).expect("tears");
    for entry in place.env.disk().list(&dir).expect("lists") {
        let first = entry.name.starts_with("00000000000000000000");
        if !first && (entry.name.ends_with(".index") || entry.name.ends_with(".snapshot")) {
            place.env.disk().remove_file(&dir.join(&entry.name)).expect("is there");
        }
    }
    drop(loaded);
    let crashed = place.opening(&small_segments()).unclean(Offset(0)).open();
    assert_eq!(crashed.log.segments().len(), 1);
    assert!(crashed.log.log_end_offset() > Offset(0));
    check_log(&crashed.log, Offset(0));
}

#[test]
fn missing_and_damaged_indexes_are_rebuilt() {
    let place = Place::new();
    let mut loaded = place.opening(&small_segments()).open();
    fill(&mut loaded.appender);
    loaded.appender.close().expect("closes");
    let disk = place.env.disk();
    let dir = loaded.log.dir();
    disk.remove_file(&dir.join("00000000000000000000.index")).expect("is there");
    let second = loaded.log.segments().iter().nth(1).expect("three").base_offset();
    let path = dir.join(format!("{:020}.index", second.0));
    let index = disk.open(&path, klamm_env::OpenMode::ReadWrite).expect("opens");
    index.set_len(index.len().expect("length") - 3).expect("cuts");
    drop(loaded);
    let again = place.opening(&small_segments()).open();
    assert_eq!(again.report.recovered_segments, 2);
    check_log(&again.log, Offset(0));
}

#[test]
fn duplicates_are_answered_with_their_offsets() {
    let place = Place::new();
    let mut loaded = place.opening(&small_segments()).open();
    let first = append_ok(
        &mut loaded.appender,
        vec![idempotent(7, 0, 0, 3), idempotent(7, 0, 3, 2), batch(1, 1, NOW_MS)],
    );
    assert_eq!(first[1].base_offset, Offset(3));
    let end = loaded.log.log_end_offset();
    let again =
        append_ok(&mut loaded.appender, vec![idempotent(7, 0, 3, 2), idempotent(7, 0, 0, 3)]);
    assert!(again.iter().all(|info| info.duplicate));
    assert_eq!((again[0].base_offset, again[0].last_offset), (Offset(3), Offset(4)));
    assert_eq!((again[1].base_offset, again[1].last_offset), (Offset(0), Offset(2)));
    assert_eq!(loaded.log.log_end_offset(), end);
    let refused = append_all(&mut loaded.appender, vec![idempotent(7, 0, 9, 1)], Origin::Client);
    assert!(matches!(&refused[0], Err(AppendError::Producer(_))), "{refused:?}");
    drop(loaded);
    for mode in ["crash", "clean"] {
        let opening = place.opening(&small_segments());
        let mut loaded =
            if mode == "crash" { opening.unclean(Offset(0)).open() } else { opening.open() };
        let again = append_ok(&mut loaded.appender, vec![idempotent(7, 0, 3, 2)]);
        assert!(again[0].duplicate, "{mode}: producers survive");
        loaded.appender.close().expect("closes");
    }
}

/// A client with five requests in flight lost all answers over a restart, and sends all five again. A snapshot alone knows the
/// last one.
#[test]
fn all_batches_in_flight_are_known_again_after_a_restart() {
    let place = Place::new();
    let in_flight = || (0..5).map(|at| idempotent(7, 0, at * 3, 3));
    let mut loaded = place.opening(&small_segments()).open();
    let first = append_ok(&mut loaded.appender, in_flight().collect());
    loaded.appender.close().expect("closes");
    drop(loaded);
    for mode in ["clean", "crash", "clean"] {
        let opening = place.opening(&small_segments());
        let mut loaded =
            if mode == "crash" { opening.unclean(Offset(0)).open() } else { opening.open() };
        let again = append_ok(&mut loaded.appender, in_flight().collect());
        assert!(again.iter().all(|info| info.duplicate), "{mode}: {again:?}");
        let offsets = |infos: &[AppendInfo]| -> Vec<Offset> {
            infos.iter().map(|info| info.base_offset).collect()
        };
        assert_eq!(offsets(&again), offsets(&first));
        loaded.appender.close().expect("closes");
    }
}

#[test]
fn read_bounds_hold() {
    let place = Place::new();
    let mut loaded = place.opening(&small_segments()).open();
    append_ok(
        &mut loaded.appender,
        vec![batch(2, 100, NOW_MS), batch(2, 100, NOW_MS), batch(2, 100, NOW_MS)],
    );
    let log = &loaded.log;
    let size = log.size_bytes() / 3;
    let read = |offset, max_bytes, at_least_one, bound| {
        let args = ReadArgs { offset: Offset(offset), max_bytes, at_least_one, bound };
        log.read(args).map(|info| (info.slice.position, info.slice.length))
    };
    for (high_watermark, whole) in [(0, 0), (1, 0), (2, 1), (3, 1), (4, 2), (6, 3)] {
        log.set_high_watermark(Offset(high_watermark));
        let (_, length) = read(0, 1 << 20, true, ReadBound::HighWatermark).expect("in range");
        assert_eq!(length, whole * size, "high watermark {high_watermark}");
        assert_eq!(read(0, 1 << 20, true, ReadBound::LogEnd).expect("in range").1, 3 * size);
    }
    assert_eq!(read(3, 10, false, ReadBound::LogEnd).expect("in range"), (size, 10));
    assert_eq!(read(3, 10, true, ReadBound::LogEnd).expect("in range"), (size, size));
    assert_eq!(read(6, 10, true, ReadBound::LogEnd).expect("at the end").1, 0);
    assert!(matches!(
        read(7, 10, true, ReadBound::LogEnd),
        Err(ReadError::OffsetOutOfRange { .. })
    ));
    assert!(matches!(
        read(-1, 10, true, ReadBound::LogEnd),
        Err(ReadError::OffsetOutOfRange { .. })
    ));
}

#[test]
fn transactions_hold_the_last_stable_offset_and_aborts_are_listed() {
    let place = Place::new();
    let mut loaded = place.opening(&small_segments()).open();
    let data = |sequence| {
        let options = BatchOptions {
            producer_id: ProducerId(3),
            producer_epoch: 0,
            base_sequence: sequence,
            transactional: true,
            ..BatchOptions::default()
        };
        batch_with(options, 2, 20, NOW_MS)
    };
    let marker = |commit| {
        let marker = EndTxnMarker { commit, coordinator_epoch: 1 };
        let bytes = marker.build_batch(ProducerId(3), 0, NOW_MS).expect("builds");
        ValidBatch::trusted(bytes).expect("is sound")
    };
    append_ok(&mut loaded.appender, vec![batch(1, 1, NOW_MS), data(0)]);
    assert_eq!(loaded.log.last_stable_offset(), Offset(1));
    append_all(&mut loaded.appender, vec![marker(false)], Origin::Coordinator);
    assert_eq!(loaded.log.last_stable_offset(), Offset(4), "decided, and below the high watermark");
    append_ok(&mut loaded.appender, vec![data(2)]);
    let log = &loaded.log;
    let args = ReadArgs {
        offset: Offset(0),
        max_bytes: 1 << 20,
        at_least_one: true,
        bound: ReadBound::LastStable,
    };
    let check = |log: &klamm_storage::UnifiedLog| {
        assert_eq!(log.last_stable_offset(), Offset(4));
        let info = log.read(args).expect("in range");
        let aborted: Vec<_> =
            info.aborted.iter().map(|txn| (txn.first_offset.0, txn.last_offset.0)).collect();
        assert_eq!(aborted, [(1, 3)]);
    };
    check(log);
    drop(loaded);
    check(&place.opening(&small_segments()).unclean(Offset(0)).open().log);
}

#[test]
fn truncates_within_and_across_segments() {
    let place = Place::new();
    let mut loaded = place.opening(&small_segments()).open();
    fill(&mut loaded.appender);
    let end = loaded.log.log_end_offset();
    assert!(!loaded.appender.truncate_to(end, NOW_MS).expect("nothing to do").removed);
    let second = loaded.log.segments().iter().nth(1).expect("three").base_offset();
    for target in [end - 1, second + 3, second] {
        assert!(loaded.appender.truncate_to(target, NOW_MS).expect("truncates").removed);
        // what held the target goes with it if the target is not where a batch begins
        let log_end = loaded.log.log_end_offset();
        assert_eq!(log_end, target);
        assert!(loaded.log.recovery_point() <= target);
        assert!(loaded.log.high_watermark() <= target);
    }
    append_ok(&mut loaded.appender, vec![batch(4, 4, NOW_MS)]);
    check_log(&loaded.log, Offset(0));
    let _ =
        loaded.appender.truncate_fully_and_start_at(Offset(1000), None, NOW_MS).expect("empties");
    assert_eq!(loaded.log.log_start_offset(), Offset(1000));
    append_ok(&mut loaded.appender, vec![batch(4, 4, NOW_MS)]);
    check_log(&loaded.log, Offset(1000));
    drop(loaded);
    let crashed = place.opening(&small_segments()).unclean(Offset(0)).open();
    assert_eq!(
        (crashed.log.log_start_offset(), crashed.log.log_end_offset()),
        (Offset(1000), Offset(1004))
    );
}

#[test]
fn finds_offsets_by_time() {
    let place = Place::new();
    let mut loaded = place.opening(&small_segments()).open();
    assert_eq!(loaded.log.offset_for_timestamp(OffsetSpec::MaxTimestamp).expect("reads"), None);
    for i in 0..200 {
        append_ok(&mut loaded.appender, vec![batch(10, 20, NOW_MS + i * 10)]);
    }
    let find = |log: &klamm_storage::UnifiedLog, timestamp: i64| {
        let found = log.offset_for_timestamp(OffsetSpec::Timestamp(timestamp)).expect("reads");
        found.map(|found| (found.timestamp_ms - NOW_MS, found.offset.0))
    };
    let check = |log: &klamm_storage::UnifiedLog| {
        for offset in [0, 1, 9, 10, 555, 1999] {
            assert_eq!(find(log, NOW_MS + offset), Some((offset, offset)));
        }
        assert_eq!(find(log, NOW_MS - 5), Some((0, 0)));
        assert_eq!(find(log, NOW_MS + 2000), None);
        let max =
            log.offset_for_timestamp(OffsetSpec::MaxTimestamp).expect("reads").expect("found");
        assert_eq!((max.timestamp_ms, max.offset), (NOW_MS + 1999, Offset(1999)));
        assert_eq!(max.leader_epoch, Some(LeaderEpoch(0)));
    };
    check(&loaded.log);
    loaded.appender.close().expect("closes");
    drop(loaded);
    check(&place.opening(&small_segments()).open().log);
    let mut loaded = place.opening(&small_segments()).unclean(Offset(0)).open();
    check(&loaded.log);
    loaded.appender.increment_log_start_offset(Offset(105)).expect("committed");
    assert_eq!(find(&loaded.log, 0), Some((105, 105)));
    let earliest =
        loaded.log.offset_for_timestamp(OffsetSpec::Earliest).expect("reads").expect("always");
    assert_eq!((earliest.timestamp_ms, earliest.offset), (-1, Offset(105)));
}

#[test]
fn retention_removes_a_prefix() {
    let place = Place::new();
    let by_size = config(&[
        ("segment.bytes", "1048576"),
        ("retention.bytes", "1500000"),
        ("retention.ms", "-1"),
    ]);
    let mut loaded = place.opening(&by_size).open();
    fill(&mut loaded.appender);
    let segments = loaded.log.segments();
    assert!(loaded.log.retention_due(NOW_MS).expect("reads"));
    loaded.log.set_high_watermark(Offset(5));
    assert!(
        !loaded.log.retention_due(NOW_MS).expect("reads"),
        "nothing above the high watermark goes"
    );
    loaded.log.set_high_watermark(loaded.log.log_end_offset());
    let removed = loaded.appender.delete_old_segments(NOW_MS).expect("deletes");
    assert_eq!(removed.segments, 1);
    let start = segments.iter().nth(1).expect("three").base_offset();
    assert_eq!(loaded.log.log_start_offset(), start);
    check_log(&loaded.log, start);

    let by_time = config(&[("segment.bytes", "1048576"), ("retention.ms", "1000")]);
    loaded.log.update_config(by_time);
    let end = loaded.log.log_end_offset();
    loaded.appender.delete_old_segments(NOW_MS + 10_000_000).expect("deletes");
    assert_eq!((loaded.log.log_start_offset(), loaded.log.log_end_offset()), (end, end));
    assert_eq!(loaded.log.segments().len(), 1, "a new one was rolled");
    append_ok(&mut loaded.appender, vec![batch(4, 4, NOW_MS)]);
    check_log(&loaded.log, end);
}

#[test]
fn a_batch_larger_than_a_segment_is_refused_and_the_rest_goes_on() {
    let place = Place::new();
    let mut loaded = place.opening(&small_segments()).open();
    let results = append_all(
        &mut loaded.appender,
        vec![batch(1, 10, NOW_MS), batch(1, 1_100_000, NOW_MS), batch(1, 10, NOW_MS)],
        Origin::Client,
    );
    assert!(matches!(results[1], Err(AppendError::BatchTooLarge { .. })));
    assert_eq!(results[2].as_ref().map(|info| info.base_offset.0).ok(), Some(1));
    // a follower takes what the leader once took
    let mut big = batch(1, 1_100_000, NOW_MS);
    big.header.base_offset = Offset(2);
    big.header.partition_leader_epoch = LeaderEpoch(0);
    append_all(&mut loaded.appender, vec![big], Origin::Replication)[0].as_ref().expect("taken");
    check_log(&loaded.log, Offset(0));
}

#[test]
fn a_replicated_batch_far_ahead_rolls_to_its_own_offset() {
    let place = Place::new();
    let mut loaded = place.opening(&small_segments()).open();
    append_ok(&mut loaded.appender, vec![batch(1, 10, NOW_MS)]);
    let mut far = batch(2, 10, NOW_MS);
    far.header.base_offset = Offset(i64::from(i32::MAX) + 100);
    far.header.partition_leader_epoch = LeaderEpoch(0);
    let mut items = vec![AppendItem::new(far, Origin::Replication, LeaderEpoch(0))];
    assert_eq!(loaded.appender.append(&mut items, NOW_MS), Progress::NeedsRoll { at: 0 });
    let _plan = loaded.appender.roll(NOW_MS).expect("rolls");
    assert_eq!(loaded.appender.append(&mut items, NOW_MS), Progress::Done);
    assert_eq!(loaded.log.segments().active().base_offset(), Offset(i64::from(i32::MAX) + 100));
    assert_eq!(loaded.log.log_end_offset(), Offset(i64::from(i32::MAX) + 102));
}

#[test]
fn index_entries_are_kafkas() {
    let place = Place::new();
    let mut loaded = place.opening(&small_segments()).open();
    let one = batch(2, 40, NOW_MS).size_bytes() as u32;
    assert!(one > 128 && one < 256, "{one}");
    for i in 0..10 {
        append_ok(&mut loaded.appender, vec![batch(2, 40, NOW_MS + i)]);
    }
    let segments = loaded.log.segments();
    let index = segments.active().offset_index();
    let entries: Vec<_> = (0..index.entries().expect("reads"))
        .map(|at| index.entry(at).expect("reads").expect("is there"))
        .map(|entry| (entry.offset.0, entry.position))
        .collect();
    // after more than 256 bytes, that is two batches; last offset of the batch, position of its start
    assert_eq!(entries, [(5, 2 * one), (9, 4 * one), (13, 6 * one), (17, 8 * one)]);
    let last = segments.active().time_index().last_entry().expect("reads");
    assert_eq!((last.timestamp_ms, last.offset.0), (NOW_MS + 9, 17));
    assert_eq!(HEADER_BYTES, 61);
}

#[test]
fn readers_see_whole_sound_batches_while_a_writer_appends_and_rolls() {
    let place = Place::new();
    let mut loaded = place.opening(&small_segments()).open();
    let log = loaded.log.clone();
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        for reader in 0..2 {
            let (log, done) = (&log, &done);
            scope.spawn(move || {
                let mut rounds = 0_i64;
                while !done.load(std::sync::atomic::Ordering::Acquire) || rounds == 0 {
                    rounds += 1;
                    let end = log.high_watermark().0;
                    let from = (rounds * 37 + reader) % (end + 1);
                    let batches = read_batches(log, Offset(from), 100_000);
                    let last = batches.last().map_or(from, |(_, last)| last.0 + 1);
                    assert!(last >= end, "read up to {last}, but {end} was committed before");
                    assert!(batches.windows(2).all(|pair| pair[0].1 + 1 == pair[1].0));
                    log.drop_caches();
                }
            });
        }
        for i in 0..150 {
            append_ok(
                &mut loaded.appender,
                vec![batch(3, 7000, NOW_MS + i), batch(1, 90, NOW_MS + i)],
            );
        }
        done.store(true, std::sync::atomic::Ordering::Release);
    });
    assert!(log.segments().len() > 2);
    check_log(&log, Offset(0));
}
