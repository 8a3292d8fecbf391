//! The log manager: placement, checkpoints, deletion, start and stop.

use std::path::Path;
use std::sync::Arc;

use klamm_env::Env;
use klamm_env::sim::{CrashKind, Fault, FaultOperation, Sim};
use klamm_record::{Offset, TopicId, TopicPartition, Uuid};
use klamm_storage::log_manager::{
    CreateLogError, DeleteLogError, DirArgs, OpenError, OpenLogError, OpenReport, Placement,
};
use klamm_storage::producer_state::ProducerStateConfig;
use klamm_storage::{LogManager, LogManagerArgs, StorageMetrics};
use prometheus_client::registry::Registry;

use crate::harness::{NOW_MS, append_ok, batch, idempotent, small_segments};

const TOPIC: TopicId = TopicId(Uuid::from_parts(1, 2));

fn args(env: &Env) -> LogManagerArgs {
    let dir = |name: &str, id| {
        let path = Path::new(name).to_path_buf();
        env.disk().create_dir_all(&path).expect("makes it");
        DirArgs { path, id: Some(Uuid::from_parts(9, id)) }
    };
    let dirs = vec![dir("/a", 1), dir("/b", 2)];
    env.disk().sync_dir(Path::new("/")).expect("syncs");
    LogManagerArgs {
        env: env.clone(),
        dirs,
        config_of: Arc::new(|_| small_segments()),
        producer_state: ProducerStateConfig::default(),
        recovery_jobs_per_dir: 2,
        metrics: StorageMetrics::register(&mut Registry::default()),
    }
}

async fn start(env: &Env) -> (Arc<LogManager>, OpenReport) {
    LogManager::open(args(env)).await.expect("opens")
}

fn partition(number: i32) -> TopicPartition {
    TopicPartition::new("orders", number)
}

#[test]
fn partitions_spread_over_dirs_and_survive_a_clean_stop() {
    let sim = Sim::new(1);
    sim.run(|env| async move {
        let (manager, _) = start(&env).await;
        for number in 0..4 {
            let mut loaded =
                manager.create(&partition(number), TOPIC, Placement::Any).expect("creates");
            append_ok(&mut loaded.appender, vec![batch(1 + i64::from(number), 10, NOW_MS)]);
            loaded.appender.close().expect("closes");
        }
        assert!(matches!(
            manager.create(&partition(0), TOPIC, Placement::Any),
            Err(CreateLogError::Exists(_))
        ));
        let directory = Placement::Directory(Uuid::from_parts(9, 2));
        let mut loaded = manager.create(&partition(4), TOPIC, directory).expect("creates");
        loaded.appender.close().expect("closes");
        let counts: Vec<usize> = manager.dirs().iter().map(|dir| dir.partitions).collect();
        assert_eq!(counts, [2, 3]);
        assert_eq!(manager.shutdown(5).unclean_dirs, [] as [&Path; 0]);
    });
    sim.crash("n1", CrashKind::DropUnsynced);
    sim.run(|env| async move {
        let (manager, report) = start(&env).await;
        assert_eq!((report.partitions, report.previous_broker_epoch), (5, Some(5)));
        assert!(report.recovered.is_empty());
        for number in 0..4 {
            let loaded = manager.open_log(&partition(number), Some(TOPIC)).expect("opens");
            assert_eq!(loaded.report.recovered_segments, 0);
            assert_eq!(loaded.log.log_end_offset().0, 1 + i64::from(number));
            assert_eq!(loaded.log.high_watermark().0, 1 + i64::from(number));
            assert!(matches!(
                manager.open_log(&partition(number), None),
                Err(OpenLogError::InUse(_))
            ));
        }
        let other = TopicId(Uuid::from_parts(3, 4));
        let wrong = manager.open_log(&partition(4), Some(other));
        assert!(matches!(wrong, Err(OpenLogError::InconsistentTopicId { .. })), "{wrong:?}");
        let missing = manager.open_log(&partition(9), None);
        assert!(matches!(missing, Err(OpenLogError::NotFound(_))));
        let report = manager.shutdown(6);
        assert_eq!(report.clean_dirs.len(), 0, "logs are still open in both");
    });
}

#[test]
fn a_crash_recovers_from_the_checkpointed_recovery_point() {
    let sim = Sim::new(2);
    sim.run(|env| async move {
        let (manager, _) = start(&env).await;
        let mut loaded = manager.create(&partition(0), TOPIC, Placement::Any).expect("creates");
        for i in 0..40 {
            append_ok(&mut loaded.appender, vec![batch(5, 10_000, NOW_MS + i)]);
        }
        assert!(loaded.log.segments().len() >= 2);
        loaded.appender.increment_log_start_offset(Offset(3)).expect("is committed");
        manager.checkpoint_recovery_points();
        manager.checkpoint_log_start_offsets();
        manager.checkpoint_high_watermarks();
    });
    sim.crash("n1", CrashKind::Process);
    sim.run(|env| async move {
        let (manager, report) = start(&env).await;
        assert_eq!(report.unclean_dirs.len(), 2);
        let (_, load) = &report.recovered[0];
        assert_eq!((load.recovered_segments, load.truncated_bytes), (1, 0), "{load:?}");
        let mut loaded = manager.open_log(&partition(0), Some(TOPIC)).expect("opens");
        assert_eq!(
            (loaded.log.log_start_offset(), loaded.log.log_end_offset()),
            (Offset(3), Offset(200))
        );
        assert_eq!(loaded.log.high_watermark(), Offset(200));
        loaded.appender.close().expect("closes");
        assert_eq!(manager.shutdown(1).clean_dirs.len(), 2);
    });
}

