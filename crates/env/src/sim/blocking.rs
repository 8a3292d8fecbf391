//! `SimBlocking`: work that would block, done on the same thread at a seeded virtual time.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use super::disk::MemoryFile;
use super::trace::Trace;
use crate::rng::Rng;
use crate::tasks::TaskScope;

/// One in so many is slow.
const SLOW_ONE_IN: u64 = 64;
const SLOW_MS_MAX: u64 = 200;
const QUICK_MS_MAX: u64 = 4;

pub(crate) struct SimBlocking {
    pub(crate) node: Arc<str>,
    pub(crate) rng: Rng,
    pub(crate) trace: Trace,
    /// Belongs to the node, so that a crash takes queued work with it.
    pub(crate) scope: TaskScope,
}

impl SimBlocking {
    fn delay(&self) -> Duration {
        let slow = self.rng.below(SLOW_ONE_IN) == 0;
        let max = if slow { SLOW_MS_MAX } else { QUICK_MS_MAX };
        Duration::from_millis(self.rng.below(max + 1))
    }

    /// See [`crate::Env::offload`].
    pub(crate) fn offload<R: Send + 'static>(
        self: &Arc<Self>,
        name: &'static str,
        f: impl FnOnce() -> R + Send + 'static,
    ) -> impl Future<Output = R> + Send + 'static {
        let this = Arc::clone(self);
        async move {
            let (sender, receiver) = oneshot::channel();
            let delay = this.delay();
            let worker = Arc::clone(&this);
            this.scope.spawn(name, async move {
                tokio::time::sleep_until(tokio::time::Instant::now() + delay).await;
                worker.trace.note(&worker.node, format_args!("offload {name}"));
                // Nobody may be waiting any more.
                let _ = sender.send(f());
            });
            let result = receiver.await;
            result.unwrap_or_else(|_| panic!("node {} crashed before {name} was done", this.node))
        }
    }

    /// See [`crate::Env::sync`]: covers what was written before the call, not what comes while it runs.
    pub(crate) fn sync(&self, file: &Arc<MemoryFile>) -> oneshot::Receiver<io::Result<()>> {
        let (sender, receiver) = oneshot::channel();
        let (delay, mark, file) = (self.delay(), file.mark(), Arc::clone(file));
        self.scope.spawn("sync", async move {
            tokio::time::sleep_until(tokio::time::Instant::now() + delay).await;
            // A waiter may have gone.
            let _ = sender.send(file.sync_to(mark));
        });
        receiver
    }
}
