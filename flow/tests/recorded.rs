//! Recorded flow: what is read, what is refused, and that what is written replays.

use flow::recorded::{Recorded, Replay, read, write};
use flow::{Naive, Sequencer, Shape};
use proptest::prelude::*;
use wire::ring::Side;

#[test]
fn every_kind_of_line_is_read() {
    let text =
        "N,7,S,20,2887300\nX,7,5\n\nU,7,8,30,2887400\nA,B,20,2887400,8:15|9:5\nA,S,1,5,\nD,8\n";
    let fill = |price, side, quantity, fills| Recorded::Aggressor {
        side,
        quantity,
        price,
        fills,
    };
    assert_eq!(
        read(text),
        Ok(vec![
            Recorded::New {
                reference: 7,
                side: Side::Sell,
                quantity: 20,
                price: 2_887_300
            },
            Recorded::Reduce {
                reference: 7,
                quantity: 5
            },
            Recorded::Replace {
                old: 7,
                reference: 8,
                quantity: 30,
                price: 2_887_400
            },
            fill(2_887_400, Side::Buy, 20, vec![(8, 15), (9, 5)]),
            fill(5, Side::Sell, 1, vec![]),
            Recorded::Delete { reference: 8 },
        ])
    );
}

#[test]
fn a_wrong_line_is_named_with_its_field() {
    for (text, line, field, found) in [
        ("D,1\nZ,1", 2, "kind", "Z"),
        ("N,1,Q,1,1", 1, "side", "Q"),
        ("N,1,B,-1,1", 1, "qty", "-1"),
        ("N,1,B,4294967296,1", 1, "qty", "4294967296"),
        ("N,1,B,1", 1, "px", ""),
        ("D,", 1, "ref", ""),
        ("D,1,2", 1, "end of line", "2"),
        ("A,B,1,1,1:2|3", 1, "fills", "3"),
        ("U,1,x,1,1", 1, "new", "x"),
    ] {
        let error = read(text).expect_err(text);
        assert_eq!(
            (error.line, error.field, error.found.as_str()),
            (line, field, found)
        );
    }
    let error = read("D,x").expect_err("a wrong line");
    assert_eq!(
        error.to_string(),
        "line 1: the field ref is wrong or missing: \"x\""
    );
}

#[test]
fn a_record_that_names_an_unknown_order_is_refused() {
    let lines = read("N,1,B,5,10\nA,S,5,10,1:5\nD,1").expect("recorded flow");
    let mut replay = Replay::new();
    let results: Vec<bool> = lines
        .iter()
        .map(|line| replay.command(line).is_ok())
        .collect();
    assert_eq!(results, [true, true, false]);
}

#[test]
fn written_flow_replays_with_the_fills_it_names() {
    let shape = Shape {
        sessions: 1,
        standing: 500,
        ..Shape::default()
    };
    let mut text = Vec::new();
    write(&shape, 30_000, &mut text).expect("a writable vector");
    let lines = read(std::str::from_utf8(&text).expect("text")).expect("recorded flow");
    let (mut naive, mut sequencer) = (Naive::new(), Sequencer::new(0));
    for command in Replay::opening() {
        naive.apply(&sequencer.number(0, command));
    }
    let (mut replay, mut fills) = (Replay::new(), 0);
    for (index, line) in lines.iter().enumerate() {
        let command = replay.command(line).expect("a live order");
        let events = naive.apply(&sequencer.number(0, command));
        let expected = match line {
            Recorded::Aggressor { fills, .. } => fills.as_slice(),
            _ => &[],
        };
        assert_eq!(
            replay.fills(&events),
            expected,
            "line {}: {line:?}",
            index + 1
        );
        fills += expected.len();
    }
    assert!(fills > 500, "{fills}");
    assert_eq!(naive.live_orders(), replay.live_orders());
}

#[test]
fn more_than_one_book_cannot_be_written() {
    let shape = Shape {
        symbols: 2,
        sessions: 1,
        ..Shape::default()
    };
    assert!(write(&shape, 1, &mut Vec::new()).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 256,
        failure_persistence: None,
        ..Default::default()
    })]

    #[test]
    fn any_text_is_read_or_refused(text in "([NXDUAZ]?(,[0-9BS:|]{0,11}){0,6}\n?){0,8}") {
        if let Ok(lines) = read(&text) {
            let mut replay = Replay::new();
            for line in &lines {
                let _ = replay.command(line);
            }
        }
    }
}
