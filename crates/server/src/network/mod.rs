//! Sockets: listeners, connections, the order of responses, and the memory they may take.
//!
//! Owns: [`acceptor`] (one task per listener), [`connection`] (one task per connection),
//! [`frame_reader`] and [`response_writer`] (bytes in, pieces out), [`byte_pool`] (permits),
//! [`connection_quotas`] (how many connections), [`metrics`].
//! Invariants: requests of a connection are worked off in order and responses leave in that order;
//! no byte beyond connection memory is received without a permit, and a permit is taken whole;
//! a connection without progress is closed; nothing here panics on input.
//! Does not know: what is in a request (that is the dispatcher's), topics, partitions, files.

pub mod acceptor;
pub mod byte_pool;
pub mod connection;
pub mod connection_quotas;
pub mod frame_reader;
pub mod limits;
pub mod metrics;
pub mod receive_buffers;
pub mod response_writer;
pub mod socket_server;

#[cfg(test)]
mod tests;
