//! Snapshots of the metadata (`*.checkpoint`): written, listed, read.
//!
//! A snapshot is a file of batches with offsets of its own from 0 on: a control batch with the header (and, at
//! `kraft.version` 1, version and voters), batches of metadata records, a control batch with the footer. All carry the epoch
//! in the file's name. It appears under its final name only when it is complete and synced.
//!
//! Does not know: when a snapshot is due, and what of the log it makes superfluous.

mod encoder;
mod reader;
mod writer;

pub use encoder::{SnapshotEncoder, SnapshotHeader};
pub use reader::{SnapshotError, SnapshotVisitor, read_snapshot};
pub use writer::{SnapshotWriteError, write_snapshot};
