//! Market states: what a symbol's orders may do now, and the turn from one state to the next.
//!
//! A turn may hold an uncross, orders that leave and orders that come to life: it is cut into steps
//! like everything else. A symbol in another state than `Continuous` is not plain, so no plain
//! order comes here.

use bytemuck::Zeroable;
use wire::ring::{Command, Event, EventKind, MarketState, PRICE_MAX, Reason, TimeInForce};

use crate::answers::{about, refused};
use crate::attributes::Asked;
use crate::books::Book;
use crate::engine::Pending;
use crate::events::Words;
use crate::market::{is_call, is_trading};
use crate::mass::SYMBOL;
use crate::slab::NONE;
use crate::trade::Taker;
use crate::uncross::{Cross, PAIR_EVENTS_MAX, Search};
use crate::watch::List;
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
    /// The command that a timer's turn goes ahead of.
    ahead_of: Option<Command>,
}

#[derive(Clone, Copy)]
enum Stage {
    /// The price is looked for.
    Search(Search),
    /// Orders trade at it.
    Trade(Cross),
    /// The stops that it touches are elected, before anything else happens to them.
    Tick,
    /// Orders leave that only wanted the auction.
    Leave,
    /// The state changes.
    Tell,
    /// At-the-close orders come to life.
    Wake,
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
        self.end_never(command.symbol);
        self.turn(command, to, None, events)
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
    fn turn(
        &mut self,
        command: &Command,
        to: MarketState,
        ahead_of: Option<Command>,
        events: &mut Events,
    ) -> Step {
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
            ahead_of,
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
                Stage::Tick if self.tick_some(turn.command.symbol) => {
                    turn.stage = Stage::Tick;
                    break;
                }
                Stage::Tick => Stage::Leave,
                Stage::Leave if self.leave_after_auction(turn.command.symbol, events) => {
                    Stage::Leave
                }
                Stage::Leave => Stage::Tell,
                Stage::Tell if turn.to == MarketState::Closed => {
                    return self.leave_all(&turn.command, SYMBOL, Reason::DayClosed, events);
                }
                Stage::Tell => {
                    self.tell(&turn.command, turn.to, events);
                    Stage::Wake
                }
                Stage::Wake => {
                    self.wake_at_close(turn.command.symbol, events);
                    Stage::Wake
                }
            };
            if matches!(turn.stage, Stage::Wake) && !self.has_at_close(&turn) {
                return self.turned(&turn, events);
            }
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
        self.note_uncross(symbol, cross.price);
        if turn.to == MarketState::Continuous && self.is_watched(symbol) {
            self.watches[usize::from(symbol)].tick_add(cross.price);
            return Stage::Tick;
        }
        Stage::Leave
    }

    /// Puts a symbol that turned into its new state.
    fn tell(&mut self, command: &Command, to: MarketState, events: &mut Events) {
        let symbol = command.symbol;
        let from = self.state(symbol);
        self.change_state(command, to, events);
        if is_trading(to) && !is_trading(from) {
            self.wake(symbol);
        }
        self.touch(symbol);
    }

    /// Ends a turn.
    fn turned(&mut self, turn: &Turn, events: &mut Events) -> Step {
        if let Some(command) = turn.ahead_of {
            self.pending = Pending::Expire(command);
            return Step::More;
        }
        events.mark_last(true);
        self.ended(Step::Done, events)
    }

    /// Puts a symbol into another state and tells it, in an event that repeats a command.
    pub(crate) fn change_state(&mut self, command: &Command, to: MarketState, events: &mut Events) {
        let symbol = command.symbol;
        let from = self.state(symbol);
        self.set_market_state(symbol, to);
        let market = self.market(symbol);
        events.push(Event {
            flags: 0,
            quantity: to as u32,
            leaves: from as u32,
            price: i64::from(market.reference),
            related: market.ends_ns,
            ..about(command, EventKind::StateChanged, Reason::None)
        });
    }

    /// Changes the state of a symbol whose time is over, ahead of a command.
    pub(crate) fn time_out(&mut self, symbol: u16, next: &Command, events: &mut Events) -> Step {
        self.end_never(symbol);
        let command = of_symbol(symbol);
        if self.state(symbol) == MarketState::LimitState {
            self.end_in(symbol, self.market(symbol).auction_ms);
            self.change_state(&command, MarketState::VolatilityAuction, events);
            return Step::Done;
        }
        self.turn(&command, MarketState::Continuous, Some(*next), events)
    }

    /// Ends the turn of a symbol whose orders left as it is to be closed.
    pub(crate) fn turned_closed(&mut self, command: &Command, events: &mut Events) -> Step {
        self.tell(command, MarketState::Closed, events);
        events.mark_last(true);
        self.ended(Step::Done, events)
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

    /// Whether parked at-the-close orders are to come to life yet.
    fn has_at_close(&self, turn: &Turn) -> bool {
        let watch = &self.watches[usize::from(turn.command.symbol)];
        turn.to == MarketState::ClosingAuction && watch.list(List::AtClose).head != NONE
    }

    /// The first of the parked at-the-close orders comes to life and rests.
    fn wake_at_close(&mut self, symbol: u16, events: &mut Events) {
        let part = self.watches[usize::from(symbol)].list(List::AtClose).head;
        let handle = self.slab.parts.all[part as usize].order;
        let mut taker = self.taker_of(handle);
        let related = taker.who.order_ref;
        taker.who.order_ref = self.order_ref_next();
        (taker.is_called, taker.rests) = (true, true);
        self.take_off(self.refs.find(self.slab.orders, handle));
        let has_level = self.has_level(&taker);
        let flags = if has_level { Event::BOOKED } else { 0 };
        events.push_words(Words {
            related,
            ..taker.event(EventKind::Triggered, flags)
        });
        if has_level {
            self.rest_anew(&taker);
        } else {
            events.push_words(taker.left(Reason::LadderFull));
            events.mark_last(false);
        }
    }

    /// The list of an order that is only for an auction.
    pub(crate) fn list_of_auction(&self, handle: u32, life: u8) -> Option<List> {
        let is_parked = self.slab.orders[handle as usize].is_parked();
        match TimeInForce::from_byte(life)? {
            TimeInForce::AtOpen => Some(List::Opening),
            TimeInForce::AtClose if is_parked => Some(List::AtClose),
            TimeInForce::AtClose => Some(List::Closing),
            _ => None,
        }
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
        use MarketState::{ClosingAuction, OpeningAuction, PreOpen};
        let state = self.state(taker.who.symbol());
        let life = TimeInForce::from_byte(command.time_in_force);
        let is_at_once = life == Some(TimeInForce::ImmediateOrCancel);
        if life == Some(TimeInForce::AtOpen) && !matches!(state, PreOpen | OpeningAuction) {
            return Err(Reason::NotInState);
        }
        if !is_call(state) {
            return Ok(());
        }
        if is_at_once || asked.wants_trades(command) {
            return Err(Reason::NotInState);
        }
        taker.is_called = life != Some(TimeInForce::AtClose) || state == ClosingAuction;
        taker.rests = true;
        Ok(())
    }
}

/// Whether an order is at the open or at the close.
pub(crate) fn is_for_auction(command: &Command) -> bool {
    command.time_in_force >= TimeInForce::AtOpen as u8
}

/// What events repeat that no command asked for.
pub(crate) fn of_symbol(symbol: u16) -> Command {
    Command {
        symbol,
        ..Command::zeroed()
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
