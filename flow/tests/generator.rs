//! The generated flow against the published figures it is shaped by.

use std::collections::HashMap;

use flow::{Generator, Item, Naive, Sequencer, Shape};
use wire::ring::{CommandKind, Event, EventKind, Reason, Side, TimeInForce};

const COMMANDS: usize = 1_000_000;
const TICK: i64 = 100;

fn generator(shape: &Shape) -> Generator {
    Generator::new(shape).expect("a good shape")
}

/// Steady flow after the books were filled.
fn steady(shape: &Shape, count: usize) -> Vec<Item> {
    let mut generator = generator(shape);
    while !generator.is_filled() {
        generator.next_item();
    }
    generator.take(count).collect()
}

fn quantile(values: &mut [i64], thousandths: usize) -> i64 {
    values.sort_unstable();
    values[(values.len() - 1) * thousandths / 1000]
}

fn assert_between(what: &str, value: i64, low: i64, high: i64) {
    assert!(
        (low..=high).contains(&value),
        "{what} is {value}, not within {low} to {high}"
    );
}

#[test]
fn kinds_and_sizes_have_the_published_shares() {
    let items = steady(
        &Shape {
            standing: 20_000,
            ..Shape::default()
        },
        COMMANDS,
    );
    let share = |wanted: &dyn Fn(&Item) -> bool| {
        (items.iter().filter(|item| wanted(item)).count() * 1000 / COMMANDS) as i64
    };
    let is = |kind: CommandKind| move |item: &Item| item.command.kind == kind as u8;
    let cancel = is(CommandKind::Cancel);
    assert_between(
        "new, in thousandths",
        share(&is(CommandKind::New)),
        465,
        505,
    );
    let whole = share(&|item| cancel(item) && item.command.quantity == 0);
    assert_between("cancel", whole, 415, 455);
    assert_between("replace", share(&is(CommandKind::Replace)), 65, 75);
    let part = share(&|item| cancel(item) && item.command.quantity > 0);
    assert_between("reduce", part, 2, 8);
    let now = TimeInForce::ImmediateOrCancel as u8;
    assert_between(
        "IOC",
        share(&|item| item.command.time_in_force == now),
        15,
        40,
    );

    let mut sizes: Vec<i64> = items
        .iter()
        .filter(|item| item.command.kind == CommandKind::New as u8)
        .map(|item| i64::from(item.command.quantity))
        .collect();
    for (at, low, high) in [
        (500, 100, 100),
        (750, 100, 100),
        (900, 100, 100),
        (990, 300, 500),
        (999, 1_200, 2_500),
    ] {
        let found = quantile(&mut sizes, at);
        assert_between(&format!("size at {at} thousandths"), found, low, high);
    }
}

#[test]
fn prices_and_replacements_have_the_published_spread() {
    let items = steady(
        &Shape {
            standing: 20_000,
            ..Shape::default()
        },
        COMMANDS,
    );
    let mut last = HashMap::new();
    let (mut buys, mut sells, mut changes) = (Vec::new(), Vec::new(), Vec::new());
    let (mut kept, mut replaced) = (0, 0);
    for Item { command, .. } in &items {
        let key = (command.session, command.user_ref);
        match CommandKind::from_byte(command.kind) {
            Some(CommandKind::New) if command.time_in_force == TimeInForce::Day as u8 => {
                last.insert(key, (command.price, command.quantity));
                if command.side == Side::Buy as u8 {
                    buys.push((2_900_000 - command.price) / TICK);
                } else {
                    sells.push((command.price - 2_900_000) / TICK);
                }
            }
            Some(CommandKind::Replace) => {
                let old = (command.session, command.old_user_ref);
                if let Some((price, quantity)) = last.get(&old).copied() {
                    changes.push((command.price - price).abs() / TICK);
                    replaced += 1;
                    kept += usize::from(quantity == command.quantity);
                }
                last.insert(key, (command.price, command.quantity));
            }
            _ => {}
        }
    }
    // The middle wanders by up to some dozens of ticks: near quantiles are wide here.
    assert_between("buy p90", quantile(&mut buys, 900), 80, 250);
    assert_between("buy p95", quantile(&mut buys, 950), 700, 1_400);
    assert_between("buy p99", quantile(&mut buys, 990), 9_000, 12_500);
    assert_between("sell p99", quantile(&mut sells, 990), 800, 1_400);
    assert_between("sell p99.9", quantile(&mut sells, 999), 3_500, 16_000);
    assert_between(
        "sell maximum",
        quantile(&mut sells, 1000),
        1_000_000,
        10_000_300,
    );
    assert_between("change p50", quantile(&mut changes, 500), 0, 1);
    assert_between("change p90", quantile(&mut changes, 900), 1, 4);
    assert_between("change p99", quantile(&mut changes, 990), 8, 16);
    assert_between(
        "sizes kept, in thousandths",
        (kept * 1000 / replaced) as i64,
        975,
        995,
    );
}

