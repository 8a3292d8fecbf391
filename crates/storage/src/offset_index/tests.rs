//! Tests of the offset index, and through it of the pages, top level and tail that indexes share.

use klamm_env::{Env, RealOptions};

use super::*;

const BASE: Offset = Offset(1000);

fn disk() -> (tempfile::TempDir, Disk) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    (dir, Env::real(RealOptions::default()).disk().clone())
}

fn index(dir: &tempfile::TempDir, disk: &Disk, bytes_max: u32) -> OffsetIndex {
    OffsetIndex::new(disk.clone(), dir.path().join("x.index"), BASE, bytes_max)
}

/// Entries 1010, 1020, ... at positions 100, 200, ...
fn fill(index: &OffsetIndex, count: u32) {
    let from = index.entries().expect("readable");
    for n in from + 1..=from + count {
        index.append(BASE + 10 * i64::from(n), 100 * n).expect("it fits");
    }
}

fn assert_finds_all(index: &OffsetIndex, count: u32) {
    assert_eq!(index.entries().expect("readable"), count);
    let at = |offset: i64| {
        index.lookup(Offset(offset)).map(|e| (e.offset.0, e.position)).expect("readable")
    };
    assert_eq!(at(0), (1000, 0));
    assert_eq!(at(1009), (1000, 0));
    for n in 1..=i64::from(count) {
        let expected = (1000 + 10 * n, 100 * n as u32);
        assert_eq!((at(1000 + 10 * n), at(1009 + 10 * n)), (expected, expected), "entry {n}");
    }
}

#[test]
fn finds_entries_in_memory_and_on_disk_across_pages() {
    let (dir, disk) = disk();
    let index = index(&dir, &disk, 10 << 20);
    for (count, total) in [(3, 3), (600, 603), (1100, 1703), (512, 2215)] {
        fill(&index, count);
        assert_finds_all(&index, total);
        index.write_tail().expect("writable");
        assert_eq!(index.unwritten_bytes(), 0);
        assert_finds_all(&index, total);
    }
    fill(&index, 5);
    index.drop_memory();
    assert_eq!(index.unwritten_bytes(), 40, "what is not written is not dropped");
    index.flush().expect("writable");
    index.drop_memory();
    assert_finds_all(&index, 2220);
    index.drop_memory();
    fill(&index, 1);
    assert_finds_all(&index, 2221);
    index.flush().expect("writable");
    let bytes = disk.read(&dir.path().join("x.index"), 1 << 20).expect("readable");
    assert_eq!((check(&bytes, BASE), parse(&bytes, BASE).len()), (Ok(()), 2221));
    index.sanity_check().expect("sound");
}

#[test]
fn truncates_in_memory_and_on_disk() {
    let (dir, disk) = disk();
    let index = index(&dir, &disk, 10 << 20);
    fill(&index, 1500);
    index.write_tail().expect("writable");
    fill(&index, 10);
    index.lookup(Offset(1010)).expect("loads the top level");
    for (offset, left) in [
        (99_999, 1510),
        (16_055, 1505),
        (16_050, 1504),
        (15_995, 1499),
        (6_130, 512),
        (1011, 1),
        (1010, 0),
    ] {
        index.truncate_to(Offset(offset)).expect("writable");
        assert_finds_all(&index, left);
    }
    assert_eq!(index.last_entry().expect("readable"), None);
    fill(&index, 700);
    index.write_tail().expect("writable");
    assert_finds_all(&index, 700);
    index.reset().expect("writable");
    assert_finds_all(&index, 0);
    assert_eq!(index.file().and_then(|file| file.len()).expect("readable"), 0);
}

#[test]
fn refuses_what_does_not_fit() {
    let (dir, disk) = disk();
    let index = index(&dir, &disk, 31);
    assert_eq!(index.max_entries(), 3);
    assert!(matches!(index.append(Offset(999), 0), Err(IndexAppendError::OutOfReach { .. })));
    let far = BASE + i64::from(i32::MAX);
    assert!(matches!(index.append(far + 1, 0), Err(IndexAppendError::OutOfReach { .. })));
    assert!(index.can_append_offset(far) && !index.can_append_offset(far + 1));
    fill(&index, 2);
    assert!(matches!(index.append(Offset(1020), 0), Err(IndexAppendError::NotRising { .. })));
    index.append(far, u32::MAX).expect("it fits");
    assert!(index.is_full().expect("readable"));
    assert!(matches!(index.append(far, 0), Err(IndexAppendError::Full { entries: 3 })));
    index.flush().expect("writable");
    index.drop_memory();
    let last = OffsetPosition { offset: far, position: u32::MAX };
    assert_eq!(index.last_entry().expect("readable"), Some(last));
}

#[test]
fn damage_is_found() {
    let entry =
        |distance: i32, position: u32| [distance.to_be_bytes(), position.to_be_bytes()].concat();
    assert_eq!(check(&[], BASE), Ok(()));
    assert_eq!(check(&[0; 9], BASE), Err(IndexDamage::Length { bytes: 9, entry_bytes: 8 }));
    assert!(matches!(check(&entry(-1, 0), BASE), Err(IndexDamage::BelowBase { .. })));
    assert_eq!(
        check(&[entry(5, 1), entry(5, 2)].concat(), BASE),
        Err(IndexDamage::NotRising { index: 1 })
    );
    assert_eq!(parse(&[0xff; 30], Offset(i64::MAX)).count(), 3, "garbage is read without a panic");
    let (dir, disk) = disk();
    let path = dir.path().join("x.index");
    for (bytes, sound) in
        [(vec![0; 8], true), (vec![0; 16], false), (vec![0; 12], false), (entry(-7, 1), false)]
    {
        disk.write_atomic(&path, &bytes).expect("writable");
        assert_eq!(index(&dir, &disk, 800).sanity_check().is_ok(), sound, "{bytes:?}");
    }
}

#[test]
fn readers_find_entries_while_the_writer_appends_writes_and_truncates() {
    let (dir, disk) = disk();
    let index = index(&dir, &disk, 10 << 20);
    fill(&index, 600);
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        for reader in 1..=2 {
            let (index, stop) = (&index, &stop);
            scope.spawn(move || {
                let mut n = i64::from(reader);
                while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                    n = n % 600 + 1;
                    let found = index.lookup(BASE + 10 * n + 3).expect("readable");
                    let expected =
                        OffsetPosition { offset: BASE + 10 * n, position: 100 * n as u32 };
                    assert_eq!(found, expected);
                    index.lookup(Offset(i64::MAX)).expect("readable");
                    if n % 97 == 0 {
                        index.drop_memory();
                    }
                }
            });
        }
        for round in 0..60 {
            fill(&index, 900);
            index.write_tail().expect("writable");
            fill(&index, 100);
            index.truncate_to(BASE + 10 * (601 + round % 7)).expect("writable");
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    index.truncate_to(BASE + 6001).expect("writable");
    assert_finds_all(&index, 600);
}
