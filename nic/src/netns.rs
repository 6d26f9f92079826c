//! Network namespaces that need no cleaning up, and a pair joined by a virtual cable.
//!
//! A namespace has no name here: it lives as long as the descriptor to it, so it and its
//! interfaces vanish when the process ends, whether it returns, is interrupted or is killed.
//! Needs root and the `ip` program.

use std::fs::File;
use std::io;
use std::net::Ipv4Addr;
use std::os::fd::AsRawFd;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

/// Name of the interface at each end of a [`VethPair`].
pub const VETH_NAME: &str = "wire0";

/// How long a cable may take to come up.
const UP_PATIENCE: Duration = Duration::from_secs(20);
const UP_PAUSE: Duration = Duration::from_millis(1);

/// A network namespace of our own.
#[derive(Debug)]
pub struct Netns {
    file: File,
}

impl Netns {
    /// A new, empty namespace with its loopback interface up. The calling thread stays where it is.
    pub fn create() -> io::Result<Netns> {
        let file = on_thread(|| {
            // SAFETY: takes no pointers; only this short-lived thread moves.
            if unsafe { libc::unshare(libc::CLONE_NEWNET) } < 0 {
                return Err(failed("creating a network namespace (needs root)"));
            }
            File::open("/proc/thread-self/ns/net")
        })?;
        let netns = Netns { file };
        netns.ip(&["link", "set", "lo", "up"])?;
        Ok(netns)
    }

    /// Moves the calling thread into the namespace, for the rest of the thread's life. Sockets that
    /// it opens, threads and processes that it starts from then on belong there.
    pub fn enter(&self) -> io::Result<()> {
        // SAFETY: takes no pointers.
        if unsafe { libc::setns(self.file.as_raw_fd(), libc::CLONE_NEWNET) } < 0 {
            return Err(failed("entering a network namespace"));
        }
        Ok(())
    }

    /// Runs `work` inside, on a thread of its own, and waits for it.
    pub fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> io::Result<T> {
        on_thread(|| {
            self.enter()?;
            Ok(work())
        })
    }

    /// Runs `ip` with these arguments inside.
    pub fn ip(&self, arguments: &[&str]) -> io::Result<()> {
        self.ask_ip(arguments).map(drop)
    }

    /// What `ip` says to these arguments.
    fn ask_ip(&self, arguments: &[&str]) -> io::Result<String> {
        let output = self.run(|| Command::new("ip").args(arguments).output())?;
        let output = output.map_err(|error| {
            io::Error::new(
                error.kind(),
                format!("running `ip` (is iproute2 installed?): {error}"),
            )
        })?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Err(io::Error::other(format!(
            "ip {}: {}",
            arguments.join(" "),
            said.trim()
        )))
    }

    /// A path by which other programs can name the namespace while this process lives.
    fn path(&self) -> String {
        format!("/proc/{}/fd/{}", std::process::id(), self.file.as_raw_fd())
    }
}

/// Two namespaces and the cable between them.
#[derive(Debug)]
pub struct VethPair {
    /// One end.
    pub left: VethEnd,
    /// The other.
    pub right: VethEnd,
}

/// One end of the cable: the interface [`VETH_NAME`] inside a namespace.
#[derive(Debug)]
pub struct VethEnd {
    /// Where the interface lives.
    pub netns: Netns,
    /// Its IPv4 address; both ends are in one /24.
    pub address: Ipv4Addr,
    /// Its hardware address.
    pub mac: [u8; 6],
}

/// What a cable is to be.
#[derive(Clone, Copy, Debug)]
pub struct VethOptions {
    /// Receive queues of each end, and as many transmit queues.
    pub queues: u32,
    /// Transmit queues of the right end beyond these. The left one has none: a driver takes no
    /// program while its peer sends by more queues than it receives by.
    pub transmit_more: u32,
    /// Longest IP packet.
    pub mtu: u32,
}

impl Default for VethOptions {
    /// One queue, 1500 bytes.
    fn default() -> VethOptions {
        VethOptions {
            queues: 1,
            transmit_more: 0,
            mtu: 1500,
        }
    }
}

