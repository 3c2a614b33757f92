#![no_main]

#[path = "../src/ring.rs"]
mod ring;

libfuzzer_sys::fuzz_target!(|data: &[u8]| ring::run(data));
