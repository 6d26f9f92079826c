//! What must have been heard, told by a naive model from nothing but the journal.

use flow::{Naive, Resting};
use journal::simulated::Disk;
use matching::Engine;
use trading::Books;
use wire::ring::{Command, CommandKind, Event, EventKind, Input, PRICE_MARKET, Reason, Side};

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::absence::Absences;
use crate::accounts::Holders;
use crate::copy::copied_of;
use crate::levels::{LevelTeller, Stands};
use crate::market::{MarketTeller, Told};
use crate::reply::{Teller, reply_of};
use crate::sent::{self, is_extra, is_mass, is_members};
use crate::used::Used;
use crate::wish::Sending;
use crate::words::{Answer, is_told};

/// The journal's inputs and what a naive model makes of them.
///
/// It follows the journal from life to life: what was read once must be there again.
pub struct Oracle {
    pub inputs: Vec<Input>,
    naive: Naive,
    /// Whose session numbers are.
    holders: Holders,
    absences: Absences,
    used: Used,
    teller: Teller,
    market: MarketTeller,
    levels: Option<LevelTeller>,
    /// Units that auctions traded.
    pub crossed: u64,
    /// The events of the venue's own commands, by input.
    own: BTreeMap<u64, Vec<Event>>,
    checked: Checked,
}

/// How much of what was heard was compared before.
#[derive(Default)]
struct Checked {
    replies: Vec<usize>,
    copies: usize,
    market: usize,
}

impl Oracle {
    /// An empty journal's oracle; `watched` are the accounts with drop copies.
    pub fn new(sessions: u16, watched: BTreeSet<u32>, has_depth: bool) -> Self {
        Self {
            inputs: Vec::new(),
            naive: Naive::new(),
            holders: Holders::default(),
            absences: Absences::default(),
            used: Used::default(),
            teller: Teller::new(sessions, watched),
            market: MarketTeller::default(),
            levels: has_depth.then(LevelTeller::default),
            crossed: 0,
            own: BTreeMap::new(),
            checked: Checked {
                replies: vec![0; usize::from(sessions)],
                ..Checked::default()
            },
        }
    }

    /// Reads the disk's journal, of which everything is durable. An error is history that changed.
    pub fn follow(&mut self, disk: &Disk) -> Result<(), String> {
        let (mut index, mut changed) = (0, None);
        let known = self.inputs.len();
        let recovered = journal::recover(&mut disk.whole().storage(), &mut |input| {
            if index >= known {
                self.inputs.push(*input);
            } else if self.inputs[index] != *input {
                changed = changed.or(Some(index + 1));
            }
            index += 1;
        });
        recovered.map_err(|error| error.to_string())?;
        if let Some(sequence) = changed {
            return Err(format!(
                "input {sequence} of the journal is another one now"
            ));
        }
        if index < known {
            return Err(format!("the journal had {known} inputs and has {index}"));
        }
        self.holders.begin(known);
        self.absences.begin();
        (known..index).try_for_each(|at| self.apply(at))
    }

    fn apply(&mut self, at: usize) -> Result<(), String> {
        let input = self.inputs[at];
        self.absences.follow(&input)?;
        let events = self.naive.apply(&input);
        for event in &events {
            self.holders.tell(event, at);
            let holder = self.holders.of(event.session);
            self.teller.tell(event, &input, holder);
            self.market.tell(event, &input);
            if event.kind == EventKind::Uncrossed as u8 {
                self.crossed += u64::from(event.quantity);
            }
        }
        let holder = self.holders.of(input.command.session);
        if let Some(holder) = holder.filter(|_| is_of_member(&input.command)) {
            self.used.follow(holder.session, &input.command, &events);
        }
        if let Some(levels) = &mut self.levels {
            levels.tell(&self.naive, &events, &input);
        }
        if !is_members(&input.command) {
            self.own.insert(input.sequence, events);
        }
        Ok(())
    }

    /// Orders that were taken and are in the journal once more: the gate, which had the answer,
    /// asked for them again.
    pub const fn came_again(&self) -> u64 {
        self.used.again
    }

    /// How often a member's orders left because it was gone.
    pub const fn left(&self) -> u64 {
        self.absences.left
    }

    /// Whether the engine's books are the model's, order by order.
    pub fn check_engine(&self, engine: &Engine<'_>) -> Result<(), String> {
        for symbol in self.naive.symbols() {
            for side in [Side::Buy, Side::Sell] {
                let mut found = Vec::new();
                engine.orders(symbol, side, |order| {
                    found.push((order.order_ref, order.price, order.quantity));
                });
                let due = |order: &Resting| Some((order.order_ref, order.price, order.open));
                self.check_side("the engine's", (symbol, side), due, &found)?;
            }
        }
        Ok(())
    }

    /// Whether the books made from the feed are the model's, order by order.
    pub fn check_feed(&self, books: &Books) -> Result<(), String> {
        let mut live = 0;
        for symbol in self.naive.symbols() {
            for side in [Side::Buy, Side::Sell] {
                let orders = books
                    .book(symbol)
                    .into_iter()
                    .flat_map(|book| book.orders(side));
                let found: Vec<_> = orders
                    .map(|order| (order.order_ref, order.price, order.quantity))
                    .collect();
                self.check_side("the feed's", (symbol, side), shown, &found)?;
                live += found.len();
            }
        }
        if books.live_orders() != live {
            return Err(format!(
                "the feed has {} orders in all",
                books.live_orders()
            ));
        }
        Ok(())
    }

