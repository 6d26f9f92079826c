//! What a client asks for, as the venue's protocol has it: docs/orders.md.

use super::messages::{
    CancelRequest, EnterRequest, Lifetime, MassCancelRequest, Peg, PostOnly, ReplaceRequest, Side,
    Terms,
};
use super::session::{Ask, Asked};
use crate::answer::Refusal;
use session::ouch_client::{Order, Replacement};
use wire::ouch::Tag;
use wire::padded;
use wire::ring::{PRICE_MARKET, PRICE_MAX};

/// Letters of a symbol, and of a member's own text.
const SYMBOL_MAX: usize = 8;
const TEXT_MAX: usize = 14;

fn bad(what: impl Into<String>) -> Refusal {
    Refusal::Bad(what.into())
}

/// What the fixed fields of an order and of a replacement say.
struct Fixed {
    price: u64,
    time_in_force: u8,
    cross_type: u8,
    display: u8,
    client_id: [u8; TEXT_MAX],
    tags: Vec<Tag<'static>>,
}

pub(super) fn enter(asked: &EnterRequest) -> Result<Ask, Refusal> {
    let terms = terms_of(asked.terms.as_ref())?;
    let fixed = fixed(terms)?;
    let side = match asked.side() {
        Side::Buy => b'B',
        Side::Sell => b'S',
        Side::SellShort => b'T',
        Side::SellShortExempt => b'E',
        Side::Unspecified => return Err(bad("side: SIDE_BUY or SIDE_SELL")),
    };
    let order = Order {
        side,
        quantity: terms.quantity,
        symbol: symbol(&asked.symbol)?,
        price: fixed.price,
        time_in_force: fixed.time_in_force,
        display: fixed.display,
        cross_type: fixed.cross_type,
        client_id: fixed.client_id,
    };
    Ok(Ask {
        reference: asked.reference,
        asked: Asked::Enter(order, fixed.tags),
    })
}

pub(super) fn replace(asked: &ReplaceRequest) -> Result<Ask, Refusal> {
    let terms = terms_of(asked.terms.as_ref())?;
    let fixed = fixed(terms)?;
    if asked.old_reference == 0 {
        return Err(bad("old_reference: which order is to be replaced"));
    }
    if fixed.cross_type != b'N' {
        return Err(bad(
            "terms.lifetime: a replacement stays in its order's auction",
        ));
    }
    let by = Replacement {
        quantity: terms.quantity,
        price: fixed.price,
        time_in_force: fixed.time_in_force,
        display: fixed.display,
        client_id: fixed.client_id,
    };
    Ok(Ask {
        reference: asked.reference,
        asked: Asked::Replace(asked.old_reference, by, fixed.tags),
    })
}

pub(super) fn cancel(asked: CancelRequest) -> Result<Ask, Refusal> {
    if asked.reference == 0 {
        return Err(bad("reference: which order"));
    }
    Ok(Ask {
        reference: asked.reference,
        asked: Asked::Cancel(asked.quantity),
    })
}

pub(super) fn mass_cancel(asked: &MassCancelRequest) -> Result<Ask, Refusal> {
    let symbol = if asked.symbol.is_empty() {
        [b' '; SYMBOL_MAX]
    } else {
        symbol(&asked.symbol)?
    };
    let mut tags = Vec::new();
    tags.extend((asked.account != 0).then_some(Tag::Account(asked.account)));
    match asked.side() {
        Side::Unspecified => {}
        Side::Buy => tags.push(Tag::Side(b'B')),
        Side::Sell => tags.push(Tag::Side(b'S')),
        _ => return Err(bad("side: SIDE_BUY, SIDE_SELL, or none for both")),
    }
    Ok(Ask {
        reference: asked.reference,
        asked: Asked::MassCancel(symbol, tags),
    })
}

fn terms_of(terms: Option<&Terms>) -> Result<&Terms, Refusal> {
    let terms = terms.ok_or_else(|| bad("terms: what the order is to do"))?;
    if terms.quantity == 0 {
        return Err(bad("terms.quantity: at least 1"));
    }
    Ok(terms)
}

