//! What users do, told by real clients.

mod crash;
mod directories;
mod dump;
mod kafka_tools;
mod listeners;
mod round_trip;

use super::Context;

/// How a story ended when it did not fail.
pub enum Outcome {
    /// With a short line of what was seen.
    Passed(String),
    /// With the reason why it cannot run on this machine.
    Skipped(String),
}

/// A story: its name and its code.
type Story = (&'static str, fn(&Context) -> anyhow::Result<Outcome>);

/// In the order in which they run.
pub const ALL: &[Story] = &[
    ("round_trip", round_trip::run),
    ("crash", crash::run),
    ("kafka_tools", kafka_tools::run),
    ("kafka_directory", directories::kafka_directory),
    ("klamm_directory", directories::klamm_directory),
    ("listeners", listeners::run),
];
