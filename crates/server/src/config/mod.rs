//! `server.properties`, the command line, and what follows from them.
//!
//! Owns: [`tables`] (every key Kafka 4.3 knows, and ours), [`load`](ConfigSources::load) (file and
//! command line to a checked [`ServerConfig`]), the rules for listeners.
//! Invariants: a [`ServerConfig`] is checked whole, so nothing behind it meets a bad value; a key is
//! never dropped in silence.
//! Does not know: dynamic configs (those are records in the metadata image), files and environment
//! (the caller reads them).

mod endpoint;
pub mod later;
mod listeners;
mod load;
mod network_config;
mod schema;
mod server_config;
mod shipped;
pub mod tables;
mod warnings;

pub use endpoint::{Endpoint, EndpointError, ListenerName, SecurityProtocol};
pub use listeners::Listeners;
pub use load::{ConfigErrors, ConfigSources};
pub(crate) use network_config::parse_overrides;
pub use network_config::{ConnectionQuotaConfig, NetworkConfig};
pub use schema::{schema, static_configs};
pub use server_config::{ConfigSource, ServerConfig};
