//! What is wrong with a config, in Kafka's words.

/// Kafka's `ConfigException`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The value is not of the config's kind, or not allowed.
    #[error("Invalid value {value} for configuration {name}: {reason}")]
    InvalidValue {
        /// The config.
        name: String,
        /// As given; `[hidden]` for a password.
        value: String,
        /// What is allowed.
        reason: String,
    },
    /// A required config is not set.
    #[error("Missing required configuration \"{name}\" which has no default value.")]
    Missing {
        /// The config.
        name: String,
    },
    /// No config has this name.
    #[error("Unknown configuration {name}")]
    Unknown {
        /// As given.
        name: String,
    },
    /// Configs that do not fit together, and lists, whose errors Kafka words freely.
    #[error("{0}")]
    Other(String),
}

impl ConfigError {
    /// `Invalid value VALUE for configuration NAME: REASON`.
    pub fn invalid(name: &str, value: impl ToString, reason: &str) -> Self {
        Self::InvalidValue {
            name: name.to_owned(),
            value: value.to_string(),
            reason: reason.to_owned(),
        }
    }
}
