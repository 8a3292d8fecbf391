//! Clients that live through the crashes of a node: each is one task that connects again and goes on.
//!
//! Owns: [`Producer`], [`Consumer`], [`Deleter`], [`Churner`], and [`read_log`], which reads a whole partition for the checks.
//! Invariant: whatever a client sends, and whatever it is told, goes into the [`crate::history::History`] first.

mod churner;
mod consumer;
mod deleter;
mod producer;
mod read_log;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use klamm_env::{Env, Rng};
use klamm_protocol::ErrorCode;

pub use churner::{Churner, TopicHistory};
pub use consumer::Consumer;
pub use deleter::Deleter;
pub use producer::{Producer, ProducerPlan};
pub use read_log::read_log;

use crate::client::{Client, ClientError};
use crate::history::{History, Place};
use crate::requests::Topic;

/// What all clients of a run share.
#[derive(Clone)]
pub struct World {
    /// Where the clients live: a machine of their own.
    pub env: Env,
    /// Where the node listens.
    pub address: SocketAddr,
    /// Every partition, with its topic as clients address it.
    pub topics: Arc<BTreeMap<Place, Topic>>,
    /// What was sent and told.
    pub history: History,
    /// Held while a log is compared with the history, so that its start stays where it is.
    pub deletions: Arc<tokio::sync::Mutex<()>>,
    /// Set when clients shall come to an end.
    pub ending: Arc<AtomicBool>,
}

impl World {
    fn topic(&self, place: &Place) -> &Topic {
        &self.topics[place]
    }

    fn is_ending(&self) -> bool {
        self.ending.load(Ordering::SeqCst)
    }

    async fn pause(&self, rng: &Rng, below_ms: u64) {
        self.env.clock().sleep(Duration::from_millis(rng.below(below_ms))).await;
    }

    /// Goes on after an error that a crash or a stop explains; anything else is a defect.
    async fn recover(&self, rng: &Rng, who: &str, error: ClientError) {
        assert!(error.is_lost_connection(), "{who}: {error}");
        self.pause(rng, 100).await;
    }
}

/// Connects if there is no connection.
async fn connected<'a>(
    world: &World,
    client: &'a mut Option<Client>,
) -> Result<&'a mut Client, ClientError> {
    if client.is_none() {
        *client = Some(Client::connect(&world.env, world.address).await?);
    }
    Ok(client.as_mut().expect("just connected"))
}

/// Whether a client may try again: the node is starting or stopping.
fn passes(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::NotLeaderOrFollower
            | ErrorCode::LeaderNotAvailable
            | ErrorCode::UnknownTopicOrPartition
            | ErrorCode::UnknownTopicId
            | ErrorCode::RequestTimedOut
            | ErrorCode::CoordinatorNotAvailable
            | ErrorCode::CoordinatorLoadInProgress
            | ErrorCode::NotController
    )
}
