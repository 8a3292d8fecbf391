//! Sockets, one file per API, security, quotas, wiring, lifecycle.
//!
//! A request comes in through [`network`], is taken to its row by [`apis`], and its handler works on
//! the [`broker::Broker`]. [`server::Server`] puts a node together and takes it apart.

pub mod apis;
pub mod authorizer;
pub mod broker;
pub mod config;
pub mod fetch_session;
mod lifecycle;
pub mod network;
pub mod quota;
pub mod reply;
pub mod request_context;
pub mod server;

pub use config::{ConfigErrors, ConfigSources, ServerConfig};
pub use server::{Server, ServerHandle, StartError};
