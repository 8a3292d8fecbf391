//! Every leaf format read from, and written back to, the bytes of Apache Kafka 4.3.1.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use expect_test::expect;
use klamm_env::{Disk, Env, RealOptions};
use klamm_record::{BrokerId, Offset};
use klamm_storage::log_file_names::{LogFileKind, LogFileName, LogFileState};
use klamm_storage::meta_properties::MetaProperties;
use klamm_storage::{
    checkpoint_file, clean_shutdown_file, leader_epoch_cache, offset_index,
    partition_metadata_file, producer_snapshot, time_index, transaction_index,
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/kafka-4.3.1")
}

fn disk() -> Disk {
    Env::real(RealOptions::default()).disk().clone()
}

fn read(path: &str) -> Vec<u8> {
    disk().read(&root().join(path), 1 << 20).expect("the fixture is there")
}

/// All fixtures of one kind, with the replica directory's name.
fn files(kind: LogFileKind) -> Vec<(String, Offset, Vec<u8>)> {
    let mut found = Vec::new();
    for dir in ["segments-0", "trimmed-0", "txn-topic-0"] {
        for entry in disk().list(&root().join(dir)).expect("the fixture is there") {
            let Some(name) = LogFileName::parse(&entry.name) else { continue };
            assert_eq!((name.state, name.to_string()), (LogFileState::Live, entry.name.clone()));
            if name.kind == kind {
                let path = format!("{dir}/{}", entry.name);
                found.push((path.clone(), name.base_offset, read(&path)));
            }
        }
    }
    assert!(!found.is_empty());
    found
}

