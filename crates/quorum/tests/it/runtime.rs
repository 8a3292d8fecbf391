//! The runtime: groups, failures, publishers.

use std::sync::Arc;

use klamm_env::sim::{Fault, FaultOperation, Sim};
use klamm_metadata::controller::ControllerResult;
use klamm_metadata::records::{MetadataRecord, RemoveTopicRecord};
use klamm_metadata::{MetadataDelta, MetadataImage};
use klamm_quorum::{ControllerError, MetadataPublisher};
use klamm_record::Uuid;
use parking_lot::Mutex;

use crate::node::{Node, config, dump_log};

#[derive(Default)]
struct Seen(Mutex<Vec<(bool, i64)>>);

impl MetadataPublisher for Seen {
    fn on_update(&self, delta: &MetadataDelta, image: &Arc<MetadataImage>) {
        let offset = image.provenance.last_contained_offset.0;
        self.0.lock().push((delta.base().is_empty(), offset));
    }
}

#[test]
fn what_waits_together_is_written_together_and_published_before_it_is_answered() {
    Sim::new(5).run(|env| async move {
        let node = Arc::new(Node::start(&env).await);
        let seen = Arc::new(Seen::default());
        node.controller.add_publisher(seen.clone()).await.expect("added");
        let before = seen.0.lock().clone();
        assert_eq!(before.len(), 1);
        assert!(before[0].0, "the first call brings everything");
        let tasks: Vec<_> = (0..50)
            .map(|n| {
                let node = Arc::clone(&node);
                env.scope("test").spawn("set", async move {
                    let key = format!("k{n}");
                    node.set(&key, "1").await.expect("written");
                    assert_eq!(node.get(&key).as_deref(), Some("1"));
                })
            })
            .collect();
        for task in tasks {
            task.await.expect("no panic");
        }
        let calls = seen.0.lock().len();
        assert!(calls < 10, "{calls} groups for 50 operations");
        assert!(seen.0.lock().is_sorted_by_key(|(_, offset)| *offset));
    });
}

#[test]
fn records_that_do_not_apply_are_not_written() {
    Sim::new(5).run(|env| async move {
        let node = Node::start(&env).await;
        let before = dump_log(&env);
        let nonsense = vec![
            config("half", "done"),
            MetadataRecord::RemoveTopic(RemoveTopicRecord { topic_id: Uuid([9; 16]) }),
        ];
        let refused =
            node.controller.run("nonsense", |_, _| ControllerResult::atomic_of(nonsense, ())).await;
        assert!(matches!(refused, Err(ControllerError::BadRecords { .. })), "{refused:?}");
        assert_eq!(node.get("half"), None);
        assert_eq!(dump_log(&env), before);
        node.set("next", "1").await.expect("the controller goes on");
    });
}

#[test]
fn a_large_atomic_change_is_bracketed() {
    Sim::new(5).run(|env| async move {
        let node = Node::start(&env).await;
        let many: Vec<_> = (0..12_000).map(|n| config(&format!("k{n}"), "v")).collect();
        let op = move |_: &mut _, _: &_| ControllerResult::atomic_of(many, ());
        node.controller.run("many", op).await.expect("written");
        assert_eq!(node.get("k11999").as_deref(), Some("v"));
        node.controller.close().await;
        let dump = dump_log(&env);
        assert_eq!(dump.matches("BeginTransaction(").count(), 2, "bootstrap and this");
        assert_eq!(dump.matches("EndTransaction(").count(), 2);
        let again = Node::start(&env).await;
        assert_eq!(again.get("k11999").as_deref(), Some("v"));
    });
}

#[test]
fn a_failed_sync_ends_the_controller() {
    let sim = Sim::new(5);
    let disk = sim.disk();
    sim.run(|env| async move {
        let node = Node::start(&env).await;
        node.set("a", "1").await.expect("written");
        disk.inject(Fault::on(FaultOperation::Sync).path(".log"));
        let refused = node.set("a", "2").await;
        assert!(matches!(refused, Err(ControllerError::Stopped)), "{refused:?}");
        let failure = node.controller.failed().await;
        assert!(failure.reason.contains("sync"), "{failure}");
        assert_eq!(node.get("a").as_deref(), Some("1"), "what is not committed is not seen");
        assert!(node.set("a", "3").await.is_err());
    });
}

#[test]
fn a_full_disk_is_told_and_passes() {
    let sim = Sim::new(5);
    let disk = sim.disk();
    sim.run(|env| async move {
        let node = Node::start(&env).await;
        node.set("a", "1").await.expect("written");
        disk.inject(Fault::on(FaultOperation::Write).path(".log").times(1).storage_full());
        let refused = node.set("a", "2").await;
        assert!(matches!(refused, Err(ControllerError::DiskFull)), "{refused:?}");
        assert_eq!(node.get("a").as_deref(), Some("1"));
        disk.clear_faults();
        node.set("a", "3").await.expect("written again");
        node.controller.close().await;
        let again = Node::start(&env).await;
        assert_eq!(again.get("a").as_deref(), Some("3"));
    });
}
