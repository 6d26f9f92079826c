//! What a port over AF_XDP is to be, and the way down from the best mode to the worst that will do.

use std::io;
use std::net::Ipv4Addr;

use af_xdp::{
    BusyPoll, Mode, Options, PORT_DEPTH, PORT_DEPTH_MAX, PORT_QUEUES_MAX, Port, QUEUES_MAX, Rule,
};

use crate::interface;

/// Most queues of one port over AF_XDP.
pub const XDP_QUEUES_MAX: usize = PORT_QUEUES_MAX;

/// Entries of each ring of a queue, unless more are asked for.
pub const XDP_DEPTH: u32 = PORT_DEPTH;
/// The most of them.
pub const XDP_DEPTH_MAX: u32 = PORT_DEPTH_MAX;
/// Largest number of a queue.
pub const XDP_QUEUE_MAX: u32 = QUEUES_MAX - 1;

/// Where AF_XDP is to be tried, how, and what it needs to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct XdpOptions {
    /// Name of the interface in the calling thread's network namespace.
    pub interface: String,
    /// The best mode to try; the worse ones follow when it is refused.
    pub best: XdpMode,
    /// The worst mode that will do. Without one any will, and below them, for datagrams, the
    /// ordinary socket.
    pub worst: Option<XdpMode>,
    /// Queues of the interface, each once; what comes by another one goes to the kernel. Frames
    /// leave by the first. None named: all that the driver receives by.
    pub queues: Vec<u32>,
    /// Whether frames come in. A port that only sends leaves the interface's program and the other
    /// queues to another one (UDP only).
    pub receives: bool,
    /// Entries of each ring, a power of two up to [`XDP_DEPTH_MAX`]: what comes at once beyond them
    /// is lost. Each queue takes 2 KiB of locked memory for one, and sending as much again.
    pub depth: u32,
    /// Preferred busy polling, if any: for cards only, a virtual interface gets slower.
    pub busy_poll: Option<BusyPoll>,
    /// Whether the card is asked when each datagram came (UDP only, and not in generic mode).
    pub card_times: bool,
    /// How much may be under way towards a peer (TCP only).
    pub congestion: Congestion,
    /// Hardware addresses of peers (UDP only). Further ones are learned from frames that arrive.
    pub neighbours: Vec<(Ipv4Addr, [u8; 6])>,
}

impl XdpOptions {
    /// All queues of this interface, nothing special.
    pub fn new(interface: &str, best: XdpMode) -> XdpOptions {
        XdpOptions {
            interface: interface.to_owned(),
            best,
            worst: None,
            queues: Vec::new(),
            receives: true,
            depth: XDP_DEPTH,
            busy_poll: None,
            card_times: false,
            congestion: Congestion::default(),
            neighbours: Vec::new(),
        }
    }
}

/// How much a TCP port may have under way towards one peer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Congestion {
    /// As much as the peer's window and the send buffer hold: for a segment of one's own.
    #[default]
    Window,
    /// As much as the way has proved to carry: two kilobytes at first, more with every
    /// acknowledgement, half of it after a loss (Reno, RFC 5681).
    Reno,
}

/// The steps of the mode ladder, best first. Below the last one stands the ordinary socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum XdpMode {
    /// The card writes into our memory.
    ZeroCopy,
    /// In the driver, with one copy.
    Native,
    /// In the kernel's generic hook: any interface.
    Generic,
}

impl From<XdpMode> for Mode {
    fn from(step: XdpMode) -> Mode {
        match step {
            XdpMode::ZeroCopy => Mode::ZeroCopy,
            XdpMode::Native => Mode::Native,
            XdpMode::Generic => Mode::Generic,
        }
    }
}

/// Opens a port for the frames of `rule` in the best mode that is had, saying why a better one was
/// not.
pub(crate) fn open(xdp: &XdpOptions, rule: &Rule) -> io::Result<Port> {
    let index = af_xdp::interface_index(&xdp.interface)?;
    let queues = queues(xdp)?;
    let mut refusals: Vec<String> = Vec::new();
    let worst = xdp.worst.unwrap_or(XdpMode::Generic);
    let ladder = [XdpMode::ZeroCopy, XdpMode::Native, XdpMode::Generic];
    let steps = ladder.into_iter();
    for mode in steps.filter(|step| *step >= xdp.best && *step <= worst) {
        let options = Options {
            queues: queues.clone(),
            receives: xdp.receives,
            depth: xdp.depth,
            busy_poll: xdp.busy_poll,
            metadata: xdp.card_times,
            ..Options::new(index, mode.into(), rule.clone())
        };
        match Port::open(&options) {
            Ok(port) => {
                refusals.iter().for_each(|why| eprintln!("nic: {why}"));
                return Ok(port);
            }
            Err(error) => {
                let (interface, mode) = (&xdp.interface, name(options.mode));
                refusals.push(format!("{interface}: {mode} refused: {error}"));
                if error.errno() == Some(libc::EBUSY) {
                    break; // taken in one mode is taken in all
                }
            }
        }
    }
    if refusals.is_empty() {
        refusals.push(format!("{worst:?} is no way down from {:?}", xdp.best));
    }
    let message = refusals.join("; ");
    Err(io::Error::new(io::ErrorKind::Unsupported, message))
}

/// The queues that are named, or all.
fn queues(xdp: &XdpOptions) -> io::Result<Vec<u32>> {
    if !xdp.queues.is_empty() {
        return Ok(xdp.queues.clone());
    }
    let count = interface::receive_queues(&xdp.interface)?;
    if count as usize <= XDP_QUEUES_MAX {
        return Ok((0..count).collect());
    }
    let interface = &xdp.interface;
    let message = format!(
        "{interface} receives by {count} queues, and a port has at most {XDP_QUEUES_MAX}: give \
         it fewer (ethtool -L), or name some and steer the port's frames to them"
    );
    Err(io::Error::new(io::ErrorKind::InvalidInput, message))
}

pub(crate) fn name(mode: Mode) -> &'static str {
    match mode {
        Mode::ZeroCopy => "xdp zero-copy",
        Mode::Native => "xdp native",
        Mode::Generic => "xdp generic",
    }
}

/// What a port was granted, in words for an operator.
pub(crate) fn told(port: &Port) -> String {
    let numbers: Vec<String> = port.queues().map(|(queue, _)| queue.to_string()).collect();
    let (mode, numbers) = (name(port.mode()), numbers.join(" "));
    let only = if port.receives() { "" } else { " to send only" };
    format!("{mode}, queues {numbers}{only}, {}", port.report())
}
