//! Bytes of a connection to packets, logins and commands.

use wire::Fault;
use wire::ouch::inbound::{AccountQuery, EnterOrder, Inbound, ReplaceOrder};
use wire::ouch::outbound::fields::AccountQueryResponse;
use wire::ring::Command;
use wire::soup::ClientPacket;

use super::connection::Connection;
use super::{Cause, Malformed, OrderEntry, orders};
use crate::DAY_NS;

/// The longest packet taken, type included: Enter Order with every optional element is shorter.
const PACKET_BYTES_MAX: usize = 512;

const _: () = assert!(PACKET_BYTES_MAX + 2 < super::INBOUND_BYTES_MIN);

/// What stands at the front of the bytes that came.
enum Front {
    /// A packet of so many bytes, behind its length.
    Whole(usize),
    /// A debug packet: so many bytes of text follow its head.
    Debug(usize),
    /// The packet is not all there.
    Part,
    /// No packet.
    Bad(Malformed),
}

fn front(bytes: &[u8]) -> Front {
    let Some(([high, low], rest)) = bytes.split_first_chunk() else {
        return Front::Part;
    };
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    match rest.first() {
        _ if length == 0 => Front::Bad(Malformed::PacketEmpty),
        Some(b'+') => Front::Debug(length - 1),
        Some(_) if length > PACKET_BYTES_MAX => Front::Bad(Malformed::PacketLong),
        Some(_) if rest.len() >= length => Front::Whole(length),
        _ => Front::Part,
    }
}

/// What became of a packet.
pub(super) enum Step {
    /// It was used: on to the next one.
    Taken,
    /// It was used, and nothing is read before its answer.
    Asked,
    /// It must wait until there is room elsewhere.
    Held,
    /// The connection must be closed.
    Close(Cause),
}

const fn malformed(what: Malformed) -> Step {
    Step::Close(Cause::Malformed(what))
}

pub(super) type Sink<'s> = &'s mut dyn FnMut(Command) -> bool;

impl OrderEntry {
    /// Reads a connection's packets until one must wait.
    pub(super) fn read(&mut self, slot: usize, now_ns: u64, sink: Sink<'_>) {
        let is_read = |one: &mut Box<Connection>| one.asked.is_none();
        let Some(mut connection) = self.connections[slot].take_if(is_read) else {
            return;
        };
        let mut inbound = core::mem::take(&mut connection.inbound);
        connection.held = false;
        let mut at = 0;
        while connection.cause.is_none() {
            let bytes = inbound.bytes();
            let skipped = connection.skip.min(bytes.len() - at);
            connection.skip -= skipped;
            at += skipped;
            let step = match front(&bytes[at..]) {
                Front::Part => break,
                Front::Debug(text) => {
                    at += 3;
                    connection.skip = text;
                    Step::Taken
                }
                Front::Bad(what) => malformed(what),
                Front::Whole(length) => {
                    let packet = &bytes[at + 2..at + 2 + length];
                    let step = self.packet(&mut connection, slot, packet, now_ns, sink);
                    if !matches!(step, Step::Held) {
                        at += 2 + length;
                    }
                    step
                }
            };
            match step {
                Step::Taken => {}
                Step::Asked => break,
                Step::Held => {
                    connection.held = true;
                    break;
                }
                Step::Close(cause) => self.shut(&mut connection, slot, cause, now_ns),
            }
        }
        inbound.advance(at);
        if connection.cause.is_some() {
            self.counters.bytes_unread += inbound.bytes().len() as u64;
            inbound.clear();
        }
        connection.inbound = inbound;
        self.connections[slot] = Some(connection);
        self.settle(slot, now_ns);
    }

    fn packet(
        &mut self,
        connection: &mut Connection,
        slot: usize,
        packet: &[u8],
        now_ns: u64,
        sink: Sink<'_>,
    ) -> Step {
        let packet = match ClientPacket::parse(packet) {
            Ok(packet) => packet,
            Err(error) if error.kind == b'L' => return malformed(Malformed::LoginLength),
            Err(_) => return malformed(Malformed::PacketUnknown),
        };
        match (packet, connection.session) {
            (ClientPacket::LoginRequest(request), None) => {
                self.login(connection, slot, &request, now_ns)
            }
            (ClientPacket::LoginRequest(_), Some(_)) => malformed(Malformed::LoginTwice),
            (_, None) => malformed(Malformed::LoginExpected),
            (ClientPacket::Heartbeat | ClientPacket::Debug(_), Some(_)) => Step::Taken,
            (ClientPacket::Logout, Some(_)) => Step::Close(Cause::LoggedOut),
            // A drop copy has no session in the engine.
            (ClientPacket::Unsequenced(_), Some(index)) if index >= self.members.len() => {
                malformed(Malformed::MessageUnknown)
            }
            (ClientPacket::Unsequenced(message), Some(index)) => {
                self.message(connection, index, message, now_ns, sink)
            }
        }
    }

    fn message(
        &mut self,
        connection: &mut Connection,
        index: usize,
        message: &[u8],
        now_ns: u64,
        sink: Sink<'_>,
    ) -> Step {
        let message = match Inbound::parse(message) {
            Ok(message) => message,
            Err(error) if matches!(error.fault, Fault::UnknownType | Fault::Empty) => {
                return malformed(Malformed::MessageUnknown);
            }
            Err(_) => return malformed(Malformed::MessageLength),
        };
        match message {
            Inbound::AccountQuery(AccountQuery { .. }) => self.query(connection, index, now_ns),
            Inbound::ModifyOrder(_) => {
                self.counters.modifies_ignored += 1;
                Step::Taken
            }
            Inbound::CancelOrder(order) => {
                let number = self.number_of_order(index, order.user_ref());
                let command = orders::cancel(&order, number);
                self.in_time(connection, index, (None, command), now_ns, sink)
            }
            Inbound::MassCancel(asked) => {
                let command = self.mass_cancel(index, &asked);
                self.in_time(connection, index, (None, command), now_ns, sink)
            }
            Inbound::EnterOrder(order) => {
                let commands = self.enter(index, &order, now_ns);
                self.in_time(connection, index, commands, now_ns, sink)
            }
            Inbound::ReplaceOrder(order) => {
                let commands = self.replace(index, &order, now_ns);
                self.in_time(connection, index, commands, now_ns, sink)
            }
        }
    }

