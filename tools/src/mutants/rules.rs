//! Mutants of the market's rules, judged by the differential and, if that lets one pass, by the
//! engine's tests.

use super::suite::{Fault, Suite, Trial};

const STOPS: &str = "engine/matching/src/stops.rs";
const TRIGGERS: &str = "engine/matching/src/triggers.rs";
const TRADE: &str = "engine/matching/src/trade.rs";
const ALL_OR_NONE: &str = "engine/matching/src/all_or_none.rs";
const AFTER: &str = "engine/matching/src/after.rs";
const MINIMUM: &str = "engine/matching/src/minimum.rs";
const PEGS: &str = "engine/matching/src/pegs.rs";
const ICEBERG: &str = "engine/matching/src/iceberg.rs";
const SELF_TRADE: &str = "engine/matching/src/self_trade.rs";
const EXPIRY: &str = "engine/matching/src/expiry.rs";
const HEAP: &str = "engine/matching/src/heap.rs";
const ALLOCATION: &str = "engine/matching/src/allocation.rs";
const MASS: &str = "engine/matching/src/mass.rs";
const KILL: &str = "engine/matching/src/kill.rs";
const DARK: &str = "engine/matching/src/dark.rs";
const BANDS: &str = "engine/matching/src/bands.rs";
const UNCROSS: &str = "engine/matching/src/uncross.rs";
const RISK: &str = "engine/matching/src/risk.rs";
const ENTRY: &str = "engine/matching/src/entry.rs";
const REFS: &str = "engine/matching/src/refs.rs";
const AMEND: &str = "engine/matching/src/amend.rs";
const ACCOUNTS: &str = "engine/matching/src/accounts.rs";

pub const SUITE: Suite = Suite {
    name: "rules",
    // The last three only because tests of the others need them.
    packages: &[
        "wire",
        "flow",
        "engine/matching",
        "engine/session",
        "engine/analytics",
        "engine/trading",
    ],
    folders: &["docs"],
    has_orderings: false,
    has_switches: true,
    faults: FAULTS,
    trials: &[
        Trial {
            build: &[
                "build",
                "--quiet",
                "-p",
                "matching",
                "--example",
                "differential",
            ],
            run: &[
                "run",
                "--quiet",
                "-p",
                "matching",
                "--example",
                "differential",
                "--",
                "--commands",
                "400000",
            ],
            program: Some(("differential", "differential: seed")),
        },
        Trial {
            build: &["test", "--quiet", "-p", "matching", "--tests", "--no-run"],
            run: &[
                "test",
                "--quiet",
                "-p",
                "matching",
                "--tests",
                "--no-fail-fast",
                "--",
                // It fails for every change.
                "--skip",
                "this_build_comes_to_the_recorded_states",
            ],
            program: None,
        },
    ],
};

