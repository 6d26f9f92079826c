//! Members over connections that break, stall and cut packets, by seed: no reply is lost or
//! repeated, and every order is answered or never reached the engine.

mod venue;

use proptest::prelude::*;
use session::ouch_client::{Order, Replacement};
use session::soup_client::ClientState;
use venue::{Desk, Venue, config};
use wire::ring::CommandKind;

#[derive(Clone, Debug)]
enum Act {
    /// A member enters an order.
    Enter {
        who: usize,
        sell: bool,
        quantity: u32,
        price: u64,
    },
    /// A member replaces one of its orders.
    Replace {
        who: usize,
        back: u32,
        quantity: u32,
        price: u64,
    },
    /// A member cancels one of its orders.
    Cancel {
        who: usize,
        back: u32,
        quantity: u32,
    },
    /// So many bytes move each way.
    Exchange { who: usize, bytes: usize },
    /// The engine takes what is in its ring.
    Run,
    /// A connection breaks and another one is made.
    Reconnect { who: usize },
}

fn act() -> impl Strategy<Value = Act> {
    let who = 0..2_usize;
    let quantity = 0..30_u32;
    let price = 4_998..5_003_u64;
    prop_oneof![
        4 => (who.clone(), any::<bool>(), quantity.clone(), price.clone()).prop_map(
            |(who, sell, quantity, price)| Act::Enter { who, sell, quantity, price }),
        1 => (who.clone(), 0..6_u32, quantity.clone(), price).prop_map(
            |(who, back, quantity, price)| Act::Replace { who, back, quantity, price }),
        1 => (who.clone(), 0..6_u32, quantity).prop_map(
            |(who, back, quantity)| Act::Cancel { who, back, quantity }),
        5 => (who.clone(), 0..150_usize).prop_map(|(who, bytes)| Act::Exchange { who, bytes }),
        3 => Just(Act::Run),
        1 => who.prop_map(|who| Act::Reconnect { who }),
    ]
}

fn reconnect(venue: &mut Venue, desk: &mut Desk, conn: u32, breaks: bool) {
    if breaks {
        venue.entry.closed(desk.conn);
    }
    while venue.entry.closing().is_some() {}
    desk.connect(venue, conn);
}

fn perform(venue: &mut Venue, desks: &mut [Desk; 2], act: &Act, conn_next: &mut u32) {
    match *act {
        Act::Enter {
            who,
            sell,
            quantity,
            price,
        } => {
            let side = if sell { b'S' } else { b'B' };
            let _ = desks[who]
                .client
                .enter(&Order::day(side, quantity, "AAPL", price));
        }
        Act::Replace {
            who,
            back,
            quantity,
            price,
        } => {
            let old = desks[who].client.user_ref_next().saturating_sub(back);
            let _ = desks[who]
                .client
                .replace(old, &Replacement::day(quantity, price), &[]);
        }
        Act::Cancel {
            who,
            back,
            quantity,
        } => {
            let old = desks[who].client.user_ref_next().saturating_sub(back);
            let _ = desks[who].client.cancel(old, quantity);
        }
        Act::Exchange { who, bytes } => desks[who].exchange(venue, bytes),
        Act::Run => {
            venue.run();
            venue.poll();
        }
        Act::Reconnect { who } => {
            *conn_next += 1;
            // The server learns of every other break only by the new login.
            reconnect(
                venue,
                &mut desks[who],
                *conn_next,
                conn_next.is_multiple_of(2),
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 128,
        failure_persistence: None,
        ..Default::default()
    })]

    #[test]
    fn members_see_their_whole_stream_whatever_the_network_does(
        acts in prop::collection::vec(act(), 1..200)
    ) {
        let mut venue = Venue::new(config());
        let mut desks = [Desk::new("ALPHA", "secret", 1), Desk::new("BETA", "hidden", 2)];
        desks[0].connect(&mut venue, 1);
        desks[1].connect(&mut venue, 2);
        let mut conn_next = 2;
        for act in &acts {
            // At most four connections: the superseded ones must go in between.
            while venue.entry.closing().is_some() {}
            if venue.entry.connections() > 3 {
                for conn in 0..conn_next - 1 {
                    if desks.iter().all(|desk| desk.conn != conn) {
                        venue.entry.closed(conn);
                    }
                }
            }
            perform(&mut venue, &mut desks, act, &mut conn_next);
        }
        for desk in &mut desks {
            for _ in 0..20 {
                desk.settle(&mut venue);
            }
            prop_assert_eq!(desk.client.state(), ClientState::Live);
        }
        for desk in &mut desks {
            desk.settle(&mut venue);
            prop_assert_eq!(desk.stream.len() as u64, venue.entry.replies(desk.session));
        }
        let orders = |kind: CommandKind| {
            venue.journal.iter().filter(|input| input.command.kind == kind as u8).count()
        };
        let answered: usize = desks
            .iter()
            .flat_map(|desk| &desk.stream)
            .filter(|message| matches!(message[0], b'A' | b'U' | b'J'))
            .count();
        prop_assert_eq!(answered, orders(CommandKind::New) + orders(CommandKind::Replace));
        prop_assert_eq!(venue.entry.counters().replies_lost, 0);
    }
}
