//! Crate edges, file sizes, file headers and words that do not belong here.

mod edges;
mod files;

use std::path::Path;

use anyhow::bail;

/// Runs all checks and prints every finding.
///
/// # Errors
/// When there is at least one finding.
pub fn run(root: &Path) -> anyhow::Result<()> {
    let findings = findings(root)?;
    for finding in &findings {
        eprintln!("tidy: {finding}");
    }
    if !findings.is_empty() {
        bail!("tidy: {} finding(s)", findings.len());
    }
    println!("tidy: clean");
    Ok(())
}

fn findings(root: &Path) -> anyhow::Result<Vec<String>> {
    let mut findings = edges::check(root)?;
    findings.extend(files::check(root)?);
    Ok(findings)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_house_is_tidy() {
        let findings = super::findings(&crate::workspace_root()).expect("tidy can read the tree");
        assert!(findings.is_empty(), "{}", findings.join("\n"));
    }
}