    /// Hands on what comes no faster than it may.
    fn in_time(
        &mut self,
        connection: &mut Connection,
        index: usize,
        (extra, command): (Option<Command>, Command),
        now_ns: u64,
        sink: Sink<'_>,
    ) -> Step {
        if let Some(step) = self.throttle(connection, index, &command, now_ns) {
            return step;
        }
        if let Some(step) = self.repeated(connection, index, (extra.as_ref(), &command)) {
            if matches!(step, Step::Taken) {
                self.spend(index, &command, now_ns);
            }
            return step;
        }
        if let Some(step) = self.turn_away(connection, &command, now_ns) {
            return step;
        }
        if let Some(step) = self.forbid(connection, &command, now_ns) {
            return step;
        }
        let step = self.command(index, extra, command, sink);
        if matches!(step, Step::Taken) {
            self.spend(index, &command, now_ns);
        } else {
            self.counters.held_back += 1;
        }
        step
    }

    fn spend(&mut self, index: usize, command: &Command, now_ns: u64) {
        let rate = &self.members[index].rate;
        self.sessions[index].throttle.spend(rate, command, now_ns);
    }

    /// The answer goes unsequenced: it is no event, and a replay of the journal must not need it.
    /// From the number on that it names, what was refused is forgotten: the next order is no repeat
    /// of one that an earlier client made.
    fn query(&mut self, connection: &mut Connection, index: usize, now_ns: u64) -> Step {
        let next_user_ref = self.sessions[index].user_ref_next();
        let answer = AccountQueryResponse {
            timestamp: now_ns % DAY_NS,
            next_user_ref,
        };
        let mut message = [0; 13];
        let written = answer.encode(&mut message).is_ok();
        if written && connection.control_fits() && connection.control(b'U', &message) {
            self.sessions[index].answers.free(next_user_ref);
            return Step::Taken;
        }
        Step::Held
    }

    fn enter(
        &self,
        index: usize,
        order: &EnterOrder<'_>,
        now_ns: u64,
    ) -> (Option<Command>, Command) {
        let symbol = self.symbols.number(order.symbol());
        let number = self.number_new(index, order.tags());
        let session = number.unwrap_or(number_of(index));
        let mut command = orders::new_order(order, session, symbol);
        let firm = self.members[index].firm;
        let extra = orders::extra(&mut command, order.tags(), firm, now_ns);
        orders::unless_refused(number.err(), extra, command)
    }

    fn replace(
        &self,
        index: usize,
        order: &ReplaceOrder<'_>,
        now_ns: u64,
    ) -> (Option<Command>, Command) {
        let cross_type = self.sessions[index].cross_type_of(order.old_user_ref());
        let number = self.number_kept(index, order.old_user_ref(), order.tags());
        let session = number.unwrap_or(number_of(index));
        let mut command = orders::replace(order, session, cross_type);
        let firm = self.members[index].firm;
        let extra = orders::extra(&mut command, order.tags(), firm, now_ns);
        orders::unless_refused(number.err(), extra, command)
    }

    /// Hands a command to the sink, behind its `Extra` if it has one.
    fn command(
        &mut self,
        index: usize,
        extra: Option<Command>,
        command: Command,
        sink: Sink<'_>,
    ) -> Step {
        let session = &self.sessions[index];
        let has_room = session.echo_fits();
        if !has_room || !self.pay(index, sink) || !self.presence_known(index, sink) {
            return Step::Held;
        }
        if let Some(extra) = extra {
            if !self.give(index, extra, sink) {
                return Step::Held;
            }
            // From here on the order must follow, whatever becomes of the connection: the engine
            // would take the `Extra` for that of another order.
            self.sessions[index].owed = Some(command);
            self.owing.insert(index);
            self.pay(index, sink);
            return Step::Taken;
        }
        if self.give(index, command, sink) {
            Step::Taken
        } else {
            Step::Held
        }
    }

    /// Hands on the order whose `Extra` is gone already; whether nothing is owed any more.
    ///
    /// A journal that ends behind an `Extra` leaves one without its order: an order without
    /// anything in it takes that place, so that the member is told and the next order is not
    /// refused for it.
    pub(super) fn pay(&mut self, index: usize, sink: Sink<'_>) -> bool {
        let session = &self.sessions[index];
        let stray = || session.extra.as_ref().map(orders::stand_in);
        let Some(order) = session.owed.or_else(stray) else {
            return true;
        };
        let paid = self.give(index, order, sink);
        if paid {
            self.sessions[index].owed = None;
            self.owing.put(index, self.sessions[index].owes());
        }
        paid
    }

    fn give(&mut self, index: usize, command: Command, sink: Sink<'_>) -> bool {
        let taken = sink(command);
        if taken {
            self.counters.commands += 1;
            self.note(index, &command);
        }
        taken
    }
}

/// Session number of a member; the list of members is short enough.
pub(super) const fn number_of(index: usize) -> u16 {
    index as u16 + 1
}

const _: () = assert!(super::MEMBERS_MAX < u16::MAX as usize);