    fn check_side(
        &self,
        whose: &str,
        (symbol, side): (u16, Side),
        due: impl Fn(&Resting) -> Option<(u64, i64, u32)>,
        found: &[(u64, i64, u32)],
    ) -> Result<(), String> {
        let due: Vec<(u64, i64, u32)> = self.naive.orders(symbol, side).filter_map(due).collect();
        if due == found {
            return Ok(());
        }
        let at = due
            .iter()
            .zip(found)
            .take_while(|(due, found)| due == found)
            .count();
        Err(format!(
            "{whose} book of symbol {symbol} {side:?} differs at {at}: {:?} where {:?} is due",
            found.get(at),
            due.get(at)
        ))
    }

    /// Whether a member heard what it must, from the first reply on; with `is_all` to the last.
    pub fn check_replies(
        &mut self,
        session: u16,
        heard: &[Vec<u8>],
        is_all: bool,
    ) -> Result<(), String> {
        let index = usize::from(session) - 1;
        let due = &self.teller.replies[index];
        let from = &mut self.checked.replies[index];
        check_stream(&format!("member {session}"), (due, heard), from, |bytes| {
            reply_of(bytes)
        })?;
        is_whole(&format!("member {session}"), heard.len(), due.len(), is_all)
    }

    /// Whether who watches heard what it must; with `is_all` to the last.
    pub fn check_copies(&mut self, heard: &[Vec<u8>], is_all: bool) -> Result<(), String> {
        let due = &self.teller.copies;
        let from = &mut self.checked.copies;
        check_stream("the drop copy", (due, heard), from, |bytes| {
            copied_of(bytes)
        })?;
        is_whole("the drop copy", heard.len(), due.len(), is_all)
    }

    /// Whether the feed said what it must; with `is_all` to the last.
    pub fn check_market(&mut self, heard: &[Told], is_all: bool) -> Result<(), String> {
        let due = &self.market.told;
        check_stream("the feed", (due, heard), &mut self.checked.market, |told| {
            Ok(*told)
        })?;
        is_whole("the feed", heard.len(), due.len(), is_all)
    }

    /// Whether the depth said what it must; with `is_all` to the last.
    pub fn check_depth(&mut self, heard: &[Stands], is_all: bool) -> Result<(), String> {
        let levels = self.levels.as_mut();
        levels.map_or(Ok(()), |levels| levels.check(heard, is_all))
    }

    /// Whether the journal holds of a session only what it sent.
    ///
    /// # Errors
    /// See [`sent::check`].
    pub fn check_sent(&self, session: u16, sent: &[Sending]) -> Result<(), String> {
        sent::check(&self.inputs, &self.holders, (session, sent))
    }

    /// Whether an operator was told what the model says of that input.
    pub fn check_answer(&self, answer: &Answer) -> Result<(), String> {
        let (sequence, command, told) = answer;
        let is_of = |event: &&Event| is_told(event, command);
        let due = self.own.get(sequence);
        let due: Option<Vec<&Event>> = due.map(|events| events.iter().filter(is_of).collect());
        let told: Vec<&Event> = told.iter().filter(is_of).collect();
        if due.as_ref() == Some(&told) {
            return Ok(());
        }
        Err(format!(
            "the operator was told of input {sequence}: {told:?} where {due:?} is due"
        ))
    }

    /// Orders that asked for more than plain orders do.
    pub fn special(&self) -> u64 {
        let inputs = self.inputs.iter();
        inputs.filter(|input| is_extra(&input.command)).count() as u64
    }

    /// Orders of accounts that are not the first of their members.
    pub fn mandated(&self) -> u64 {
        let is_further = |input: &&Input| {
            let number = input.command.session;
            let holder = self.holders.of(number).filter(|it| it.session != number);
            is_members(&input.command) && holder.is_some()
        };
        self.inputs.iter().filter(is_further).count() as u64
    }

    /// Mass cancels of members.
    pub fn masses(&self) -> u64 {
        let inputs = self.inputs.iter();
        inputs.filter(|input| is_mass(&input.command)).count() as u64
    }

    /// Orders that were refused because the disk was full.
    pub fn refused_for_room(&self) -> u64 {
        let is_refused = |input: &&Input| {
            let command = &input.command;
            (command.kind, command.flags) == (CommandKind::Refuse as u8, Reason::DiskFull as u8)
        };
        self.inputs.iter().filter(is_refused).count() as u64
    }

    /// Inputs that members made.
    pub fn commands(&self) -> u64 {
        self.inputs
            .iter()
            .filter(|input| is_members(&input.command))
            .count() as u64
    }
}

fn is_of_member(command: &Command) -> bool {
    is_extra(command) || is_members(command)
}

/// An order as the feed must show it.
fn shown(order: &Resting) -> Option<(u64, i64, u32)> {
    let is_market_sell = order.side == Side::Sell && order.price == PRICE_MARKET;
    let price = if is_market_sell { 0 } else { order.price };
    (order.shown() > 0).then_some((order.order_ref, price, order.shown()))
}

/// Compares a stream with what is due, from the first message on that was not compared before.
fn check_stream<D: PartialEq + fmt::Debug, H>(
    who: &str,
    (due, heard): (&[D], &[H]),
    from: &mut usize,
    read: impl Fn(&H) -> Result<D, String>,
) -> Result<(), String> {
    for (index, one) in heard.iter().enumerate().skip(*from) {
        let found = read(one)?;
        if due.get(index) != Some(&found) {
            return Err(format!(
                "{who} heard as message {}: {found:?} where {:?} is due",
                index + 1,
                due.get(index)
            ));
        }
    }
    *from = heard.len();
    Ok(())
}

fn is_whole(who: &str, heard: usize, due: usize, is_all: bool) -> Result<(), String> {
    if is_all && heard != due {
        return Err(format!("{who} heard {heard} messages where {due} are due"));
    }
    Ok(())
}
