//! Runs other programs and reports what failed.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail};

/// Runs a program to its end with its output shown.
///
/// # Errors
/// When it cannot be started or does not exit with 0; the error shows the whole command line.
pub fn run<S: AsRef<OsStr>>(
    directory: &Path,
    program: &str,
    arguments: &[S],
) -> anyhow::Result<()> {
    let shown = shown(program, arguments);
    eprintln!("$ {shown}");
    let status = Command::new(program)
        .args(arguments)
        .current_dir(directory)
        .status()
        .with_context(|| format!("cannot start `{shown}`"))?;
    if !status.success() {
        bail!("`{shown}` ended with {status}");
    }
    Ok(())
}

/// Runs a program and returns what it printed on standard output.
///
/// # Errors
/// When it cannot be started or does not exit with 0; the error carries its standard error.
pub fn output<S: AsRef<OsStr>>(
    directory: &Path,
    program: &str,
    arguments: &[S],
) -> anyhow::Result<String> {
    let shown = shown(program, arguments);
    let output = Command::new(program)
        .args(arguments)
        .current_dir(directory)
        .output()
        .with_context(|| format!("cannot start `{shown}`"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("`{shown}` ended with {}: {}", output.status, said.trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn shown<S: AsRef<OsStr>>(program: &str, arguments: &[S]) -> String {
    let mut line = program.to_owned();
    for argument in arguments {
        line.push(' ');
        line.push_str(&argument.as_ref().to_string_lossy());
    }
    line
}
