//! Measures what Klamm promises of speed and memory, beside the bare loops that mark the machine's limit.

mod append;
mod bare;
mod client;
mod consume;
mod node;
mod partitions;
mod startup;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

#[derive(Parser)]
struct Arguments {
    /// The `klamm` binary to measure
    #[arg(long, default_value = "klamm")]
    klamm: PathBuf,
    #[command(subcommand)]
    scenario: Scenario,
}

#[derive(Subcommand)]
enum Scenario {
    /// Start on an empty directory; idle memory
    Startup {
        /// How many starts
        #[arg(long, default_value_t = 21)]
        rounds: usize,
    },
    /// Memory of idle partitions
    Partitions {
        /// How many partitions
        #[arg(long, default_value_t = 10_000)]
        count: i32,
    },
    /// Reading from the page cache beside a bare `sendfile` loop
    Consume {
        /// Bytes in the topic, in MiB
        #[arg(long, default_value_t = 512)]
        mebibytes: u64,
        /// How often all of it is read, in turn with the bare loop
        #[arg(long, default_value_t = 8)]
        rounds: usize,
    },
    /// Appending small and middle batches
    Append {
        /// Bytes to append for each batch size, in MiB
        #[arg(long, default_value_t = 512)]
        mebibytes: u64,
    },
    /// The bare `sendfile` loop itself (started by `consume`)
    #[command(hide = true)]
    Bare { file: PathBuf },
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    if !matches!(arguments.scenario, Scenario::Bare { .. }) {
        node::pin_client();
    }
    match arguments.scenario {
        Scenario::Startup { rounds } => startup::run(&arguments.klamm, rounds),
        Scenario::Partitions { count } => partitions::run(&arguments.klamm, count),
        Scenario::Consume { mebibytes, rounds } => consume::run(&arguments.klamm, mebibytes, rounds),
        Scenario::Append { mebibytes } => append::run(&arguments.klamm, mebibytes),
        Scenario::Bare { file } => bare::serve(&file),
    }
}
