//! What was told before a start is told again, byte for byte: from the streams where these hold it,
//! and otherwise made again.
#![allow(clippy::unwrap_used)]

mod shadowed;

use appliance::tiles::Tile as _;
use appliance::topology::{Secret, Topology};
use appliance::venue::{Recovery, Venue, assemble, counters_anonymous, engine_limits};
use journal::simulated::{Disk, DiskStorage};
use journal::stream::{Name, PAGE_BYTES};
use journal::{Files as _, snapshot};
use matching::Line;
use nic::mirror::{MirrorTcp, MirrorUdp};
use nic::{TcpEvent, TcpPort as _, UdpPort as _};
use queue::CounterSet;
use shadowed::{INPUTS, SESSION, Wires, journaled, journaled_to, live, messages, parts, topology};
use wire::mold::{HEADER_BYTES, Request};

/// Turns without anything to do, after which nothing more comes.
const IDLE_TURNS: u32 = 5;

type Told = Vec<(Name, Vec<Vec<u8>>)>;

/// A venue that started, and the other ends of its wires.
struct Started<'m> {
    venue: Venue<'m, MirrorTcp, MirrorUdp, DiskStorage>,
    recovery: Recovery,
    wires: Wires,
    now_ns: u64,
    _set: CounterSet,
}

fn started<'m>(topology: &Topology, disk: &Disk, lines: &'m mut Vec<Line>) -> Started<'m> {
    lines.resize(engine_limits(topology).lines(), Line::ZERO);
    let (parts, wires) = parts(disk, true);
    let mut set = counters_anonymous().unwrap();
    let (venue, recovery) = assemble(topology, parts, lines, &mut set).unwrap();
    Started {
        venue,
        recovery,
        wires,
        now_ns: 1,
        _set: set,
    }
}

impl Started<'_> {
    fn turn(&mut self) {
        self.now_ns += 1_000_000;
        self.venue.gate.poll(self.now_ns);
        self.venue.publish.poll(self.now_ns);
        let recaller = self.venue.recaller.as_mut().unwrap();
        recaller.poll(self.now_ns);
    }

    /// Logs in and reads until nothing more comes; gives the numbered messages.
    fn replies(&mut self, user: &str, password: &str, sequence: u64) -> Vec<Vec<u8>> {
        let conn = self
            .wires
            .client
            .connect("127.0.0.1:1".parse().unwrap())
            .unwrap();
        let text = format!("L{user:<6}{password:<10}{:<10}{sequence:>20}", "");
        let mut login = (text.len() as u16).to_be_bytes().to_vec();
        login.extend(text.bytes());
        self.wires.client.poll(&mut |_| ());
        assert_eq!(self.wires.client.send(conn, &login), login.len());
        let (mut bytes, mut idle) = (Vec::new(), 0);
        while idle < IDLE_TURNS {
            self.turn();
            let before = bytes.len();
            self.wires.client.poll(&mut |event| {
                if let TcpEvent::Data {
                    conn: of,
                    bytes: came,
                } = event
                    && of == conn
                {
                    bytes.extend_from_slice(came);
                }
            });
            idle = if bytes.len() > before { 0 } else { idle + 1 };
        }
        let (mut rest, mut all) = (bytes.as_slice(), Vec::new());
        while let Some((length, after)) = rest.split_first_chunk() {
            let (packet, after) = after.split_at(u16::from_be_bytes(*length).into());
            if packet[0] == b'S' {
                all.push(packet[1..].to_vec());
            }
            rest = after;
        }
        all
    }

    /// Asks for messages of a feed, and gives those that the answer holds.
    fn requested(&mut self, session: [u8; 10], sequence: u64) -> Vec<Vec<u8>> {
        let mut request = [0; HEADER_BYTES];
        let asked = Request {
            session,
            sequence,
            count: 1_000,
        };
        asked.encode(&mut request).unwrap();
        let to = self.wires.asker.local_addr();
        self.wires.asker.send(to, &request).unwrap();
        let (mut answer, mut turns) = (Vec::new(), 0);
        while answer.is_empty() && turns < IDLE_TURNS {
            self.turn();
            self.wires
                .asker
                .poll(&mut |_, packet| answer = packet.to_vec());
            turns += 1;
        }
        let header = Request::parse(&answer[..HEADER_BYTES]).unwrap();
        assert_eq!((header.session, header.sequence), (session, sequence));
        let (mut rest, mut all) = (&answer[HEADER_BYTES..], Vec::new());
        while let Some((length, after)) = rest.split_first_chunk() {
            let (message, after) = after.split_at(u16::from_be_bytes(*length).into());
            all.push(message.to_vec());
            rest = after;
        }
        assert_eq!(usize::from(header.count), all.len());
        all
    }
}

