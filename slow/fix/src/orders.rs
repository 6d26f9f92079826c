//! A member's orders as FIX knows them: the venue's replies to reports.
//!
//! A report is a function of the replies up to its own and of what the member asked for, so that
//! one sent yesterday is made again byte by byte today. Ids: ClOrdID is OUCH's own text of an
//! order, OrderID the venue's number, ExecID the number of the reply.

mod turned_away;

use crate::message::Body;
use crate::moment;
use crate::numbers::Asked;
use crate::order::{
    Order, Refused, Status, Trade, cancel_reject, cancel_text, mass_report, price_text,
    reject_text, side_letter, trimmed,
};
use std::collections::{BTreeMap, HashMap, VecDeque};
use wire::ouch::outbound::{Accepted, BrokenTrade, Canceled, Executed, Rejected, Replaced};
use wire::ouch::{Outbound, Tag};

/// What FIX says of a reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// MsgType (35): an execution report, a cancel reject or a mass cancel report.
    pub kind: &'static str,
    /// Its fields.
    pub body: Body,
    /// It says what only the request knew, and must be kept to be sent again.
    pub is_kept: bool,
}

impl Report {
    fn execution(body: Body) -> Self {
        Self {
            kind: "8",
            body,
            is_kept: false,
        }
    }

    fn mass(body: Body) -> Self {
        Self {
            kind: "r",
            body,
            is_kept: true,
        }
    }

    fn cancel_reject(body: Body) -> Self {
        Self {
            kind: "9",
            body,
            is_kept: true,
        }
    }
}

/// An order on its way to the venue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unanswered {
    /// Number of the message that asked for it.
    pub number: u64,
    /// The member's name for it.
    pub id: String,
    /// As the member wrote it.
    pub symbol: String,
    /// Side (54).
    pub side: char,
    /// Units.
    pub quantity: u32,
}

const DAY_NS: u64 = 86_400_000_000_000;

/// All orders of a member's day.
#[derive(Debug, Default)]
pub struct Orders {
    by_ref: BTreeMap<u32, Order>,
    /// The newest order of each name.
    by_id: HashMap<String, u32>,
    /// ClOrdIDs of cancels that were asked for and not answered.
    cancels: BTreeMap<u32, VecDeque<String>>,
    /// What replacements that were asked for stand in the place of.
    replaces: BTreeMap<u32, u32>,
    /// Mass cancels that were asked for: MassCancelRequestType and ClOrdID.
    masses: BTreeMap<u32, (char, String)>,
    /// Orders sent and not answered, with the numbers of the messages they came in.
    unanswered: BTreeMap<u32, Unanswered>,
    /// Midnight of the day of the last reply, in nanoseconds since 1970.
    midnight_ns: u64,
    /// Nanoseconds of the day of the last reply.
    time_ns: u64,
}

impl Orders {
    /// No orders yet, on a day that began at `midnight_ns` since 1970.
    #[must_use]
    pub fn new(midnight_ns: u64, asked: Vec<Asked>) -> Self {
        let mut orders = Self {
            midnight_ns,
            ..Self::default()
        };
        asked.into_iter().for_each(|asked| orders.asked(asked));
        orders
    }

    /// Notes what a member asked for.
    pub fn asked(&mut self, asked: Asked) {
        match asked {
            Asked::Cancel(user_ref, id) => {
                self.cancels.entry(user_ref).or_default().push_back(id);
            }
            Asked::Refused(user_ref) => drop(self.refused(user_ref)),
            Asked::Replace(new, old) => {
                self.replaces.insert(new, old);
            }
            Asked::Mass(user_ref, scope, id) => {
                self.masses.insert(user_ref, (scope, id));
            }
        }
    }

    /// Notes that an order went to the venue.
    pub fn sent(&mut self, user_ref: u32, order: Unanswered) {
        self.unanswered.insert(user_ref, order);
    }

    /// The number of the first message whose order the venue has not answered.
    #[must_use]
    pub fn unanswered(&self) -> Option<u64> {
        self.unanswered.values().map(|order| order.number).min()
    }

    /// Forgets what was sent and not answered, the connection being gone.
    pub fn disconnected(&mut self) {
        self.unanswered.clear();
    }

    /// Whether an order of that name was seen or is under way.
    #[must_use]
    pub fn is_known(&self, id: &str) -> bool {
        self.by_id.contains_key(id) || self.unanswered.values().any(|other| other.id == id)
    }

    /// Whether a mass cancel of that name was asked for.
    #[must_use]
    pub fn is_mass_known(&self, id: &str) -> bool {
        self.masses.values().any(|(_, other)| other == id)
    }

