//! Who was heard of, when, and how far it is in the log. None of this is in the log.
//!
//! Source: Kafka's `BrokerHeartbeatManager` and `BrokerHeartbeatTracker`.

use crate::records::MetadataRecord;
use klamm_record::BrokerId;
use std::collections::BTreeMap;

/// What a broker is to the controller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BrokerControlState {
    Fenced,
    Unfenced,
    ControlledShutdown,
    ShutdownNow,
}

/// What a heartbeat asks for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wish {
    pub fence: bool,
    pub shut_down: bool,
    /// The broker has seen its own registration in the log.
    pub caught_up: bool,
    /// The broker leads partitions.
    pub has_leaderships: bool,
}

#[derive(Debug, Clone)]
pub(super) struct Heartbeats {
    session_timeout_ms: i64,
    brokers: BTreeMap<BrokerId, BrokerHeartbeat>,
    /// When each registration was last heard of, Unix milliseconds.
    sessions: BTreeMap<(BrokerId, i64), i64>,
}

#[derive(Debug, Clone)]
struct BrokerHeartbeat {
    fenced: bool,
    metadata_offset: i64,
    /// Where the log ended when the controlled shutdown began.
    controlled_shutdown_offset: Option<i64>,
}

impl Heartbeats {
    pub fn new(session_timeout_ms: i64) -> Self {
        Self { session_timeout_ms, brokers: BTreeMap::new(), sessions: BTreeMap::new() }
    }

    pub fn replay(&mut self, record: &MetadataRecord) {
        match record {
            MetadataRecord::RegisterBroker(it) => {
                let id = BrokerId(it.broker_id);
                self.brokers.remove(&id);
                self.register(id, it.fenced);
            }
            MetadataRecord::UnregisterBroker(it) => {
                self.brokers.remove(&BrokerId(it.broker_id));
            }
            MetadataRecord::BrokerRegistrationChange(it) if it.fenced != 0 => {
                self.register(BrokerId(it.broker_id), it.fenced > 0);
            }
            MetadataRecord::FenceBroker(it) => self.register(BrokerId(it.id), true),
            MetadataRecord::UnfenceBroker(it) => self.register(BrokerId(it.id), false),
            _ => {}
        }
    }

    pub fn register(&mut self, id: BrokerId, fenced: bool) {
        let metadata_offset = match self.brokers.get(&id) {
            Some(known) if known.fenced != fenced => known.metadata_offset,
            _ => -1,
        };
        self.touch(id, fenced, metadata_offset);
    }

    pub fn remove(&mut self, id: BrokerId) {
        self.brokers.remove(&id);
    }

    /// Notes what the broker is now and how far it has read.
    pub fn touch(&mut self, id: BrokerId, fenced: bool, metadata_offset: i64) {
        let fresh =
            BrokerHeartbeat { fenced, metadata_offset: -1, controlled_shutdown_offset: None };
        let broker = self.brokers.entry(id).or_insert(fresh);
        broker.fenced = fenced;
        broker.metadata_offset = metadata_offset;
        if fenced {
            broker.controlled_shutdown_offset = None;
        }
    }

    /// The broker was heard of.
    pub fn touch_session(&mut self, id: BrokerId, epoch: i64, now_ms: i64) {
        self.sessions.insert((id, epoch), now_ms);
    }

    pub fn has_valid_session(&self, id: BrokerId, epoch: i64, now_ms: i64) -> bool {
        self.sessions.get(&(id, epoch)).is_some_and(|at| !self.is_expired(*at, now_ms))
    }

    /// Takes out one registration that was not heard of for longer than the session timeout.
    pub fn take_expired(&mut self, now_ms: i64) -> Option<(BrokerId, i64)> {
        let expired = self.sessions.iter().find(|(_, at)| self.is_expired(**at, now_ms));
        let key = expired.map(|(key, _)| *key)?;
        self.sessions.remove(&key);
        Some(key)
    }

    /// When the next session would run out, Unix milliseconds.
    pub fn next_expiry_ms(&self) -> Option<i64> {
        self.sessions.values().min().map(|at| at + self.session_timeout_ms)
    }

    pub fn fence(&mut self, id: BrokerId) {
        if let Some(broker) = self.brokers.get_mut(&id) {
            broker.fenced = true;
        }
    }

    /// The controlled shutdown is granted when all active brokers have read up to this offset.
    pub fn start_controlled_shutdown(&mut self, id: BrokerId, offset: i64) {
        if let Some(broker) = self.brokers.get_mut(&id)
            && !broker.fenced
        {
            broker.controlled_shutdown_offset.get_or_insert(offset);
        }
    }

    /// Known brokers that are not shutting down: id, and whether fenced.
    pub fn usable(&self) -> impl Iterator<Item = (BrokerId, bool)> + '_ {
        let brokers = self.brokers.iter();
        brokers
            .filter(|(_, it)| it.controlled_shutdown_offset.is_none())
            .map(|(id, it)| (*id, it.fenced))
    }

    /// Present and next state of a broker that sends a heartbeat; `None` if it is not known.
    pub fn next_state(
        &self,
        id: BrokerId,
        wish: Wish,
    ) -> Option<(BrokerControlState, BrokerControlState)> {
        use BrokerControlState::{ControlledShutdown, Fenced, ShutdownNow, Unfenced};
        let broker = self.brokers.get(&id)?;
        Some(match broker.controlled_shutdown_offset {
            Some(_) if wish.has_leaderships => (ControlledShutdown, ControlledShutdown),
            Some(offset) if offset <= self.lowest_active_offset() => {
                (ControlledShutdown, ShutdownNow)
            }
            Some(_) => (ControlledShutdown, ControlledShutdown),
            None if broker.fenced => match wish {
                Wish { shut_down: true, .. } => (Fenced, ShutdownNow),
                Wish { fence: false, caught_up: true, .. } => (Fenced, Unfenced),
                _ => (Fenced, Fenced),
            },
            None => match wish {
                Wish { fence: true, shut_down: true, .. } => (Unfenced, ShutdownNow),
                Wish { fence: true, .. } => (Unfenced, Fenced),
                Wish { shut_down: true, has_leaderships: true, .. } => {
                    (Unfenced, ControlledShutdown)
                }
                Wish { shut_down: true, .. } => (Unfenced, ShutdownNow),
                _ => (Unfenced, Unfenced),
            },
        })
    }

    fn lowest_active_offset(&self) -> i64 {
        let active = self.brokers.values();
        let active = active.filter(|it| !it.fenced && it.controlled_shutdown_offset.is_none());
        active.map(|it| it.metadata_offset).min().unwrap_or(i64::MAX)
    }

    fn is_expired(&self, at_ms: i64, now_ms: i64) -> bool {
        at_ms.saturating_add(self.session_timeout_ms) < now_ms
    }
}
