//! Process start to the first answer, and memory when idle.

use std::path::Path;
use std::time::{Duration, Instant};

use klamm_protocol::ApiKey;
use klamm_protocol::messages::api_versions_request::ApiVersionsRequest;

use crate::client::Client;
use crate::node::{Node, median, resident_bytes};

pub fn run(klamm: &Path, rounds: usize) -> anyhow::Result<()> {
    let mut milliseconds = Vec::new();
    let mut resident = Vec::new();
    for _ in 0..rounds {
        let started = Instant::now();
        let node = Node::start(klamm, &[])?;
        let mut client = Client::connect(&node.address)?;
        client.send(ApiKey::ApiVersions, 2, &ApiVersionsRequest::default())?;
        client.receive()?;
        milliseconds.push(started.elapsed().as_secs_f64() * 1000.0);
        std::thread::sleep(Duration::from_millis(200));
        resident.push(resident_bytes(node.child.id())? as f64 / 1e6);
    }
    let worst = milliseconds.iter().copied().fold(0.0, f64::max);
    println!(
        "startup: first answer after {:.1} ms (median of {rounds}, worst {worst:.1} ms); idle memory {:.1} MB",
        median(milliseconds),
        median(resident)
    );
    Ok(())
}
