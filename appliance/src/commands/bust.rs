//! Looking up a trade that an operator wants taken back.
//!
//! The day is run again for that ([`today`]): it takes as long as a replay up to the trade.

use super::today;
use crate::topology::Topology;
use crate::venue::word::{Trade, Traded, WHYS};
use std::collections::HashMap;
use std::ops::ControlFlow;
use wire::ring::{Event, EventKind, Input, Side};

/// An operator's word with all that the venue must know: of a `bust`, what the trade was.
///
/// # Errors
/// The journal cannot be read, or holds no such trade.
pub(super) fn completed(topology: &Topology, line: &str) -> Result<String, String> {
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    // What the venue finds wrong with it it says by itself, and without running a day.
    let ["bust", symbol, match_number, why] = words[..] else {
        return Ok(line.to_owned());
    };
    if WHYS.iter().all(|(known, _)| *known != why) {
        return Ok(line.to_owned());
    }
    let match_number = match_number
        .parse()
        .map_err(|_| format!("\"{match_number}\" is no match number"))?;
    let trade = find(topology, match_number)?;
    let place = usize::from(trade.symbol).wrapping_sub(1);
    let found = topology.symbols.get(place).map_or("", String::as_str);
    if found != symbol {
        return Err(format!("match {match_number} was a trade of {found}"));
    }
    Ok(format!("{line} {}", trade.told(topology)))
}

/// The trade of a match number of the newest day.
fn find(topology: &Topology, match_number: u64) -> Result<Trade, String> {
    let mut search = Search::new(match_number);
    let on = &mut |event: &Event, input: &Input| {
        search.hear(event, input);
        match search.sides.len() {
            2 => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        }
    };
    today::run(topology, on, |_| ())?;
    search
        .found()
        .ok_or_else(|| format!("no trade of today's has the match number {match_number}"))
}

/// Looks for a trade among events, and remembers the texts of live orders until then.
struct Search {
    match_number: u64,
    texts: HashMap<(u16, u32), [u8; 14]>,
    /// The sides that were told, the maker's first.
    sides: Vec<(Event, Traded)>,
}

impl Search {
    fn new(match_number: u64) -> Self {
        Self {
            match_number,
            texts: HashMap::new(),
            sides: Vec::new(),
        }
    }

    fn hear(&mut self, event: &Event, input: &Input) {
        let order = (event.session, event.user_ref);
        match EventKind::from_byte(event.kind) {
            Some(EventKind::Accepted) => {
                self.texts.insert(order, input.command.client_id);
            }
            Some(EventKind::Replaced) => {
                self.texts.remove(&(event.session, event.old_user_ref));
                self.texts.insert(order, input.command.client_id);
            }
            Some(EventKind::Canceled) => {
                self.texts.remove(&order);
            }
            Some(EventKind::Executed) => {
                if event.related == self.match_number {
                    let text = self.texts.get(&order).copied();
                    let traded = Traded {
                        session: event.session,
                        user_ref: event.user_ref,
                        client_id: text.unwrap_or([b' '; 14]),
                    };
                    self.sides.push((*event, traded));
                }
                if event.leaves == 0 {
                    self.texts.remove(&order);
                }
            }
            _ => {}
        }
    }

    fn found(&self) -> Option<Trade> {
        let [(event, maker), (_, aggressor)] = self.sides[..] else {
            return None;
        };
        Some(Trade {
            symbol: event.symbol,
            match_number: self.match_number,
            quantity: event.quantity,
            price: event.price,
            side: Side::from_byte(event.side)?,
            maker,
            aggressor,
        })
    }
}
