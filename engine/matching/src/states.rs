//! Market states: what a symbol's orders may do now, and the turn from one state to the next.
//!
//! A turn may hold an uncross, orders that leave and orders that come to life: it is cut into steps
//! like everything else. A symbol in another state than `Continuous` is not plain, so no plain
//! order comes here.

use wire::ring::{Command, Event, EventKind, MarketState, PRICE_MAX, Reason, TimeInForce};

use crate::answers::{about, refused};
use crate::attributes::Asked;
use crate::books::Book;
use crate::engine::Pending;
use crate::market::{is_call, is_trading};
use crate::mass::SYMBOL;
use crate::trade::Taker;
use crate::uncross::{Cross, PAIR_EVENTS_MAX, Search};
use crate::{Engine, Events, Step};

/// A step of a turn yields no more events than a pair of orders, and one more may end it.
const TURN_EVENTS_MAX: usize = PAIR_EVENTS_MAX + 1;

const _: () = assert!(crate::EVENTS_MAX > TURN_EVENTS_MAX);

/// A symbol on its way to another state.
#[derive(Clone, Copy)]
pub(crate) struct Turn {
    /// What its events repeat.
    command: Command,
    to: MarketState,
    stage: Stage,
}

#[derive(Clone, Copy)]
enum Stage {
    /// The price is looked for.
    Search(Search),
    /// Orders trade at it.
    Trade(Cross),
    /// Orders leave that only wanted the auction.
    Leave,
    /// The state changes.
    Tell,
}

