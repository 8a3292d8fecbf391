//! What can be set for a client metrics subscription (KIP-714).

use klamm_record::config_def;

use crate::config::later::TELEMETRY;

config_def! {
    /// Dynamic configs of client metrics subscriptions (Kafka's `ClientMetricsConfigs`). They are kept for the issue that
    /// brings client telemetry.
    pub static CLIENT_METRICS_RESOURCE_CONFIGS;

    /// Names of metrics, or their prefixes.
    "metrics": list = &[], effect(TELEMETRY);
    /// Time between two pushes.
    "interval.ms": int = 300_000, effect(TELEMETRY);
    /// Which clients are meant: `key=regular expression`.
    "match": list = &[], effect(TELEMETRY);
}
