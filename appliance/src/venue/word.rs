//! An operator's word: a line of text that becomes a command of the venue itself, or two.
//!
//! ```text
//! state SYMBOL STATE [REFERENCE]
//! indicate SYMBOL
//! bands SYMBOL STATIC DYNAMIC [LIMIT_MS AUCTION_MS]
//! allocation SYMBOL time | pro-rata | split PERCENT
//! limit ACCOUNT NAME VALUE [AT_ONCE]
//! restrict ACCOUNT SYMBOL
//! permit ACCOUNT SYMBOL
//! kill all | account NUMBER | user NAME | symbol SYMBOL
//! revive, as kill
//! halt SYMBOL | resume SYMBOL | open SYMBOL | close SYMBOL
//! cancel USER REFERENCE
//! bust SYMBOL MATCH WHY UNITS PRICE SIDE, then of maker and aggressor USER REFERENCE TEXT
//! lock USER | unlock USER | kick USER
//! user add NAME FIRM ACCOUNT HASH any | NETWORK...
//! user remove USER
//! user rate USER off | A_SECOND AT_ONCE [REFUSALS_MAX]
//! user grace USER off | MILLISECONDS
//! user addresses USER any | NETWORK...
//! user password USER HASH
//! grant USER ACCOUNT trader|risk|read-only
//! revoke USER ACCOUNT
//! mass-cancel all | [user NAME] [account NUMBER] [symbol SYMBOL] [side buy|sell] [prices FROM TO]
//! ```

mod bust;
mod user;

pub use bust::{Trade, Traded, WHYS};

use crate::topology::{RISK_LIMITS, RISK_RATE, RISK_RESTRICTION, Role, STATES, Topology};
use bytemuck::Zeroable;
use session::order_entry::Named;
use std::str::SplitAsciiWhitespace;
use wire::ring::{Command, CommandKind, MarketState, Side};

/// A state's word, by its number.
pub(crate) fn state_name(code: u32) -> &'static str {
    let state = u8::try_from(code).ok().and_then(MarketState::from_byte);
    let known = STATES.iter().find(|(_, known)| Some(*known) == state);
    known.map_or("limit-state", |(name, _)| name)
}

/// The words of a line that were not read yet.
struct Words<'w> {
    words: SplitAsciiWhitespace<'w>,
    topology: &'w Topology,
}

/// What an operator said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// What must be said to the engine ahead of the command, in this order.
    pub ahead: Vec<Command>,
    /// The command.
    pub command: Command,
    /// The user that comes with it.
    pub named: Option<Named>,
}

impl Said {
    /// Of commands, the last of which makes them count.
    fn of(mut ahead: Vec<Command>, named: Option<Named>) -> Result<Self, String> {
        let command = ahead.pop().ok_or("nothing is said")?;
        Ok(Self {
            ahead,
            command,
            named,
        })
    }
}

/// Reads a line.
///
/// # Errors
/// What is wrong with it, and what to write.
pub fn read(line: &str, topology: &Topology) -> Result<Said, String> {
    let mut words = Words {
        words: line.split_ascii_whitespace(),
        topology,
    };
    let (mut ahead, mut named) = (Vec::new(), None);
    let command = match words.words.next() {
        Some("state") => words.state()?,
        Some("indicate") => Command {
            symbol: words.symbol()?,
            ..of(CommandKind::Indicate)
        },
        Some("bands") => words.bands()?,
        Some("allocation") => words.allocation()?,
        Some("limit") => words.limit()?,
        Some("restrict") => words.restriction(1)?,
        Some("permit") => words.restriction(0)?,
        Some("kill") => words.kill(1)?,
        Some("revive") => words.kill(0)?,
        Some("mass-cancel") => words.mass_cancel()?,
        Some("halt") => words.turned(MarketState::Halt)?,
        Some("open" | "resume") => words.turned(MarketState::Continuous)?,
        Some("close") => words.turned(MarketState::Closed)?,
        Some("cancel") => Command {
            session: words.user()?,
            user_ref: number(words.word("the order's reference")?)?,
            ..of(CommandKind::Cancel)
        },
        Some("bust") => {
            let [named, bust] = words.bust()?;
            ahead.push(named);
            bust
        }
        Some("user") => {
            let said = words.of_user()?;
            (ahead, named) = (said.ahead, said.named);
            said.command
        }
        Some("grant") => words.grant()?,
        Some("revoke") => words.revoke()?,
        Some("unlock") => words.access(0)?,
        Some("lock") => words.access(1)?,
        Some("kick") => words.access(2)?,
        other => {
            let other = other.unwrap_or("");
            return Err(format!(
                "\"{other}\" is no word: say state, indicate, bands, allocation, limit, restrict, \
                 permit, kill, revive, mass-cancel, open, halt, resume, close, cancel, bust, \
                 grant, revoke, user, lock, unlock or kick"
            ));
        }
    };
    match words.words.next() {
        Some(more) => Err(format!("\"{more}\" is too much")),
        None => Ok(Said {
            ahead,
            command,
            named,
        }),
    }
}