#[test]
fn offset_indexes() {
    let mut text = String::new();
    for (path, base_offset, bytes) in files(LogFileKind::OffsetIndex) {
        assert_eq!(offset_index::check(&bytes, base_offset), Ok(()), "{path}");
        let mut entries = offset_index::parse(&bytes, base_offset);
        let (count, last) = (entries.len(), entries.next_back());
        let last = last.map(|entry| (entry.offset.0, entry.position));
        writeln!(text, "{path}: {count} entries, last {last:?}").expect("a String");
    }
    expect![[r#"
        segments-0/00000000000000000000.index: 12 entries, last Some((99, 14754))
        segments-0/00000000000000000104.index: 12 entries, last Some((203, 15072))
        segments-0/00000000000000000208.index: 12 entries, last Some((307, 15072))
        segments-0/00000000000000000312.index: 11 entries, last Some((411, 15072))
        segments-0/00000000000000000416.index: 4 entries, last Some((449, 5024))
        trimmed-0/00000000000000000000.index: 0 entries, last None
        trimmed-0/00000000000000000085.index: 0 entries, last None
        trimmed-0/00000000000000000165.index: 0 entries, last None
        txn-topic-0/00000000000000000000.index: 0 entries, last None
        txn-topic-0/00000000000000000010.index: 0 entries, last None
        txn-topic-0/00000000000000000076.index: 0 entries, last None
        txn-topic-0/00000000000000000106.index: 0 entries, last None
    "#]]
    .assert_eq(&text);
}

#[test]
fn time_indexes() {
    let mut text = String::new();
    for (path, base_offset, bytes) in files(LogFileKind::TimeIndex) {
        assert_eq!(time_index::check(&bytes, base_offset), Ok(()), "{path}");
        let mut entries = time_index::parse(&bytes, base_offset);
        let (count, last) = (entries.len(), entries.next_back());
        let last = last.map(|entry| (entry.timestamp_ms, entry.offset.0));
        writeln!(text, "{path}: {count} entries, last {last:?}").expect("a String");
    }
    expect![[r#"
        segments-0/00000000000000000000.timeindex: 13 entries, last Some((1790000103000, 103))
        segments-0/00000000000000000104.timeindex: 13 entries, last Some((1790000207000, 207))
        segments-0/00000000000000000208.timeindex: 13 entries, last Some((1790000311000, 311))
        segments-0/00000000000000000312.timeindex: 13 entries, last Some((1790000415000, 415))
        segments-0/00000000000000000416.timeindex: 4 entries, last Some((1790000449000, 449))
        trimmed-0/00000000000000000000.timeindex: 1 entries, last Some((1790000084000, 84))
        trimmed-0/00000000000000000085.timeindex: 1 entries, last Some((1790000164000, 164))
        trimmed-0/00000000000000000165.timeindex: 1 entries, last Some((1790000199000, 199))
        txn-topic-0/00000000000000000000.timeindex: 1 entries, last Some((1790000009000, 9))
        txn-topic-0/00000000000000000010.timeindex: 1 entries, last Some((1795369043258, 65))
        txn-topic-0/00000000000000000076.timeindex: 1 entries, last Some((1790000219000, 105))
        txn-topic-0/00000000000000000106.timeindex: 1 entries, last Some((1795369053900, 107))
    "#]]
    .assert_eq(&text);
}

#[test]
fn transaction_indexes() {
    let mut text = String::new();
    for (path, base_offset, bytes) in files(LogFileKind::TransactionIndex) {
        assert_eq!(transaction_index::check(&bytes, base_offset), Ok(()), "{path}");
        let mut written = Vec::new();
        for entry in transaction_index::parse(&bytes) {
            let entry = entry.expect("sound");
            written.extend(entry.encode());
            let (first, last) = (entry.first_offset, entry.last_offset);
            let (id, stable) = (entry.producer_id, entry.last_stable_offset);
            writeln!(text, "{path}: producer {id} aborted {first} to {last}, stable {stable}")
                .expect("a String");
        }
        assert_eq!(written, bytes);
    }
    expect![[r#"
        txn-topic-0/00000000000000000010.txnindex: producer 6 aborted 11 to 21, stable 22
        txn-topic-0/00000000000000000010.txnindex: producer 6 aborted 33 to 43, stable 44
        txn-topic-0/00000000000000000010.txnindex: producer 6 aborted 55 to 65, stable 66
        txn-topic-0/00000000000000000106.txnindex: producer 1002 aborted 86 to 106, stable 66
        txn-topic-0/00000000000000000106.txnindex: producer 1001 aborted 66 to 107, stable 108
    "#]]
    .assert_eq(&text);
}

#[test]
fn producer_snapshots() {
    let mut text = String::new();
    for (path, _, bytes) in files(LogFileKind::ProducerSnapshot) {
        let entries = producer_snapshot::parse(&bytes).expect("sound");
        for (id, entry) in &entries {
            writeln!(
                text,
                "{path}: producer {id} epoch {} coordinator {} last sequence {} at {} time {} txn {:?}",
                entry.producer_epoch,
                entry.coordinator_epoch,
                entry.last_sequence(),
                entry.last_data_offset(),
                entry.last_timestamp_ms,
                entry.current_txn_first_offset.map(|offset| offset.0),
            )
            .expect("a String");
        }
        let written = producer_snapshot::encode(entries.iter().map(|(id, entry)| (*id, entry)));
        assert_eq!(written, bytes, "{path}");
    }
    expect![[r#"
        segments-0/00000000000000000104.snapshot: producer 0 epoch 0 coordinator -1 last sequence 103 at 103 time 1790000103000 txn None
        segments-0/00000000000000000208.snapshot: producer 0 epoch 0 coordinator -1 last sequence 207 at 207 time 1790000207000 txn None
        segments-0/00000000000000000312.snapshot: producer 0 epoch 0 coordinator -1 last sequence 311 at 311 time 1790000311000 txn None
        segments-0/00000000000000000400.snapshot: producer 0 epoch 0 coordinator -1 last sequence 399 at 399 time 1790000399000 txn None
        segments-0/00000000000000000416.snapshot: producer 1000 epoch 0 coordinator -1 last sequence 15 at 415 time 1790000415000 txn None
        segments-0/00000000000000000450.snapshot: producer 1000 epoch 0 coordinator -1 last sequence 49 at 449 time 1790000449000 txn None
        trimmed-0/00000000000000000085.snapshot: producer 0 epoch 0 coordinator -1 last sequence 84 at 84 time 1790000084000 txn None
        trimmed-0/00000000000000000165.snapshot: producer 0 epoch 0 coordinator -1 last sequence 164 at 164 time 1790000164000 txn None
        trimmed-0/00000000000000000200.snapshot: producer 0 epoch 0 coordinator -1 last sequence 199 at 199 time 1790000199000 txn None
        txn-topic-0/00000000000000000010.snapshot: producer 6 epoch 0 coordinator -1 last sequence 9 at 9 time 1790000009000 txn Some(0)
        txn-topic-0/00000000000000000066.snapshot: producer 6 epoch 6 coordinator 0 last sequence -1 at -1 time 1795369043258 txn None
        txn-topic-0/00000000000000000076.snapshot: producer 6 epoch 6 coordinator 0 last sequence -1 at -1 time 1795369043258 txn None
        txn-topic-0/00000000000000000076.snapshot: producer 1001 epoch 0 coordinator -1 last sequence 9 at 75 time 1790000109000 txn Some(66)
        txn-topic-0/00000000000000000106.snapshot: producer 6 epoch 6 coordinator 0 last sequence -1 at -1 time 1795369043258 txn None
        txn-topic-0/00000000000000000106.snapshot: producer 1001 epoch 0 coordinator -1 last sequence 19 at 85 time 1790000119000 txn Some(66)
        txn-topic-0/00000000000000000106.snapshot: producer 1002 epoch 0 coordinator -1 last sequence 19 at 105 time 1790000219000 txn Some(86)
        txn-topic-0/00000000000000000108.snapshot: producer 6 epoch 6 coordinator 0 last sequence -1 at -1 time 1795369043258 txn None
        txn-topic-0/00000000000000000108.snapshot: producer 1001 epoch 1 coordinator 2 last sequence -1 at -1 time 1795369053900 txn None
        txn-topic-0/00000000000000000108.snapshot: producer 1002 epoch 1 coordinator 2 last sequence -1 at -1 time 1795369053871 txn None
    "#]]
    .assert_eq(&text);
}

#[test]
fn checkpoints() {
    let mut text = String::new();
    for name in [
        checkpoint_file::LOG_START_OFFSET_CHECKPOINT,
        checkpoint_file::RECOVERY_POINT_CHECKPOINT,
        checkpoint_file::REPLICATION_OFFSET_CHECKPOINT,
    ] {
        let offsets = checkpoint_file::parse_offsets(&read(name)).expect("sound");
        writeln!(text, "{name}:").expect("a String");
        for (partition, offset) in &offsets {
            writeln!(text, "  {partition} {offset}").expect("a String");
        }
        let written = checkpoint_file::render_offsets(&offsets);
        assert_eq!(checkpoint_file::parse_offsets(written.as_bytes()), Ok(offsets));
    }
    for dir in ["segments-0", "trimmed-0", "txn-topic-0"] {
        let bytes = read(&format!("{dir}/leader-epoch-checkpoint"));
        let entries = leader_epoch_cache::parse(&bytes).expect("sound");
        assert_eq!(leader_epoch_cache::render(&entries).as_bytes(), bytes);
        let pairs: Vec<_> = entries.iter().map(|e| (e.epoch.0, e.start_offset.0)).collect();
        writeln!(text, "{dir}: {pairs:?}").expect("a String");
    }
    expect![[r#"
        log-start-offset-checkpoint:
          trimmed-0 77
        recovery-point-offset-checkpoint:
          __consumer_offsets-0 0
          __consumer_offsets-1 6
          __consumer_offsets-2 0
          __transaction_state-0 0
          __transaction_state-1 37
          __transaction_state-2 0
          append-time-0 50
          codecs-0 60
          codecs-1 60
          codecs-2 60
          codecs-3 60
          codecs-4 60
          compacted.with_odd-name-7-0 30
          empty-0 0
          empty-1 0
          empty-2 0
          orders-0 120
          orders-1 220
          orders-2 320
          segments-0 450
          trimmed-0 200
          txn-topic-0 108
          txn-topic-1 87
        replication-offset-checkpoint:
          __consumer_offsets-0 0
          __consumer_offsets-1 6
          __consumer_offsets-2 0
          __transaction_state-0 0
          __transaction_state-1 37
          __transaction_state-2 0
          append-time-0 50
          codecs-0 60
          codecs-1 60
          codecs-2 60
          codecs-3 60
          codecs-4 60
          compacted.with_odd-name-7-0 30
          empty-0 0
          empty-1 0
          empty-2 0
          orders-0 120
          orders-1 220
          orders-2 320
          segments-0 450
          trimmed-0 200
          txn-topic-0 108
          txn-topic-1 87
        segments-0: [(0, 0), (2, 400)]
        trimmed-0: [(0, 77), (2, 200)]
        txn-topic-0: [(0, 0), (2, 66)]
    "#]]
    .assert_eq(&text);
}

#[test]
fn identities() {
    let bytes = read("segments-0/partition.metadata");
    let topic_id = partition_metadata_file::parse(&bytes).expect("sound");
    assert_eq!(topic_id.to_string(), "Lf4qXLnRRISqP3tVH4LINg");
    assert_eq!(partition_metadata_file::render(topic_id).as_bytes(), bytes);

    let meta = MetaProperties::parse(&read("meta.properties")).expect("sound");
    let directory_id = "bILpuyeXR3CzUb0LbJ_d0Q".parse().expect("a uuid");
    assert_eq!(meta, MetaProperties::new("MkU3OEVBNTcwNTJENDM2Qg", BrokerId(1), directory_id));
    let text = String::from_utf8(read("meta.properties")).expect("text");
    let without_comments: String = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| format!("{line}\n"))
        .collect();
    assert_eq!(meta.render(), without_comments);

    let bytes = read(clean_shutdown_file::CLEAN_SHUTDOWN);
    assert_eq!(clean_shutdown_file::parse(&bytes).broker_epoch, Some(128));
    assert_eq!(clean_shutdown_file::render(128).as_bytes(), bytes);
}
