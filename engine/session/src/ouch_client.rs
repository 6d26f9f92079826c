//! The member's side of OUCH 5.0: orders out, replies in, on top of a [`SoupClient`].
//!
//! The client numbers its orders. After a reconnect it goes on where it stopped; a new client that
//! joins a session under way calls [`OuchClient::query`] or reads the day's replies from 1, and
//! either moves [`OuchClient::user_ref_next`].

use wire::ouch::inbound::fields::{
    AccountQuery, CancelOrder, EnterOrder, MassCancel, ReplaceOrder,
};
use wire::ouch::{Outbound, Tag};
use wire::{Error, padded};

use crate::soup_client::{ClientState, Heard, SoupClient, SoupConfig};

/// The longest message that a client sends: Enter Order with each optional element twice.
const MESSAGE_BYTES_MAX: usize = 512;

/// What came from the exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply<'a> {
    /// The login was accepted; number of the next sequenced message.
    LoggedIn(u64),
    /// The login was rejected with this letter.
    LoginRejected(u8),
    /// A reply of the stream, with its number; 0 for one outside the stream.
    Message(u64, Outbound<'a>),
    /// A message that cannot be read, with its number, 0 for one outside the stream.
    Unreadable(u64, Error),
    /// The session ended.
    Ended,
}

/// An order without optional elements. `docs/orders.md` lists what they and the letters ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// B buy, S sell, T sell short, E sell short exempt.
    pub side: u8,
    /// Units.
    pub quantity: u32,
    /// Symbol, padded with spaces.
    pub symbol: [u8; 8],
    /// Limit price in 1/10,000.
    pub price: u64,
    /// `b'0'` for the day, `b'3'` immediate or cancel, `b'6'` until [`Tag::ExpireTime`].
    pub time_in_force: u8,
    /// `b'Y'` shown, `b'N'` hidden.
    pub display: u8,
    /// `b'N'` none, `b'O'` the opening cross, `b'C'` the closing cross.
    pub cross_type: u8,
    /// The member's own text.
    pub client_id: [u8; 14],
}

/// What takes an order's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replacement {
    /// Units in all, executed ones of the old order included.
    pub quantity: u32,
    /// Limit price in 1/10,000.
    pub price: u64,
    /// As in [`Order`].
    pub time_in_force: u8,
    /// As in [`Order`].
    pub display: u8,
    /// The member's own text.
    pub client_id: [u8; 14],
}

impl Replacement {
    /// A shown day order without text.
    #[must_use]
    pub const fn day(quantity: u32, price: u64) -> Self {
        Self {
            quantity,
            price,
            time_in_force: b'0',
            display: b'Y',
            client_id: [b' '; 14],
        }
    }
}

impl Order {
    /// A shown day order without text.
    #[must_use]
    pub const fn day(side: u8, quantity: u32, symbol: &str, price: u64) -> Self {
        let symbol = padded(symbol);
        Self {
            side,
            quantity,
            symbol,
            price,
            time_in_force: b'0',
            display: b'Y',
            cross_type: b'N',
            client_id: [b' '; 14],
        }
    }
}

/// One member's order entry.
pub struct OuchClient {
    soup: SoupClient,
    user_ref_next: u32,
}

impl OuchClient {
    /// A client without a connection. Takes all memory.
    #[must_use]
    pub fn new(config: SoupConfig) -> Self {
        Self {
            soup: SoupClient::new(config),
            user_ref_next: 1,
        }
    }

    /// The session below: for connecting, sending, and its state.
    pub const fn soup(&mut self) -> &mut SoupClient {
        &mut self.soup
    }

    /// Where the session stands.
    #[must_use]
    pub const fn state(&self) -> ClientState {
        self.soup.state()
    }

    /// Number of the next order.
    #[must_use]
    pub const fn user_ref_next(&self) -> u32 {
        self.user_ref_next
    }

    /// Chooses the number of the next order.
    pub const fn set_user_ref_next(&mut self, user_ref: u32) {
        self.user_ref_next = user_ref;
    }

    /// Queues an order and gives its number; `None` when not logged in, or when there is no room.
    #[must_use]
    pub fn enter(&mut self, order: &Order) -> Option<u32> {
        self.enter_with(order, &[])
    }

