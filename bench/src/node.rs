//! A node under measurement, and what `/proc` says of it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, bail};

/// What is measured runs on one processor and the client on another: where the scheduler puts them decides who pays for a
/// wake-up, and that must not differ between a broker and a bare loop.
pub const SERVER_CPU: &str = "0";
const CLIENT_CPU: usize = 1;

/// Keeps this process off the processor of what it measures; without effect on a machine with one.
pub fn pin_client() {
    let mut cpus = rustix::thread::CpuSet::new();
    cpus.set(CLIENT_CPU);
    // with one processor there is nothing to keep apart
    let _ = rustix::thread::sched_setaffinity(None, &cpus);
}

/// A running `klamm` on a directory of its own; both go when this is dropped.
pub struct Node {
    pub child: Child,
    pub address: String,
    pub data: PathBuf,
}

impl Node {
    /// Starts on a fresh directory and waits for the ready line.
    pub fn start(klamm: &Path, extra: &[&str]) -> anyhow::Result<Node> {
        Node::start_on(klamm, Node::fresh_directory(), extra)
    }

    fn fresh_directory() -> PathBuf {
        let unique = format!("klamm-bench-{}-{}", std::process::id(), rand());
        std::env::temp_dir().join(unique)
    }

    fn start_on(klamm: &Path, data: PathBuf, extra: &[&str]) -> anyhow::Result<Node> {
        let mut child = Command::new("taskset")
            .args(["-c", SERVER_CPU])
            .arg(klamm)
            .args(["server", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", "--data"])
            .arg(&data)
            .args(extra)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {}", klamm.display()))?;
        let stdout = child.stdout.take().context("stdout is not piped")?;
        for line in BufReader::new(stdout).lines() {
            if let Some(address) = line?.strip_prefix("klamm ready on ") {
                return Ok(Node { child, address: address.to_owned(), data });
            }
        }
        bail!("{} ended before it was ready", klamm.display())
    }
    /// Stops with SIGTERM, or kills, and starts again on the same directory; answers the seconds of both.
    pub fn restart(&mut self, klamm: &Path, kill: bool) -> anyhow::Result<(f64, f64)> {
        let begun = Instant::now();
        if kill {
            self.child.kill()?;
        } else {
            let pid = self.child.id().to_string();
            Command::new("kill").args(["-TERM", &pid]).status()?;
        }
        self.child.wait()?;
        let stopped = begun.elapsed().as_secs_f64();
        let begun = Instant::now();
        let again = Node::start_on(klamm, self.data.clone(), &[])?;
        let started = begun.elapsed().as_secs_f64();
        let mut again = ManuallyDrop::new(again);
        std::mem::swap(&mut self.child, &mut again.child);
        std::mem::swap(&mut self.address, &mut again.address);
        Ok((stopped, started))
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.data);
    }
}

fn rand() -> u128 {
    std::time::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_nanos())
}

/// CPU seconds of a process so far, over all its threads that live; to the nanosecond, where `/proc/PID/stat` counts ticks.
pub fn cpu_seconds(pid: u32) -> anyhow::Result<f64> {
    let mut nanoseconds = 0.0;
    for thread in fs::read_dir(format!("/proc/{pid}/task"))? {
        let text = fs::read_to_string(thread?.path().join("schedstat"))?;
        let running = text.split(' ').next().context("schedstat is empty")?;
        nanoseconds += running.parse::<f64>()?;
    }
    Ok(nanoseconds / 1e9)
}

/// Resident memory of a process, in bytes.
pub fn resident_bytes(pid: u32) -> anyhow::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
}

/// System calls for writing that a process has made (`syscw`).
pub fn write_calls(pid: u32) -> anyhow::Result<u64> {
    let io = fs::read_to_string(format!("/proc/{pid}/io"))?;
    let line = io.lines().find_map(|line| line.strip_prefix("syscw: ")).context("no syscw")?;
    Ok(line.trim().parse()?)
}

/// The median.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
