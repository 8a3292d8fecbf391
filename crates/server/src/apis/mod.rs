//! One file per API: its row (versions, listeners, rights, throttle, size) beside its handler.
//!
//! Owns: [`table`], the one list of what this node answers; [`dispatcher`], which takes a frame to
//! its row; [`error`], the one place that turns our errors into Kafka's codes.
//! Invariant: an API is advertised if and only if its row stands in the table.
//! Does not know: sockets, order of responses, permits (those are `network`'s).
//!
//! To add an API: write `apis/<api>.rs` with `pub const ROW: ApiRow` and `fn handle`, add the
//! module here and the row in `table.rs`.

pub mod api_versions;
pub mod dispatcher;
pub mod error;
pub mod fetch;
pub mod produce;
pub mod table;
