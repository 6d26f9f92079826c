//! The market's rules of a topology: read, refused by name, and what they become: commands ahead of
//! the opening, and turns of the day.
#![allow(clippy::unwrap_used)]

use appliance::topology::{self, Allocation, Bands, RiskLimit, Topology};
use appliance::venue::{Schedule, definitions};
use bytemuck::Zeroable;
use std::path::Path;
use wire::ring::{Command, CommandKind, Event, EventKind, MarketState};

const GOOD: &str = include_str!("../topologies/dev-2core.toml");

const MS: u64 = 1_000_000;

/// The good file with these lines ahead of its limits.
fn with(lines: &str) -> String {
    GOOD.replacen("[limits]", &format!("{lines}\n\n[limits]"), 1)
}

const RULES: &str = r#"
[allocation]
AAPL = { rule = "pro-rata" }
GOOG = { rule = "split", top_percent = 40 }

[bands]
MSFT = { static_bp = 1000, dynamic_bp = 300, limit_ms = 15, auction_ms = 30 }

[opening]
MSFT = { state = "pre-open", reference = 1000000 }
AMZN = { state = "continuous", reference = 5 }

[risk.1]
order_units = 500
orders_per_second = 7
orders_at_once = 3
restricted = ["GOOG"]

[risk.2]

[schedule]
opening_auction_ms = 10
continuous_ms = 20
closing_auction_ms = 30
closed_ms = 40
indicate_ms = 4

[[drop_copies]]
name = "RISK"
password = "watch"
accounts = [1, 2]
"#;

#[test]
fn rules_arrive_where_they_belong_and_in_the_journal_ahead_of_the_opening() {
    let topology = Topology::parse(&with(RULES)).unwrap();
    let rules = &topology.rules;
    assert_eq!(rules.symbols[0].allocation, Allocation::ProRata);
    assert_eq!(rules.symbols[2].allocation, Allocation::Split(40));
    let bands = Bands {
        fixed_bp: 1_000,
        dynamic_bp: 300,
        limit_ms: 15,
        auction_ms: 30,
    };
    assert_eq!(rules.symbols[1].bands, Some(bands));
    assert_eq!(rules.symbols[1].state, MarketState::PreOpen);
    let rate = RiskLimit {
        account: 1,
        code: 8,
        value: 7,
        at_once: 3,
        symbol: 0,
    };
    assert!(rules.risk.contains(&rate), "{:?}", rules.risk);
    assert_eq!(topology.drop_copies[0].sessions, 2);

    let commands = definitions(&topology);
    let of = |kind: CommandKind| {
        let of = commands.iter().filter(move |it| it.kind == kind as u8);
        of.copied().collect::<Vec<Command>>()
    };
    assert_eq!(commands.last().unwrap().kind, CommandKind::OpenDay as u8);
    let fields = |it: &Command| (it.symbol, it.flags, it.quantity, it.price);
    let shared: Vec<_> = of(CommandKind::SetAllocation).iter().map(fields).collect();
    assert_eq!(shared, [(1, 1, 0, 0), (3, 2, 40, 0)]);
    let banded: Vec<_> = of(CommandKind::SetBands).iter().map(fields).collect();
    assert_eq!(banded, [(2, 0, 1_000, 30)]);
    let states: Vec<_> = of(CommandKind::SetState).iter().map(fields).collect();
    assert_eq!(states, [(2, 1, 0, 1_000_000), (4, 3, 0, 5)]);
    let limits = of(CommandKind::SetLimit);
    let limits: Vec<_> = limits.iter().map(|it| (it.user_ref, fields(it))).collect();
    let due = [
        (1, (0, 0, 0, 0)),
        (1, (0, 1, 0, 500)),
        (1, (0, 8, 3, 7)),
        (1, (3, 9, 0, 1)),
        (2, (0, 0, 0, 0)),
    ];
    assert_eq!(limits, due);
    // A file that says nothing of rules has no command for them.
    let plain = definitions(&Topology::parse(GOOD).unwrap());
    assert_eq!(plain.len(), 4 + 2 + 1);
}

