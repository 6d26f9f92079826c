//! Which inputs somebody wants to see: by symbol, account, time and sequence.
//!
//! A journal names symbols and accounts once, where it defines them, and a cancel names an order
//! only. So every input is looked at, wanted or not, to know what the later ones are about.

use std::collections::{BTreeMap, HashMap};

use journal::{Index, Mark};
use wire::ring::{Command, CommandKind, Input};

use super::time;

/// What is wanted; what is not asked for does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub struct Wanted {
    /// Inputs about this symbol: its name, or its number. Cancels and replacements of its orders
    /// are about it too.
    #[arg(long)]
    symbol: Option<String>,
    /// Inputs of sessions of this account, and those that set something for it.
    #[arg(long)]
    account: Option<u32>,
    /// From this time on: 2026-01-30T12:00:00.5Z, 2026-01-30, or nanoseconds since 1970.
    #[arg(long, value_name = "TIME", value_parser = time::read)]
    from: Option<u64>,
    /// Before this time.
    #[arg(long, value_name = "TIME", value_parser = time::read)]
    to: Option<u64>,
    /// Numbers of inputs: 5, 5.. or 5..9, both included.
    #[arg(long, value_name = "FROM..TO", value_parser = sequences)]
    sequence: Option<(u64, u64)>,
}

impl Wanted {
    /// Whether everything is wanted.
    pub(super) fn is_all(&self) -> bool {
        *self == Self::default()
    }

    /// Refuses what no input can be.
    pub(super) fn check(&self) -> Result<(), String> {
        match (self.from, self.to) {
            (Some(from), Some(to)) if from >= to => Err(format!(
                "--from {} is not before --to {}",
                time::told(from),
                time::told(to)
            )),
            _ => Ok(()),
        }
    }

    /// The last mark before all that is wanted; none where everything must be looked at.
    pub(super) fn mark<'i>(&self, index: &'i Index) -> Option<&'i Mark> {
        if self.symbol.is_some() || self.account.is_some() {
            return None;
        }
        let by_sequence = self
            .sequence
            .and_then(|(from, _)| index.before_sequence(from));
        let by_time = self.from.and_then(|from| index.before_time(from));
        let marks = by_sequence.into_iter().chain(by_time);
        marks.max_by_key(|mark| mark.next_sequence)
    }
}

fn sequences(text: &str) -> Result<(u64, u64), String> {
    let number = |text: &str, empty: u64| match text {
        "" => Some(empty),
        digits => digits.parse().ok(),
    };
    let range = match text.split_once("..") {
        Some((from, to)) => number(from, 1).zip(number(to, u64::MAX)),
        None => number(text, 0).map(|only| (only, only)),
    };
    range
        .filter(|(from, to)| 0 < *from && from <= to)
        .ok_or_else(|| format!("{text:?}: write 5, 5.. or 5..9"))
}

/// What the journal said about names so far.
#[derive(Debug, Default)]
pub(super) struct Names {
    symbols: BTreeMap<u16, String>,
    accounts: BTreeMap<u16, u32>,
    /// The users of numbers that stand for further accounts.
    users: BTreeMap<u16, u16>,
}

impl Names {
    /// Name of a symbol, if it was defined.
    pub fn symbol(&self, number: u16) -> Option<&str> {
        self.symbols.get(&number).map(String::as_str)
    }

    /// Account of a session, if it was defined.
    pub fn account(&self, session: u16) -> Option<u32> {
        self.accounts.get(&session).copied()
    }

    /// Whose number it is.
    fn user(&self, session: u16) -> u16 {
        self.users.get(&session).copied().unwrap_or(session)
    }

    /// The account gets the first free number above the user's, as the engine gives it, unless the
    /// user has it or nothing is granted.
    fn grant(&mut self, command: &Command) {
        let (user, account) = (command.session, command.user_ref);
        let mut own = self.accounts.iter();
        let has_it = own.any(|(number, one)| *one == account && self.user(*number) == user);
        let is_user = self.accounts.contains_key(&user) && !self.users.contains_key(&user);
        let mut above = user..=u16::MAX;
        let free = above.find(|number| !self.accounts.contains_key(number));
        if let Some(number) = free.filter(|_| is_user && !has_it && command.flags != 0) {
            self.accounts.insert(number, account);
            self.users.insert(number, user);
        }
    }

    fn hear(&mut self, command: &Command) {
        match CommandKind::from_byte(command.kind) {
            Some(CommandKind::DefineSymbol) => {
                let name = String::from_utf8_lossy(&command.client_id[..8]);
                self.symbols
                    .insert(command.symbol, name.trim_end().to_owned());
            }
            Some(CommandKind::DefineSession) => {
                self.accounts.insert(command.session, command.user_ref);
            }
            Some(CommandKind::Grant) => self.grant(command),
            _ => {}
        }
    }
}

