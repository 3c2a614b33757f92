#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tickring::testing::storage::fuzz(data));
