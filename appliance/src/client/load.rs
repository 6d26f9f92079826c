//! An open-loop load: generated orders go out when they are due, whatever the venue does.

use std::collections::BTreeMap;

use flow::{Generator, Item};
use nic::TcpPort;
use session::order_entry::reject_reason;
use session::ouch_client::{Order, Replacement, Reply};
use wire::ouch::Outbound;
use wire::ring::{Command, CommandKind, PRICE_MARKET, Side, TimeInForce};

use super::members::{MemberError, Members};
use super::report::{Latencies, Report, Second};
use super::scenario::{Scenario, Schedule};
use super::tracker::{Outcome, Sent, Tracker};

/// Commands handed to the sessions in one turn at most, so that replies are read in between.
const BATCH_MAX: usize = 64;

/// Where a load stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Some member is not logged in yet.
    LoggingIn,
    /// Commands are going out.
    Sending,
    /// Everything was sent; answers are missing.
    Waiting,
    /// Everything was sent and answered.
    Done,
}

/// An order that the venue took, for those who follow it onto the feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The venue's number of the order.
    pub order_ref: u64,
    /// When it was due.
    pub due_ns: u64,
}

/// One run of a scenario against a venue.
pub struct Load<'s, T> {
    members: Members<T>,
    trackers: Vec<Tracker>,
    generator: Generator,
    symbols: Vec<[u8; 8]>,
    schedule: std::iter::Peekable<Schedule<'s>>,
    /// For each member: whether it knows the number of its next order.
    numbered: Vec<bool>,
    queried: bool,
    /// A command that its session had no room for.
    held: Option<(u64, Command)>,
    start_ns: u64,
    is_busy: bool,
    figures: Figures,
    seconds: f64,
}

#[derive(Default)]
struct Figures {
    sent: u64,
    answered: u64,
    accepted: u64,
    /// By reject code.
    rejected: BTreeMap<u16, u64>,
    executions: u64,
    due_to_reply: Latencies,
    sent_to_reply: Latencies,
    taken: Option<Vec<Taken>>,
    second: Latencies,
    second_due: u64,
    timeline: Vec<Second>,
}

impl<'s, T: TcpPort> Load<'s, T> {
    /// A load that has not begun. The generator's sessions are the members in their order, its
    /// symbol numbers the names in theirs.
    #[must_use]
    pub fn new(
        members: Members<T>,
        generator: Generator,
        symbols: &[String],
        scenario: &'s Scenario,
    ) -> Self {
        let trackers = vec![Tracker::new(1); members.len()];
        Self {
            numbered: vec![false; members.len()],
            queried: false,
            members,
            trackers,
            generator,
            symbols: symbols.iter().map(|name| wire::padded(name)).collect(),
            schedule: scenario.schedule().peekable(),
            held: None,
            start_ns: 0,
            is_busy: false,
            figures: Figures::default(),
            seconds: scenario.seconds(),
        }
    }

    /// Keeps the orders that the venue takes, for [`Load::take_taken`].
    pub fn watch_taken(&mut self) {
        self.figures.taken = Some(Vec::new());
    }

    /// The orders that were taken since the last call.
    pub fn take_taken(&mut self) -> Vec<Taken> {
        self.figures
            .taken
            .as_mut()
            .map(std::mem::take)
            .unwrap_or_default()
    }

    /// The members, to go on with after the run.
    pub fn members(&mut self) -> &mut Members<T> {
        &mut self.members
    }

    /// One turn: reads replies, sends what is due.
    ///
    /// # Errors
    /// A member that cannot go on.
    pub fn poll(&mut self, now_ns: u64) -> Result<Phase, MemberError> {
        self.is_busy = self.read(now_ns)? > 0;
        if self.start_ns == 0 && !self.begin(now_ns) {
            return Ok(Phase::LoggingIn);
        }
        self.turn_second(now_ns);
        if self.send(now_ns) {
            self.is_busy = true;
            self.members.transmit(now_ns);
        }
        if self.held.is_some() || self.schedule.peek().is_some() {
            return Ok(Phase::Sending);
        }
        Ok(if self.unanswered() > 0 {
            Phase::Waiting
        } else {
            Phase::Done
        })
    }