impl VethPair {
    /// An ordinary cable, see [`VethPair::with`].
    pub fn create() -> io::Result<VethPair> {
        VethPair::with(&VethOptions::default())
    }

    /// 10.77.0.1 on the left, 10.77.0.2 on the right, each knowing the other's hardware address;
    /// multicast goes over the cable.
    pub fn with(options: &VethOptions) -> io::Result<VethPair> {
        let end = |last: u8| -> io::Result<VethEnd> {
            let address = Ipv4Addr::new(10, 77, 0, last);
            Ok(VethEnd {
                netns: Netns::create()?,
                address,
                mac: [2, 0, 10, 77, 0, last],
            })
        };
        let pair = VethPair {
            left: end(1)?,
            right: end(2)?,
        };
        let right = pair.right.netns.path();
        let VethOptions { queues, mtu, .. } = options;
        let more = queues + options.transmit_more;
        let [mtu, queues, more] = [*mtu, *queues, more].map(|it| it.to_string());
        let shape = ["mtu", &mtu, "numrxqueues", &queues, "numtxqueues"];
        let first = [&["link", "add", VETH_NAME], &shape[..], &[&queues]].concat();
        let second = [&["type", "veth", "peer", "name", VETH_NAME], &shape[..]].concat();
        let second = [&second[..], &[&more, "netns", &right]].concat();
        pair.left.netns.ip(&[first, second].concat())?;
        pair.left.configure(&pair.right)?;
        pair.right.configure(&pair.left)?;
        pair.left.wait_until_up()?;
        pair.right.wait_until_up()?;
        Ok(pair)
    }
}

impl VethEnd {
    /// Until the kernel sends by this end. It notices a cable some time after both ends are up, and
    /// loses what it sends before, without an error.
    fn wait_until_up(&self) -> io::Result<()> {
        let start = Instant::now();
        loop {
            let said = self.netns.ask_ip(&["link", "show", "dev", VETH_NAME])?;
            if said.contains("LOWER_UP") && !said.contains("qdisc noop ") {
                return Ok(());
            }
            if start.elapsed() > UP_PATIENCE {
                return Err(io::Error::new(io::ErrorKind::TimedOut, said));
            }
            thread::sleep(UP_PAUSE);
        }
    }

    fn configure(&self, peer: &VethEnd) -> io::Result<()> {
        let (mac, peer_mac) = (mac_text(self.mac), mac_text(peer.mac));
        let (address, peer_address) = (format!("{}/24", self.address), peer.address.to_string());
        let link = ["link", "set", "dev", VETH_NAME];
        // No IPv6 address, so no neighbour discovery on the cable.
        self.netns
            .ip(&[&link[..], &["addrgenmode", "none"]].concat())?;
        self.netns.ip(&[&link[..], &["address", &mac]].concat())?;
        self.netns
            .ip(&["address", "add", &address, "dev", VETH_NAME])?;
        self.netns.ip(&[&link[..], &["up"]].concat())?;
        self.netns
            .ip(&["route", "add", "224.0.0.0/4", "dev", VETH_NAME])?;
        let known = [
            "neigh",
            "replace",
            &peer_address,
            "lladdr",
            &peer_mac,
            "nud",
            "permanent",
        ];
        self.netns.ip(&[&known[..], &["dev", VETH_NAME]].concat())
    }
}

fn mac_text(mac: [u8; 6]) -> String {
    mac.map(|byte| format!("{byte:02x}")).join(":")
}

/// Runs `work` on a thread of its own: what it does to the thread's namespace ends with it.
fn on_thread<T: Send>(work: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
    thread::scope(|scope| match scope.spawn(work).join() {
        Ok(result) => result,
        Err(panic) => std::panic::resume_unwind(panic),
    })
}

fn failed(what: &str) -> io::Error {
    let error = io::Error::last_os_error();
    io::Error::new(error.kind(), format!("{what}: {error}"))
}
