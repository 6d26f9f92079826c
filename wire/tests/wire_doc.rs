//! `docs/wire.md` says what the tables say.
//!
//! The page is made from the tables; `WIRE_DOC_WRITE=1 cargo test -p wire --test wire_doc` writes
//! it anew after a table changed.
#![allow(clippy::unwrap_used, reason = "a test that unwraps fails as it should")]

use std::fmt::Write as _;
use std::mem::{offset_of, size_of};

use wire::ring::{Command, CommandKind, Event, EventKind, Input, Reason, Side, TimeInForce};
use wire::{FieldRow, MessageRow, depth, drop_copy, glimpse, itch, mold, ouch, soup};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/wire.md");

const OPENING: &str = "\
# Every byte that crosses a thread or a cable

Made from the tables of the crate `wire`, and compared with them by its tests; do not edit.
`WIRE_DOC_WRITE=1 cargo test -p wire --test wire_doc` writes it anew.

Kinds of fields. On cables integers are big-endian, in rings little-endian.

| kind | bytes | what |
|---|---|---|
| letter | 1 | an ASCII letter |
| u8, u16, u32, u48, u64 | 1, 2, 4, 6, 8 | unsigned integer |
| i32, i64 | 4, 8 | signed integer, two's complement |
| price4 | 4 | unsigned, 1/10,000 of the currency |
| price8 | 8 | unsigned, 1/100,000,000 of the currency |
| price | 8 | unsigned, 1/10,000 of the currency |
| alphaN | N | ASCII, left-justified, padded with spaces |
";

fn fields(page: &mut String, rows: &[FieldRow]) {
    page.push_str("\n| offset | bytes | field | kind | meaning |\n|---|---|---|---|---|\n");
    for row in rows {
        let FieldRow {
            offset,
            bytes,
            name,
            kind,
            meaning,
        } = row;
        writeln!(
            page,
            "| {offset} | {bytes} | {name} | {kind} | {} |",
            meaning.trim()
        )
        .unwrap();
    }
}

fn messages(page: &mut String, rows: &[MessageRow]) {
    for row in rows {
        let letter = row.kind as char;
        let tail = if row.tagged { " and its appendage" } else { "" };
        writeln!(
            page,
            "\n### `{letter}` {}: {} bytes{tail}\n",
            row.name, row.bytes
        )
        .unwrap();
        writeln!(page, "{}", row.meaning.trim()).unwrap();
        let first = FieldRow {
            offset: 0,
            bytes: 1,
            name: "type",
            kind: "letter",
            meaning: "As above.",
        };
        let all: Vec<FieldRow> = std::iter::once(first)
            .chain(row.fields.iter().copied())
            .collect();
        fields(page, &all);
    }
}

fn itch_section(page: &mut String) {
    page.push_str(
        "\n## ITCH 5.0\n\nThe timestamp is nanoseconds since midnight. A reader skips a message of \
         unknown type by the\nlength that its framing says.\n",
    );
    messages(page, itch::Message::TABLE);
}

fn ouch_section(page: &mut String) {
    page.push_str("\n## OUCH 5.0, inbound\n\nFrom the member, unsequenced in SoupBinTCP.\n");
    messages(page, ouch::Inbound::TABLE);
    page.push_str("\n## OUCH 5.0, outbound\n\nFrom the exchange, sequenced in SoupBinTCP.\n");
    messages(page, ouch::Outbound::TABLE);
    page.push_str(
        "\n## OUCH 5.0, appendage\n\nElements `length: u8, tag: u8, value`; the length counts tag \
         and value. A known tag has the size of\nits kind, an unknown one is kept as it is. Tags \
         from 128 on are this venue's own: OUCH has none for what\nthey say. \
         [orders.md](orders.md) says which elements the venue takes, and for what.\n\n\
         | tag | bytes | element | kind | meaning |\n|---|---|---|---|---|\n",
    );
    for row in ouch::Tag::TABLE {
        let ouch::TagRow {
            tag,
            bytes,
            name,
            kind,
            meaning,
        } = row;
        writeln!(
            page,
            "| {tag} | {bytes} | {name} | {kind} | {} |",
            meaning.trim()
        )
        .unwrap();
    }
}

