#![no_main]

// The fuzzing thread belongs to the pool, so small sums wake no other thread.
libfuzzer_sys::fuzz_target!(
    init: {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(2).use_current_thread();
        pool.build_global().expect("nobody has used the pool before");
    },
    |data: &[u8]| tickring::testing::frequency::run(data)
);