    /// As [`OuchClient::enter`], with optional elements; `None` also when they are too long.
    #[must_use]
    pub fn enter_with(&mut self, order: &Order, tags: &[Tag<'_>]) -> Option<u32> {
        let user_ref = self.user_ref_next;
        let message = EnterOrder {
            user_ref,
            side: order.side,
            quantity: order.quantity,
            symbol: order.symbol,
            price: order.price,
            time_in_force: order.time_in_force,
            display: order.display,
            capacity: b'P',
            intermarket_sweep: b'N',
            cross_type: order.cross_type,
            client_id: order.client_id,
        };
        self.numbered(|out| message.encode_with(tags.iter().copied(), out))
    }

    /// Queues a replacement of an order, with optional elements: nothing of the old order's goes
    /// over but its cross. Gives the number of the new order, as [`OuchClient::enter`] does.
    #[must_use]
    pub fn replace(
        &mut self,
        old_user_ref: u32,
        by: &Replacement,
        tags: &[Tag<'_>],
    ) -> Option<u32> {
        let user_ref = self.user_ref_next;
        let message = ReplaceOrder {
            old_user_ref,
            user_ref,
            quantity: by.quantity,
            price: by.price,
            time_in_force: by.time_in_force,
            display: by.display,
            intermarket_sweep: b'N',
            client_id: by.client_id,
        };
        self.numbered(|out| message.encode_with(tags.iter().copied(), out))
    }

    /// Queues a cancel to a total quantity, executed units included; 0 takes the order off the
    /// book.
    #[must_use]
    pub fn cancel(&mut self, user_ref: u32, quantity: u32) -> bool {
        let message = CancelOrder { user_ref, quantity };
        self.message(|out| message.encode(out))
    }

    /// Queues a mass cancel of one account, the first one unless a tag names another, of a symbol
    /// unless that is blank, and of one side if a tag names it. Gives its number, as
    /// [`OuchClient::enter`] does.
    #[must_use]
    pub fn mass_cancel(&mut self, symbol: [u8; 8], tags: &[Tag<'_>]) -> Option<u32> {
        let user_ref = self.user_ref_next;
        let message = MassCancel {
            user_ref,
            firm: [b' '; 4],
            symbol,
        };
        self.numbered(|out| message.encode_with(tags.iter().copied(), out))
    }

    /// Asks for the number of the next order; the answer sets it.
    #[must_use]
    pub fn query(&mut self) -> bool {
        self.message(|out| AccountQuery {}.encode(out))
    }

    /// Takes all bytes that came and hands on the replies.
    pub fn received(&mut self, bytes: &[u8], now_ns: u64, on: &mut dyn FnMut(Reply<'_>)) {
        let user_ref_next = &mut self.user_ref_next;
        self.soup
            .received(bytes, now_ns, &mut |heard| on(reply(heard, user_ref_next)));
    }

    fn numbered(&mut self, write: impl FnOnce(&mut [u8]) -> Result<usize, Error>) -> Option<u32> {
        let user_ref = self.user_ref_next;
        let next = user_ref.checked_add(1)?;
        self.message(write).then(|| {
            self.user_ref_next = next;
            user_ref
        })
    }

    fn message(&mut self, write: impl FnOnce(&mut [u8]) -> Result<usize, Error>) -> bool {
        let mut message = [0; MESSAGE_BYTES_MAX];
        write(&mut message).is_ok_and(|bytes| self.soup.send(&message[..bytes]))
    }
}

/// Reads what was heard, and moves the next order's number past what the exchange has taken.
fn reply<'a>(heard: Heard<'a>, user_ref_next: &mut u32) -> Reply<'a> {
    let (sequence, message) = match heard {
        Heard::Accepted { sequence_next, .. } => return Reply::LoggedIn(sequence_next),
        Heard::Rejected(letter) => return Reply::LoginRejected(letter),
        Heard::Ended => return Reply::Ended,
        Heard::Sequenced { sequence, message } => (sequence, message),
        Heard::Unsequenced(message) => (0, message),
    };
    let outbound = match Outbound::parse(message) {
        Ok(outbound) => outbound,
        Err(error) => return Reply::Unreadable(sequence, error),
    };
    let next = match outbound {
        Outbound::Accepted(accepted) => accepted.user_ref().saturating_add(1),
        Outbound::Replaced(replaced) => replaced.user_ref().saturating_add(1),
        Outbound::MassCancelResponse(answer) => answer.user_ref().saturating_add(1),
        Outbound::AccountQueryResponse(answer) => answer.next_user_ref(),
        _ => 0,
    };
    *user_ref_next = next.max(*user_ref_next);
    Reply::Message(sequence, outbound)
}
