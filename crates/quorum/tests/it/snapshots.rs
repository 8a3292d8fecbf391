//! Snapshots: when, what they make superfluous, and what happens when one is damaged.

use std::path::Path;
use std::time::Duration;

use klamm_env::Env;
use klamm_env::sim::Sim;
use klamm_quorum::{MetadataLogConfig, SnapshotFile};

use crate::node::{LOG_DIR, Node, dump};

fn snapshots(env: &Env) -> Vec<String> {
    let entries = env.disk().list(Path::new(LOG_DIR)).expect("readable");
    let names = entries.into_iter().map(|entry| entry.name);
    names.filter(|name| SnapshotFile::parse(name).is_some()).collect()
}

async fn settle(env: &Env) {
    env.clock().sleep(Duration::from_secs(1)).await;
}

#[test]
fn an_idle_node_writes_nothing_and_a_changed_one_a_snapshot_within_the_hour() {
    let mut sim = Sim::new(2);
    sim.set_time_limit(Duration::from_secs(86_400));
    sim.run(|env| async move {
        let node = Node::start(&env).await;
        node.set("a", "1").await.expect("written");
        env.clock().sleep(Duration::from_secs(3590)).await;
        assert_eq!(snapshots(&env).len(), 1, "{:?}", snapshots(&env));
        env.clock().sleep(Duration::from_secs(20)).await;
        let after = snapshots(&env);
        assert_eq!(after.len(), 2, "{after:?}");
        let end = node.controller.image().provenance;
        env.clock().sleep(Duration::from_secs(7200)).await;
        assert_eq!(snapshots(&env), after);
        assert_eq!(node.controller.image().provenance, end);
        node.controller.close().await;
        let text = dump(&env, &format!("{LOG_DIR}/{}", after[1]));
        assert!(text.contains("KRaftVersion(1)") && text.contains("Voters("), "{text}");
        let again = Node::start(&env).await;
        assert_eq!(again.get("a").as_deref(), Some("1"));
    });
}

fn small() -> MetadataLogConfig {
    MetadataLogConfig {
        segment_bytes: 1 << 20,
        snapshot_bytes: 200_000,
        retention_bytes: 2 << 20,
        ..MetadataLogConfig::default()
    }
}

#[test]
fn old_snapshots_go_and_a_damaged_one_is_passed_over() {
    Sim::new(2).run(|env| async move {
        let node = Node::start_with(&env, small()).await.expect("starts");
        let long = "x".repeat(20_000);
        for n in 0..200 {
            node.set(&format!("k{}", n % 10), &format!("{long}{n}")).await.expect("written");
            settle(&env).await;
        }
        let left = snapshots(&env);
        assert!(left.len() >= 2 && left.len() < 8, "{left:?}");
        assert!(!left.iter().any(|name| name.starts_with("00000000000000000000-")), "{left:?}");
        node.controller.close().await;
        damage(&env, left.last().expect("there are some"));
        let again = Node::start_with(&env, small()).await.expect("the one before will do");
        assert_eq!(again.get("k9").as_deref(), Some(format!("{long}199").as_str()));
        again.controller.close().await;
    });
}

#[test]
fn a_damaged_old_snapshot_is_removed() {
    Sim::new(2).run(|env| async move {
        let node = Node::start_with(&env, small()).await.expect("starts");
        let long = "x".repeat(20_000);
        while snapshots(&env).len() < 3 {
            node.set("k", &long).await.expect("written");
            settle(&env).await;
        }
        node.controller.close().await;
        let names = snapshots(&env);
        damage(&env, &names[0]);
        let again = Node::start_with(&env, small()).await.expect("starts");
        assert_eq!(snapshots(&env), names[1..]);
        assert_eq!(again.get("k").as_deref(), Some(long.as_str()));
    });
}

fn damage(env: &Env, name: &str) {
    let path = Path::new(LOG_DIR).join(name);
    let mut bytes = env.disk().read(&path, 1 << 20).expect("readable");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    env.disk().write_atomic(&path, &bytes).expect("written");
}
