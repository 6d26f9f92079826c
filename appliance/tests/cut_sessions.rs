//! A member's connection to the program is cut at every byte of what it carries, either way, and
//! the member comes back: its stream of replies is whole, and no order is executed twice.
//!
//! One venue sees a script again and again, each time with a cut at another place. Every seventh
//! place is tried; with `SIEGE_FULL` all are.

#![allow(clippy::unwrap_used)]

mod harness;

use harness::{Member, Site, Venue, counter, wait_until};
use session::soup_client::ClientState;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use wire::ouch::inbound::fields::{CancelOrder, EnterOrder, ReplaceOrder};
use wire::ouch::{Outbound, Tag};

/// Of the places so many are passed to the next one that is tried.
const STRIDE: usize = 7;

const UNCUT: [usize; 2] = [usize::MAX; 2];

/// References that a script uses.
const REFS: u32 = 8;

/// What a script trades, once.
const TRADED: u32 = 4;

const PRICE: u64 = 1_000_000;

fn enter(user_ref: u32, side: u8, symbol: &str, tags: &[Tag<'_>]) -> Vec<u8> {
    let order = EnterOrder {
        user_ref,
        side,
        quantity: if side == b'B' { TRADED } else { 10 },
        symbol: wire::padded(symbol),
        price: PRICE,
        time_in_force: b'0',
        display: b'Y',
        capacity: b'P',
        intermarket_sweep: b'N',
        cross_type: b'N',
        client_id: [b' '; 14],
    };
    let mut bytes = vec![0; 128];
    let length = order.encode_with(tags.iter().copied(), &mut bytes).unwrap();
    bytes[..length].to_vec()
}

fn cancel(user_ref: u32) -> Vec<u8> {
    let mut bytes = vec![0; 64];
    let order = CancelOrder {
        user_ref,
        quantity: 0,
    };
    let length = order.encode(&mut bytes).unwrap();
    bytes[..length].to_vec()
}

fn replace(old_user_ref: u32, user_ref: u32) -> Vec<u8> {
    let order = ReplaceOrder {
        old_user_ref,
        user_ref,
        quantity: 20,
        price: PRICE + 100,
        time_in_force: b'0',
        display: b'Y',
        intermarket_sweep: b'N',
        client_id: [b' '; 14],
    };
    let mut bytes = vec![0; 64];
    let length = order.encode(&mut bytes).unwrap();
    bytes[..length].to_vec()
}

/// Messages that all have an answer: an order that trades and rests, one with an element, a
/// replacement, a refusal, and cancels of something and of nothing. Nothing of them stays.
fn script(first: u32) -> Vec<Vec<u8>> {
    vec![
        enter(first, b'S', "AAPL", &[]),
        enter(first + 1, b'S', "MSFT", &[Tag::Firm(*b"ALPH")]),
        replace(first, first + 2),
        enter(first + 3, b'S', "NONE", &[]),
        cancel(first + 2),
        cancel(first + 7),
        cancel(first + 1),
    ]
}

/// Letter, reference within its script, and units or the code.
fn told(reply: &[u8], first: u32) -> (char, u32, u32) {
    let (user_ref, number) = match Outbound::parse(reply).unwrap() {
        Outbound::Accepted(it) => (it.user_ref(), it.quantity()),
        Outbound::Replaced(it) => (it.user_ref(), it.quantity()),
        Outbound::Executed(it) => (it.user_ref(), it.quantity()),
        Outbound::Canceled(it) => (it.user_ref(), it.quantity()),
        Outbound::Rejected(it) => (it.user_ref(), it.reason().into()),
        Outbound::CancelReject(it) => (it.user_ref(), 0),
        other => panic!("{other:?}"),
    };
    (char::from(reply[0]), user_ref - first, number)
}

/// Replies of a kind that a member has.
fn count(member: &Member, kind: u8) -> usize {
    let replies = member.replies.iter();
    replies.filter(|reply| reply[0] == kind).count()
}

/// The venue, the member whose connection is cut, and another one that trades with it.
struct Trial<'s> {
    site: &'s Site,
    to: SocketAddr,
    alpha: Member,
    bravo: Member,
    user_ref_next: u32,
}

impl<'s> Trial<'s> {
    fn new(site: &'s Site, venue: &Venue) -> Self {
        let to = venue.order_entry();
        let mut trial = Self {
            site,
            to,
            alpha: Member::login(to, "ALPHA"),
            bravo: Member::login(to, "BRAVO"),
            user_ref_next: 1,
        };
        trial.alpha.until_kinds("S");
        trial.bravo.until_kinds("S");
        trial
    }

