//! Where a row comes from is its key: day, stream and number in one integer.

use crate::Error;

/// Nanoseconds of a day: times in messages are since midnight.
const DAY_NS: u64 = 86_400_000_000_000;

/// Bits below the day.
const DAY_SHIFT: u32 = 48;
/// Bits below the session.
const SESSION_SHIFT: u32 = 32;
/// Days that a database holds.
pub const DAYS_MAX: i64 = (1 << (63 - DAY_SHIFT)) - 1;

const _: () = assert!(DAY_SHIFT - SESSION_SHIFT == u16::BITS);

/// The least id of a day.
#[must_use]
pub const fn first_of(day: i64) -> i64 {
    day << DAY_SHIFT
}

/// The id of what is number `number` in its day.
///
/// # Errors
/// There are more than ids can tell.
pub fn id(day: i64, number: u64) -> Result<i64, Error> {
    if number >> DAY_SHIFT != 0 {
        let words = format!("number {number} is beyond the 2^48 that a day may have");
        return Err(Error::Refused(words));
    }
    Ok(first_of(day) | number as i64)
}

/// The id of a session's message.
///
/// # Errors
/// A session has more messages than ids can tell.
pub fn reply_id(day: i64, session: u16, message: u64) -> Result<i64, Error> {
    if message >> SESSION_SHIFT != 0 {
        let words = format!("message {message} of session {session} is beyond the 2^32 of a day");
        return Err(Error::Refused(words));
    }
    id(day, u64::from(session) << SESSION_SHIFT | message)
}

/// The id of a side of a trade: buyers have even ones, the seller's is the next.
///
/// # Errors
/// The match number is greater than ids can tell.
pub fn fill_id(day: i64, match_number: u64, is_sell: bool) -> Result<i64, Error> {
    id(day, match_number.saturating_mul(2) | u64::from(is_sell))
}

/// The first moment from `last` on whose time of the day is `of_day`: messages of a stream never
/// go back, and a day's venue may run past midnight.
#[must_use]
pub const fn moment(last: u64, of_day: u64) -> u64 {
    let time_ns = last - last % DAY_NS + of_day;
    if time_ns < last {
        time_ns + DAY_NS
    } else {
        time_ns
    }
}
