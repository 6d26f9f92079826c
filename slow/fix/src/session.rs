//! The FIX session of one member who is logged on: numbers, gaps, heartbeats, sending again.
//!
//! Behaviour is that of FIX 4.4's session layer as its acceptance cases have it. Time is an
//! argument: nanoseconds since 1970.

use crate::message::{Body, Fault, Header, Message, write};
use crate::moment;
use crate::numbers::{Numbers, Sent};
use crate::orders::Report;

const SECOND_NS: u64 = 1_000_000_000;

/// The most that a member's clock may differ from ours.
const CLOCK_NS_MAX: u64 = 120 * SECOND_NS;

/// Who talks to whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// Our CompID.
    pub us: String,
    /// The member's CompID.
    pub them: String,
}

/// What is to be done about a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing more.
    Done,
    /// It is of the application and in order.
    Application,
    /// The connection is to be closed when everything was sent.
    Close,
}

/// A session under way.
#[derive(Debug)]
pub struct Session {
    names: Names,
    /// The numbers, and the file they are in.
    pub numbers: Numbers,
    heartbeat_ns: u64,
    received_ns: u64,
    sent_ns: u64,
    /// A test request that was not answered.
    is_tested: bool,
    /// A gap was asked for, and messages up to this number came behind it.
    gap_to: u64,
    /// Numbers that the member wants again, first and last.
    again: Vec<(u64, u64)>,
    out: Vec<u8>,
}

impl Session {
    /// Answers a logon that was found good. `message` is that logon.
    #[must_use]
    pub fn accept(names: Names, mut numbers: Numbers, message: &Message, now_ns: u64) -> Self {
        let heartbeat = message.number(108).ok().flatten().unwrap_or(30);
        let is_reset = message.get(141) == Some(b"Y");
        if is_reset {
            numbers.reset();
        }
        let mut session = Self {
            names,
            numbers,
            heartbeat_ns: heartbeat.saturating_mul(SECOND_NS),
            received_ns: now_ns,
            sent_ns: now_ns,
            is_tested: false,
            gap_to: 0,
            again: Vec::new(),
            out: Vec::new(),
        };
        let answer = Body::default().with(98, 0).with(108, heartbeat);
        let answer = answer.with_some(141, is_reset.then_some('Y'));
        session.administrative("A", &answer, now_ns);
        session
    }

    /// The session's side of the logon's own number. Call it once, behind [`Session::accept`].
    pub fn logged_on(&mut self, message: &Message, now_ns: u64) -> Step {
        let number = message.number(34).ok().flatten().unwrap_or(0);
        let expected = self.numbers.next_in();
        if number == expected {
            self.numbers.expect(expected + 1);
            return Step::Done;
        }
        if number > expected {
            self.ask_gap(number, now_ns);
            return Step::Done;
        }
        self.too_low(number, now_ns)
    }

    /// Takes a message.
    pub fn message(&mut self, message: &Message, now_ns: u64) -> Step {
        self.received_ns = now_ns;
        self.is_tested = false;
        if let Some(step) = self.header(message, now_ns) {
            return step;
        }
        let Ok(Some(number)) = message.number(34) else {
            return self.goodbye("MsgSeqNum (34) is missing", now_ns);
        };
        let is_reset = message.kind() == "4" && message.get(123) != Some(b"Y");
        if is_reset {
            return self.sequence_reset(message, number, now_ns);
        }
        let expected = self.numbers.next_in();
        if number > expected {
            return self.ahead(message, number, now_ns);
        }
        if number < expected {
            return self.behind(message, number, now_ns);
        }
        self.numbers.expect(expected + 1);
        if let Some(fault) = message.fault() {
            self.reject(message, fault, now_ns);
            return Step::Done;
        }
        self.in_order(message, number, now_ns)
    }

