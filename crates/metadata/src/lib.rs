//! the control plane as pure state machines: metadata records, image and delta, controller, ACL evaluation.

mod generated;
pub mod records;