#[test]
fn deleting_renames_and_unlinks_later() {
    let sim = Sim::new(3);
    sim.run(|env| async move {
        let (manager, _) = start(&env).await;
        let loaded = manager.create(&partition(0), TOPIC, Placement::Any).expect("creates");
        let in_use = manager.delete(&partition(0), None);
        assert!(matches!(in_use, Err(DeleteLogError::InUse(_))), "{in_use:?}");
        manager.delete(&partition(0), Some(loaded.appender)).expect("deletes");
        assert!(!manager.contains(&partition(0)));
        let names = |env: &Env| -> Vec<String> {
            let entries = env.disk().list(Path::new("/a")).expect("lists");
            entries.into_iter().filter(|entry| entry.is_dir).map(|entry| entry.name).collect()
        };
        assert!(names(&env)[0].ends_with("-delete"), "{:?}", names(&env));
        let again = manager.create(&partition(0), TOPIC, Placement::Any).expect("creates anew");
        assert_eq!(again.log.log_end_offset(), Offset(0));
        assert_eq!(manager.unlink_due(), 0);
        env.clock().sleep(std::time::Duration::from_secs(61)).await;
        assert_eq!(manager.unlink_due(), 1);
        assert_eq!(names(&env), ["orders-0"]);
    });
}

#[test]
fn a_dir_that_fails_is_offline_and_the_other_goes_on() {
    let sim = Sim::new(4);
    let sim = &sim;
    sim.run(|env| async move {
        let (manager, _) = start(&env).await;
        sim.disk().inject(Fault::on(FaultOperation::Write).path("/a/"));
        manager.checkpoint_recovery_points();
        sim.disk().clear_faults();
        let offline: Vec<bool> = manager.dirs().iter().map(|dir| dir.offline.is_some()).collect();
        assert_eq!(offline, [true, false]);
        for number in 0..2 {
            let loaded =
                manager.create(&partition(number), TOPIC, Placement::Any).expect("creates");
            assert_eq!(loaded.log.dir_state().path(), Path::new("/b"));
        }
        let lost = Placement::Directory(Uuid::from_parts(9, 1));
        let refused = manager.create(&partition(7), TOPIC, lost);
        assert!(matches!(refused, Err(CreateLogError::NoDirectory(_))));
    });
}

#[test]
fn a_partition_in_two_dirs_stops_the_start() {
    let sim = Sim::new(5);
    sim.run(|env| async move {
        for dir in ["/a/orders-0", "/b/orders-0"] {
            env.disk().create_dir_all(Path::new(dir)).expect("makes it");
        }
        let twice = LogManager::open(args(&env)).await;
        assert!(matches!(twice, Err(OpenError::DuplicateLog { .. })));
    });
}

#[test]
fn a_changed_expiry_of_producers_is_followed() {
    Sim::new(1).run(|env| async move {
        let (manager, _) = start(&env).await;
        let mut loaded = manager.create(&partition(0), TOPIC, Placement::Any).expect("creates");
        append_ok(&mut loaded.appender, vec![idempotent(7, 0, 0, 1)]);
        let known = || loaded.log.active_producers().len();
        loaded.appender.remove_expired_producers(manager.producer_state(), NOW_MS + 5_000);
        assert_eq!(known(), 1);
        manager.set_producer_id_expiration_ms(5_000);
        loaded.appender.remove_expired_producers(manager.producer_state(), NOW_MS + 4_999);
        assert_eq!(known(), 1);
        loaded.appender.remove_expired_producers(manager.producer_state(), NOW_MS + 5_000);
        assert_eq!(known(), 0);
    });
}

#[test]
fn a_truncation_takes_the_recovery_point_along() {
    Sim::new(1).run(|env| async move {
        let (manager, _) = start(&env).await;
        let placement = Placement::Directory(Uuid::from_parts(9, 1));
        let mut loaded = manager.create(&partition(0), TOPIC, placement).expect("creates");
        append_ok(&mut loaded.appender, vec![batch(3, 10, NOW_MS), batch(4, 10, NOW_MS)]);
        let plan = loaded.log.flush_plan(Offset(7)).expect("plans");
        loaded.log.sync_blocking(&plan).expect("syncs");
        manager.checkpoint_recovery_points();
        let checkpoint = Path::new("/a/recovery-point-offset-checkpoint");
        let written = || {
            let bytes = env.disk().read(checkpoint, 1 << 10).expect("reads");
            String::from_utf8(bytes).expect("is text")
        };
        assert_eq!(written(), "0\n1\norders 0 7\n");
        manager.checkpoint_after(loaded.appender.truncate_to(Offset(3), NOW_MS).expect("cuts"));
        assert_eq!(written(), "0\n1\norders 0 3\n");
    });
}
