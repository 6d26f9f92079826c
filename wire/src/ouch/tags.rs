//! The appendage: optional elements of an OUCH message.
//!
//! Each element is `length: u8 | tag: u8 | value`; the length counts tag and value. An element of
//! unknown tag is kept as it is; one of known tag must have the length of its kind. OUCH numbers
//! its tags from 1; those from [`TAG_OWN_FIRST`] on are this venue's own, for what OUCH cannot say.

use crate::field::take;
use crate::{Error, Fault};

const PROTOCOL: &str = "OUCH 5.0 appendage";

/// The most bytes of value an element can have, its length byte counting the tag too.
pub const TAG_VALUE_BYTES_MAX: usize = u8::MAX as usize - 1;

/// The first tag that is not one of OUCH's.
pub const TAG_OWN_FIRST: u8 = 128;

/// An optional element, as `docs/wire.md` shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TagRow {
    /// Number of the tag.
    pub tag: u8,
    /// Size of the value.
    pub bytes: usize,
    /// Name.
    pub name: &'static str,
    /// Kind of the value.
    pub kind: &'static str,
    /// What it means.
    pub meaning: &'static str,
}

macro_rules! tags {
    ($($(#[doc = $doc:literal])+ $number:literal $name:ident: $as:ident,)+) => {
        /// One optional element.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Tag<'a> {
            $($(#[doc = $doc])+ $name(value_type!($as)),)+
            /// An element of a tag that is not in the table.
            Unknown {
                /// Number of the tag.
                tag: u8,
                /// Its value, at most [`TAG_VALUE_BYTES_MAX`] bytes.
                value: &'a [u8],
            },
        }

        impl<'a> Tag<'a> {
            /// Every known tag, in the order of its number.
            pub const TABLE: &'static [TagRow] = &[$(TagRow {
                tag: $number,
                bytes: value_bytes!($as),
                name: stringify!($name),
                kind: stringify!($as),
                meaning: concat!($($doc),+),
            },)+];

            /// Number of the tag.
            #[must_use]
            pub const fn number(&self) -> u8 {
                match self {
                    $(Self::$name(_) => $number,)+
                    Self::Unknown { tag, .. } => *tag,
                }
            }

            /// Reads an element, or says how many bytes its value should have.
            fn read(tag: u8, value: &'a [u8]) -> Result<Self, usize> {
                match tag {
                    $($number if value.len() == value_bytes!($as) => {
                        Ok(Self::$name(value_from!($as, take(value, 0))))
                    })+
                    $($number => Err(value_bytes!($as)),)+
                    _ => Ok(Self::Unknown { tag, value }),
                }
            }

            fn encode(&self, out: &mut [u8]) -> Result<usize, Error> {
                match *self {
                    $(Self::$name(value) => {
                        write_element($number, &value_into!($as, value), out)
                    })+
                    Self::Unknown { tag, value } => write_element(tag, value, out),
                }
            }
        }
    };
}

tags! {
    /// Secondary order reference number.
    1 SecondaryRef: u64,
    /// Firm.
    2 Firm: alpha4,
    /// Minimum quantity.
    3 MinQuantity: u32,
    /// Customer type.
    4 CustomerType: letter,
    /// Greatest displayed quantity.
    5 MaxFloor: u32,
    /// Price type.
    6 PriceType: letter,
    /// Peg offset.
    7 PegOffset: i32,
    /// Discretion price.
    9 DiscretionPrice: price,
    /// Discretion price type.
    10 DiscretionPriceType: letter,
    /// Discretion peg offset.
    11 DiscretionPegOffset: i32,
    /// Post only.
    12 PostOnly: letter,
    /// Random reserve.
    13 RandomReserve: u32,
    /// Route.
    14 Route: alpha4,
    /// Expire time.
    15 ExpireTime: u32,
    /// Trade now.
    16 TradeNow: letter,
    /// Handling instruction.
    17 HandleInstruction: letter,
    /// Weight of the best bid and offer.
    18 BboWeight: letter,
    /// Reference price.
    19 ReferencePrice: price,
    /// Reference price type.
    20 ReferencePriceType: letter,
    /// Displayed quantity.
    22 DisplayQuantity: u32,
    /// Displayed price.
    23 DisplayPrice: price,
    /// Group.
    24 GroupId: u16,
    /// Shares located.
    25 SharesLocated: letter,
    /// Side of the orders of a mass cancel: B or S.
    27 Side: letter,
    /// Our own: a stop, which waits for a trade at this price or beyond.
    128 TriggerPrice: price,
    /// Our own: a trailing stop, whose trigger follows the market at this distance.
    129 TrailDistance: price,
    /// Our own: Y if the order trades whole or not at all, N if not.
    130 AllOrNone: letter,
    /// Our own: Y if a market order takes the other side's best price as its limit, N if not.
    131 MarketToLimit: letter,
    /// Our own: the account of the order, the member's first one without it.
    132 Account: u32,
    /// Our own: how many orders a mass cancel took off.
    133 Orders: u32,
}

