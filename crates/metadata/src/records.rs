//! The records of the metadata log, generated from `schema/`, and [`MetadataRecord`] over all of them.

pub use crate::generated::*;

#[cfg(test)]
mod tests;
