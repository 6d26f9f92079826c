//! Accounts in snapshots, and engines with room for few of them.

use matching::{Limits, RestoreError, RestoreFault};
use wire::ring::Side::{Buy, Sell};
use wire::ring::{Command, CommandKind, Reason};

use crate::common::{ROOMY, Rig, day, ioc, of};
use crate::{
    GOOD, GROSS, LIVE_ORDERS, POSITION, RATE, RESTRICTED, by, defined, limit, of_symbol, reason,
    rig, session,
};

fn bytes_of(rig: &Rig) -> Vec<u8> {
    let mut bytes = Vec::new();
    rig.engine
        .snapshot(&mut |piece| bytes.extend_from_slice(piece));
    bytes
}

/// Limits at which account 1 stands, with orders, trades and a restriction.
fn busy() -> Rig {
    let mut rig = rig(&[(LIVE_ORDERS, 2), (POSITION, 10), (GROSS, 2_000)]);
    let one_a_second = Command {
        quantity: 4,
        ..limit(RATE, 1)
    };
    let commands = [
        one_a_second,
        of_symbol(3, limit(RESTRICTED, 1)),
        day(1, Buy, 10, 100),
        ioc(1, Sell, 4, 100),
        by(3, day(1, Sell, 5, 110)),
    ];
    for command in commands {
        assert_eq!(reason(&mut rig, command), GOOD, "{command:?}");
    }
    rig
}

#[test]
fn a_restored_engine_goes_on_with_every_limit() {
    let mut first = busy();
    let bytes = bytes_of(&first);
    let limits = Limits {
        accounts: 2,
        ..ROOMY
    };
    let mut second = Rig::restore(limits, &bytes).expect("good bytes");
    assert_eq!(bytes_of(&second), bytes);
    second.sequence = first.sequence;
    let lines = [
        (of_symbol(3, day(2, Buy, 1, 1)), Reason::Restricted),
        (day(2, Buy, 1, 1), Reason::MaxOpenOrders),
        (limit(LIVE_ORDERS, 3), GOOD),
        (day(2, Buy, 1, 1), Reason::MaxPosition),
        // Four at once: this one is too early.
        (day(2, Sell, 1, 450), Reason::RateLimit),
        (limit(RATE, 0), GOOD),
        (day(2, Sell, 1, 451), Reason::GrossCredit),
        (day(2, Sell, 1, 450), GOOD),
    ];
    for (command, expected) in lines {
        for rig in [&mut first, &mut second] {
            assert_eq!(reason(rig, command), expected, "{command:?}");
        }
    }
    assert_eq!(first.engine.state_hash(), second.engine.state_hash());
}

#[test]
fn limits_without_room_for_accounts_are_refused() {
    let bytes = bytes_of(&busy());
    for (accounts, name) in [(0, "accounts_kept"), (1, "session.account")] {
        let error = Rig::restore(Limits { accounts, ..ROOMY }, &bytes).err();
        let Some(RestoreError::Bytes { field, fault, .. }) = error else {
            panic!("{name}: {error:?}");
        };
        assert_eq!((field, fault), (name, RestoreFault::Room));
    }
}

#[test]
fn the_order_of_definitions_is_no_part_of_the_state() {
    let [mut one, mut other] = [(); 2].map(|()| Rig::new(ROOMY));
    let sessions = [session(1, 7), session(2, 5), session(3, 7), session(4, 6)];
    for (rig, order) in [(&mut one, [0_usize, 1, 2, 3]), (&mut other, [3, 2, 1, 0])] {
        for at in order {
            assert_eq!(reason(rig, sessions[at]), GOOD);
        }
        for account in [5, 6, 7] {
            let limit = Command {
                user_ref: account,
                ..limit(POSITION, i64::from(account))
            };
            assert_eq!(reason(rig, limit), GOOD);
        }
    }
    assert_eq!(bytes_of(&one), bytes_of(&other));
}

/// The bytes as `docs/snapshot.md` seals them.
fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let end = bytes.len() - 8;
    let mut hash = 0_u64;
    for word in bytes[24..end].chunks(8) {
        let word = word
            .iter()
            .rev()
            .fold(0, |word, byte| word << 8 | u64::from(*byte));
        let mixed = (hash ^ word).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        hash = (mixed ^ mixed >> 29).wrapping_add(0x9E37_79B9_7F4A_7C15);
    }
    bytes[end..].copy_from_slice(&hash.to_le_bytes());
    bytes
}