    /// Whether the last turn moved anything.
    #[must_use]
    pub fn was_busy(&self) -> bool {
        self.is_busy
    }

    /// Whether a command is due that its session does not take.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.held.is_some()
    }

    /// Commands that were sent and have no answer.
    #[must_use]
    pub fn unanswered(&self) -> u64 {
        self.trackers.iter().map(Tracker::pending).sum()
    }

    /// The figures so far.
    #[must_use]
    pub fn report(&self) -> Report {
        let figures = &self.figures;
        Report {
            seconds: self.seconds,
            sent: figures.sent,
            answered: figures.answered,
            accepted: figures.accepted,
            rejected: figures.rejected.values().sum(),
            reject_reasons: reasons(&figures.rejected),
            executions: figures.executions,
            unanswered: self.unanswered(),
            due_to_reply: figures.due_to_reply.row(),
            sent_to_reply: figures.sent_to_reply.row(),
            timeline: figures.timeline_so_far(),
            broken: Vec::new(),
        }
    }

    /// Begins when every member is logged in and knows the number of its next order: a session
    /// that was used before today goes on where it stopped.
    fn begin(&mut self, now_ns: u64) -> bool {
        if !self.queried && self.members.all_live() {
            self.queried = (0..self.members.len()).all(|index| self.members.member(index).query());
        }
        if !self.numbered.iter().all(|&numbered| numbered) {
            return false;
        }
        self.start_ns = now_ns;
        for (index, tracker) in self.trackers.iter_mut().enumerate() {
            *tracker = Tracker::new(self.members.member(index).user_ref_next());
        }
        true
    }

    fn read(&mut self, now_ns: u64) -> Result<usize, MemberError> {
        let Self {
            members,
            trackers,
            generator,
            figures,
            numbered,
            ..
        } = self;
        members.poll(now_ns, &mut |index, reply| {
            let Reply::Message(_, message) = reply else {
                return;
            };
            numbered[index] |= matches!(message, Outbound::AccountQueryResponse(_));
            let first = trackers[index].first();
            let session = index as u16 + 1;
            let (answer, event) = trackers[index].heard(session, &message);
            figures.executions += u64::from(matches!(message, Outbound::Executed(_)));
            if let Some(mut event) = event.filter(|event| event.user_ref >= first) {
                event.user_ref -= first - 1;
                generator.on_event(&event);
            }
            if let Some(answer) = answer {
                figures.answered(now_ns, answer.sent, answer.outcome);
            }
        })
    }

    /// Sends what is due; true when anything went out.
    fn send(&mut self, now_ns: u64) -> bool {
        let mut sent = 0;
        while sent < BATCH_MAX {
            let Some((due_ns, command)) = self.held.take().or_else(|| self.next_due(now_ns)) else {
                break;
            };
            if !self.send_command(
                &command,
                Sent {
                    due_ns,
                    sent_ns: now_ns,
                },
            ) {
                self.held = Some((due_ns, command));
                break;
            }
            self.figures.sent += 1;
            sent += 1;
        }
        sent > 0
    }

    fn next_due(&mut self, now_ns: u64) -> Option<(u64, Command)> {
        let start_ns = self.start_ns;
        let due_ns = self.schedule.next_if(|&due| start_ns + due <= now_ns)? + start_ns;
        let Item { command, .. } = self.generator.next_item();
        self.figures.second_due += 1;
        Some((due_ns, command))
    }

    fn send_command(&mut self, command: &Command, sent: Sent) -> bool {
        let index = usize::from(command.session.saturating_sub(1));
        let tracker = &mut self.trackers[index];
        let first = tracker.first();
        let ouch = self.members.member(index);
        let renumbered = |user_ref: u32| user_ref + (first - 1);
        match CommandKind::from_byte(command.kind) {
            Some(CommandKind::New) => {
                let symbol = usize::from(command.symbol.saturating_sub(1));
                let symbol = self.symbols.get(symbol).copied().unwrap_or([b' '; 8]);
                let Some(user_ref) = ouch.enter(&order_of(command, symbol)) else {
                    return false;
                };
                debug_assert_eq!(user_ref, renumbered(command.user_ref));
                tracker.entered(user_ref, command.quantity, sent);
            }
            Some(CommandKind::Replace) => {
                let old = renumbered(command.old_user_ref);
                let by = Replacement::day(command.quantity, price_of(command));
                let Some(user_ref) = ouch.replace(old, &by, &[]) else {
                    return false;
                };
                tracker.entered(user_ref, command.quantity, sent);
            }
            Some(CommandKind::Cancel) => {
                let user_ref = renumbered(command.user_ref);
                if !ouch.cancel(user_ref, command.quantity) {
                    return false;
                }
                tracker.canceling(user_ref, sent);
            }
            _ => {}
        }
        true
    }

    fn turn_second(&mut self, now_ns: u64) {
        let second = (now_ns - self.start_ns) / session::SECOND_NS;
        while (self.figures.timeline.len() as u64) < second {
            let figures = &mut self.figures;
            let reply = figures.second.row();
            figures.timeline.push(Second {
                due: figures.second_due,
                reply,
            });
            figures.second.clear();
            figures.second_due = 0;
        }
    }
}

