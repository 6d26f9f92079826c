//! The redirect program: the rule in eBPF, as long as the rule needs.
//!
//! Kept registers: r6 the context, r7 the frame's start, r8 scratch, r9 what metadata is present.

use crate::asm::{Assembler, Instruction, Label, When, Width};
use crate::metadata::{
    RX_BYTES, RX_HAS_HASH, RX_HAS_TIMESTAMP, RX_HAS_VLAN, RX_HASH_AT, RX_HASH_KIND_AT, RX_MAGIC,
    RX_MAGIC_AT, RX_PRESENT_AT, RX_TIMESTAMP_AT, RX_VLAN_AT,
};
use crate::rule::Rule;

/// What the program refers to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct References {
    /// Descriptors of the maps.
    pub ports: i32,
    pub addresses: i32,
    pub sockets: i32,
    /// BTF ids of the kernel's functions for timestamp, hash and VLAN tag, if metadata is wanted.
    pub metadata: Option<[u32; 3]>,
}

const XDP_PASS: i32 = 2;
const MAP_LOOKUP: i32 = 1;
const REDIRECT_MAP: i32 = 51;
const ADJUST_META: i32 = 54;

/// Fields of `struct xdp_md`.
const CONTEXT_DATA: i16 = 0;
const CONTEXT_DATA_END: i16 = 4;
const CONTEXT_DATA_META: i16 = 8;
const CONTEXT_QUEUE: i16 = 16;

const TYPE_AT: i16 = 12;
const VLAN_TAG_BYTES: i16 = 4;
const TYPE_IPV4: u16 = 0x0800;
const TYPE_ARP: u16 = 0x0806;
const TYPE_VLAN: u16 = 0x8100;
const VLAN_ID_MASK: u16 = 0x0fff;
/// More-fragments flag and fragment offset.
const FRAGMENT_MASK: u16 = 0x3fff;
/// IPv4 header without options and UDP header; also an ARP message for IPv4 over Ethernet.
const BEHIND_TYPE_BYTES: i16 = 28;

/// The number whose bytes in memory are those of `value` in a frame.
fn wire(value: u16) -> i32 {
    i32::from(value.to_be())
}

/// Where the kernel finds a port: the protocol above the bytes of the port as in a frame.
pub(crate) fn port_key(protocol: u8, port: u16) -> u32 {
    u32::from(protocol) << 16 | u32::from(port.to_be())
}

/// The program for `rule`.
pub(crate) fn assemble(rule: &Rule, references: References) -> Vec<Instruction> {
    let mut asm = Assembler::default();
    let (ours, pass) = (asm.label(), asm.label());
    asm.copy(6, 1);
    if !rule.everything {
        let header = open_frame(&mut asm, rule, pass);
        check_mac(&mut asm, rule, pass);
        let arp = asm.label();
        asm.load(Width::Half, 5, 7, header - 2);
        if rule.arp {
            asm.jump_when(When::WordEqual, 5, wire(TYPE_ARP), arp);
        }
        asm.jump_when(When::WordUnequal, 5, wire(TYPE_IPV4), pass);
        check_ipv4(&mut asm, header, pass);
        if !rule.addresses.is_empty() {
            check_address(&mut asm, references, header + 16, pass);
        }
        check_port(&mut asm, references, header, pass);
        asm.jump(ours);
        asm.place(arp);
        if rule.arp {
            check_address(&mut asm, references, header + 24, pass);
        }
    }
    asm.place(ours);
    if let Some(functions) = references.metadata {
        write_metadata(&mut asm, functions, pass);
    }
    // With the fallback that queues without a socket reach the kernel instead of being dropped.
    asm.load_map(1, references.sockets);
    asm.load(Width::Word, 2, 6, CONTEXT_QUEUE);
    asm.set(3, XDP_PASS);
    asm.call(REDIRECT_MAP);
    asm.exit();
    if asm.leads_to(pass) {
        asm.place(pass);
        asm.set(0, XDP_PASS);
        asm.exit();
    }
    asm.finish()
}

/// Checks the length and the VLAN tag; returns where the header behind the Ethernet one starts.
fn open_frame(asm: &mut Assembler, rule: &Rule, pass: Label) -> i16 {
    let header = TYPE_AT + 2 + rule.vlan.map_or(0, |_| VLAN_TAG_BYTES);
    asm.load(Width::Word, 7, 6, CONTEXT_DATA);
    asm.load(Width::Word, 3, 6, CONTEXT_DATA_END);
    asm.copy(4, 7);
    asm.add(4, i32::from(header + BEHIND_TYPE_BYTES));
    asm.jump_if_greater(4, 3, pass);
    if let Some(id) = rule.vlan {
        asm.load(Width::Half, 5, 7, TYPE_AT);
        asm.jump_when(When::WordUnequal, 5, wire(TYPE_VLAN), pass);
        asm.load(Width::Half, 5, 7, TYPE_AT + 2);
        asm.and(5, wire(VLAN_ID_MASK));
        asm.jump_when(When::WordUnequal, 5, wire(id & VLAN_ID_MASK), pass);
    }
    header
}

