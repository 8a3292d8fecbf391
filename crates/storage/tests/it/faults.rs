//! A disk that fails or is full.

use std::path::Path;

use klamm_env::sim::{Fault, FaultOperation, Sim};
use klamm_record::Offset;
use klamm_storage::{AppendError, Origin};

use crate::harness::{NOW_MS, Opening, append_all, append_ok, batch, check_log, small_segments};

fn with_log(test: impl AsyncFnOnce(&Sim, Opening)) {
    let sim = Sim::new(1);
    let sim = &sim;
    sim.run(|env| async move {
        env.disk().create_dir_all(Path::new("/data")).expect("makes it");
        test(sim, Opening::new(&env, Path::new("/data"), &small_segments())).await;
    });
}

#[test]
fn a_write_that_fails_leaves_nothing_behind() {
    with_log(async |sim, opening| {
        let mut loaded = opening.open();
        append_ok(&mut loaded.appender, vec![batch(3, 1000, NOW_MS)]);
        for _ in 0..20 {
            sim.disk()
                .inject(Fault::on(FaultOperation::Write).path(".log").times(1).storage_full());
            let batches = vec![batch(2, 50_000, NOW_MS), batch(2, 5000, NOW_MS)];
            for result in append_all(&mut loaded.appender, batches, Origin::Client) {
                let Err(AppendError::Io(fault)) = result else { panic!("{result:?}") };
                assert_eq!(fault.kind, std::io::ErrorKind::StorageFull);
            }
            sim.disk().clear_faults();
            assert_eq!(loaded.log.log_end_offset(), Offset(3));
            check_log(&loaded.log, Offset(0));
        }
        append_ok(&mut loaded.appender, vec![batch(2, 10, NOW_MS)]);
        check_log(&loaded.log, Offset(0));
        assert_eq!(loaded.log.offline_reason(), None);
    });
}

#[test]
fn a_write_that_cannot_be_taken_back_poisons_the_log() {
    with_log(async |sim, opening| {
        let mut loaded = opening.open();
        append_ok(&mut loaded.appender, vec![batch(3, 1000, NOW_MS)]);
        sim.disk().inject(Fault::on(FaultOperation::Write).path(".log"));
        append_all(&mut loaded.appender, vec![batch(2, 50_000, NOW_MS)], Origin::Client);
        sim.disk().clear_faults();
        let later = append_all(&mut loaded.appender, vec![batch(2, 10, NOW_MS)], Origin::Client);
        assert!(matches!(later[0], Err(AppendError::Offline(_))), "{later:?}");
        loaded.appender.close().expect_err("a poisoned log is not closed cleanly");
    });
}

#[test]
fn a_failed_sync_takes_the_log_dir_offline() {
    with_log(async |sim, opening| {
        let mut loaded = opening.open();
        append_ok(&mut loaded.appender, vec![batch(3, 1000, NOW_MS)]);
        sim.disk().inject(Fault::on(FaultOperation::Sync).path(".log"));
        let plan = loaded.log.flush_plan(Offset(3)).expect("plans");
        loaded.log.sync_blocking(&plan).expect_err("fails");
        sim.disk().clear_faults();
        assert_eq!(loaded.log.recovery_point(), Offset(0));
        assert!(loaded.log.dir_state().is_offline());
        let later = append_all(&mut loaded.appender, vec![batch(2, 10, NOW_MS)], Origin::Client);
        assert!(matches!(later[0], Err(AppendError::Offline(_))), "{later:?}");
    });
}

#[test]
fn a_roll_that_fails_can_be_tried_again() {
    with_log(async |sim, opening| {
        let mut loaded = opening.open();
        append_ok(&mut loaded.appender, vec![batch(3, 1000, NOW_MS)]);
        for file in [".snapshot", ".index", ".timeindex", ".log"] {
            sim.disk().inject(Fault::on(FaultOperation::Open).path(&format!("3{file}")));
            loaded.appender.roll(NOW_MS).expect_err("fails");
            sim.disk().clear_faults();
            append_ok(&mut loaded.appender, vec![]);
            check_log(&loaded.log, Offset(0));
        }
        let plan = loaded.appender.roll(NOW_MS).expect("rolls");
        loaded.log.sync_blocking(&plan).expect("syncs");
        append_ok(&mut loaded.appender, vec![batch(3, 1000, NOW_MS)]);
        assert_eq!(loaded.log.segments().len(), 2);
        check_log(&loaded.log, Offset(0));
    });
}
