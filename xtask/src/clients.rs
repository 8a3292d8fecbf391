//! `cargo xtask clients`: real clients and Kafka's own tools against the built binary.

mod broker;
mod compare;
mod flights;
mod programs;
mod setup;
mod stories;

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::bail;
use clap::{Args, ValueEnum};

use crate::command;
use broker::{Broker, Kind};
use setup::Tools;

/// Which broker the clients talk to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Against {
    /// The `klamm` built from this tree
    Klamm,
    /// Apache Kafka 4.3.1, to see whether a check is right
    Kafka,
}

/// Options of `cargo xtask clients`.
#[derive(Args)]
pub struct Options {
    /// The broker under test
    #[arg(long, value_enum, default_value = "klamm")]
    against: Against,
    /// The short form that CI runs: every client and every codec once, on less data
    #[arg(long)]
    short: bool,
    /// Run only the stories whose name contains this text
    #[arg(long)]
    only: Option<String>,
}

/// What every story gets.
pub struct Context {
    pub root: PathBuf,
    pub tools: Tools,
    pub kind: Kind,
    pub short: bool,
    /// All flights, `key TAB json` a line.
    pub flights: PathBuf,
    /// The first of them, for what is repeated often.
    pub flights_few: PathBuf,
    /// Data directories and outputs of this run; removed when it passed.
    pub scratch: PathBuf,
}

impl Context {
    /// A broker on a fresh directory.
    pub fn broker(&self, name: &str) -> anyhow::Result<Broker> {
        Broker::start(self, self.scratch.join(name))
    }
}

/// Runs the stories and prints one line for each.
pub fn run(root: &Path, options: &Options) -> anyhow::Result<()> {
    let tools = Tools::install(root)?;
    let kind = match options.against {
        Against::Klamm => Kind::Klamm(build(root)?),
        Against::Kafka => Kind::Kafka,
    };
    let (flights, flights_few) = flights::prepare(&tools)?;
    let scratch = tools.cache.join(format!("run-{}", std::process::id()));
    std::fs::create_dir_all(&scratch)?;
    let context = Context {
        root: root.to_path_buf(),
        tools,
        kind,
        short: options.short,
        flights,
        flights_few,
        scratch,
    };
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    for (name, story) in stories::ALL {
        if options.only.as_ref().is_some_and(|only| !name.contains(only.as_str())) {
            continue;
        }
        let started = Instant::now();
        let outcome = story(&context);
        let seconds = started.elapsed().as_secs_f64();
        match outcome {
            Ok(stories::Outcome::Passed(what)) => {
                passed += 1;
                println!("client story {name} ... ok ({seconds:.1} s): {what}");
            }
            Ok(stories::Outcome::Skipped(why)) => {
                skipped += 1;
                println!("client story {name} ... skipped: {why}");
            }
            Err(error) => {
                failed += 1;
                println!("client story {name} ... FAILED ({seconds:.1} s): {error:#}");
            }
        }
    }
    println!("{passed} passed, {failed} failed, {skipped} skipped");
    if failed > 0 {
        bail!("{failed} client stories failed; their files are in {}", context.scratch.display());
    }
    std::fs::remove_dir_all(&context.scratch)?;
    Ok(())
}

fn build(root: &Path) -> anyhow::Result<PathBuf> {
    command::run(root, "cargo", &["build", "--release", "--package", "klamm-cli"])?;
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    Ok(target.join("release").join("klamm"))
}
