//! What is said once at start about keys that do nothing.

use std::collections::BTreeMap;

use klamm_record::config::Effect;

use crate::config::server_config::{ConfigSource, Values};
use crate::config::tables;

/// One line that names all unknown keys, one that names all keys without effect yet and why.
pub(super) fn warnings(values: &Values, unknown: &BTreeMap<String, String>) -> Vec<String> {
    let mut lines = Vec::new();
    if !unknown.is_empty() {
        let names: Vec<_> = unknown.keys().map(String::as_str).collect();
        lines.push(format!("unknown configs, ignored: {}", names.join(", ")));
    }
    let mut by_reason: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, setting) in &values.settings {
        let by_user = matches!(setting.source, ConfigSource::File | ConfigSource::CommandLine);
        if let (true, Some(Effect::Later(reason))) =
            (by_user, tables::get(name).map(|key| key.effect))
        {
            by_reason.entry(reason).or_default().push(name);
        }
    }
    if !by_reason.is_empty() {
        let parts: Vec<_> = by_reason
            .iter()
            .map(|(reason, names)| format!("{} ({reason})", names.join(", ")))
            .collect();
        lines.push(format!("configs without effect in this version: {}", parts.join("; ")));
    }
    lines
}