#[test]
fn the_documents_example_is_good() {
    let page = include_str!("../../docs/orders.md");
    let (_, example) = page.split_once("```toml\n").unwrap();
    let (example, _) = example.split_once("```").unwrap();
    let rules = Topology::parse(&with(example)).unwrap().rules;
    assert_eq!(rules.risk.len(), 1 + topology::RISK_LIMITS.len() + 1);
    let turns = rules.schedule.unwrap().turns;
    assert_eq!(turns[0].opening_auction, turns[3].opening_auction);
    assert_eq!(turns[1].opening_auction, None);
}

/// Lines, and what the message must hold.
const WRONG: &[(&str, &[&str])] = &[
    (
        "[allocation]\nNONE = { rule = \"time\" }",
        &["`allocation.NONE`", "no symbol"],
    ),
    (
        "[allocation]\nAAPL = { rule = \"fair\" }",
        &["`allocation.AAPL.rule`", "pro-rata"],
    ),
    (
        "[allocation]\nAAPL = { rule = \"split\" }",
        &["`allocation.AAPL.top_percent`", "1 to 100"],
    ),
    (
        "[allocation]\nAAPL = { rule = \"time\", top_percent = 3 }",
        &["`allocation.AAPL.top_percent`", "leave it out"],
    ),
    ("[bands]\nNONE = { static_bp = 1 }", &["`bands.NONE`"]),
    (
        "[bands]\nAAPL = { static_bp = 10001 }",
        &["`bands.AAPL.static_bp`", "to 10000"],
    ),
    (
        "[bands]\nAAPL = { wide = 1 }",
        &["wide", "static_bp", "line"],
    ),
    (
        "[opening]\nAAPL = { state = \"open\" }",
        &["`opening.AAPL.state`", "\"pre-open\""],
    ),
    (
        "[opening]\nAAPL = { state = \"halt\", reference = -1 }",
        &["`opening.AAPL.reference`", "from 0"],
    ),
    ("[risk.7]\norder_units = 1", &["`risk.7`", "no user"]),
    ("[risk.x]\norder_units = 1", &["`risk.x`", "account"]),
    (
        "[risk.1]\norder_units = 0",
        &["`risk.1.order_units`", "from 1"],
    ),
    (
        "[risk.1]\norders_at_once = 0",
        &["`risk.1.orders_at_once`", "from 1"],
    ),
    (
        "[risk.1]\nrestricted = [\"NONE\"]",
        &["`risk.1.restricted[0]`", "NONE"],
    ),
    (
        "[schedule]\ncontinuous_ms = 20\nclosing_auction_ms = 10",
        &[
            "`schedule.closing_auction_ms`",
            "comes before `schedule.continuous_ms`",
        ],
    ),
    (
        "[schedule]\ncontinuous_at = \"9:30\"",
        &["line 18", "`schedule.continuous_at`", "such as \"09:30\""],
    ),
    ("[schedule]\nclosed_at = \"09:60\"", &["no time of day"]),
    ("[schedule]\nclosed_at = \"48:00\"", &["hours up to 47"]),
    (
        "[schedule]\nclosed_at = \"09:30:00:00\"",
        &["no time of day"],
    ),
    (
        "[schedule]\nopening_auction_ms = 5\ncontinuous_at = \"09:30\"",
        &["line 19", "another way than `schedule.opening_auction_ms`"],
    ),
    (
        "[schedule]\nclosed_ms = 5\nclosed_at = \"09:30\"",
        &["`schedule.closed_ms`", "leave one of them out"],
    ),
    (
        "[schedule.symbols.MSFT]\ncontinuous_at = \"09:30\"\nclosing_auction_at = \"09:29\"",
        &[
            "line 19",
            "`schedule.symbols.MSFT.closing_auction_at`",
            "later",
        ],
    ),
    (
        "[schedule.symbols.NONE]\ncontinuous_at = \"09:30\"",
        &["line 17", "`schedule.symbols.NONE`", "is about no symbol"],
    ),
    ("[schedule]\nindicate_ms = 0", &["`schedule.indicate_ms`"]),
    ("[schedule]\ntime_ms = 0", &["`schedule.time_ms`"]),
    (
        "[[drop_copies]]\nname = \"alpha\"\npassword = \"x\"\naccounts = [1]",
        &["`drop_copies[0].name`", "twice"],
    ),
    (
        "[[drop_copies]]\nname = \"RISK\"\npassword = \"\"\naccounts = [1]",
        &["`drop_copies[0].password`"],
    ),
    (
        "[[drop_copies]]\nname = \"RISK\"\npassword = \"x\"\naccounts = [1, 9]",
        &["`drop_copies[0].accounts`", "users"],
    ),
    (
        "[[drop_copies]]\nname = \"RISK\"\npassword = \"x\"\naccounts = []",
        &["`drop_copies[0].accounts`"],
    ),
];

