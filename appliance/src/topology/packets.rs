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

/// Order entry and feed may both go around the kernel on one interface, by queues of their own. It
/// carries one program, that of order entry; the feed only sends.
pub(super) fn interface_shared(entry: &OrderEntry, feed: &mut Feed) -> Result<(), Error> {
    let (Some(entry), Some(feed)) = (&entry.xdp, &mut feed.xdp) else {
        return Ok(());
    };
    if entry.interface != feed.interface {
        return Ok(());
    }
    for (key, port) in [("order_entry.xdp.queues", entry), ("feed.xdp.queues", feed)] {
        if port.queues.is_empty() {
            let problem = format!(
                "is missing, and order entry and feed share \"{}\"",
                port.interface
            );
            let remedy = "name the queues of both, none twice, or give the feed another \
                          `feed.interface`";
            return Err(Error::value(key, problem, remedy));
        }
    }
    if let Some(queue) = feed.queues.iter().find(|it| entry.queues.contains(it)) {
        let problem = format!("names {queue}, which `order_entry.xdp.queues` has");
        let remedy = "give each its own queues of the interface they share";
        return Err(Error::value("feed.xdp.queues", problem, remedy));
    }
    feed.receives = false;
    Ok(())
}
