//! Which frames are taken from the kernel.

use std::net::Ipv4Addr;

/// Most UDP and TCP ports of one filter, together.
pub const PORTS_MAX: u32 = 1024;
/// Most destination addresses of one filter.
pub const ADDRESSES_MAX: u32 = 256;

/// The frames that are ours. All conditions must hold; what they do not cover goes on to the
/// kernel, and so does every frame that is short, has IP options, is a fragment, or is not IPv4.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    /// Everything that arrives, whatever the other conditions say.
    pub everything: bool,
    /// Of this VLAN (one 802.1Q tag in the frame); `None` means without a tag. A tag that the card
    /// has taken off is not in the frame.
    pub vlan: Option<u16>,
    /// To this hardware address, or to a group; `None` means to any.
    pub mac: Option<[u8; 6]>,
    /// To one of these addresses; if there are none, to any.
    pub addresses: Vec<Ipv4Addr>,
    /// To one of these UDP ports.
    pub udp_ports: Vec<u16>,
    /// To one of these TCP ports.
    pub tcp_ports: Vec<u16>,
    /// ARP about one of `addresses` too: for addresses that the kernel does not have.
    pub arp: bool,
}

impl Rule {
    /// UDP to these ports.
    pub fn udp(ports: &[u16]) -> Rule {
        Rule {
            udp_ports: ports.to_vec(),
            ..Rule::default()
        }
    }

    /// Everything that arrives: the kernel sees nothing of the interface any more.
    pub fn everything() -> Rule {
        Rule {
            everything: true,
            ..Rule::default()
        }
    }
}
