#![no_main]

#[path = "../src/queries.rs"]
mod queries;

libfuzzer_sys::fuzz_target!(|data: &[u8]| queries::run(data));
