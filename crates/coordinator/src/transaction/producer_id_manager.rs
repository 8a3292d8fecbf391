//! `ProducerIdManager`: hands out producer ids from blocks that the controller allocates.
//!
//! An id is handed out once: blocks come from `ProducerIdsRecord`s, which are committed before the controller answers, and
//! what was left of a block when the node stopped is lost for good.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use klamm_env::{Env, Instant, TaskScope};
use klamm_record::ProducerId;
use parking_lot::Mutex;
use tokio::sync::watch;

/// Kafka asks for the next block when 90% of the present one are used (`PID_PREFETCH_THRESHOLD`).
const PREFETCH_PERCENT: i64 = 90;
/// How many blocks one caller waits for (`ITERATION_LIMIT`).
const ANSWERS_MAX: u32 = 3;
/// After a failure the controller is left alone for this long (`RETRY_BACKOFF_MS`).
const RETRY_BACKOFF: Duration = Duration::from_millis(50);

/// Ids `first..first + size` that belong to this broker alone (Kafka's `ProducerIdsBlock`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProducerIdBlock {
    /// The first id.
    pub first: ProducerId,
    /// How many there are, at least 1.
    pub size: i32,
}

/// The controller has no block for us now; the reason is for the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the controller allocated no producer ids: {reason}")]
pub struct AllocateError {
    /// What the controller or the way to it said.
    pub reason: String,
}

/// No id can be handed out now; the client may try again (`COORDINATOR_LOAD_IN_PROGRESS`, which old clients retry).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("producer id block is full, waiting for the next block")]
pub struct ProducerIdError;

/// Where blocks come from: AllocateProducerIds of the controller. The server implements it.
pub trait ProducerIdSource: Send + Sync + 'static {
    /// Asks for one block. When it answers, the block is committed.
    fn allocate(
        &self,
    ) -> Pin<Box<dyn Future<Output = Result<ProducerIdBlock, AllocateError>> + Send>>;
}

/// Hands out producer ids (Kafka's `RPCProducerIdManager`). Cheap to clone; clones share the blocks.
#[derive(Clone)]
pub struct ProducerIdManager {
    inner: Arc<Inner>,
}

struct Inner {
    env: Env,
    scope: TaskScope,
    source: Arc<dyn ProducerIdSource>,
    state: Mutex<State>,
    /// Counts answers of the controller, good or bad.
    answers: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    current: Option<Remaining>,
    next: Option<ProducerIdBlock>,
    /// The first id that no block has covered yet: what lies below was handed out or given up.
    ids_above: i64,
    in_flight: bool,
    backoff_until: Option<Instant>,
}

struct Remaining {
    block: ProducerIdBlock,
    used: i32,
}

enum Claim {
    Id { id: ProducerId, prefetch: bool },
    Empty,
}

impl ProducerIdManager {
    /// Makes a manager without a block; the first call asks for one. Requests run as tasks of `scope`.
    pub fn new(env: Env, scope: TaskScope, source: Arc<dyn ProducerIdSource>) -> Self {
        let (answers, _) = watch::channel(0);
        let state = Mutex::new(State::default());
        Self { inner: Arc::new(Inner { env, scope, source, state, answers }) }
    }

    /// Hands out the next id, waiting for at most three answers of the controller.
    ///
    /// Cancel safe: an id is taken in the step that returns it, and a request to the controller goes on.
    ///
    /// # Errors
    /// If the controller has no block or answered with an error less than 50 ms ago, or if others were faster each time.
    pub async fn generate(&self) -> Result<ProducerId, ProducerIdError> {
        let mut answers = self.inner.answers.subscribe();
        for _ in 0..ANSWERS_MAX {
            if let Some(id) = self.try_claim() {
                return Ok(id);
            }
            // The sender lives as long as `self`, so the wait ends with an answer.
            if !self.inner.request_block() || answers.changed().await.is_err() {
                return Err(ProducerIdError);
            }
        }
        self.try_claim().ok_or(ProducerIdError)
    }

    fn try_claim(&self) -> Option<ProducerId> {
        let claim = self.inner.state.lock().claim();
        match claim {
            Claim::Id { id, prefetch } => {
                if prefetch {
                    self.inner.request_block();
                }
                Some(id)
            }
            Claim::Empty => None,
        }
    }
}

impl Inner {
    /// Asks for a block unless that is being done; false if it is too early after a failure.
    fn request_block(self: &Arc<Self>) -> bool {
        {
            let mut state = self.state.lock();
            if state.in_flight || state.next.is_some() {
                return true;
            }
            if state.backoff_until.is_some_and(|until| self.env.clock().now() < until) {
                return false;
            }
            state.in_flight = true;
        }
        let inner = Arc::clone(self);
        self.scope.spawn("allocate-producer-ids", async move {
            let answer = inner.source.allocate().await;
            let retry_at = inner.env.clock().now() + RETRY_BACKOFF;
            let refused = inner.state.lock().accept(answer, retry_at);
            if let Err(error) = refused {
                tracing::warn!(error = %error, "no block of producer ids");
            }
            inner.answers.send_modify(|count| *count += 1);
        });
        true
    }
}

impl State {
    fn claim(&mut self) -> Claim {
        if self.current.as_ref().is_none_or(Remaining::is_empty) {
            self.current = self.next.take().map(|block| Remaining { block, used: 0 });
        }
        let Some(remaining) = &mut self.current else { return Claim::Empty };
        let id = ProducerId(remaining.block.first.0 + i64::from(remaining.used));
        remaining.used += 1;
        let size = i64::from(remaining.block.size);
        let prefetch = i64::from(remaining.used) > size * PREFETCH_PERCENT / 100;
        Claim::Id { id, prefetch: prefetch && self.next.is_none() && !self.in_flight }
    }

    fn accept(
        &mut self,
        answer: Result<ProducerIdBlock, AllocateError>,
        retry_at: Instant,
    ) -> Result<(), AllocateError> {
        self.in_flight = false;
        let checked = answer.and_then(|block| self.check(block));
        match checked {
            Ok(block) => {
                self.ids_above = block.first.0 + i64::from(block.size);
                self.next = Some(block);
                self.backoff_until = None;
                Ok(())
            }
            Err(error) => {
                self.backoff_until = Some(retry_at);
                Err(error)
            }
        }
    }

    fn check(&self, block: ProducerIdBlock) -> Result<ProducerIdBlock, AllocateError> {
        let first = block.first.0;
        if first < 0 || block.size < 1 || first.checked_add(i64::from(block.size)).is_none() {
            return Err(AllocateError { reason: format!("invalid id range {block:?}") });
        }
        if first < self.ids_above {
            let above = self.ids_above;
            return Err(AllocateError { reason: format!("{block:?} is not above id {above}") });
        }
        Ok(block)
    }
}

impl Remaining {
    fn is_empty(&self) -> bool {
        self.used >= self.block.size
    }
}

#[cfg(test)]
mod tests;