    /// Forgets mass cancels that the venue never saw: it goes on at this number.
    pub fn lost_from(&mut self, user_ref_next: u32) {
        self.masses.split_off(&user_ref_next);
    }

    /// Whether a cancel of that name is under way.
    #[must_use]
    pub fn is_cancel_known(&self, id: &str) -> bool {
        self.cancels.values().flatten().any(|other| other == id)
    }

    /// The order of that name, and its number.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<(u32, &Order)> {
        let user_ref = *self.by_id.get(id)?;
        Some((user_ref, self.by_ref.get(&user_ref)?))
    }

    /// All live orders.
    pub fn live(&self) -> impl Iterator<Item = (u32, &Order)> {
        let live = self
            .by_ref
            .iter()
            .filter(|(_, order)| order.status.is_live());
        live.map(|(user_ref, order)| (*user_ref, order))
    }

    /// Takes the venue's reply of a number, and makes its report.
    pub fn replied(&mut self, reply: u64, message: &Outbound<'_>) -> Option<Report> {
        let when = self.when(message);
        let place = (reply, when.as_str());
        match message {
            Outbound::Accepted(told) => Some(self.accepted(place, told)),
            Outbound::Replaced(told) => self.replaced(place, told),
            Outbound::Executed(told) => self.executed(place, told),
            Outbound::Canceled(told) => self.canceled(place, told),
            Outbound::Rejected(told) => Some(self.rejected(place, told)),
            Outbound::CancelReject(told) => {
                let waiting = self.cancels.get_mut(&told.user_ref());
                let id = waiting.and_then(VecDeque::pop_front)?;
                let order = self.by_ref.get(&told.user_ref());
                let body = cancel_reject(order, (&id, '1', 0), "the order is not live");
                Some(Report::cancel_reject(body))
            }
            Outbound::PriorityUpdate(told) => {
                let order = self.by_ref.get_mut(&told.user_ref())?;
                order.price = told.price();
                let body = order.fields((reply, 'D'), &when).with(378, 3);
                Some(Report::execution(body))
            }
            Outbound::BrokenTrade(told) => self.broken(place, told),
            Outbound::MassCancelResponse(told) => {
                let (scope, id) = self.masses.get(&told.user_ref())?;
                let count = told.tags().find_map(|tag| match tag {
                    Tag::Orders(count) => Some(count),
                    _ => None,
                });
                let body = mass_report((id, *scope), Ok(count.unwrap_or(0)), place.1);
                Some(Report::mass(body))
            }
            _ => None,
        }
    }

    fn accepted(&mut self, place: (u64, &str), told: &Accepted<'_>) -> Report {
        let order = Order {
            id: trimmed(&told.client_id()),
            id_before: None,
            order_ref: told.order_ref(),
            account: told.tags().find_map(|tag| match tag {
                Tag::Account(account) => Some(account),
                _ => None,
            }),
            symbol: told.symbol(),
            side: side_letter(told.side()),
            price: told.price(),
            time_in_force: char::from(told.time_in_force()),
            quantity: told.quantity().into(),
            leaves: told.quantity().into(),
            done: 0,
            value: 0,
            trades: BTreeMap::new(),
            next: None,
            status: Status::New,
        };
        let body = order.fields((place.0, '0'), place.1);
        self.insert(told.user_ref(), order);
        Report::execution(body)
    }

    fn replaced(&mut self, place: (u64, &str), told: &Replaced<'_>) -> Option<Report> {
        self.replaces.remove(&told.user_ref());
        let old = self.by_ref.get_mut(&told.old_user_ref())?;
        old.status = Status::Replaced;
        old.next = Some(told.user_ref());
        let order = Order {
            id: trimmed(&told.client_id()),
            id_before: Some(old.id.clone()),
            order_ref: told.order_ref(),
            price: told.price(),
            time_in_force: char::from(told.time_in_force()),
            quantity: old.done + u64::from(told.quantity()),
            leaves: told.quantity().into(),
            status: if old.done > 0 {
                Status::Partial
            } else {
                Status::New
            },
            trades: BTreeMap::new(),
            next: None,
            ..old.clone()
        };
        let body = order.fields((place.0, '5'), place.1);
        self.insert(told.user_ref(), order);
        Some(Report::execution(body))
    }

    fn executed(&mut self, place: (u64, &str), told: &Executed<'_>) -> Option<Report> {
        let order = self.by_ref.get_mut(&told.user_ref())?;
        let units = u64::from(told.quantity());
        order.leaves = order.leaves.saturating_sub(units);
        order.done += units;
        order.value += u128::from(units) * u128::from(told.price());
        let trade = Trade {
            exec: place.0,
            units,
            price: told.price(),
        };
        order.trades.insert(told.match_number(), trade);
        order.status = if order.leaves == 0 {
            Status::Filled
        } else {
            Status::Partial
        };
        let body = order.fields((place.0, 'F'), place.1);
        let body = body
            .with(32, units)
            .with(31, price_text(told.price()))
            .with(527, told.match_number());
        Some(Report::execution(body))
    }

    /// A trade was taken back: what it did to the order, and to those that replaced it, is undone,
    /// but none of it trades again.
    fn broken(&mut self, place: (u64, &str), told: &BrokenTrade<'_>) -> Option<Report> {
        let order = self.by_ref.get_mut(&told.user_ref())?;
        let trade = order.trades.remove(&told.match_number())?;
        let mut counting = Some(told.user_ref());
        while let Some(order) = counting.and_then(|one| self.by_ref.get_mut(&one)) {
            order.take_back(&trade);
            counting = order.next;
        }
        let order = self.by_ref.get(&told.user_ref())?;
        let body = order.fields((place.0, 'H'), place.1);
        let body = body
            .with(19, trade.exec)
            .with(32, trade.units)
            .with(31, price_text(trade.price))
            .with(527, told.match_number());
        Some(Report::execution(body))
    }

    fn canceled(&mut self, place: (u64, &str), told: &Canceled<'_>) -> Option<Report> {
        let is_asked = told.reason() == b'U';
        let waiting = self.cancels.get_mut(&told.user_ref());
        let id = waiting.filter(|_| is_asked).and_then(VecDeque::pop_front);
        let order = self.by_ref.get_mut(&told.user_ref())?;
        order.leaves = order.leaves.saturating_sub(told.quantity().into());
        if order.leaves > 0 {
            // Fewer units than were asked for, and the order lives on.
            order.quantity = order.done + order.leaves;
            let body = order.fields((place.0, 'D'), place.1).with(378, 5);
            return Some(Report::execution(body));
        }
        let is_over = matches!(told.reason(), b'T' | b'E');
        order.status = if is_over {
            Status::Expired
        } else {
            Status::Canceled
        };
        let body = order.fields((place.0, order.status.letter()), place.1);
        let body = match id {
            // About a cancel that was asked for, ClOrdID is the request's.
            Some(id) => body.renamed(&order.id, &id),
            None => body.with_some(58, cancel_text(told.reason())),
        };
        Some(Report::execution(body))
    }

    fn insert(&mut self, user_ref: u32, order: Order) {
        self.unanswered.remove(&user_ref);
        self.by_id.insert(order.id.clone(), user_ref);
        self.by_ref.insert(user_ref, order);
    }

    fn rejected(&mut self, place: (u64, &str), told: &Rejected<'_>) -> Report {
        let asked = self.unanswered.remove(&told.user_ref());
        let id = trimmed(&told.client_id());
        let text = reject_text(told.reason());
        if let Some((scope, id)) = self.masses.get(&told.user_ref()) {
            let body = mass_report((id, *scope), Err(&text), place.1);
            return Report::mass(body);
        }
        if let Some(old) = self.replaces.remove(&told.user_ref()) {
            let order = self.by_ref.get(&old);
            return Report::cancel_reject(cancel_reject(order, (&id, '2', 99), &text));
        }
        let asked = asked.as_ref();
        let order = Refused {
            exec: place.0,
            id: asked.map_or(&id, |asked| &asked.id),
            symbol: asked.map_or("[N/A]", |asked| &asked.symbol),
            side: asked.map_or('1', |asked| asked.side),
            quantity: asked.map(|asked| asked.quantity),
        };
        let reason = if told.reason() == 0x17 { 1 } else { 99 };
        let body = order.report((reason, &text), place.1);
        Report {
            is_kept: true,
            ..Report::execution(body)
        }
    }

    /// The time of a reply; the day ends when the clock goes back.
    fn when(&mut self, message: &Outbound<'_>) -> String {
        let time_ns = nanoseconds(message).min(DAY_NS - 1);
        if time_ns + DAY_NS / 2 < self.time_ns {
            self.midnight_ns = self.midnight_ns.saturating_add(DAY_NS);
        }
        self.time_ns = time_ns;
        moment::text(self.midnight_ns.saturating_add(time_ns))
    }
}

/// Nanoseconds of the day, which every message of the venue says behind its type; nobody holds a
/// venue to it that there are no more than a day has.
fn nanoseconds(message: &Outbound<'_>) -> u64 {
    let bytes = message.fixed_bytes().get(1..9);
    bytes
        .and_then(|bytes| bytes.try_into().ok())
        .map_or(0, u64::from_be_bytes)
}
