//! All sessions of the node, and who has to go when there are too many.

use std::collections::BTreeMap;
use std::time::Duration;

use klamm_env::{Env, Instant};
use klamm_protocol::ErrorCode;
use parking_lot::Mutex;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::context::Incremental;
use super::session::{Sent, Session};
use super::{FINAL_EPOCH, FetchContext, INITIAL_EPOCH, SessionRequest, WantedPartition};

/// A session idle for longer may be evicted (Kafka's `MIN_INCREMENTAL_FETCH_SESSION_EVICTION_MS`).
const EVICTION_AGE: Duration = Duration::from_millis(120_000);

/// The sessions (Kafka's `FetchSessionCache`).
#[derive(Debug)]
pub struct FetchSessionCache {
    slots: usize,
    sessions: Mutex<BTreeMap<i32, Session>>,
    count: Gauge,
    evictions: Counter,
}

impl FetchSessionCache {
    /// With room for `slots` sessions (`max.incremental.fetch.session.cache.slots`).
    pub fn new(slots: usize, registry: &mut Registry) -> Self {
        let cache = Self {
            slots,
            sessions: Mutex::new(BTreeMap::new()),
            count: Gauge::default(),
            evictions: Counter::default(),
        };
        let registry = registry.sub_registry_with_prefix("klamm_fetch_sessions");
        registry.register("open", "Fetch sessions that are open", cache.count.clone());
        registry.register(
            "evictions",
            "Fetch sessions evicted for others",
            cache.evictions.clone(),
        );
        cache
    }

    /// Finds out what a request is about (Kafka's `FetchManager.newContext`).
    ///
    /// # Errors
    /// If it names a session that is not here, or with the wrong epoch or kind of names.
    pub fn begin(&self, env: &Env, request: SessionRequest) -> Result<FetchContext, ErrorCode> {
        let SessionRequest { session_id, session_epoch, uses_topic_ids, partitions, forgotten } =
            request;
        let mut sessions = self.sessions.lock();
        if session_epoch == INITIAL_EPOCH || session_epoch == FINAL_EPOCH {
            if session_id != 0 && sessions.remove(&session_id).is_some() {
                self.count.set(sessions.len() as i64);
            }
            let begins = session_epoch == INITIAL_EPOCH;
            return Ok(FetchContext::full(partitions, uses_topic_ids, begins));
        }
        let session = sessions.get_mut(&session_id).ok_or(ErrorCode::FetchSessionIdNotFound)?;
        if session.epoch != session_epoch {
            return Err(ErrorCode::InvalidFetchSessionEpoch);
        }
        if session.uses_topic_ids != uses_topic_ids {
            return Err(ErrorCode::FetchSessionTopicIdError);
        }
        session.update(partitions, &forgotten);
        if session.len() == 0 {
            sessions.remove(&session_id);
            self.count.set(sessions.len() as i64);
            return Ok(FetchContext::full(Vec::new(), uses_topic_ids, false));
        }
        session.last_used = env.clock().now();
        session.next_epoch();
        let (places, partitions) = session.partitions().map(|(at, it)| (at, it.clone())).unzip();
        let reads = Incremental { session_id, epoch: session.epoch, places };
        Ok(FetchContext::incremental(reads, partitions, uses_topic_ids))
    }

    /// Makes a session of a full fetch; 0 if there is no room (`maybeCreateSession`).
    pub(super) fn create(
        &self,
        env: &Env,
        partitions: Vec<WantedPartition>,
        uses_topic_ids: bool,
        sent: &[Sent],
    ) -> i32 {
        let now = env.clock().now();
        let mut sessions = self.sessions.lock();
        if sessions.len() >= self.slots && !self.evict(&mut sessions, partitions.len(), now) {
            return 0;
        }
        let id = loop {
            let id = (env.rng().next_u64() & 0x7fff_ffff) as i32;
            if id != 0 && !sessions.contains_key(&id) {
                break id;
            }
        };
        let mut session = Session::new(uses_topic_ids, now);
        for (wanted, sent) in partitions.into_iter().zip(sent) {
            session.want(wanted).must_tell(sent);
        }
        sessions.insert(id, session);
        self.count.set(sessions.len() as i64);
        id
    }

    /// Makes room for a session of `size` partitions: the one that is idle for longest, or the smallest if that is smaller and
    /// old enough (`tryEvict`).
    fn evict(&self, sessions: &mut BTreeMap<i32, Session>, size: usize, now: Instant) -> bool {
        let idle = sessions.iter().min_by_key(|(_, session)| session.last_used);
        let idle = idle.filter(|(_, it)| now.duration_since(it.last_used) > EVICTION_AGE);
        let small = sessions.iter().min_by_key(|(_, session)| session.len());
        let small = small
            .filter(|(_, it)| it.len() < size && now.duration_since(it.created) > EVICTION_AGE);
        let Some(id) = idle.or(small).map(|(id, _)| *id) else { return false };
        sessions.remove(&id);
        self.evictions.inc();
        true
    }

    /// Notes what an incremental fetch is about to tell, and which partitions need not be told of. Those with records go to the
    /// back, so that others have their turn.
    pub(super) fn told(&self, reads: &Incremental, sent: &[Sent]) -> Vec<bool> {
        let mut sessions = self.sessions.lock();
        let session = sessions.get_mut(&reads.session_id);
        let Some(session) = session.filter(|session| session.epoch == reads.epoch) else {
            // evicted or used again meanwhile: tell everything
            return vec![true; sent.len()];
        };
        let mut included = Vec::with_capacity(sent.len());
        for (place, sent) in reads.places.iter().zip(sent) {
            let tell = session.at(*place).is_none_or(|cached| cached.must_tell(sent));
            included.push(tell);
            if tell && sent.has_records {
                session.move_to_back(*place);
            }
        }
        included
    }

    /// How many sessions are open.
    pub fn len(&self) -> usize {
        self.sessions.lock().len()
    }

    /// True if there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