const FAULTS: &[Fault] = &[
    Fault {
        name: "free references are taken twice",
        file: ENTRY,
        find: "(!session.has_free_refs() || self.is_unused(command))",
        replace: "(if MUTANT { true } else { (!session.has_free_refs() || \
        self.is_unused(command)) })",
    },
    Fault {
        name: "an order cannot be replaced under its own name",
        file: ENTRY,
        find: "keeps || self.refs",
        replace: "(keeps && !MUTANT) || self.refs",
    },
    Fault {
        name: "a name that is elsewhere is forgotten when another one there leaves",
        file: REFS,
        find: "*home -= ELSEWHERE_ONE;",
        replace: "if MUTANT { *home &= HANDLE_MASK; } else { *home -= ELSEWHERE_ONE; }",
    },
    Fault {
        name: "an amendment to as many units as are open loses priority",
        file: AMEND,
        find: "(1..=order.open())",
        replace: "(1..=order.open() - u32::from(MUTANT))",
    },
    Fault {
        name: "a stop waits until its trigger is passed",
        file: STOPS,
        find: "Side::Buy => price >= trigger,",
        replace: "Side::Buy => if MUTANT { price > trigger } else { price >= trigger },",
    },
    Fault {
        name: "a trailing stop that saw no price never gets a trigger",
        file: STOPS,
        find: "        self.set_mark(symbol, side, part, price);
        Ticking::Mark
",
        replace: "        if !MUTANT { self.set_mark(symbol, side, part, price); }
        Ticking::Mark
",
    },
    Fault {
        name: "trailing stops follow the market the wrong way",
        file: STOPS,
        find: "rank(side, price) < rank(side, mark)",
        replace: "(rank(side, price) < rank(side, mark)) != MUTANT && rank(side, price) != \
        rank(side, mark)",
    },
    Fault {
        name: "stops to sell come to life by ascending trigger",
        file: TRIGGERS,
        find: "rank(who.side(), part.trigger(who.side()).unwrap_or(0))",
        replace: "(if MUTANT { rank(wire::ring::Side::Buy, part.trigger(who.side()).unwrap_or(0)) \
        } else { rank(who.side(), part.trigger(who.side()).unwrap_or(0)) })",
    },
    Fault {
        name: "only an order's first trade is a tick",
        file: TRADE,
        find: "            watch.tick_add(book.last);
",
        replace: "            if !MUTANT { watch.tick_add(book.last); }
",
    },
    Fault {
        name: "all-or-none orders are tried with one unit too few",
        file: ALL_OR_NONE,
        find: "self.judged(&taker, taker.open, None)",
        replace: "self.judged(&taker, taker.open - u32::from(MUTANT), None)",
    },
    Fault {
        name: "one all-or-none order too many waits in a symbol",
        file: ALL_OR_NONE,
        find: "< WHOLE_MAX {
            return Ok(());",
        replace: "< WHOLE_MAX + u32::from(MUTANT) {
            return Ok(());",
    },
    Fault {
        name: "all-or-none orders are not tried when units come",
        file: AFTER,
        find: "self.watches[usize::from(symbol)].is_due = 1;",
        replace: "if !MUTANT { self.watches[usize::from(symbol)].is_due = 1; }",
    },
    Fault {
        name: "units of the same account count for a minimum",
        file: MINIMUM,
        find: "if is_own { 0 }",
        replace: "if is_own && !MUTANT { 0 }",
    },
    Fault {
        name: "a primary peg may lock the market",
        file: PEGS,
        find: "safer(price, other - towards * tick)",
        replace: "(if MUTANT { safer(price, other) } else { safer(price, other - towards * tick) \
        })",
    },
    Fault {
        name: "midpoints of sells are rounded down",
        file: PEGS,
        find: "(sum + 1) / 2",
        replace: "(if MUTANT { sum / 2 } else { (sum + 1) / 2 })",
    },
    Fault {
        name: "the replaced order is a reference for a peg",
        file: PEGS,
        find: "let less = if level == without { units } else { 0 };",
        replace: "let less = if level == without && !MUTANT { units } else { 0 };",
    },
    Fault {
        name: "a reduction takes shown units first",
        file: ICEBERG,
        find: "let held = quantity.min(order.open() - tip);",
        replace: "let held = if MUTANT { quantity.saturating_sub(tip) } else { \
        quantity.min(order.open() - tip) };",
    },
    Fault {
        name: "a fresh tip keeps its place",
        file: ICEBERG,
        find: "        self.books.move_back(&mut self.slab, handle);
",
        replace: "        if !MUTANT { self.books.move_back(&mut self.slab, handle); }
",
    },
    Fault {
        name: "a refreshed order expires by its old number",
        file: ICEBERG,
        find: "        if expires {
",
        replace: "        if expires && !MUTANT {
",
    },
    Fault {
        name: "an iceberg that is decremented by an order as large stays",
        file: SELF_TRADE,
        find: "if order.open() > taker.open {",
        replace: "if order.open() > taker.open + u32::from(MUTANT) {",
    },
    Fault {
        name: "self-trades are prevented by session, not by account",
        file: SELF_TRADE,
        find: "[maker, taker.who.session()].map(|one| self.sessions[usize::from(one)].account)",
        replace: "(if MUTANT { [maker, taker.who.session()].map(u32::from) } else { [maker, \
        taker.who.session()].map(|one| self.sessions[usize::from(one)].account) })",
    },
    Fault {
        name: "orders that expire together leave in any order",
        file: EXPIRY,
        find: "(expiry_ns, self.orders[order as usize].identity().order_ref)",
        replace: "(if MUTANT { (expiry_ns, u64::from(order & 0)) } else { (expiry_ns, \
        self.orders[order as usize].identity().order_ref) })",
    },
    Fault {
        name: "what ends now ends at the next input",
        file: HEAP,
        find: "self.next_ns <= time_ns",
        replace: "(if MUTANT { self.next_ns < time_ns } else { self.next_ns <= time_ns })",
    },
    Fault {
        name: "what rounding leaves goes to all in turn",
        file: ALLOCATION,
        find: "let more = self.left.min(rest - part);",
        replace: "let more = if MUTANT { self.left.min(rest - part).min(1) } else { \
        self.left.min(rest - part) };",
    },
    Fault {
        name: "the top order's share is not taken off",
        file: ALLOCATION,
        find: "        self.tips -= top;
",
        replace: "        if !MUTANT { self.tips -= top; }
",
    },
    Fault {
        name: "a price range does not include its end",
        file: MASS,
        find: "(from..=to).contains(&price)",
        replace: "(if MUTANT { (from..to).contains(&price) } else { (from..=to).contains(&price) \
        })",
    },
    Fault {
        name: "parked orders fit every price",
        file: MASS,
        find: "if !mass.asks(PRICE) {",
        replace: "if (MUTANT && mass.symbol != 0) || (!MUTANT && !mass.asks(PRICE)) {",
    },
    Fault {
        name: "who is defined after all were killed is not killed",
        file: KILL,
        find: "                self.kills.all = kills;
",
        replace: "                if !MUTANT { self.kills.all = kills; }
",
    },
    Fault {
        name: "units of hidden orders are shown",
        file: DARK,
        find: "order.is_hidden() {
            order.open()",
        replace: "order.is_hidden() {
            if MUTANT { 0 } else { order.open() }",
    },
    Fault {
        name: "units that icebergs hold back are shown",
        file: DARK,
        find: "order.open() - self.tip(handle)",
        replace: "order.open() - if MUTANT { order.open() } else { self.tip(handle) }",
    },
    Fault {
        name: "edges are rounded away from the reference",
        file: BANDS,
        find: "((reference + reach) / tick * tick)",
        replace: "(if MUTANT { (reference + reach).next_multiple_of(tick) } else { ((reference + \
        reach) / tick * tick) })",
    },
    Fault {
        name: "an order at the edge is no reason for the limit state",
        file: BANDS,
        find: "price >= edges.upper",
        replace: "(price > edges.upper || (price == edges.upper && !MUTANT))",
    },
    Fault {
        name: "at a surplus to buy the lowest price is taken",
        file: UNCROSS,
        find: "alike.max_by_key(price)",
        replace: "if MUTANT { alike.clone().min_by_key(price) } else { alike.max_by_key(price) }",
    },
    Fault {
        name: "a replacement counts as one more live order",
        file: RISK,
        find: "self.live + u32::from(!weighed.replaces)",
        replace: "self.live + u32::from(!weighed.replaces || MUTANT)",
    },
    Fault {
        name: "an order that comes too early moves the next one's time",
        file: RISK,
        find: "is_in_time.then(|| ",
        replace: "(is_in_time || MUTANT).then(|| ",
    },
    Fault {
        name: "an amount may not be equal to its limit",
        file: RISK,
        find: "(amount > i128::from(limit))",
        replace: "(if MUTANT { (amount >= i128::from(limit)) } else { (amount > \
        i128::from(limit)) })",
    },
    Fault {
        name: "a limit to sell is compared as one to buy",
        file: RISK,
        find: "Side::Sell => market - limit,",
        replace: "Side::Sell => if MUTANT { limit - market } else { market - limit },",
    },
    Fault {
        name: "units of the replaced order count for a position",
        file: RISK,
        find: "units - i64::from(gone.units) + ",
        replace: "units - i64::from(if MUTANT { 0 } else { gone.units }) + ",
    },
    Fault {
        name: "a market order that rests has a value",
        file: ACCOUNTS,
        find: "let price = if price == PRICE_MARKET { 0 } else { price };",
        replace: "let price = if price == PRICE_MARKET { i64::from(MUTANT) } else { price };",
    },
    Fault {
        name: "what the maker trades does not count for its other side",
        file: ACCOUNTS,
        find: "        self.position_mut(whose.place, whose.symbol).0[other] -= i64::from(units);
",
        replace: "        if !MUTANT { self.position_mut(whose.place, whose.symbol).0[other] -= \
        i64::from(units); }
",
    },
];
