//! `wirecross replay`: an ITCH file as a MoldUDP64 feed, at its own pace, faster, or flat out; or a
//! day's journal, see [`rerun`].

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::rerun;
use nic::{Clock, Net, RealClock, RealNet, RealUdp, SendError, UdpOptions, UdpPort};
use wire::binary_file::Reader;
use wire::itch::Message;
use wire::mold::{self, Builder, Packet};

/// Payload bytes of a packet unless asked otherwise.
const PAYLOAD_BYTES: usize = 1_400;
/// Polls that give queued packets the time to leave before the program ends.
const DRAIN_POLLS: usize = 1_000;

/// What `wirecross replay` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// File of ITCH 5.0 messages in BinaryFILE framing.
    #[arg(required_unless_present = "journal", conflicts_with = "journal")]
    file: Option<PathBuf>,
    /// The file holds MoldUDP64 packets back to back instead.
    #[arg(long)]
    mold: bool,
    /// Where the packets go: a multicast group or one receiver.
    #[arg(long, value_name = "ADDRESS")]
    to: Option<SocketAddrV4>,
    /// Address of the interface that multicast leaves by.
    #[arg(long, default_value = "127.0.0.1")]
    interface: Ipv4Addr,
    /// How many times faster than the messages' own times; 0 is flat out.
    #[arg(long, default_value_t = 1.0)]
    speed: f64,
    /// Session name in the packets, at most 10 letters.
    #[arg(long, default_value = "REPLAY")]
    session: String,
    #[command(flatten)]
    day: rerun::Args,
}

/// Runs the command.
#[must_use]
pub fn run(args: &Args) -> ExitCode {
    let file = match (&args.day.journal, &args.file) {
        (Some(directory), _) => return rerun::run(&args.day, directory),
        (None, file) => file.clone().unwrap_or_default(),
    };
    match replay(args, &file) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => super::failed("replay", format!("{}: {error}", file.display())),
    }
}

fn replay(args: &Args, file: &Path) -> Result<(), String> {
    if !(args.speed >= 0.0 && args.speed.is_finite()) {
        return Err(format!(
            "--speed {}: choose 0 or a positive number",
            args.speed
        ));
    }
    if args.session.len() > 10 || !args.session.is_ascii() {
        return Err(format!(
            "--session {:?}: choose at most 10 letters",
            args.session
        ));
    }
    let file = std::fs::read(file).map_err(|error| error.to_string())?;
    if args.mold {
        return replay_packets(args, &file);
    }
    // The whole file is checked before its first message is sent.
    let counts = count(&file)?;
    if let Some(to) = args.to {
        send(args, to, &file)?;
    }
    let total: u64 = counts.values().sum();
    println!("{total} messages");
    for (kind, count) in counts {
        println!("{} {count}", char::from(kind));
    }
    Ok(())
}

/// Packets have no time of their own: they go out as fast as they are taken.
fn replay_packets(args: &Args, file: &[u8]) -> Result<(), String> {
    let mut packets = Vec::new();
    let mut rest = file;
    while !rest.is_empty() {
        let offset = file.len() - rest.len();
        let (packet, after) = Packet::split_first(rest)
            .map_err(|error| format!("packet {}: {}", packets.len() + 1, error.at(offset)))?;
        packets.push((packet, &rest[..rest.len() - after.len()]));
        rest = after;
    }
    if let Some(to) = args.to {
        let mut port = open(args, to)?;
        for (_, bytes) in &packets {
            send_datagram(&mut port, to, bytes)?;
        }
        drain(&mut port);
    }
    for (packet, _) in &packets {
        println!(
            "sequence {} messages {}",
            packet.sequence(),
            packet.message_count()
        );
    }
    Ok(())
}

/// How many messages of each type; the first one that is wrong, with its place, otherwise.
fn count(file: &[u8]) -> Result<BTreeMap<u8, u64>, String> {
    let mut counts = BTreeMap::new();
    for record in Reader::new(file) {
        let record = record.map_err(|error| error.to_string())?;
        let message =
            Message::parse(record.message).map_err(|error| error.at(record.offset).to_string())?;
        *counts.entry(message.kind()).or_insert(0) += 1;
    }
    Ok(counts)
}