#[test]
fn commands_come_in_bursts_around_the_mean() {
    let shape = Shape {
        gap_mean_ns: 2_000,
        ..Shape::default()
    };
    let items = steady(&shape, COMMANDS);
    let total: u64 = items.iter().map(|item| item.gap_ns).sum();
    assert_between(
        "mean gap in ns",
        (total / COMMANDS as u64) as i64,
        1_850,
        2_150,
    );
    let mut gaps: Vec<i64> = items.iter().map(|item| item.gap_ns as i64).collect();
    assert_between("median gap in ns", quantile(&mut gaps, 500), 150, 350);
    assert!(quantile(&mut gaps, 995) > 20_000, "there are pauses");
}

#[test]
fn the_same_shape_makes_the_same_stream() {
    let shape = Shape {
        symbols: 50,
        standing: 1_000,
        seed: 7,
        ..Shape::default()
    };
    let stream = |shape: &Shape| generator(shape).take(20_000).collect::<Vec<_>>();
    assert_eq!(stream(&shape), stream(&shape));
    assert_ne!(stream(&shape), stream(&Shape { seed: 8, ..shape }));
}

/// What the engine said to a stream of commands.
#[derive(Default, Debug)]
struct Answers {
    news: usize,
    news_traded: usize,
    cancels: usize,
    cancels_refused: usize,
    refused: HashMap<(u8, u8), usize>,
    live: usize,
    crossed: usize,
    trades: usize,
}

fn answers(shape: &Shape, commands: usize, is_told: bool) -> (Answers, Generator) {
    let mut generator = generator(shape);
    let mut naive = Naive::new();
    let mut sequencer = Sequencer::new(0);
    for command in generator.opening() {
        naive.apply(&sequencer.number(0, command));
    }
    let mut answers = Answers::default();
    let mut left = commands;
    while left > 0 {
        left -= usize::from(generator.is_filled());
        let item = generator.next_item();
        let events = naive.apply(&sequencer.number(item.gap_ns, item.command));
        if is_told {
            events.iter().for_each(|event| generator.on_event(event));
        }
        count(&mut answers, item.command.kind, &events);
    }
    answers.live = naive.live_orders();
    for symbol in naive.symbols().collect::<Vec<_>>() {
        if let (Some(bid), Some(ask)) = (
            naive.best(symbol, Side::Buy),
            naive.best(symbol, Side::Sell),
        ) {
            answers.crossed += usize::from(bid.0 >= ask.0);
        }
    }
    (answers, generator)
}

fn count(answers: &mut Answers, kind: u8, events: &[Event]) {
    let last = events.last().expect("an answer");
    if kind == CommandKind::New as u8 {
        answers.news += 1;
        answers.news_traded += usize::from(events.len() > 1);
    }
    let is_trade = |event: &&Event| event.has(Event::MAKER);
    answers.trades += events.iter().filter(is_trade).count();
    answers.cancels += usize::from(kind == CommandKind::Cancel as u8);
    if last.kind == EventKind::CancelRejected as u8 {
        answers.cancels_refused += 1;
    } else if [EventKind::Rejected as u8, EventKind::Refused as u8].contains(&last.kind) {
        *answers.refused.entry((kind, last.reason)).or_default() += 1;
    }
}

