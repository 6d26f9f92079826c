//! What a member asks for in FIX, said in OUCH.

use crate::message::{Body, Fault, Message};
use crate::moment;
use crate::order::{ID_LETTERS_MAX, PRICE_MARKET, Refused, cancel_reject, price_read, trimmed};
use crate::orders::Orders;
use session::ouch_client::{Order, Replacement};
use wire::ouch::Tag;
use wire::padded;

/// Letters of a symbol.
const SYMBOL_LETTERS_MAX: usize = 8;

/// What is to be done for a message.
#[derive(Clone, Debug, PartialEq)]
pub enum Request {
    /// Enter an order.
    Enter(Order, Vec<Tag<'static>>),
    /// Put an order into the place of another one, which has this number.
    Replace(u32, Replacement, Vec<Tag<'static>>),
    /// Take an order off.
    Cancel(u32, String),
    /// Take an order off that was asked for before, and perhaps never came to the venue.
    CancelAgain(u32),
    /// Take off what fits of an account, at once: MassCancelRequestType, ClOrdID, symbol or blank.
    Mass(char, String, [u8; SYMBOL_LETTERS_MAX], Vec<Tag<'static>>),
    /// Take many orders off, and answer with this MsgType and these fields.
    CancelAll(Vec<(u32, String)>, &'static str, Body),
    /// Answer with this MsgType and these fields.
    Answer(&'static str, Body),
    /// Nothing: it was done before.
    Known,
}

/// Types of messages that FIX 4.4 has and this venue does not do.
const KINDS_KNOWN: &[&str] = &[
    "6", "7", "B", "C", "E", "J", "K", "L", "M", "N", "P", "Q", "R", "S", "T", "V", "W", "X", "Y",
    "Z", "a", "b", "c", "d", "e", "f", "g", "h", "i", "k", "l", "m", "n", "o", "p", "s", "t", "u",
    "v", "w", "x", "y", "z", "8", "9", "j", "r", "AA", "AB", "AC", "AD", "AE", "AF", "AG", "AH",
    "AI", "AJ", "AK", "AL", "AM", "AN", "AO", "AP", "AQ", "AR", "AS", "AT", "AU", "AV", "AW", "AX",
    "AY", "AZ", "BA", "BB", "BC", "BD", "BE", "BF", "BG", "BH",
];

/// Reads a message of the application.
///
/// # Errors
/// What is wrong with it, for a session reject.
pub fn read(message: &Message, orders: &Orders, now_ns: u64) -> Result<Request, Fault> {
    match message.kind() {
        "D" => enter(message, orders, now_ns),
        "F" => cancel(message, orders),
        "G" => replace(message, orders, now_ns),
        "H" => status(message, orders, now_ns),
        "q" => cancel_all(message, orders, now_ns),
        kind if KINDS_KNOWN.contains(&kind) => {
            let body = Body::default()
                .with(45, message.text(34).unwrap_or("0"))
                .with(372, kind)
                .with(380, 3)
                .with(58, "this venue takes orders: D, F, G, H and q");
            Ok(Request::Answer("j", body))
        }
        _ => Err(Fault {
            reason: 11,
            tag: None,
            text: "FIX 4.4 has no such MsgType".into(),
        }),
    }
}

fn id(message: &Message, tag: u32) -> Result<String, Fault> {
    let id = message.required(tag)?;
    let is_good = id.len() <= ID_LETTERS_MAX && id.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_good {
        let text = format!("at most {ID_LETTERS_MAX} printable letters without spaces");
        return Err(Fault::value(tag, text));
    }
    Ok(id.to_owned())
}

fn is_again(message: &Message) -> bool {
    message.get(43) == Some(b"Y") || message.get(97) == Some(b"Y")
}

fn side(message: &Message) -> Result<(u8, char), Fault> {
    match message.required(54)? {
        "1" => Ok((b'B', '1')),
        "2" => Ok((b'S', '2')),
        "5" => Ok((b'T', '5')),
        "6" => Ok((b'E', '6')),
        _ => Err(Fault::value(54, "1 buy, 2 sell, 5 short, 6 short exempt")),
    }
}

fn quantity(message: &Message, tag: u32) -> Result<u32, Fault> {
    let units = message.number(tag)?.ok_or_else(|| Fault::missing(tag))?;
    u32::try_from(units)
        .ok()
        .filter(|units| *units > 0)
        .ok_or_else(|| Fault::value(tag, "units from 1 to 4294967295"))
}

fn price(message: &Message, tag: u32) -> Result<u64, Fault> {
    let text = message.required(tag)?;
    price_read(text)
        .filter(|price| *price < PRICE_MARKET)
        .ok_or_else(|| Fault::format(tag, "a positive price with at most four places"))
}

fn symbol(message: &Message) -> Result<[u8; SYMBOL_LETTERS_MAX], Fault> {
    let name = message.required(55)?;
    if name.len() > SYMBOL_LETTERS_MAX || !name.is_ascii() {
        return Err(Fault::value(55, "at most eight letters"));
    }
    Ok(padded(name))
}

fn account(message: &Message) -> Result<Option<u32>, Fault> {
    let account = message.number(1)?.map(u32::try_from).transpose();
    account.map_err(|_| Fault::value(1, "the number of an account"))
}

/// What a new order and a replacement have in common.
struct Terms {
    price: u64,
    time_in_force: u8,
    display: u8,
    cross_type: u8,
    tags: Vec<Tag<'static>>,
}

fn terms(message: &Message, now_ns: u64) -> Result<Terms, Fault> {
    let transact = message.required(60)?;
    moment::read(transact).ok_or_else(|| Fault::format(60, "not a UTC time"))?;
    let mut tags = Vec::new();
    let price = price_of_type(message, &mut tags)?;
    let (time_in_force, cross_type) = lifetime(message, now_ns, &mut tags)?;
    instructions(message, &mut tags)?;
    tags.extend(account(message)?.map(Tag::Account));
    let mut display = b'Y';
    if let Some(shown) = message.number(111)? {
        match u32::try_from(shown) {
            Ok(0) => display = b'N',
            Ok(units) => tags.push(Tag::MaxFloor(units)),
            Err(_) => return Err(Fault::value(111, "units up to 4294967295")),
        }
    }
    if message.get(110).is_some_and(|units| units != b"0") {
        tags.push(Tag::MinQuantity(quantity(message, 110)?));
    }
    Ok(Terms {
        price,
        time_in_force,
        display,
        cross_type,
        tags,
    })
}

fn price_of_type(message: &Message, tags: &mut Vec<Tag<'static>>) -> Result<u64, Fault> {
    match message.required(40)? {
        "1" => Ok(PRICE_MARKET),
        "2" => price(message, 44),
        "3" => {
            tags.push(Tag::TriggerPrice(price(message, 99)?));
            Ok(PRICE_MARKET)
        }
        "4" => {
            tags.push(Tag::TriggerPrice(price(message, 99)?));
            price(message, 44)
        }
        "K" => {
            tags.push(Tag::MarketToLimit(b'Y'));
            Ok(PRICE_MARKET)
        }
        "P" => match message.get(44) {
            Some(_) => price(message, 44),
            None => Err(Fault::missing(44)),
        },
        _ => Err(Fault::value(
            40,
            "1 market, 2 limit, 3 stop, 4 stop limit, K market to limit, P pegged",
        )),
    }
}

fn lifetime(
    message: &Message,
    now_ns: u64,
    tags: &mut Vec<Tag<'static>>,
) -> Result<(u8, u8), Fault> {
    const DAY_NS: u64 = 86_400_000_000_000;
    match message.letter(59)?.unwrap_or(b'0') {
        b'0' => Ok((b'0', b'N')),
        b'2' => Ok((b'0', b'O')),
        b'7' => Ok((b'0', b'C')),
        b'3' => Ok((b'3', b'N')),
        b'4' => {
            tags.push(Tag::AllOrNone(b'Y'));
            Ok((b'3', b'N'))
        }
        b'6' => {
            let until = message.required(126)?;
            let until_ns =
                moment::read(until).ok_or_else(|| Fault::format(126, "not a UTC time"))?;
            if until_ns / DAY_NS != now_ns / DAY_NS {
                return Err(Fault::value(126, "orders live for a day at most"));
            }
            let seconds = until_ns % DAY_NS / 1_000_000_000;
            tags.push(Tag::ExpireTime(seconds as u32));
            Ok((b'6', b'N'))
        }
        _ => Err(Fault::value(
            59,
            "0 day, 2 opening, 3 immediate or cancel, 4 fill or kill, 6 until a time, 7 closing",
        )),
    }
}

/// ExecInst (18): letters apart by spaces.
fn instructions(message: &Message, tags: &mut Vec<Tag<'static>>) -> Result<(), Fault> {
    let is_pegged = message.get(40) == Some(b"P");
    let mut is_peg_told = false;
    for letter in message.text(18).unwrap_or("").split_ascii_whitespace() {
        let peg = match letter {
            "6" => {
                tags.push(Tag::PostOnly(b'P'));
                continue;
            }
            "G" => {
                tags.push(Tag::AllOrNone(b'Y'));
                continue;
            }
            "R" => b'R',
            "P" => b'P',
            "M" => b'M',
            _ => {
                let text = "6 never take, G all or none, R, P or M what a peg follows";
                return Err(Fault::value(18, text));
            }
        };
        is_peg_told = true;
        tags.push(Tag::PriceType(peg));
    }
    if is_pegged != is_peg_told {
        let text = "R, P or M belongs to a pegged order (40=P), and to no other";
        return Err(Fault::value(18, text));
    }
    if let Some(offset) = message.text(211) {
        let (sign, text) = match offset.strip_prefix('-') {
            Some(text) => (-1, text),
            None => (1, offset),
        };
        let offset = price_read(text).and_then(|offset| i32::try_from(offset).ok());
        let offset = offset.ok_or_else(|| Fault::format(211, "not an offset"))?;
        tags.push(Tag::PegOffset(sign * offset));
    }
    Ok(())
}

fn enter(message: &Message, orders: &Orders, now_ns: u64) -> Result<Request, Fault> {
    let id = id(message, 11)?;
    let symbol = symbol(message)?;
    let side = side(message)?;
    let quantity = quantity(message, 38)?;
    let terms = terms(message, now_ns)?;
    if orders.is_known(&id) {
        return Ok(if is_again(message) {
            Request::Known
        } else {
            let text = "ClOrdID (11) was used before";
            Request::Answer(
                "8",
                refused((&id, &trimmed(&symbol), side.1), 6, text, now_ns),
            )
        });
    }
    let order = Order {
        side: side.0,
        quantity,
        symbol,
        price: terms.price,
        time_in_force: terms.time_in_force,
        display: terms.display,
        cross_type: terms.cross_type,
        client_id: padded(&id),
    };
    Ok(Request::Enter(order, terms.tags))
}

/// An execution report about an order that never reached the venue: ClOrdID, symbol and side, and
/// OrdRejReason (103).
#[must_use]
pub fn refused(order: (&str, &str, char), reason: u32, text: &str, now_ns: u64) -> Body {
    let order = Refused {
        exec: 0,
        id: order.0,
        symbol: order.1,
        side: order.2,
        quantity: None,
    };
    order.report((reason, text), &moment::text(now_ns))
}

fn cancel(message: &Message, orders: &Orders) -> Result<Request, Fault> {
    let (id, old) = (id(message, 11)?, id(message, 41)?);
    symbol(message)?;
    side(message)?;
    match orders.find(&old) {
        Some((user_ref, order)) if order.status.is_live() => {
            let was_asked = is_again(message) && orders.is_cancel_known(&id);
            Ok(match was_asked {
                true => Request::CancelAgain(user_ref),
                false => Request::Cancel(user_ref, id),
            })
        }
        _ if is_again(message) && orders.is_cancel_known(&id) => Ok(Request::Known),
        Some((_, order)) => {
            let body = cancel_reject(Some(order), (&id, '1', 0), "the order is not live");
            Ok(Request::Answer("9", body))
        }
        None => Ok(unknown(&id, &old, '1')),
    }
}

fn unknown(id: &str, old: &str, to: char) -> Request {
    let body = cancel_reject(None, (id, to, 1), "unknown order");
    Request::Answer("9", body.replaced(41, old))
}

fn replace(message: &Message, orders: &Orders, now_ns: u64) -> Result<Request, Fault> {
    let (id, old) = (id(message, 11)?, id(message, 41)?);
    symbol(message)?;
    let side = side(message)?;
    let quantity = quantity(message, 38)?;
    let terms = terms(message, now_ns)?;
    let Some((user_ref, order)) = orders.find(&old) else {
        return Ok(unknown(&id, &old, '2'));
    };
    if orders.is_known(&id) {
        return Ok(if is_again(message) {
            Request::Known
        } else {
            let text = "ClOrdID (11) was used before";
            Request::Answer("9", cancel_reject(Some(order), (&id, '2', 6), text))
        });
    }
    if !order.status.is_live() || side.1 != order.side {
        let text = if order.status.is_live() {
            "an order keeps its side"
        } else {
            "the order is not live"
        };
        let reason = if order.status.is_live() { 99 } else { 0 };
        let body = cancel_reject(Some(order), (&id, '2', reason), text);
        return Ok(Request::Answer("9", body));
    }
    let by = Replacement {
        quantity,
        price: terms.price,
        time_in_force: terms.time_in_force,
        display: terms.display,
        client_id: padded(&id),
    };
    Ok(Request::Replace(user_ref, by, terms.tags))
}

fn status(message: &Message, orders: &Orders, now_ns: u64) -> Result<Request, Fault> {
    let id = id(message, 11)?;
    let symbol = symbol(message)?;
    let side = side(message)?;
    let when = moment::text(now_ns);
    let body = match orders.find(&id) {
        Some((_, order)) => order.status_report(&when),
        None => {
            refused((&id, &trimmed(&symbol), side.1), 5, "unknown order", now_ns).replaced(150, 'I')
        }
    };
    Ok(Request::Answer("8", body))
}

/// OrderMassCancelRequest: 1 of a symbol, 7 all; of one side or account if it names one. What is an
/// order's account the venue knows: that is one request to it.
fn cancel_all(message: &Message, orders: &Orders, now_ns: u64) -> Result<Request, Fault> {
    let id = id(message, 11)?;
    let scope = message.required(530)?;
    let name = match scope {
        "1" => Some(symbol(message)?),
        "7" => None,
        _ => return Err(Fault::value(530, "1 orders of a symbol, 7 all orders")),
    };
    let side = message.get(54).map(|_| side(message)).transpose()?;
    if let Some(account) = account(message)? {
        if is_again(message) && orders.is_mass_known(&id) {
            return Ok(Request::Known);
        }
        let letter = |letter| if letter == b'B' { b'B' } else { b'S' };
        let side = side.map(|(of, _)| Tag::Side(letter(of)));
        let tags = std::iter::once(Tag::Account(account)).chain(side).collect();
        let scope = if scope == "1" { '1' } else { '7' };
        let symbol = name.unwrap_or([b' '; SYMBOL_LETTERS_MAX]);
        return Ok(Request::Mass(scope, id, symbol, tags));
    }
    let mine = orders.live().filter(|(_, order)| {
        name.is_none_or(|name| order.symbol == name)
            && side.is_none_or(|(_, letter)| order.side == letter)
    });
    let mine: Vec<_> = mine.map(|(user_ref, _)| (user_ref, id.clone())).collect();
    let body = Body::default()
        .with(37, "NONE")
        .with(11, &id)
        .with(530, scope)
        .with(531, scope)
        .with(533, mine.len())
        .with_some(55, name.map(|name| trimmed(&name)))
        .with_some(54, side.map(|(_, letter)| letter))
        .with(60, moment::text(now_ns));
    Ok(Request::CancelAll(mine, "r", body))
}
