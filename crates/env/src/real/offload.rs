//! `OffloadPool`: a bounded pool of threads for work that blocks.

use std::collections::VecDeque;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

use parking_lot::{Condvar, Mutex};
use tokio::sync::{Semaphore, oneshot};

type Job = Box<dyn FnOnce() + Send>;

/// Threads start on demand and end when the last clone is dropped and the queue is empty.
#[derive(Clone)]
pub(crate) struct OffloadPool {
    owner: Arc<Owner>,
}

struct Owner {
    shared: Arc<Shared>,
}

struct Shared {
    threads_max: usize,
    /// One permit for each job that waits or runs.
    room: Arc<Semaphore>,
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Job>,
    threads: usize,
    idle: usize,
    closed: bool,
}

impl OffloadPool {
    pub(crate) fn new(threads_max: usize, queue_max: usize) -> OffloadPool {
        let threads_max = threads_max.max(1);
        let shared = Shared {
            threads_max,
            room: Arc::new(Semaphore::new(threads_max + queue_max)),
            state: Mutex::new(State::default()),
            wake: Condvar::new(),
        };
        OffloadPool { owner: Arc::new(Owner { shared: Arc::new(shared) }) }
    }

    /// See [`crate::Env::offload`].
    pub(crate) fn run<R: Send + 'static>(
        &self,
        name: &'static str,
        f: impl FnOnce() -> R + Send + 'static,
    ) -> impl Future<Output = R> + Send + 'static {
        let shared = Arc::clone(&self.owner.shared);
        async move {
            let room = Arc::clone(&shared.room);
            let permit = room.acquire_owned().await.expect("the semaphore is never closed");
            let (sender, receiver) = oneshot::channel();
            shared.push(Box::new(move || {
                let result = catch_unwind(AssertUnwindSafe(f));
                drop(permit);
                // Nobody may be waiting any more.
                let _ = sender.send(result);
            }));
            match receiver.await {
                Ok(Ok(result)) => result,
                Ok(Err(panic)) => resume_unwind(panic),
                Err(_) => unreachable!("offloaded work {name} was lost"),
            }
        }
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.shared.state.lock().closed = true;
        self.shared.wake.notify_all();
    }
}

impl Shared {
    fn push(self: &Arc<Self>, job: Job) {
        let mut state = self.state.lock();
        state.queue.push_back(job);
        if state.idle >= state.queue.len() || state.threads >= self.threads_max {
            drop(state);
            self.wake.notify_one();
            return;
        }
        state.threads += 1;
        let shared = Arc::clone(self);
        let thread = std::thread::Builder::new().name(format!("offload-{}", state.threads));
        let started = thread.spawn(move || shared.work());
        if let Err(error) = started {
            state.threads -= 1;
            assert!(state.threads > 0, "cannot start a thread for blocking work: {error}");
            tracing::warn!(%error, "cannot start another thread for blocking work");
        }
    }

    fn work(&self) {
        let mut state = self.state.lock();
        loop {
            if let Some(job) = state.queue.pop_front() {
                drop(state);
                job();
                state = self.state.lock();
            } else if state.closed {
                return;
            } else {
                state.idle += 1;
                self.wake.wait(&mut state);
                state.idle -= 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn work_runs_elsewhere_and_returns_its_result() {
        let pool = OffloadPool::new(2, 2);
        let here = std::thread::current().id();
        let there = pool.run("id", || std::thread::current().id()).await;
        assert_ne!(here, there);
    }

    #[tokio::test]
    async fn a_full_queue_makes_callers_wait_and_loses_nothing() {
        let pool = OffloadPool::new(2, 1);
        let (gate, hold) = mpsc::channel::<()>();
        let hold = Arc::new(Mutex::new(hold));
        let started = Arc::new(AtomicUsize::new(0));
        let mut jobs: Vec<_> = (0..10)
            .map(|_| {
                let (hold, started) = (Arc::clone(&hold), Arc::clone(&started));
                Box::pin(pool.run("hold", move || {
                    started.fetch_add(1, Ordering::SeqCst);
                    hold.lock().recv().unwrap();
                }))
            })
            .collect();
        for job in &mut jobs {
            let pending = std::future::poll_fn(|cx| {
                std::task::Poll::Ready(job.as_mut().poll(cx).is_pending())
            });
            assert!(pending.await);
        }
        assert_eq!(pool.owner.shared.room.available_permits(), 0);
        assert!(started.load(Ordering::SeqCst) <= 2);
        for _ in 0..10 {
            gate.send(()).unwrap();
        }
        for job in jobs {
            job.await;
        }
        assert_eq!(started.load(Ordering::SeqCst), 10);
    }

    #[tokio::test]
    async fn a_dropped_future_does_not_stop_queued_work() {
        let pool = OffloadPool::new(1, 4);
        let (sender, done) = oneshot::channel();
        {
            let mut job = Box::pin(pool.run("send", move || sender.send(5)));
            std::future::poll_fn(|cx| {
                let _ = job.as_mut().poll(cx);
                std::task::Poll::Ready(())
            })
            .await;
        }
        assert_eq!(done.await, Ok(5));
    }

    #[tokio::test]
    #[should_panic(expected = "on purpose")]
    async fn a_panic_goes_on_in_the_caller() {
        OffloadPool::new(1, 1).run("bad", || panic!("on purpose")).await;
    }
}
