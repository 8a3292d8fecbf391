//! Group, transaction and share coordinators on one runtime (the runtime may use `env`, the shards may not).

mod generated;
pub mod records;
pub mod transaction;
