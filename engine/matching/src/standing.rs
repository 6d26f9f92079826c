//! Looking at markets, accounts and kill switches between inputs.

use wire::ring::MarketState;

use crate::Engine;
use crate::risk::{NONE, NONE_32, SECOND_NS};

/// What an account has done, and what it may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountStanding {
    /// Its number.
    pub account: u32,
    /// Live orders.
    pub live_orders: u32,
    /// Value of all live orders and all trades.
    pub gross: i128,
    /// By side: value of its live orders and its trades, less that of the other side's trades.
    pub net: [i128; 2],
    /// The limits with an amount, in the order of their numbers from 1; 0 for none.
    pub limits: [u64; 8],
    /// Orders that may come at once, 0 without a greatest rate.
    pub at_once: u32,
}

/// What a symbol's market does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MarketStanding {
    /// Its state.
    pub state: MarketState,
    /// Price of the last trade, 0 for none.
    pub last: u32,
    /// Whether a kill switch is set for it.
    pub is_killed: bool,
}

impl Engine<'_> {
    /// The market of a symbol that is defined.
    #[must_use]
    pub fn market_standing(&self, symbol: u16) -> Option<MarketStanding> {
        let book = self.books.books.get(usize::from(symbol));
        let book = book.filter(|book| book.is_defined())?;
        Some(MarketStanding {
            state: self.state(symbol),
            last: book.last,
            is_killed: book.is_killed(),
        })
    }

    /// All accounts, in the order in which their first sessions were defined; none if none are
    /// kept.
    pub fn accounts(&self) -> impl Iterator<Item = AccountStanding> + '_ {
        let places = self.accounts.places();
        places
            .filter(|_| self.accounts.is_kept)
            .map(|place| self.standing_at(place))
    }

    fn standing_at(&self, place: u16) -> AccountStanding {
        let account = &self.accounts.all[usize::from(place)];
        let wide = |limit| if limit == NONE { 0 } else { limit };
        let narrow = |limit: u32| if limit == NONE_32 { 0 } else { limit.into() };
        AccountStanding {
            account: self.accounts.number(place),
            live_orders: account.live,
            gross: account.gross,
            net: account.net,
            limits: [
                narrow(account.units_max),
                wide(account.value_max),
                wide(account.distance_max),
                narrow(account.live_max),
                wide(account.position_max),
                wide(account.gross_max),
                wide(account.net_max),
                SECOND_NS
                    .checked_div(account.interval_ns.into())
                    .unwrap_or(0),
            ],
            at_once: account.burst,
        }
    }

    /// Units that an account has of a symbol, by side: those of its live orders and its trades,
    /// less those of the other side's trades.
    #[must_use]
    pub fn account_units(&self, account: u32, symbol: u16) -> [i64; 2] {
        let place = self
            .accounts
            .place(account)
            .filter(|_| self.accounts.is_kept);
        place.map_or([0; 2], |place| self.accounts.position(place, symbol).0)
    }

    /// Whether an account may not trade a symbol.
    #[must_use]
    pub fn is_account_restricted(&self, account: u32, symbol: u16) -> bool {
        let place = self
            .accounts
            .place(account)
            .filter(|_| self.accounts.is_kept);
        place.is_some_and(|place| self.accounts.is_restricted(place, symbol))
    }
}
