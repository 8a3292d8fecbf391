//! Indexes, snapshots and checkpoints.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| klamm_storage::fuzz::index_files(input));
