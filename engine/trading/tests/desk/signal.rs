//! A model's word becomes an order, within what is allowed.

use std::sync::mpsc::{Receiver, Sender, channel};

use crate::kit::{Rig, filled};
use trading::desk::{Action, Answer, Life, NewOrder, OrderId, Refusal};
use trading::strategies::{Class, Judge, LabelRule, Model, Signal, SignalRule};
use trading::{FEATURE_NAMES, FEATURES, Features, Row, WINDOWS_MS, What};
use wire::ring::Side;

const MS: u64 = 1_000_000;

/// Says what the test says.
struct Oracle {
    hears: Receiver<[f64; 3]>,
    says: [f64; 3],
    names: Vec<String>,
    features: usize,
    results: usize,
}

/// What an oracle is to say.
struct Words(Sender<[f64; 3]>);

impl Words {
    fn say(&self, buy: f64, sell: f64) {
        self.0.send([buy, 1.0 - buy - sell, sell]).unwrap();
    }
}

impl Oracle {
    fn told() -> (Self, Words) {
        let (words, hears) = channel();
        let oracle = Self {
            hears,
            says: [0.0, 1.0, 0.0],
            names: FEATURE_NAMES.map(str::to_owned).to_vec(),
            features: FEATURES,
            results: 3,
        };
        (oracle, Words(words))
    }

    fn new() -> Self {
        Self::told().0
    }
}

impl Model for Oracle {
    fn features(&self) -> usize {
        self.features
    }

    fn names(&self) -> &[String] {
        &self.names
    }

    fn results(&self) -> usize {
        self.results
    }

    fn ask(&mut self, row: &[f32], results: &mut [f64]) -> bool {
        assert_eq!(row.len(), FEATURES);
        self.says = self.hears.try_iter().last().unwrap_or(self.says);
        results.copy_from_slice(&self.says);
        true
    }
}

fn rule() -> SignalRule {
    SignalRule {
        symbol: 0,
        quantity: 10,
        every_ms: 100,
        classes: vec![Class::Buy, Class::Hold, Class::Sell],
        buy_at: 0.6,
        sell_at: 0.7,
        hold_ns: 350 * MS,
        age_ns_max: 1_000 * MS,
        slip_ticks: 2,
    }
}

/// A desk with a market, and what its model says.
fn desk(rule: SignalRule) -> (Rig, Words) {
    let (oracle, words) = Oracle::told();
    let signal = Signal::new(rule, Box::new(oracle)).unwrap();
    let mut rig = Rig::with(Box::new(signal));
    rig.book(0, 1_000, 1_004);
    (rig, words)
}

/// The market says the same again so many ms later.
fn later(rig: &mut Rig, ms: u64) {
    rig.now_ns += ms * MS;
    rig.tell(0, What::End);
}

fn now(order: u32, side: Side, price: i64, quantity: u64) -> Action {
    Action::New {
        order: OrderId(order),
        new: NewOrder {
            symbol: 0,
            side,
            price,
            quantity,
            life: Life::Immediate,
        },
    }
}

#[test]
fn buy_holds_the_quantity_until_its_time_is_over() {
    let (mut rig, oracle) = desk(rule());
    oracle.say(0.6, 0.4);
    later(&mut rig, 99);
    assert_eq!(rig.sent(), [], "no row is due");
    later(&mut rig, 1);
    assert_eq!(rig.sent(), [now(1, Side::Buy, 1_006, 10)]);
    // Nothing is asked for while something is under way.
    later(&mut rig, 100);
    assert_eq!(rig.sent(), []);
    rig.answer(1, Answer::Accepted);
    rig.answer(1, filled(1_004, 4, false));
    rig.answer(1, Answer::Canceled { quantity: 6 });
    later(&mut rig, 100);
    assert_eq!(rig.sent(), [now(2, Side::Buy, 1_006, 6)]);
    rig.answer(2, Answer::Accepted);
    rig.answer(2, filled(1_004, 6, false));
    later(&mut rig, 100);
    assert_eq!(rig.sent(), []);
    // The last BUY was at 400 ms; 350 ms behind it nothing is to be held.
    oracle.say(0.59, 0.41);
    later(&mut rig, 300);
    assert_eq!(rig.sent(), []);
    later(&mut rig, 100);
    assert_eq!(rig.sent(), [now(3, Side::Sell, 998, 10)]);
}

#[test]
fn sell_turns_what_is_held_around() {
    let (mut rig, oracle) = desk(rule());
    oracle.say(0.9, 0.1);
    later(&mut rig, 100);
    rig.answer(1, Answer::Accepted);
    rig.answer(1, filled(1_004, 10, false));
    rig.sent();
    oracle.say(0.31, 0.69);
    later(&mut rig, 100);
    assert_eq!(rig.sent(), [], "less than it takes");
    oracle.say(0.3, 0.7);
    later(&mut rig, 100);
    assert_eq!(rig.sent(), [now(2, Side::Sell, 998, 20)]);
}

