//! One file per command.

pub mod server;
