//! Whatever bytes a command holds, the engine answers; and its state is a function of its inputs.

mod common;

use common::{Rig, cancel, day, ioc, of, replace};
use flow::hostile::{Hostile, SESSIONS, SYMBOLS};
use flow::naive::OFFERED;
use matching::Limits;
use proptest::prelude::*;
use wire::ring::{
    BODY_BYTES, Command, CommandKind, EXTRA_HIDDEN, Input, PRICE_MARKET, PRICE_MAX, Reason, Side,
};

const TIGHT: Limits = Limits {
    symbols: 3,
    sessions: 3,
    orders: 12,
    special: 12,
    price_groups: 5,
    accounts: 3,
};

/// Any bytes at all.
fn any_bytes() -> impl Strategy<Value = Command> {
    prop::collection::vec(any::<u8>(), BODY_BYTES)
        .prop_map(|bytes| bytemuck::pod_read_unaligned(&bytes))
}

/// Commands that pass most checks, over few prices and references.
fn likely() -> impl Strategy<Value = Command> {
    const PRICES: [i64; 9] = [
        1,
        99,
        100,
        6_400,
        10_000,
        12_800,
        1 << 20,
        PRICE_MARKET,
        PRICE_MAX,
    ];
    let sides = prop_oneof![Just(Side::Buy), Just(Side::Sell)];
    let fields = (
        0..8,
        sides,
        0..60_u32,
        0..60_u32,
        0..30_u32,
        prop::sample::select(&PRICES),
    );
    fields.prop_map(|(kind, side, user_ref, old, quantity, price)| match kind {
        0..3 => day(user_ref, side, quantity, price),
        3 => ioc(user_ref, side, quantity, price),
        4 | 5 => replace(old, user_ref, quantity, price),
        6 => cancel(old, quantity),
        _ => Command {
            session: 1,
            ..of(CommandKind::Extra)
        },
    })
}

fn any_command() -> impl Strategy<Value = Command> {
    prop_oneof![1 => any_bytes(), 4 => likely()]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 256,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_bytes_are_answered(commands in prop::collection::vec(any_command(), 1..200)) {
        let mut rig = Rig::open(TIGHT);
        let numbered = (1..).zip(&commands).map(|(sequence, command)| Input {
            sequence,
            time_ns: sequence,
            command: *command,
        });
        let inputs: Vec<Input> = numbered.collect();
        for (place, command) in commands.iter().enumerate() {
            let hash = rig.engine.state_hash();
            rig.engine.look_ahead(&inputs, place);
            prop_assert_eq!(rig.engine.state_hash(), hash);
            let events = rig.apply(*command);
            prop_assert!(!events.is_empty());
            prop_assert!(rig.engine.live_orders() <= TIGHT.orders);
        }
    }

    #[test]
    fn the_same_inputs_make_the_same_state(
        commands in prop::collection::vec(likely(), 1..100),
        cut in 0..100_usize,
    ) {
        // Other limits, so other handles, groups and lines; roomy enough to refuse nothing.
        let limits = [
            Limits {
                symbols: 3,
                sessions: 3,
                orders: 200,
                special: 200,
                price_groups: 20,
                accounts: 3,
            },
            Limits {
                symbols: 9,
                sessions: 7,
                orders: 901,
                special: 201,
                price_groups: 33,
                accounts: 5,
            },
        ];
        let mut rigs = limits.map(Rig::open);
        let cut = cut.min(commands.len());
        for part in [&commands[..cut], &commands[cut..]] {
            for command in part {
                let [events, expected] = rigs.each_mut().map(|rig| rig.apply(*command));
                prop_assert_eq!(events, expected);
            }
            let [hash, expected] = rigs.each_ref().map(|rig| rig.engine.state_hash());
            prop_assert_eq!(hash, expected);
        }
    }
}

