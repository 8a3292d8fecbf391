//! The in-memory disk of a node. Owns which bytes and which names a crash leaves.
//!
//! Invariants: contents survive a power cut once the file is synced, names once their directory is; a rename is atomic
//! even across directories; what a failed sync covered stays readable but is lost in a power cut, and no later sync
//! brings it back (as on Linux). Knows nothing of what files mean.

mod content;
mod fault;
mod file;
mod names;
mod store;

pub use content::CrashKind;
pub use fault::{Fault, FaultOperation};
pub use store::SimDisk;

pub(crate) use file::MemoryFile;
pub(crate) use store::{MemoryDirLock, MemoryDisk, Store};