#[test]
fn sums_that_do_not_fit_the_orders_are_refused() {
    const VENUE_BYTES: usize = 20;
    const SESSION_BYTES: usize = 17;
    const SYMBOL_BYTES: usize = 60;
    let good = bytes_of(&busy());
    let account = 24 + VENUE_BYTES + SESSION_BYTES;
    let accounts_bytes = 2 * 121;
    let symbol = 24 + VENUE_BYTES + 3 * SESSION_BYTES + accounts_bytes;
    let position = symbol + SYMBOL_BYTES;
    assert_eq!((good[account], good[symbol], good[position]), (7, 4, 8));
    let at = |offset: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[offset] = byte;
        let error = Rig::restore(ROOMY, &sealed(bytes)).err();
        let Some(RestoreError::Bytes { field, fault, .. }) = error else {
            panic!("{offset}: {error:?}");
        };
        (field, fault)
    };
    use RestoreFault::{Order, Value};
    let cases = [
        (24 + VENUE_BYTES - 1, 2, ("accounts_kept", Value)),
        // Kept or not, the records behind say otherwise.
        (24 + VENUE_BYTES - 1, 0, ("tag", Value)),
        (account + 1, good[account + 1] ^ 1, ("accounts", Value)),
        (account + 17, good[account + 17] ^ 1, ("accounts", Value)),
        (account + 33, good[account + 33] ^ 1, ("accounts", Value)),
        (account + 16, 64, ("account.net_buy", Value)),
        (account + 48, 128, ("account.gross", Value)),
        (account + 120, 1, ("account.next_ns", Value)),
        (position + 1, 0, ("position.session", Order)),
        (position + 1, 3, ("position.session", Value)),
        (position + 3, good[position + 3] ^ 1, ("accounts", Value)),
        (position + 10, 64, ("position.buy", Value)),
        (position + 19, 2, ("position.restricted", Value)),
    ];
    for (offset, byte, expected) in cases {
        assert_eq!(at(offset, byte), expected, "{byte} at {offset}");
    }
}

#[test]
fn accounts_beyond_the_room_find_none() {
    let mut rig = defined(Limits {
        accounts: 2,
        ..ROOMY
    });
    assert_eq!(reason(&mut rig, session(4, 3)), Reason::TableFull);
    assert_eq!(reason(&mut rig, session(4, 2)), GOOD);
    // Account 3 has no session.
    let of_nobody = Command {
        user_ref: 3,
        ..limit(POSITION, 1)
    };
    assert_eq!(reason(&mut rig, of_nobody), Reason::UnknownSession);
    assert_eq!(reason(&mut rig, limit(POSITION, 1)), GOOD);
}

#[test]
fn an_engine_without_room_for_accounts_takes_sessions_and_no_limits() {
    let mut rig = defined(Limits {
        accounts: 0,
        ..ROOMY
    });
    assert_eq!(reason(&mut rig, limit(POSITION, 1)), Reason::TableFull);
    assert_eq!(reason(&mut rig, limit(99, -1)), Reason::TableFull);
    rig.apply(of(CommandKind::OpenDay));
    assert_eq!(reason(&mut rig, day(1, Buy, 10, 10)), GOOD);
    assert_eq!(reason(&mut rig, ioc(1, Sell, 10, 10)), GOOD);
}

#[test]
fn a_session_defined_later_counts_for_its_account() {
    let mut rig = rig(&[(POSITION, 10)]);
    assert_eq!(reason(&mut rig, session(4, 1)), GOOD);
    assert_eq!(reason(&mut rig, by(4, day(1, Buy, 4, 10))), GOOD);
    assert_eq!(reason(&mut rig, day(1, Buy, 7, 10)), Reason::MaxPosition);
    assert_eq!(reason(&mut rig, day(1, Buy, 6, 10)), GOOD);
    // One of another account that nobody limited.
    assert_eq!(reason(&mut rig, session(5, 9)), GOOD);
    assert_eq!(reason(&mut rig, by(5, day(1, Buy, 100, 10))), GOOD);
}
