//! A consumer that reads from the page cache, in turn with the bare `sendfile` loop.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context as _;

use crate::bare::{ANSWER_BYTES, REQUEST_BYTES};
use crate::client::{Client, batch};
use crate::node::{Node, SERVER_CPU, cpu_seconds, median};

pub fn run(klamm: &Path, mebibytes: u64, rounds: usize) -> anyhow::Result<()> {
    let node = Node::start(klamm, &[])?;
    let mut client = Client::connect(&node.address)?;
    client.create_topic("data", 1)?;
    let batch = batch(64 << 10);
    let total = mebibytes << 20;
    for _ in 0..total / batch.len() as u64 {
        client.produce("data", 0, &batch)?;
    }
    let file = log_file(&node.data)?;
    let mut bare = Command::new("taskset")
        .args(["-c", SERVER_CPU])
        .arg(std::env::current_exe()?)
        .arg("bare")
        .arg(&file)
        .stdout(Stdio::piped())
        .spawn()?;
    let mut address = String::new();
    BufReader::new(bare.stdout.take().context("stdout is not piped")?).read_line(&mut address)?;
    let mut loop_stream = TcpStream::connect(address.trim())?;
    loop_stream.set_nodelay(true)?;

    let (mut klamm_costs, mut bare_costs) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        klamm_costs.push(read_klamm(&node, &mut client, total)?);
        bare_costs.push(read_bare(bare.id(), &mut loop_stream, total)?);
    }
    drop(loop_stream);
    bare.wait()?;
    let ratios: Vec<f64> = klamm_costs.iter().zip(&bare_costs).map(|(a, b)| a / b).collect();
    println!(
        "consume: {:.3} CPU seconds per GB; bare sendfile loop {:.3}; ratio {:.2} (medians of {rounds} rounds of {mebibytes} MiB, in turn)",
        median(klamm_costs),
        median(bare_costs),
        median(ratios)
    );
    Ok(())
}

fn read_klamm(node: &Node, client: &mut Client, total: u64) -> anyhow::Result<f64> {
    let before = cpu_seconds(node.child.id())?;
    let (mut read, mut offset) = (0, 0);
    while read + (ANSWER_BYTES as u64) < total {
        let (bytes, next) = client.fetch("data", offset)?;
        read += bytes as u64;
        offset = next;
    }
    Ok((cpu_seconds(node.child.id())? - before) / (read as f64 / 1e9))
}

fn read_bare(pid: u32, stream: &mut TcpStream, total: u64) -> anyhow::Result<f64> {
    let before = cpu_seconds(pid)?;
    let mut buffer = vec![0; ANSWER_BYTES];
    let mut read = 0;
    while read + (ANSWER_BYTES as u64) < total {
        stream.write_all(&[0; REQUEST_BYTES])?;
        stream.read_exact(&mut buffer)?;
        read += ANSWER_BYTES as u64;
    }
    Ok((cpu_seconds(pid)? - before) / (read as f64 / 1e9))
}

fn log_file(data: &Path) -> anyhow::Result<PathBuf> {
    Ok(data.join("data-0").join("00000000000000000000.log"))
}
