//! How packets move: the modes of order entry and feed, and what they need of an interface.

use super::{Error, Feed, OrderEntry, PacketMode};
use std::net::SocketAddrV4;

const _: () = assert!(
    session::order_entry::CONNECTIONS_MAX <= nic::XDP_CONNECTIONS_MAX as usize,
    "every number of connections that the gate takes suits both ports"
);

/// The mode of this name.
pub(super) fn mode(key: &str, name: &str) -> Result<PacketMode, Error> {
    let found = PacketMode::ALL.into_iter().find(|mode| mode.name() == name);
    found.ok_or_else(|| {
        let remedy = "write the best mode to try: \"zero-copy\", \"native\", \"generic\" or \
                      \"io_uring\"";
        Error::value(key, format!("is \"{name}\""), remedy)
    })
}

/// Order entry around the kernel needs an interface, and an address that can be its.
pub(super) fn has_interface(
    mode: PacketMode,
    address: SocketAddrV4,
    interface: &str,
) -> Result<(), Error> {
    if mode == PacketMode::IoUring {
        return Ok(());
    }
    if interface.trim().is_empty() {
        let problem = format!("is missing, and `order_entry.mode` is \"{}\"", mode.name());
        let remedy = "name the network interface that has the address";
        return Err(Error::value("order_entry.interface", problem, remedy));
    }
    let ip = address.ip();
    if ip.is_unspecified() || ip.is_loopback() || ip.is_multicast() || ip.is_broadcast() {
        let problem = format!(
            "is {address}, and `order_entry.mode` is \"{}\"",
            mode.name()
        );
        let remedy = "write the address of the interface, or mode = \"io_uring\"";
        return Err(Error::value("order_entry.address", problem, remedy));
    }
    Ok(())
}

/// An interface carries one program: order entry and feed cannot both go around the kernel on it.
pub(super) fn interface_is_free(entry: &OrderEntry, feed: &Feed) -> Result<(), Error> {
    let (Some(entry), Some(feed)) = (&entry.xdp, &feed.xdp) else {
        return Ok(());
    };
    if entry.interface != feed.interface {
        return Ok(());
    }
    let problem = format!("is \"{}\", which the feed's AF_XDP has", feed.interface);
    let remedy = "give the feed another interface, or one of them mode = \"io_uring\"";
    Err(Error::value("order_entry.interface", problem, remedy))
}
