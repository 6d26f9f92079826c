//! What a member knows about its own orders: how much is open, and which answers are due.

use wire::ouch::Outbound;
use wire::ring::{Event, EventKind, Reason};

/// One order of one member.
#[derive(Clone, Copy, Debug, Default)]
struct Order {
    open: u32,
    /// The order or replacement, until it is answered.
    entered: Option<Sent>,
    /// The first of the cancels under way, and how many there are.
    cancel: Option<Sent>,
    cancels: u32,
}

/// A command under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// When it was due.
    pub due_ns: u64,
    /// When it was handed to the session.
    pub sent_ns: u64,
}

/// The answer to a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The command's times.
    pub sent: Sent,
    /// What the venue did with it.
    pub outcome: Outcome,
}

/// What the venue did with a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The order or replacement was taken under this order reference number.
    Accepted(u64),
    /// The order or replacement was refused with this reject code.
    Rejected(u16),
    /// Units were taken off, or the order was gone already.
    Canceled,
}

/// The orders of one member, by user reference number.
#[derive(Clone, Debug)]
pub struct Tracker {
    orders: Vec<Order>,
    /// User reference number of the first order in the table.
    first: u32,
    pending: u64,
}

impl Tracker {
    /// No order yet; the next one has this user reference number.
    #[must_use]
    pub fn new(first: u32) -> Self {
        Self {
            orders: Vec::new(),
            first,
            pending: 0,
        }
    }

    /// User reference number of the first order it follows.
    #[must_use]
    pub fn first(&self) -> u32 {
        self.first
    }

    /// Commands that wait for their answer.
    #[must_use]
    pub fn pending(&self) -> u64 {
        self.pending
    }

    /// An order or replacement goes out.
    pub fn entered(&mut self, user_ref: u32, quantity: u32, sent: Sent) {
        let Some(index) = user_ref.checked_sub(self.first).map(|index| index as usize) else {
            return;
        };
        if index >= self.orders.len() {
            self.orders.resize(index + 1, Order::default());
        }
        self.orders[index] = Order {
            open: quantity,
            entered: Some(sent),
            ..Order::default()
        };
        self.pending += 1;
    }

    /// A cancel goes out. While an earlier one of the same order is under way both count from that
    /// one: too long rather than too short.
    pub fn canceling(&mut self, user_ref: u32, sent: Sent) {
        let Some(order) = self.order(user_ref) else {
            return;
        };
        order.cancel.get_or_insert(sent);
        order.cancels += 1;
        self.pending += 1;
    }

    /// Takes a reply: the answer it is to a command, and what the generator needs to know of it.
    pub fn heard(&mut self, session: u16, reply: &Outbound<'_>) -> (Option<Answer>, Option<Event>) {
        match reply {
            Outbound::Accepted(m) => (self.taken(m.user_ref(), m.order_ref()), None),
            Outbound::Replaced(m) => {
                if let Some(order) = self.order(m.user_ref()) {
                    order.open = m.quantity();
                }
                let event = Event {
                    leaves: m.quantity(),
                    ..event(EventKind::Replaced, session, m.user_ref())
                };
                (self.taken(m.user_ref(), m.order_ref()), Some(event))
            }
            Outbound::Rejected(m) => {
                let event = event(EventKind::Rejected, session, m.user_ref());
                (
                    self.answered(m.user_ref(), Outcome::Rejected(m.reason())),
                    Some(event),
                )
            }
            Outbound::Executed(m) => {
                let leaves = self.order(m.user_ref()).map_or(0, |order| {
                    order.open = order.open.saturating_sub(m.quantity());
                    order.open
                });
                let event = Event {
                    quantity: m.quantity(),
                    leaves,
                    ..event(EventKind::Executed, session, m.user_ref())
                };
                (None, Some(event))
            }
            Outbound::Canceled(m) => self.canceled(session, m.user_ref(), m.quantity(), m.reason()),
            Outbound::CancelReject(m) => (self.cancel_answered(m.user_ref()), None),
            _ => (None, None),
        }
    }

    fn canceled(
        &mut self,
        session: u16,
        user_ref: u32,
        quantity: u32,
        reason: u8,
    ) -> (Option<Answer>, Option<Event>) {
        let leaves = self.order(user_ref).map_or(0, |order| {
            order.open = order.open.saturating_sub(quantity);
            order.open
        });
        let gone = (leaves == 0).then(|| event(EventKind::Canceled, session, user_ref));
        let answer = if reason == b'U' {
            self.cancel_answered(user_ref)
        } else {
            None
        };
        (answer, gone)
    }

    fn taken(&mut self, user_ref: u32, order_ref: u64) -> Option<Answer> {
        self.answered(user_ref, Outcome::Accepted(order_ref))
    }

    fn answered(&mut self, user_ref: u32, outcome: Outcome) -> Option<Answer> {
        let sent = self.order(user_ref)?.entered.take()?;
        self.pending -= 1;
        Some(Answer { sent, outcome })
    }

    fn cancel_answered(&mut self, user_ref: u32) -> Option<Answer> {
        let order = self.order(user_ref)?;
        let sent = order.cancel?;
        order.cancels -= 1;
        if order.cancels == 0 {
            order.cancel = None;
        }
        self.pending -= 1;
        Some(Answer {
            sent,
            outcome: Outcome::Canceled,
        })
    }

    fn order(&mut self, user_ref: u32) -> Option<&mut Order> {
        let index = user_ref.checked_sub(self.first)?;
        self.orders.get_mut(index as usize)
    }
}

/// An event with only what a generator looks at.
fn event(kind: EventKind, session: u16, user_ref: u32) -> Event {
    Event {
        kind: kind as u8,
        side: 0,
        reason: Reason::None as u8,
        flags: 0,
        symbol: 0,
        session,
        user_ref,
        old_user_ref: 0,
        quantity: 0,
        leaves: 0,
        price: 0,
        order_ref: 0,
        related: 0,
    }
}
