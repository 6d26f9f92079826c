//! From the engine's events to reports, and what the tables must learn on the way.

use wire::ring::{Event, EventKind};

use crate::book::TICK;
use crate::message::{
    Message, REPORT_ACCEPTED, REPORT_CANCELED, REPORT_FILL, REPORT_MODIFIED, REPORT_REJECTED,
    Report,
};
use crate::orders::{Entry, Orders};

/// Follows the events of one message and reports them.
pub(crate) struct Hearing<'b> {
    pub(crate) orders: &'b mut Orders,
    pub(crate) message: &'b Message,
    pub(crate) number: u64,
    /// Units of the command, executed ones included.
    pub(crate) total: u32,
}

impl Hearing<'_> {
    /// Hears an event of whatever kind.
    #[inline(never)]
    pub(crate) fn hear_other(&mut self, event: &Event, on: &mut impl FnMut(&Report)) {
        // A kind that has no name is not one of the engine's; it is reported as a rejection.
        let kind = EventKind::from_byte(event.kind).unwrap_or(EventKind::Rejected);
        self.hear(event, kind, on);
    }

    /// Hears an event whose kind the caller knows.
    #[inline(always)]
    pub(crate) fn hear(&mut self, event: &Event, kind: EventKind, on: &mut impl FnMut(&Report)) {
        let id = self.message.id as u32;
        let report = match kind {
            EventKind::Executed if event.has(Event::MAKER) => self.fill(event),
            EventKind::Executed => {
                let taker = self.orders.entry(event.user_ref);
                taker.executed += event.quantity;
                taker.open = event.leaves;
                if event.leaves == 0 {
                    self.orders.forget(id);
                }
                return;
            }
            EventKind::Accepted => Report {
                side: event.side,
                ..self.entered(REPORT_ACCEPTED)
            },
            EventKind::Replaced => self.entered(REPORT_MODIFIED),
            EventKind::Canceled => {
                self.orders.forget(id);
                Report {
                    quantity: event.quantity,
                    ..self.report(REPORT_CANCELED)
                }
            }
            EventKind::Reduced => {
                self.orders.entry(event.user_ref).open = self.message.quantity;
                Report {
                    price: self.message.price,
                    quantity: self.message.quantity,
                    ..self.report(REPORT_MODIFIED)
                }
            }
            EventKind::Booked => return,
            _ => Report {
                reason: event.reason,
                ..self.report(REPORT_REJECTED)
            },
        };
        on(&report);
    }

    fn report(&self, kind: u8) -> Report {
        Report::new(kind, self.number, self.message.id)
    }

    /// The order of the message is live under the next reference.
    #[inline]
    fn entered(&mut self, kind: u8) -> Report {
        let Message {
            id,
            price,
            quantity,
            ..
        } = *self.message;
        self.orders.take(Entry {
            id: id as u32,
            price: price as u32,
            open: quantity,
            executed: self.total - quantity,
        });
        Report {
            price,
            quantity,
            ..self.report(kind)
        }
    }

    /// A resting order traded with that of the message.
    #[inline]
    fn fill(&mut self, event: &Event) -> Report {
        let maker = self.orders.entry(event.user_ref);
        maker.executed += event.quantity;
        maker.open = event.leaves;
        let maker = maker.id;
        if event.leaves == 0 {
            self.orders.forget(maker);
        }
        Report {
            other: u64::from(maker),
            price: event.price / TICK,
            quantity: event.quantity,
            left: event.leaves,
            side: event.side ^ 1,
            ..self.report(REPORT_FILL)
        }
    }
}