#[test]
fn every_wrong_rule_is_refused_by_name() {
    for (lines, parts) in WRONG {
        let error = match Topology::parse(&with(lines)) {
            Ok(_) => panic!("taken: {lines}"),
            Err(error) => error.to_string(),
        };
        for part in *parts {
            assert!(error.contains(part), "{part:?} is not in: {error}");
        }
    }
    for (group, part) in [("nowhere", "no address"), ("127.0.0.1:0", "port 0")] {
        let text = GOOD.replacen("[feed]", &format!("[feed]\ndepth_group = \"{group}\""), 1);
        let error = Topology::parse(&text).unwrap_err().to_string();
        assert!(
            error.contains("`feed.depth_group`") && error.contains(part),
            "{error}"
        );
    }
}

#[test]
fn an_error_names_the_file_and_the_place_in_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("wrong.toml");
    for (text, place) in [
        (with("[risk.7]"), "line 17: `risk.7`"),
        (
            GOOD.replace("\"BRAV\"", "\"TOOLONG\""),
            "line 43: `users[1].firm`",
        ),
        (GOOD.replace("[limits]", "[limits"), "line 1"),
    ] {
        std::fs::write(&path, text).unwrap();
        let error = Topology::load(Path::new(&path)).unwrap_err().to_string();
        assert!(error.contains("wrong.toml: "), "{error}");
        assert!(error.contains(place), "{error}");
    }
}

/// A schedule and the states that its symbols have, as an engine would set them.
struct Day {
    schedule: Schedule,
    said: Vec<(u64, u16, String)>,
}

impl Day {
    fn new() -> Self {
        let topology = Topology::parse(&with(RULES)).unwrap();
        let plan = topology.rules.schedule.unwrap();
        Self {
            schedule: Schedule::new(topology::Schedule {
                turns: plan.turns[..2].to_vec(),
                ..plan
            }),
            said: Vec::new(),
        }
    }

    fn state(&mut self, symbol: u16, state: MarketState) {
        let event = Event {
            kind: EventKind::StateChanged as u8,
            symbol,
            quantity: state as u32,
            ..Event::zeroed()
        };
        self.schedule.on_event(&event, 0);
    }

    /// Every millisecond up to `until`; what is asked for is done unless `is_refused`.
    fn run(&mut self, from: u64, until: u64, is_refused: bool) {
        for ms in from..until {
            while let Some(command) = self.schedule.next(ms * MS) {
                let Command { symbol, flags, .. } = command;
                if command.kind == CommandKind::Indicate as u8 {
                    self.said.push((ms, symbol, "indicate".to_owned()));
                    continue;
                }
                assert_eq!(command.kind, CommandKind::SetState as u8);
                let state = MarketState::from_byte(flags).unwrap();
                self.said.push((ms, symbol, format!("{state:?}")));
                if !is_refused {
                    self.state(symbol, state);
                }
            }
        }
    }

