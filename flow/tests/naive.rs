//! The reference engine against answers written by hand, and against a real exchange's fills.

use std::path::Path;

use flow::{Naive, Sequencer, recorded};
use wire::ring::{
    Command, CommandKind, Event, EventKind, PRICE_MARKET, PRICE_MAX, QUANTITY_MAX, Reason, Side,
    TimeInForce,
};

/// An open engine with symbols 1 and 2 and sessions 1 and 2.
struct Venue {
    naive: Naive,
    sequencer: Sequencer,
}

impl Venue {
    fn closed() -> Self {
        Self {
            naive: Naive::offering(0),
            sequencer: Sequencer::new(0),
        }
    }

    fn open() -> Self {
        let mut venue = Self::closed();
        for number in [1, 2] {
            venue.send(Command {
                symbol: number,
                ..kind(CommandKind::DefineSymbol)
            });
            venue.send(Command {
                session: number,
                ..kind(CommandKind::DefineSession)
            });
        }
        venue.send(kind(CommandKind::OpenDay));
        venue
    }

    fn send(&mut self, command: Command) -> Vec<Event> {
        self.naive.apply(&self.sequencer.number(1, command))
    }

    /// Sends a command and writes its answers short.
    fn answer(&mut self, command: Command) -> String {
        self.send(command)
            .iter()
            .map(short)
            .collect::<Vec<_>>()
            .join(" ")
    }
}

fn kind(kind: CommandKind) -> Command {
    Command {
        kind: kind as u8,
        ..Command::BLANK
    }
}

fn order(session: u16, user_ref: u32, side: Side, quantity: u32, price: i64) -> Command {
    Command {
        side: side as u8,
        symbol: 1,
        session,
        user_ref,
        quantity,
        price,
        ..kind(CommandKind::New)
    }
}

fn buy(user_ref: u32, quantity: u32, price: i64) -> Command {
    order(1, user_ref, Side::Buy, quantity, price)
}

fn sell(user_ref: u32, quantity: u32, price: i64) -> Command {
    order(2, user_ref, Side::Sell, quantity, price)
}

fn cancel(session: u16, user_ref: u32, quantity: u32) -> Command {
    Command {
        session,
        user_ref,
        quantity,
        ..kind(CommandKind::Cancel)
    }
}

fn replace(session: u16, old: u32, user_ref: u32, quantity: u32, price: i64) -> Command {
    Command {
        session,
        old_user_ref: old,
        user_ref,
        quantity,
        price,
        ..kind(CommandKind::Replace)
    }
}

/// `Kind session/user_ref quantity@price leaves`, then M, B, L for the flags and the reason.
fn short(event: &Event) -> String {
    let kind = EventKind::from_byte(event.kind).expect("a known kind");
    let reason = match Reason::from_byte(event.reason).expect("a known reason") {
        Reason::None => String::new(),
        reason => format!(":{reason:?}"),
    };
    let flags = [
        (Event::MAKER, "M"),
        (Event::BOOKED, "B"),
        (Event::LAST, "L"),
    ];
    let flags: String = flags
        .iter()
        .filter(|(flag, _)| event.has(*flag))
        .map(|(_, letter)| *letter)
        .collect();
    let Event {
        session,
        user_ref,
        quantity,
        price,
        leaves,
        ..
    } = event;
    format!("{kind:?}{reason}({session}/{user_ref} {quantity}@{price} {leaves} {flags})")
}

#[test]
fn orders_trade_by_price_then_time_at_the_makers_price() {
    let mut venue = Venue::open();
    assert_eq!(venue.answer(sell(1, 10, 105)), "Accepted(2/1 10@105 10 BL)");
    assert_eq!(venue.answer(sell(2, 10, 103)), "Accepted(2/2 10@103 10 BL)");
    assert_eq!(venue.answer(sell(3, 10, 103)), "Accepted(2/3 10@103 10 BL)");
    assert_eq!(
        venue.answer(buy(1, 25, 104)),
        "Accepted(1/1 25@104 25 ) Executed(2/2 10@103 0 MB) Executed(1/1 10@103 15 ) \
         Executed(2/3 10@103 0 MB) Executed(1/1 10@103 5 ) Booked(1/1 5@104 5 BL)"
    );
    assert_eq!(venue.naive.best(1, Side::Buy), Some((104, 5)));
    assert_eq!(venue.naive.best(1, Side::Sell), Some((105, 10)));
    assert_eq!(venue.naive.live_orders(), 2);
}

