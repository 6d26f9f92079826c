//! The reference engine on commands of any bit pattern: it answers, and its books stay sound.

use std::collections::BTreeMap;

use flow::naive::KNOWN;
use flow::{Naive, Sequencer};
use proptest::prelude::*;
use wire::ring::{Command, CommandKind, Event, EventKind, PRICE_MARKET, Side};

/// What would end the day, or begin a call.
const STATES: [u8; 3] = [
    CommandKind::CloseDay as u8,
    CommandKind::SetState as u8,
    CommandKind::SetBands as u8,
];

/// Commands that mostly make sense, with small numbers so that orders meet, and some that do not.
fn command() -> impl Strategy<Value = Command> {
    let kind = prop_oneof![
        6 => Just(1), 3 => Just(2), 2 => Just(3),
        1 => prop::sample::select(vec![0, 16, 17, 18]),
        4 => Just(CommandKind::Extra as u8),
        1 => any::<u8>().prop_filter("the day stays open, and no call lets prices cross", |kind| {
            !STATES.contains(kind)
        }),
    ];
    let price = prop_oneof![20 => 1..12i64, 1 => Just(PRICE_MARKET), 1 => any::<i64>()];
    let quantity = prop_oneof![20 => 0..9u32, 1 => any::<u32>()];
    (
        kind,
        0..3u8,
        (0..3u8, prop_oneof![8 => 0..8u8, 1 => any::<u8>()]),
        prop_oneof![4 => Just(0), 1 => 0..8u8],
        (0..3u16, 0..3u16),
        1..60u32,
        prop_oneof![0..5u32, 1..60u32],
        quantity,
        price,
    )
        .prop_map(
            |(
                kind,
                time_in_force,
                (side, flags),
                letter,
                (symbol, session),
                user_ref,
                old_user_ref,
                quantity,
                price,
            )| {
                Command {
                    kind,
                    side,
                    time_in_force,
                    flags,
                    symbol,
                    session,
                    user_ref,
                    old_user_ref,
                    quantity,
                    letters: [letter / 6, letter, 0, 0],
                    price,
                    client_id: condition_amount(quantity),
                    wire_letters: [0; 2],
                }
            },
        )
}

/// The text of an `Extra` with the amount of a condition.
fn condition_amount(amount: u32) -> [u8; 14] {
    let mut text = [0; 14];
    text[4..8].copy_from_slice(&amount.to_le_bytes());
    text
}

/// Open units by order number, followed from the events alone.
#[derive(Default)]
struct Follower(BTreeMap<u64, u32>);

impl Follower {
    fn on_event(&mut self, event: &Event) {
        match EventKind::from_byte(event.kind).expect("a known kind") {
            EventKind::Accepted | EventKind::Booked => {
                self.0.insert(event.order_ref, event.leaves);
            }
            EventKind::Replaced
            | EventKind::Refreshed
            | EventKind::Triggered
            | EventKind::Repriced => {
                assert!(self.0.remove(&event.related).is_some(), "{event:?}");
                self.0.insert(event.order_ref, event.leaves);
            }
            EventKind::Executed | EventKind::Reduced | EventKind::Canceled => {
                let open = self.0.get_mut(&event.order_ref).expect("a live order");
                assert_eq!(*open - event.quantity, event.leaves, "{event:?}");
                *open = event.leaves;
                if event.leaves == 0 {
                    self.0.remove(&event.order_ref);
                }
            }
            _ => {}
        }
    }
}

fn check_books(naive: &Naive, follower: &Follower) {
    let mut resting = BTreeMap::new();
    for symbol in naive.symbols() {
        for side in [Side::Buy, Side::Sell] {
            let orders: Vec<_> = naive.orders(symbol, side).collect();
            let rank = |price: i64| if side == Side::Buy { -price } else { price };
            assert!(orders.is_sorted_by_key(|order| (rank(order.price), order.order_ref)));
            assert!(orders.iter().all(|order| order.price != PRICE_MARKET));
            resting.extend(orders.iter().map(|order| (order.order_ref, order.open)));
        }
        let parked = naive.parked(symbol);
        resting.extend(parked.map(|order| (order.order_ref, order.open)));
        let best = [Side::Buy, Side::Sell].map(|side| naive.best(symbol, side));
        if let [Some((bid, _)), Some((ask, _))] = best {
            assert!(bid < ask, "{bid} {ask}");
        }
    }
    assert_eq!(resting.len(), naive.live_orders());
    assert_eq!(resting, follower.0);
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 128,
        failure_persistence: None,
        ..Default::default()
    })]

    #[test]
    fn every_command_is_answered_once_and_the_events_tell_the_books(
        offered in any::<u16>(),
        commands in prop::collection::vec(command(), 1..200),
    ) {
        let (mut naive, mut sequencer) = (Naive::offering(offered & KNOWN), Sequencer::new(0));
        let mut follower = Follower::default();
        let definition = |kind: CommandKind, command: Command| Command {
            kind: kind as u8, symbol: 1, session: 1, ..command
        };
        let opening = [CommandKind::DefineSymbol, CommandKind::DefineSession, CommandKind::OpenDay]
            .map(|kind| definition(kind, commands[0]));
        for command in opening.iter().chain(&commands) {
            // Prices are small, so that a few ticks of the clock make orders expire.
            let gap_ns = u64::from(command.kind == CommandKind::Time as u8);
            let events = naive.apply(&sequencer.number(gap_ns, *command));
            let lasts = events.iter().filter(|event| event.has(Event::LAST)).count();
            prop_assert_eq!(lasts, 1);
            prop_assert!(events.last().is_some_and(|event| event.has(Event::LAST)));
            events.iter().for_each(|event| follower.on_event(event));
            check_books(&naive, &follower);
        }
        let close = Command { kind: CommandKind::CloseDay as u8, ..commands[0] };
        naive.apply(&sequencer.number(0, close)).iter().for_each(|event| follower.on_event(event));
        prop_assert_eq!((naive.live_orders(), follower.0.len()), (0, 0));
    }
}