    fn said(&self, symbol: u16) -> Vec<(u64, &str)> {
        let of = self.said.iter().filter(|it| it.1 == symbol);
        of.map(|(ms, _, what)| (*ms, what.as_str())).collect()
    }
}

#[test]
fn a_schedule_turns_the_day_and_goes_on_after_a_restart() {
    let opened = Event {
        kind: EventKind::DayOpened as u8,
        ..Event::zeroed()
    };
    let mut day = Day::new();
    day.state(1, MarketState::PreOpen);
    day.run(0, 50, false);
    assert_eq!(day.said, [], "nothing before the day");
    day.schedule.on_event(&opened, 50 * MS);
    day.run(50, 100, false);
    let turns = |said: Vec<(u64, &str)>| -> Vec<(u64, String)> {
        let turns = said.into_iter().filter(|it| it.1 != "indicate");
        turns.map(|(ms, what)| (ms, what.to_owned())).collect()
    };
    let state = |ms: u64, what: &str| (ms, what.to_owned());
    let due = [
        state(60, "OpeningAuction"),
        state(70, "Continuous"),
        state(80, "ClosingAuction"),
        state(90, "Closed"),
    ];
    assert_eq!(turns(day.said(1)), due);
    assert_eq!(turns(day.said(2)), due[2..]);
    let calls: Vec<u64> = day
        .said(1)
        .iter()
        .filter(|it| it.1 == "indicate")
        .map(|it| it.0)
        .collect();
    let due_calls = [50, 54, 58, 62, 66, 82, 86];
    assert_eq!(calls, due_calls);

    // A replay tells the opening and the states; what was missed is caught up with.
    let mut day = Day::new();
    day.schedule.on_event(&opened, 50 * MS);
    day.state(1, MarketState::OpeningAuction);
    day.state(2, MarketState::Halt);
    day.run(95, 97, false);
    assert_eq!(
        turns(day.said(1)),
        [state(95, "ClosingAuction"), state(95, "Closed")]
    );
    assert_eq!(day.said(2), []);

    // What is refused is not asked for again and again.
    let mut day = Day::new();
    day.schedule.on_event(&opened, 0);
    day.run(0, 100, true);
    assert_eq!(day.said(2), [(30, "ClosingAuction")]);
}

#[test]
fn turns_come_by_the_clock_and_a_symbol_may_have_its_own() {
    const LINES: &str = "[schedule]\nopening_auction_at = \"00:00\"\ncontinuous_at = \"01:00:30\"\n\
                         [schedule.symbols.MSFT]\ncontinuous_at = \"24:00\"";
    const HOUR_MS: u64 = 3_600_000;
    let topology = Topology::parse(&with(LINES)).unwrap();
    let mut plan = topology.rules.schedule.unwrap();
    plan.turns.truncate(2);
    let mut day = Day {
        schedule: Schedule::new(plan),
        said: Vec::new(),
    };
    day.state(1, MarketState::PreOpen);
    day.state(2, MarketState::OpeningAuction);
    // The first turn's time was over when the day opened.
    let midnight_ms = 20_000 * 24 * HOUR_MS;
    let opened_ms = midnight_ms + HOUR_MS;
    let opened = Event {
        kind: EventKind::DayOpened as u8,
        ..Event::zeroed()
    };
    day.schedule.on_event(&opened, opened_ms * MS);
    let turns_ms = [
        opened_ms,
        opened_ms + 29_999,
        opened_ms + 30_000,
        midnight_ms + 24 * HOUR_MS - 1,
        midnight_ms + 24 * HOUR_MS,
    ];
    for ms in turns_ms {
        day.run(ms, ms + 1, false);
    }
    day.said.retain(|it| it.2 != "indicate");
    let said = |ms, symbol, state: &str| (ms, symbol, state.to_owned());
    let due = [
        said(turns_ms[0], 1, "OpeningAuction"),
        said(turns_ms[2], 1, "Continuous"),
        said(turns_ms[4], 2, "Continuous"),
    ];
    assert_eq!(day.said, due);
}
