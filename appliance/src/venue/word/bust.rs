//! Taking back a trade, in words: which trade, why, and what it was.
//!
//! An operator says the symbol, the match number and why. What the trade was the operator's program
//! looks up in the journal and adds; the venue only reads it, as no tile keeps the day's trades.

use super::{Words, number, of};
use crate::topology::Topology;
use std::fmt::Write;
use wire::ring::{Command, CommandKind, Reason, Side};

/// Why trades are taken back, by the words for it.
pub const WHYS: [(&str, Reason); 4] = [
    ("erroneous", Reason::Erroneous),
    ("consent", Reason::Consent),
    ("supervisory", Reason::Supervisory),
    ("external", Reason::External),
];

/// Stands before the number of a session.
const NUMBER: char = '#';

/// Stands for a text that is blank.
const BLANK: &str = "-";

/// An order that traded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traded {
    /// Its session.
    pub session: u16,
    /// The member's number of it.
    pub user_ref: u32,
    /// The member's text for it.
    pub client_id: [u8; 14],
}

/// A trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trade {
    /// Number of the symbol.
    pub symbol: u16,
    /// Match number.
    pub match_number: u64,
    /// Units.
    pub quantity: u32,
    /// Price in 1/10,000.
    pub price: i64,
    /// The maker's side.
    pub side: Side,
    /// The order that rested.
    pub maker: Traded,
    /// The order that came to it.
    pub aggressor: Traded,
}

impl Trade {
    /// What is said of it behind its symbol, its number and why.
    #[must_use]
    pub fn told(&self, topology: &Topology) -> String {
        let Self {
            quantity,
            price,
            maker,
            aggressor,
            ..
        } = self;
        let side = if self.side == Side::Buy {
            "buy"
        } else {
            "sell"
        };
        let mut text = format!("{quantity} {price} {side}");
        for order in [maker, aggressor] {
            let letters = letters_of(&order.client_id);
            let user = user_told(topology, order.session);
            // Writing to a String cannot fail.
            let _ = write!(text, " {user} {} {letters}", order.user_ref);
        }
        text
    }
}

/// The user of a session; of one that stands for another account of a user, its number.
fn user_told(topology: &Topology, session: u16) -> String {
    let user = topology.users.get(usize::from(session).wrapping_sub(1));
    let user = user.filter(|user| !user.is_spare);
    user.map_or_else(|| format!("{NUMBER}{session}"), |user| user.name.clone())
}

/// A member's text, which may hold any letters, as hexadecimal digits.
fn letters_of(client_id: &[u8; 14]) -> String {
    let shown = client_id.trim_ascii_end();
    if shown.is_empty() {
        return BLANK.to_owned();
    }
    shown.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn client_id_of(letters: &str) -> Result<[u8; 14], String> {
    let mut client_id = [b' '; 14];
    if letters == BLANK {
        return Ok(client_id);
    }
    let wrong = || format!("\"{letters}\" are no letters of an order's text");
    let (pairs, rest) = letters.as_bytes().as_chunks::<2>();
    if !rest.is_empty() || pairs.len() > client_id.len() {
        return Err(wrong());
    }
    for (pair, letter) in pairs.iter().zip(&mut client_id) {
        let pair = str::from_utf8(pair).map_err(|_| wrong())?;
        *letter = u8::from_str_radix(pair, 16).map_err(|_| wrong())?;
    }
    Ok(client_id)
}

impl Words<'_> {
    /// The trade is named by the first command, and taken back by the second.
    pub(super) fn bust(&mut self) -> Result<[Command; 2], String> {
        let symbol = self.symbol()?;
        let match_number = number(self.word("a match number")?)?;
        let why = self.word("why: erroneous, consent, supervisory or external")?;
        let Some((_, why)) = WHYS.iter().find(|(known, _)| *known == why) else {
            let names = WHYS.map(|(name, _)| name).join(", ");
            return Err(format!("\"{why}\": say one of {names}"));
        };
        let quantity = number(self.word("how many units traded")?)?;
        let price = number(self.word("the price of the trade")?)?;
        let side = self.side()?;
        let (maker, aggressor) = (self.traded()?, self.traded()?);
        let about = |kind, order: Traded| Command {
            session: order.session,
            user_ref: order.user_ref,
            client_id: order.client_id,
            ..of(kind)
        };
        let named = Command {
            price: match_number,
            ..about(CommandKind::Trade, aggressor)
        };
        let bust = Command {
            symbol,
            flags: *why as u8,
            side: side as u8,
            quantity,
            price,
            ..about(CommandKind::Bust, maker)
        };
        Ok([named, bust])
    }

    fn traded(&mut self) -> Result<Traded, String> {
        let mut peeked = self.words.clone();
        let named = peeked.next().and_then(|word| word.strip_prefix(NUMBER));
        let session = match named {
            Some(session) => {
                self.words = peeked;
                number(session)?
            }
            None => self.user()?,
        };
        Ok(Traded {
            session,
            user_ref: number(self.word("the order's reference")?)?,
            client_id: client_id_of(self.word("the order's text")?)?,
        })
    }
}
