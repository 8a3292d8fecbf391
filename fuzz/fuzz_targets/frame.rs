//! Frames: header and body of any API and version.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| klamm_protocol::fuzz::frame(input));
