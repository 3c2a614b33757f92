//! A long run of a colony of texts whose process is killed, whose shards die and whose disk runs full. It is searched and checked all the time.
//!
//! A parent starts one process after the other for the same directory, lets each live for a while, and ends it: it is killed, closes the colony, or
//! leaves it. What a process acknowledges is checked when the next one has opened the colony: each acknowledged document is there once, with the
//! text of its last acknowledged or a later write, and answers are those of an index in memory, to the bit.
//!
//! `TICKRING_SOAK_SECONDS` sets the length (5 by default), and `TICKRING_SOAK_SEED` the seed. The seed gives the parent's decisions and all writes; the
//! moments of the kills depend on the timing as well. With `TICKRING_SOAK_KEEP` the directory stays after a failure.

mod child;
mod figures;
mod model;
mod mortal;
mod process;
mod script;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use tickring::testing::random::Random;
use tickring::testing::setting;
use tickring::testing::tmpfs::Tmpfs;

use self::child::LOG_BYTES;
use self::figures::{Sample, disk_bytes, median};
use self::model::{Model, Refused};
use self::process::{Heard, Process};
use self::script::{Life, Script};

/// The size of the disk while it has room.
const ROOM: &str = "size=512m";
/// The time in which a process ends that was told to.
const PATIENCE: Duration = Duration::from_secs(120);
/// The time from one sample of the figures to the next.
const PERIOD: Duration = Duration::from_millis(300);
/// From this length on, memory must be flat and everything must have happened.
const LONG: Duration = Duration::from_secs(300);

#[test]
fn d1_d2_d9_nothing_acknowledged_is_lost_for_as_long_as_it_is_told() {
    let length = Duration::from_secs(setting("TICKRING_SOAK_SECONDS", 5));
    let seed = setting("TICKRING_SOAK_SEED", 1);
    let mut soak = Soak::new(length, seed);
    while soak.begun.elapsed() < length {
        soak.round();
    }
    soak.end();
}

/// What has happened.
#[derive(Debug, Default)]
struct Counts {
    rounds: u64,
    kills: u64,
    closes: u64,
    deaths: u64,
    /// How often there was no space: for a tick, a checkpoint, or an opening.
    full: [u64; 3],
    /// Openings that were refused, since two before them were killed.
    suspicious: u64,
    replays: u64,
    /// Ends of the log that were cut off.
    cuts: u64,
    acknowledged: u64,
    set_aside: u64,
    compared: u64,
    checkpoints: u64,
}

struct Soak {
    length: Duration,
    begun: Instant,
    random: Random,
    script: Script,
    model: Model,
    counts: Counts,
    /// The disk, if mounting one is allowed. Dropped before the directory.
    disk: Option<Tmpfs>,
    place: tempfile::TempDir,
    is_squeezed: bool,
    /// How many openings were killed since the last that wasn't.
    cut_short: u32,
    samples: Vec<Sample>,
    /// The minutes that were told.
    told: u64,
}

/// When the parent does something to a process.
#[derive(Debug, Default)]
struct Agenda {
    /// When it is killed.
    kill: Option<Instant>,
    /// When it is told to end, and how.
    end: Option<(Instant, &'static str)>,
    /// Whether it is killed while it ends.
    is_killed_ending: bool,
    /// When the disk loses its room, and when it gets it back.
    squeeze: Option<Instant>,
    relax: Option<Instant>,
    sample: Option<Instant>,
}

impl Agenda {
    fn next(&self) -> Option<Instant> {
        let end = self.end.map(|(at, _)| at);
        let all = [self.kill, end, self.squeeze, self.relax, self.sample];
        all.into_iter().flatten().min()
    }
}

/// Returns whether a moment has come, and forgets it then.
fn is_due(at: &mut Option<Instant>) -> bool {
    let is_due = at.is_some_and(|at| at <= Instant::now());
    if is_due {
        *at = None;
    }
    is_due
}

impl Soak {
    fn new(length: Duration, seed: u64) -> Self {
        let place = tempfile::tempdir().unwrap();
        let disk = Tmpfs::mount(place.path(), ROOM);
        if disk.is_none() {
            println!("SKIPPED: no disk runs full, since mounting one isn't allowed here");
        }
        let script = Script { seed };
        Self {
            length,
            begun: Instant::now(),
            random: Random::stream(seed, 0),
            script,
            model: Model::new(script),
            counts: Counts::default(),
            disk,
            place,
            is_squeezed: false,
            cut_short: 0,
            samples: Vec::new(),
            told: 0,
        }
    }

    fn after(&mut self, low: u64, high: u64) -> Instant {
        Instant::now() + Duration::from_millis(self.random.range(low, high))
    }

