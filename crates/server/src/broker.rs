//! Everything a handler needs, in one place.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use klamm_coordinator::transaction::ProducerIdManager;
use klamm_env::Env;
use klamm_metadata::{ConfigSchema, MetadataImage};
use klamm_protocol::ApiKey;
use klamm_quorum::ControllerHandle;
use klamm_record::BrokerId;
use klamm_replica::ReplicaManager;
use parking_lot::Mutex;
use prometheus_client::registry::Registry;

use crate::apis::table::{ApiRow, TABLE};
use crate::authorizer::Authorizer;
use crate::config::{Endpoint, ListenerName, ServerConfig, schema};
use crate::fetch_session::FetchSessionCache;
use crate::quota::Quota;

/// A feature this build supports, with the inclusive range of its levels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SupportedFeature {
    /// For example `metadata.version`.
    pub name: &'static str,
    /// Lowest level.
    pub level_min: i16,
    /// Highest level.
    pub level_max: i16,
}

/// What ApiVersions tells of features.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Features {
    /// What this build supports.
    pub supported: Vec<SupportedFeature>,
    /// What the cluster has finalized: name and level.
    pub finalized: Vec<(String, i16)>,
    /// The metadata offset that the finalized levels stand at; -1 while none is known.
    pub finalized_epoch: i64,
}

impl Default for Features {
    fn default() -> Features {
        Features { supported: Vec::new(), finalized: Vec::new(), finalized_epoch: -1 }
    }
}

/// What a broker works with, started before it.
pub struct Services {
    /// The cluster's id.
    pub cluster_id: String,
    /// The partitions of this node.
    pub replica_manager: Arc<ReplicaManager>,
    /// The controller of this node.
    pub controller: ControllerHandle,
    /// Ids for idempotent producers.
    pub producer_ids: ProducerIdManager,
}

/// Where a client finds a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeAddress {
    /// Which node.
    pub id: BrokerId,
    /// Advertised host.
    pub host: String,
    /// Advertised port.
    pub port: u16,
    /// `broker.rack`.
    pub rack: Option<String>,
}

/// A node, as handlers see it.
pub struct Broker {
    env: Env,
    config: Arc<ServerConfig>,
    services: Services,
    fetch_sessions: FetchSessionCache,
    authorizer: Authorizer,
    quota: Quota,
    features: ArcSwap<Features>,
    /// What clients are told, with the ports that were bound.
    advertised: Vec<Endpoint>,
    registry: Mutex<Registry>,
    table: &'static [ApiRow],
}

impl Broker {
    /// A node that listens where `advertised` says. Its metrics go to `registry`.
    pub fn new(
        env: Env,
        config: Arc<ServerConfig>,
        advertised: Vec<Endpoint>,
        services: Services,
        mut registry: Registry,
    ) -> Broker {
        let slots = usize::try_from(config.int("max.incremental.fetch.session.cache.slots"));
        let fetch_sessions = FetchSessionCache::new(slots.unwrap_or(0), &mut registry);
        Broker {
            env,
            config,
            services,
            fetch_sessions,
            authorizer: Authorizer::default(),
            quota: Quota::default(),
            features: ArcSwap::from_pointee(Features::default()),
            advertised,
            registry: Mutex::new(registry),
            table: TABLE,
        }
    }

    /// Answers other APIs than [`TABLE`]'s, which a test of the network makes up.
    #[cfg(test)]
    pub(crate) fn with_table(self, table: &'static [ApiRow]) -> Broker {
        Broker { table, ..self }
    }

    /// Throttles as a test of the network wants it.
    #[cfg(test)]
    pub(crate) fn with_quota(self, quota: Quota) -> Broker {
        Broker { quota, ..self }
    }

    /// Every API that this node answers.
    pub fn table(&self) -> &'static [ApiRow] {
        self.table
    }

    /// The row of an API, if this node answers it.
    pub fn row(&self, api_key: ApiKey) -> Option<&'static ApiRow> {
        self.table.iter().find(|row| row.api_key == api_key)
    }

    /// The world outside.
    pub fn env(&self) -> &Env {
        &self.env
    }

    /// The static configuration.
    pub fn config(&self) -> &Arc<ServerConfig> {
        &self.config
    }

    /// `node.id`.
    pub fn node_id(&self) -> BrokerId {
        self.config.node_id
    }

    /// The cluster's id.
    pub fn cluster_id(&self) -> &str {
        &self.services.cluster_id
    }

    /// The metadata as of the last committed change.
    pub fn image(&self) -> Arc<MetadataImage> {
        self.services.controller.image()
    }

    /// The controller: every change of the metadata goes there.
    pub fn controller(&self) -> &ControllerHandle {
        &self.services.controller
    }

    /// The partitions of this node.
    pub fn replica_manager(&self) -> &Arc<ReplicaManager> {
        &self.services.replica_manager
    }

    /// Ids for idempotent producers.
    pub fn producer_ids(&self) -> &ProducerIdManager {
        &self.services.producer_ids
    }

    /// Which configs exist.
    pub fn schema(&self) -> ConfigSchema {
        schema()
    }

    /// The fetch sessions of this node.
    pub fn fetch_sessions(&self) -> &FetchSessionCache {
        &self.fetch_sessions
    }

    /// Where clients of a listener find a registered, unfenced broker.
    pub fn endpoint_of(&self, id: BrokerId, listener: &ListenerName) -> Option<NodeAddress> {
        let image = self.image();
        let broker = image.cluster.broker(id).filter(|broker| broker.is_active())?;
        let endpoint = broker.listener(listener.as_str())?;
        Some(NodeAddress {
            id,
            host: endpoint.host.to_string(),
            port: endpoint.port,
            rack: broker.rack.as_ref().map(ToString::to_string),
        })
    }

    /// Who may do what.
    pub fn authorizer(&self) -> &Authorizer {
        &self.authorizer
    }

    /// Who must wait.
    pub fn quota(&self) -> &Quota {
        &self.quota
    }

    /// What ApiVersions tells of features.
    pub fn features(&self) -> Arc<Features> {
        self.features.load_full()
    }

    /// Takes new features; for the publisher of the metadata image.
    pub fn set_features(&self, features: Features) {
        self.features.store(Arc::new(features));
    }

    /// Where clients of a listener find this node.
    pub fn advertised_on(&self, listener: &ListenerName) -> Option<&Endpoint> {
        self.advertised.iter().find(|endpoint| endpoint.listener == *listener)
    }

    /// Where clients find this node, by listener; for the registration of the broker.
    pub fn advertised(&self) -> &[Endpoint] {
        &self.advertised
    }

    /// `request.timeout.ms`.
    pub fn request_timeout(&self) -> Duration {
        self.config.request_timeout
    }

    /// Declares metrics in this node's registry.
    pub fn with_registry<T>(&self, declare: impl FnOnce(&mut Registry) -> T) -> T {
        declare(&mut self.registry.lock())
    }

    /// All metrics in OpenMetrics text.
    pub fn metrics_text(&self) -> String {
        let mut text = String::new();
        match prometheus_client::encoding::text::encode(&mut text, &self.registry.lock()) {
            Ok(()) => text,
            Err(error) => {
                tracing::error!(%error, "cannot encode metrics");
                String::new()
            }
        }
    }
}

impl std::fmt::Debug for Broker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Broker").field("node_id", &self.node_id()).finish_non_exhaustive()
    }
}
