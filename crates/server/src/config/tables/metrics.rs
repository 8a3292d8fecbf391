//! Metrics and client telemetry.

use klamm_record::config_def;

use crate::config::later::{JAVA, PROMETHEUS, TELEMETRY};

config_def! {
    /// Metrics and client telemetry.
    pub static METRICS_CONFIGS;

    /// Samples behind a rate.
    "metrics.num.samples": int = 2, at_least(1), low(), effect(PROMETHEUS);
    /// Length of a sample.
    "metrics.sample.window.ms": long = 30_000, at_least(1), low(), effect(PROMETHEUS);
    /// Java classes that report metrics.
    "metric.reporters": list = &["org.apache.kafka.common.metrics.JmxReporter"], low(),
        cluster_wide(), effect(JAVA);
    /// How much is measured.
    "metrics.recording.level": string = "INFO", low(), effect(PROMETHEUS);
    /// Java classes that report the older metrics.
    "kafka.metrics.reporters": list = &[], low(), effect(JAVA);
    /// How often those reporters ask.
    "kafka.metrics.polling.interval.secs": int = 10, at_least(1), low(), effect(JAVA);
    /// Largest push of client metrics.
    "telemetry.max.bytes": int = 1_048_576, at_least(1), low(), effect(TELEMETRY);
}