/// Letters that fit, as the venue has them.
fn letters<const N: usize>(name: &str, text: &str) -> Result<[u8; N], Refusal> {
    if text.len() > N || !text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return Err(bad(format!("{name}: up to {N} printable letters")));
    }
    Ok(padded(text))
}

fn symbol(text: &str) -> Result<[u8; SYMBOL_MAX], Refusal> {
    if text.is_empty() {
        return Err(bad("symbol: say which"));
    }
    letters("symbol", text)
}

fn fixed(terms: &Terms) -> Result<Fixed, Refusal> {
    let price = match terms.price {
        Some(price) if price > PRICE_MAX as u64 => {
            return Err(bad(format!(
                "terms.price: up to {PRICE_MAX}, or none for any"
            )));
        }
        Some(_) if terms.market_to_limit => {
            return Err(bad(
                "terms.market_to_limit: its limit is the market's: no price",
            ));
        }
        Some(price) => price,
        None => PRICE_MARKET as u64,
    };
    let mut tags = Vec::new();
    let (time_in_force, cross_type) = match known(terms.lifetime, "terms.lifetime")? {
        Lifetime::Day => (b'0', b'N'),
        Lifetime::Immediate => (b'3', b'N'),
        Lifetime::FillOrKill => {
            tags.push(Tag::AllOrNone(b'Y'));
            (b'3', b'N')
        }
        Lifetime::Until => {
            tags.push(Tag::ExpireTime(terms.until_s));
            (b'6', b'N')
        }
        Lifetime::Opening => (b'0', b'O'),
        Lifetime::Closing => (b'0', b'C'),
    };
    let lifetime = terms.lifetime();
    if (lifetime == Lifetime::Until) != (terms.until_s != 0) {
        return Err(bad("terms.until_s: with LIFETIME_UNTIL, and only then"));
    }
    if terms.all_or_none && lifetime != Lifetime::FillOrKill {
        tags.push(Tag::AllOrNone(b'Y'));
    }
    match known(terms.post_only, "terms.post_only")? {
        PostOnly::No => {}
        PostOnly::Refuse => tags.push(Tag::PostOnly(b'P')),
        PostOnly::Slide => tags.push(Tag::PostOnly(b'S')),
    }
    let peg = match known(terms.peg, "terms.peg")? {
        Peg::None if terms.peg_offset != 0 => {
            return Err(bad("terms.peg_offset: of a peg only"));
        }
        Peg::None => None,
        Peg::OwnSide => Some(b'R'),
        Peg::OtherSide => Some(b'P'),
        Peg::Middle => Some(b'M'),
    };
    tags.extend(peg.map(Tag::PriceType));
    let some = |is_there: bool, tag| is_there.then_some(tag);
    tags.extend(some(
        terms.peg_offset != 0,
        Tag::PegOffset(terms.peg_offset),
    ));
    tags.extend(some(terms.max_floor != 0, Tag::MaxFloor(terms.max_floor)));
    tags.extend(some(
        terms.min_quantity != 0,
        Tag::MinQuantity(terms.min_quantity),
    ));
    tags.extend(some(
        terms.trigger_price != 0,
        Tag::TriggerPrice(terms.trigger_price),
    ));
    tags.extend(some(
        terms.trail_distance != 0,
        Tag::TrailDistance(terms.trail_distance),
    ));
    tags.extend(some(terms.market_to_limit, Tag::MarketToLimit(b'Y')));
    tags.extend(some(terms.account != 0, Tag::Account(terms.account)));
    Ok(Fixed {
        price,
        time_in_force,
        cross_type,
        display: if terms.hidden { b'N' } else { b'Y' },
        client_id: letters("terms.text", &terms.text)?,
        tags,
    })
}

/// A number that is one of an enumeration's: what nobody knows is no default.
fn known<T: TryFrom<i32>>(number: i32, name: &str) -> Result<T, Refusal> {
    T::try_from(number).map_err(|_| bad(format!("{name}: {number} is none of them")))
}