/// Whether everybody is told the same as by the streams of a shadow that saw the whole day.
fn all_is_told_again(topology: &Topology, disk: &Disk, said: &Told) -> Recovery {
    let mut lines = Vec::new();
    let mut started = started(topology, disk, &mut lines);
    let due = |name: Name| &said.iter().find(|(it, _)| *it == name).unwrap().1;
    for (user, number) in topology.users.iter().zip(1..) {
        let kind = journal::stream::Kind::Replies;
        let due = due(Name { kind, number });
        let Secret::Plain(password) = &user.secret else {
            panic!("the topology has plain passwords");
        };
        for from in [1, 2, due.len() / 2 + 1, due.len(), due.len() + 1] {
            let told = started.replies(&user.name, password, from as u64);
            assert!(told == due[from - 1..], "{} from {from}", user.name);
        }
    }
    let mut depth = SESSION;
    depth[0] = b'D';
    for (name, session) in [(Name::FEED, SESSION), (Name::DEPTH, depth)] {
        let due = due(name);
        let step = (due.len() / 400).max(1);
        for from in (1..=due.len()).step_by(step).chain([due.len()]) {
            let told = started.requested(session, from as u64);
            assert!(!told.is_empty(), "{} from {from}", name.file());
            assert!(
                due[from - 1..].starts_with(&told),
                "{} from {from}",
                name.file()
            );
        }
    }
    started.recovery.clone()
}

#[test]
fn what_was_told_is_told_again_whatever_the_streams_hold() {
    let topology = topology();
    let whole = journaled(&topology, 21);
    let bare = whole.fork(1);
    live(&topology, &whole, INPUTS as u64);
    let said = messages(&topology, whole.files());
    let found = all_is_told_again(&topology, &whole.fork(2), &said);
    assert!(found.refused.is_empty() && found.inputs_skipped >= 5_000);
    // Streams that end long before the journal does, a few messages behind a snapshot.
    let behind = bare.fork(3);
    live(&topology, &behind, 3_333);
    let found = all_is_told_again(&topology, &behind, &said);
    assert!(found.inputs_skipped >= 3_000 && found.inputs_skipped < 4_000);
    // The shadow goes on where the start ended the streams.
    live(&topology, &behind, INPUTS as u64);
    assert!(messages(&topology, behind.files()) == said);
    // Torn behind the snapshot: one stream's last page, and another's altogether.
    let torn = bare.fork(4);
    live(&topology, &torn, 3_333);
    let (files, feed) = (torn.files(), Name::FEED.file());
    let mut bytes = files.bytes(&feed).unwrap();
    let last = bytes.len() - PAGE_BYTES;
    bytes[last + 40] ^= 1;
    files.set_bytes(&feed, bytes);
    all_is_told_again(&topology, &torn, &said);
    // Nothing but the journal.
    let found = all_is_told_again(&topology, &bare, &said);
    assert_eq!(found.inputs_skipped, 0);
    live(&topology, &bare, INPUTS as u64);
    assert!(messages(&topology, bare.files()) == said);
}

#[test]
fn streams_that_are_ahead_of_the_journal_are_made_again() {
    let topology = topology();
    let long = journaled(&topology, 22);
    live(&topology, &long, 3_000);
    live(&topology, &long, INPUTS as u64);
    // The streams of the longer day beside a journal that ends earlier, behind its snapshot.
    let short = journaled_to(&topology, 22, 4_000);
    let alone = short.fork(1);
    live(&topology, &alone, 4_000);
    let said = messages(&topology, alone.files());
    let newest = snapshot::list(&mut long.files()).unwrap()[0];
    for name in long.files().names().unwrap() {
        if name != snapshot::file_name(newest) {
            let bytes = long.files().bytes(&name).unwrap();
            short.files().set_bytes(&name, bytes);
        }
    }
    let found = all_is_told_again(&topology, &short, &said);
    assert_eq!((found.inputs, found.inputs_skipped), (4_000, 3_000));
    assert_eq!(found.refused.len(), 1);
    assert!(
        found.refused[0].contains("made again"),
        "{}",
        found.refused[0]
    );
}
