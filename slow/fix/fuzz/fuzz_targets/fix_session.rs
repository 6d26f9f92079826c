//! A member's session: any bytes in any pieces, messages that are nearly right among them, at any
//! time, before a venue that answers whatever it likes, through cuts and restarts of the gateway.
//!
//! What the gateway sends are whole messages, whose numbers go up one by one: a number that was
//! sent stands for the same message for ever.
#![no_main]

use fix::member::Member;
use fix::message::{Body, Header, Message, Split, split, write};
use fix::moment;
use fix::numbers::Numbers;
use fix::session::{Names, Session, Step};
use libfuzzer_sys::fuzz_target;
use session::ouch_client::OuchClient;
use session::soup_client::SoupConfig;
use session_fuzz::{START_NS, Script};
use std::path::PathBuf;
use wire::ouch::Outbound;
use wire::ouch::outbound::fields::Accepted;

const DAY: &str = "2026112201";

/// Bytes of the buffer towards the venue: full after some orders.
const VENUE_BYTES: usize = 4_096;

/// Fields of orders, cancels and what else a member sends, with the message's type before them.
const FORMS: [&str; 8] = [
    "D|11=a|55=AAPL|54=1|38=100|40=2|44=10.5|59=0|60=20231114-22:13:20|1=1",
    "D|11=b|55=MSFT|54=2|38=7|40=1|59=3|60=20231114-22:13:20",
    "F|11=c|41=a|54=1|55=AAPL|60=20231114-22:13:20",
    "G|11=d|41=a|54=1|55=AAPL|38=50|40=2|44=11|60=20231114-22:13:20",
    "H|11=a|54=1|55=AAPL",
    "q|11=e|530=7|60=20231114-22:13:20",
    "1|112=hello",
    "0",
];

/// The numbers' file of this process.
fn path() -> PathBuf {
    let folder = PathBuf::from("/dev/shm");
    let folder = if folder.is_dir() {
        folder
    } else {
        std::env::temp_dir()
    };
    folder.join(format!("fix-session-fuzz-{}", std::process::id()))
}

struct World {
    session: Session,
    member: Member,
    client: OuchClient,
    inbound: Vec<u8>,
    now_ns: u64,
    is_open: bool,
    /// The number that the gateway's next new message must have.
    next_out: u64,
    /// The venue's replies, from 1 on.
    replies: Vec<Vec<u8>>,
}

fn frame(kind: &str, number: u64, fields: &str, now_ns: u64) -> Vec<u8> {
    let header = Header {
        kind,
        sender: "ALPHA",
        target: "VENUE",
        number,
        time: &moment::text(now_ns),
        time_first: None,
    };
    let mut out = Vec::new();
    write(&header, &Body::from_sent(fields), &mut out);
    out
}

/// Fields apart by bars as they go out.
fn fields(text: &str) -> String {
    let ends = if text.is_empty() { "" } else { "\x01" };
    text.replace('|', "\x01") + ends
}

/// A logon, to a gateway that knows the member or does not.
fn log_on(
    script: &mut Script<'_>,
    now_ns: u64,
    next_in: u64,
    is_known: bool,
) -> (Session, Option<Member>) {
    let mut numbers = Numbers::open(&path()).expect("a file that we wrote");
    let member = (!is_known).then(|| Member::new(DAY, &mut numbers, now_ns));
    let reset = if script.byte() < 20 { "|141=Y" } else { "" };
    let text = format!("98=0|108={}{reset}", script.byte());
    let number = if script.byte() < 200 {
        next_in
    } else {
        script.number::<2>()
    };
    let logon = Message::read(frame("A", number, &fields(&text), now_ns));
    let names = Names {
        us: "VENUE".to_owned(),
        them: "ALPHA".to_owned(),
    };
    let mut session = Session::accept(names, numbers, &logon, now_ns);
    // What it says ends the connection, which is looked at with the next message.
    let _ = session.logged_on(&logon, now_ns);
    (session, member)
}

impl World {
    fn new(script: &mut Script<'_>) -> Self {
        // There is none, unless a run before this one was ended.
        let _ = std::fs::remove_file(path());
        let (session, member) = log_on(script, START_NS, 1, false);
        Self {
            session,
            member: member.expect("a new one"),
            client: client(),
            inbound: Vec::new(),
            now_ns: START_NS,
            is_open: true,
            next_out: 1,
            replies: Vec::new(),
        }
    }

    fn settle(&mut self) {
        let settled = self.member.settle(&mut self.session, self.now_ns);
        let mut out = &settled.expect("room on the disk")[..];
        while !out.is_empty() {
            let Split::Message(bytes) = split(out) else {
                panic!("no message: {:?}", String::from_utf8_lossy(out));
            };
            let message = Message::read(out[..bytes].to_vec());
            let number = message.number(34).expect("a number").expect("there is one");
            if message.get(141) == Some(b"Y") {
                self.next_out = 1;
            }
            if message.get(43) != Some(b"Y") {
                assert_eq!(number, self.next_out, "{message:?}");
                self.next_out += 1;
            }
            assert!(
                number < self.next_out,
                "sent again before it was sent: {message:?}"
            );
            out = &out[bytes..];
        }
    }

