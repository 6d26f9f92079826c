//! Trades that are taken back.
//!
//! The engine does not keep its trades: that would cost every trade a store for the sake of a few.
//! Who takes one back says what it was, in two commands, and the engine looks at what it can: that
//! the match was made, that it was not taken back before, and that both accounts traded as much. It
//! keeps the numbers of those that were taken back, and undoes what they did to the accounts; no
//! order comes back and no price is forgotten.

use wire::ring::{Command, Event, EventKind, PRICE_MAX, QUANTITY_MAX, Reason, Side};

use crate::accounts::{Accounts, Whose};
use crate::answers::{about, refused};
use crate::carry::{Carrier, Tag};
use crate::reader::{Reader, RestoreError, RestoreFault};
use crate::snapshot::{NUMBERS_MAX, Writer};
use crate::{Engine, Events, Step};

/// The most trades that are taken back in a day.
pub const BUSTS_MAX: usize = 1_024;

/// The trade that a `Trade` named, and its aggressor.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Named {
    /// 0 for none.
    match_number: u64,
    session: u16,
    user_ref: u32,
    client_id: [u8; 14],
}

impl Named {
    const NONE: Self = Self {
        match_number: 0,
        session: 0,
        user_ref: 0,
        client_id: [0; 14],
    };

    fn carry<C: Carrier>(&mut self, to: &mut C) -> Result<(), C::Error> {
        let Self {
            match_number,
            session,
            user_ref,
            client_id,
        } = self;
        to.number("trade.match_number", match_number, 1..=i64::MAX as u64)?;
        to.any("trade.session", session)?;
        to.any("trade.user_ref", user_ref)?;
        for letter in client_id {
            to.any("trade.client_id", letter)?;
        }
        Ok(())
    }
}

/// What was taken back today.
pub(crate) struct Busts<'m> {
    /// Match numbers, rising; as many as there are.
    broken: &'m mut [u64],
    count: usize,
    named: Named,
}

impl<'m> Busts<'m> {
    /// Nothing, with room for as many as the memory has.
    pub(crate) const fn new(broken: &'m mut [u64]) -> Self {
        Self {
            broken,
            count: 0,
            named: Named::NONE,
        }
    }

    pub(crate) const fn clear(&mut self) {
        (self.count, self.named) = (0, Named::NONE);
    }

    /// Where a match number goes.
    fn place(&self, match_number: u64) -> Result<usize, Reason> {
        match self.broken[..self.count].binary_search(&match_number) {
            Ok(_) => Err(Reason::TradeBroken),
            Err(_) if self.count == self.broken.len() => Err(Reason::TableFull),
            Err(place) => Ok(place),
        }
    }

    fn insert(&mut self, place: usize, match_number: u64) {
        self.broken.copy_within(place..self.count, place + 1);
        self.broken[place] = match_number;
        self.count += 1;
    }

    /// Writes what a snapshot carries.
    pub(crate) fn write(&self, writer: &mut Writer<'_>) {
        if self.named != Named::NONE {
            writer.record(Tag::Trade, |to| { self.named }.carry(to));
        }
        for match_number in &self.broken[..self.count] {
            writer.record(Tag::Broken, |to| {
                to.number("broken", &mut { *match_number }, 1..=NUMBERS_MAX)
            });
        }
    }

    /// Reads what a snapshot carries, of a day with so many matches.
    pub(crate) fn read(
        &mut self,
        reader: &mut Reader<'_>,
        matches: u64,
    ) -> Result<(), RestoreError> {
        if reader.is_next(Tag::Trade) {
            reader.record(Tag::Trade, |from| self.named.carry(from))?;
        }
        let mut last = 0;
        while reader.is_next(Tag::Broken) {
            let mut number = 0;
            reader.record(Tag::Broken, |from| {
                from.number("broken", &mut number, 1..=matches)
            })?;
            reader.require(number > last, "broken", RestoreFault::Order)?;
            let room = self.count < self.broken.len();
            reader.require(room, "broken", RestoreFault::Room)?;
            self.insert(self.count, number);
            last = number;
        }
        Ok(())
    }
}

