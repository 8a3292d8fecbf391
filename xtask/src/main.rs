//! `cargo xtask`: the one tool of this repository.
#![expect(
    clippy::disallowed_methods,
    reason = "a developer's tool works on real files, processes and clocks"
)]
#![expect(
    clippy::disallowed_types,
    reason = "a developer's tool works on real files, processes and clocks"
)]

mod bare;
mod bench;
mod clients;
mod codegen;
mod command;
mod compat;
mod fuzz;
mod sim;
mod tidy;
mod verify;

use std::path::{Path, PathBuf};

use clap::{Parser, Subcommand};

/// The one tool of this repository.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Check formatting, lints, generated files, crate edges and sizes; writes nothing
    Verify,
    /// Write what `verify` would complain about: formatting and generated files
    Fix,
    /// Run the README's two commands with nothing but Rust and a C compiler in the path
    Bare,
    /// Measure start, memory, reading and appending beside bare loops
    Bench(bench::Options),
    /// Run every fuzz target for a while
    Fuzz(fuzz::Options),
    /// Run whole nodes under seeds
    Sim(sim::Options),
    /// Run real clients in other languages and Kafka's own tools against the built binary
    Clients(clients::Options),
    /// Check crate edges, file sizes, file headers and banned words
    Tidy,
    /// Write COMPAT.md from the server's dispatch table
    Compat {
        /// Write nothing; fail if the committed file differs
        #[arg(long)]
        check: bool,
    },
    /// Write the Rust of all message schemas
    Codegen {
        /// Write nothing; fail if a committed file differs
        #[arg(long)]
        check: bool,
    },
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let root = workspace_root();
    match arguments.task {
        Task::Verify => verify::verify(&root),
        Task::Fix => verify::fix(&root),
        Task::Bare => bare::run(&root),
        Task::Bench(options) => bench::run(&root, &options),
        Task::Fuzz(options) => fuzz::run(&root, &options),
        Task::Sim(options) => sim::run(&root, &options),
        Task::Clients(options) => clients::run(&root, &options),
        Task::Tidy => tidy::run(&root),
        Task::Compat { check } => compat::run(&root, check),
        Task::Codegen { check: true } => codegen::run(&root, codegen::Mode::Check),
        Task::Codegen { check: false } => codegen::run(&root, codegen::Mode::Write),
    }
}

/// The folder of the workspace's `Cargo.toml`.
fn workspace_root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().expect("xtask lies in the workspace root").to_path_buf()
}