fn packets(page: &mut String, rows: &[soup::PacketRow]) {
    page.push_str("\n| type | packet | length | meaning |\n|---|---|---|---|\n");
    for row in rows {
        let letter = row.kind as char;
        let length = row
            .length
            .map_or("1 and the payload".to_owned(), |n| n.to_string());
        writeln!(
            page,
            "| `{letter}` | {} | {length} | {} |",
            row.name,
            row.meaning.trim()
        )
        .unwrap();
    }
}

fn soup_section(page: &mut String) {
    writeln!(
        page,
        "\n## SoupBinTCP 3.00\n\nA packet is `length: u16, type: u8, payload`; the length counts \
         type and payload, which has at most\n{} bytes. Offsets count from the type byte. Text may \
         be padded on either side.\n\nFrom the client:",
        soup::PAYLOAD_BYTES_MAX
    )
    .unwrap();
    packets(page, soup::ClientPacket::TABLE);
    page.push_str("\nFrom the server:\n");
    packets(page, soup::ServerPacket::TABLE);
    messages(page, soup::login::Login::TABLE);
}

fn mold_section(page: &mut String) {
    page.push_str(
        "\n## MoldUDP64 1.00\n\nA downstream packet is this header and `count` blocks \
         `length: u16, message`. A request for lost\nmessages is the header alone.\n",
    );
    fields(page, &mold::HEADER_ROWS);
    page.push_str(
        "\n## BinaryFILE\n\nRecords `length: u16, message`. A length of 0 ends session and file; \
         bytes after it are an error.\n",
    );
}

fn own_sections(page: &mut String) {
    page.push_str(
        "\n## Depth\n\nOur own, in MoldUDP64. After each input of the engine: a Level for each \
         level whose shown units or\norders are others now, then a Top for each symbol whose best \
         prices, or units there, are others now.\nMarket orders, which only rest while an auction \
         is called, stand at 200,000.0000 to buy, at 0 to sell.\n",
    );
    messages(page, depth::Message::TABLE);
    page.push_str(
        "\n## GLIMPSE\n\nA snapshot, sequenced in SoupBinTCP: ITCH messages that say how things \
         are, then the one below. The\nfeed's messages from its number on complete it.\n",
    );
    messages(page, glimpse::Message::TABLE);
    page.push_str(
        "\n## Drop copy\n\nOur own, sequenced in SoupBinTCP, with OUCH's system event at both \
         ends of the day. One message for\neach reply to the sessions of the accounts that a \
         login watches.\n",
    );
    messages(page, drop_copy::Message::TABLE);
}

macro_rules! ring_rows {
    ($type:ident { $($field:ident: $kind:literal, $bytes:literal, $meaning:literal;)+ }) => {
        [$(FieldRow {
            offset: offset_of!($type, $field),
            bytes: $bytes,
            name: stringify!($field),
            kind: $kind,
            meaning: $meaning,
        }),+]
    };
}

fn command_rows() -> [FieldRow; 13] {
    ring_rows!(Command {
        kind: "u8", 1, "A command kind.";
        side: "u8", 1, "A side.";
        time_in_force: "u8", 1, "A time in force.";
        flags: "u8", 1, "A code; of an Extra 1 post-only, 2 slide, 4 hidden, 8 whole, 16 to-limit.";
        symbol: "u16", 2, "Number of the symbol, from 1; 0 for one that is not listed.";
        session: "u16", 2, "Number of the session, from 1.";
        user_ref: "u32", 4, "The member's number of the order.";
        old_user_ref: "u32", 4, "The order that a replacement replaces.";
        quantity: "u32", 4, "Units.";
        letters: "alpha4", 4, "OUCH display, capacity, intermarket sweep, cross type.";
        price: "i64", 8, "Limit price in 1/10,000, or 2,000,000,000 for any.";
        client_id: "alpha14", 14, "The member's own text.";
        wire_letters: "alpha2", 2, "OUCH side and time in force.";
    })
}