impl Accounts<'_> {
    /// Value of all trades of an account.
    fn traded(&self, place: u16) -> i128 {
        let account = &self.all[usize::from(place)];
        // Live orders count in both, trades in none of the net sums together.
        account.gross - account.net.iter().sum::<i128>()
    }

    /// Whether two accounts traded a value with one another, or one with itself.
    fn have_traded(&self, places: [u16; 2], value: i128) -> bool {
        let [one, other] = places;
        let times = if one == other { 2 } else { 1 };
        places
            .iter()
            .all(|place| self.traded(*place) >= times * value)
    }
}

impl Engine<'_> {
    /// Remembers which trade the next `Bust` takes back.
    pub(crate) fn name_trade(&mut self, command: &Command) -> Event {
        self.busts.named = match u64::try_from(command.price) {
            Ok(match_number @ 1..) => Named {
                match_number,
                session: command.session,
                user_ref: command.user_ref,
                client_id: command.client_id,
            },
            _ => Named::NONE,
        };
        about(command, EventKind::Noted, Reason::None)
    }

    /// Takes back the trade that was named.
    #[cold]
    pub(crate) fn bust(&mut self, command: &Command, events: &mut Events) -> Step {
        let trade = core::mem::replace(&mut self.busts.named, Named::NONE);
        let told = self.check_bust(command, &trade).map(|(side, place)| {
            self.busts.insert(place, trade.match_number);
            let whose = self.whose_trade(command, &trade, side);
            if self.accounts.is_kept {
                for one in whose {
                    let price = command.price as u32;
                    self.accounts.take_back(one, command.quantity, price);
                }
            }
            broken(command, &trade, side)
        });
        match told {
            Ok(both) => both.into_iter().for_each(|event| events.push(event)),
            Err(reason) => events.push(refused(command, reason)),
        }
        Step::Done
    }

    /// The maker's side, and where the match number goes.
    fn check_bust(&self, command: &Command, trade: &Named) -> Result<(Side, usize), Reason> {
        use Reason::{Consent, Erroneous, External, Supervisory};
        let why = Reason::from_byte(command.flags);
        let is_why = matches!(why, Some(Erroneous | Consent | Supervisory | External));
        let side = Side::from_byte(command.side).filter(|_| is_why);
        let side = side.ok_or(Reason::InvalidField)?;
        if !(1..=self.matches).contains(&trade.match_number) {
            return Err(Reason::UnknownTrade);
        }
        let book = self.books.books.get(usize::from(command.symbol));
        if !book.is_some_and(|book| book.is_defined()) {
            return Err(Reason::UnknownSymbol);
        }
        let sessions = [command.session, trade.session];
        let is_defined = |session: &u16| {
            let session = self.sessions.get(usize::from(*session));
            session.is_some_and(|session| session.is_defined())
        };
        if !sessions.iter().all(is_defined) {
            return Err(Reason::UnknownSession);
        }
        if !(1..=QUANTITY_MAX).contains(&command.quantity) {
            return Err(Reason::InvalidQuantity);
        }
        if !(1..=PRICE_MAX).contains(&command.price) {
            return Err(Reason::InvalidPrice);
        }
        let place = self.busts.place(trade.match_number)?;
        let places = self.whose_trade(command, trade, side).map(|one| one.place);
        let value = i128::from(command.quantity) * i128::from(command.price);
        if self.accounts.is_kept && !self.accounts.have_traded(places, value) {
            return Err(Reason::UnknownTrade);
        }
        Ok((side, place))
    }

    /// Whose the orders were: the maker's, then the aggressor's.
    fn whose_trade(&self, command: &Command, trade: &Named, side: Side) -> [Whose; 2] {
        let whose = |session: u16, side| Whose {
            place: self.sessions[usize::from(session)].defined,
            symbol: command.symbol,
            side,
        };
        [
            whose(command.session, side),
            whose(trade.session, side.opposite()),
        ]
    }
}

/// What is told of a trade that was taken back: to its maker, then to its aggressor.
fn broken(command: &Command, trade: &Named, side: Side) -> [Event; 2] {
    let maker = Event {
        reason: command.flags,
        flags: Event::MAKER,
        related: trade.match_number,
        ..about(command, EventKind::Broken, Reason::None)
    };
    let aggressor = Event {
        side: side.opposite() as u8,
        flags: Event::LAST,
        session: trade.session,
        user_ref: trade.user_ref,
        ..maker
    };
    [
        maker.with_client_id(command.client_id),
        aggressor.with_client_id(trade.client_id),
    ]
}
