//! Everything HTTP: console, metrics, health, explain, later schema registry and REST.
//!
//! Owns: the HTTP port, its routes and its bounds. Invariant: what it serves here is read-only, and
//! no client can hold a connection without using it. Does not know: the server; it asks an
//! [`Introspect`], which `cli` implements over the server's handle.

mod http_listener;
mod introspect;
mod routes;
mod serve;

pub use introspect::{Health, Introspect, Status};
pub use serve::{GatewayOptions, HttpHandle, serve};
