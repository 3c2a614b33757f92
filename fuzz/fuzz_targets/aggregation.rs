#![no_main]

// With the fuzzing thread as one of its own, the pool needn't be woken for each small sum.
libfuzzer_sys::fuzz_target!(
    init: {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(2).use_current_thread();
        pool.build_global().expect("nobody has used the pool before");
    },
    |data: &[u8]| tickring::testing::frequency::run(data)
);
