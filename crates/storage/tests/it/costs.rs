//! What an append may cost: one write, no copy of its records, no memory that grows with them.

use std::sync::Arc;

use bytes::Bytes;
use klamm_env::counting::allocated_bytes;
use klamm_record::log_validator::{ValidationConfig, validate};
use klamm_record::{BatchBuilder, BatchOptions, LeaderEpoch};
use klamm_storage::{AppendItem, LogAppender, LogConfig, Origin, Progress};

use crate::harness::{NOW_MS, Place};

/// A batch as a client sends it, of about `size_bytes`.
fn received(size_bytes: usize) -> Bytes {
    let mut builder = BatchBuilder::new(BatchOptions::default());
    while builder.size_bytes() < size_bytes {
        builder.append(NOW_MS, Some(b"key"), Some(&[b'x'; 1000]), &[]);
    }
    builder.build().expect("builds")
}

/// System calls for writing that this thread has made.
#[cfg(target_os = "linux")]
#[expect(clippy::disallowed_methods, reason = "the kernel's counts are in a file of its own")]
fn write_calls() -> u64 {
    let io = std::fs::read_to_string("/proc/thread-self/io").expect("the kernel counts calls");
    let line = io.lines().find_map(|line| line.strip_prefix("syscw: "));
    line.expect("writes are counted").parse().expect("a number")
}

/// Checks and appends the batches in one call, as a partition does; answers what that allocated.
fn append(appender: &mut LogAppender, batches: Vec<Bytes>) -> u64 {
    let config = ValidationConfig::default();
    let mut items = Vec::with_capacity(batches.len());
    let before = allocated_bytes();
    for bytes in batches {
        let body = bytes.as_ptr();
        let batch = validate(bytes, &config, NOW_MS).expect("is sound");
        let offset = batch.body.as_ptr() as usize - body as usize;
        assert_eq!(offset, klamm_record::batch::HEADER_BYTES, "the body is the received buffer");
        items.push(AppendItem::new(batch, Origin::Client, LeaderEpoch(0)));
    }
    assert_eq!(appender.append(&mut items, NOW_MS), Progress::Done);
    let allocated = allocated_bytes() - before;
    assert!(items.iter().all(|item| matches!(item.result, Some(Ok(_)))));
    allocated
}

#[test]
fn memory_does_not_grow_with_the_batch() {
    let place = Place::new();
    let mut loaded = place.opening(&Arc::new(LogConfig::default())).open();
    // what is made once for a thread, and the first index entries
    for _ in 0..3 {
        append(&mut loaded.appender, vec![received(16 << 10)]);
    }
    let small = append(&mut loaded.appender, vec![received(16 << 10)]);
    let large = append(&mut loaded.appender, vec![received(512 << 10)]);
    assert!(small < 4096, "an append of 16 KiB allocated {small} bytes");
    assert!(large <= small + 1024, "16 KiB allocated {small} bytes, 512 KiB {large}");
}

#[cfg(target_os = "linux")]
#[test]
fn several_batches_share_one_write() {
    let place = Place::new();
    let mut loaded = place.opening(&Arc::new(LogConfig::default())).open();
    append(&mut loaded.appender, vec![received(16 << 10)]);
    for count in [1, 3, 20] {
        let batches = vec![received(16 << 10); count];
        let before = write_calls();
        append(&mut loaded.appender, batches);
        assert_eq!(write_calls() - before, 1, "{count} batches");
    }
}
