//! A fetch that waits for bytes: woken by exactly those appends that may satisfy it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use parking_lot::Mutex;
use tokio::sync::Notify;

/// One waiting fetch, registered with each of its partitions.
#[derive(Debug, Default)]
pub(crate) struct FetchWaiter {
    missing_bytes: AtomicI64,
    notify: Notify,
}

impl FetchWaiter {
    /// Sets how many bytes it takes; call it before the read that may find some there already, so that none that are
    /// appended meanwhile are missed.
    pub fn set_missing(&self, bytes: i64) {
        self.missing_bytes.store(bytes, Ordering::Release);
    }

    /// Counts what the read found. Bytes that were appended during the read may count twice: that wakes once too early, and the
    /// fetch reads again.
    pub fn found(&self, bytes: u64) {
        self.add(i64::try_from(bytes).unwrap_or(i64::MAX));
    }

    /// Resolves when enough bytes have come, or when something changed that must be told at once.
    pub async fn woken(&self) {
        self.notify.notified().await;
    }

    fn add(&self, bytes: i64) {
        if self.missing_bytes.fetch_sub(bytes, Ordering::AcqRel) <= bytes {
            self.notify.notify_one();
        }
    }
}

/// The fetches that wait for one partition.
#[derive(Debug, Default)]
pub(crate) struct FetchWaiters {
    waiting: Mutex<Vec<Arc<FetchWaiter>>>,
}

impl FetchWaiters {
    pub fn register(&self, waiter: &Arc<FetchWaiter>) {
        self.waiting.lock().push(Arc::clone(waiter));
    }

    pub fn deregister(&self, waiter: &Arc<FetchWaiter>) {
        let mut waiting = self.waiting.lock();
        if let Some(at) = waiting.iter().position(|other| Arc::ptr_eq(other, waiter)) {
            waiting.swap_remove(at);
        }
        if waiting.is_empty() {
            // an idle partition keeps no memory for former waits
            *waiting = Vec::new();
        }
    }

    /// Tells every waiting fetch that this many bytes have become readable.
    pub fn add_bytes(&self, bytes: u64) {
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        for waiter in self.waiting.lock().iter() {
            waiter.add(bytes);
        }
    }

    /// Wakes every waiting fetch: the leader, the log start or the log itself changed.
    pub fn wake_all(&self) {
        for waiter in self.waiting.lock().iter() {
            waiter.notify.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn is_woken(waiter: &FetchWaiter) -> bool {
        tokio::select! {
            biased;
            () = waiter.woken() => true,
            () = std::future::ready(()) => false,
        }
    }

    #[tokio::test]
    async fn bytes_before_during_and_after_the_read_add_up() {
        let (waiters, waiter) = (FetchWaiters::default(), Arc::new(FetchWaiter::default()));
        waiters.register(&waiter);
        waiter.set_missing(100);
        waiters.add_bytes(30);
        waiter.found(60);
        assert!(!is_woken(&waiter).await, "10 are missing");
        waiters.add_bytes(10);
        assert!(is_woken(&waiter).await);
        waiter.set_missing(100);
        waiter.found(99);
        assert!(!is_woken(&waiter).await);
        waiters.wake_all();
        assert!(is_woken(&waiter).await);
        waiters.deregister(&waiter);
        waiters.add_bytes(1000);
        assert!(!is_woken(&waiter).await);
    }
}
