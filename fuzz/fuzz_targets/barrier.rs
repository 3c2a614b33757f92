#![no_main]

#[path = "../src/barrier.rs"]
mod barrier;

libfuzzer_sys::fuzz_target!(|data: &[u8]| barrier::run(data));