    fn take_messages(&mut self) {
        while self.is_open {
            let bytes = match split(&self.inbound) {
                Split::Incomplete => return,
                Split::Garbled(bytes) => {
                    assert!(bytes > 0);
                    self.inbound.drain(..bytes);
                    continue;
                }
                Split::Message(bytes) => bytes,
            };
            let message = Message::read(self.inbound.drain(..bytes).collect());
            let now_ns = self.now_ns;
            match self.session.message(&message, now_ns) {
                Step::Application => {
                    let (session, client) = (&mut self.session, &mut self.client);
                    self.member.asked(&message, session, client, now_ns);
                }
                Step::Close => self.is_open = false,
                Step::Done => {}
            }
        }
    }

    /// A message in order, or nearly.
    fn form(&mut self, script: &mut Script<'_>) {
        let next = self.session.numbers.next_in();
        let number = match script.byte() {
            0..200 => next,
            200..230 => next + u64::from(script.byte() % 4),
            _ => next.saturating_sub(u64::from(script.byte() % 4)),
        };
        let frame = match script.byte() % 12 {
            form @ 0..8 => {
                let (kind, rest) = FORMS[usize::from(form)]
                    .split_once('|')
                    .unwrap_or(("0", ""));
                let mut text = fields(rest);
                if script.byte() < 60 {
                    text += &String::from_utf8_lossy(script.bytes());
                    text += "\x01";
                }
                frame(kind, number, &text, self.now_ns)
            }
            8 => {
                let range = format!("7={}|16={}", script.byte() % 20, script.byte() % 20);
                frame("2", number, &fields(&range), self.now_ns)
            }
            9 => {
                let gap = ["123=N|36=", "123=Y|36="][script.below(2)];
                let text = format!("{gap}{}", next.saturating_add(script.number::<1>()));
                frame("4", number, &fields(&text), self.now_ns)
            }
            10 => frame("5", number, "", self.now_ns),
            _ => {
                let text = String::from_utf8_lossy(script.bytes()).replace('|', "\x01");
                frame("D", number, &(text + "\x01"), self.now_ns)
            }
        };
        self.inbound.extend_from_slice(&frame);
    }

    fn replied(&mut self, script: &mut Script<'_>) {
        let mut bytes = script.bytes().to_vec();
        if script.is() {
            let accepted = Accepted {
                timestamp: 1,
                user_ref: u32::from(script.byte() % 8),
                side: [b'B', b'S'][script.below(2)],
                quantity: u32::from(script.byte()),
                symbol: *b"AAPL    ",
                price: 100_000,
                time_in_force: b'0',
                display: b'Y',
                order_ref: 9,
                capacity: b'P',
                intermarket_sweep: b'N',
                cross_type: b'N',
                state: [b'L', b'D'][script.below(2)],
                client_id: *b"a             ",
            };
            bytes = vec![0; 128];
            let length = accepted.encode(&mut bytes).expect("room");
            bytes.truncate(length);
        }
        if Outbound::parse(&bytes).is_ok() {
            self.replies.push(bytes);
        }
        self.hear();
    }

    /// The member hears what replies it did not hear yet.
    fn hear(&mut self) {
        for (number, bytes) in (1..).zip(&self.replies) {
            let told = Outbound::parse(bytes).expect("it was one");
            self.member
                .replied(number, &told, &mut self.session, self.now_ns);
        }
    }

    /// The connection ends and the member comes back, perhaps to another gateway process.
    fn again(&mut self, script: &mut Script<'_>) {
        self.settle();
        self.member.disconnected();
        let next_in = self.session.numbers.next_in();
        let is_known = script.is();
        let (session, member) = log_on(script, self.now_ns, next_in, is_known);
        self.session = session;
        if let Some(member) = member {
            self.member = member;
        }
        self.client = client();
        self.inbound.clear();
        self.is_open = true;
        self.hear();
    }

    fn act(&mut self, script: &mut Script<'_>) {
        match script.byte() % 10 {
            0 => self.now_ns += script.stretch_ns(),
            1 => self.inbound.extend_from_slice(script.bytes()),
            2 | 3 => self.replied(script),
            4 => self.is_open &= self.session.poll(self.now_ns) == Step::Done,
            5 => self.settle(),
            6 => self.again(script),
            _ => self.form(script),
        }
        self.take_messages();
    }
}

fn client() -> OuchClient {
    let mut config = SoupConfig::new("ALPHA", "secret");
    config.outbound_bytes = VENUE_BYTES;
    let mut client = OuchClient::new(config);
    client.soup().connected(START_NS);
    let accepted = format!("\0\x1fA{DAY:>10}{:>20}", 1);
    client.received(accepted.as_bytes(), START_NS, &mut |_| {});
    client
}

fuzz_target!(|bytes: &[u8]| {
    let mut script = Script::new(bytes);
    let mut world = World::new(&mut script);
    while !script.is_over() {
        world.act(&mut script);
    }
    world.settle();
    // The next run has none, or says why.
    let _ = std::fs::remove_file(path());
});
