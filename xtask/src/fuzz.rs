//! `cargo xtask fuzz`: every fuzz target for a while, on the stable toolchain.

use std::path::Path;

use clap::Args;

use crate::command;

/// Options of `cargo xtask fuzz`.
#[derive(Args)]
pub struct Options {
    /// How long each target runs
    #[arg(long, default_value_t = 60)]
    seconds: u32,
    /// Run only this target
    #[arg(long)]
    target: Option<String>,
}

/// Runs the targets one after the other; stops at the first that finds something.
pub fn run(root: &Path, options: &Options) -> anyhow::Result<()> {
    if command::output(root, "cargo", &["fuzz", "--version"]).is_err() {
        command::run(root, "cargo", &["install", "--quiet", "--locked", "cargo-fuzz@0.13.2"])?;
    }
    let fuzz = root.join("fuzz");
    let listed = command::output(&fuzz, "cargo", &["fuzz", "list"])?;
    let mut count = 0;
    for target in listed.split_whitespace() {
        if options.target.as_deref().is_some_and(|only| only != target) {
            continue;
        }
        let corpus = fuzz.join("corpus").join(target);
        std::fs::create_dir_all(&corpus)?;
        let limit = format!("-max_total_time={}", options.seconds);
        let seeds = fuzz.join("seeds").join(target);
        command::run(
            &fuzz,
            "cargo",
            &[
                "fuzz",
                "run",
                "-s",
                "none",
                target,
                &corpus.to_string_lossy(),
                &seeds.to_string_lossy(),
                "--",
                &limit,
                "-rss_limit_mb=1024",
                "-timeout=10",
                "-verbosity=0",
                "-print_final_stats=1",
            ],
        )?;
        count += 1;
    }
    println!("{count} passed, 0 failed");
    Ok(())
}
