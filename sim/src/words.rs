//! An operator who says words to the venue, and what was answered.

use appliance::topology::{Topology, User};
use appliance::venue::Operator;
use wire::ring::{Command, Event, EventKind};

use crate::accounts;
use crate::random::Random;

/// An answer: the input's number, the command, and the events that were told.
pub type Answer = (u64, Command, Vec<Event>);

/// Words about accounts, in a million, where users have more than one.
const GRANTS_IN_MILLION: u32 = 300_000;

/// The operator in one life of the venue.
pub struct Words {
    operator: Operator,
    /// The word that is not answered yet.
    asked: Option<Command>,
    /// Answers to inputs that may not be on disk.
    early: Vec<Answer>,
}

impl Words {
    pub const fn new(operator: Operator) -> Self {
        Self {
            operator,
            asked: None,
            early: Vec::new(),
        }
    }

    /// Whether nothing is unanswered.
    pub const fn is_done(&self) -> bool {
        self.asked.is_none() && self.early.is_empty()
    }

    /// Says a word of chance's choice, about users' accounts too with `has_accounts`, unless one is
    /// unanswered.
    pub fn say(&mut self, has_accounts: bool, random: &mut Random) -> Result<(), String> {
        if self.asked.is_some() {
            return Ok(());
        }
        let topology = self.operator.topology();
        let line = match has_accounts && random.chance(GRANTS_IN_MILLION) {
            true => accounts::word(&user_of(topology, random).name, random),
            false => line(topology, random),
        };
        let said = self.operator.read(&line)?;
        if !self.operator.say(&said) {
            return Err(format!("no room for \"{line}\" with nothing unanswered"));
        }
        self.asked = Some(said.command);
        Ok(())
    }

    /// Hears answers and hands on those whose inputs are on disk.
    pub fn hear(&mut self, durable: u64, answers: &mut Vec<Answer>) {
        if let Some((sequence, events)) = self.operator.heard()
            && let Some(command) = self.asked.take()
        {
            self.early.push((sequence, command, events.to_vec()));
        }
        let on_disk = self.early.iter().take_while(|it| it.0 <= durable).count();
        answers.extend(self.early.drain(..on_disk));
    }
}

fn user_of<'t>(topology: &'t Topology, random: &mut Random) -> &'t User {
    &topology.users[random.below(topology.users.len() as u64) as usize]
}

fn line(topology: &Topology, random: &mut Random) -> String {
    let symbol = random.below(topology.symbols.len() as u64) as usize;
    let symbol = &topology.symbols[symbol];
    let user = user_of(topology, random);
    let (name, account) = (&user.name, user.account);
    let state = random.one_of(&[
        "pre-open",
        "opening-auction",
        "continuous",
        "continuous",
        "continuous",
        "halt",
        "volatility-auction",
        "reopening",
        "closing-auction",
    ]);
    let number = random.below(400);
    match random.below(14) {
        0..6 => format!("state {symbol} {state}"),
        6 => format!("indicate {symbol}"),
        7 => format!("bands {symbol} {} {} 1 2", number * 20, number * 5),
        8 => format!("allocation {symbol} split {}", number / 3),
        // Without limits in the topology the engine keeps no accounts: the model knows no room.
        9 if !topology.rules.risk.is_empty() => {
            format!("limit {account} order_units {}", number * 10)
        }
        // The engine looks at what it is told: some of these were made, most of them otherwise.
        10 => {
            let (match_number, units) = (1 + random.below(60), 1 + random.below(9));
            format!(
                "bust {symbol} {match_number} consent {units} 1000000 buy {name} {number} 6162 \
                 {name} 7 -"
            )
        }
        11 => format!("mass-cancel user {name} prices 1 {}", number * 10_000),
        12 => setting(name, number, random),
        _ => {
            let verb = random.one_of(&["kill", "revive", "revive", "revive"]);
            format!("{verb} user {name}")
        }
    }
}

/// A word that changes a user; no rate that its member would feel.
fn setting(name: &str, number: u64, random: &mut Random) -> String {
    match random.below(4) {
        0 => format!("user rate {name} 10000000 10000000"),
        1 => format!("user grace {name} off"),
        _ => format!("user grace {name} {number}"),
    }
}

/// Whether an answer must tell of an event.
pub fn is_told(event: &Event, command: &Command) -> bool {
    use EventKind as K;
    let kind = EventKind::from_byte(event.kind);
    let is_own = matches!(
        kind,
        Some(
            K::Refused
                | K::Configured
                | K::MassCanceled
                | K::KillChanged
                | K::Granted
                | K::AccessChanged
        )
    );
    let is_market = matches!(kind, Some(K::StateChanged | K::Uncrossed | K::Indicative));
    is_own || (is_market && event.symbol == command.symbol)
}
