//! `BrokerLifecycle`: how the broker of this node comes to life in the metadata, stays in it, and leaves.
//!
//! Each start registers a new incarnation, fenced; it is unfenced once the broker can serve. Both are records, so leader
//! epochs rise with each start, after a crash too. On one node the controller is in the same process: what is a request in
//! Kafka is an operation here.

use std::sync::Arc;
use std::time::Duration;

use klamm_env::{Env, TaskScope};
use klamm_metadata::MetadataVersion;
use klamm_metadata::controller::supported_features;
use klamm_protocol::ErrorCode;
use klamm_protocol::messages::broker_heartbeat_request::BrokerHeartbeatRequest;
use klamm_protocol::messages::broker_registration_request::{self, BrokerRegistrationRequest};
use klamm_protocol::messages::controller_registration_request::{
    self, ControllerRegistrationRequest,
};
use klamm_record::{BrokerId, Uuid};
use parking_lot::Mutex;

use crate::controller_runtime::{ControllerError, ControllerHandle};

/// `broker.heartbeat.interval.ms`.
const HEARTBEAT_INTERVAL: Duration = Duration::from_millis(2000);
/// Heartbeats that a controlled shutdown may take; one node needs two.
const SHUTDOWN_HEARTBEATS_MAX: u32 = 50;
const SHUTDOWN_PAUSE: Duration = Duration::from_millis(20);

/// A listener as it is registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisteredListener {
    /// Its name.
    pub name: String,
    /// Advertised host.
    pub host: String,
    /// Advertised port.
    pub port: u16,
    /// 0 PLAINTEXT, 1 SSL, 2 SASL_PLAINTEXT, 3 SASL_SSL.
    pub security_protocol: i16,
}

/// What the broker says of itself.
#[derive(Debug, Clone)]
pub struct BrokerIdentity {
    /// `node.id`.
    pub node_id: BrokerId,
    /// The cluster it belongs to.
    pub cluster_id: String,
    /// Its listeners, those of the controller excepted.
    pub listeners: Vec<RegisteredListener>,
    /// Listeners of its controller.
    pub controller_listeners: Vec<RegisteredListener>,
    /// `broker.rack`.
    pub rack: Option<String>,
    /// Ids of the log directories that are online.
    pub directory_ids: Vec<Uuid>,
    /// `brokerEpoch` of `.kafka_cleanshutdown`, if every directory had one; −1 after an unclean stop.
    pub previous_broker_epoch: i64,
}

/// Why the broker did not get what it asked for.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LifecycleError {
    /// The controller is gone or could not write.
    #[error(transparent)]
    Controller(#[from] ControllerError),
    /// The controller refused.
    #[error("{operation} of broker {node_id} was refused: {code:?}")]
    Refused {
        /// What was asked.
        operation: &'static str,
        /// Who asked.
        node_id: BrokerId,
        /// Why not.
        code: ErrorCode,
    },
    /// The controller did not let the broker go.
    #[error("the controlled shutdown did not end")]
    ShutdownNotGranted,
}

/// The broker of this node, registered (Kafka's `BrokerLifecycleManager`).
pub struct BrokerLifecycle {
    env: Env,
    controller: ControllerHandle,
    node_id: BrokerId,
    broker_epoch: i64,
    incarnation_id: Uuid,
    wish: Arc<Mutex<Wish>>,
    scope: TaskScope,
}

