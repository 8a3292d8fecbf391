//! The same on a real disk, and a directory for Kafka's own tools to look at.

use std::path::{Path, PathBuf};

use klamm_env::{Env, RealOptions};

use crate::node::Node;

/// Starts, changes and stops a node twice in `dir`.
async fn live(env: &Env, dir: &Path) {
    let mut previous_epoch = -1;
    for round in 0..2 {
        let node = Node::start_in(env, dir).await.expect("starts");
        let broker = node.register(previous_epoch).await;
        broker.unfence().await.expect("unfenced");
        node.set("log.cleaner.threads", &(round + 1).to_string()).await.expect("written");
        broker.controlled_shutdown().await.expect("let go");
        previous_epoch = broker.broker_epoch();
        node.controller.close().await;
    }
}

#[test]
fn a_node_lives_twice_on_a_real_disk() {
    let kept = std::env::var_os("KLAMM_KEEP_METADATA_DIR").map(PathBuf::from);
    let temporary = tempfile::tempdir().expect("a directory");
    let dir = kept.unwrap_or_else(|| temporary.path().join("data"));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let env = Env::real(RealOptions::default());
        live(&env, &dir).await;
        let node = Node::start_in(&env, &dir).await.expect("starts");
        assert_eq!(node.get("log.cleaner.threads").as_deref(), Some("2"));
        assert!(node.controller.image().provenance.last_contained_epoch.0 >= 3);
        node.controller.close().await;
    });
}
