//! File headers, file sizes and words that do not belong into the project.

use std::fs;
use std::path::Path;

use anyhow::Context as _;

use crate::command;

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

/// Checks every tracked file.
pub fn check(root: &Path) -> anyhow::Result<Vec<String>> {
    let listed =
        command::output(root, "git", &["ls-files", "--cached", "--others", "--exclude-standard"])?;
    let mut findings = Vec::new();
    for name in listed.lines().filter(|name| name.ends_with(".rs")) {
        let path = root.join(name);
        if !path.exists() {
            continue;
        }
        let text =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        check_rust(name, &text, &mut findings);
    }
    Ok(findings)
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