/// What the next heartbeat asks for.
#[derive(Debug, Clone)]
struct Wish {
    fenced: bool,
    offline_directories: Vec<Uuid>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shutdown {
    No,
    Wanted,
}

impl BrokerLifecycle {
    /// Registers controller and broker of this node as a new incarnation. The broker is fenced until
    /// [`BrokerLifecycle::unfence`].
    ///
    /// # Errors
    /// If the controller refuses or is gone.
    pub async fn register(
        env: &Env,
        scope: &TaskScope,
        controller: ControllerHandle,
        identity: BrokerIdentity,
    ) -> Result<Self, LifecycleError> {
        let node_id = identity.node_id;
        let image = controller.image();
        let version = image.features.metadata_version_or_minimum();
        if version.is_controller_registration_supported() {
            let request = controller_registration(&identity, random_id(env));
            let response = controller
                .run("registerController", move |it, _| it.register_controller(&request))
                .await?;
            check("controller registration", node_id, response.error_code)?;
        }
        let incarnation_id = random_id(env);
        let request = broker_registration(&identity, incarnation_id, version);
        let response = controller
            .run("registerBroker", move |it, ctx| it.register_broker(ctx, &request))
            .await?;
        check("registration", node_id, response.error_code)?;
        let wish = Wish { fenced: true, offline_directories: Vec::new() };
        let lifecycle = Self {
            env: env.clone(),
            controller,
            node_id,
            broker_epoch: response.broker_epoch,
            incarnation_id,
            wish: Arc::new(Mutex::new(wish)),
            scope: scope.child("broker-lifecycle"),
        };
        Ok(lifecycle)
    }

    /// Offset of the registration's record: the epoch of this incarnation, as `.kafka_cleanshutdown` keeps it.
    pub fn broker_epoch(&self) -> i64 {
        self.broker_epoch
    }

    /// Id of this run of the process.
    pub fn incarnation_id(&self) -> Uuid {
        self.incarnation_id
    }

    /// The broker can serve: leaders are elected. From now on it sends heartbeats.
    ///
    /// # Errors
    /// If the controller refuses or is gone.
    pub async fn unfence(&self) -> Result<(), LifecycleError> {
        self.wish.lock().fenced = false;
        self.heartbeat(Shutdown::No).await?;
        let pulse = Pulse {
            controller: self.controller.clone(),
            wish: Arc::clone(&self.wish),
            node_id: self.node_id,
            broker_epoch: self.broker_epoch,
        };
        let (env, scope) = (self.env.clone(), self.scope.clone());
        self.scope.spawn("heartbeat", async move { pulse.beat_until_cancelled(env, scope).await });
        Ok(())
    }

    /// These log directories have failed; the controller moves what lies in them.
    ///
    /// # Errors
    /// If the controller refuses or is gone.
    pub async fn directories_failed(&self, directories: &[Uuid]) -> Result<(), LifecycleError> {
        self.wish.lock().offline_directories.extend_from_slice(directories);
        self.heartbeat(Shutdown::No).await.map(drop)
    }

    /// Gives up all leaderships and leaves, fenced, as Kafka does. Call it before the listeners' last connection is cut.
    ///
    /// # Errors
    /// If the controller is gone or does not let go; the node stops all the same, and the next start counts as unclean.
    pub async fn controlled_shutdown(&self) -> Result<(), LifecycleError> {
        self.scope.cancel();
        self.scope.join().await;
        for _ in 0..SHUTDOWN_HEARTBEATS_MAX {
            if self.heartbeat(Shutdown::Wanted).await? {
                return Ok(());
            }
            self.env.clock().sleep(SHUTDOWN_PAUSE).await;
        }
        Err(LifecycleError::ShutdownNotGranted)
    }

    /// True if the broker may go.
    async fn heartbeat(&self, shutdown: Shutdown) -> Result<bool, LifecycleError> {
        let pulse = Pulse {
            controller: self.controller.clone(),
            wish: Arc::clone(&self.wish),
            node_id: self.node_id,
            broker_epoch: self.broker_epoch,
        };
        pulse.beat(shutdown).await
    }
}

/// Sends heartbeats.
struct Pulse {
    controller: ControllerHandle,
    wish: Arc<Mutex<Wish>>,
    node_id: BrokerId,
    broker_epoch: i64,
}

impl Pulse {
    async fn beat_until_cancelled(self, env: Env, scope: TaskScope) {
        let cancelled = scope.cancelled();
        tokio::pin!(cancelled);
        loop {
            tokio::select! {
                biased;
                () = &mut cancelled => return,
                () = env.clock().sleep(HEARTBEAT_INTERVAL) => {}
            }
            if let Err(error) = self.beat(Shutdown::No).await {
                tracing::warn!(error = %error, "heartbeat failed");
                if matches!(error, LifecycleError::Controller(ControllerError::Stopped)) {
                    return;
                }
            }
            self.fence_stale_brokers().await;
        }
    }

