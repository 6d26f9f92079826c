//! Messages that the history does not hold any more, on their way from the streams to receivers.

use crate::tiles::past::{Asking, Wanted};
use journal::stream::Name;
use session::feed::Stream;
use std::net::SocketAddrV4;
use wire::mold::Request;

/// Who asked, for what of which stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ReceiverTicket {
    pub(super) from: SocketAddrV4,
    pub(super) is_depth: bool,
    pub(super) sequence: u64,
}

/// The feed's end towards who reads streams.
pub(crate) struct PublishPast {
    asking: Asking<ReceiverTicket>,
    /// What is asked for and did not come yet.
    under_way: Vec<ReceiverTicket>,
}

impl PublishPast {
    pub(crate) const fn new(asking: Asking<ReceiverTicket>) -> Self {
        Self {
            asking,
            under_way: Vec::new(),
        }
    }

    /// Asks for what a good request is about; gives how many bytes the answer may have. Where there
    /// is no room the receiver asks again. One that repeats itself before its answer could come is
    /// answered once: with each repetition read for itself, who asks faster than the disk reads
    /// would fill the queue with what it has, and come on ever more slowly.
    pub(super) fn ask<S>(
        &mut self,
        (stream, is_depth): (&Stream<S>, bool),
        request: &[u8],
        from: SocketAddrV4,
    ) -> usize {
        let Ok(request) = Request::parse(request) else {
            return 0;
        };
        let wanted = Wanted {
            name: if is_depth { Name::DEPTH } else { Name::FEED },
            from: request.sequence,
            before: request.sequence + u64::from(request.count),
            bytes_max: stream.blocks_bytes_max(),
        };
        let ticket = ReceiverTicket {
            from,
            is_depth,
            sequence: request.sequence,
        };
        let is_asked = self.ask_once(wanted, ticket);
        stream.config().payload_bytes_max * usize::from(is_asked)
    }

    fn ask_once(&mut self, wanted: Wanted, ticket: ReceiverTicket) -> bool {
        let is_asked = !self.under_way.contains(&ticket) && self.asking.ask(wanted, ticket);
        if is_asked {
            self.under_way.push(ticket);
        }
        is_asked
    }

    /// The next blocks that were found, and how many there are.
    pub(super) fn found(&mut self) -> Option<(Vec<u8>, u16, ReceiverTicket)> {
        let (found, ticket) = self.asking.found()?;
        self.under_way.retain(|other| *other != ticket);
        Some((found.bytes, found.count, ticket))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tiles::{Found, past_line};
    use std::net::Ipv4Addr;

    #[test]
    fn a_request_repeated_before_its_answer_is_read_once() {
        let (asking, reader) = past_line();
        let mut past = PublishPast::new(asking);
        let wanted = Wanted {
            name: Name::FEED,
            from: 7,
            before: 9,
            bytes_max: 100,
        };
        let ticket = |sequence| ReceiverTicket {
            from: SocketAddrV4::new(Ipv4Addr::LOCALHOST, 1),
            is_depth: false,
            sequence,
        };
        assert!(past.ask_once(wanted, ticket(7)));
        assert!(!past.ask_once(wanted, ticket(7)));
        assert!(past.ask_once(wanted, ticket(9)));
        let asked: Vec<u64> = reader.wanted.try_iter().map(|it| it.1.sequence).collect();
        assert_eq!(asked, [7, 9]);

        // Once it is answered it may have been lost, and is read again.
        let answered = reader.found.try_send((Found::default(), ticket(7)));
        assert!(answered.is_ok() && past.found().is_some());
        assert!(past.ask_once(wanted, ticket(7)));
        assert!(!past.ask_once(wanted, ticket(9)));
    }
}
