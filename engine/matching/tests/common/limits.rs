//! Room for every hostile day, for all who play them.

use flow::hostile::{ORDERS, SESSIONS, SYMBOLS};
use matching::Limits;

/// Enough for every day but those whose tables are to be full at times.
pub const LIMITS: Limits = Limits {
    symbols: SYMBOLS + 1,
    sessions: SESSIONS + 1,
    orders: 4 * ORDERS as u32,
    special: 4 * ORDERS as u32,
    price_groups: 4_096,
    accounts: SESSIONS + 1,
};
