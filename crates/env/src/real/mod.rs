//! The operating system. Owns every call to it; the only place with `unsafe`. Knows no caller.

mod cachestat;
mod clock;
mod disk;
mod fd_cache;
mod file;
mod limits;
mod lock;
mod net;
mod offload;
mod random;
mod sync;
mod tcp;

pub(crate) use clock::wall_ms;
pub(crate) use disk::RealDisk;
pub(crate) use fd_cache::FdCache;
pub(crate) use file::RealFile;
pub(crate) use limits::raise_descriptor_limit;
pub(crate) use lock::RealDirLock;
pub(crate) use net::{RealListener, RealNet};
pub(crate) use offload::OffloadPool;
pub(crate) use random::random;
pub(crate) use sync::SyncThreads;
pub(crate) use tcp::{TcpReader, TcpWriter};
