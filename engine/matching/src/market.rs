//! What a symbol's market does: its state, its reference prices, its bands.

use bytemuck::{Pod, Zeroable};
use wire::ring::{MarketState, PRICE_MAX};

use crate::Engine;
use crate::books::Book;
use crate::carry::Carrier;

/// What is known of a symbol beside its book; no plain order looks at it.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Market {
    /// When its state ends by itself, 0 for never.
    pub(crate) ends_ns: u64,
    /// When the dynamic reference was set.
    pub(crate) dynamic_since_ns: u64,
    /// Reference price of auctions and of the static band, 0 for none.
    pub(crate) reference: u32,
    /// Reference price of the dynamic band, 0 for none.
    pub(crate) dynamic: u32,
    /// Widths of the bands in 1/10,000 of their references, 0 for none.
    pub(crate) static_width: u16,
    pub(crate) dynamic_width: u16,
    /// Time in the limit state, 0 for none.
    pub(crate) limit_ms: u32,
    /// Time in the volatility auction that follows it, 0 for none.
    pub(crate) auction_ms: u32,
    /// Its place among the symbols whose states end.
    pub(crate) timer_at: u32,
    /// A [`MarketState`] less [`STATE_FIRST`], so that a symbol begins in it.
    state: u8,
    /// It was given bands.
    pub(crate) has_bands: u8,
    unused: [u8; 22],
}

/// The greatest width of a band: all of its reference.
const WIDTH_MAX: u16 = 10_000;

/// The state of a symbol that was just defined.
const STATE_FIRST: MarketState = MarketState::Continuous;

const _: () = assert!(size_of::<Market>() == crate::LINE_BYTES);

impl Market {
    pub(crate) fn state(&self) -> MarketState {
        let byte = self.state.wrapping_add(STATE_FIRST as u8);
        MarketState::from_byte(byte).unwrap_or(STATE_FIRST)
    }

    /// What a snapshot carries; the state is set by who reads it.
    pub(crate) fn carry<C: Carrier>(&mut self, to: &mut C) -> Result<(), C::Error> {
        let Self {
            ends_ns,
            dynamic_since_ns,
            reference,
            dynamic,
            static_width,
            dynamic_width,
            limit_ms,
            auction_ms,
            timer_at: _,
            state,
            has_bands,
            unused: _,
        } = self;
        let mut byte = state.wrapping_add(STATE_FIRST as u8);
        let states = MarketState::PreOpen as u8..=MarketState::LimitState as u8;
        to.number("symbol.state", &mut byte, states)?;
        *state = byte.wrapping_sub(STATE_FIRST as u8);
        to.any("symbol.ends_ns", ends_ns)?;
        to.number("symbol.reference", reference, 0..=PRICE_MAX as u32)?;
        to.number("symbol.dynamic", dynamic, 0..=PRICE_MAX as u32)?;
        to.any("symbol.dynamic_since_ns", dynamic_since_ns)?;
        to.number("symbol.static_width", static_width, 0..=WIDTH_MAX)?;
        to.number("symbol.dynamic_width", dynamic_width, 0..=WIDTH_MAX)?;
        to.any("symbol.limit_ms", limit_ms)?;
        to.any("symbol.auction_ms", auction_ms)?;
        to.number("symbol.bands", has_bands, 0..=1)?;
        let has_band = *static_width != 0 || *dynamic_width != 0 || *limit_ms != 0;
        let is_banded = has_band || *auction_ms != 0 || *dynamic != 0;
        to.check("symbol.bands", *has_bands == 1 || !is_banded)
    }

    /// Whether its state can end as it says.
    pub(crate) fn ends_well(&self) -> bool {
        use MarketState::{LimitState, VolatilityAuction};
        self.ends_ns == 0 || matches!(self.state(), LimitState | VolatilityAuction)
    }
}

/// Whether orders only rest, until an auction.
pub(crate) fn is_call(state: MarketState) -> bool {
    use MarketState::{ClosingAuction, OpeningAuction, PreOpen, Reopening, VolatilityAuction};
    matches!(
        state,
        PreOpen | OpeningAuction | VolatilityAuction | Reopening | ClosingAuction
    )
}

/// Whether orders trade as they arrive.
pub(crate) fn is_trading(state: MarketState) -> bool {
    matches!(state, MarketState::Continuous | MarketState::LimitState)
}

impl Engine<'_> {
    pub(crate) fn market(&self, symbol: u16) -> &Market {
        &self.markets[usize::from(symbol)]
    }

    pub(crate) fn state(&self, symbol: u16) -> MarketState {
        self.market(symbol).state()
    }

    pub(crate) fn set_market_state(&mut self, symbol: u16, state: MarketState) {
        self.markets[usize::from(symbol)].state = (state as u8).wrapping_sub(STATE_FIRST as u8);
        let is_other = state != MarketState::Continuous;
        self.books.books[usize::from(symbol)].set(Book::OTHER_STATE, is_other);
    }

    /// Where a market is: at its last price, else at the reference price.
    #[inline]
    pub(crate) fn market_price(&self, symbol: u16) -> Option<u32> {
        let last = self.books.books[usize::from(symbol)].last;
        let price = if last != 0 {
            last
        } else {
            self.market(symbol).reference
        };
        (price != 0).then_some(price)
    }
}
