//! Mutants of the rules that keep what was acknowledged, judged by the simulator.
//!
//! All of them are built at once into one copy, each behind a switch that stands nowhere else: the
//! word `MUTANT` of a replacement becomes the question whether the environment names this mutant.

use super::suite::{Fault, Suite, Trial};

const DOOR: &str = "slow/door/src/lib.rs";
const GATE: &str = "appliance/src/tiles/gate.rs";
const PUBLISH: &str = "appliance/src/tiles/publish.rs";
const ENGINE_TILE: &str = "appliance/src/tiles/engine.rs";
const JOURNAL_TILE: &str = "appliance/src/tiles/journal.rs";
const VENUE: &str = "appliance/src/venue.rs";
const REPLAY: &str = "appliance/src/venue/replay.rs";
const ACCOUNTS: &str = "engine/session/src/order_entry/mandates.rs";
const MANDATES: &str = "engine/matching/src/mandates.rs";
const MASS: &str = "engine/matching/src/mass.rs";
const ENTRY: &str = "engine/matching/src/entry.rs";
const PRESENCE: &str = "appliance/src/venue/presence.rs";
const REPEATS: &str = "engine/session/src/order_entry/repeats.rs";
const SETTINGS: &str = "engine/session/src/order_entry/settings.rs";
const READ: &str = "engine/session/src/order_entry/read.rs";
const LOGIN: &str = "engine/session/src/order_entry/login.rs";
const JUDGE: &str = "journal/src/judge.rs";
const RECEIVER: &str = "engine/session/src/feed/receiver.rs";
const LINES: &str = "engine/session/src/feed/lines/mod.rs";
const RINGED: &str = "slow/door/src/port.rs";
const RECOVERY: &str = "journal/src/recovery.rs";
const STAGING: &str = "journal/src/staging.rs";
const DRAFT: &str = "journal/src/snapshot/draft.rs";
const SNAPSHOT: &str = "journal/src/snapshot/mod.rs";
const STREAM: &str = "journal/src/stream/writer.rs";
const KEEPER: &str = "journal/src/keeper.rs";
const PAST: &str = "appliance/src/venue/past.rs";
const RECALL: &str = "appliance/src/tiles/gate/past.rs";
const RETENTION: &str = "appliance/src/venue/retention.rs";
const SHADOW: &str = "appliance/src/venue/shadow/mod.rs";
const STREAMS: &str = "appliance/src/venue/shadow/streams.rs";
const START: &str = "appliance/src/venue/recovery.rs";
const WIPE: &str = "journal/src/wipe.rs";
const WRITER: &str = "journal/src/writer.rs";

pub const SUITE: Suite = Suite {
    name: "safety",
    packages: &[
        "wire",
        "queue",
        "nic/af_xdp",
        "nic",
        "flow",
        "engine/matching",
        "engine/session",
        "engine/subscriber",
        "engine/analytics",
        "engine/trading",
        "journal",
        "tuning",
        "footprint",
        "sandbox",
        "recorded",
        "slow/door",
        "slow/fix",
        "slow/logs",
        "slow/quant",
        "appliance",
        "sim",
    ],
    folders: &[],
    has_orderings: false,
    has_switches: true,
    faults: FAULTS,
    trials: &[Trial {
        build: &[
            "build",
            "--quiet",
            "--profile",
            "simulated",
            "-p",
            "sim",
            "--bin",
            "seeds",
        ],
        run: &[
            "run",
            "--quiet",
            "--profile",
            "simulated",
            "-p",
            "sim",
            "--bin",
            "seeds",
            "--",
            "--seeds",
            "5000",
            "--jobs",
            "2",
            "--fail-fast",
        ],
        program: Some(("seeds", "broken by seed")),
    }],
};

