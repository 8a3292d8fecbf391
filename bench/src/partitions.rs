//! Memory of idle partitions.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::client::{Client, batch};
use crate::node::{Node, resident_bytes};

/// Most partitions that one request may create.
const AT_ONCE: i32 = 5_000;

pub fn run(klamm: &Path, count: i32) -> anyhow::Result<()> {
    let mut node = Node::start(klamm, &[])?;
    let mut client = Client::connect(&node.address)?;
    client.create_topic("warm", 1)?;
    client.produce("warm", 0, &batch(16 << 10))?;
    std::thread::sleep(Duration::from_secs(1));
    let before = resident_bytes(node.child.id())?;
    let started = Instant::now();
    let mut made = 0;
    while made < count {
        let next = AT_ONCE.min(count - made);
        client.create_topic(&format!("many-{made}"), next)?;
        made += next;
    }
    let answered = started.elapsed();
    // the directories are made behind the answer
    while directories(&node.data)? < count as usize {
        std::thread::sleep(Duration::from_millis(20));
    }
    let on_disk = started.elapsed();
    std::thread::sleep(Duration::from_secs(3));
    let after = resident_bytes(node.child.id())?;
    println!(
        "partitions: {count} created in {:.2} s (directories there after {:.2} s); {:.1} KB of memory each ({:.1} MB before, {:.1} MB after)",
        answered.as_secs_f64(),
        on_disk.as_secs_f64(),
        (after.saturating_sub(before)) as f64 / 1e3 / f64::from(count),
        before as f64 / 1e6,
        after as f64 / 1e6
    );
    let (stopped, started) = node.restart(klamm, false)?;
    println!("partitions: clean stop in {stopped:.2} s, ready again after {started:.2} s");
    let (_, started) = node.restart(klamm, true)?;
    println!("partitions: ready again {started:.2} s after kill -9");
    Ok(())
}

fn directories(data: &Path) -> anyhow::Result<usize> {
    let names = std::fs::read_dir(data)?.flatten();
    Ok(names.filter(|entry| entry.file_name().to_string_lossy().starts_with("many-")).count())
}
