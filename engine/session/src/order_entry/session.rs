//! One member's session: its reply store, and what replies must repeat from the orders.

use std::collections::VecDeque;

use wire::ring::{Command, CommandKind, Event, MASS_OF_USER, Reason};

use super::accepted::find;
use super::access::Access;
use super::repeats::{Answers, content};
use super::throttle::Throttle;
use super::{Config, DropCopy};
use crate::state::{Reader, StateError, list};
use crate::store::Store;

/// The optional element that names the firm.
pub(super) const TAG_FIRM: u8 = 2;

/// What a reply to an order repeats and the engine does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Echo {
    pub(super) user_ref: u32,
    /// Display, capacity, intermarket sweep, cross type.
    pub(super) letters: [u8; 4],
    /// Side and time in force.
    pub(super) wire_letters: [u8; 2],
    pub(super) client_id: [u8; 14],
    /// The order names a firm that is not the member's.
    pub(super) wrong_firm: bool,
    /// The number that it went under.
    pub(super) number: u16,
    /// What it asks for, to tell whether it comes again.
    pub(super) content: u32,
}

/// What later replies about an accepted order repeat of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Letters {
    pub(super) side: u8,
    pub(super) capacity: u8,
    pub(super) cross_type: u8,
    pub(super) display: u8,
}

/// State of one member.
pub(super) struct Session {
    pub(super) store: Store,
    /// The account, once it is known.
    pub(super) account: Option<u32>,
    /// Whether and when it may log in.
    pub(super) access: Access,
    /// The connection's place in the table.
    pub(super) slot: Option<usize>,
    /// Whether the sequencer was told that it is there.
    pub(super) is_told_here: bool,
    /// How fast it was.
    pub(super) throttle: Throttle,
    /// An order whose `Extra` the sink took already.
    pub(super) owed: Option<Command>,
    /// The `Extra` that the sink took and whose order follows.
    pub(super) extra: Option<Command>,
    /// Orders that the engine has not answered, oldest first.
    echoes: VecDeque<Echo>,
    echoes_max: usize,
    /// Whether any order was for a cross.
    has_crosses: bool,
    /// User reference of every accepted order, which grow, and its letters.
    pub(super) accepted: Vec<(u32, Letters)>,
    /// Which replies answered which orders.
    pub(super) answers: Answers,
    /// Of those that are under another number than the member's own: that one.
    pub(super) mandated: Vec<(u32, u16)>,
}

