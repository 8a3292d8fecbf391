//! What the HTTP port asks of a node.

use serde::Serialize;

/// Answers about a running node. Implemented over the server's handle by `cli`.
pub trait Introspect: Send + Sync + 'static {
    /// All metrics in OpenMetrics text, with its `# EOF`.
    fn metrics_text(&self) -> String;

    /// How the node is.
    fn health(&self) -> Health;
}

/// The answer of `/healthz`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Health {
    /// The verdict; everything but `ok` is answered with 503.
    pub status: Status,
    /// Version of this build.
    pub version: &'static str,
    /// `node.id`.
    pub node_id: i32,
    /// What is wrong, if anything.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
}

/// How a node is, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It answers.
    Ok,
    /// It answers, but something needs a look.
    Degraded,
    /// It does not answer clients yet, or no more.
    Unavailable,
}
