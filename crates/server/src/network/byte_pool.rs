//! A bounded number of bytes, taken whole and given back when the memory is done with.

use std::sync::Arc;

use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError};

/// A pool of bytes; waiters are served in the order they came, each with all it asked for.
#[derive(Debug, Clone)]
pub struct BytePool {
    free: Arc<Semaphore>,
    capacity: u32,
    in_use: Gauge,
}

/// Bytes taken from a pool; dropping it gives them back.
#[derive(Debug)]
pub struct BytePermit {
    held: Option<OwnedSemaphorePermit>,
    size_bytes: u32,
    in_use: Gauge,
}

impl BytePool {
    /// A pool of `capacity` bytes. The gauge shows how many are in use.
    pub fn new(capacity: u32, in_use: Gauge) -> BytePool {
        BytePool { free: Arc::new(Semaphore::new(capacity as usize)), capacity, in_use }
    }

    /// How many bytes the pool has in all.
    pub fn capacity(&self) -> u32 {
        self.capacity
    }

    /// Waits until `size_bytes` are free at once and takes them. More than the pool has counts as
    /// all it has, so that one large taker can always go on, alone. Cancel safe: a waiter that goes
    /// away loses its place and nothing else.
    pub async fn acquire(&self, size_bytes: u32) -> BytePermit {
        let size_bytes = size_bytes.min(self.capacity);
        let held = Arc::clone(&self.free)
            .acquire_many_owned(size_bytes)
            .await
            .expect("the pool's semaphore is never closed");
        self.permit(held, size_bytes)
    }

    /// Takes `size_bytes` if they are free now.
    pub fn try_acquire(&self, size_bytes: u32) -> Option<BytePermit> {
        let size_bytes = size_bytes.min(self.capacity);
        match Arc::clone(&self.free).try_acquire_many_owned(size_bytes) {
            Ok(held) => Some(self.permit(held, size_bytes)),
            Err(TryAcquireError::NoPermits | TryAcquireError::Closed) => None,
        }
    }

    fn permit(&self, held: OwnedSemaphorePermit, size_bytes: u32) -> BytePermit {
        self.in_use.inc_by(i64::from(size_bytes));
        BytePermit { held: Some(held), size_bytes, in_use: self.in_use.clone() }
    }
}

impl Drop for BytePermit {
    fn drop(&mut self) {
        drop(self.held.take());
        self.in_use.dec_by(i64::from(self.size_bytes));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn permits_come_whole_and_go_back() {
        let gauge = Gauge::default();
        let pool = BytePool::new(100, gauge.clone());
        let first = pool.acquire(60).await;
        assert!(pool.try_acquire(50).is_none());
        let second = pool.try_acquire(40).expect("40 of 100 are free");
        assert_eq!(gauge.get(), 100);
        drop(first);
        drop(second);
        assert_eq!(gauge.get(), 0);
        let all = pool.acquire(1_000).await;
        assert_eq!(gauge.get(), 100);
        drop(all);
    }
}
