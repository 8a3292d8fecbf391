//! Crashes at any time: what was answered survives, epochs rise, and the same seed gives the same bytes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use klamm_env::Env;
use klamm_env::sim::{CrashKind, Sim};
use klamm_quorum::MetadataLogConfig;
use parking_lot::Mutex;

use crate::node::Node;

/// Writers, each with its own keys, until the node goes down; each answered value is noted.
async fn write_until_crash(env: &Env, answered: Arc<Mutex<BTreeMap<String, u64>>>) {
    let config = MetadataLogConfig {
        snapshot_bytes: 2000,
        retention_bytes: 6000,
        ..MetadataLogConfig::default()
    };
    let node = Arc::new(Node::start_with(env, config).await.expect("starts after any crash"));
    for (key, value) in answered.lock().iter() {
        let found = node.get(key).map_or(0, |found| found.parse::<u64>().expect("a number"));
        assert!(found >= *value, "{key} was {value} when it was answered and is {found}");
    }
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let (node, answered) = (Arc::clone(&node), Arc::clone(&answered));
            env.scope("writers").spawn("writer", async move {
                let key = format!("key{writer}");
                let from = answered.lock().get(&key).copied().unwrap_or(0);
                for value in from + 1.. {
                    if node.set(&key, &value.to_string()).await.is_err() {
                        return;
                    }
                    answered.lock().insert(key.clone(), value);
                }
            })
        })
        .collect();
    for writer in writers {
        // A crash aborts the writers.
        let _ = writer.await;
    }
}

fn life(seed: u64) -> u64 {
    let sim = Sim::new(seed);
    let answered = Arc::new(Mutex::new(BTreeMap::new()));
    let mut epochs = Vec::new();
    for round in 0..6 {
        let kind = if round % 3 == 0 { CrashKind::Process } else { CrashKind::PowerLoss };
        let log = Arc::clone(&answered);
        sim.run(|_| async {
            let env = sim.node("n1");
            let clock = env.clock().clone();
            let pause = Duration::from_micros(200 + env.rng().below(60_000));
            let work = env.scope("node").spawn("node", {
                let env = env.clone();
                async move { write_until_crash(&env, log).await }
            });
            clock.sleep(pause).await;
            sim.crash("n1", kind);
            drop(work);
        });
        epochs.push(last_epoch(&sim));
    }
    sim.run(|_| async {
        let env = sim.node("n1");
        let node = Node::start(&env).await;
        for (key, value) in answered.lock().iter() {
            let found = node.get(key).expect("an answered key").parse::<u64>().expect("a number");
            assert!(found >= *value, "seed {seed}: {key} was {value}, is {found}");
        }
        node.controller.close().await;
    });
    assert!(epochs.is_sorted(), "seed {seed}: epochs went back: {epochs:?}");
    sim.fingerprint()
}

fn last_epoch(sim: &Sim) -> i64 {
    let image = sim.disk().image();
    let state = image.iter().find(|(path, _)| path.ends_with("quorum-state"));
    let Some((_, state)) = state else { return 0 };
    let text = String::from_utf8(state.clone()).expect("text");
    let epoch = text.split("\"leaderEpoch\":").nth(1).and_then(|rest| rest.split(',').next());
    epoch.expect("an epoch").parse().expect("a number")
}

#[test]
fn what_was_answered_survives_any_crash() {
    for seed in 0..20 {
        life(seed);
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    assert_eq!(life(77), life(77));
}
