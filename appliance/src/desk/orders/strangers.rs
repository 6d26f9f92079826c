//! Orders of the desk's user that it did not send itself: what an earlier desk left, or whoever
//! used its login. They are taken off, and what they trade is told.

use session::ouch_client::OuchClient;
use trading::desk::{Fill, OrderId, SEATS_MAX};
use wire::ouch::outbound::{Accepted, Executed, Replaced};
use wire::ring::Side;

use super::book::{Route, Told};

// Two digits of a client id name a strategy.
const _: () = assert!(SEATS_MAX <= 100);

#[derive(Clone, Copy, Debug)]
struct Stranger {
    user_ref: u32,
    open: u32,
    is_leaving: bool,
    whose: Whose,
}

/// What an order of before was for.
#[derive(Clone, Copy, Debug)]
struct Whose {
    /// Number of the market; none that is not the desk's.
    market: Option<u32>,
    side: Side,
    /// The strategy's place.
    seat: u16,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct Strangers(Vec<Stranger>);

impl Strangers {
    /// How many live.
    pub(super) const fn len(&self) -> usize {
        self.0.len()
    }

    /// The venue took one.
    pub(super) fn accepted(&mut self, m: &Accepted<'_>, routes: &[Route]) {
        let whose = whose((m.symbol(), m.side(), m.client_id()), routes);
        self.add(m.user_ref(), m.quantity(), whose);
    }

    /// One has another reference, and is for what it was for.
    pub(super) fn replaced(&mut self, m: &Replaced<'_>, routes: &[Route]) {
        let old = |it: &Stranger| it.user_ref == m.old_user_ref();
        let whose = match self.0.iter().position(old) {
            Some(at) => self.0.swap_remove(at).whose,
            None => whose((m.symbol(), m.side(), m.client_id()), routes),
        };
        self.add(m.user_ref(), m.quantity(), whose);
    }

    /// One traded: what that is to the desk.
    pub(super) fn executed(&mut self, m: &Executed<'_>, routes: &[Route]) -> Told {
        let is_it = |it: &&Stranger| it.user_ref == m.user_ref();
        let whose = self.0.iter().find(is_it).map(|it| it.whose);
        self.less(m.user_ref(), m.quantity());
        let Some((whose, market)) = whose.and_then(|it| Some((it, it.market?))) else {
            return Told::Nothing;
        };
        match routes[market as usize].price_in(m.price()) {
            Some(price) => Told::Before(Fill {
                time_ns: 0,
                seat: whose.seat,
                order: OrderId::default(),
                symbol: market,
                side: whose.side,
                price,
                quantity: m.quantity().into(),
                is_maker: m.liquidity() == b'A',
            }),
            None => Told::Between(m.price()),
        }
    }

    /// So much less of one is open.
    pub(super) fn less(&mut self, user_ref: u32, quantity: u32) -> Told {
        self.0.retain_mut(|it| {
            if it.user_ref == user_ref {
                it.open = it.open.saturating_sub(quantity);
            }
            it.open > 0
        });
        Told::Nothing
    }

    /// Takes all off; how many orders that are.
    pub(super) fn leave(&mut self, ouch: &mut OuchClient) -> usize {
        let staying = self.0.iter_mut().filter(|it| !it.is_leaving);
        let mut count = 0;
        for stranger in staying {
            stranger.is_leaving = ouch.cancel(stranger.user_ref, 0);
            count += usize::from(stranger.is_leaving);
        }
        count
    }

    fn add(&mut self, user_ref: u32, open: u32, whose: Whose) {
        self.0.push(Stranger {
            user_ref,
            open,
            is_leaving: false,
            whose,
        });
    }
}

fn whose((symbol, side, client_id): ([u8; 8], u8, [u8; 14]), routes: &[Route]) -> Whose {
    let market = routes.iter().position(|it| it.symbol == symbol);
    Whose {
        market: market.map(|at| at as u32),
        side: if side == b'B' { Side::Buy } else { Side::Sell },
        seat: seat_of(&client_id).unwrap_or(0),
    }
}

/// Of a strategy's order, so that a desk started later knows whose it was: two digits are enough
/// for all strategies.
pub(super) const fn client_id(seat: u8) -> [u8; 14] {
    let mut id = *b"desk-00       ";
    id[5] += seat / 10 % 10;
    id[6] += seat % 10;
    id
}

fn seat_of(client_id: &[u8; 14]) -> Option<u16> {
    let seat = client_id.strip_prefix(b"desk-")?;
    std::str::from_utf8(seat).ok()?.trim_end().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strategy_is_known_by_its_orders() {
        for seat in 0..100 {
            assert_eq!(seat_of(&client_id(seat)), Some(seat.into()));
        }
        for other in [*b"              ", *b"desk-         ", *b"another 7     "] {
            assert_eq!(seat_of(&other), None);
        }
    }
}
