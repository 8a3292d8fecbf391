//! Which crate may depend on which: the table of ARCHITECTURE.md, enforced.

use std::fs;
use std::path::Path;

use anyhow::Context as _;

/// Every crate of the house with the crates it may use; dev-dependencies are free.
const ALLOWED: &[(&str, &[&str])] = &[
    ("env", &[]),
    ("record", &[]),
    ("protocol", &["record"]),
    ("storage", &["env", "record"]),
    ("metadata", &["protocol", "record"]),
    ("quorum", &["env", "record", "protocol", "metadata", "storage"]),
    ("coordinator", &["env", "record", "protocol", "metadata"]),
    ("replica", &["env", "record", "protocol", "metadata", "storage"]),
    ("client", &["env", "record", "protocol"]),
    ("outbox", &["client"]),
    (
        "server",
        &[
            "env",
            "record",
            "protocol",
            "storage",
            "metadata",
            "quorum",
            "coordinator",
            "replica",
            "client",
        ],
    ),
    ("gateway", &["client", "protocol", "record", "env"]),
    (
        "cli",
        &[
            "env",
            "record",
            "protocol",
            "storage",
            "metadata",
            "quorum",
            "coordinator",
            "replica",
            "client",
            "outbox",
            "server",
            "gateway",
        ],
    ),
];

/// Compares every crate's manifest with the table.
pub fn check(root: &Path) -> anyhow::Result<Vec<String>> {
    let mut findings = Vec::new();
    for entry in fs::read_dir(root.join("crates")).context("crates/ is missing")? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if !ALLOWED.iter().any(|(known, _)| *known == name) {
            findings.push(format!("crates/{name} is not in the table of crate edges"));
        }
    }
    for (name, allowed) in ALLOWED {
        let path = root.join("crates").join(name).join("Cargo.toml");
        let manifest =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        for dependency in dependencies(&manifest) {
            if !allowed.contains(&dependency.as_str()) {
                findings.push(format!(
                    "crates/{name} depends on {dependency}: that edge does not exist (an ADR may add it)"
                ));
            }
        }
    }
    Ok(findings)
}

/// The house's own crates in `[dependencies]` and its target-specific forms.
fn dependencies(manifest: &str) -> Vec<String> {
    let mut inside = false;
    let mut names = Vec::new();
    for line in manifest.lines() {
        let line = line.trim();
        if line.starts_with('[') {
            inside = line == "[dependencies]" || line.ends_with(".dependencies]");
        } else if inside && let Some(rest) = line.strip_prefix("klamm-") {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '-');
            names.push(rest[..end.unwrap_or(rest.len())].to_owned());
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::dependencies;

    #[test]
    fn only_real_dependencies_count() {
        let manifest = "[dependencies]\nklamm-env.workspace = true\nbytes = \"1\"\n\
                        [dev-dependencies]\nklamm-server = { workspace = true }\n";
        assert_eq!(dependencies(manifest), ["env"]);
    }
}
