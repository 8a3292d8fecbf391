//! Tests of the time index: look-ups across pages, the place kept for the roll, damage.

use klamm_env::{Env, RealOptions};

use super::*;

const BASE: Offset = Offset(500);

fn index(dir: &tempfile::TempDir, bytes_max: u32) -> TimeIndex {
    let disk = Env::real(RealOptions::default()).disk().clone();
    TimeIndex::new(disk, dir.path().join("x.timeindex"), BASE, bytes_max)
}

/// Entries (1002, 501), (1004, 502), ...
fn fill(index: &TimeIndex, count: u32) {
    let from = i64::from(index.entries().expect("readable"));
    for n in from + 1..=from + i64::from(count) {
        index.maybe_append(1000 + 2 * n, BASE + n).expect("it fits");
    }
}

fn assert_finds_all(index: &TimeIndex, count: i64) {
    let at = |ms: i64| index.lookup(ms).map(|e| (e.timestamp_ms, e.offset.0)).expect("readable");
    assert_eq!((at(i64::MIN), at(1001)), ((-1, 500), (-1, 500)));
    for n in 1..=count {
        assert_eq!(
            (at(1000 + 2 * n), at(1001 + 2 * n)),
            ((1000 + 2 * n, 500 + n), (1000 + 2 * n, 500 + n))
        );
    }
    assert_eq!(at(i64::MAX).1, 500 + count);
}

#[test]
fn finds_entries_across_pages_that_entries_do_not_fill() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let index = index(&dir, 10 << 20);
    for (count, total) in [(341, 341), (1, 342), (700, 1042)] {
        fill(&index, count);
        assert_finds_all(&index, total);
        index.write_tail().expect("writable");
        assert_finds_all(&index, total);
    }
    index.flush().expect("writable");
    index.drop_memory();
    assert_finds_all(&index, 1042);
    index.sanity_check().expect("sound");
    index.truncate_to(BASE + 700).expect("writable");
    assert_finds_all(&index, 699);
    index.truncate_to(BASE).expect("writable");
    assert_eq!(
        index.last_entry().expect("readable"),
        TimestampOffset { timestamp_ms: -1, offset: BASE }
    );
}

#[test]
fn takes_only_larger_timestamps_and_keeps_a_place_for_the_roll() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let index = index(&dir, 3 * 12 + 5);
    index.maybe_append(-1, BASE + 1).expect("no timestamp is no error");
    index.maybe_append(10, BASE + 5).expect("it fits");
    index.maybe_append(10, BASE + 9).expect("an equal timestamp changes nothing");
    index.maybe_append(9, BASE + 9).expect("a smaller one neither");
    assert_eq!(index.entries().expect("readable"), 1);
    assert!(matches!(index.maybe_append(11, BASE + 4), Err(IndexAppendError::NotRising { .. })));
    assert!(matches!(index.maybe_append(11, BASE - 1), Err(IndexAppendError::OutOfReach { .. })));
    index.maybe_append(11, BASE + 6).expect("it fits");
    assert!(index.is_full().expect("readable"));
    assert!(matches!(index.maybe_append(12, BASE + 7), Err(IndexAppendError::Full { entries: 2 })));
    index.append_at_roll(12, BASE + 7).expect("the place is kept");
    assert_eq!(index.last_entry().expect("readable").timestamp_ms, 12);
}

#[test]
fn damage_is_found() {
    let entry = |ms: i64, distance: i32| [&ms.to_be_bytes()[..], &distance.to_be_bytes()].concat();
    assert_eq!(check(&[entry(1, 0), entry(2, 0)].concat(), BASE), Ok(()));
    assert_eq!(check(&[0; 13], BASE), Err(IndexDamage::Length { bytes: 13, entry_bytes: 12 }));
    assert!(matches!(check(&entry(1, -1), BASE), Err(IndexDamage::BelowBase { .. })));
    let falling = [entry(2, 0), entry(1, 1)].concat();
    assert_eq!(check(&falling, BASE), Err(IndexDamage::NotRising { index: 1 }));
    assert_eq!(parse(&[0xff; 40], Offset(i64::MIN)).count(), 3, "garbage is read without a panic");
    let dir = tempfile::tempdir().expect("a temporary directory");
    let disk = Env::real(RealOptions::default()).disk().clone();
    for (bytes, sound) in
        [(falling, false), (entry(1, -1), false), (vec![0; 7], false), (Vec::new(), true)]
    {
        disk.write_atomic(&dir.path().join("x.timeindex"), &bytes).expect("writable");
        assert_eq!(index(&dir, 800).sanity_check().is_ok(), sound, "{bytes:?}");
    }
}