fn check_mac(asm: &mut Assembler, rule: &Rule, pass: Label) {
    let Some([a, b, c, d, e, f]) = rule.mac else {
        return;
    };
    let group = asm.label();
    asm.load(Width::Byte, 5, 7, 0);
    asm.and(5, 1);
    asm.jump_when(When::WordEqual, 5, 1, group);
    asm.load(Width::Half, 5, 7, 0);
    asm.jump_when(
        When::WordUnequal,
        5,
        u16::from_ne_bytes([a, b]).into(),
        pass,
    );
    asm.load(Width::Word, 5, 7, 2);
    asm.jump_when(When::WordUnequal, 5, i32::from_ne_bytes([c, d, e, f]), pass);
    asm.place(group);
}

/// Version 4, no options, no fragment.
fn check_ipv4(asm: &mut Assembler, header: i16, pass: Label) {
    asm.load(Width::Byte, 5, 7, header);
    asm.jump_when(When::WordUnequal, 5, 0x45, pass);
    asm.load(Width::Half, 5, 7, header + 6);
    asm.and(5, wire(FRAGMENT_MASK));
    asm.jump_when(When::WordUnequal, 5, 0, pass);
}

/// The four bytes at `at` are an address of ours.
fn check_address(asm: &mut Assembler, references: References, at: i16, pass: Label) {
    asm.load(Width::Half, 5, 7, at); // by halves: the frame may start at an odd place
    asm.load(Width::Half, 4, 7, at + 2);
    asm.store(Width::Half, 10, -4, 5);
    asm.store(Width::Half, 10, -2, 4);
    check_key(asm, references.addresses, pass);
}

/// Protocol and destination port are in the map.
fn check_port(asm: &mut Assembler, references: References, header: i16, pass: Label) {
    asm.load(Width::Byte, 5, 7, header + 9);
    asm.shift_left(5, 16);
    asm.load(Width::Half, 4, 7, header + 22);
    asm.or(5, 4);
    asm.store(Width::Word, 10, -4, 5);
    check_key(asm, references.ports, pass);
}

/// The key on the stack is in the map.
fn check_key(asm: &mut Assembler, map: i32, pass: Label) {
    asm.load_map(1, map);
    asm.copy(2, 10);
    asm.add(2, -4);
    asm.call(MAP_LOOKUP);
    asm.jump_when(When::Equal, 0, 0, pass);
}

/// Asks the driver and writes its answers before the frame.
fn write_metadata(asm: &mut Assembler, functions: [u32; 3], pass: Label) {
    /// On the stack: timestamp; hash and its kind; VLAN protocol and tag.
    const TIMESTAMP: i16 = -16;
    const HASH: i16 = -24;
    const HASH_KIND: i16 = -20;
    const VLAN: i16 = -32;
    const VLAN_TAG: i16 = -30;
    asm.copy(1, 6);
    asm.set(2, -(RX_BYTES as i32));
    asm.call(ADJUST_META);
    asm.jump_when(When::WordUnequal, 0, 0, pass);
    for place in [TIMESTAMP, HASH, VLAN] {
        asm.store_value(Width::Double, 10, place, 0);
    }
    asm.set(9, 0);
    let answers = [
        (functions[0], TIMESTAMP, None, RX_HAS_TIMESTAMP),
        (functions[1], HASH, Some(HASH_KIND), RX_HAS_HASH),
        (functions[2], VLAN, Some(VLAN_TAG), RX_HAS_VLAN),
    ];
    for (function, first, second, flag) in answers {
        let absent = asm.label();
        asm.copy(1, 6);
        for (register, place) in [(2, Some(first)), (3, second)] {
            if let Some(place) = place {
                asm.copy(register, 10);
                asm.add(register, i32::from(place));
            }
        }
        asm.call_kernel(function);
        asm.jump_when(When::WordUnequal, 0, 0, absent);
        asm.or_value(9, flag);
        asm.place(absent);
    }
    asm.load(Width::Word, 7, 6, CONTEXT_DATA_META);
    asm.load(Width::Word, 2, 6, CONTEXT_DATA);
    asm.copy(4, 7);
    asm.add(4, RX_BYTES as i32);
    asm.jump_if_greater(4, 2, pass);
    let moves = [
        (Width::Double, TIMESTAMP, RX_TIMESTAMP_AT),
        (Width::Word, HASH, RX_HASH_AT),
        (Width::Word, HASH_KIND, RX_HASH_KIND_AT),
        (Width::Word, VLAN, RX_VLAN_AT),
    ];
    for (width, from, to) in moves {
        asm.load(width, 5, 10, from);
        asm.store(width, 7, to, 5);
    }
    asm.store(Width::Word, 7, RX_PRESENT_AT, 9);
    asm.store_value(Width::Word, 7, RX_MAGIC_AT, RX_MAGIC as i32);
}