#[test]
fn a_signal_that_both_sides_reach_is_the_likelier_one() {
    let rule = SignalRule {
        buy_at: 0.2,
        sell_at: 0.2,
        ..rule()
    };
    let (mut rig, oracle) = desk(rule);
    oracle.say(0.3, 0.3);
    later(&mut rig, 100);
    assert_eq!(rig.sent(), []);
    oracle.say(0.3, 0.31);
    later(&mut rig, 100);
    assert_eq!(rig.sent(), [now(1, Side::Sell, 998, 10)]);
}

#[test]
fn what_is_withheld_is_told_and_counted() {
    let (mut rig, oracle) = desk(rule());
    oracle.say(1.0, 0.0);
    // The market is silent: only time passes.
    rig.now_ns += 1_001 * MS;
    rig.desk.time(rig.now_ns, &mut trading::desk::Timeless);
    let lines = rig.lines();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(
        lines[0].ends_with("s refused stale buy AAA 10 at 1006 now"),
        "{lines:?}"
    );
    oracle.say(f64::NAN, 0.0);
    later(&mut rig, 100);
    assert_eq!(rig.lines(), Vec::<String>::new());
    assert_eq!(rig.desk.risk().refused(Refusal::Stale), 1);
    assert_eq!(rig.desk.risk().refused(Refusal::Model), 1);
    // A market whose side is missing has no rows.
    oracle.say(1.0, 0.0);
    rig.tell(0, What::Clear);
    rig.tell(0, What::End);
    later(&mut rig, 1_000);
    assert_eq!(rig.lines(), Vec::<String>::new());
    rig.book(0, 1_000, 1_004);
    later(&mut rig, 100);
    assert_eq!(rig.sent(), [now(1, Side::Buy, 1_006, 10)]);
}

/// Has enough of wrong answers behind three in a row; tells each.
struct Strict {
    tells: Sender<bool>,
    wrong: u32,
}

impl Judge for Strict {
    fn push(&mut self, is_right: bool) -> bool {
        self.tells.send(is_right).unwrap();
        self.wrong = if is_right || self.wrong >= 3 {
            self.wrong
        } else {
            self.wrong + 1
        };
        self.wrong >= 3
    }
}

/// A label is what the middle did two rows later; who is wrong too often orders no more.
#[test]
fn a_model_that_the_market_proves_wrong_orders_no_more() {
    let (oracle, words) = Oracle::told();
    let (tells, told) = channel();
    let label = LabelRule {
        ahead: 2,
        least_move: 2.0,
    };
    let judge = Strict { tells, wrong: 0 };
    let signal = Signal::new(rule(), Box::new(oracle)).unwrap();
    let signal = signal.judged(label, Box::new(judge)).unwrap();
    let mut rig = Rig::with(Box::new(signal));
    // Not so sure that it would trade; BUY is the likeliest all the same.
    words.say(0.5, 0.3);
    let row = |rig: &mut Rig, middle: i64| {
        rig.book(0, middle - 2, middle + 2);
        later(rig, 100);
        told.try_iter().collect::<Vec<_>>()
    };
    rig.book(0, 998, 1_002);
    // Of the second row and the fourth nobody is asked: their labels would look across others'.
    for (middle, due) in [
        (1_000, None),
        (1_000, None),
        (1_002, Some(true)),
        (1_000, None),
        (1_003, Some(false)),
        (1_003, None),
        (1_001, Some(false)),
        (1_009, None),
    ] {
        assert_eq!(row(&mut rig, middle), Vec::from_iter(due), "{middle}");
    }
    // Where a side is missing there is no label.
    rig.tell(0, What::Clear);
    rig.tell(0, What::End);
    later(&mut rig, 100);
    assert_eq!(row(&mut rig, 1_000), []);
    assert_eq!(row(&mut rig, 1_000), []);
    words.say(0.9, 0.1);
    rig.lines();
    assert_eq!(rig.desk.risk().refused(Refusal::Accuracy), 0);
    assert_eq!(
        row(&mut rig, 1_000),
        [false],
        "HOLD is the third that was wrong"
    );
    let lines = rig.lines();
    assert!(
        lines[0].ends_with("refused accuracy buy AAA 10 at 1004 now"),
        "{lines:?}"
    );
    assert_eq!(rig.desk.risk().refused(Refusal::Accuracy), 1);
    assert_eq!(rig.sent(), []);
}

#[test]
fn what_a_label_says_makes_sense() {
    for (ahead, least_move, due) in [(0, 1.0, "accuracy.ahead"), (1, 0.0, "accuracy.move")] {
        let (tells, _) = channel();
        let judge = Box::new(Strict { tells, wrong: 0 });
        let signal = Signal::new(rule(), Box::new(Oracle::new())).unwrap();
        let label = LabelRule { ahead, least_move };
        let Err(bad) = signal.judged(label, judge) else {
            panic!("{due} is taken");
        };
        assert_eq!(bad.name, due);
    }
}

#[test]
fn the_desks_limits_hold() {
    // The listing allows orders of 1,000 lots.
    let rule = SignalRule {
        quantity: 1_001,
        ..rule()
    };
    let (mut rig, oracle) = desk(rule);
    oracle.say(1.0, 0.0);
    later(&mut rig, 100);
    let lines = rig.lines();
    assert!(lines[0].contains("refused quantity buy"), "{lines:?}");
    assert_eq!(rig.desk.orders().len(), 0);
}