#[test]
fn whatever_can_be_observed_is_in_the_hash() {
    let start = [
        day(1, Side::Buy, 9, 100),
        day(2, Side::Buy, 9, 100),
        day(3, Side::Sell, 9, 200),
    ];
    let named = Command {
        symbol: 4,
        client_id: *b"NAMED         ",
        ..of(CommandKind::DefineSymbol)
    };
    let hidden = Command {
        session: 1,
        flags: EXTRA_HIDDEN,
        ..of(CommandKind::Extra)
    };
    let displayed = |quantity| Command {
        session: 1,
        old_user_ref: quantity,
        ..of(CommandKind::Extra)
    };
    let expiry = |price| Command {
        session: 1,
        price,
        ..of(CommandKind::Extra)
    };
    let changes: [&[Command]; 26] = [
        &[],
        &[cancel(1, 8)],
        &[cancel(1, 0)],
        &[cancel(2, 0)],
        &[replace(1, 4, 9, 100)],
        &[replace(1, 5, 9, 100)],
        &[replace(3, 4, 9, 300)],
        &[replace(3, 4, 9, 201)],
        &[ioc(1, Side::Sell, 1, 100)],
        &[ioc(1, Side::Buy, 1, 1)],
        &[Command {
            session: 2,
            flags: EXTRA_HIDDEN,
            ..of(CommandKind::Extra)
        }],
        &[Command {
            session: 2,
            quantity: 1,
            ..of(CommandKind::Extra)
        }],
        &[Command {
            session: 1,
            quantity: 1,
            ..of(CommandKind::Extra)
        }],
        &[hidden, replace(3, 4, 9, 300)],
        &[displayed(2), replace(3, 4, 9, 300)],
        &[expiry(1_000), replace(3, 4, 9, 300)],
        &[expiry(1_001), replace(3, 4, 9, 300)],
        &[displayed(3), replace(3, 4, 9, 300)],
        &[Command {
            symbol: 4,
            ..of(CommandKind::DefineSymbol)
        }],
        &[Command {
            symbol: 4,
            price: 2,
            ..of(CommandKind::DefineSymbol)
        }],
        &[Command {
            session: 4,
            user_ref: 1,
            ..of(CommandKind::DefineSession)
        }],
        &[Command {
            session: 4,
            user_ref: 1,
            letters: [2, 0, 0, 0],
            ..of(CommandKind::DefineSession)
        }],
        &[named],
        // One match or two, all else the same.
        &[ioc(1, Side::Sell, 2, 100), ioc(2, Side::Sell, 1, 101)],
        &[ioc(1, Side::Sell, 1, 100), ioc(2, Side::Sell, 1, 100)],
        &[of(CommandKind::CloseDay)],
    ];
    let hashes = changes.map(|changes| {
        let mut rig = Rig::open(Limits {
            symbols: 4,
            sessions: 4,
            ..TIGHT
        });
        for command in start.iter().chain(changes) {
            rig.apply(*command);
        }
        rig.engine.state_hash()
    });
    for (place, hash) in hashes.iter().enumerate() {
        assert!(
            !hashes[..place].contains(hash),
            "{:?} is not in the hash",
            changes[place]
        );
    }
}

#[test]
fn attributes_meet_full_pools_and_ladders() {
    for (orders, special, price_groups) in [
        (1, 1, 1),
        (2, 2, 2),
        (5, 5, 1),
        (40, 40, 3),
        (40, 3, 40),
        (200, 1, 100),
    ] {
        let mut rig = Rig::new(Limits {
            symbols: SYMBOLS + 1,
            sessions: SESSIONS + 1,
            orders,
            special,
            price_groups,
            accounts: SESSIONS + 1,
        });
        let inputs: Vec<Input> = Hostile::new(7, OFFERED).take(5_000).collect();
        let mut refused = 0;
        for input in &inputs {
            rig.sequence = input.time_ns - 1;
            let events = rig.apply(input.command);
            let full = [Reason::PoolFull, Reason::LadderFull].map(|reason| reason as u8);
            refused += events
                .iter()
                .filter(|event| full.contains(&event.reason))
                .count();
            assert!(rig.engine.live_orders() <= orders);
        }
        assert!(
            refused > 100,
            "{orders} orders, {special} special: {refused} refused"
        );
    }
}
