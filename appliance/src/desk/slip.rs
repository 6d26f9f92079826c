//! What the desk's threads hand one another: one form for all rings.

use bytemuck::{Pod, Zeroable};
use trading::desk::{Action, Answer, Fill, Input, Kill, Life, NewOrder, OrderId, Overrun, Report};
use trading::{Event, Standing, What};
use wire::ring::Side;

/// A message between two threads of the desk. The stamp beside it in the ring is the time of what
/// it says, or of what made it be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Slip {
    kind: u8,
    /// 0 buy, 1 sell, 2 neither.
    side: u8,
    flag: u8,
    /// The strategy's, of requests and fills of before.
    seat: u8,
    /// A market, or the desk's number of an order.
    number: u32,
    words: [u64; 5],
}

const _: () = assert!(size_of::<Slip>() == wire::ring::BODY_BYTES);

const LEVEL: u8 = 1;
const QUOTE: u8 = 2;
const TRADE: u8 = 3;
const CLEAR: u8 = 4;
const END: u8 = 5;
const ACCEPTED: u8 = 16;
const REFUSED: u8 = 17;
const REPLACED: u8 = 18;
const KEPT: u8 = 19;
const FILLED: u8 = 20;
const CANCELED: u8 = 21;
const NOT_CANCELED: u8 = 22;
const TIME: u8 = 32;
const KILL: u8 = 33;
const OVERRUN: u8 = 34;
const BEFORE: u8 = 35;
const BROKEN: u8 = 36;
const NEW: u8 = 48;
const REPLACE: u8 = 49;
const CANCEL: u8 = 50;
const OWN: u8 = 64;

/// A slip, read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// Something that comes to the desk.
    Input(Input),
    /// A call in the next input took too long.
    Overrun(Overrun),
    /// A request for the venue, and whose it is by the strategy's place.
    Action(Action, u8),
    /// The venue's number of an order of ours.
    Own(u64),
}

fn slip(kind: u8, number: u32, words: [u64; 5]) -> Slip {
    Slip {
        kind,
        side: 2,
        flag: 0,
        seat: 0,
        number,
        words,
    }
}

impl Slip {
    /// An event; its time of receipt is the stamp.
    #[must_use]
    pub fn event(event: &Event) -> Self {
        let at = event.event_ns;
        let priced = |kind, side: Option<Side>, price: i64, quantity| Self {
            side: side.map_or(2, |side| side as u8),
            ..slip(kind, event.symbol, [at, price as u64, quantity, 0, 0])
        };
        match event.what {
            What::Level {
                side,
                price,
                quantity,
            } => priced(LEVEL, Some(side), price, quantity),
            What::Trade {
                price,
                quantity,
                aggressor,
            } => priced(TRADE, aggressor, price, quantity),
            What::Quote { bid, offer } => {
                let prices = [bid.price as u64, offer.price as u64];
                let words = [at, prices[0], bid.quantity, prices[1], offer.quantity];
                slip(QUOTE, event.symbol, words)
            }
            What::Clear => slip(CLEAR, event.symbol, [at, 0, 0, 0, 0]),
            What::End => slip(END, event.symbol, [at, 0, 0, 0, 0]),
        }
    }

    /// An answer; when it came is the stamp.
    #[must_use]
    pub fn report(report: &Report) -> Self {
        let order = report.order.0;
        match report.what {
            Answer::Accepted => slip(ACCEPTED, order, [0; 5]),
            Answer::Refused(why) => slip(REFUSED, order, [why.into(), 0, 0, 0, 0]),
            Answer::Replaced { price, open } => {
                slip(REPLACED, order, [price as u64, open, 0, 0, 0])
            }
            Answer::ReplaceRefused(why) => slip(KEPT, order, [why.into(), 0, 0, 0, 0]),
            Answer::Filled {
                price,
                quantity,
                is_maker,
            } => Self {
                flag: is_maker.into(),
                ..slip(FILLED, order, [price as u64, quantity, 0, 0, 0])
            },
            Answer::Canceled { quantity } => slip(CANCELED, order, [quantity, 0, 0, 0, 0]),
            Answer::CancelRefused => slip(NOT_CANCELED, order, [0; 5]),
        }
    }

    /// An input of any kind, and its stamp.
    #[must_use]
    pub fn input(input: &Input) -> (u64, Self) {
        match input {
            Input::Event(event) => (event.received_ns, Self::event(event)),
            Input::Report(now_ns, report) => (*now_ns, Self::report(report)),
            Input::Before(fill) => (fill.time_ns, Self::before(fill)),
            Input::Broken(fill) => (fill.time_ns, Self::broken(fill)),
            Input::Time(now_ns) => (*now_ns, slip(TIME, 0, [0; 5])),
            Input::Kill(now_ns, why) => {
                let flag = match why {
                    Kill::Loss => 0,
                    Kill::Word => 1,
                    Kill::Blind => 2,
                };
                (
                    *now_ns,
                    Self {
                        flag,
                        ..slip(KILL, 0, [0; 5])
                    },
                )
            }
        }
    }

    /// A fill of an order of before; when it was heard of is the stamp.
    #[must_use]
    pub fn before(fill: &Fill) -> Self {
        Self::fill(BEFORE, fill)
    }

    /// A fill that is taken back; when that was heard of is the stamp.
    #[must_use]
    pub fn broken(fill: &Fill) -> Self {
        Self::fill(BROKEN, fill)
    }

