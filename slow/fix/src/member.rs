//! What the gateway knows of a member's day, connected or not.

use crate::message::{Body, Message};
use crate::moment;
use crate::numbers::{Asked, Numbers};
use crate::order::{cancel_reject, mass_report, trimmed};
use crate::orders::{Orders, Report, Unanswered};
use crate::requests::{Request, read, refused};
use crate::session::Session;
use session::ouch_client::OuchClient;
use std::collections::BTreeMap;
use std::io;
use wire::ouch::Outbound;

/// A member's orders and reports of one day of the venue.
#[derive(Debug)]
pub struct Member {
    /// The venue's name of the day.
    pub day: String,
    orders: Orders,
    /// Reports that went out and can be made from replies alone, by the number of the reply.
    reports: BTreeMap<u64, Report>,
    /// The venue's next reply.
    pub reply_next: u64,
}

impl Member {
    /// A member of whom nothing is known but the numbers.
    #[must_use]
    pub fn new(day: &str, numbers: &mut Numbers, now_ns: u64) -> Self {
        Self {
            day: day.to_owned(),
            orders: Orders::new(midnight(day, now_ns), numbers.take_asked()),
            reports: BTreeMap::new(),
            reply_next: 1,
        }
    }

    /// Takes a reply of the venue. What was reported before is only remembered.
    pub fn replied(&mut self, reply: u64, told: &Outbound<'_>, session: &mut Session, now_ns: u64) {
        if reply < self.reply_next {
            return;
        }
        self.reply_next = reply + 1;
        let Some(report) = self.orders.replied(reply, told) else {
            return;
        };
        if reply > session.numbers.report_last() {
            session.report(reply, &report, now_ns);
        }
        if !report.is_kept {
            self.reports.insert(reply, report);
        }
    }

    /// Takes what the venue refuses outside its stream: the report is the gateway's own.
    pub fn turned_away(&mut self, told: &Outbound<'_>, session: &mut Session, now_ns: u64) {
        let Some(report) = self.orders.turned_away(told, &moment::text(now_ns)) else {
            return;
        };
        if let Outbound::CancelReject(told) = told {
            session.numbers.ask(&Asked::Refused(told.user_ref()));
        }
        session.own(report.kind, &report.body, now_ns);
    }

    /// Takes a message of the member.
    pub fn asked(
        &mut self,
        message: &Message,
        session: &mut Session,
        client: &mut OuchClient,
        now_ns: u64,
    ) {
        match read(message, &self.orders, now_ns) {
            Ok(request) => self.carry_out(message, request, (session, client), now_ns),
            Err(fault) => session.reject(message, &fault, now_ns),
        }
    }

    fn carry_out(
        &mut self,
        message: &Message,
        request: Request,
        (session, client): (&mut Session, &mut OuchClient),
        now_ns: u64,
    ) {
        match request {
            Request::Known => {}
            Request::Answer(kind, body) => session.own(kind, &body, now_ns),
            Request::Enter(order, tags) => match client.enter_with(&order, &tags) {
                Some(user_ref) => self.sent(message, (user_ref, order.quantity), &order.symbol),
                None => busy(message, session, now_ns),
            },
            Request::Replace(old, by, tags) => match client.replace(old, &by, &tags) {
                Some(user_ref) => {
                    let asked = Asked::Replace(user_ref, old);
                    session.numbers.ask(&asked);
                    self.orders.asked(asked);
                    self.sent(message, (user_ref, by.quantity), &[]);
                }
                None => busy(message, session, now_ns),
            },
            Request::Cancel(user_ref, id) => {
                if !self.cancel(user_ref, id, (session, client)) {
                    busy(message, session, now_ns);
                }
            }
            Request::CancelAgain(user_ref) => {
                if !client.cancel(user_ref, 0) {
                    busy(message, session, now_ns);
                }
            }
            Request::Mass(scope, id, symbol, tags) => match client.mass_cancel(symbol, &tags) {
                Some(user_ref) => {
                    let asked = Asked::Mass(user_ref, scope, id);
                    session.numbers.ask(&asked);
                    self.orders.asked(asked);
                }
                None => busy(message, session, now_ns),
            },
            Request::CancelAll(all, kind, body) => {
                let asked = all.len();
                let taken = all
                    .into_iter()
                    .take_while(|(user_ref, id)| {
                        self.cancel(*user_ref, id.clone(), (session, client))
                    })
                    .count();
                let body = match asked - taken {
                    0 => body,
                    left => body.with(58, format_args!("busy: {left} orders stay, ask again")),
                };
                session.own(kind, &body, now_ns);
            }
        }
    }

