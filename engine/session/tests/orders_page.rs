//! The page that tells members what they can ask for, against what the gate takes.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod venue;

use venue::ouch::{enter, with_tags};
use venue::{Venue, config};
use wire::ouch::inbound::fields::EnterOrder;
use wire::ouch::{Tag, TagRow, Tags};
use wire::ring::CommandKind;

/// Whether any of some values of an element is taken.
fn is_taken(row: &TagRow) -> bool {
    let values = ["Y", "P", "R", "AAAA", "\0\0\0\x01", "\0\0\0\0\0\0\0\x01"];
    let values = values.iter().filter(|value| value.len() == row.bytes);
    values.map(|value| value.as_bytes()).any(|value| {
        let element = [&[row.bytes as u8 + 1, row.tag], value].concat();
        let tags: Vec<Tag<'_>> = Tags::parse(&element).unwrap().collect();
        let is_peg = row.name == "PegOffset";
        let peg = is_peg.then_some(Tag::PriceType(b'R'));
        let tags: Vec<Tag<'_>> = tags.into_iter().chain(peg).collect();
        let order = if row.name == "ExpireTime" {
            EnterOrder {
                time_in_force: b'6',
                ..enter(1, b'B', 100, 5_000)
            }
        } else {
            enter(1, b'B', 100, 5_000)
        };
        let mut venue = Venue::new(config());
        venue.login(1, "ALPHA", "secret", 1);
        venue.received(1, &with_tags(&order, &tags));
        let found = &venue.ring;
        found
            .iter()
            .all(|it| it.kind != CommandKind::Extra as u8 || it.client_id[0] == 0)
    })
}

#[test]
fn the_page_about_orders_names_the_elements_that_are_taken() {
    let page = include_str!("../../../docs/orders.md");
    let (members, _) = page.split_once("## The venue").unwrap();
    let mut taken = 0;
    for row in Tag::TABLE {
        let words = format!("tag {} {}", row.tag, row.name);
        assert_eq!(members.contains(&words), is_taken(row), "{words}");
        taken += usize::from(is_taken(row));
    }
    assert_eq!(taken, 12);
}
