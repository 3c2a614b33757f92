#![no_main]

#[path = "../src/registry.rs"]
mod registry;

libfuzzer_sys::fuzz_target!(|data: &[u8]| registry::run(data));