    fn cancel(
        &mut self,
        user_ref: u32,
        id: String,
        (session, client): (&mut Session, &mut OuchClient),
    ) -> bool {
        let is_sent = client.cancel(user_ref, 0);
        if is_sent {
            let asked = Asked::Cancel(user_ref, id);
            session.numbers.ask(&asked);
            self.orders.asked(asked);
        }
        is_sent
    }

    fn sent(&mut self, message: &Message, (user_ref, quantity): (u32, u32), symbol: &[u8]) {
        let order = Unanswered {
            number: message.number(34).ok().flatten().unwrap_or(0),
            id: message.text(11).unwrap_or("").to_owned(),
            symbol: trimmed(symbol),
            side: message
                .text(54)
                .and_then(|side| side.chars().next())
                .unwrap_or('1'),
            quantity,
        };
        self.orders.sent(user_ref, order);
    }

    /// Ends a turn: answers what is wanted again, and has the numbers on disk before a byte of it
    /// leaves. Gives the bytes.
    ///
    /// # Errors
    /// The disk's: then nothing may be sent.
    pub fn settle(&mut self, session: &mut Session, now_ns: u64) -> io::Result<Vec<u8>> {
        let reports = &self.reports;
        session.resend(now_ns, &|reply| {
            let report = reports.get(&reply)?;
            Some((report.kind.to_owned(), report.body.clone()))
        });
        let next_in = session.numbers.next_in();
        let done = self
            .orders
            .unanswered()
            .map_or(next_in, |first| first.min(next_in));
        session.numbers.done_below(done);
        session.numbers.flush()?;
        Ok(session.take_out())
    }

    /// The venue is there again, and goes on at this number.
    pub fn connected(&mut self, user_ref_next: u32) {
        self.orders.lost_from(user_ref_next);
    }

    /// The venue's connection is gone: what was not answered may never have arrived.
    pub fn disconnected(&mut self) {
        self.orders.disconnected();
    }
}

/// The venue takes no more for now; nothing of the message was done.
fn busy(message: &Message, session: &mut Session, now_ns: u64) {
    let id = message.text(11).unwrap_or("");
    let text = "busy: nothing was sent, ask again";
    let (kind, body) = match message.kind() {
        "D" => {
            let symbol = message.text(55).unwrap_or("");
            let side = message.text(54).and_then(|side| side.chars().next());
            (
                "8",
                refused((id, symbol, side.unwrap_or('1')), 99, text, now_ns),
            )
        }
        "q" => {
            let scope = message.text(530).and_then(|scope| scope.chars().next());
            let asked = (id, scope.unwrap_or('7'));
            ("r", mass_report(asked, Err(text), &moment::text(now_ns)))
        }
        kind => {
            let to = if kind == "F" { '1' } else { '2' };
            let body = cancel_reject(None, (id, to, 99), text);
            ("9", body.replaced(41, message.text(41).unwrap_or("NONE")))
        }
    };
    session.own(kind, &body, now_ns);
}

/// Midnight of a venue's day, whose name begins with its date; of today for another name.
fn midnight(day: &str, now_ns: u64) -> u64 {
    const DAY_NS: u64 = 86_400_000_000_000;
    let date = day
        .get(..8)
        .and_then(|date| moment::read(&format!("{date}-00:00:00")));
    date.unwrap_or(now_ns - now_ns % DAY_NS)
}

/// A Logout for somebody who is not logged on.
#[must_use]
pub fn refusal(names: (&str, &str), text: &str, now_ns: u64) -> Vec<u8> {
    let header = crate::message::Header {
        kind: "5",
        sender: names.0,
        target: names.1,
        number: 1,
        time: &moment::text(now_ns),
        time_first: None,
    };
    let mut out = Vec::new();
    crate::message::write(&header, &Body::default().with(58, text), &mut out);
    out
}