fn of(kind: CommandKind) -> Command {
    Command {
        kind: kind as u8,
        ..Command::zeroed()
    }
}

impl<'w> Words<'w> {
    fn state(&mut self) -> Result<Command, String> {
        let symbol = self.symbol()?;
        let name = self.word("a state")?;
        let Some((_, state)) = STATES.iter().find(|(known, _)| *known == name) else {
            let names = STATES.map(|(name, _)| name).join(", ");
            return Err(format!("\"{name}\" is no state: say one of {names}"));
        };
        let price = match self.words.next() {
            Some(reference) => number(reference)?,
            None => 0,
        };
        Ok(Command {
            symbol,
            flags: *state as u8,
            price,
            ..of(CommandKind::SetState)
        })
    }

    fn bands(&mut self) -> Result<Command, String> {
        let mut command = Command {
            symbol: self.symbol()?,
            quantity: number(self.word("the static width")?)?,
            old_user_ref: number(self.word("the dynamic width")?)?,
            ..of(CommandKind::SetBands)
        };
        if let Some(limit_ms) = self.words.next() {
            command.user_ref = number(limit_ms)?;
            command.price = number(self.word("the time of the volatility auction")?)?;
        }
        Ok(command)
    }

    fn allocation(&mut self) -> Result<Command, String> {
        let mut command = Command {
            symbol: self.symbol()?,
            ..of(CommandKind::SetAllocation)
        };
        command.flags = match self.word("time, pro-rata or split")? {
            "time" => 0,
            "pro-rata" => 1,
            "split" => {
                command.quantity = number(self.word("the percent of the top order")?)?;
                2
            }
            other => return Err(format!("\"{other}\": say time, pro-rata or split")),
        };
        Ok(command)
    }

    fn limit(&mut self) -> Result<Command, String> {
        let user_ref = number(self.word("an account")?)?;
        let name = self.word("a limit")?;
        let Some(index) = RISK_LIMITS.iter().position(|known| *known == name) else {
            let names = RISK_LIMITS.join(", ");
            return Err(format!("\"{name}\" is no limit: say one of {names}"));
        };
        let price: i64 = number(self.word("its value, 0 for none")?)?;
        let quantity = if name == RISK_RATE {
            let second = Ok(u32::try_from(price).unwrap_or(u32::MAX));
            self.words.next().map_or(second, number)?
        } else {
            0
        };
        Ok(Command {
            user_ref,
            flags: index as u8 + 1,
            price,
            quantity,
            ..of(CommandKind::SetLimit)
        })
    }

    fn restriction(&mut self, price: i64) -> Result<Command, String> {
        Ok(Command {
            user_ref: number(self.word("an account")?)?,
            symbol: self.symbol()?,
            flags: RISK_RESTRICTION,
            price,
            ..of(CommandKind::SetLimit)
        })
    }

