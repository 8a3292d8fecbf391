//! `cargo xtask bench`: the measurements of `bench/`, on a `dist` build.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::command;

/// Options of `cargo xtask bench`.
#[derive(Args)]
pub struct Options {
    /// Run only this scenario: startup, partitions, consume or append
    scenario: Option<String>,
    /// Less data and fewer rounds, to see that it runs; the figures mean nothing then
    #[arg(long)]
    quick: bool,
}

/// Every scenario with what makes it quick.
const SCENARIOS: &[(&str, &[&str])] = &[
    ("startup", &["--rounds", "3"]),
    ("partitions", &["--count", "500"]),
    ("consume", &["--mebibytes", "64", "--rounds", "2"]),
    ("append", &["--mebibytes", "32"]),
];

/// Builds and runs the scenarios, one after the other.
pub fn run(root: &Path, options: &Options) -> anyhow::Result<()> {
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let profile = if options.quick { "release" } else { "dist" };
    command::run(root, "cargo", &["build", "--profile", profile, "--package", "klamm-cli"])?;
    let bench = root.join("bench");
    let bench_target = target.join("bench-workspace");
    let target_argument = bench_target.to_string_lossy().into_owned();
    command::run(&bench, "cargo", &["build", "--release", "--target-dir", &target_argument])?;
    let program = bench_target.join("release").join("klamm-bench");
    let klamm = target.join(profile).join("klamm").to_string_lossy().into_owned();
    for (name, quick) in SCENARIOS {
        if options.scenario.as_deref().is_some_and(|only| only != *name) {
            continue;
        }
        let mut arguments = vec!["--klamm", &klamm, name];
        if options.quick {
            arguments.extend(*quick);
        }
        command::run(root, &program.to_string_lossy(), &arguments)?;
    }
    Ok(())
}
