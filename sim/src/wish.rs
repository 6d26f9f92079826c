//! What members ask for beyond plain orders: made by chance, said in OUCH, and what the gate must
//! make of it, told from the documents and not from the gate.

use wire::ouch::Tag;
use wire::ring::{Command, CommandKind, PRICE_MARKET};

use crate::random::Random;

const DAY_S: u64 = 86_400;
const SECOND_NS: u64 = 1_000_000_000;

/// The second of the day at which every run begins.
const START_S: u64 = DAY_S / 2;

/// What an order asks for beyond its limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wish {
    /// Nothing.
    #[default]
    Plain,
    /// At least so many units at once.
    Minimum(u32),
    /// To show so many units.
    Displayed(u32),
    /// Never to take, by OUCH's letter.
    PostOnly(u8),
    /// Not to be shown.
    Hidden,
    /// To live until this second of the day.
    Until(u32),
    /// To trade whole or not at all.
    AllOrNone,
    /// The other side's best price as its limit.
    ToLimit,
    /// To follow a reference, by OUCH's letter, at an offset.
    Peg(u8, i32),
    /// To wait for a trade at this price.
    Stop(u64),
    /// To wait for a trade at this distance from the market.
    Trail(u64),
    /// An auction, by OUCH's letter.
    Cross(u8),
    /// No order, but many to leave: of its symbol or of all, of one side by OUCH's letter
    /// or of both.
    Mass(bool, Option<u8>),
}

/// A command and what its order asks for.
#[derive(Clone, Copy, Debug)]
pub struct Sending {
    pub command: Command,
    pub wish: Wish,
    /// The account that it names, if it does.
    pub account: Option<u32>,
}

impl Sending {
    /// A generated command with a wish of chance's choice, `in_million` times out of a million.
    pub fn new(mut command: Command, random: &mut Random, in_million: u32) -> Self {
        let is_cancel = command.kind == CommandKind::Cancel as u8;
        if is_cancel || !random.chance(in_million) {
            return Self {
                command,
                wish: Wish::Plain,
                account: None,
            };
        }
        let wish = wish(&command, random);
        match wish {
            Wish::Hidden => command.letters[0] = b'N',
            Wish::Until(_) => command.wire_letters[1] = b'6',
            Wish::Cross(letter) if command.kind == CommandKind::New as u8 => {
                command.letters[3] = letter;
            }
            Wish::ToLimit => command.price = PRICE_MARKET,
            Wish::Stop(_) | Wish::Trail(_) if random.chance(500_000) => {
                command.price = PRICE_MARKET;
            }
            _ => {}
        }
        Self {
            command,
            wish,
            account: None,
        }
    }

    /// The same number for a mass cancel in the order's place, `in_million` times out of a million.
    pub fn or_mass(self, random: &mut Random, in_million: u32) -> Self {
        let is_new = self.command.kind == CommandKind::New as u8;
        // Seeds that know none of it draw nothing for it.
        if in_million == 0 || !is_new || !random.chance(in_million) {
            return self;
        }
        let side = random.one_of(&[None, Some(b'B'), Some(b'S')]);
        Self {
            wish: Wish::Mass(random.chance(500_000), side),
            ..self
        }
    }

    /// The elements that say it.
    pub fn tags(&self) -> Option<Tag<'static>> {
        Some(match self.wish {
            Wish::Plain | Wish::Hidden | Wish::Cross(_) | Wish::Mass(_, None) => return None,
            Wish::Mass(_, Some(side)) => Tag::Side(side),
            Wish::Minimum(units) => Tag::MinQuantity(units),
            Wish::Displayed(units) => Tag::MaxFloor(units),
            Wish::PostOnly(letter) => Tag::PostOnly(letter),
            Wish::Until(second) => Tag::ExpireTime(second),
            Wish::AllOrNone => Tag::AllOrNone(b'Y'),
            Wish::ToLimit => Tag::MarketToLimit(b'Y'),
            Wish::Peg(letter, _) => Tag::PriceType(letter),
            Wish::Stop(price) => Tag::TriggerPrice(price),
            Wish::Trail(distance) => Tag::TrailDistance(distance),
        })
    }

    /// The element that names its account.
    pub fn account_tag(&self) -> Option<Tag<'static>> {
        self.account.map(Tag::Account)
    }

    /// A peg's offset.
    pub fn offset(&self) -> Option<Tag<'static>> {
        match self.wish {
            Wish::Peg(_, offset) => Some(Tag::PegOffset(offset)),
            _ => None,
        }
    }

    /// What must be in the journal ahead of the order, if anything: its minimum, displayed
    /// quantity, expiry and flags, its condition and the amount of that.
    pub fn extra(&self) -> Option<[i64; 6]> {
        let midnight_s = crate::day::START_NS / SECOND_NS - START_S;
        let expiry = |second: u32| ((midnight_s + u64::from(second)) * SECOND_NS) as i64;
        Some(match self.wish {
            Wish::Plain | Wish::Cross(_) | Wish::Mass(..) => return None,
            Wish::Minimum(units) => [units.into(), 0, 0, 0, 0, 0],
            Wish::Displayed(units) => [0, units.into(), 0, 0, 0, 0],
            Wish::Until(second) => [0, 0, expiry(second), 0, 0, 0],
            Wish::PostOnly(b'P') => [0, 0, 0, 1, 0, 0],
            Wish::PostOnly(_) => [0, 0, 0, 3, 0, 0],
            Wish::Hidden => [0, 0, 0, 4, 0, 0],
            Wish::AllOrNone => [0, 0, 0, 8, 0, 0],
            Wish::ToLimit => [0, 0, 0, 16, 0, 0],
            Wish::Stop(price) => [0, 0, 0, 0, 1, price as i64],
            Wish::Trail(distance) => [0, 0, 0, 0, 2, distance as i64],
            Wish::Peg(b'R', offset) => [0, 0, 0, 0, 3, offset.into()],
            Wish::Peg(b'P', offset) => [0, 0, 0, 0, 4, offset.into()],
            Wish::Peg(_, offset) => [0, 0, 0, 0, 5, offset.into()],
        })
    }
}

/// The same of an `Extra` that is in the journal.
pub fn extra_of(command: &Command) -> [i64; 6] {
    [
        command.quantity.into(),
        command.old_user_ref.into(),
        command.price,
        command.flags.into(),
        command.letters[1].into(),
        command.amount().into(),
    ]
}

/// A wish that mostly can be granted.
fn wish(command: &Command, random: &mut Random) -> Wish {
    let part = 1 + random.below(u64::from(command.quantity) + 2) as u32;
    let near = command.price.unsigned_abs() + random.below(400);
    match random.below(12) {
        0 => Wish::Minimum(part),
        1 | 2 => Wish::Displayed(part),
        3 => Wish::PostOnly(random.one_of(b"PS")),
        4 => Wish::Hidden,
        5 => Wish::Until((START_S + random.below(4)) as u32),
        6 => Wish::AllOrNone,
        7 => Wish::ToLimit,
        8 => Wish::Peg(random.one_of(b"RPM"), random.below(300) as i32),
        9 => Wish::Stop(near.saturating_sub(200)),
        10 => Wish::Trail(1 + random.below(500)),
        _ => Wish::Cross(random.one_of(b"OC")),
    }
}
