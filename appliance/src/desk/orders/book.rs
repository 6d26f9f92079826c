//! The desk's orders by the venue's references, and what replies say of them.

use session::ouch_client::{Order, OuchClient, Replacement};
use trading::desk::{Action, Answer, Fill, Life, NewOrder, OPEN_ORDERS_MAX, OrderId};
use wire::ouch::{Outbound, Tag};
use wire::padded;
use wire::ring::Side;

use super::fills::Fills;
use super::strangers::{Strangers, client_id};

/// The reason of a refusal that is not the venue's: the request did not reach it.
pub const NOT_SENT: u16 = u16::MAX;

/// How the venue tells a market: its symbol, and how many of its ticks one of ours is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// Padded with spaces.
    pub symbol: [u8; 8],
    /// Ticks of 1/10,000 in a tick of the desk.
    pub ticks: i64,
}

impl Route {
    /// A market by the venue's name of it.
    #[must_use]
    pub const fn new(symbol: &str, ticks: i64) -> Self {
        Self {
            symbol: padded(symbol),
            ticks,
        }
    }

    fn price_out(&self, price: i64) -> Option<u64> {
        u64::try_from(price.checked_mul(self.ticks)?).ok()
    }

    pub(super) fn price_in(&self, price: u64) -> Option<i64> {
        let price = i64::try_from(price).ok()?;
        (price % self.ticks == 0).then_some(price / self.ticks)
    }
}

/// An order that lives.
#[derive(Clone, Copy, Debug)]
struct Live {
    order: OrderId,
    /// The market, the side and the strategy's place.
    symbol: u32,
    side: Side,
    seat: u8,
    route: Route,
    /// The venue's reference; a replacement gives another one.
    user_ref: u32,
    /// The reference of the order itself until the venue has said anything of it.
    is_new: bool,
    replacing: Option<u32>,
    is_leaving: bool,
    is_post: bool,
    open: u64,
    /// Lots filled under earlier references, and under this one.
    filled_before: u64,
    filled: u64,
}

/// What a reply is to the desk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// Nothing.
    Nothing,
    /// An answer.
    Answer(OrderId, Answer),
    /// A fill of an order of before, without its time.
    Before(Fill),
    /// This was taken back, without its time.
    Broken(Fill),
    /// A fill at a price between the desk's ticks, in 1/10,000.
    Between(u64),
}

/// See the module.
#[derive(Clone, Debug)]
pub struct OrderBook {
    routes: Vec<Route>,
    live: Vec<Live>,
    strangers: Strangers,
    fills: Fills,
}

impl OrderBook {
    /// No orders yet; routes by the numbers of the markets.
    #[must_use]
    pub fn new(routes: Vec<Route>) -> Self {
        Self {
            routes,
            live: Vec::with_capacity(2 * OPEN_ORDERS_MAX),
            strangers: Strangers::default(),
            fills: Fills::default(),
        }
    }

    /// Orders that live, as far as the venue's replies say.
    #[must_use]
    pub fn len(&self) -> usize {
        self.live.len()
    }

