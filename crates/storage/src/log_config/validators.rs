//! Rules for values that are no plain range.

use klamm_record::config::{ConfigError, ConfigValue, Validator};

const GZIP_LEVEL_MAX: i64 = 9;
/// The compression types that a broker or topic may ask for.
pub(super) const COMPRESSION_TYPES: &[&str] =
    &["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"];

/// 1 to 9, or −1 for the codec's own default.
pub(super) const GZIP_LEVEL: Validator = Validator::Check(gzip_level, "[1,...,9] or -1");

/// `*`, or replicas as `partition:broker`.
pub(super) const THROTTLED_REPLICAS: Validator =
    Validator::Check(throttled_replicas, "[partitionId]:[brokerId],[partitionId]:[brokerId],...");

fn gzip_level(name: &str, value: &ConfigValue) -> Result<(), ConfigError> {
    match value.as_i64() {
        None => Err(ConfigError::invalid(name, value, "Value must be non-null")),
        Some(-1 | 1..=GZIP_LEVEL_MAX) => Ok(()),
        Some(_) => {
            Err(ConfigError::invalid(name, value, "Value must be between 1 and 9 or equal to -1"))
        }
    }
}

fn throttled_replicas(name: &str, value: &ConfigValue) -> Result<(), ConfigError> {
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let replica = |text: &String| text.split_once(':').is_some_and(|(a, b)| number(a) && number(b));
    match value.as_list() {
        Some(items) if items.iter().all(replica) => Ok(()),
        Some([all]) if all == "*" => Ok(()),
        _ => {
            let reason = format!(
                "{name} must be the literal '*' or a list of replicas in the following format: \
                 [partitionId]:[brokerId],[partitionId]:[brokerId],..."
            );
            Err(ConfigError::invalid(name, value, &reason))
        }
    }
}
