//! Generated lists.

pub mod messages;
