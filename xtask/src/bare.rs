//! The README's two commands with nothing but Rust and a C compiler in the path.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, bail};

use crate::command;

/// What a Rust toolchain and a C compiler consist of.
const PROGRAMS: &[&str] = &[
    "cargo",
    "rustc",
    "rustdoc",
    "cargo-clippy",
    "clippy-driver",
    "rustup",
    "cc",
    "gcc",
    "c++",
    "ld",
    "as",
    "ar",
    "ranlib",
];

/// Runs `cargo test`, then `cargo run --release -- server` until it is ready, and stops it.
pub fn run(root: &Path) -> anyhow::Result<()> {
    let folder = std::env::temp_dir().join(format!("klamm-bare-{}", std::process::id()));
    let path = folder.join("bin");
    fs::create_dir_all(&path)?;
    for program in PROGRAMS {
        if let Some(found) = find(program) {
            std::os::unix::fs::symlink(found, path.join(program))?;
        }
    }
    let outcome = test(root, &path).and_then(|()| serve(root, &path, &folder));
    fs::remove_dir_all(&folder)?;
    outcome
}

fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

fn bare(root: &Path, path: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(path.join("cargo"));
    command.args(arguments).current_dir(root).env("PATH", path).env_remove("RUSTFLAGS");
    command
}

fn test(root: &Path, path: &Path) -> anyhow::Result<()> {
    eprintln!("$ cargo test   (Rust and cc only)");
    let status = bare(root, path, &["test"]).status().context("cargo cannot be started")?;
    if !status.success() {
        bail!("`cargo test` ended with {status}");
    }
    Ok(())
}

fn serve(root: &Path, path: &Path, folder: &Path) -> anyhow::Result<()> {
    eprintln!("$ cargo run --release -- server   (Rust and cc only)");
    let built = bare(root, path, &["build", "--release", "--bin", "klamm"]).status()?;
    if !built.success() {
        bail!("the release build ended with {built}");
    }
    let data = folder.join("data");
    let data = data.to_string_lossy();
    let mut child = bare(
        root,
        path,
        &[
            "run",
            "--release",
            "--",
            "server",
            "--data",
            &data,
            "--listen",
            "127.0.0.1:0",
            "--http",
            "127.0.0.1:0",
        ],
    )
    .stdout(Stdio::piped())
    .spawn()
    .context("cargo cannot be started")?;
    let outcome = await_ready(&mut child);
    if let Some(server) = child_of(child.id())? {
        command::run(root, "kill", &["-TERM", &server])?;
    }
    let status = child.wait()?;
    outcome?;
    if !status.success() {
        bail!("the server ended with {status} after SIGTERM");
    }
    println!("the two commands work with Rust and a C compiler only");
    Ok(())
}

fn await_ready(child: &mut Child) -> anyhow::Result<()> {
    let stdout = child.stdout.take().context("the server's output is not piped")?;
    for line in BufReader::new(stdout).lines() {
        let line = line?;
        println!("{line}");
        if line.contains("klamm ready on") {
            return Ok(());
        }
    }
    bail!("the server ended before it was ready")
}

/// The process that `cargo run` started; `cargo` itself when it replaced itself by it.
fn child_of(cargo: u32) -> anyhow::Result<Option<String>> {
    let children = fs::read_to_string(format!("/proc/{cargo}/task/{cargo}/children"))?;
    let first = children.split_whitespace().next().map(str::to_owned);
    Ok(Some(first.unwrap_or_else(|| cargo.to_string())))
}