fn event_rows() -> [FieldRow; 13] {
    ring_rows!(Event {
        kind: "u8", 1, "An event kind.";
        side: "u8", 1, "The order's side.";
        reason: "u8", 1, "A reason.";
        flags: "u8", 1, "1 maker, 2 booked, 4 last, 8 hidden, 16 old hidden, 32 parked, 64 cross.";
        symbol: "u16", 2, "Number of the symbol.";
        session: "u16", 2, "The session whose order it is.";
        user_ref: "u32", 4, "The member's number of the order.";
        old_user_ref: "u32", 4, "The order that was replaced.";
        quantity: "u32", 4, "Units this event is about.";
        leaves: "u32", 4, "Units that are left.";
        price: "i64", 8, "Price of the order or of the trade, in 1/10,000.";
        order_ref: "u64", 8, "The engine's number of the order.";
        related: "u64", 8, "Match number, the number before, a name, or units held back.";
    })
}

fn input_rows() -> [FieldRow; 3] {
    ring_rows!(Input {
        sequence: "u64", 8, "Position in the sequence, from 1.";
        time_ns: "u64", 8, "Nanoseconds since the Unix epoch.";
        command: "Command", 48, "What is asked.";
    })
}

fn codes(page: &mut String, title: &str, codes: impl Iterator<Item = (u8, String)>) {
    let list: Vec<String> = codes.map(|(code, name)| format!("{code} {name}")).collect();
    writeln!(page, "\n{title}:").unwrap();
    for line in list.chunks(6) {
        writeln!(page, "- {}", line.join(", ")).unwrap();
    }
}

fn ring_section(page: &mut String) {
    page.push_str(
        "\n## Ring messages\n\nA slot is 64 bytes: `stamp: u64, body: 48 bytes, sequence: u64`. \
         Between threads of one machine, so\nlittle-endian.\n\n### Command: 48 bytes\n",
    );
    fields(page, &command_rows());
    page.push_str("\n### Event: 48 bytes\n");
    fields(page, &event_rows());
    page.push_str("\n### Input: 64 bytes\n\nWhat the journal keeps.\n");
    fields(page, &input_rows());
    let name = |code: &dyn std::fmt::Debug| format!("{code:?}");
    codes(
        page,
        "Command kinds",
        CommandKind::ALL.iter().map(|c| (*c as u8, name(c))),
    );
    codes(
        page,
        "Event kinds",
        EventKind::ALL.iter().map(|c| (*c as u8, name(c))),
    );
    codes(
        page,
        "Reasons",
        Reason::ALL.iter().map(|c| (*c as u8, name(c))),
    );
    codes(
        page,
        "Times in force",
        TimeInForce::ALL.iter().map(|c| (*c as u8, name(c))),
    );
    codes(
        page,
        "Sides",
        [Side::Buy, Side::Sell].iter().map(|c| (*c as u8, name(c))),
    );
}

fn page() -> String {
    let mut page = OPENING.to_owned();
    itch_section(&mut page);
    ouch_section(&mut page);
    soup_section(&mut page);
    mold_section(&mut page);
    own_sections(&mut page);
    ring_section(&mut page);
    page
}

#[test]
fn the_page_says_what_the_tables_say() {
    let made = page();
    if std::env::var_os("WIRE_DOC_WRITE").is_some() {
        std::fs::write(PAGE, &made).unwrap();
    }
    let kept = std::fs::read_to_string(PAGE).unwrap_or_default();
    for (number, (kept, made)) in kept.lines().zip(made.lines()).enumerate() {
        assert_eq!(
            kept,
            made,
            "docs/wire.md:{}: write it anew, see its head",
            number + 1
        );
    }
    assert_eq!(
        kept.len(),
        made.len(),
        "docs/wire.md: write it anew, see its head"
    );
}

#[test]
fn ring_rows_leave_no_byte_out() {
    let ends = |rows: &[FieldRow]| {
        rows.iter().fold(0, |end, row| {
            assert_eq!(row.offset, end, "{}", row.name);
            end + row.bytes
        })
    };
    assert_eq!(ends(&command_rows()), size_of::<Command>());
    assert_eq!(ends(&event_rows()), size_of::<Event>());
    assert_eq!(ends(&input_rows()), size_of::<Input>());
}
