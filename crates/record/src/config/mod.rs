//! Configuration as tables: each module that owns keys declares them with [`config_def!`](crate::config_def), and the table
//! feeds validation, DescribeConfigs, the docs and the warning about keys whose effect comes later.
//!
//! Meanings and wording follow Kafka's `ConfigDef`. Invariant: a table holds facts only; effective values, their precedence
//! and their typed form belong to the owner.

mod def;
mod error;
mod key;
mod macros;
mod properties;
mod synonym;
mod validator;
mod value;

pub use def::ConfigDef;
pub use error::ConfigError;
pub use key::{ConfigDefault, ConfigKey, DynamicMode, Effect, Importance};
pub use properties::{PropertiesError, parse as parse_properties};
pub use synonym::{Conversion, Synonym};
pub use validator::{Bound, Validator};
pub use value::{ConfigType, ConfigValue};

#[cfg(test)]
mod tests;