impl Figures {
    /// The whole seconds and the one that has begun.
    fn timeline_so_far(&self) -> Vec<Second> {
        let mut timeline = self.timeline.clone();
        if self.second_due > 0 || self.second.count() > 0 {
            let reply = self.second.row();
            timeline.push(Second {
                due: self.second_due,
                reply,
            });
        }
        timeline
    }

    fn answered(&mut self, now_ns: u64, sent: Sent, outcome: Outcome) {
        let latency_ns = now_ns.saturating_sub(sent.due_ns);
        self.answered += 1;
        self.due_to_reply.record(latency_ns);
        self.second.record(latency_ns);
        self.sent_to_reply
            .record(now_ns.saturating_sub(sent.sent_ns));
        match outcome {
            Outcome::Accepted(order_ref) => {
                self.accepted += 1;
                if let Some(taken) = &mut self.taken {
                    taken.push(Taken {
                        order_ref,
                        due_ns: sent.due_ns,
                    });
                }
            }
            Outcome::Rejected(code) => *self.rejected.entry(code).or_default() += 1,
            Outcome::Canceled => {}
        }
    }
}

/// Reject codes in words.
pub(crate) fn reasons(codes: &BTreeMap<u16, u64>) -> BTreeMap<String, u64> {
    let named = |(&code, &count): (&u16, &u64)| {
        let reason = reject_reason(code).map(|reason| format!("{reason:?}"));
        (reason.unwrap_or_else(|| format!("{code:#06x}")), count)
    };
    codes.iter().map(named).collect()
}

/// A price that asks for any price travels as it is.
fn price_of(command: &Command) -> u64 {
    command.price.clamp(0, PRICE_MARKET).unsigned_abs()
}

/// A generator's new order as an order entry message.
#[must_use]
pub fn order_of(command: &Command, symbol: [u8; 8]) -> Order {
    let sells = command.side == Side::Sell as u8;
    let immediate = command.time_in_force == TimeInForce::ImmediateOrCancel as u8;
    Order {
        side: if sells { b'S' } else { b'B' },
        quantity: command.quantity,
        symbol,
        price: price_of(command),
        time_in_force: if immediate { b'3' } else { b'0' },
        display: b'Y',
        cross_type: b'N',
        client_id: [b' '; 14],
    }
}
