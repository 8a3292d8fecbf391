//! the replicated metadata log behind `trait MetadataLog`: on one node the log itself, on several openraft over that log.
