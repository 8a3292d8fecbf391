//! One file per command.

pub mod log_dump;
pub mod server;
