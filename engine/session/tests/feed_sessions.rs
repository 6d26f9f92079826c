//! A subscriber follows a change of the session when both lines say so, and not before.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod ear;

use ear::{START_NS, packets_of, publisher};
use session::SECOND_NS;
use session::feed::{Fed, Lines, LinesConfig, PublisherConfig, Received, Want, Way};

fn day(session: &[u8; 10]) -> Vec<Vec<u8>> {
    let mut publisher = publisher(PublisherConfig {
        session: *session,
        ..PublisherConfig::default()
    });
    packets_of(&mut publisher, 3, 2)
}

/// A receiver and what it handed on, a session's beginning as 0.
struct Desk {
    lines: Lines,
    heard: Vec<u64>,
}

impl Desk {
    fn new(config: LinesConfig) -> Self {
        Self {
            lines: Lines::new(config, START_NS),
            heard: Vec::new(),
        }
    }

    fn hear(&mut self, way: Way, packet: &[u8]) -> Received {
        let heard = &mut self.heard;
        self.lines.packet(way, packet, START_NS, &mut |fed| {
            heard.push(match fed {
                Fed::Begin(_) => 0,
                Fed::Message(sequence, _) => sequence,
            });
        })
    }
}

#[test]
fn one_line_alone_cannot_change_the_session() {
    let (monday, tuesday) = (day(b"MONDAY    "), day(b"TUESDAY   "));
    let mut desk = Desk::new(LinesConfig::default());
    assert_eq!(desk.hear(Way::Line(0), &monday[0]), Received::Messages(3));
    desk.hear(Way::Line(1), &monday[1]);
    for packet in &tuesday {
        assert_eq!(desk.hear(Way::Line(1), packet), Received::OtherSession);
    }
    assert_eq!(desk.hear(Way::Line(0), &monday[2]), Received::Messages(2));
    assert_eq!(desk.lines.session(), Some(*b"MONDAY    "));
    // The other line says so too: what it says counts at once, the rest is to be asked for.
    assert_eq!(desk.hear(Way::Line(0), &tuesday[0]), Received::Messages(3));
    assert_eq!(desk.lines.session(), Some(*b"TUESDAY   "));
    assert_eq!(desk.hear(Way::Line(1), &monday[2]), Received::OtherSession);
    assert_eq!(desk.hear(Way::Line(0), &monday[2]), Received::OtherSession);
    assert_eq!(
        desk.lines.session(),
        Some(*b"TUESDAY   "),
        "yesterday is over"
    );
    assert_eq!(desk.heard, [0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3]);
    assert_eq!(desk.lines.counters_by(Way::Line(1)).other_session, 4);
}

#[test]
fn one_line_and_the_snapshot_server_can() {
    let (monday, tuesday) = (day(b"MONDAY    "), day(b"TUESDAY   "));
    let config = LinesConfig {
        has_snapshots: true,
        ..LinesConfig::default()
    };
    let mut desk = Desk::new(config);
    for packet in &monday {
        desk.hear(Way::Line(0), packet);
        desk.hear(Way::Line(1), packet);
    }
    desk.hear(Way::Line(1), &tuesday[0]);
    assert_eq!(desk.lines.poll(START_NS), Want::Nothing);
    let later_ns = START_NS + SECOND_NS;
    assert_eq!(desk.lines.poll(later_ns), Want::Snapshot);
    let mut ignore = |_: Fed<'_>| ();
    let other = desk.lines.splice(*b"WEDNESDAY ", 4, later_ns, &mut ignore);
    assert!(!other, "no line ever named it");
    assert_eq!(desk.lines.session(), Some(*b"MONDAY    "));
    desk.hear(Way::Line(1), &tuesday[1]);
    assert_eq!(
        desk.lines.poll(later_ns),
        Want::Nothing,
        "not at once again"
    );
    assert_eq!(desk.lines.poll(later_ns + SECOND_NS), Want::Snapshot);
    let is_taken = desk.lines.splice(*b"TUESDAY   ", 6, later_ns, &mut ignore);
    assert!(is_taken);
    assert_eq!(desk.hear(Way::Line(1), &tuesday[2]), Received::Messages(2));
    assert_eq!(desk.lines.session(), Some(*b"TUESDAY   "));
}

#[test]
fn no_bytes_of_a_stranger_break_the_lines() {
    let packet = day(b"MONDAY    ").remove(0);
    for at in 0..packet.len() {
        for value in [0, 1, 0x7F, 0xFF] {
            let mut bytes = packet.clone();
            bytes[at] = value;
            let mut desk = Desk::new(LinesConfig {
                has_snapshots: true,
                ..LinesConfig::default()
            });
            desk.hear(Way::Line(0), &packet);
            desk.hear(Way::Line(1), &bytes);
            desk.hear(Way::Line(1), &bytes[..at]);
            for second in 0..4 {
                let now_ns = START_NS + second * SECOND_NS;
                if desk.lines.poll(now_ns) == Want::Snapshot {
                    desk.lines.splice_not(now_ns);
                }
            }
        }
    }
}