    fn fill(kind: u8, fill: &Fill) -> Self {
        Self {
            side: fill.side as u8,
            flag: fill.is_maker.into(),
            // There are no more strategies than that.
            seat: fill.seat as u8,
            ..slip(
                kind,
                fill.symbol,
                [fill.price as u64, fill.quantity, 0, 0, 0],
            )
        }
    }

    /// A call that took too long.
    #[must_use]
    pub fn overrun(overrun: &Overrun) -> Self {
        slip(OVERRUN, 0, [overrun.call, overrun.took_ns, 0, 0, 0])
    }

    /// The venue's number of an order of ours.
    #[must_use]
    pub fn own(order_ref: u64) -> Self {
        slip(OWN, 0, [order_ref, 0, 0, 0, 0])
    }

    /// A request of a strategy, by its place.
    #[must_use]
    pub fn action(action: &Action, seat: u8) -> Self {
        match *action {
            Action::New { order, new } => Self {
                seat,
                side: new.side as u8,
                flag: match new.life {
                    Life::Day => 0,
                    Life::Post => 1,
                    Life::Immediate => 2,
                },
                ..slip(
                    NEW,
                    order.0,
                    [new.symbol.into(), new.price as u64, new.quantity, 0, 0],
                )
            },
            Action::Replace {
                order,
                price,
                total,
            } => slip(REPLACE, order.0, [0, price as u64, total, 0, 0]),
            Action::Cancel { order } => slip(CANCEL, order.0, [0; 5]),
        }
    }

    /// What it says; `None` for one that says nothing, which nobody here writes.
    #[must_use]
    pub fn read(&self, stamp: u64) -> Option<Said> {
        let [a, b, c, ..] = self.words;
        Some(match self.kind {
            LEVEL..=END => Said::Input(Input::Event(self.read_event(stamp)?)),
            ACCEPTED..=NOT_CANCELED => {
                let order = OrderId(self.number);
                let what = self.read_answer()?;
                Said::Input(Input::Report(stamp, Report { order, what }))
            }
            TIME => Said::Input(Input::Time(stamp)),
            KILL => {
                let why = [Kill::Loss, Kill::Word, Kill::Blind];
                let why = why.get(usize::from(self.flag))?;
                Said::Input(Input::Kill(stamp, *why))
            }
            OVERRUN => Said::Overrun(Overrun {
                call: a,
                took_ns: b,
            }),
            BEFORE => Said::Input(Input::Before(self.read_fill(stamp)?)),
            BROKEN => Said::Input(Input::Broken(self.read_fill(stamp)?)),
            NEW => Said::Action(self.read_new()?, self.seat),
            REPLACE => {
                let action = Action::Replace {
                    order: OrderId(self.number),
                    price: b as i64,
                    total: c,
                };
                Said::Action(action, self.seat)
            }
            CANCEL => {
                let order = OrderId(self.number);
                Said::Action(Action::Cancel { order }, self.seat)
            }
            OWN => Said::Own(a),
            _ => return None,
        })
    }

    fn read_fill(&self, time_ns: u64) -> Option<Fill> {
        let [price, quantity, ..] = self.words;
        Some(Fill {
            time_ns,
            seat: self.seat.into(),
            order: OrderId::default(),
            symbol: self.number,
            side: self.read_side()?,
            price: price as i64,
            quantity,
            is_maker: self.flag != 0,
        })
    }

    const fn read_side(&self) -> Option<Side> {
        match self.side {
            0 => Some(Side::Buy),
            1 => Some(Side::Sell),
            _ => None,
        }
    }

    fn read_event(&self, received_ns: u64) -> Option<Event> {
        let [event_ns, b, c, d, e] = self.words;
        let standing = |price: u64, quantity| Standing {
            price: price as i64,
            quantity,
        };
        let what = match self.kind {
            LEVEL => What::Level {
                side: self.read_side()?,
                price: b as i64,
                quantity: c,
            },
            QUOTE => What::Quote {
                bid: standing(b, c),
                offer: standing(d, e),
            },
            TRADE => What::Trade {
                price: b as i64,
                quantity: c,
                aggressor: self.read_side(),
            },
            CLEAR => What::Clear,
            _ => What::End,
        };
        Some(Event {
            event_ns,
            received_ns,
            symbol: self.number,
            what,
        })
    }

    fn read_answer(&self) -> Option<Answer> {
        let [a, b, ..] = self.words;
        Some(match self.kind {
            ACCEPTED => Answer::Accepted,
            REFUSED => Answer::Refused(a as u16),
            REPLACED => Answer::Replaced {
                price: a as i64,
                open: b,
            },
            KEPT => Answer::ReplaceRefused(a as u16),
            FILLED => Answer::Filled {
                price: a as i64,
                quantity: b,
                is_maker: self.flag != 0,
            },
            CANCELED => Answer::Canceled { quantity: a },
            NOT_CANCELED => Answer::CancelRefused,
            _ => return None,
        })
    }

    fn read_new(&self) -> Option<Action> {
        let [symbol, price, quantity, ..] = self.words;
        let life = [Life::Day, Life::Post, Life::Immediate];
        let new = NewOrder {
            symbol: symbol as u32,
            side: self.read_side()?,
            price: price as i64,
            quantity,
            life: *life.get(usize::from(self.flag))?,
        };
        Some(Action::New {
            order: OrderId(self.number),
            new,
        })
    }
}
