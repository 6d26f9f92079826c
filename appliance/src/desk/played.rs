//! A recorded feed in the place of a live one: its events come at their own pace, at a multiple of
//! it, or as fast as they are taken, and are received now.

use queue::Writer;
use trading::{Event, What};

use super::feed::Feed;
use super::slip::Slip;
use crate::tiles::{BATCH, Progress, Tile};

/// Recorded events.
pub type Recorded = Box<dyn Iterator<Item = Result<Event, String>> + Send>;

/// See the module.
pub struct PlayedTile {
    events: Recorded,
    /// Times the pace at which it was received; as fast as possible without.
    pace: Option<f64>,
    out: Writer<Slip>,
    next: Option<Event>,
    /// Receipt of the first event there, and here.
    first_ns: Option<(u64, u64)>,
    /// When the first level of a change was told whose end was not: all of it is received then.
    change_ns: Option<u64>,
    changes: u64,
    told: u64,
    is_ended: bool,
    failure: Option<String>,
}

impl PlayedTile {
    /// A tile that tells these events.
    #[must_use]
    pub const fn new(events: Recorded, pace: Option<f64>, out: Writer<Slip>) -> Self {
        Self {
            events,
            pace,
            out,
            next: None,
            first_ns: None,
            change_ns: None,
            changes: 0,
            told: 0,
            is_ended: false,
            failure: None,
        }
    }

    /// The next event, read ahead.
    fn next(&mut self) -> Option<Event> {
        if self.next.is_none() && !self.is_ended {
            match self.events.next() {
                Some(Ok(event)) => self.next = Some(event),
                Some(Err(error)) => self.failure = Some(error),
                None => {}
            }
            self.is_ended = self.next.is_none();
        }
        self.next
    }

    /// When an event is due here, in ns.
    fn due_ns(&mut self, event: &Event, now_ns: u64) -> u64 {
        let (there, here) = *self.first_ns.get_or_insert((event.received_ns, now_ns));
        let after_ns = event.received_ns.saturating_sub(there);
        self.pace
            .map_or(now_ns, |pace| here + (after_ns as f64 / pace) as u64)
    }

    /// When an event is received that is told now: a change may take several turns.
    fn received_ns(&mut self, event: &Event, now_ns: u64) -> u64 {
        match event.what {
            What::Level { .. } | What::Clear => *self.change_ns.get_or_insert(now_ns),
            What::End => self.change_ns.take().unwrap_or(now_ns),
            What::Quote { .. } | What::Trade { .. } => now_ns,
        }
    }

    fn turn(&mut self, now_ns: u64) -> Progress {
        let mut count = 0;
        while count < BATCH
            && let Some(event) = self.next()
        {
            let due_ns = self.due_ns(&event, now_ns);
            if due_ns > now_ns || !self.out.has_room(1) {
                break;
            }
            let received_ns = self.received_ns(&event, now_ns);
            let ago_ns = event.received_ns.saturating_sub(event.event_ns);
            let event = Event {
                // As long ago as it was there.
                event_ns: received_ns.saturating_sub(ago_ns),
                received_ns,
                ..event
            };
            // Room was looked for.
            let _ = self.out.put(received_ns, &Slip::event(&event));
            self.next = None;
            self.told += 1;
            count += 1;
            if event.what == What::End {
                // The next change is received when it is told.
                self.changes += 1;
                break;
            }
        }
        self.out.publish();
        // Read ahead: decoding is no part of what is measured from the receipt on.
        self.next();
        Progress::of(count)
    }
}

impl Feed for PlayedTile {
    fn is_ended(&self) -> bool {
        self.is_ended
    }

    fn is_dark(&self) -> bool {
        false
    }

    fn told(&self) -> String {
        let (events, changes) = (self.told, self.changes);
        format!("feed: {events} recorded events, {changes} changes of books\n")
    }
}

impl Tile for PlayedTile {
    fn poll(&mut self, now_ns: u64) -> Progress {
        self.turn(now_ns)
    }

    fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }
}
