//! How often rare things happened: what streams that met everything can show for it.

use std::collections::BTreeMap;
use std::fmt;

use wire::ring::{Event, EventKind, Reason};

/// Counts by name. Every name there is has a count from the beginning, so that what never happened
/// stands out.
#[derive(Clone, Debug)]
pub struct Coverage {
    rare: BTreeMap<&'static str, u64>,
    /// By kind of event and reason.
    reasons: BTreeMap<(&'static str, u8), u64>,
    /// Inputs that a kind of work took more than one step of.
    steps: BTreeMap<&'static str, u64>,
}

/// Rare things that are told from events and the reference's books.
pub(super) const RARE: [&str; 34] = [
    "limit state begun",
    "limit state ended by quotes",
    "volatility auction begun by time",
    "volatility auction ended by time",
    "two states ended by time at once",
    "timed uncross with a volume",
    "orders expired and a state ended at once",
    "order changed behind a timed uncross",
    "peg repriced to the edge of a band",
    "peg repriced as its band moved",
    "peg left without a price",
    "elected stop waited",
    "elected stop waited through a halt",
    "elected stop left while it waited",
    "four orders came to life at one input",
    "at-the-close order came to life",
    "all-or-none order skipped",
    "order amended",
    "order reduced by an amendment",
    "order replaced under its own name",
    "mass cancel of a user took orders off",
    "mass cancel of a user under a used reference",
    "decrement to zero of both",
    "decrement of the maker",
    "decrement of the aggressor",
    "more than 64 events of an input",
    "orders full",
    "special orders full",
    "all-or-none orders of a symbol full",
    "price groups full on entry",
    "price groups full among consequences",
    "symbols full",
    "sessions or accounts full",
    "no accounts kept",
];

/// Why something is `Rejected`.
const REJECTED: [Reason; 28] = [
    Reason::UnknownSymbol,
    Reason::UnknownSession,
    Reason::InvalidQuantity,
    Reason::InvalidPrice,
    Reason::DuplicateUserRef,
    Reason::UnknownOrder,
    Reason::PoolFull,
    Reason::LadderFull,
    Reason::InvalidField,
    Reason::Unsupported,
    Reason::NotOpen,
    Reason::WouldTrade,
    Reason::Expired,
    Reason::NoLiquidity,
    Reason::Halted,
    Reason::NotInState,
    Reason::PriceBand,
    Reason::Restricted,
    Reason::Killed,
    Reason::MaxQuantity,
    Reason::MaxNotional,
    Reason::FatFinger,
    Reason::MaxOpenOrders,
    Reason::MaxPosition,
    Reason::GrossCredit,
    Reason::NetCredit,
    Reason::RateLimit,
    Reason::NotPermitted,
];

/// Why something is `Refused`.
const REFUSED: [Reason; 10] = [
    Reason::UnknownSymbol,
    Reason::UnknownSession,
    Reason::InvalidField,
    Reason::NotOpen,
    Reason::TableFull,
    Reason::NotInState,
    Reason::UnknownTrade,
    Reason::TradeBroken,
    Reason::WrongAccount,
    Reason::Unsupported,
];

/// Why orders are `Canceled`.
const CANCELED: [Reason; 10] = [
    Reason::User,
    Reason::ImmediateOrCancel,
    Reason::DayClosed,
    Reason::LadderFull,
    Reason::MinimumQuantity,
    Reason::Expired,
    Reason::SelfTrade,
    Reason::AuctionOver,
    Reason::Killed,
    Reason::MassCancel,
];

impl Coverage {
    /// Nothing happened yet. `works` are the kinds of work that an engine may do in steps.
    #[must_use]
    pub fn new(works: &[&'static str]) -> Self {
        let kinds: [(_, &[Reason]); 3] = [
            ("Rejected", &REJECTED),
            ("Refused", &REFUSED),
            ("Canceled", &CANCELED),
        ];
        let reasons = kinds.into_iter().flat_map(|(kind, reasons)| {
            let zero = move |reason: &Reason| ((kind, *reason as u8), 0);
            reasons.iter().map(zero)
        });
        Self {
            rare: RARE.into_iter().map(|name| (name, 0)).collect(),
            reasons: reasons.collect(),
            steps: works.iter().map(|work| (*work, 0)).collect(),
        }
    }

    /// An input had a kind of work that took more than one step.
    pub fn note_steps(&mut self, work: &'static str) {
        *self.steps.entry(work).or_default() += 1;
    }

    /// Adds what another one counted.
    pub fn add(&mut self, other: &Self) {
        add(&mut self.rare, &other.rare);
        add(&mut self.reasons, &other.reasons);
        add(&mut self.steps, &other.steps);
    }

    /// All counts by name.
    pub fn counts(&self) -> impl Iterator<Item = (String, u64)> {
        let rare = self.rare.iter().map(|(name, n)| ((*name).to_owned(), *n));
        let reasons = self.reasons.iter().map(|((kind, reason), n)| {
            let reason = Reason::from_byte(*reason).unwrap_or(Reason::None);
            (format!("{kind} {reason:?}"), *n)
        });
        let steps = self.steps.iter();
        let steps = steps.map(|(work, n)| (format!("more than one step to {work}"), *n));
        rare.chain(reasons).chain(steps)
    }

    pub(super) fn note(&mut self, times: usize, name: &'static str) {
        if times > 0 {
            *self.rare.entry(name).or_default() += times as u64;
        }
    }

    pub(super) fn note_reason(&mut self, event: &Event) {
        let kind = match EventKind::from_byte(event.kind) {
            Some(EventKind::Rejected) => "Rejected",
            Some(EventKind::Refused) => "Refused",
            Some(EventKind::Canceled) => "Canceled",
            _ => return,
        };
        *self.reasons.entry((kind, event.reason)).or_default() += 1;
    }
}

fn add<K: Copy + Ord>(to: &mut BTreeMap<K, u64>, counts: &BTreeMap<K, u64>) {
    for (key, count) in counts {
        *to.entry(*key).or_default() += count;
    }
}

impl fmt::Display for Coverage {
    /// A line for each name; what never happened is marked.
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, count) in self.counts() {
            let mark = if count == 0 { "  NEVER" } else { "" };
            writeln!(to, "{count:>12}  {name}{mark}")?;
        }
        Ok(())
    }
}
