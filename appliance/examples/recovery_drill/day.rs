//! Making a day: journal, streams and snapshot.

use appliance::topology::Topology;
use appliance::venue::day::Day;
use appliance::venue::shadow::{Counters, Parts, Shadow};
use appliance::venue::{counters_anonymous, definitions, engine_limits};
use flow::{Generator, Sequencer, Shape};
use journal::{
    Config, DirectoryFiles, FileSegments, FileStorage, Input, Mark, Writer, recover, recover_from,
};
use matching::{Engine, Events, Line, Step};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Sessions that trade; one more comes for the first order.
const SESSIONS: u16 = 8;
const SYMBOLS: u16 = 16;

/// Inputs of a record: what gathers during one flush at a million orders a second.
const GROUP_INPUTS: usize = 100;

/// Reply memory of a session: far less than its day.
const REPLY_MIB: u32 = 16;

/// Time of the shadow between two turns, and turns after the last input until all is written.
const STEP_NS: u64 = 10_000_000;
const STEPS_BEHIND: u64 = 30;

/// The user of the first order.
pub const FIRST_USER: &str = "FIRST";

/// A day that was made.
pub struct Made {
    pub topology_file: PathBuf,
    directory: PathBuf,
    /// Inputs of the day.
    pub inputs: u64,
    /// The input behind which there is a snapshot.
    pub snapshot: u64,
    pub snapshot_bytes: u64,
    pub snapshot_made: Duration,
    /// Orders on the books there.
    pub live_orders: u32,
    /// Hash of the state behind the last input.
    pub state_hash: u64,
}

impl Made {
    /// Reads and checks the whole journal, and does nothing else.
    pub fn read(&self) -> Result<(u64, Duration), String> {
        let mut segments = FileSegments::new(&self.directory);
        let begun = Instant::now();
        let mut sum = 0;
        let read = recover_from(&mut segments, &Mark::START, &mut |input| {
            sum ^= input.time_ns
        });
        let taken = begun.elapsed();
        std::hint::black_box(sum);
        Ok((read.map_err(|e| e.to_string())?.inputs, taken))
    }
}

fn text(dir: &Path, live: u32) -> String {
    let symbols: Vec<String> = (1..=SYMBOLS).map(|it| format!("\"S{it:04}\"")).collect();
    let mut text = format!(
        "name = \"recovery-drill\"\ndata_dir = \"{}\"\nack = \"disk\"\nsymbols = [{}]\n\
         [order_entry]\naddress = \"127.0.0.1:0\"\nreply_mib = {REPLY_MIB}\n\
         [feed]\ngroup = \"127.0.0.1:26499\"\nsource = \"127.0.0.1:0\"\n\
         rerequest = \"127.0.0.1:0\"\n\
         [limits]\nsymbols = {SYMBOLS}\nsessions = 16\norders = {}\n\
         [shadow]\nsnapshot_inputs = 1000000000\nsnapshot_s = 86400\n\
         [tiles]\ngate = {{ thread = \"fast\" }}\nengine = {{ thread = \"fast\" }}\n\
         publish = {{ thread = \"fast\" }}\njournal = {{ thread = \"disk\" }}\n\
         [links]\ngate_engine = {{ depth = 4096, full = \"wait\" }}\n\
         engine_journal = {{ depth = 4096, full = \"wait\" }}\n\
         engine_gate = {{ depth = 16384, full = \"wait\" }}\n\
         engine_publish = {{ depth = 16384, full = \"wait\" }}\n",
        dir.join("data").display(),
        symbols.join(", "),
        live + live / 4 + 10_000
    );
    let users = (1..=SESSIONS).map(|it| format!("M{it}"));
    for (user, account) in users.chain([FIRST_USER.to_owned()]).zip(1..) {
        text += &format!(
            "[[users]]\nname = \"{user}\"\npassword = \"drill\"\nfirm = \"FIRM\"\n\
             account = {account}\n"
        );
    }
    text
}

/// The day's inputs go to the disk and through an engine.
struct Maker<'m> {
    engine: Engine<'m>,
    events: Box<Events>,
    generator: Generator,
    writer: Writer<FileStorage>,
    sequencer: Sequencer,
    group: Vec<Input>,
}

impl Maker<'_> {
    fn put(&mut self, gap_ns: u64, command: wire::ring::Command) -> Result<(), String> {
        let input = self.sequencer.number(gap_ns, command);
        let mut step = self.engine.apply(&input, &mut self.events);
        loop {
            for event in self.events.as_slice() {
                self.generator.on_event(event);
            }
            if step == Step::Done {
                break;
            }
            step = self.engine.resume(&mut self.events);
        }
        self.group.push(input);
        match self.group.len() {
            GROUP_INPUTS => self.write(),
            _ => Ok(()),
        }
    }

    /// Writes the group as a record.
    fn write(&mut self) -> Result<(), String> {
        while !self.group.is_empty() {
            match self.writer.append(&self.group) {
                Ok(()) => self.group.clear(),
                Err(error) if error.is_temporary() => std::thread::yield_now(),
                Err(error) => return Err(error.to_string()),
            }
            self.writer.poll().map_err(|e| e.to_string())?;
        }
        Ok(())
    }

    fn settle(&mut self) -> Result<u64, String> {
        self.write()?;
        while self.writer.durable() + 1 < self.writer.next_sequence() {
            self.writer.poll().map_err(|e| e.to_string())?;
            std::thread::yield_now();
        }
        Ok(self.writer.durable())
    }
}

