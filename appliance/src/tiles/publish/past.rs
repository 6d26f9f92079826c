//! Messages that the history does not hold any more, on their way from the streams to receivers.

use crate::tiles::past::{Asking, Wanted};
use journal::stream::Name;
use session::feed::Stream;
use std::net::SocketAddrV4;
use wire::mold::Request;

/// Who asked, for what of which stream.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReceiverTicket {
    pub(super) from: SocketAddrV4,
    pub(super) is_depth: bool,
    pub(super) sequence: u64,
}

/// The feed's end towards who reads streams.
pub(crate) struct PublishPast(Asking<ReceiverTicket>);

impl PublishPast {
    pub(crate) const fn new(asking: Asking<ReceiverTicket>) -> Self {
        Self(asking)
    }

    /// Asks for what a good request is about; gives how many bytes the answer may have. Where there
    /// is no room the receiver asks again.
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
        let is_asked = self.0.ask(wanted, ticket);
        stream.config().payload_bytes_max * usize::from(is_asked)
    }

    /// The next blocks that were found, and how many there are.
    pub(super) fn found(&mut self) -> Option<(Vec<u8>, u16, ReceiverTicket)> {
        let (found, ticket) = self.0.found()?;
        Some((found.bytes, found.count, ticket))
    }
}
