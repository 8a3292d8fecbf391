//! Record batches: parse, decompress, validate.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| klamm_record::fuzz::record_batch(input));