#[test]
fn a_parameter_or_model_that_makes_no_sense_is_named() {
    let refused = |rule: SignalRule, oracle: Oracle| match Signal::new(rule, Box::new(oracle)) {
        Ok(_) => String::new(),
        Err(bad) => bad.to_string(),
    };
    assert_eq!(refused(rule(), Oracle::new()), "");
    let unnamed = Oracle {
        names: Vec::new(),
        ..Oracle::new()
    };
    assert_eq!(refused(rule(), unnamed), "");
    let mut renamed = Oracle::new();
    renamed.names[3] = "depth".to_owned();
    let cases: [(SignalRule, Oracle, &str); 9] = [
        (
            SignalRule {
                quantity: 0,
                ..rule()
            },
            Oracle::new(),
            "quantity: at least",
        ),
        (
            SignalRule {
                every_ms: 0,
                ..rule()
            },
            Oracle::new(),
            "every_ms: 0 ms: from 1",
        ),
        (
            SignalRule {
                buy_at: 0.0,
                ..rule()
            },
            Oracle::new(),
            "buy_at: above 0",
        ),
        (
            SignalRule {
                sell_at: f64::NAN,
                ..rule()
            },
            Oracle::new(),
            "sell_at: above 0",
        ),
        (
            SignalRule {
                hold_ns: 0,
                ..rule()
            },
            Oracle::new(),
            "hold_ms",
        ),
        (
            rule(),
            Oracle {
                features: 6,
                ..Oracle::new()
            },
            "model: it asks for 6 numbers of a row, a book has 12: spread, microprice",
        ),
        (
            rule(),
            renamed,
            "model: its number 3 is called \"depth\", that of a book is \"imbalance_levels\"",
        ),
        (
            rule(),
            Oracle {
                results: 2,
                ..Oracle::new()
            },
            "classes: 3 of them, and the model has 2 results",
        ),
        (
            SignalRule {
                classes: vec![Class::Buy, Class::Hold, Class::Buy],
                ..rule()
            },
            Oracle::new(),
            "classes: BUY and SELL once each",
        ),
    ];
    for (rule, oracle, why) in cases {
        let told = refused(rule, oracle);
        assert!(told.starts_with(why), "{told:?}, not {why:?}");
    }
}

/// The clock jumps over years: rows of them are not made, and a row needs a step again.
#[test]
fn rows_begin_anew_behind_years_without_an_event() {
    let (mut rig, oracle) = desk(rule());
    rig.now_ns = 1_790_000_000_000_000_000;
    oracle.say(1.0, 0.0);
    rig.desk.time(rig.now_ns, &mut trading::desk::Timeless);
    rig.book(0, 1_000, 1_004);
    later(&mut rig, 99);
    assert_eq!(rig.sent(), []);
    later(&mut rig, 1);
    assert_eq!(rig.sent(), [now(1, Side::Buy, 1_006, 10)]);
}

/// Rows at even times of a book that moves a tick at each of them, with a hole, and what is
/// looked back at, as a list of all middles says it.
#[test]
fn middles_are_compared_with_those_of_rows_before() {
    for every_ms in [500, 700, 1_000, 45_000] {
        let mut features = Features::new(every_ms).unwrap();
        let mut middles: Vec<Option<f64>> = Vec::new();
        let mut compared = 0;
        for step in 0..200_u64 {
            let now_ns = step * every_ms * MS;
            while let Some((due_ns, row)) = features.next_row(now_ns) {
                assert_eq!(due_ns, now_ns);
                middles.push(row.map(|row| row.touch.middle().unwrap()));
                let Some(Row { numbers, .. }) = row else {
                    continue;
                };
                for (at, window_ms) in WINDOWS_MS.into_iter().enumerate() {
                    let back = (window_ms / every_ms) as usize;
                    let here = middles.len() - 1;
                    let before = here.checked_sub(back).and_then(|row| middles[row]);
                    let moved = before.map(|before| middles[here].unwrap() - before);
                    let told = numbers[6 + WINDOWS_MS.len() + at];
                    assert_eq!(
                        Some(told).filter(|it| !it.is_nan()),
                        moved,
                        "{every_ms} {step}"
                    );
                    compared += usize::from(moved.is_some());
                }
            }
            let event = |what| trading::Event {
                event_ns: now_ns,
                received_ns: now_ns,
                symbol: 0,
                what,
            };
            features.on(&event(What::Clear));
            for (side, price) in [(Side::Buy, 1_000), (Side::Sell, 1_002)] {
                let price = price + (step * step % 37) as i64;
                let quantity = u64::from(step != 100);
                features.on(&event(What::Level {
                    side,
                    price,
                    quantity,
                }));
            }
            features.on(&event(What::End));
        }
        assert_eq!(middles.len(), 199);
        assert!(compared > 300, "{every_ms}: {compared}");
    }
}
