//! Opening a data directory that Apache Kafka 4.3.1 wrote, after its clean stop and as if it had crashed.

use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use klamm_env::{Env, OpenMode, RealOptions};
use klamm_record::{Offset, TopicPartition};
use klamm_storage::log_manager::{BackgroundIntervals, DirArgs, OpenReport};
use klamm_storage::producer_state::ProducerStateConfig;
use klamm_storage::{
    LogManager, LogManagerArgs, OffsetSpec, ReadArgs, ReadBound, StorageMetrics, UnifiedLog,
};
use prometheus_client::registry::Registry;

use crate::harness::{config, read_batches};

/// Unpacks the fixture. Only what that archive needs of the tar format.
fn unpack(env: &Env, to: &Path) {
    let archive =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/kafka-4.3.1-data.tar.gz");
    let packed = env.disk().read(&archive, 1 << 24).expect("the fixture is there");
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(&packed[..]).read_to_end(&mut bytes).expect("is gzip");
    let mut rest = &bytes[..];
    while rest.len() >= 512 && rest[0] != 0 {
        let text = |from: usize, length: usize| {
            let field = &rest[from..from + length];
            let end = field.iter().position(|byte| *byte == 0).unwrap_or(length);
            std::str::from_utf8(&field[..end]).expect("is text").trim().to_owned()
        };
        let size = usize::from_str_radix(&text(124, 12), 8).expect("is octal");
        let path = to.join(text(0, 100).trim_start_matches("./"));
        match rest[156] {
            b'5' => env.disk().create_dir_all(&path).expect("makes the directory"),
            _ => {
                let file = env.disk().open(&path, OpenMode::Create).expect("makes the file");
                file.write_all_at(&rest[512..512 + size], 0).expect("writes");
            }
        }
        rest = &rest[512 + size.div_ceil(512) * 512..];
    }
}

fn manager_args(env: &Env, dir: &Path) -> LogManagerArgs {
    LogManagerArgs {
        env: env.clone(),
        dirs: vec![DirArgs { path: dir.to_path_buf(), id: None }],
        config_of: Arc::new(|_| config(&[("retention.ms", "-1")])),
        producer_state: ProducerStateConfig {
            producer_id_expiration_ms: i64::MAX,
            ..Default::default()
        },
        recovery_jobs_per_dir: 2,
        metrics: StorageMetrics::register(&mut Registry::default()),
    }
}

fn run<R>(dir: &Path, test: impl AsyncFnOnce(Env, Arc<LogManager>, OpenReport) -> R) -> R {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    runtime.block_on(async {
        let env = Env::real(RealOptions::default());
        let (manager, report) = LogManager::open(manager_args(&env, dir)).await.expect("opens");
        test(env, manager, report).await
    })
}

fn open(manager: &LogManager, topic: &str, partition: i32) -> Arc<UnifiedLog> {
    let partition = TopicPartition::new(topic, partition);
    let mut loaded = manager.open_log(&partition, None).expect("opens");
    loaded.appender.close().expect("closes");
    loaded.log
}