    async fn beat(&self, shutdown: Shutdown) -> Result<bool, LifecycleError> {
        let wish = self.wish.lock().clone();
        let request = BrokerHeartbeatRequest {
            broker_id: self.node_id.0,
            broker_epoch: self.broker_epoch,
            // In one process the broker has seen what the controller has committed.
            current_metadata_offset: i64::MAX,
            want_fence: wish.fenced,
            want_shut_down: shutdown == Shutdown::Wanted,
            offline_log_dirs: wish.offline_directories,
            cordoned_log_dirs: Some(Vec::new()),
        };
        let node_id = self.node_id;
        let response = self
            .controller
            .run("brokerHeartbeat", move |controller, ctx| {
                let result = controller.broker_heartbeat(ctx, &request);
                if shutdown == Shutdown::Wanted && !result.response.should_shut_down {
                    let count = i64::try_from(result.records.len()).unwrap_or(i64::MAX);
                    let end = ctx.next_write_offset + count;
                    controller.controlled_shutdown_appended(node_id, end);
                }
                result
            })
            .await?;
        check("heartbeat", self.node_id, response.error_code)?;
        Ok(response.should_shut_down)
    }

    /// Fences other brokers that were not heard of. It follows this broker's own heartbeat, so that a process that stood
    /// still does not fence itself.
    async fn fence_stale_brokers(&self) {
        while let Ok(true) =
            self.controller.run("fenceStaleBroker", |it, ctx| it.fence_stale_broker(ctx)).await
        {
        }
    }
}

fn check(operation: &'static str, node_id: BrokerId, code: i16) -> Result<(), LifecycleError> {
    match ErrorCode::from_code(code) {
        ErrorCode::None => Ok(()),
        code => Err(LifecycleError::Refused { operation, node_id, code }),
    }
}

fn broker_registration(
    identity: &BrokerIdentity,
    incarnation_id: Uuid,
    version: MetadataVersion,
) -> BrokerRegistrationRequest {
    let listener = |it: &RegisteredListener| broker_registration_request::Listener {
        name: it.name.as_str().into(),
        host: it.host.as_str().into(),
        port: it.port,
        security_protocol: it.security_protocol,
    };
    let features = supported_features().into_iter().map(|(name, range)| {
        broker_registration_request::Feature {
            name: name.into(),
            min_supported_version: range.min,
            max_supported_version: range.max,
        }
    });
    let log_dirs = match version.is_directory_assignment_supported() {
        true => identity.directory_ids.clone(),
        false => Vec::new(),
    };
    BrokerRegistrationRequest {
        broker_id: identity.node_id.0,
        cluster_id: identity.cluster_id.as_str().into(),
        incarnation_id,
        listeners: identity.listeners.iter().map(listener).collect(),
        features: features.collect(),
        rack: identity.rack.as_deref().map(Into::into),
        log_dirs,
        previous_broker_epoch: identity.previous_broker_epoch,
        ..BrokerRegistrationRequest::default()
    }
}

fn controller_registration(
    identity: &BrokerIdentity,
    incarnation_id: Uuid,
) -> ControllerRegistrationRequest {
    let listener = |it: &RegisteredListener| controller_registration_request::Listener {
        name: it.name.as_str().into(),
        host: it.host.as_str().into(),
        port: it.port,
        security_protocol: it.security_protocol,
    };
    let features = supported_features().into_iter().map(|(name, range)| {
        controller_registration_request::Feature {
            name: name.into(),
            min_supported_version: range.min,
            max_supported_version: range.max,
        }
    });
    ControllerRegistrationRequest {
        controller_id: identity.node_id.0,
        incarnation_id,
        zk_migration_ready: false,
        listeners: identity.controller_listeners.iter().map(listener).collect(),
        features: features.collect(),
    }
}

fn random_id(env: &Env) -> Uuid {
    loop {
        let mut bytes = [0; 16];
        env.rng().fill(&mut bytes);
        if let Some(id) = Uuid::from_random(bytes) {
            return id;
        }
    }
}