impl Session {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            store: Store::new(config.store_bytes, config.store_messages),
            account: None,
            access: Access::default(),
            slot: None,
            is_told_here: false,
            throttle: Throttle::default(),
            owed: None,
            extra: None,
            echoes: VecDeque::with_capacity(config.echoes),
            echoes_max: config.echoes,
            has_crosses: false,
            accepted: Vec::with_capacity(config.store_messages),
            answers: Answers::new(config.store_messages),
            mandated: Vec::new(),
        }
    }

    /// The state of one who only watches.
    pub(super) fn watching(copy: &DropCopy) -> Self {
        Self {
            store: Store::new(copy.store_bytes, copy.store_messages),
            account: None,
            access: Access::default(),
            slot: None,
            is_told_here: false,
            throttle: Throttle::default(),
            owed: None,
            extra: None,
            echoes: VecDeque::new(),
            echoes_max: 0,
            has_crosses: false,
            accepted: Vec::new(),
            answers: Answers::default(),
            mandated: Vec::new(),
        }
    }

    /// Whether an order must follow an `Extra`.
    pub(super) const fn owes(&self) -> bool {
        self.owed.is_some() || self.extra.is_some()
    }

    /// The number under which an order must follow, if one must.
    pub(super) fn owes_under(&self) -> Option<u16> {
        let first = self.owed.as_ref().or(self.extra.as_ref());
        first.map(|command| command.session)
    }

    /// Whether another order may be under way.
    pub(super) fn echo_fits(&self) -> bool {
        self.echoes.len() < self.echoes_max
    }

    /// Remembers what the reply to a command on its way to the engine must repeat. `false` when
    /// there is no room, which only a log with unanswered orders can cause.
    pub(super) fn note(&mut self, command: &Command) -> bool {
        match CommandKind::from_byte(command.kind) {
            Some(CommandKind::Extra) => {
                self.extra = Some(*command);
                true
            }
            Some(CommandKind::New | CommandKind::Replace | CommandKind::Refuse) => {
                let extra = self.extra.take();
                let wrong_firm = extra.is_some_and(|extra| extra.letters[0] == TAG_FIRM);
                let fits = self.echo_fits();
                self.answers.sent(command);
                self.has_crosses |= matches!(command.letters[3], b'O' | b'C');
                if fits {
                    self.echoes.push_back(Echo {
                        user_ref: command.user_ref,
                        letters: command.letters,
                        wire_letters: command.wire_letters,
                        client_id: command.client_id,
                        wrong_firm,
                        number: command.session,
                        content: content(extra.as_ref(), command),
                    });
                }
                fits
            }
            Some(CommandKind::MassCancel) if command.flags == MASS_OF_USER => {
                self.answers.sent(command);
                true
            }
            _ => true,
        }
    }

    /// Whether the order that is answered now names a firm that is not the member's.
    pub(super) fn is_wrong_firm(&self, user_ref: u32) -> bool {
        let echo = self.echoes.front();
        echo.is_some_and(|echo| echo.user_ref == user_ref && echo.wrong_firm)
    }

    /// The oldest unanswered order, if it is the one that is answered now.
    pub(super) fn echo(&mut self, user_ref: u32) -> Option<Echo> {
        self.echoes
            .pop_front()
            .filter(|echo| echo.user_ref == user_ref)
    }

    /// Remembers the letters of an accepted order, and that the last reply says so.
    pub(super) fn accept(&mut self, user_ref: u32, letters: Letters, content: u32) {
        self.accepted.push((user_ref, letters));
        self.answers.took(self.store.count(), content);
    }

    /// Remembers that the last reply refused an order, which asked for this; but not that its
    /// number was used: the answer to that is another one.
    pub(super) fn refuse(&mut self, event: &Event, content: Option<u32>) {
        if let Some(content) = content
            && event.reason != Reason::DuplicateUserRef as u8
        {
            let reply = self.store.count();
            self.answers.refused(event.user_ref, reply, content);
        }
    }

    /// Whether an order under this number, which asks for this, is unanswered.
    pub(super) fn is_under_way(&self, user_ref: u32, content: u32) -> bool {
        let asks = (user_ref, content);
        let mut echoes = self.echoes.iter();
        echoes.any(|echo| (echo.user_ref, echo.content) == asks)
    }

    /// The number of the next order that the engine would take.
    pub(super) fn user_ref_next(&self) -> u32 {
        self.accepted
            .last()
            .map_or(1, |(user_ref, _)| user_ref.saturating_add(1))
    }

    /// Cross type of an order that may be unanswered yet, 0 for one that is for no cross.
    pub(super) fn cross_type_of(&self, user_ref: u32) -> u8 {
        if !self.has_crosses {
            return 0;
        }
        let accepted = self.letters_of(user_ref).map(|letters| letters.cross_type);
        let waiting = || {
            let echo = self.echoes.iter().rfind(|echo| echo.user_ref == user_ref)?;
            Some(echo.letters[3])
        };
        let cross_type = accepted.or_else(waiting);
        cross_type
            .filter(|cross_type| matches!(cross_type, b'O' | b'C'))
            .unwrap_or(0)
    }

    /// The number that the only unanswered order of this reference went under.
    pub(super) fn number_under_way(&self, user_ref: u32) -> Option<u16> {
        let mut those = self.echoes.iter().filter(|echo| echo.user_ref == user_ref);
        let number = those.next()?.number;
        those.next().is_none().then_some(number)
    }

    /// The numbers that all unanswered orders went under.
    pub(super) fn echo_numbers(&self) -> impl ExactSizeIterator<Item = u16> + '_ {
        self.echoes.iter().map(|echo| echo.number)
    }

    /// Sets one of them; `false` if there are fewer.
    pub(super) fn set_echo_number(&mut self, place: usize, number: u16) -> bool {
        let echo = self.echoes.get_mut(place);
        echo.map(|echo| echo.number = number).is_some()
    }

    /// Letters of an accepted order.
    pub(super) fn letters_of(&self, user_ref: u32) -> Option<Letters> {
        let index = find(&self.accepted, user_ref, |(of, _)| *of)?;
        Some(self.accepted[index].1)
    }

    /// Writes what the engine's next answers will need, but no reply.
    pub(super) fn state(&self, out: &mut Vec<u8>) {
        let Self {
            store,
            account,
            // A start forgets wrong passwords; what an operator said is kept elsewhere.
            access: _,
            // Of connections, which a restart has none of.
            slot: _,
            is_told_here: _,
            throttle: _,
            owed: _,
            extra,
            echoes,
            // That of the configuration.
            echoes_max: _,
            has_crosses,
            accepted,
            // Behind all others.
            answers: _,
            mandated: _,
        } = self;
        out.extend(store.count().to_le_bytes());
        out.extend([u8::from(account.is_some())]);
        out.extend(account.unwrap_or(0).to_le_bytes());
        out.extend([u8::from(*has_crosses)]);
        list(out, extra.iter(), |out, extra| {
            out.extend_from_slice(bytemuck::bytes_of(extra));
        });
        list(out, echoes.iter(), |out, echo| {
            out.extend(echo.user_ref.to_le_bytes());
            out.extend(echo.letters);
            out.extend(echo.wire_letters);
            out.extend(echo.client_id);
            out.extend([u8::from(echo.wrong_firm)]);
        });
        list(out, accepted.iter(), |out, (user_ref, letters)| {
            out.extend(user_ref.to_le_bytes());
            let Letters {
                side,
                capacity,
                cross_type,
                display,
            } = *letters;
            out.extend([side, capacity, cross_type, display]);
        });
    }

    /// Takes the state from bytes; gives how many replies there were.
    pub(super) fn restore(&mut self, from: &mut Reader<'_>) -> Result<u64, StateError> {
        let replies = from.long("replies")?;
        let (has_account, account) = (from.byte("account")?, from.word("account")?);
        self.account = (has_account == 1).then_some(account);
        self.has_crosses = from.byte("has_crosses")? == 1;
        from.list("extra", |from| {
            let bytes: [u8; size_of::<Command>()] = from.take("extra")?;
            self.extra = Some(bytemuck::pod_read_unaligned(&bytes));
            Ok(())
        })?;
        from.list("echoes", |from| {
            let echo = Echo {
                user_ref: from.word("echo.user_ref")?,
                letters: from.take("echo.letters")?,
                wire_letters: from.take("echo.wire_letters")?,
                client_id: from.take("echo.client_id")?,
                wrong_firm: from.byte("echo.wrong_firm")? == 1,
                number: 0,
                content: 0,
            };
            from.require("echoes", self.echo_fits())?;
            self.echoes.push_back(echo);
            Ok(())
        })?;
        from.list("accepted", |from| {
            let user_ref = from.word("accepted.user_ref")?;
            let [side, capacity, cross_type, display] = from.take("accepted.letters")?;
            let is_above = self.accepted.last().is_none_or(|last| last.0 < user_ref);
            from.require("accepted.user_ref", is_above)?;
            let letters = Letters {
                side,
                capacity,
                cross_type,
                display,
            };
            self.accepted.push((user_ref, letters));
            Ok(())
        })?;
        let last = self.accepted.last().map_or(0, |last| last.0);
        self.answers.begin_behind(self.accepted.len(), last);
        Ok(replies)
    }
}
