//! Bytes from outside, whatever they are, are taken or refused and never break anything.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod venue;

use proptest::prelude::*;
use session::feed::{Publisher, PublisherConfig, Receiver, ReceiverConfig};
use session::ouch_client::OuchClient;
use session::soup_client::SoupConfig;
use venue::ouch::conversation;
use venue::{START_NS, Venue, config};

/// A conversation with some bytes changed, or any bytes at all.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6);
    let changed = changes.prop_map(|changes| {
        let mut bytes = conversation();
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        bytes
    });
    prop_oneof![3 => changed, 1 => prop::collection::vec(any::<u8>(), 0..300)]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 256,
        failure_persistence: None,
        ..Default::default()
    })]

    #[test]
    fn a_server_takes_any_bytes(bytes in bytes(), piece in 1..80_usize) {
        let mut venue = Venue::new(config());
        venue.entry.opened(1, venue.now_ns).unwrap();
        for part in bytes.chunks(piece) {
            // The ring is emptied each time, so that nothing holds bytes back for ever.
            prop_assert_eq!(venue.received(1, part), part.len());
            venue.run();
            venue.poll();
            venue.taken(1);
        }
        let closed = venue.entry.closing().is_some();
        prop_assert_eq!(venue.entry.connections(), usize::from(!closed));
        prop_assert_eq!(venue.entry.counters().replies_lost, 0);
        // The venue goes on: somebody else logs in.
        prop_assert_eq!(venue.login(2, "BETA", "hidden", 1)[2], b'A');
    }

    #[test]
    fn a_client_takes_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..300), cut in 0..33) {
        let mut client = OuchClient::new(SoupConfig::new("ALPHA", "secret"));
        client.soup().connected(START_NS);
        let mut venue = Venue::new(config());
        let mut said = venue.login(1, "ALPHA", "secret", 1);
        said.truncate(said.len() - cut as usize);
        said.extend(bytes);
        client.received(&said, START_NS, &mut |_| {});
        client.soup().poll(START_NS);
    }

    #[test]
    fn a_feed_takes_any_bytes(
        packets in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 0..20)
    ) {
        let mut receiver = Receiver::new(ReceiverConfig { sequence: 0, ..Default::default() });
        let mut publisher = Publisher::new(PublisherConfig::default()).unwrap();
        for packet in &packets {
            // Half of them with a count that can be right.
            let mut likely = packet.clone();
            if let Some(count) = likely.get_mut(18..20) {
                count.copy_from_slice(&[0, 0]);
            }
            for packet in [packet, &likely] {
                receiver.packet(packet, START_NS, &mut |_, _| {});
                let _ = (receiver.state(), receiver.poll(START_NS));
                publisher.request(packet, START_NS, &mut |_| true);
            }
        }
    }
}