    /// How many messages were answered since the reply number `from`. The venue takes messages in
    /// order: with nothing under way, it took as many as it answered.
    fn answered(&self, from: usize) -> usize {
        let replies = &self.alpha.replies[from..];
        replies.iter().filter(|reply| reply[0] != b'E').count()
    }

    /// Waits until the venue knows that the other member alone is connected.
    fn alone(&self) {
        wait_until("the end of a connection", || {
            counter(self.site, "gate.connections") == 1
        });
    }

    /// How many replies there are, when all that the venue took is answered: a command of the other
    /// member's stands behind that, and a login that asks for the last reply is told its number.
    fn replies(&mut self) -> usize {
        let answers = count(&self.bravo, b'I');
        self.bravo.cancel(u32::MAX);
        self.bravo
            .until("the answer", |bravo| count(bravo, b'I') > answers);
        let mut stream = TcpStream::connect(self.to).unwrap();
        let login = b"\0\x2fLALPHA alpha                                  0";
        stream.write_all(login).unwrap();
        let mut accepted = [0; 33];
        stream.read_exact(&mut accepted).unwrap();
        assert_eq!(accepted[2], b'A');
        drop(stream);
        self.alone();
        let number = std::str::from_utf8(&accepted[13..]).unwrap();
        number.trim().parse().unwrap()
    }

    /// Sends a script over a connection that breaks there; gives what it was told.
    fn run(&mut self, left: [usize; 2]) -> Vec<(char, u32, u32)> {
        let first = self.user_ref_next;
        self.user_ref_next += REFS;
        let (script, from) = (script(first), self.alpha.replies.len());
        let traded = count(&self.bravo, b'E');
        let bid = self.bravo.enter(b'B', TRADED, "AAPL", PRICE);
        self.bravo
            .until("the bid", |bravo| count(bravo, b'A') == bid as usize);
        self.alpha.redial(self.to, left);
        loop {
            let is_in = |alpha: &Member| alpha.soup.state() == ClientState::Live;
            self.alpha
                .until("the login", |alpha| alpha.is_closed || is_in(alpha));
            let answered = self.answered(from);
            for message in script
                .iter()
                .skip(answered)
                .filter(|_| !self.alpha.is_closed)
            {
                assert!(self.alpha.soup.send(message));
            }
            let is_done = |alpha: &Member| {
                let last = alpha.replies[from..].last();
                last.is_some_and(|reply| told(reply, first) == ('C', 1, 10))
            };
            self.alpha
                .until("the answers", |alpha| alpha.is_closed || is_done(alpha));
            if !self.alpha.is_closed {
                break;
            }
            self.alone();
            let replies = self.replies();
            self.alpha.redial(self.to, UNCUT);
            self.alpha
                .until("the replies", |alpha| alpha.replies.len() == replies);
            if is_done(&self.alpha) {
                break;
            }
        }
        self.bravo
            .until("its trade", |bravo| count(bravo, b'E') == traded + 1);
        let replies = self.alpha.replies[from..].iter();
        replies.map(|reply| told(reply, first)).collect()
    }
}

#[test]
fn no_cut_loses_or_repeats_a_reply_or_an_order() {
    let site = Site::new();
    let venue = site.start();
    let mut trial = Trial::new(&site, &venue);
    let expected = trial.run(UNCUT);
    let kinds: String = expected.iter().map(|(kind, ..)| *kind).collect();
    assert_eq!(kinds, "AEAUJCIC");
    let carried = trial.alpha.left.map(|left| usize::MAX - left);
    let is_full = std::env::var_os("SIEGE_FULL").is_some();
    let stride = if is_full { 1 } else { STRIDE };
    let mut trials = 1;
    for way in [0, 1] {
        for place in (0..=carried[way]).step_by(stride) {
            let mut left = UNCUT;
            left[way] = place;
            assert_eq!(
                trial.run(left),
                expected,
                "cut at {place} of {carried:?}, way {way}"
            );
            trials += 1;
        }
    }
    assert_eq!(count(&trial.bravo, b'E'), trials, "each script trades once");
    let mut whole = Member::login(venue.order_entry(), "ALPHA");
    let replies = trial.alpha.replies.len();
    whole.until("the day's replies", |whole| whole.replies.len() >= replies);
    assert!(whole.replies == trial.alpha.replies, "byte for byte");
    assert_eq!(venue.stop()["live_orders"], "0");
    println!("{trials} scripts, cut at {stride} bytes' distance of {carried:?}");
}