    /// Decides when and how a process ends.
    fn agenda(&mut self) -> Agenda {
        let mut agenda = Agenda {
            is_killed_ending: self.random.one_in(3),
            ..Agenda::default()
        };
        let round = self.counts.rounds;
        let longest = match round % 8 {
            // Long enough for memory to grow if it does.
            7 => self.length / 15,
            _ => self.length / 6,
        };
        let longest = u64::try_from(longest.as_millis()).unwrap();
        let (low, high) = match round % 8 {
            7 => (longest, longest + 1),
            _ => (200, longest.clamp(400, 5_000)),
        };
        match self.random.below(10) {
            // However few lives there is time for, one of them ends well.
            _ if round % 8 == 1 => {
                agenda.is_killed_ending = false;
                agenda.end = Some((self.after(low, high), "close"));
                return agenda;
            }
            0..2 => agenda.kill = Some(self.after(0, 400)),
            2..6 => agenda.kill = Some(self.after(low, high)),
            6..8 => agenda.end = Some((self.after(low, high), "leave")),
            _ => agenda.end = Some((self.after(low, high), "close")),
        }
        if self.disk.is_some() && self.random.one_in(3) {
            agenda.squeeze = Some(self.after(0, high));
        }
        agenda
    }

    fn life(&self) -> Life {
        Life {
            directory: self.place.path().join("colony"),
            script: self.script,
            number: self.counts.rounds,
            first: self.model.offered,
            copy: None,
        }
    }

    fn round(&mut self) {
        let agenda = self.agenda();
        self.run(agenda);
        // Some openings find the disk as it was left.
        if self.is_squeezed && self.random.one_in(2) {
            self.relax();
        }
        self.tell();
    }

    /// Runs a process from its start to its end.
    fn run(&mut self, mut agenda: Agenda) {
        agenda.sample = Some(Instant::now() + PERIOD);
        let mut process = Process::start(&self.life());
        let mut found = Some(HashMap::new());
        let mut deadline = Instant::now() + self.length + PATIENCE;
        loop {
            match process.hear(agenda.next().unwrap_or(deadline)) {
                Heard::Line(line) => self.hear(&line, &mut found, &mut agenda),
                Heard::End => break,
                Heard::Nothing => {}
            }
            assert!(Instant::now() < deadline, "the process doesn't end");
            if is_due(&mut agenda.kill) {
                self.counts.kills += u64::from(process.kill());
            }
            if let Some((at, how)) = agenda.end
                && at <= Instant::now()
            {
                process.tell(how);
                agenda.end = None;
                deadline = Instant::now() + PATIENCE;
                if agenda.is_killed_ending {
                    agenda.kill = Some(self.after(0, 200));
                }
            }
            if is_due(&mut agenda.squeeze) {
                self.squeeze();
                agenda.relax = Some(self.after(2_000, 6_000));
            }
            if is_due(&mut agenda.relax) {
                self.relax();
                process.tell("try");
            }
            if is_due(&mut agenda.sample) {
                self.sample(&process);
                agenda.sample = Some(Instant::now() + PERIOD);
            }
        }
        if process.end() && found.is_some() {
            self.cut_short += 1;
        }
        self.counts.rounds += 1;
    }

    /// Takes in what a process tells.
    fn hear(&mut self, line: &str, found: &mut Option<HashMap<u64, u64>>, agenda: &mut Agenda) {
        let mut words = line.split(' ');
        let what = words.next().unwrap_or_default();
        let numbers: Vec<u64> = words.filter_map(|word| word.parse().ok()).collect();
        match (what, &numbers[..]) {
            ("opened", [writes, cuts]) => {
                self.counts.replays += u64::from(*writes > 0);
                self.counts.cuts += cuts;
            }
            ("document", [id, number]) => {
                let before = found.as_mut().unwrap().insert(*id, *number);
                assert_eq!(before, None, "{id} is there twice");
            }
            ("checked", []) => {
                self.model.opened(found.take().unwrap());
                self.cut_short = 0;
            }
            // What is killed in opening might have been ended by a write. It is refused once.
            ("suspicious", []) => {
                assert!(
                    self.cut_short >= 2,
                    "{} openings were killed",
                    self.cut_short
                );
                self.cut_short = 0;
                self.counts.suspicious += 1;
            }
            ("offered", [end]) => self.model.offered = *end,
            ("refused", [number]) => self.model.refuse(*number, Refused::Otherwise),
            ("aside", [number]) => {
                self.counts.set_aside += 1;
                self.model.refuse(*number, Refused::Otherwise);
            }
            ("exists", [number]) => self.model.refuse(*number, Refused::Exists),
            ("acknowledged", [end]) => {
                self.counts.acknowledged += end - self.model.acknowledged;
                self.model.acknowledge(*end);
            }
            ("deaths", [deaths]) => self.counts.deaths += deaths,
            ("compared", []) => self.counts.compared += 1,
            ("saved", []) => self.counts.checkpoints += 1,
            ("full", []) => {
                self.counts.full[0] += 1;
                agenda.relax = Some(self.after(0, 300));
            }
            ("no", []) if line == "no room" => {
                self.counts.full[2] += 1;
                self.is_squeezed = true;
            }
            ("no", []) => self.counts.full[1] += 1,
            ("over", []) => self.counts.closes += 1,
            _ => panic!("the process says {line:?}"),
        }
    }

