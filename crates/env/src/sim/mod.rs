//! A whole world under a seed, on one thread and virtual time. Owns the in-memory disk, network and clock of every
//! node, and decides by the seed what real life leaves to chance.
//!
//! Invariants: nothing here touches the operating system; the same seed and the same calls give the same bytes; what
//! was not synced may be lost in a crash and what was synced never is. Knows nothing of what its disks hold.

mod blocking;
mod disk;
mod life;
mod net;
mod time;
mod trace;
mod world;

pub use disk::{CrashKind, Fault, FaultOperation, SimDisk};
pub use net::SimNet;
pub use world::Sim;

pub(crate) use blocking::SimBlocking;
pub(crate) use disk::{MemoryDirLock, MemoryDisk, MemoryFile};
pub(crate) use net::{MemoryListener, MemoryNet};
pub(crate) use time::VirtualTime;
