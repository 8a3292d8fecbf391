//! Empty as yet. A message-state table and a deduplicating store for applications will be here, on top of `klamm-client`.
