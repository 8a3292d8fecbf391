//! One node of a simulation: how it is configured, started, stopped and crashed.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use klamm_env::sim::{CrashKind, Sim};
use klamm_server::{ConfigSources, Server, ServerConfig, ServerHandle};
use klamm_sim::history::Place;

/// The node's name in the simulation.
pub const NODE: &str = "n1";
/// The machine that clients live on.
pub const CLIENTS: &str = "clients";

/// How a node goes down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// In order.
    Clean,
    /// Killed: what it wrote stays.
    Kill,
    /// Everything that was not synced is as the seed decides.
    PowerLoss,
    /// Everything that was not synced is gone.
    DropUnsynced,
}

/// Where the node listens.
pub fn address(sim: &Sim) -> SocketAddr {
    SocketAddr::new(sim.address(NODE), 9092)
}

fn config(sim: &Sim, settings: &[(&str, &str)]) -> ServerConfig {
    let fast = [
        ("log.retention.check.interval.ms", "500"),
        ("log.initial.task.delay.ms", "100"),
        ("log.flush.offset.checkpoint.interval.ms", "1000"),
        ("log.flush.start.offset.checkpoint.interval.ms", "1000"),
        ("log.index.interval.bytes", "100"),
        ("metadata.log.max.record.bytes.between.snapshots", "4000"),
    ];
    let settings = fast.iter().chain(settings);
    let sources = ConfigSources {
        data: Some("/data".to_owned()),
        listen: Some(address(sim).to_string()),
        overrides: settings.map(|(name, value)| ((*name).into(), (*value).into())).collect(),
        hostname: Some(NODE.to_owned()),
        ..ConfigSources::default()
    };
    sources.load().unwrap_or_else(|errors| panic!("{errors}"))
}

/// Starts the node on what its disk holds.
pub async fn start(sim: &Sim, settings: &[(&str, &str)]) -> ServerHandle {
    let env = sim.node(NODE);
    Server::start(config(sim, settings), env).await.unwrap_or_else(|error| panic!("{error}"))
}

/// Takes the node down; answers how much of each log had been synced.
pub async fn stop(sim: &Sim, node: ServerHandle, how: Stop) -> BTreeMap<Place, i64> {
    if how == Stop::Clean {
        node.shutdown().await;
        // the next start is another process
        sim.crash(NODE, CrashKind::Process);
        return BTreeMap::new();
    }
    let synced = synced(&node);
    let kind = match how {
        Stop::Clean | Stop::Kill => CrashKind::Process,
        Stop::PowerLoss => CrashKind::PowerLoss,
        Stop::DropUnsynced => CrashKind::DropUnsynced,
    };
    sim.crash(NODE, kind);
    drop(node);
    synced
}

/// Up to where each open log is on the disk. What no longer is open since the start was synced when it was opened last.
fn synced(node: &ServerHandle) -> BTreeMap<Place, i64> {
    let partitions = node.broker().replica_manager().partitions();
    let logs = partitions.iter().filter_map(|it| Some((it.topic_partition(), it.opened_log()?)));
    logs.map(|(at, log)| ((at.topic.to_string(), at.partition), log.recovery_point().0)).collect()
}
