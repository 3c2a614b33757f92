#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tickring::testing::search::schemas::run(data));
