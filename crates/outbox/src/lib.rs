//! message-state table and dedup store for applications.