#[test]
fn told_of_its_fills_it_is_never_refused_and_keeps_the_books_full() {
    for (symbols, standing) in [(1, 2_000), (100, 5_000)] {
        let shape = Shape {
            symbols,
            standing,
            ..Shape::default()
        };
        let (answers, generator) = answers(&shape, 60_000, true);
        println!("{symbols} symbols: {answers:?}");
        assert_eq!(answers.cancels_refused, 0);
        assert!(answers.refused.is_empty(), "{:?}", answers.refused);
        assert_eq!(answers.live, generator.live_orders());
        assert_eq!(answers.crossed, 0);
        assert_between(
            "live orders in % of the target",
            answers.live as i64 * 100 / i64::from(standing),
            90,
            110,
        );
        let trades = answers.trades as i64 * 1000 / 60_000;
        assert_between("trades, in thousandths of the commands", trades, 35, 70);
        let traded = answers.news_traded as i64 * 1000 / answers.news as i64;
        assert_between(
            "new orders that trade or are IOC, in thousandths",
            traded,
            50,
            130,
        );
    }
}

#[test]
fn not_told_it_cancels_some_orders_that_are_gone() {
    let shape = Shape {
        standing: 5_000,
        ..Shape::default()
    };
    let (answers, _) = answers(&shape, 60_000, false);
    println!("{answers:?}");
    assert!(answers.cancels_refused > 0);
    assert!(answers.cancels_refused * 5 < answers.cancels, "{answers:?}");
    let replace = CommandKind::Replace as u8;
    let gone = [Reason::UnknownOrder as u8, Reason::InvalidQuantity as u8];
    for (kind, reason) in answers.refused.keys() {
        assert!(*kind == replace && gone.contains(reason), "{answers:?}");
    }
    assert_between(
        "live orders in % of the target",
        answers.live as i64 / 50,
        75,
        110,
    );
}

#[test]
fn a_wrong_shape_is_refused_by_field() {
    let good = Shape::default();
    for (shape, field) in [
        (Shape { symbols: 0, ..good }, "symbols"),
        (
            Shape {
                sessions: 2_000,
                ..good
            },
            "sessions",
        ),
        (
            Shape {
                standing: 0,
                ..good
            },
            "standing",
        ),
        (
            Shape {
                gap_mean_ns: 0,
                ..good
            },
            "gap_mean_ns",
        ),
    ] {
        assert_eq!(
            Generator::new(&shape).err().map(|error| error.field),
            Some(field)
        );
    }
}

#[test]
fn a_mix_is_kept_and_a_wrong_one_refused() {
    use wire::ring::CommandKind;
    let mix = flow::Mix::parse("40/40/20/0/10").unwrap();
    let shape = Shape {
        standing: 100,
        mix,
        ..Shape::default()
    };
    let mut generator = Generator::new(&shape).unwrap();
    while !generator.is_filled() {
        generator.next_item();
    }
    let kinds: Vec<u8> = (0..100_000)
        .map(|_| generator.next_item().command.kind)
        .collect();
    let share = |kind| kinds.iter().filter(|&&found| found == kind as u8).count();
    assert!((18_000..=22_000).contains(&share(CommandKind::Replace)));
    assert!((36_000..=44_000).contains(&share(CommandKind::New)));

    for wrong in [
        "",
        "1/2/3",
        "50/50/0/0/51",
        "50/50/1/0/0",
        "nan/50/0/50/0",
        "a/b/c/d/e",
    ] {
        let error = flow::Mix::parse(wrong).unwrap_err();
        assert!(error.contains("49/43.5/7/0.5/3.7"), "{error}");
    }
}
