//! Where the two sides meet: a virtual cable between two namespaces, or loopback.

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::process::{Child, Command};

use nic::netns::{VETH_NAME, VethPair};
use nic::{Net, RealNet, RealUdp, UdpOptions, UdpPort, XdpMode, XdpOptions};

/// Group and port of the feed on the cable.
const FEED_GROUP: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(239, 192, 0, 1), 26_401);
/// Group and port of the feed's second line, which the desk listens to.
const LINE_B_GROUP: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(239, 192, 0, 2), LINE_B_PORT);
/// Port of the second line.
const LINE_B_PORT: u16 = 26_404;
/// Port of order entry on the cable.
const ORDER_ENTRY_PORT: u16 = 26_400;
/// Port that requests go to on the cable.
const REREQUEST_PORT: u16 = 26_402;
/// Port that the feed comes from on the cable.
const SOURCE_PORT: u16 = 26_403;

/// The place of a demo.
pub enum Arena {
    /// Two namespaces: the venue on the left, we on the right.
    Cable(Box<VethPair>),
    /// One loopback interface. The reason, where a cable was wanted.
    Loopback(Option<String>),
}

/// The ports of a subscriber, and the addresses that a venue is to use.
pub struct Ports {
    /// Where the feed arrives.
    pub feed: RealUdp,
    /// Where requests leave.
    pub requests: RealUdp,
    /// The venue's side, in the words of a topology.
    pub addresses: Addresses,
}

/// What a topology says about addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// Order entry.
    pub order_entry: SocketAddrV4,
    /// Where the feed goes.
    pub group: SocketAddrV4,
    /// Where its second line goes.
    pub line_b: SocketAddrV4,
    /// Our interface.
    pub ours: Ipv4Addr,
    /// Where it comes from.
    pub source: SocketAddrV4,
    /// Where requests go.
    pub rerequest: SocketAddrV4,
    /// The venue's interface.
    pub interface: &'static str,
    /// First step of the feed's ladder.
    pub mode: &'static str,
}

impl Arena {
    /// A cable where the system allows it, unless loopback is asked for.
    #[must_use]
    pub fn open(loopback: bool) -> Self {
        if loopback {
            return Self::Loopback(None);
        }
        match VethPair::create() {
            Ok(pair) => Self::Cable(Box::new(pair)),
            Err(error) => Self::Loopback(Some(error.to_string())),
        }
    }

    /// What it is, in words.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::Cable(_) => "two network namespaces joined by veth".to_owned(),
            Self::Loopback(None) => "loopback".to_owned(),
            Self::Loopback(Some(reason)) => format!("loopback ({reason})"),
        }
    }

    /// Moves this thread to our side, for the rest of its life.
    ///
    /// # Errors
    /// The system's word.
    pub fn enter(&self) -> io::Result<()> {
        match self {
            Self::Cable(pair) => pair.right.netns.enter(),
            Self::Loopback(_) => Ok(()),
        }
    }

    /// Starts a process on the venue's side.
    ///
    /// # Errors
    /// The system's word.
    pub fn spawn(&self, command: &mut Command) -> io::Result<Child> {
        match self {
            Self::Cable(pair) => pair.left.netns.run(|| command.spawn())?,
            Self::Loopback(_) => command.spawn(),
        }
    }

    /// Opens a subscriber's ports on our side; call it on the thread that entered.
    ///
    /// # Errors
    /// The system's word.
    pub fn subscribe(&self) -> io::Result<Ports> {
        let mut net = RealNet::new();
        match self {
            Self::Cable(pair) => {
                let ours = pair.right.address;
                let feed = net.udp(&UdpOptions {
                    groups: vec![*FEED_GROUP.ip()],
                    interface: ours,
                    xdp: Some(XdpOptions::new(VETH_NAME, XdpMode::Native)),
                    ..UdpOptions::new(FEED_GROUP)
                })?;
                let requests = net.udp(&UdpOptions::new(SocketAddrV4::new(ours, 0)))?;
                let theirs = |port| SocketAddrV4::new(pair.left.address, port);
                let addresses = Addresses {
                    order_entry: theirs(ORDER_ENTRY_PORT),
                    group: FEED_GROUP,
                    line_b: LINE_B_GROUP,
                    ours,
                    source: theirs(SOURCE_PORT),
                    rerequest: theirs(REREQUEST_PORT),
                    interface: VETH_NAME,
                    mode: "native",
                };
                Ok(Ports {
                    feed,
                    requests,
                    addresses,
                })
            }
            Self::Loopback(_) => {
                // One receiver on a port of its own: nobody else's demo can be heard.
                let any = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0);
                let feed = net.udp(&UdpOptions::new(any))?;
                let requests = net.udp(&UdpOptions::new(any))?;
                let addresses = Addresses {
                    order_entry: any,
                    group: feed.local_addr(),
                    line_b: SocketAddrV4::new(own_loopback(), LINE_B_PORT),
                    ours: Ipv4Addr::LOCALHOST,
                    source: any,
                    rerequest: any,
                    interface: "lo",
                    mode: "io_uring",
                };
                Ok(Ports {
                    feed,
                    requests,
                    addresses,
                })
            }
        }
    }
}

/// A loopback address that no other process uses: what is sent there must find its receiver before
/// that has opened a port.
fn own_loopback() -> Ipv4Addr {
    let [_, _, high, low] = std::process::id().to_be_bytes();
    Ipv4Addr::new(127, 192, high, low)
}
