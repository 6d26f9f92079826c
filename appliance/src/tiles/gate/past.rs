//! Replies that memory does not hold any more, on their way from the streams to members.

use crate::tiles::past::{Asking, Wanted};
use journal::stream::Name;
use queue::Watch;
use session::order_entry::{OrderEntry, Recall};
use std::sync::mpsc::Receiver;

/// Bytes of replies that a connection gets at once.
const BYTES_MAX: usize = 64 << 10;

/// Who lacks what.
pub(crate) type MemberTicket = Recall;

/// The gate's end towards who reads streams.
pub(crate) struct GatePast {
    asking: Asking<MemberTicket>,
    /// How many replies of a store its stream holds.
    covers: Receiver<(usize, u64)>,
    /// Those of them that are more than there were here.
    ahead: Vec<(usize, u64)>,
    /// Nobody writes the streams any more.
    failed: Watch,
    /// The stores' streams.
    names: Vec<Name>,
}

impl GatePast {
    pub(crate) const fn new(
        asking: Asking<MemberTicket>,
        covers: Receiver<(usize, u64)>,
        names: Vec<Name>,
        failed: Watch,
    ) -> Self {
        Self {
            asking,
            covers,
            ahead: Vec::new(),
            failed,
            names,
        }
    }

    /// Hands on what was found, and asks for what is lacked; gives how much there was.
    pub(super) fn turn(&mut self, entry: &mut OrderEntry, now_ns: u64) -> usize {
        let mut work = 0;
        while let Some((found, recall)) = self.asking.found() {
            entry.recalled(&recall, found.bytes, now_ns);
            work += 1;
        }
        while self.asking.has_room()
            && let Some(recall) = entry.recall()
        {
            work += 1;
            let name = self.names.get(recall.store);
            let wanted = name.map(|name| Wanted {
                name: *name,
                from: recall.from,
                before: entry.covered(recall.store) + 1,
                bytes_max: BYTES_MAX,
            });
            if !wanted.is_some_and(|wanted| self.asking.ask(wanted, recall)) {
                entry.recalled(&recall, Vec::new(), now_ns);
            }
        }
        work
    }

    /// Tells how far the streams of replies are, and whether they will go on.
    pub(super) fn cover(&mut self, entry: &mut OrderEntry) {
        entry.keep(self.failed.get() == 0);
        self.ahead.extend(self.covers.try_iter());
        // The streams may be ahead of the events that came here.
        self.ahead.retain(|(store, count)| {
            let told = entry.replies(*store as u16 + 1);
            entry.cover(*store, told.min(*count));
            told < *count
        });
    }
}