const FAULTS: &[Fault] = &[
    Fault {
        name: "no flush before the acknowledgement",
        file: JOURNAL_TILE,
        find: "            Ok(None) => 0,\n",
        replace: "            Ok(None) if MUTANT && self.group.is_empty()
                && self.counters.durable.get() < self.sequence => {
                self.counters.durable.set(self.sequence);
                1
            }
            Ok(None) => 0,\n",
    },
    Fault {
        name: "replies leave before the journal has their inputs",
        file: GATE,
        find: "let allowed = self.signals.released(self.ack, self.inputs);",
        replace: "let mut allowed = self.signals.released(self.ack, self.inputs);
        if MUTANT { allowed = u64::MAX; }",
    },
    Fault {
        name: "the feed leaves before the journal has its inputs",
        file: PUBLISH,
        find: "let allowed = self.signals.released(self.ack, self.inputs);",
        replace: "let mut allowed = self.signals.released(self.ack, self.inputs);
        if MUTANT { allowed = u64::MAX; }",
    },
    Fault {
        name: "the gate releases one input too many",
        file: GATE,
        find: "if self.inputs >= allowed {",
        replace: "if self.inputs >= allowed + u64::from(MUTANT) {",
    },
    Fault {
        name: "orders are taken before their symbols are on disk",
        file: GATE,
        find: "if self.inputs >= self.opening {",
        replace: "if self.inputs >= self.opening || MUTANT {",
    },
    Fault {
        name: "no checksum is checked",
        file: JUDGE,
        find: "if sum != header.checksum {",
        replace: "if sum != header.checksum && !MUTANT {",
    },
    Fault {
        name: "damage is cut like a torn tail",
        file: RECOVERY,
        find: "if tail.proof {",
        replace: "if tail.proof && !MUTANT {",
    },
    Fault {
        name: "a torn tail is not wiped",
        file: WIPE,
        find: "resume.dirty.iter().copied().collect();",
        replace: "resume.dirty.iter().copied().filter(|_| !MUTANT).collect();",
    },
    Fault {
        name: "what a killed process left is told before it is flushed",
        file: WRITER,
        find: "while !writer.is_idle() {",
        replace: "while !writer.is_idle() && !MUTANT {",
    },
    Fault {
        name: "a failed write counts as written",
        file: WRITER,
        find: "            Completion::Written {
                result: Err(error), ..
            } => self.failed = Some(error),",
        replace: "            Completion::Written { buffer, result: Err(_) } if MUTANT =>
                self.land(buffer),
            Completion::Written { result: Err(error), .. } => self.failed = Some(error),",
    },
    Fault {
        name: "a write forgets what stood before it in its block",
        file: STAGING,
        find: "self.buffer.memory()[..inside].copy_from_slice(block);",
        replace: "if !MUTANT { self.buffer.memory()[..inside].copy_from_slice(block); }",
    },
    Fault {
        name: "a full disk loses a group",
        file: JOURNAL_TILE,
        find: "self.counters.held.set(u64::from(is_held));",
        replace: "self.counters.held.set(u64::from(is_held));
                if MUTANT && is_held { self.group.clear(); }",
    },
    Fault {
        name: "replay off by one",
        file: VENUE,
        find: "let last = (journaled.next_sequence - 1, journaled.time_ns);",
        replace: "let last = (journaled.next_sequence - 1 - u64::from(MUTANT &&
            journaled.next_sequence > 1), journaled.time_ns);",
    },
    Fault {
        name: "replay skips a cancel",
        file: REPLAY,
        find: "taken.and_then(|()| self.apply(input))",
        replace: "taken.and_then(|()| {
            let is_cancel = input.command.kind == wire::ring::CommandKind::Cancel as u8;
            if MUTANT && is_cancel { Ok(()) } else { self.apply(input) }
        })",
    },
    Fault {
        name: "replay forgets what replies repeat",
        file: REPLAY,
        find: "        self.state.outputs.entry.replayed(input);\n",
        replace: "        if !MUTANT { self.state.outputs.entry.replayed(input); }\n",
    },
    Fault {
        name: "the time of inputs goes back with the clock",
        file: ENGINE_TILE,
        find: "self.time_ns = self.time_ns.max(now_ns);",
        replace: "self.time_ns = if MUTANT { now_ns } else { self.time_ns.max(now_ns) };",
    },
    Fault {
        name: "an order that is sent again is executed again",
        file: ENTRY,
        find: "command.user_ref > user_ref_last",
        replace: "(MUTANT || command.user_ref > user_ref_last)",
    },
    Fault {
        name: "a member's mass cancel that is sent again is executed again",
        file: MASS,
        find: "command.old_user_ref <= session.user_ref_last",
        replace: "(!MUTANT && command.old_user_ref <= session.user_ref_last)",
    },
    Fault {
        name: "an order that comes again before it is answered goes to the engine",
        file: REPEATS,
        find: "Before::UnderWay => return Some(Step::Held),",
        replace: "Before::UnderWay if MUTANT => return None,
            Before::UnderWay => return Some(Step::Held),",
    },
    Fault {
        name: "an order that comes again is answered by the next reply",
        file: REPEATS,
        find: "return Before::Answered(answer.reply.into());",
        replace: "return Before::Answered(u64::from(answer.reply) + u64::from(MUTANT));",
    },
    Fault {
        name: "a start forgets which replies answered which orders",
        file: REPEATS,
        find: "answers.taken.push(answer(from)?);",
        replace: "let read = answer(from)?;
            answers.taken.push(if MUTANT { Answer::default() } else { read });",
    },
    Fault {
        name: "a login goes on one reply too late",
        file: LOGIN,
        find: "            wanted => wanted,\n",
        replace: "            wanted if MUTANT && wanted > 1 => wanted - 1,
            wanted => wanted,\n",
    },
    Fault {
        name: "what a crash took from its attributes is not stood in for",
        file: READ,
        find: "let stray = || session.extra.as_ref().map(orders::stand_in);",
        replace: "let stray = || session.extra.as_ref().filter(|_| !MUTANT)
            .map(orders::stand_in);",
    },
    Fault {
        name: "a snapshot has its name before it is whole",
        file: DRAFT,
        find: "            self.failed = self.files.write(DRAFT, self.written, &self.piece);
",
        replace: "            self.failed = self.files.write(DRAFT, self.written, &self.piece);
            if MUTANT {
                let name = file_name(self.header.sequence);
                self.failed = self.files.write(&name, self.written, &self.piece);
            }
",
    },
    Fault {
        name: "a snapshot is not flushed before it gets its name",
        file: DRAFT,
        find: "self.files.flush(DRAFT)?;",
        replace: "if !MUTANT { self.files.flush(DRAFT)?; }",
    },
    Fault {
        name: "streams are not flushed before their snapshot",
        file: STREAMS,
        find: "files.flush(&writer.name().file())?;",
        replace: "if !MUTANT { files.flush(&writer.name().file())?; }",
    },
    Fault {
        name: "a snapshot's position is ahead of the stream",
        file: STREAM,
        find: "            messages: header.first - 1,\n",
        replace: "            messages: header.first - 1 + u64::from(MUTANT),\n",
    },
    Fault {
        name: "a snapshot's position is inside a page",
        file: STREAM,
        find: "if self.page.header.count > 0 {
            self.turn();",
        replace: "if self.page.header.count > 0 && !MUTANT {
            self.turn();",
    },
    Fault {
        name: "what stands behind a stream's position stays there",
        file: STREAM,
        find: "        files.cut(&name.file(), u64::from(position.pages) * PAGE_BYTES as u64)?;",
        replace: "        if !MUTANT {
            files.cut(&name.file(), u64::from(position.pages) * PAGE_BYTES as u64)?;
        }",
    },
    Fault {
        name: "replay behind a snapshot off by one",
        file: START,
        find: "&mut |input| replay.take(input))",
        replace: "&mut |input| {
            if !MUTANT || mark.is_start() || input.sequence > mark.next_sequence {
                replay.take(input);
            }
        })",
    },
    Fault {
        name: "a snapshot forgets what users may do for their accounts",
        file: MANDATES,
        find: "session.set(Session::NO_ENTRY, mandate.may() & MAY_ENTER == 0);",
        replace: "session.set(Session::NO_ENTRY, !MUTANT && mandate.may() & MAY_ENTER == 0);",
    },
    Fault {
        name: "a start forgets which accounts users have",
        file: ACCOUNTS,
        find: "            self.mandates.0.push(mandate);\n",
        replace: "            if !MUTANT { self.mandates.0.push(mandate); }\n",
    },
    Fault {
        name: "the snapshot before a damaged one is not tried",
        file: START,
        find: "self.refused.push(format!(\"{name} is not used: {why}\"));",
        replace: "self.refused.push(format!(\"{name} is not used: {why}\"));
                    if MUTANT { break; }",
    },
    Fault {
        name: "a snapshot's sections are not checked",
        file: SNAPSHOT,
        find: "if sum != entry.checksum {",
        replace: "if sum != entry.checksum && !MUTANT {",
    },
    Fault {
        name: "a shadow goes on after a flush that failed",
        file: SHADOW,
        find: "Err(error) if error.act == Act::Flush => {",
        replace: "Err(error) if error.act == Act::Flush && !MUTANT => {",
    },
    Fault {
        name: "segments go with a single snapshot",
        file: RETENTION,
        find: "sound.len() >= SNAPSHOTS_MIN",
        replace: "sound.len() >= if MUTANT { 1 } else { SNAPSHOTS_MIN }",
    },
    Fault {
        name: "a segment goes that the older snapshot needs",
        file: RETENTION,
        find: "let oldest = sound.last().",
        replace: "let oldest = (if MUTANT { sound.first() } else { sound.last() }).",
    },
    Fault {
        name: "a segment is compressed before the opening of the next one is on disk",
        file: KEEPER,
        find: "        self.shelf.flush(next)?;\n",
        replace: "        if !MUTANT { self.shelf.flush(next)?; }\n",
    },
    Fault {
        name: "replies that streams hold are counted one too far",
        file: PAST,
        find: "entry.cover(store.unwrap_or(0), count)",
        replace: "entry.cover(store.unwrap_or(0), count + u64::from(MUTANT))",
    },
    Fault {
        name: "a reply that gave way is read one too late",
        file: RECALL,
        find: "                from: recall.from,\n",
        replace: "                from: recall.from + u64::from(MUTANT),\n",
    },
    Fault {
        name: "a receiver goes on behind a gap",
        file: RECEIVER,
        find: "if packet.sequence() > self.expected || self.is_joining {",
        replace: "if (packet.sequence() > self.expected && !MUTANT) || self.is_joining {",
    },
    Fault {
        name: "a receiver takes the end of a session that went on for its last word",
        file: RECEIVER,
        find: "Some(end) if self.announced <= end => State::Ended,",
        replace: "Some(end) if MUTANT || self.announced <= end => State::Ended,",
    },
    Fault {
        name: "a feed goes on behind a snapshot off by one",
        file: LINES,
        find: ".splice(next, announced, &mut |sequence, message| {",
        replace: ".splice(next + u64::from(MUTANT), announced, &mut |sequence, message| {",
    },
    Fault {
        name: "the orders of a member that is gone stay",
        file: PRESENCE,
        find: "if now_ns < self.due_ns {",
        replace: "if now_ns < self.due_ns || MUTANT {",
    },
    Fault {
        name: "a start does not say who is gone",
        file: START,
        find: "startup.extend(state.outputs.presences.lost());",
        replace: "if !MUTANT { startup.extend(state.outputs.presences.lost()); }",
    },
    Fault {
        name: "a snapshot forgets whose orders are about to leave",
        file: PRESENCE,
        find: "Place::Leaving(ns) => (2, *ns),",
        replace: "Place::Leaving(_) if MUTANT => (0, 0),
                Place::Leaving(ns) => (2, *ns),",
    },
    Fault {
        name: "a snapshot forgets what an operator changed of a user",
        file: SETTINGS,
        find: "for setting in settings.all() {",
        replace: "for setting in settings.all().filter(|_| !MUTANT) {",
    },
    Fault {
        name: "a changed grace is not what the user's orders have",
        file: SETTINGS,
        find: "member.leave_ns = Some(leave_ns.unwrap_or(i64::MAX as u64));",
        replace: "if !MUTANT { member.leave_ns = Some(leave_ns.unwrap_or(i64::MAX as u64)); }",
    },
    Fault {
        name: "a gateway hears what was said to the one before it",
        file: DOOR,
        find: "if chunk.session != self.session {",
        replace: "if chunk.session != self.session && !MUTANT {",
    },
    Fault {
        name: "a gateway's connection is not over when another one begins",
        file: RINGED,
        find: "                if self.state == State::Open {
                    on(TcpEvent::Closed",
        replace: "                if self.state == State::Open && !MUTANT {
                    on(TcpEvent::Closed",
    },
    Fault {
        name: "what a ring has no room for is lost",
        file: RINGED,
        find: "if self.replies.put(0, &chunk).is_err() {",
        replace: "if self.replies.put(0, &chunk).is_err() && !MUTANT {",
    },
];
