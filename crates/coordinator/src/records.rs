//! The records of the coordinators' topics, generated from `schema/`.

pub use crate::generated::{group, share, transaction};

#[cfg(test)]
mod tests;
