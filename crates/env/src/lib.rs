//! The outside world: clock, randomness, disk, network and tasks, real and in-memory.
//!
//! Everything hangs off [`Env`]. Production code takes an `Env` and touches nothing else, so that the feature `sim` can
//! run it on virtual time, an in-memory disk that loses unsynced bytes and an in-memory network.
//!
//! Architecture Invariant: only `src/real` touches the operating system (clocks, files, sockets, threads, randomness),
//! and only there, and in the tests' counting allocator, stands `unsafe`. Nothing here knows Kafka.

mod clock;
#[cfg(feature = "sim")]
pub mod counting;
mod disk;
mod env;
mod error;
mod file;
mod memory;
mod net;
mod real;
mod rng;
#[cfg(feature = "sim")]
pub mod sim;
mod stream;
mod tasks;

pub use clock::{Clock, Elapsed, Instant};
pub use disk::{DirEntry, DirLock, Disk, OpenMode, Space};
pub use env::{Descriptors, Env, RealOptions};
pub use error::DiskError;
pub use file::{File, Residency};
pub use net::{Listener, Net};
pub use rng::{HashState, Map, Rng};
pub use stream::{Stream, StreamReader, StreamWriter};
pub use tasks::{TaskError, TaskHandle, TaskScope};
