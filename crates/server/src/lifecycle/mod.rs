//! What stands behind the sockets of a node, from start to stop.
//!
//! Owns: the order in which directories, controller, logs and replicas come up, and go down again.
//! Invariant: the clean marker of a log dir is written last of all, and only after everything in it was closed.
//! Does not know: sockets and handlers.

mod connection_limits;
mod producer_expiry;
mod producer_ids;
mod publishers;
mod start;
mod stop;
mod strays;

use std::sync::Arc;

use klamm_env::{DirLock, Env, TaskScope};
use klamm_quorum::{BrokerLifecycle, ControllerHandle};
use klamm_replica::ReplicaManager;
use klamm_storage::LogManager;

pub use connection_limits::ConnectionLimitPublisher;
pub use publishers::FeaturePublisher;
pub use start::{StorageStartError, start};

use crate::broker::Services;

/// Everything that must be stopped again.
pub struct Lifecycle {
    env: Env,
    scope: TaskScope,
    controller_scope: TaskScope,
    controller: ControllerHandle,
    log_manager: Arc<LogManager>,
    replica_manager: Arc<ReplicaManager>,
    broker: BrokerLifecycle,
    /// Held until the process is done with the directories.
    _locks: Vec<DirLock>,
}

/// What a start brings up: what handlers work with, and what the stop needs.
pub struct Started {
    /// For the handlers.
    pub services: Services,
    /// For the stop.
    pub lifecycle: Lifecycle,
}