    /// What in the header ends the session or takes no number; `None` if all is well.
    fn header(&mut self, message: &Message, now_ns: u64) -> Option<Step> {
        if message.begin_string() != crate::message::BEGIN_STRING {
            return Some(self.goodbye("BeginString (8) is not FIX.4.4", now_ns));
        }
        if message.kind().is_empty() {
            return Some(Step::Done);
        }
        let names = (message.text(49), message.text(56));
        if names != (Some(&self.names.them), Some(&self.names.us)) {
            let fault = Fault {
                reason: 9,
                tag: None,
                text: "CompID problem".into(),
            };
            self.reject(message, &fault, now_ns);
            return Some(self.goodbye("SenderCompID (49) or TargetCompID (56) is wrong", now_ns));
        }
        let time_ns = message.text(52).and_then(moment::read);
        let first_ns = message.text(122).and_then(moment::read);
        let is_late = time_ns.is_some_and(|time| time.abs_diff(now_ns) > CLOCK_NS_MAX);
        let is_backward = first_ns.is_some_and(|first| time_ns.is_some_and(|time| first > time));
        if time_ns.is_none() || is_late || is_backward {
            let fault = Fault {
                reason: if time_ns.is_none() { 1 } else { 10 },
                tag: Some(52),
                text: "SendingTime accuracy problem".into(),
            };
            self.reject(message, &fault, now_ns);
            return Some(self.goodbye("SendingTime (52) is missing or wrong", now_ns));
        }
        None
    }

    /// A message beyond the next one: what is between is asked for, once.
    fn ahead(&mut self, message: &Message, number: u64, now_ns: u64) -> Step {
        match message.kind() {
            "5" => {
                self.administrative("5", &Body::default(), now_ns);
                return Step::Close;
            }
            "2" => self.send_again(message, now_ns),
            _ => {}
        }
        self.ask_gap(number, now_ns);
        Step::Done
    }

    fn ask_gap(&mut self, number: u64, now_ns: u64) {
        let expected = self.numbers.next_in();
        if self.gap_to < expected {
            let body = Body::default().with(7, expected).with(16, 0);
            self.administrative("2", &body, now_ns);
        }
        self.gap_to = self.gap_to.max(number);
    }

    /// A message whose number was used before.
    fn behind(&mut self, message: &Message, number: u64, now_ns: u64) -> Step {
        if message.get(43) != Some(b"Y") {
            return self.too_low(number, now_ns);
        }
        if message.get(122).is_none() {
            self.reject(message, &Fault::missing(122), now_ns);
        }
        Step::Done
    }

    fn too_low(&mut self, number: u64, now_ns: u64) -> Step {
        let expected = self.numbers.next_in();
        let text = format!("MsgSeqNum too low, expecting {expected} but received {number}");
        self.goodbye(&text, now_ns)
    }

    fn in_order(&mut self, message: &Message, number: u64, now_ns: u64) -> Step {
        match message.kind() {
            "0" => {}
            "1" => match message.required(112) {
                Ok(id) => self.administrative("0", &Body::default().with(112, id), now_ns),
                Err(fault) => self.reject(message, &fault, now_ns),
            },
            "2" => self.send_again(message, now_ns),
            "3" => {}
            "4" => return self.sequence_reset(message, number, now_ns),
            "5" => {
                self.administrative("5", &Body::default(), now_ns);
                return Step::Close;
            }
            "A" => return self.goodbye("logged on already", now_ns),
            _ => return Step::Application,
        }
        Step::Done
    }

    /// Moves the next number in: by a gap fill, which stands in its place, or by a reset, which
    /// need not.
    fn sequence_reset(&mut self, message: &Message, number: u64, now_ns: u64) -> Step {
        let is_fill = message.get(123) == Some(b"Y");
        let least = if is_fill {
            number + 1
        } else {
            self.numbers.next_in()
        };
        match message.number(36) {
            Ok(Some(next)) if next >= least => self.numbers.expect(next),
            Ok(Some(next)) => {
                let fault = Fault::value(36, format!("{next} lies behind {least}"));
                self.reject(message, &fault, now_ns);
            }
            Ok(None) => self.reject(message, &Fault::missing(36), now_ns),
            Err(fault) => self.reject(message, &fault, now_ns),
        }
        Step::Done
    }

    fn send_again(&mut self, message: &Message, now_ns: u64) {
        let range = message.number(7).and_then(|from| {
            let from = from.filter(|from| *from > 0);
            let from = from.ok_or_else(|| Fault::missing(7))?;
            let to = message.number(16)?.ok_or_else(|| Fault::missing(16))?;
            Ok((from, to))
        });
        match range {
            Err(fault) => self.reject(message, &fault, now_ns),
            Ok((from, to)) => {
                let last = self.numbers.next_out() - 1;
                let to = if to == 0 { last } else { to.min(last) };
                self.again.push((from, to));
            }
        }
    }