/// Makes a day in an empty directory: so many orders on the books, a snapshot, and so many inputs
/// behind it.
///
/// With `streams_whole` the shadow had written all that follows from these inputs, too, as it has
/// before a crash; without, the streams end with the snapshot.
pub fn make(dir: &Path, live: u32, tail: u64, streams_whole: bool) -> Result<Made, String> {
    let text = text(dir, live);
    let topology_file = dir.join("drill.toml");
    std::fs::write(&topology_file, &text).map_err(|e| e.to_string())?;
    let topology = Topology::parse(&text).map_err(|e| e.to_string())?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now_ns = now.map_err(|e| e.to_string())?.as_nanos() as u64;
    let day = Day::open(&topology, true, now_ns).map_err(|e| e.to_string())?;
    let mut lines = vec![Line::ZERO; engine_limits(&topology).lines()];
    let mut maker = maker(&topology, &day, live, &mut lines, now_ns)?;
    for command in definitions(&topology) {
        maker.put(0, command)?;
    }
    while !maker.generator.is_filled() {
        let item = maker.generator.next_item();
        maker.put(item.gap_ns, item.command)?;
    }
    let snapshot = maker.settle()?;
    let live_orders = maker.engine.live_orders();
    for _ in 0..tail {
        let item = maker.generator.next_item();
        maker.put(item.gap_ns, item.command)?;
    }
    let inputs = maker.settle()?;
    let state_hash = maker.engine.state_hash();
    let streams_to = if streams_whole { inputs } else { snapshot };
    let snapshot_made = snapshot_make(&topology, &day, snapshot, streams_to)?;
    let name = day.directory.join(journal::snapshot::file_name(snapshot));
    Ok(Made {
        topology_file,
        directory: day.directory.clone(),
        inputs,
        snapshot,
        snapshot_bytes: std::fs::metadata(name).map_err(|e| e.to_string())?.len(),
        snapshot_made,
        live_orders,
        state_hash,
    })
}

fn maker<'m>(
    topology: &Topology,
    day: &Day,
    live: u32,
    lines: &'m mut [Line],
    now_ns: u64,
) -> Result<Maker<'m>, String> {
    let shape = Shape {
        seed: 1,
        symbols: SYMBOLS,
        sessions: SESSIONS,
        standing: live,
        gap_mean_ns: 1_000,
        ..Shape::default()
    };
    let mut storage = FileStorage::open(&day.directory).map_err(|e| e.to_string())?;
    let resume = recover(&mut storage, &mut |_| ()).map_err(|e| e.to_string())?;
    let config = Config {
        segment_bytes: topology.segment_bytes,
    };
    let engine = Engine::new(engine_limits(topology), lines);
    Ok(Maker {
        engine: engine.map_err(|e| e.to_string())?,
        events: Box::default(),
        generator: Generator::new(&shape).map_err(|e| e.to_string())?,
        writer: Writer::open(storage, config, resume.resume).map_err(|e| e.to_string())?,
        // The venue's clock must not be behind the day's last input.
        sequencer: Sequencer::new(now_ns - 3_600_000_000_000),
        group: Vec::with_capacity(GROUP_INPUTS),
    })
}

/// Lets a shadow follow the journal up to an input, make a snapshot there, and follow on up to
/// another one; says how long the snapshot took.
fn snapshot_make(
    topology: &Topology,
    day: &Day,
    at: u64,
    streams_to: u64,
) -> Result<Duration, String> {
    let mut set = counters_anonymous().map_err(|e| e.to_string())?;
    let mut durable = set.counter("journal.durable").map_err(|e| e.to_string())?;
    durable.set(at);
    let counters = Counters::new(&mut set).map_err(|e| e.to_string())?;
    let parts = Parts {
        segments: Box::new(FileSegments::new(&day.directory)),
        files: Box::new(DirectoryFiles::new(&day.directory)),
        session: day.session,
        streams: None,
    };
    let mut lines = vec![Line::ZERO; engine_limits(topology).lines()];
    let opened = Shadow::open(topology, parts, &mut lines, counters);
    let mut shadow = opened.map_err(|e| e.to_string())?;
    while shadow.sequence() < at && shadow.failure().is_none() {
        shadow.poll(0);
    }
    let begun = Instant::now();
    if shadow.sequence() != at || !shadow.snapshot_make(0) {
        let stands = shadow.sequence();
        return Err(format!(
            "no snapshot behind input {at}: it stands at {stands}"
        ));
    }
    let taken = begun.elapsed();
    durable.set(streams_to);
    // What waits is written after a while, which passes at each turn.
    let mut now_ns = 1;
    while shadow.sequence() < streams_to && shadow.failure().is_none() {
        shadow.poll(now_ns);
        now_ns += STEP_NS;
    }
    (0..STEPS_BEHIND).for_each(|step| {
        shadow.poll(now_ns + step * STEP_NS);
    });
    match shadow.failure() {
        None => Ok(taken),
        Some(why) => Err(why.to_owned()),
    }
}