impl<'t> Tag<'t> {
    /// Writes elements one behind the other and returns how many bytes they take.
    pub(crate) fn encode_all(
        tags: impl IntoIterator<Item = Tag<'t>>,
        out: &mut [u8],
    ) -> Result<u16, Error> {
        let mut used = 0;
        for tag in tags {
            used += tag.encode(&mut out[used..]).map_err(|e| e.at(used))?;
        }
        let limit = usize::from(u16::MAX);
        u16::try_from(used).map_err(|_| error(Fault::TooLong, 0, 0, limit, used))
    }
}

const fn error(fault: Fault, kind: u8, offset: usize, expected: usize, found: usize) -> Error {
    Error {
        protocol: PROTOCOL,
        fault,
        kind,
        offset,
        expected,
        found,
    }
}

/// Writes one element and returns its length.
fn write_element(tag: u8, value: &[u8], out: &mut [u8]) -> Result<usize, Error> {
    let Ok(length) = u8::try_from(value.len() + 1) else {
        return Err(error(
            Fault::TooLong,
            tag,
            0,
            TAG_VALUE_BYTES_MAX,
            value.len(),
        ));
    };
    let whole = value.len() + 2;
    let room = out.len();
    let Some(element) = out.get_mut(..whole) else {
        return Err(error(Fault::Room, tag, 0, whole, room));
    };
    element[0] = length;
    element[1] = tag;
    element[2..].copy_from_slice(value);
    Ok(whole)
}

/// The optional elements of a message, checked: an iterator in the order of the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tags<'a> {
    rest: &'a [u8],
}

impl<'a> Tags<'a> {
    /// Checks an appendage, without its length.
    ///
    /// # Errors
    /// [`Fault::ZeroLength`] for an element without a tag, [`Fault::Truncated`] for one that runs
    /// past the end, [`Fault::Tag`] for a known one of wrong length.
    pub fn parse(appendage: &'a [u8]) -> Result<Self, Error> {
        let mut rest = appendage;
        while !rest.is_empty() {
            let offset = appendage.len() - rest.len();
            (_, rest) = first_element(rest).map_err(|e| e.at(offset))?;
        }
        Ok(Self { rest: appendage })
    }

    /// The bytes of the elements that the iterator has not given yet.
    #[must_use]
    pub const fn bytes(&self) -> &'a [u8] {
        self.rest
    }
}

impl<'a> Iterator for Tags<'a> {
    type Item = Tag<'a>;

    fn next(&mut self) -> Option<Tag<'a>> {
        // `parse` went over the same elements, so an error here only means the end.
        let (tag, rest) = first_element(self.rest).ok()?;
        self.rest = rest;
        Some(tag)
    }
}

/// Reads the first element and what follows it.
fn first_element(bytes: &[u8]) -> Result<(Tag<'_>, &[u8]), Error> {
    let Some((&length, rest)) = bytes.split_first() else {
        return Err(error(Fault::Empty, 0, 0, 1, 0));
    };
    let length = usize::from(length);
    let Some((element, after)) = rest.split_at_checked(length) else {
        let kind = rest.first().copied().unwrap_or(0);
        return Err(error(Fault::Truncated, kind, 0, length, rest.len()));
    };
    let Some((&tag, value)) = element.split_first() else {
        return Err(error(Fault::ZeroLength, 0, 0, 1, 0));
    };
    match Tag::read(tag, value) {
        Ok(element) => Ok((element, after)),
        Err(expected) => Err(error(Fault::Tag, tag, 0, expected, value.len())),
    }
}
