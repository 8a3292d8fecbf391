//! `cargo xtask sim`: whole nodes under seeds.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail};
use clap::Args;

/// Options of `cargo xtask sim`.
#[derive(Args)]
pub struct Options {
    /// Replay one seed
    #[arg(long)]
    seed: Option<u64>,
    /// How many seeds to run, from 0 on
    #[arg(long, default_value_t = 1000)]
    seeds: u64,
    /// The short form that CI runs
    #[arg(long)]
    short: bool,
}

/// Runs the simulation's tests with the seeds asked for.
pub fn run(root: &Path, options: &Options) -> anyhow::Result<()> {
    let mut command = Command::new("cargo");
    command.args(["test", "--package", "klamm-sim"]).current_dir(root);
    if let Some(seed) = options.seed {
        command.env("KLAMM_SEED", seed.to_string()).args(["--", "--nocapture"]);
    } else {
        let seeds = if options.short { 25 } else { options.seeds };
        command.env("KLAMM_SEEDS", seeds.to_string());
    }
    let status = command.status().context("cargo cannot be started")?;
    if !status.success() {
        bail!("the simulation found something: {status}");
    }
    Ok(())
}
