//! `Env`: one node's outside world.

use std::future::Future;
use std::io;
use std::sync::Arc;

use tokio::runtime::Handle;

use crate::clock::Clock;
use crate::disk::Disk;
use crate::file::File;
use crate::net::Net;
use crate::real::{FdCache, OffloadPool, RealDisk, RealNet, SyncThreads};
use crate::rng::Rng;
use crate::tasks::TaskScope;

/// One node's outside world. Cheap to clone; `Send + Sync`.
#[derive(Clone)]
pub struct Env {
    inner: Arc<Inner>,
}

struct Inner {
    clock: Clock,
    rng: Rng,
    disk: Disk,
    net: Net,
    scope: TaskScope,
    blocking: Blocking,
}

/// Where blocking work runs.
enum Blocking {
    Real {
        offload: OffloadPool,
        sync: SyncThreads,
        descriptors: Descriptors,
    },
    #[cfg(feature = "sim")]
    Simulated(Arc<crate::sim::SimBlocking>),
}

/// The parts of a simulated node.
#[cfg(feature = "sim")]
pub(crate) struct Simulated {
    pub(crate) time: crate::sim::VirtualTime,
    pub(crate) rng: Rng,
    pub(crate) disk: crate::sim::MemoryDisk,
    pub(crate) net: crate::sim::MemoryNet,
    pub(crate) scope: TaskScope,
    pub(crate) blocking: crate::sim::SimBlocking,
}

/// Limits of the real environment.
#[derive(Debug, Clone)]
pub struct RealOptions {
    /// Descriptors that files may hold at once; by default half of the process limit, which is raised to the hard limit
    /// first.
    pub file_descriptors_max: Option<usize>,
    /// Threads for [`Env::offload`], started on demand.
    pub offload_threads_max: usize,
    /// Work for [`Env::offload`] that may wait beside what runs; callers beyond that await.
    pub offload_queue_max: usize,
}

impl Default for RealOptions {
    fn default() -> RealOptions {
        let cpus = std::thread::available_parallelism().map_or(2, usize::from);
        RealOptions {
            file_descriptors_max: None,
            offload_threads_max: (2 * cpus).clamp(4, 64),
            offload_queue_max: 1024,
        }
    }
}

/// How many descriptors there are for whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Descriptors {
    /// The limit of the process.
    pub process_max: usize,
    /// What the file cache keeps within; the rest is for sockets.
    pub files_max: usize,
}

impl Env {
    /// The operating system. Raises the process's soft descriptor limit to the hard one.
    pub fn real(options: RealOptions) -> Env {
        let process_max = crate::real::raise_descriptor_limit();
        let files_max = options.file_descriptors_max.unwrap_or(process_max / 2).max(1);
        let cache = FdCache::new(files_max);
        let offload = OffloadPool::new(options.offload_threads_max, options.offload_queue_max);
        let inner = Inner {
            clock: Clock::real(),
            rng: Rng::real(),
            net: Net::real(RealNet::new(Arc::clone(&cache), offload.clone())),
            disk: Disk::real(Arc::new(RealDisk::new(cache))),
            scope: TaskScope::root("node", Handle::try_current().ok()),
            blocking: Blocking::Real {
                offload,
                sync: SyncThreads::new(),
                descriptors: Descriptors { process_max, files_max },
            },
        };
        Env { inner: Arc::new(inner) }
    }

    #[cfg(feature = "sim")]
    pub(crate) fn simulated(parts: Simulated) -> Env {
        let inner = Inner {
            clock: Clock::simulated(parts.time),
            rng: parts.rng,
            disk: Disk::memory(parts.disk),
            net: Net::memory(parts.net),
            scope: parts.scope,
            blocking: Blocking::Simulated(Arc::new(parts.blocking)),
        };
        Env { inner: Arc::new(inner) }
    }

    pub fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    pub fn rng(&self) -> &Rng {
        &self.inner.rng
    }

    pub fn disk(&self) -> &Disk {
        &self.inner.disk
    }

    pub fn net(&self) -> &Net {
        &self.inner.net
    }

    /// A new scope for tasks, below the node's own.
    pub fn scope(&self, name: &'static str) -> TaskScope {
        self.inner.scope.child(name)
    }

    /// Runs blocking work on the bounded pool (real) or at a seeded virtual time on the same thread (simulation).
    ///
    /// Nothing happens before the first poll, which may wait for room in the queue. Once queued, the work runs to its
    /// end even if the future is dropped. A panic in the closure goes on in the caller. `name` is for diagnosis.
    pub fn offload<R: Send + 'static>(
        &self,
        name: &'static str,
        f: impl FnOnce() -> R + Send + 'static,
    ) -> impl Future<Output = R> + Send + 'static {
        let inner = Arc::clone(&self.inner);
        async move {
            match &inner.blocking {
                Blocking::Real { offload, .. } => offload.run(name, f).await,
                #[cfg(feature = "sim")]
                Blocking::Simulated(blocking) => blocking.offload(name, f).await,
            }
        }
    }

    /// Makes all that was written to the file before this call survive a power cut (fdatasync).
    ///
    /// Queued by the call itself, not by the first poll; waiters of one file share a sync; one thread per disk.
    /// Dropping the future does not take the sync back.
    ///
    /// # Errors
    /// As [`File::sync_blocking`]; every waiter gets the error.
    pub fn sync(&self, file: &File) -> impl Future<Output = io::Result<()>> + Send + 'static {
        let foreign = "the file is of this environment's disk";
        let synced = match &self.inner.blocking {
            Blocking::Real { sync, .. } => sync.sync(file.as_real().expect(foreign)),
            #[cfg(feature = "sim")]
            Blocking::Simulated(blocking) => blocking.sync(file.as_memory().expect(foreign)),
        };
        let file = file.clone();
        async move {
            let given_up = || io::Error::other("the environment has ended");
            synced
                .await
                .unwrap_or_else(|_| Err(crate::DiskError::wrap("sync", &file.path(), given_up())))
        }
    }

    /// How many descriptors there are for whom.
    pub fn descriptors(&self) -> Descriptors {
        match &self.inner.blocking {
            Blocking::Real { descriptors, .. } => *descriptors,
            #[cfg(feature = "sim")]
            Blocking::Simulated(_) => Descriptors { process_max: 1024, files_max: 512 },
        }
    }
}
