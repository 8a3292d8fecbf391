//! Why a config that is known, checked and described has no effect yet; said once at start.

use klamm_record::config::Effect;

/// Several controllers.
pub const CONTROLLERS: Effect = Effect::Later("comes with several controllers");
/// Replication between brokers.
pub const REPLICATION: Effect = Effect::Later("comes with replication between brokers");
/// Consumer groups.
pub const GROUPS: Effect = Effect::Later("comes with consumer groups");
/// Share groups.
pub const SHARE_GROUPS: Effect = Effect::Later("comes with share groups");
/// Streams groups.
pub const STREAMS_GROUPS: Effect = Effect::Later("comes with streams groups");
/// Transactions.
pub const TRANSACTIONS: Effect = Effect::Later("comes with transactions");
/// TLS, SASL, authorization, delegation tokens.
pub const SECURITY: Effect = Effect::Later("comes with security (TLS, SASL, ACLs)");
/// Tiered storage.
pub const TIERED: Effect = Effect::Later("comes with tiered storage");
/// Quotas.
pub const QUOTAS: Effect = Effect::Later("comes with quotas");
/// Client telemetry.
pub const TELEMETRY: Effect = Effect::Later("comes with client telemetry");
/// Group commit.
pub const GROUP_COMMIT: Effect = Effect::Later("comes with group commit");
/// Metrics are pulled.
pub const PROMETHEUS: Effect = Effect::Later("metrics are served at /metrics on the HTTP port");
/// There is nothing here that it would set.
pub const NO_COUNTERPART: Effect = Effect::Later("sets nothing here: Klamm works without it");
/// There is no Java.
pub const JAVA: Effect =
    Effect::Later("names a Java class or its settings, which Klamm cannot load");