#[test]
fn what_must_not_rest_is_cancelled() {
    let mut venue = Venue::open();
    let now = TimeInForce::ImmediateOrCancel as u8;
    venue.send(buy(1, 10, 100));
    assert_eq!(
        venue.answer(Command {
            time_in_force: now,
            ..sell(1, 4, 101)
        }),
        "Accepted(2/1 4@101 4 ) Canceled:ImmediateOrCancel(2/1 4@101 0 L)"
    );
    assert_eq!(
        venue.answer(sell(2, 12, PRICE_MARKET)),
        "Accepted(2/2 12@2000000000 12 ) Executed(1/1 10@100 0 MB) Executed(2/2 10@100 2 ) \
         Canceled:ImmediateOrCancel(2/2 2@2000000000 0 L)"
    );
    assert_eq!(
        venue.answer(buy(2, 1, PRICE_MARKET)),
        "Accepted(1/2 1@2000000000 1 ) Canceled:ImmediateOrCancel(1/2 1@2000000000 0 L)"
    );
    assert_eq!(venue.naive.live_orders(), 0);
}

#[test]
fn totals_of_cancels_and_replaces_count_executed_units_along_the_chain() {
    let mut venue = Venue::open();
    venue.send(buy(1, 100, 50));
    venue.send(buy(2, 7, 50));
    venue.send(sell(1, 30, 50));
    assert_eq!(venue.answer(cancel(1, 1, 100)), "Noted(1/1 100@0 0 L)");
    assert_eq!(
        venue.answer(cancel(1, 1, 80)),
        "Reduced:User(1/1 20@50 50 BL)"
    );
    let front = venue.naive.orders(1, Side::Buy).next().expect("an order");
    assert_eq!((front.user_ref, front.open, front.executed), (1, 50, 30));
    assert_eq!(
        venue.answer(replace(1, 1, 3, 30, 50)),
        "Rejected:InvalidQuantity(1/3 30@50 0 L)"
    );
    assert_eq!(
        venue.answer(replace(1, 1, 3, 90, 50)),
        "Replaced(1/3 60@50 60 BL)"
    );
    let refs: Vec<u32> = venue
        .naive
        .orders(1, Side::Buy)
        .map(|order| order.user_ref)
        .collect();
    assert_eq!(refs, [2, 3], "a replacement loses priority");
    assert_eq!(
        venue.answer(cancel(1, 1, 0)),
        "CancelRejected:UnknownOrder(1/1 0@0 0 L)"
    );
    assert_eq!(
        venue.answer(cancel(1, 3, 30)),
        "Canceled:User(1/3 60@50 0 BL)"
    );
}

#[test]
fn a_crossing_replacement_trades_and_names_the_order_it_replaced() {
    let mut venue = Venue::open();
    venue.send(buy(1, 10, 50));
    venue.send(sell(1, 4, 60));
    let events = venue.send(replace(1, 1, 2, 10, 60));
    let text: Vec<String> = events.iter().map(short).collect();
    assert_eq!(text[0], "Replaced(1/2 10@60 10 )");
    assert_eq!(
        (
            events[0].old_user_ref,
            events[0].related,
            events[0].order_ref
        ),
        (1, 1, 3)
    );
    assert_eq!(text[1], "Executed(2/1 4@60 0 MB)");
    assert_eq!(
        (events[1].related, events[2].related),
        (1, 1),
        "the match number"
    );
    assert_eq!(text[3], "Booked(1/2 6@60 6 BL)");
}

/// Each command breaks every rule from its own on; the reason is the first broken one.
#[test]
fn refusals_are_checked_in_the_documented_order() {
    let bad = Command {
        side: 9,
        time_in_force: 9,
        symbol: 9,
        session: 9,
        user_ref: 0,
        quantity: 0,
        price: -1,
        ..kind(CommandKind::New)
    };
    let mut venue = Venue::closed();
    let expect = |venue: &mut Venue, command: Command, reason: Reason| {
        let events = venue.send(command);
        assert_eq!(events.len(), 1);
        assert_eq!(events[0].reason, reason as u8, "{}", short(&events[0]));
    };
    expect(&mut venue, bad, Reason::NotOpen);
    let mut venue = Venue::open();
    expect(&mut venue, bad, Reason::UnknownSession);
    let bad = Command { session: 1, ..bad };
    venue.send(Command {
        session: 1,
        ..kind(CommandKind::Extra)
    });
    expect(&mut venue, bad, Reason::Unsupported);
    expect(&mut venue, bad, Reason::UnknownSymbol);
    let bad = Command { symbol: 2, ..bad };
    expect(&mut venue, bad, Reason::InvalidField);
    expect(&mut venue, Command { side: 1, ..bad }, Reason::InvalidField);
    let bad = Command {
        side: 1,
        time_in_force: 0,
        ..bad
    };
    expect(&mut venue, bad, Reason::DuplicateUserRef);
    let bad = Command { user_ref: 5, ..bad };
    let replace = Command {
        kind: CommandKind::Replace as u8,
        ..bad
    };
    expect(&mut venue, replace, Reason::UnknownOrder);
    expect(&mut venue, bad, Reason::InvalidQuantity);
    expect(
        &mut venue,
        Command {
            quantity: QUANTITY_MAX + 1,
            ..bad
        },
        Reason::InvalidQuantity,
    );
    let bad = Command {
        quantity: QUANTITY_MAX,
        ..bad
    };
    for price in [-1, 0, PRICE_MARKET + 1, i64::MIN, i64::MAX] {
        expect(&mut venue, Command { price, ..bad }, Reason::InvalidPrice);
    }
    expect(
        &mut venue,
        Command {
            price: PRICE_MAX,
            ..bad
        },
        Reason::None,
    );
    expect(
        &mut venue,
        Command { price: 1, ..bad },
        Reason::DuplicateUserRef,
    );
    expect(
        &mut venue,
        Command { kind: 77, ..bad },
        Reason::InvalidField,
    );
}

