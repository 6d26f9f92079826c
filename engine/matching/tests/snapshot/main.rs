//! An engine's bytes bring it back, and nothing else brings anything back.

#[path = "../common/mod.rs"]
mod common;
mod format;
mod refusals;
mod rig;
mod room;

use common::{Rig, cancel, day, of};
use rig::{LIMITS, bytes_of, events_of, inputs, restored};
use wire::ring::Side::{Buy, Sell};
use wire::ring::{Command, CommandKind, Condition, EXTRA_TO_LIMIT, PRICE_MARKET};

#[test]
fn a_restored_engine_goes_on_as_the_first_one_would_have() {
    for seed in 1..=12 {
        let inputs = inputs(seed);
        let mut first = Rig::new(LIMITS);
        let mut others: Vec<Rig> = Vec::new();
        for (at, input) in inputs.iter().enumerate() {
            if (at as u64 + 97 * seed).is_multiple_of(499) {
                let bytes = bytes_of(&first.engine);
                let rig = restored(&bytes, at as u32 % 50);
                assert_eq!(rig.engine.state_hash(), first.engine.state_hash());
                assert!(bytes_of(&rig.engine) == bytes, "seed {seed}, input {at}");
                others.push(rig);
            }
            let events = events_of(&mut first, input);
            for other in &mut others {
                assert_eq!(events_of(other, input), events, "seed {seed}: {input:?}");
            }
        }
        let bytes = bytes_of(&first.engine);
        assert!(others.iter().all(|one| bytes_of(&one.engine) == bytes));
        assert!(others.len() >= 6);
    }
}

/// A command about symbol 1 with a flag.
fn set(kind: CommandKind, flags: u8) -> Command {
    Command {
        symbol: 1,
        flags,
        ..of(kind)
    }
}

#[test]
fn rare_states_are_brought_back_too() {
    let auction = set(CommandKind::SetState, 2);
    let session = |session, account| Command {
        session,
        user_ref: account,
        ..of(CommandKind::DefineSession)
    };
    let of_4 = Command {
        session: 4,
        ..day(1, Buy, 1, 100)
    };
    let kill = |scope, flags| Command {
        letters: [scope, 0, 0, 0],
        ..set(CommandKind::Kill, flags)
    };
    let of_tick_5 = |session, order: Command| Command {
        symbol: 4,
        session,
        ..order
    };
    let extra = |session, flags, condition| Command {
        session,
        flags,
        letters: [0, condition, 0, 0],
        ..of(CommandKind::Extra)
    };
    let tick_5 = Command {
        symbol: 4,
        price: 5,
        ..of(CommandKind::DefineSymbol)
    };
    let cases: [(&[Command], &[Command]); 5] = [
        // A midpoint peg at 102, and a market-to-limit order that trades with it and rests there.
        (
            &[
                tick_5,
                of_tick_5(1, day(1, Buy, 9, 100)),
                of_tick_5(1, day(2, Sell, 9, 105)),
                extra(1, 0, Condition::MidpointPeg as u8),
                of_tick_5(1, day(3, Buy, 4, PRICE_MARKET)),
                extra(2, EXTRA_TO_LIMIT, 0),
                of_tick_5(2, day(1, Sell, 9, PRICE_MARKET)),
            ],
            &[
                of_tick_5(3, day(1, Buy, 9, 105)),
                cancel(2, 0),
                cancel(1, 0),
            ],
        ),
        // Orders at any price in a call.
        (
            &[
                auction,
                day(1, Buy, 9, PRICE_MARKET),
                day(2, Sell, 9, PRICE_MARKET),
            ],
            &[cancel(1, 4), cancel(2, 4), cancel(1, 0), cancel(2, 0)],
        ),
        (
            &[auction, day(1, Buy, 9, PRICE_MARKET), day(2, Sell, 4, 100)],
            &[set(CommandKind::Indicate, 0), set(CommandKind::SetState, 3)],
        ),
        // A session of an account that was killed before.
        (&[kill(1, 1)], &[session(4, 0), of_4, kill(1, 0), of_4]),
        (&[kill(0, 1)], &[session(4, 7), of_4, kill(0, 0), of_4]),
    ];
    for (before, after) in cases {
        let mut first = Rig::open(LIMITS);
        for command in before {
            first.apply(*command);
        }
        let mut other = restored(&bytes_of(&first.engine), 1);
        for command in after {
            assert_eq!(other.apply(*command), first.apply(*command), "{command:?}");
        }
        assert_eq!(bytes_of(&other.engine), bytes_of(&first.engine));
    }
}
