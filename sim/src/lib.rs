//! Whole nodes under a seed: a client, workloads and checkers; the scenarios are this crate's tests.
//!
//! Owns: [`client`], one connection that speaks every version; [`batches`], what producers send and consumers find in
//! bytes; [`history`], what clients were told and what a log may therefore hold; [`requests`],
//! the requests that clients make; [`workload`], clients that live
//! through the crashes of a node; [`seeds`], which seeds a test runs.
//! Invariant: nothing here decides anything but by the seed, so that a run can be replayed.
//! Does not know: how a node works inside. It speaks Kafka's protocol, on a simulated network or on a real one.

pub mod batches;
pub mod client;
pub mod history;
pub mod requests;
pub mod seeds;
pub mod workload;
