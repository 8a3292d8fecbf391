//! What it costs to append, and how many writes it takes.

use std::path::Path;

use crate::client::{Client, batch};
use crate::node::{Node, cpu_seconds, write_calls};

pub fn run(klamm: &Path, mebibytes: u64) -> anyhow::Result<()> {
    for kibibytes in [16, 64] {
        let node = Node::start(klamm, &[])?;
        let mut client = Client::connect(&node.address)?;
        client.create_topic("data", 1)?;
        let batch = batch(kibibytes << 10);
        client.produce("data", 0, &batch)?;
        let count = (mebibytes << 20) / batch.len() as u64;
        let pid = node.child.id();
        let (cpu, writes) = (cpu_seconds(pid)?, write_calls(pid)?);
        for _ in 0..count {
            client.produce("data", 0, &batch)?;
        }
        let cpu = cpu_seconds(pid)? - cpu;
        let writes = write_calls(pid)? - writes;
        println!(
            "append: {kibibytes} KiB batches, one producer: {:.2} CPU seconds per GB; {:.2} write calls per batch (one for the log, the rest are the socket's)",
            cpu / (count as f64 * batch.len() as f64 / 1e9),
            writes as f64 / count as f64
        );
    }
    Ok(())
}
