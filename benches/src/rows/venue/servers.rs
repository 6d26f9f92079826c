//! The servers of the venue bench: the venue itself, and an echo behind the same port.

use std::fmt::Write as _;
use std::net::{SocketAddr, SocketAddrV4};
use std::path::Path;
use std::sync::mpsc::Sender;

use appliance::topology::Topology;
use appliance::venue::StopRequests;
use appliance::venue::runner::{self, Begin};
use nic::netns::{VETH_NAME, VethPair};
use nic::{
    Net, RealClock, RealNet, RealTcp, TcpEvent, TcpLimits, TcpPort, XdpMode, XdpOptions, XdpTcp,
};

use super::door::{Door, Passed};
use crate::BenchError;
use crate::rows::cable::{mode_name, works_by};
use crate::threads::{Stop, anywhere};

/// Where the feed goes, in the member's namespace. Who listens there is bound, so that the kernel
/// has no refusal to send.
pub const FEED_PORT: u16 = 26_401;

/// How the bytes of a member move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// TCP of ours over AF_XDP, in the driver.
    Native,
    /// The kernel's, by io_uring.
    IoUring,
}

impl Transport {
    pub const ALL: [Transport; 2] = [Transport::Native, Transport::IoUring];

    /// What its ports call it.
    const fn mode(self) -> &'static str {
        match self {
            Self::Native => mode_name(XdpMode::Native),
            Self::IoUring => "io_uring",
        }
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Native => "TCP over AF_XDP",
            Self::IoUring => "TCP by io_uring",
        }
    }
}

/// Where a server runs, and how it is reached.
pub struct Place<'a> {
    pub cable: &'a VethPair,
    pub transport: Transport,
    /// For the venue's journal and counters.
    pub directory: &'a Path,
}

/// Whom to ask for the end, and to whom the ways are told at the end.
type Ends<'a> = (&'a StopRequests, Sender<Passed>);

/// Runs a venue until it is asked to stop; it must have taken so many messages.
pub fn venue(
    place: &Place<'_>,
    (requests, to): Ends<'_>,
    count: u32,
    told: impl FnOnce(SocketAddr),
) -> Result<(), BenchError> {
    enter(place)?;
    // The door pins the thread of the tiles; the venue's others rest, wherever there is room.
    anywhere();
    let text = topology(place);
    let topology = Topology::parse(&text).map_err(|error| BenchError::failed("venue", error))?;
    let definitions = appliance::venue::definitions(&topology).len() as u64;
    let mut mode = Ok(());
    let summary = runner::run_behind(
        &topology,
        Begin::default(),
        requests,
        |port, clock| {
            mode = works_by(port.mode(), place.transport.mode());
            Door::new(port, clock, to)
        },
        |ready| told(ready.order_entry),
    );
    let summary = summary.map_err(|error| BenchError::failed("venue", error))?;
    mode?;
    let inputs = definitions + u64::from(count);
    if summary.inputs != inputs {
        let what = format!("the venue took {} inputs of {inputs}", summary.inputs);
        return Err(BenchError::WrongAnswer(what));
    }
    Ok(())
}

/// Runs an echo until it is asked to stop.
pub fn echo(
    place: &Place<'_>,
    stop: &Stop,
    (requests, to): Ends<'_>,
    told: impl FnOnce(SocketAddr),
) -> Result<(), BenchError> {
    enter(place)?;
    let failed = |error| BenchError::failed("opening the echo's port", error);
    let at = SocketAddrV4::new(place.cable.right.address, 0);
    let limits = TcpLimits::default();
    let clock = RealClock::new();
    let port = match place.transport {
        Transport::Native => {
            let xdp = XdpOptions::new(VETH_NAME, XdpMode::Native);
            let port = XdpTcp::open(at, limits, &xdp, Box::new(clock.clone()));
            RealTcp::Xdp(Box::new(port.map_err(failed)?))
        }
        Transport::IoUring => {
            let port = RealNet::new().tcp_listen(at.into(), limits);
            RealTcp::Socket(Box::new(port.map_err(failed)?))
        }
    };
    works_by(port.mode(), place.transport.mode())?;
    let mut door = Door::new(port, Box::new(clock), to);
    if let Some(at) = door.local_addr() {
        told(at);
    }
    let ended = requests.started();
    let mut came = Vec::new();
    stop.wait(|| {
        let mut from = None;
        door.poll(&mut |event| {
            if let TcpEvent::Data { conn, bytes } = event {
                came.extend_from_slice(bytes);
                from = Some(conn);
            }
        });
        if let Some(conn) = from {
            let sent = door.send(conn, &came);
            came.drain(..sent);
            door.flush();
            return None;
        }
        ended.try_recv().ok().map(drop)
    })
}

fn enter(place: &Place<'_>) -> Result<(), BenchError> {
    let entered = place.cable.right.netns.enter();
    entered.map_err(|error| BenchError::failed("the server's place", error))
}

/// All tiles on one thread; replies leave from memory; the feed goes over the cable, too.
fn topology(place: &Place<'_>) -> String {
    let VethPair { left, right } = place.cable;
    let mut text = format!(
        "name = \"bench\"\ndata_dir = {:?}\nack = \"memory\"\nsegment_mib = 16\n\
         symbols = [\"AAPL\"]\n\n\
         [order_entry]\naddress = \"{}:0\"\nconnections_max = 8\nreply_mib = 64\n",
        place.directory, right.address
    );
    // Writing to a string cannot fail.
    if place.transport == Transport::Native {
        let _ = writeln!(text, "mode = \"native\"\ninterface = {VETH_NAME:?}");
    }
    let _ = write!(
        text,
        "\n[feed]\ngroup = \"{}:{FEED_PORT}\"\nsource = \"{1}:0\"\nrerequest = \"{1}:0\"\n\
         rerequest_allow = [\"{1}/24\"]\nhistory_mib = 64\n\n\
         [limits]\nsymbols = 4\nsessions = 4\norders = 4096\n\n\
         [ending]\nfeed_end_ms = 1\n\n[tiles]\n",
        left.address, right.address
    );
    for tile in ["gate", "engine", "journal", "publish"] {
        let _ = writeln!(text, "{tile} = {{ thread = \"all\" }}");
    }
    text.push_str("\n[links]\n");
    for link in [
        "gate_engine",
        "engine_journal",
        "engine_gate",
        "engine_publish",
    ] {
        let _ = writeln!(text, "{link} = {{ depth = 1024, full = \"wait\" }}");
    }
    text.push_str(
        "\n[[users]]\nname = \"ALPHA\"\npassword = \"alpha\"\nfirm = \"ALPH\"\naccount = 1\n",
    );
    text
}