    /// Whether no order lives.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.live.is_empty()
    }

    /// Orders that the desk did not send, and that live.
    #[must_use]
    pub fn strangers(&self) -> usize {
        self.strangers.len()
    }

    /// Queues a request; gives the answer to one that cannot be.
    pub fn send(&mut self, ouch: &mut OuchClient, action: &Action, seat: u8) -> Option<Answer> {
        match *action {
            Action::New { order, new } => {
                let route = self.routes.get(new.symbol as usize);
                let sent = route.and_then(|route| Some((*route, enter(ouch, &new, route, seat)?)));
                let Some((route, user_ref)) = sent else {
                    return Some(Answer::Refused(NOT_SENT));
                };
                self.live.push(Live {
                    order,
                    symbol: new.symbol,
                    side: new.side,
                    seat,
                    route,
                    user_ref,
                    is_new: true,
                    replacing: None,
                    is_leaving: false,
                    is_post: new.life == Life::Post,
                    open: new.quantity,
                    filled_before: 0,
                    filled: 0,
                });
                None
            }
            Action::Replace {
                order,
                price,
                total,
            } => {
                let live = self.live.iter_mut().find(|live| live.order == order);
                let is_sent = live.is_some_and(|live| replace(ouch, live, price, total));
                (!is_sent).then_some(Answer::ReplaceRefused(NOT_SENT))
            }
            Action::Cancel { order } => {
                let live = self.live.iter_mut().find(|live| live.order == order);
                let live = live.filter(|live| ouch.cancel(live.user_ref, 0));
                match live {
                    Some(live) => {
                        live.is_leaving = true;
                        None
                    }
                    None => Some(Answer::CancelRefused),
                }
            }
        }
    }

    /// The venue was away and is back; `next` is the first reference that it has not taken. Tells
    /// of what never reached it, and cancels again what was to leave.
    pub fn resume(
        &mut self,
        ouch: &mut OuchClient,
        next: u32,
        on: &mut dyn FnMut(OrderId, Answer),
    ) {
        for live in &mut self.live {
            if live.replacing.is_some_and(|user_ref| user_ref >= next) {
                live.replacing = None;
                on(live.order, Answer::ReplaceRefused(NOT_SENT));
            }
            if live.is_leaving && !ouch.cancel(live.user_ref, 0) {
                live.is_leaving = false;
                on(live.order, Answer::CancelRefused);
            }
        }
        self.live.retain(|live| {
            let is_lost = live.is_new && live.user_ref >= next;
            if is_lost {
                on(live.order, Answer::Refused(NOT_SENT));
            }
            !is_lost
        });
    }

    /// Takes off what the desk did not send; how many orders that are.
    pub fn strangers_leave(&mut self, ouch: &mut OuchClient) -> usize {
        self.strangers.leave(ouch)
    }

    /// What a reply says of an order of the desk.
    pub fn hear(&mut self, message: &Outbound<'_>) -> Told {
        let told = match message {
            Outbound::Accepted(m) => match place(&self.live, m.user_ref()) {
                Some(at) => {
                    self.live[at].is_new = false;
                    Told::Answer(self.live[at].order, Answer::Accepted)
                }
                None => {
                    self.strangers.accepted(m, &self.routes);
                    Told::Nothing
                }
            },
            Outbound::Rejected(m) => self.rejected(m.user_ref(), m.reason()),
            Outbound::Replaced(m) => {
                let is_it = |live: &Live| live.replacing == Some(m.user_ref());
                match self.live.iter_mut().find(|live| is_it(live)) {
                    Some(live) => replaced(live, m.user_ref(), m.quantity(), m.price()),
                    None => {
                        self.strangers.replaced(m, &self.routes);
                        Told::Nothing
                    }
                }
            }
            Outbound::Executed(m) => {
                let (told, fill) = match place(&self.live, m.user_ref()) {
                    Some(at) => {
                        let is_maker = m.liquidity() == b'A';
                        let live = &mut self.live[at];
                        let told = filled(live, m.quantity(), m.price(), is_maker);
                        (told, fill_of(live, told))
                    }
                    None => {
                        let told = self.strangers.executed(m, &self.routes);
                        (told, before_of(told))
                    }
                };
                if let Some(fill) = fill {
                    self.fills.add(m.match_number(), m.user_ref(), fill);
                }
                told
            }
            Outbound::BrokenTrade(m) => {
                let broken = self.fills.take_back(m.match_number(), m.user_ref());
                broken.map_or(Told::Nothing, Told::Broken)
            }
            Outbound::Canceled(m) => match place(&self.live, m.user_ref()) {
                Some(at) => {
                    let quantity = u64::from(m.quantity());
                    let live = &mut self.live[at];
                    live.open = live.open.saturating_sub(quantity);
                    // The venue takes no replacement of an order that is gone.
                    Told::Answer(live.order, Answer::Canceled { quantity })
                }
                None => self.strangers.less(m.user_ref(), m.quantity()),
            },
            Outbound::CancelReject(m) => match place(&self.live, m.user_ref()) {
                Some(at) => {
                    self.live[at].is_leaving = false;
                    Told::Answer(self.live[at].order, Answer::CancelRefused)
                }
                None => self.strangers.less(m.user_ref(), u32::MAX),
            },
            _ => Told::Nothing,
        };
        self.live
            .retain(|live| live.open > 0 || live.replacing.is_some());
        told
    }

    fn rejected(&mut self, user_ref: u32, reason: u16) -> Told {
        let is_it = |live: &&mut Live| live.replacing == Some(user_ref);
        if let Some(live) = self.live.iter_mut().find(is_it) {
            live.replacing = None;
            return Told::Answer(live.order, Answer::ReplaceRefused(reason));
        }
        match place(&self.live, user_ref) {
            Some(at) => Told::Answer(self.live.remove(at).order, Answer::Refused(reason)),
            None => Told::Nothing,
        }
    }
}