    /// Sends messages again; `report` gives the MsgType and fields of a reply's report.
    pub fn resend(&mut self, now_ns: u64, report: &dyn Fn(u64) -> Option<(String, Body)>) {
        for (from, to) in std::mem::take(&mut self.again) {
            let mut gap_from = None;
            for number in from..=to {
                let Some((time_ns, sent)) = self.numbers.sent(number) else {
                    break;
                };
                let found = match sent {
                    Sent::Administrative => None,
                    Sent::Own(kind, body) | Sent::Kept(_, kind, body) => {
                        Some((kind.clone(), body.clone()))
                    }
                    Sent::Report(reply) => report(*reply),
                };
                let first = moment::text(*time_ns);
                let Some((kind, body)) = found else {
                    gap_from.get_or_insert(number);
                    continue;
                };
                if let Some(gap) = gap_from.take() {
                    self.fill(gap, number, now_ns);
                }
                self.write(&kind, &body, (number, Some(&first)), now_ns);
            }
            if let Some(gap) = gap_from {
                self.fill(gap, to + 1, now_ns);
            }
        }
    }

    fn fill(&mut self, from: u64, next: u64, now_ns: u64) {
        let body = Body::default().with(123, 'Y').with(36, next);
        let time = moment::text(now_ns);
        self.write("4", &body, (from, Some(&time)), now_ns);
    }

    /// Refuses a message on the session level.
    pub fn reject(&mut self, message: &Message, fault: &Fault, now_ns: u64) {
        let body = Body::default()
            .with(45, message.text(34).unwrap_or("0"))
            .with_some(371, fault.tag)
            .with(372, message.kind())
            .with(373, fault.reason)
            .with(58, &fault.text);
        self.administrative("3", &body, now_ns);
    }

    /// Sends the report of a reply.
    pub fn report(&mut self, reply: u64, report: &Report, now_ns: u64) {
        let (kind, body) = (report.kind, &report.body);
        let sent = if report.is_kept {
            Sent::Kept(reply, kind.to_owned(), body.clone())
        } else {
            Sent::Report(reply)
        };
        let number = self.numbers.send(now_ns, sent);
        self.write(kind, body, (number, None), now_ns);
    }

    /// Sends a message of the gateway's own that belongs to the application.
    pub fn own(&mut self, kind: &str, body: &Body, now_ns: u64) {
        let sent = Sent::Own(kind.to_owned(), body.clone());
        let number = self.numbers.send(now_ns, sent);
        self.write(kind, body, (number, None), now_ns);
    }

    fn administrative(&mut self, kind: &str, body: &Body, now_ns: u64) {
        let number = self.numbers.send(now_ns, Sent::Administrative);
        self.write(kind, body, (number, None), now_ns);
    }

    fn write(&mut self, kind: &str, body: &Body, place: (u64, Option<&str>), now_ns: u64) {
        let header = Header {
            kind,
            sender: &self.names.us,
            target: &self.names.them,
            number: place.0,
            time: &moment::text(now_ns),
            time_first: place.1,
        };
        write(&header, body, &mut self.out);
        self.sent_ns = now_ns;
    }

    /// Says why the session ends.
    pub fn goodbye(&mut self, text: &str, now_ns: u64) -> Step {
        self.administrative("5", &Body::default().with(58, text), now_ns);
        Step::Close
    }

    /// Heartbeats, and finding out that the member is silent.
    pub fn poll(&mut self, now_ns: u64) -> Step {
        if self.heartbeat_ns == 0 {
            return Step::Done;
        }
        let silence_ns = now_ns.saturating_sub(self.received_ns);
        if silence_ns >= self.heartbeat_ns * 12 / 5 {
            return self.goodbye("nothing was heard for too long", now_ns);
        }
        if silence_ns >= self.heartbeat_ns * 6 / 5 && !self.is_tested {
            self.is_tested = true;
            let id = moment::text(now_ns);
            self.administrative("1", &Body::default().with(112, id), now_ns);
        }
        if now_ns.saturating_sub(self.sent_ns) >= self.heartbeat_ns {
            self.administrative("0", &Body::default(), now_ns);
        }
        Step::Done
    }

    /// What is to be sent. Flush the numbers first.
    pub fn take_out(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out)
    }
}
