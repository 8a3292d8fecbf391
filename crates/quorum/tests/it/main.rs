//! The metadata log and the controller over it, on a simulated disk.

mod crash;
mod first_start;
mod formatting;
mod kafka_directory;
mod node;
mod real_disk;
mod runtime;
mod snapshots;
