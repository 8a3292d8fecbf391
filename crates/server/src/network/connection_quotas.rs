//! How many connections there may be: in all, per listener, per address; and how fast new ones come.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use klamm_env::Clock;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::config::{ConnectionQuotaConfig, ListenerName};

/// Counts connections and says who may come in (Kafka: `ConnectionQuotas`).
#[derive(Debug, Clone)]
pub struct ConnectionQuotas {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    state: Mutex<State>,
    freed: Notify,
}

#[derive(Debug)]
struct State {
    config: ConnectionQuotaConfig,
    total: u32,
    per_listener: BTreeMap<ListenerName, u32>,
    per_address: BTreeMap<IpAddr, u32>,
    /// When the next connection may be made, broker-wide and per listener.
    next_at: BTreeMap<Option<ListenerName>, Instant>,
}

/// A place among the connections; dropping it frees the place.
#[derive(Debug)]
pub struct Slot {
    quotas: ConnectionQuotas,
    listener: ListenerName,
    address: IpAddr,
}

/// The address has `max.connections.per.ip` connections.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{address} has {max} connections already (max.connections.per.ip)")]
pub struct TooManyFromAddress {
    /// Whose.
    pub address: IpAddr,
    /// How many it may have.
    pub max: u32,
}

impl ConnectionQuotas {
    /// No connections yet.
    pub fn new(config: ConnectionQuotaConfig) -> ConnectionQuotas {
        let state = State {
            config,
            total: 0,
            per_listener: BTreeMap::new(),
            per_address: BTreeMap::new(),
            next_at: BTreeMap::new(),
        };
        ConnectionQuotas {
            inner: Arc::new(Inner { state: Mutex::new(state), freed: Notify::new() }),
        }
    }

    /// Takes new limits; connections that are over them stay.
    pub fn update(&self, config: ConnectionQuotaConfig) {
        self.inner.state.lock().config = config;
        self.inner.freed.notify_waiters();
    }

    /// Waits until the listener may accept one more: under `max.connections` and not faster than
    /// `max.connection.creation.rate`. Cancel safe.
    pub async fn ready(&self, listener: &ListenerName, clock: &Clock) {
        loop {
            let freed = self.inner.freed.notified();
            let mut freed = std::pin::pin!(freed);
            freed.as_mut().enable();
            if self.inner.state.lock().has_room(listener) {
                break;
            }
            freed.await;
        }
        let wait = self.inner.state.lock().creation_delay(listener, clock.now());
        if !wait.is_zero() {
            clock.sleep(wait).await;
        }
    }

    /// Takes a place for an accepted connection.
    ///
    /// # Errors
    /// When its address has its share; the connection is dropped.
    pub fn admit(
        &self,
        listener: &ListenerName,
        address: IpAddr,
        now: Instant,
    ) -> Result<Slot, TooManyFromAddress> {
        let mut state = self.inner.state.lock();
        state.note_creation(listener, now);
        let max = state.config.max_per_address(address);
        let count = state.per_address.entry(address).or_insert(0);
        if *count >= max {
            if *count == 0 {
                state.per_address.remove(&address);
            }
            return Err(TooManyFromAddress { address, max });
        }
        *count += 1;
        state.total += 1;
        *state.per_listener.entry(listener.clone()).or_insert(0) += 1;
        Ok(Slot { quotas: self.clone(), listener: listener.clone(), address })
    }
}

impl State {
    fn has_room(&self, listener: &ListenerName) -> bool {
        let on_listener = self.per_listener.get(listener).copied().unwrap_or(0);
        on_listener < self.config.max_on_listener(listener)
            && (self.config.is_protected(listener) || self.total < self.config.connections_max)
    }

    fn creation_delay(&self, listener: &ListenerName, now: Instant) -> Duration {
        [None, Some(listener.clone())]
            .iter()
            .filter_map(|key| self.next_at.get(key))
            .map(|at| at.saturating_duration_since(now))
            .max()
            .unwrap_or_default()
    }

    /// Spaces connections out, with a burst of one second's worth.
    fn note_creation(&mut self, listener: &ListenerName, now: Instant) {
        let rates = [
            (None, self.config.creation_rate_max),
            (Some(listener.clone()), self.config.creation_rate_on_listener(listener)),
        ];
        for (key, rate) in rates {
            let Some(rate) = rate else { continue };
            let spacing = Duration::from_secs(1) / rate.max(1);
            let burst = Duration::from_secs(1).saturating_sub(spacing);
            let earliest = now.checked_sub(burst).unwrap_or(now);
            let at = self.next_at.entry(key).or_insert(earliest);
            *at = (*at).max(earliest) + spacing;
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut state = self.quotas.inner.state.lock();
        state.total -= 1;
        if let Some(count) = state.per_listener.get_mut(&self.listener) {
            *count -= 1;
        }
        if let Some(count) = state.per_address.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                state.per_address.remove(&self.address);
            }
        }
        drop(state);
        self.quotas.inner.freed.notify_waiters();
    }
}
