//! Runs each example program as a test.

#[cfg(feature = "durable")]
mod durable_store;
#[cfg(feature = "search")]
mod first_search;
#[cfg(feature = "search")]
mod library;
mod own_shard;
mod own_threads;
mod pagerank;
mod pinned_shard;
mod router_workers;
mod vector_store;

macro_rules! run {
    ($($(#[$when:meta])? $name:ident)*) => {
        $(
            $(#[$when])?
            #[test]
            fn $name() {
                $name::main().unwrap();
            }
        )*
    };
}

run! {
    #[cfg(feature = "durable")]
    durable_store
    #[cfg(feature = "search")]
    first_search
    #[cfg(feature = "search")]
    library
    own_shard
    own_threads
    pagerank
    pinned_shard
    router_workers
    vector_store
}
