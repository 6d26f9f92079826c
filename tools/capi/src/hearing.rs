//! From the engine's events to reports.

use wire::ring::{Event, EventKind};

use crate::book::TICK;
use crate::message::{
    Message, REPORT_ACCEPTED, REPORT_CANCELED, REPORT_FILL, REPORT_MODIFIED, REPORT_REJECTED,
    Report,
};

/// Follows the events of one message and reports them.
pub(crate) struct Hearing<'b> {
    pub(crate) message: &'b Message,
    pub(crate) number: u64,
}

impl Hearing<'_> {
    /// Hears an event of whatever kind.
    #[inline(never)]
    pub(crate) fn hear_other(&self, event: &Event, on: &mut impl FnMut(&Report)) {
        // A kind that has no name is not one of the engine's; it is reported as a rejection.
        let kind = EventKind::from_byte(event.kind).unwrap_or(EventKind::Rejected);
        self.hear(event, kind, on);
    }

    /// Hears an event whose kind the caller knows.
    #[inline(always)]
    pub(crate) fn hear(&self, event: &Event, kind: EventKind, on: &mut impl FnMut(&Report)) {
        let report = match kind {
            EventKind::Executed if event.has(Event::MAKER) => Report {
                other: u64::from(event.user_ref) - 1,
                price: event.price / TICK,
                quantity: event.quantity,
                left: event.leaves,
                side: event.side ^ 1,
                ..self.report(REPORT_FILL)
            },
            EventKind::Executed | EventKind::Booked => return,
            EventKind::Accepted => Report {
                side: event.side,
                ..self.answered(REPORT_ACCEPTED)
            },
            // One that is noted changes nothing.
            EventKind::Replaced | EventKind::Reduced | EventKind::Noted => {
                self.answered(REPORT_MODIFIED)
            }
            EventKind::Canceled => Report {
                quantity: event.quantity,
                ..self.report(REPORT_CANCELED)
            },
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

    /// A report that repeats price and units of the message.
    #[inline]
    fn answered(&self, kind: u8) -> Report {
        Report {
            price: self.message.price,
            quantity: self.message.quantity,
            ..self.report(kind)
        }
    }
}