impl Engine<'_> {
    /// Puts a symbol into another state.
    #[cold]
    pub(crate) fn set_state(&mut self, command: &Command, events: &mut Events) -> Step {
        let to = match self.check_state(command) {
            Ok(to) => to,
            Err(reason) => {
                events.push(refused(command, reason));
                return Step::Done;
            }
        };
        if command.price != 0 {
            self.markets[usize::from(command.symbol)].reference = command.price as u32;
        }
        self.turn(command, to, events)
    }

    fn check_state(&self, command: &Command) -> Result<MarketState, Reason> {
        let book = self.books.books.get(usize::from(command.symbol));
        let book = book.filter(|book| book.is_defined());
        let tick = i64::from(book.ok_or(Reason::UnknownSymbol)?.tick);
        let state = MarketState::from_byte(command.flags);
        let state = state.filter(|state| *state != MarketState::LimitState);
        let is_price = (0..=PRICE_MAX).contains(&command.price) && command.price % tick == 0;
        match state {
            Some(_) if self.state(command.symbol) == MarketState::Closed && is_price => {
                Err(Reason::NotOpen)
            }
            Some(state) if is_price => Ok(state),
            _ => Err(Reason::InvalidField),
        }
    }

    /// Turns a symbol to a state.
    fn turn(&mut self, command: &Command, to: MarketState, events: &mut Events) -> Step {
        use MarketState::{Closed, ClosingAuction, Continuous};
        let from = self.state(command.symbol);
        let uncrosses =
            to == Continuous && !is_trading(from) || to == Closed && from == ClosingAuction;
        let stage = if uncrosses {
            Stage::Search(self.search_start(command.symbol))
        } else {
            Stage::Tell
        };
        let turn = Turn {
            command: *command,
            to,
            stage,
        };
        self.turn_on(turn, events)
    }

    /// Goes on with a turn.
    pub(crate) fn turn_on(&mut self, mut turn: Turn, events: &mut Events) -> Step {
        while events.room() >= TURN_EVENTS_MAX {
            turn.stage = match turn.stage {
                Stage::Search(mut search) => {
                    let Some(cross) = self.search_on(&mut search) else {
                        turn.stage = Stage::Search(search);
                        break;
                    };
                    events.push(cross.tell(turn.event(EventKind::Uncrossed)));
                    Stage::Trade(cross)
                }
                Stage::Trade(cross) => self.turn_trade(&turn, cross, events),
                Stage::Leave if self.leave_after_auction(turn.command.symbol, events) => {
                    Stage::Leave
                }
                Stage::Leave => Stage::Tell,
                Stage::Tell if turn.to == MarketState::Closed => {
                    return self.leave_all(&turn.command, SYMBOL, Reason::DayClosed, events);
                }
                Stage::Tell => return self.turned(&turn, events),
            };
        }
        self.pending = Pending::Turn(turn);
        Step::More
    }

    /// Trades a pair of orders, or notes the price if there is none any more.
    fn turn_trade(&mut self, turn: &Turn, cross: Cross, events: &mut Events) -> Stage {
        let symbol = turn.command.symbol;
        if cross.volume() == 0 {
            return Stage::Leave;
        }
        if self.trade_pair(symbol, cross.price, events) {
            return Stage::Trade(cross);
        }
        self.books.books[usize::from(symbol)].last = cross.price;
        if turn.to == MarketState::Continuous && self.is_watched(symbol) {
            self.watches[usize::from(symbol)].tick_add(cross.price);
        }
        self.markets[usize::from(symbol)].reference = cross.price;
        Stage::Leave
    }

    /// Ends a turn: the symbol is in its new state.
    fn turned(&mut self, turn: &Turn, events: &mut Events) -> Step {
        let symbol = turn.command.symbol;
        let from = self.state(symbol);
        self.set_market_state(symbol, turn.to);
        events.push(Event {
            quantity: turn.to as u32,
            leaves: from as u32,
            price: i64::from(self.market(symbol).reference),
            related: self.market(symbol).ends_ns,
            ..turn.event(EventKind::StateChanged)
        });
        events.seal();
        if is_trading(turn.to) && !is_trading(from) {
            self.wake(symbol);
        }
        self.ended(Step::Done, events)
    }

    /// Ends the turn of a symbol whose orders left as it is to be closed.
    pub(crate) fn turned_closed(&mut self, command: &Command, events: &mut Events) -> Step {
        let turn = Turn {
            command: *command,
            to: MarketState::Closed,
            stage: Stage::Tell,
        };
        self.turned(&turn, events)
    }

    /// Tells what the auction of a symbol would do now.
    #[cold]
    pub(crate) fn indicate(&mut self, command: &Command, events: &mut Events) -> Step {
        let book = self.books.books.get(usize::from(command.symbol));
        let reason = if !book.is_some_and(Book::is_defined) {
            Reason::UnknownSymbol
        } else if !is_call(self.state(command.symbol)) {
            Reason::NotInState
        } else {
            return self.indicate_on(*command, self.search_start(command.symbol), events);
        };
        events.push(refused(command, reason));
        Step::Done
    }

    /// Goes on looking for the price that the auction would have.
    pub(crate) fn indicate_on(
        &mut self,
        command: Command,
        mut search: Search,
        events: &mut Events,
    ) -> Step {
        let Some(cross) = self.search_on(&mut search) else {
            self.pending = Pending::Indicate(command, search);
            return Step::More;
        };
        events.push(cross.tell(about(&command, EventKind::Indicative, Reason::None)));
        Step::Done
    }

    /// Whether a symbol takes orders at all.
    pub(crate) fn check_open(&self, symbol: u16) -> Result<(), Reason> {
        match self.state(symbol) {
            MarketState::Halt | MarketState::Closed => Err(Reason::Halted),
            _ => Ok(()),
        }
    }

    /// Whether a symbol takes orders of this kind; what comes in a call rests.
    pub(crate) fn check_kind(
        &self,
        command: &Command,
        asked: &Asked,
        taker: &mut Taker,
    ) -> Result<(), Reason> {
        if !is_call(self.state(taker.who.symbol())) {
            return Ok(());
        }
        let is_day = command.time_in_force == TimeInForce::Day as u8;
        if !is_day || asked.wants_trades(command) {
            return Err(Reason::NotInState);
        }
        taker.is_called = true;
        taker.rests = true;
        Ok(())
    }
}

impl Turn {
    /// An event about its symbol.
    fn event(&self, kind: EventKind) -> Event {
        Event {
            flags: 0,
            ..about(&self.command, kind, Reason::None)
        }
    }
}