    fn turned(&mut self, state: MarketState) -> Result<Command, String> {
        Ok(Command {
            symbol: self.symbol()?,
            flags: state as u8,
            ..of(CommandKind::SetState)
        })
    }

    fn grant(&mut self) -> Result<Command, String> {
        let revoked = self.revoke()?;
        let role = self.word("a role")?;
        let Some(role) = Role::named(role) else {
            let names = Role::names();
            return Err(format!("\"{role}\" is no role: say one of {names}"));
        };
        Ok(Command {
            flags: role.may(),
            ..revoked
        })
    }

    fn revoke(&mut self) -> Result<Command, String> {
        Ok(Command {
            session: self.user()?,
            user_ref: number(self.word("an account")?)?,
            ..of(CommandKind::Grant)
        })
    }

    fn access(&mut self, flags: u8) -> Result<Command, String> {
        Ok(Command {
            session: self.user()?,
            flags,
            ..of(CommandKind::Access)
        })
    }

    fn kill(&mut self, flags: u8) -> Result<Command, String> {
        let mut command = Command {
            flags,
            ..of(CommandKind::Kill)
        };
        command.letters[0] = match self.word("all, account, user or symbol")? {
            "all" => 0,
            "account" => {
                command.user_ref = number(self.word("an account")?)?;
                1
            }
            "user" => {
                command.session = self.user()?;
                2
            }
            "symbol" => {
                command.symbol = self.symbol()?;
                3
            }
            other => return Err(format!("\"{other}\": say all, account, user or symbol")),
        };
        Ok(command)
    }

    /// Who forgets which orders is meant does not mean all of them.
    fn mass_cancel(&mut self) -> Result<Command, String> {
        let mut command = of(CommandKind::MassCancel);
        let mut next = Some(self.word("all, user, account, side, symbol or prices")?);
        if next == Some("all") {
            return Ok(command);
        }
        while let Some(word) = next {
            command.letters[0] |= match word {
                "user" => {
                    command.session = self.user()?;
                    1
                }
                "account" => {
                    command.user_ref = number(self.word("an account")?)?;
                    2
                }
                "side" => {
                    command.side = self.side()? as u8;
                    4
                }
                "symbol" => {
                    command.symbol = self.symbol()?;
                    8
                }
                "prices" => {
                    command.old_user_ref = number(self.word("the lowest price")?)?;
                    command.price = number(self.word("the highest price")?)?;
                    16
                }
                other => {
                    return Err(format!(
                        "\"{other}\": say all, user, account, side, symbol or prices"
                    ));
                }
            };
            next = self.words.next();
        }
        Ok(command)
    }

    fn side(&mut self) -> Result<Side, String> {
        match self.word("a side")? {
            "buy" => Ok(Side::Buy),
            "sell" => Ok(Side::Sell),
            other => Err(format!("\"{other}\" is no side: say buy or sell")),
        }
    }

    fn word(&mut self, what: &str) -> Result<&'w str, String> {
        self.words
            .next()
            .ok_or_else(|| format!("{what} is missing"))
    }

    /// Number of the symbol that comes next.
    fn symbol(&mut self) -> Result<u16, String> {
        let name = self.word("a symbol")?;
        place(self.topology.symbols.iter().position(|it| it == name))
            .ok_or_else(|| format!("\"{name}\" is no symbol of this venue"))
    }

    /// Session of the user that comes next.
    fn user(&mut self) -> Result<u16, String> {
        let name = self.word("a user")?;
        let mut users = self.topology.users.iter();
        place(users.position(|it| !it.is_spare && it.name.eq_ignore_ascii_case(name)))
            .ok_or_else(|| format!("\"{name}\" is no user of this venue"))
    }
}

/// Numbers count from 1.
fn place(index: Option<usize>) -> Option<u16> {
    index.and_then(|index| u16::try_from(index + 1).ok())
}

fn number<N: std::str::FromStr>(text: &str) -> Result<N, String> {
    text.parse()
        .map_err(|_| format!("\"{text}\" is no such number"))
}
