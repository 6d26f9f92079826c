//! The member of the venue bench: one message at a time over a kernel socket that spins.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use quanta::Clock;
use session::ouch_client::{OuchClient, Reply};
use session::soup_client::{ClientState, SoupConfig};
use wire::ouch::Outbound;
use wire::ouch::inbound::fields::{CancelOrder, EnterOrder};

use crate::BenchError;
use crate::stats::Samples;
use crate::threads::Stop;

/// Longest message or answer, with its packet's head.
const PACKET_BYTES_MAX: usize = 256;

/// Says whether bytes that came end the answer to message `number`.
pub trait Judge {
    /// Told all bytes in order.
    fn is_answered(&mut self, number: u32, bytes: &[u8]) -> Result<bool, BenchError>;
}

/// The bytes of message `number`, from 1: odd ones enter an order that rests, even ones take it off
/// the book again.
pub fn message(number: u32) -> Result<Vec<u8>, BenchError> {
    let user_ref = number.div_ceil(2);
    let mut packet = [0; PACKET_BYTES_MAX];
    let written = wire::soup::unsequenced(&mut packet, |out| {
        if number.is_multiple_of(2) {
            return CancelOrder {
                user_ref,
                quantity: 0,
            }
            .encode(out);
        }
        let order = EnterOrder {
            user_ref,
            side: b'B',
            quantity: 100,
            symbol: wire::padded("AAPL"),
            price: 1_500_000 - u64::from(number % 64) * 100,
            time_in_force: b'0',
            display: b'Y',
            capacity: b'P',
            intermarket_sweep: b'N',
            cross_type: b'N',
            client_id: [b' '; 14],
        };
        order.encode_with(std::iter::empty(), out)
    });
    let bytes = written.map_err(|error| BenchError::failed("writing an order", error))?;
    Ok(packet[..bytes].to_vec())
}

/// Connects, without waiting for anything else.
pub fn dial(to: SocketAddr) -> Result<TcpStream, BenchError> {
    let dialled = || -> io::Result<TcpStream> {
        let stream = TcpStream::connect(to)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        Ok(stream)
    };
    dialled().map_err(|error| BenchError::failed("connecting", error))
}

/// Sends message after message, each `pace` after the last one or when that was answered, whichever
/// is later; gives the times from the write to the read of the answer's last byte.
pub fn converse(
    stop: &Stop,
    stream: &mut TcpStream,
    (from, count): (u32, u32),
    pace: Duration,
    judge: &mut impl Judge,
) -> Result<Samples, BenchError> {
    let clock = Clock::new();
    let mut times = Samples::new();
    let mut due = Instant::now();
    for number in from..from + count {
        let bytes = message(number)?;
        stop.wait(|| (Instant::now() >= due).then_some(()))?;
        due = Instant::now() + pace;
        let start = clock.raw();
        write(stop, stream, &bytes)?;
        loop {
            let (answer, length) = read(stop, stream)?;
            let end = clock.raw();
            if judge.is_answered(number, &answer[..length])? {
                times.push(clock.delta_as_nanos(start, end) * 1_000);
                break;
            }
        }
    }
    Ok(times)
}

fn write(stop: &Stop, stream: &mut TcpStream, mut bytes: &[u8]) -> Result<(), BenchError> {
    stop.wait(|| match stream.write(bytes) {
        Ok(count) => {
            bytes = &bytes[count..];
            bytes.is_empty().then_some(Ok(()))
        }
        Err(error) if error.kind() == ErrorKind::WouldBlock => None,
        Err(error) => Some(Err(BenchError::failed("writing", error))),
    })?
}

fn read(
    stop: &Stop,
    stream: &mut TcpStream,
) -> Result<([u8; PACKET_BYTES_MAX], usize), BenchError> {
    let mut bytes = [0; PACKET_BYTES_MAX];
    let length = stop.wait(|| match stream.read(&mut bytes) {
        Ok(0) => Some(Err(BenchError::Failed("the server closed".to_string()))),
        Ok(length) => Some(Ok(length)),
        Err(error) if error.kind() == ErrorKind::WouldBlock => None,
        Err(error) => Some(Err(BenchError::failed("reading", error))),
    })??;
    Ok((bytes, length))
}

/// An echo's answer is the message.
#[derive(Default)]
pub struct Echoed(Vec<u8>);

impl Judge for Echoed {
    fn is_answered(&mut self, number: u32, bytes: &[u8]) -> Result<bool, BenchError> {
        self.0.extend_from_slice(bytes);
        let expected = message(number)?;
        if !expected.starts_with(&self.0) {
            let what = format!("message {number} came back as {:x?}", self.0);
            return Err(BenchError::WrongAnswer(what));
        }
        let is_whole = self.0.len() == expected.len();
        if is_whole {
            self.0.clear();
        }
        Ok(is_whole)
    }
}

/// A member that is logged in: a venue's answer is the reply to the order.
pub struct Member(OuchClient);

impl Member {
    /// Logs in.
    pub fn login(stop: &Stop, stream: &mut TcpStream) -> Result<Self, BenchError> {
        let mut client = OuchClient::new(SoupConfig::new("ALPHA", "alpha"));
        client.soup().connected(0);
        let mut login = Vec::new();
        client.soup().transmit(0, &mut |bytes| {
            login.extend_from_slice(bytes);
            bytes.len()
        });
        write(stop, stream, &login)?;
        while client.state() != ClientState::Live {
            let (bytes, length) = read(stop, stream)?;
            client.received(&bytes[..length], 0, &mut |_| ());
        }
        Ok(Self(client))
    }
}

impl Judge for Member {
    fn is_answered(&mut self, number: u32, bytes: &[u8]) -> Result<bool, BenchError> {
        let (is_entry, user_ref) = (!number.is_multiple_of(2), number.div_ceil(2));
        let mut result = Ok(false);
        self.0.received(bytes, 0, &mut |reply| {
            let is_right = match &reply {
                // A heartbeat of the server's is none.
                Reply::Message(_, Outbound::Accepted(it)) => is_entry && it.user_ref() == user_ref,
                Reply::Message(_, Outbound::Canceled(it)) => !is_entry && it.user_ref() == user_ref,
                _ => false,
            };
            result = match is_right {
                true => Ok(true),
                false => Err(BenchError::WrongAnswer(format!(
                    "message {number} was answered by {reply:?}"
                ))),
            };
        });
        result
    }
}
