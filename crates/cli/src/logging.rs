//! Logs: to stderr, one line each.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// The variable that says what is logged, for example `klamm_server=debug,info`.
pub const VARIABLE: &str = "KLAMM_LOG";

/// Starts logging for the life of the process. A filter that cannot be read counts as `info`.
pub fn init() {
    let filter = EnvFilter::try_from_env(VARIABLE).unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
}