fn send(args: &Args, to: SocketAddrV4, file: &[u8]) -> Result<(), String> {
    let mut packets = Packets::new(open(args, to)?, to, &args.session)?;
    let clock = RealClock::new();
    let start_ns = clock.now_ns();
    let mut pacer = Pacer {
        speed: args.speed,
        first_ns: None,
    };
    for record in Reader::new(file) {
        let record = record.map_err(|error| error.to_string())?;
        let message = Message::parse(record.message).map_err(|error| error.to_string())?;
        let due_ns = start_ns + pacer.due_ns(message.header().timestamp);
        if due_ns > clock.now_ns() {
            packets.flush()?;
            while due_ns > clock.now_ns() {
                packets.port.poll(&mut |_, _| {});
            }
        }
        packets.push(record.message)?;
    }
    packets.end()
}

fn open(args: &Args, to: SocketAddrV4) -> Result<RealUdp, String> {
    let local = if to.ip().is_loopback() {
        Ipv4Addr::LOCALHOST
    } else {
        args.interface
    };
    let options = UdpOptions {
        interface: args.interface,
        ..UdpOptions::new(SocketAddrV4::new(local, 0))
    };
    RealNet::new()
        .udp(&options)
        .map_err(|error| error.to_string())
}

/// Hands one datagram to the port, waiting while its queue is full.
fn send_datagram(port: &mut RealUdp, to: SocketAddrV4, bytes: &[u8]) -> Result<(), String> {
    loop {
        match port.send(to, bytes) {
            Ok(()) => return Ok(()),
            Err(SendError::Full) => {
                port.poll(&mut |_, _| {});
            }
            Err(error) => return Err(error.to_string()),
        }
    }
}

/// Polls until what was queued has left.
fn drain(port: &mut RealUdp) {
    port.flush();
    for _ in 0..DRAIN_POLLS {
        port.poll(&mut |_, _| {});
    }
}

/// Messages on their way into packets.
struct Packets {
    port: RealUdp,
    to: SocketAddrV4,
    session: [u8; 10],
    builder: Builder<[u8; PAYLOAD_BYTES]>,
}

impl Packets {
    fn new(port: RealUdp, to: SocketAddrV4, session: &str) -> Result<Self, String> {
        let session = wire::padded(session);
        let builder = Builder::new([0; PAYLOAD_BYTES], session, 1);
        let builder = builder.map_err(|error| error.to_string())?;
        Ok(Self {
            port,
            to,
            session,
            builder,
        })
    }

    fn push(&mut self, message: &[u8]) -> Result<(), String> {
        if self.builder.push(message).is_ok() {
            return Ok(());
        }
        self.flush()?;
        self.builder
            .push(message)
            .map_err(|error| error.to_string())
    }

    fn flush(&mut self) -> Result<(), String> {
        if self.builder.count() > 0 {
            send_datagram(&mut self.port, self.to, self.builder.bytes())?;
            self.port.flush();
            self.builder.restart();
        }
        Ok(())
    }

    fn end(mut self) -> Result<(), String> {
        self.flush()?;
        let mut packet = [0; mold::HEADER_BYTES];
        let bytes = mold::end_of_session(self.session, self.builder.next_sequence(), &mut packet)
            .map_err(|error| error.to_string())?;
        send_datagram(&mut self.port, self.to, &packet[..bytes])?;
        drain(&mut self.port);
        Ok(())
    }
}

/// Says when a message is due, counted from the first one.
struct Pacer {
    speed: f64,
    first_ns: Option<u64>,
}

impl Pacer {
    fn due_ns(&mut self, timestamp_ns: u64) -> u64 {
        let first_ns = *self.first_ns.get_or_insert(timestamp_ns);
        if self.speed == 0.0 {
            return 0;
        }
        (timestamp_ns.saturating_sub(first_ns) as f64 / self.speed) as u64
    }
}
