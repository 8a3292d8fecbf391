//! File headers, file sizes and words that do not belong into the project.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// A Rust file beyond this has a second room in it.
const LINES_MAX: usize = 800;

/// Markers of unfinished work, and tests that do not run. Split so that this file passes itself.
const BANNED: &[(&str, &str)] = &[
    (concat!("todo", "!("), "finish it, or leave it out"),
    (concat!("unimple", "mented!("), "finish it, or leave it out"),
    (concat!("FIX", "ME"), "mend it, or write down why it stays"),
    (concat!("#[ig", "nore"), "a test runs, or is not there"),
    (concat!("dbg", "!("), "a debugging aid"),
];

/// Where our own Rust code lies.
const ROOMS: &[&str] = &["crates", "sim", "xtask", "bench", "fuzz"];
/// What tools leave behind in them.
const NOT_OURS: &[&str] = &["target", "corpus", "artifacts"];

/// Checks every Rust file. It asks no other program for their names: a test calls it on machines that have Rust alone.
pub fn check(root: &Path) -> anyhow::Result<Vec<String>> {
    let mut findings = Vec::new();
    for room in ROOMS {
        let folder = root.join(room);
        if folder.is_dir() {
            check_folder(root, &folder, &mut findings)?;
        }
    }
    Ok(findings)
}

fn check_folder(root: &Path, folder: &Path, findings: &mut Vec<String>) -> anyhow::Result<()> {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)
        .with_context(|| format!("cannot read {}", folder.display()))?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && !NOT_OURS.contains(&name.as_str()) {
            check_folder(root, &path, findings)?;
        } else if name.ends_with(".rs") {
            let text = fs::read_to_string(&path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            let shown = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
            check_rust(&shown, &text, findings);
        }
    }
    Ok(())
}

fn check_rust(name: &str, text: &str, findings: &mut Vec<String>) {
    let generated = name.contains("/generated/");
    if !generated {
        let first = text.lines().next().unwrap_or_default();
        if !first.starts_with("//!") {
            findings.push(format!("{name}: opens without a `//!` line that says what it is"));
        }
        let lines = text.lines().count();
        if lines > LINES_MAX {
            findings
                .push(format!("{name}: {lines} lines, at most {LINES_MAX}: it has a second room"));
        }
    }
    for (number, line) in text.lines().enumerate() {
        for (word, advice) in BANNED {
            if line.contains(word) {
                findings.push(format!("{name}:{}: `{word}`: {advice}", number + 1));
            }
        }
        if line.contains(concat!("(unsafe", "_code")) && !name.starts_with("crates/env/") {
            findings.push(format!("{name}:{}: unsafe code lives in crates/env only", number + 1));
        }
    }
}
