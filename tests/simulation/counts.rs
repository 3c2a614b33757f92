//! The counts of events in a simulation.

macro_rules! counts {
    ($($name:ident),* $(,)?) => {
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        pub(crate) struct Counts {
            $(pub(crate) $name: u64,)*
        }

        impl Counts {
            pub(crate) fn add(&mut self, other: &Self) {
                $(self.$name += other.$name;)*
            }
        }
    };
}

counts! {
    steps, beats, completions, installations, registrations,
    crashes, pauses, returns, mutes, stuck, departures, evictions, drains, set_aside, takeovers,
    stale_messages, wrong_messages, repeats, by_id, weights, metrics, cleanups,
    sweeps, sweeps_held, deaths, given_up, releases, sweeper_pauses, machine_pauses, jumps_forward, jumps_back,
    ticks_completed, ticks_superseded, ticks_unmanned, calms, calm_shards, calm_ticks,
}