/// Looks at the inputs one by one.
#[derive(Debug)]
pub(super) struct Filter {
    wanted: Wanted,
    pub names: Names,
    /// Symbol of each order, by user's session and number; only where a symbol is wanted.
    orders: HashMap<(u16, u32), u16>,
    /// What a session asked for its next order, which says whether it is wanted.
    extras: BTreeMap<u16, Input>,
    /// Something named the account that is wanted.
    is_account_known: bool,
}

impl Filter {
    pub fn new(wanted: &Wanted) -> Self {
        Self {
            wanted: wanted.clone(),
            names: Names::default(),
            orders: HashMap::new(),
            extras: BTreeMap::new(),
            is_account_known: false,
        }
    }

    /// Gives the input to `on` if it is wanted; an `Extra` together with its order.
    pub fn take<E>(
        &mut self,
        input: &Input,
        on: &mut dyn FnMut(&Input, &Names) -> Result<(), E>,
    ) -> Result<(), E> {
        self.names.hear(&input.command);
        self.is_account_known |= self.is_accounts(&input.command);
        let session = input.command.session;
        if self.wanted.symbol.is_some() && input.command.kind == CommandKind::Extra as u8 {
            self.extras.insert(session, *input);
            return Ok(());
        }
        let is_wanted = self.is_symbols(&input.command);
        let extra = self.extras.remove(&session);
        for input in extra.iter().chain([input]) {
            if is_wanted && self.is_rests(input) {
                on(input, &self.names)?;
            }
        }
        Ok(())
    }

    /// Whether it was found which symbol and which account were meant, in the end.
    pub fn check(&self) -> Result<(), String> {
        if let Some(name) = &self.wanted.symbol
            && self.number(name).is_none()
        {
            return Err(format!(
                "no symbol {name:?} is defined in these files: name the first segment too, or give \
                 the symbol's number"
            ));
        }
        match self.wanted.account {
            Some(account) if !self.is_account_known => Err(format!(
                "no session of account {account} is defined in these files: name the first segment \
                 too"
            )),
            _ => Ok(()),
        }
    }

    /// Whether nothing behind this input can be wanted.
    pub fn is_past(&self, input: &Input) -> bool {
        self.wanted
            .sequence
            .is_some_and(|(_, to)| input.sequence > to)
            || self.wanted.to.is_some_and(|to| input.time_ns >= to)
    }

    fn number(&self, name: &str) -> Option<u16> {
        let mut symbols = self.names.symbols.iter();
        let defined = symbols.find(|(_, symbol)| *symbol == name);
        defined.map(|(number, _)| *number).or(name.parse().ok())
    }

    fn is_symbols(&mut self, command: &Command) -> bool {
        let Some(name) = &self.wanted.symbol else {
            return true;
        };
        let number = self.number(name);
        let user = self.names.user(command.session);
        let order = |user_ref| (user, user_ref);
        let about = match CommandKind::from_byte(command.kind) {
            Some(CommandKind::Cancel | CommandKind::Amend) => {
                self.orders.get(&order(command.user_ref)).copied()
            }
            Some(CommandKind::Replace) => {
                let about = self.orders.get(&order(command.old_user_ref)).copied();
                about.inspect(|symbol| {
                    self.orders.insert(order(command.user_ref), *symbol);
                })
            }
            Some(CommandKind::New) => {
                self.orders.insert(order(command.user_ref), command.symbol);
                Some(command.symbol)
            }
            _ => Some(command.symbol),
        };
        about.is_some() && about == number
    }

    /// All but the symbol.
    fn is_rests(&self, input: &Input) -> bool {
        let (first, last) = self.wanted.sequence.unwrap_or((0, u64::MAX));
        let (from, to) = (self.wanted.from, self.wanted.to);
        (first..=last).contains(&input.sequence)
            && from.is_none_or(|from| input.time_ns >= from)
            && to.is_none_or(|to| input.time_ns < to)
            && self.is_accounts(&input.command)
    }

    fn is_accounts(&self, command: &Command) -> bool {
        let Some(wanted) = self.wanted.account else {
            return true;
        };
        let named = match CommandKind::from_byte(command.kind) {
            Some(CommandKind::DefineSession | CommandKind::SetLimit | CommandKind::Grant) => true,
            Some(CommandKind::Kill) => command.letters[0] == 1,
            Some(CommandKind::MassCancel) => command.letters[0] & 2 != 0,
            _ => false,
        };
        (named && command.user_ref == wanted) || self.names.account(command.session) == Some(wanted)
    }
}