#[test]
fn the_day_opens_once_and_closing_takes_every_order_off() {
    let mut venue = Venue::open();
    assert!(
        venue
            .answer(kind(CommandKind::OpenDay))
            .starts_with("Refused:NotOpen")
    );
    venue.send(Command {
        symbol: 2,
        ..sell(1, 1, 70)
    });
    venue.send(sell(2, 2, 61));
    venue.send(buy(1, 3, 50));
    venue.send(buy(2, 4, 51));
    venue.send(sell(3, 5, 60));
    assert_eq!(
        venue.answer(kind(CommandKind::CloseDay)),
        "Canceled:DayClosed(1/2 4@51 0 B) Canceled:DayClosed(1/1 3@50 0 B) \
         Canceled:DayClosed(2/3 5@60 0 B) Canceled:DayClosed(2/2 2@61 0 B) \
         Canceled:DayClosed(2/1 1@70 0 B) DayClosed(0/0 0@0 0 L)"
    );
    assert_eq!(venue.naive.live_orders(), 0);
    for command in [kind(CommandKind::OpenDay), kind(CommandKind::CloseDay)] {
        assert!(venue.answer(command).starts_with("Refused:NotOpen"));
    }
}

#[test]
fn definitions_answer_with_the_name_and_refuse_a_taken_number() {
    let mut venue = Venue::closed();
    let name = Command {
        symbol: 3,
        client_id: *b"ACME          ",
        ..Command::BLANK
    };
    let define = Command {
        kind: CommandKind::DefineSymbol as u8,
        ..name
    };
    let events = venue.send(define);
    assert_eq!(events[0].related.to_le_bytes(), *b"ACME    ");
    assert!(venue.answer(define).starts_with("Refused:TableFull"));
    assert!(
        venue
            .answer(Command {
                symbol: 0,
                ..define
            })
            .starts_with("Refused:InvalidField")
    );
    assert_eq!(venue.naive.symbols().collect::<Vec<_>>(), [3]);
}

/// The fills of a real exchange are the answer: 803 of them, maker by maker.
#[test]
fn recorded_flow_has_the_fills_of_the_exchange() {
    let path = "../../shared/data/itch50/AAPL_20191230_0935_first20k.replay.csv";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if !path.exists() {
        assert!(
            std::env::var_os("CI").is_none(),
            "{} is missing",
            path.display()
        );
        println!("skipped: {} is missing", path.display());
        return;
    }
    let text = std::fs::read_to_string(path).expect("a readable file");
    let lines = recorded::read(&text).expect("recorded flow");
    assert_eq!(lines.len(), 17_848);
    let mut venue = Venue::closed();
    for command in recorded::Replay::opening() {
        venue.send(command);
    }
    let mut replay = recorded::Replay::new();
    let (mut aggressors, mut fills) = (0, 0);
    for (index, line) in lines.iter().enumerate() {
        let command = replay.command(line).expect("a live order");
        let events = venue.send(command);
        let found = replay.fills(&events);
        let expected = match line {
            recorded::Recorded::Aggressor { fills, .. } => fills.clone(),
            _ => Vec::new(),
        };
        assert_eq!(found, expected, "line {}: {line:?}", index + 1);
        aggressors += usize::from(!expected.is_empty());
        fills += expected.len();
        assert_eq!(
            venue.naive.live_orders(),
            replay.live_orders(),
            "line {}",
            index + 1
        );
    }
    assert_eq!(
        (aggressors, fills, venue.naive.live_orders()),
        (656, 803, 251)
    );
}
