//! A snapshot with more all-or-none orders than wait in a symbol is none.

use matching::{RestoreError, RestoreFault, WHOLE_MAX};
use wire::ring::Side::Buy;
use wire::ring::{Command, CommandKind, EXTRA_ALL_OR_NONE};

use crate::common::{Rig, cancel, day, of};
use crate::rig::{HEADER_BYTES, LIMITS, bytes_of, seal};

/// An engine with one symbol and session, in which these of so many orders wait and the others
/// left.
fn waiting(orders: u32, waits: impl Fn(u32) -> bool) -> Vec<u8> {
    let mut rig = Rig::new(LIMITS);
    rig.apply(Command {
        symbol: 1,
        ..of(CommandKind::DefineSymbol)
    });
    rig.apply(Command {
        session: 1,
        ..of(CommandKind::DefineSession)
    });
    rig.apply(of(CommandKind::OpenDay));
    for user_ref in 1..=orders {
        if waits(user_ref) {
            rig.apply(Command {
                session: 1,
                flags: EXTRA_ALL_OR_NONE,
                ..of(CommandKind::Extra)
            });
            rig.apply(day(user_ref, Buy, 9, 100));
        } else {
            rig.apply(day(user_ref, Buy, 9, 100));
            rig.apply(cancel(user_ref, 0));
        }
    }
    bytes_of(&rig.engine)
}

#[test]
fn more_all_or_none_orders_than_a_symbol_has_room_for_are_refused() {
    const END_BYTES: usize = 9;
    let orders = WHOLE_MAX + 1;
    let mut full = waiting(orders, |user_ref| user_ref < orders);
    let [empty, last] = [0, orders].map(|one| waiting(orders, |user_ref| user_ref == one));
    assert!(Rig::restore(LIMITS, &full).is_ok());
    // One more, with a number and a name that are free.
    let from = empty.len() - END_BYTES;
    let record = &last[from..last.len() - END_BYTES];
    let at = full.len() - END_BYTES;
    full.splice(at..at, record.iter().copied());
    let length = full.len() as u64;
    full[HEADER_BYTES - 8..HEADER_BYTES].copy_from_slice(&length.to_le_bytes());
    seal(&mut full);
    let error = Rig::restore(LIMITS, &full).err();
    let Some(RestoreError::Bytes { field, fault, .. }) = error else {
        panic!("{error:?}");
    };
    assert_eq!((field, fault), ("part.whole", RestoreFault::Room));
}