fn replaced(live: &mut Live, user_ref: u32, quantity: u32, price: u64) -> Told {
    live.user_ref = user_ref;
    live.replacing = None;
    live.filled_before += core::mem::take(&mut live.filled);
    live.open = quantity.into();
    let open = live.open;
    match live.route.price_in(price) {
        Some(price) => Told::Answer(live.order, Answer::Replaced { price, open }),
        None => Told::Between(price),
    }
}

fn filled(live: &mut Live, quantity: u32, price: u64, is_maker: bool) -> Told {
    let quantity = u64::from(quantity);
    live.filled += quantity;
    live.open = live.open.saturating_sub(quantity);
    let Some(price) = live.route.price_in(price) else {
        return Told::Between(price);
    };
    let what = Answer::Filled {
        price,
        quantity,
        is_maker,
    };
    Told::Answer(live.order, what)
}

/// What was told of an order of ours, if that was a fill.
const fn fill_of(live: &Live, told: Told) -> Option<Fill> {
    let Told::Answer(
        order,
        Answer::Filled {
            price,
            quantity,
            is_maker,
        },
    ) = told
    else {
        return None;
    };
    Some(Fill {
        time_ns: 0,
        seat: live.seat as u16,
        order,
        symbol: live.symbol,
        side: live.side,
        price,
        quantity,
        is_maker,
    })
}

const fn before_of(told: Told) -> Option<Fill> {
    match told {
        Told::Before(fill) => Some(fill),
        _ => None,
    }
}

fn place(live: &[Live], user_ref: u32) -> Option<usize> {
    live.iter().position(|live| live.user_ref == user_ref)
}

fn tags(is_post: bool) -> &'static [Tag<'static>] {
    if is_post { &[Tag::PostOnly(b'P')] } else { &[] }
}

fn replace(ouch: &mut OuchClient, live: &mut Live, price: i64, total: u64) -> bool {
    let total = total.saturating_sub(live.filled_before);
    let (Ok(quantity), Some(price)) = (u32::try_from(total), live.route.price_out(price)) else {
        return false;
    };
    let by = Replacement::day(quantity, price);
    live.replacing = ouch.replace(live.user_ref, &by, tags(live.is_post));
    live.replacing.is_some()
}

fn enter(ouch: &mut OuchClient, new: &NewOrder, route: &Route, seat: u8) -> Option<u32> {
    let order = Order {
        side: match new.side {
            Side::Buy => b'B',
            Side::Sell => b'S',
        },
        quantity: u32::try_from(new.quantity).ok()?,
        symbol: route.symbol,
        price: route.price_out(new.price)?,
        time_in_force: match new.life {
            Life::Immediate => b'3',
            Life::Day | Life::Post => b'0',
        },
        display: b'Y',
        cross_type: b'N',
        client_id: client_id(seat),
    };
    ouch.enter_with(&order, tags(new.life == Life::Post))
}
