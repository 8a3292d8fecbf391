//! Everything a handler needs, in one place.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use klamm_env::Env;
use klamm_protocol::ApiKey;
use klamm_record::BrokerId;
use parking_lot::Mutex;
use prometheus_client::registry::Registry;

use crate::apis::table::{ApiRow, TABLE};
use crate::authorizer::Authorizer;
use crate::config::{Endpoint, ListenerName, ServerConfig};
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

/// A node, as handlers see it.
pub struct Broker {
    env: Env,
    config: Arc<ServerConfig>,
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
        registry: Registry,
    ) -> Broker {
        Broker {
            env,
            config,
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