    /// Leaves the disk about as much room as a tick takes.
    fn squeeze(&mut self) {
        let Some(disk) = &self.disk else {
            return;
        };
        let used = disk_bytes(self.place.path());
        // A file takes whole pages, and a size below what is used is refused.
        let least = used + self.random.range(0, 200 << 10);
        let sizes = (0..20).map(|step| least + (step << 17));
        let mut sizes = sizes.map(|size| format!("size={size}"));
        self.is_squeezed = sizes.any(|size| disk.change(&size));
    }

    fn relax(&mut self) {
        if let Some(disk) = &self.disk {
            assert!(disk.change(ROOM));
        }
        self.is_squeezed = false;
    }

    fn sample(&mut self, process: &Process) {
        let directory = self.life().directory;
        self.samples.extend(Sample::take(process.id(), &directory));
    }

    /// Tells the figures, once a minute.
    fn tell(&mut self) {
        let minutes = self.begun.elapsed().as_secs() / 60;
        if minutes > self.told {
            self.told = minutes;
            let last = self.samples.last().copied().unwrap_or_default();
            let documents = self.model.documents();
            println!("minute {minutes}: {:?}", self.counts);
            println!("  {documents} documents; {last}");
        }
    }

    /// Opens the colony a last time, compares its size with that of a new one, and looks whether memory has grown.
    fn end(&mut self) {
        self.relax();
        for how in ["leave", "close"] {
            let agenda = Agenda {
                end: Some((self.after(500, 501), how)),
                ..Agenda::default()
            };
            self.run(agenda);
        }
        let colony = self.life().directory;
        let used = disk_bytes(&colony);
        let copy = self.place.path().join("copy");
        let mut process = Process::start(&Life {
            copy: Some(copy.clone()),
            ..self.life()
        });
        while !matches!(process.hear(Instant::now() + PATIENCE), Heard::End) {}
        process.end();
        let new = disk_bytes(&copy);
        println!("{:?}, {:?}", self.begun.elapsed(), self.counts);
        println!(
            "{} documents take {used} bytes on the disk, in a new colony {new}: {:.2} times",
            self.model.documents(),
            used as f64 / new as f64
        );
        assert!(used <= new * 8 / 5 + 3 * LOG_BYTES, "{used} for {new}");
        self.check_memory();
        let counts = &self.counts;
        assert!(counts.closes > 1 && counts.acknowledged > 0);
        if self.length >= LONG {
            let happened = [
                counts.kills,
                counts.deaths,
                counts.replays,
                counts.set_aside,
            ];
            assert!(happened.iter().all(|&count| count > 10), "{counts:?}");
            assert!(self.disk.is_none() || counts.full.iter().sum::<u64>() > 3);
        }
    }

    /// Compares the first third of the samples with the last.
    fn check_memory(&self) {
        let third = self.samples.len() / 3;
        let (first, last) = (
            median(&self.samples[..third]),
            median(&self.samples[self.samples.len() - third..]),
        );
        println!("median of the first third: {first}");
        println!("median of the last third:  {last}");
        let most = self
            .samples
            .iter()
            .map(|sample| sample.anonymous >> 20)
            .max();
        println!("most anonymous memory: {most:?} MiB");
        if self.length >= LONG {
            let is_flat = last.anonymous <= first.anonymous * 5 / 4 + (16 << 20)
                && last.open_files <= first.open_files + 8
                && last.threads <= first.threads + 8
                && last.disk <= first.disk * 3 / 2 + LOG_BYTES;
            assert!(is_flat, "it grows");
        }
    }
}

/// After a failure the directory can be kept.
impl Drop for Soak {
    fn drop(&mut self) {
        if std::thread::panicking() && std::env::var_os("TICKRING_SOAK_KEEP").is_some() {
            std::mem::forget(self.disk.take());
            self.place.disable_cleanup(true);
            println!("the colony stays in {}", self.place.path().display());
        }
    }
}