/// What testdata/README.md says of the directory.
fn check_contents(manager: &LogManager) {
    let ranges = [
        ("orders", 0, 0, 120),
        ("orders", 1, 0, 220),
        ("orders", 2, 0, 320),
        ("segments", 0, 0, 450),
        ("txn-topic", 0, 0, 108),
        ("txn-topic", 1, 0, 87),
        ("trimmed", 0, 77, 200),
        ("codecs", 3, 0, 60),
        ("append-time", 0, 0, 50),
        ("compacted.with_odd-name-7", 0, 0, 30),
        ("empty", 2, 0, 0),
    ];
    for (topic, partition, start, end) in ranges {
        let log = open(manager, topic, partition);
        assert_eq!(
            (log.log_start_offset().0, log.log_end_offset().0),
            (start, end),
            "{topic}-{partition}"
        );
        assert_eq!(log.high_watermark().0, end, "{topic}-{partition}");
        let batches = read_batches(&log, Offset(start), 1 << 20);
        assert_eq!(batches.last().map_or(end, |(_, last)| last.0 + 1), end, "{topic}-{partition}");
        assert!(log.topic_id().is_some());
        for offset in start..end {
            let args = ReadArgs {
                offset: Offset(offset),
                max_bytes: 1,
                at_least_one: true,
                bound: ReadBound::LogEnd,
            };
            assert!(!log.read(args).expect("in range").slice.is_empty());
        }
        if ["orders", "trimmed", "codecs"].contains(&topic) && end > start {
            let timestamp = 1_790_000_000_000 + (start + 20) * 1000;
            let found = log.offset_for_timestamp(OffsetSpec::Timestamp(timestamp)).expect("reads");
            assert_eq!(found.map(|found| found.offset.0), Some(start + 20), "{topic}-{partition}");
        }
    }
    let txn = open(manager, "txn-topic", 1);
    assert_eq!(txn.last_stable_offset(), Offset(77), "a transaction was left open");
    let aborted = txn.aborted_transactions(Offset(0), Offset(87)).expect("reads");
    let aborted: Vec<_> =
        aborted.iter().map(|txn| (txn.first_offset.0, txn.last_offset.0)).collect();
    assert_eq!(aborted, [(11, 21), (33, 43), (55, 65)]);
    let segments = open(manager, "segments", 0).segments();
    let bases: Vec<i64> = segments.iter().map(|segment| segment.base_offset().0).collect();
    assert_eq!(bases, [0, 104, 208, 312, 416]);
}

#[test]
fn a_clean_directory_opens_without_a_scan_and_closes_cleanly() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    unpack(&Env::real(RealOptions::default()), dir.path());
    run(dir.path(), async |_, manager, report| {
        assert_eq!(report.partitions, 23);
        assert_eq!(report.previous_broker_epoch, Some(128));
        assert!(report.unclean_dirs.is_empty() && report.recovered.is_empty());
        check_contents(&manager);
        assert_eq!(manager.shutdown(7).clean_dirs, [dir.path()]);
    });
    run(dir.path(), async |_, manager, report| {
        assert_eq!(report.previous_broker_epoch, Some(7));
        check_contents(&manager);
    });
}

#[test]
fn without_the_marker_everything_is_recovered() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let env = Env::real(RealOptions::default());
    unpack(&env, dir.path());
    let disk = env.disk();
    disk.remove_file(&dir.path().join(".kafka_cleanshutdown")).expect("is there");
    disk.remove_file(&dir.path().join("recovery-point-offset-checkpoint")).expect("is there");
    // Kafka preallocates the active segment's indexes; a crash leaves them so
    for name in ["orders-0/00000000000000000000.index", "segments-0/00000000000000000416.timeindex"]
    {
        let file = disk.open(&dir.path().join(name), OpenMode::ReadWrite).expect("is there");
        file.set_len(if name.ends_with("timeindex") { 12 * 1000 } else { 8 * 1000 })
            .expect("extends");
    }
    run(dir.path(), async |_, manager, report| {
        assert_eq!(report.unclean_dirs, [dir.path()]);
        assert_eq!(report.recovered.len(), 23);
        assert!(
            report
                .recovered
                .iter()
                .all(|(_, log)| log.truncated_bytes == 0 && log.removed_segments == 0)
        );
        check_contents(&manager);
        assert_eq!(manager.shutdown(8).clean_dirs, [dir.path()]);
    });
    run(dir.path(), async |_, manager, report| {
        assert!(report.unclean_dirs.is_empty());
        check_contents(&manager);
    });
}

#[test]
fn background_work_ends_with_its_scope() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    run(dir.path(), async |env, manager, _| {
        let scope = env.scope("test");
        manager.spawn_background(&scope, BackgroundIntervals::default());
        scope.cancel();
        scope.join().await;
    });
}
