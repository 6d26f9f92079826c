//! What the tests on a virtual cable share: the cable, sockets on it, frames to send.

#![allow(dead_code, clippy::unwrap_used)] // not every test needs everything

use std::process::Command;
use std::time::{Duration, Instant};

use af_xdp::{
    Error, Filter, Frame, Hook, Kicked, Link, LoadOptions, Queue, QueueOptions, Rule, Umem,
    UmemOptions, interface_index,
};
use nic::netns::{VETH_NAME, VethEnd, VethOptions, VethPair};

/// No wait takes longer.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// The UDP port of the tests.
pub const PORT: u16 = 5001;

/// A cable whose ends can do AF_XDP, or `None` with the reason printed.
pub fn cable(options: &VethOptions) -> Option<VethPair> {
    let pair = VethPair::with(options)
        .inspect_err(|error| println!("skipped: {error}"))
        .ok()?;
    let filter = Filter::load(&Rule::udp(&[PORT]));
    filter
        .inspect_err(|error| println!("skipped: no BPF: {error}"))
        .ok()?;
    // SAFETY: takes no pointers.
    let fd = unsafe { libc::socket(libc::AF_XDP, libc::SOCK_RAW, 0) };
    if fd < 0 {
        let error = std::io::Error::last_os_error();
        println!("skipped: no AF_XDP socket: {error}");
        return None;
    }
    // SAFETY: just opened.
    unsafe { libc::close(fd) };
    Some(pair)
}

/// Runs in the namespace of this end.
pub fn inside<T: Send>(end: &VethEnd, work: impl FnOnce() -> T + Send) -> T {
    end.netns.run(work).unwrap()
}

/// The interface of this end.
pub fn interface(end: &VethEnd) -> u32 {
    inside(end, || interface_index(VETH_NAME)).unwrap()
}

/// Whether the kernel says that a program is attached to this end.
pub fn program_attached(end: &VethEnd) -> bool {
    inside(end, program_attached_here)
}

fn program_attached_here() -> bool {
    let mut show = Command::new("ip");
    let output = show.args(["link", "show", "dev", VETH_NAME]).output();
    String::from_utf8_lossy(&output.unwrap().stdout).contains("prog/xdp")
}

/// A program goes when its owner dies; when a link is dropped, as soon as no process that another
/// test has just forked holds a copy of it, which it does until it becomes another program.
pub fn wait_until_detached(end: &VethEnd) {
    inside(end, wait_until_detached_here);
}

/// As [`wait_until_detached`], in the namespace of the caller.
pub fn wait_until_detached_here() {
    let start = Instant::now();
    while program_attached_here() {
        assert!(start.elapsed() < PATIENCE, "the program outlived its owner");
    }
}

/// One socket with its program and memory, in use.
pub struct Side {
    // Dropped first.
    pub link: Option<Link>,
    pub queue: Queue,
    pub filter: Filter,
    pub umem: Umem,
    pub free: Vec<Frame>,
}

/// What a side is to be.
pub struct Wanted {
    pub hook: Hook,
    pub rule: Rule,
    pub load: LoadOptions,
    pub umem: UmemOptions,
    pub depth: u32,
    pub multi_buffer: bool,
}

impl Default for Wanted {
    fn default() -> Wanted {
        Wanted {
            hook: Hook::Generic,
            rule: Rule::udp(&[PORT]),
            load: LoadOptions::default(),
            umem: UmemOptions {
                frames: 256,
                ..UmemOptions::default()
            },
            depth: 128,
            multi_buffer: false,
        }
    }
}

impl Side {
    /// Half of the frames receive.
    pub fn open(end: &VethEnd, wanted: &Wanted) -> Result<Side, Error> {
        inside(end, || Side::open_here(wanted))
    }

    /// As [`Side::open`], in the namespace of the caller.
    pub fn open_here(wanted: &Wanted) -> Result<Side, Error> {
        let interface = interface_index(VETH_NAME)?;
        let (umem, mut free) = Umem::create(&wanted.umem)?;
        let filter = Filter::load_with(&wanted.rule, wanted.load)?;
        let options = QueueOptions {
            depth: wanted.depth,
            multi_buffer: wanted.multi_buffer,
            ..QueueOptions::new(interface)
        };
        let keep = free.len() / 2;
        let queue = Queue::open(&umem, &mut free, keep, &options)?;
        filter.set_socket(0, &queue.socket)?;
        let link = filter.attach(interface, wanted.hook)?;
        Ok(Side {
            link: Some(link),
            queue,
            filter,
            umem,
            free,
        })
    }

    /// Builds a frame of these bytes and queues it.
    pub fn push(&mut self, bytes: &[u8]) {
        let mut frame = self.free.pop().unwrap();
        self.umem.room(&mut frame)[..bytes.len()].copy_from_slice(bytes);
        let outgoing = frame.filled(&self.umem, bytes.len());
        self.queue.tx.push(outgoing).unwrap();
    }

    /// Sends all that is queued and takes it all back.
    pub fn flush(&mut self) {
        let start = Instant::now();
        loop {
            let kicked = self.queue.tx.kick();
            while let Some(sent) = self.queue.completion.pop() {
                self.free.push(sent.into_frame());
            }
            self.queue.completion.release();
            if kicked == Kicked::Empty && self.umem.census().sending == 0 {
                return;
            }
            assert!(start.elapsed() < PATIENCE, "{kicked:?}");
        }
    }

    /// The next packets, whole, their frames given back to the kernel.
    pub fn take(&mut self, count: usize) -> Vec<Vec<u8>> {
        let start = Instant::now();
        let mut packets = Vec::new();
        let mut parts = Vec::new();
        while packets.len() < count {
            if !self.queue.rx.pop_packet(&mut parts) {
                assert!(start.elapsed() < PATIENCE, "{} of {count}", packets.len());
                std::thread::yield_now();
                continue;
            }
            let whole: Vec<&[u8]> = parts.iter().map(|part| self.umem.received(part)).collect();
            packets.push(whole.concat());
            for part in parts.drain(..) {
                self.queue.fill.push(part.into_frame()).unwrap();
            }
            self.queue.rx.release();
            self.queue.fill.publish();
        }
        packets
    }
}

/// Ethernet, IPv4 and UDP to [`PORT`] from one end to the other, without a UDP checksum.
pub fn datagram(from: &VethEnd, to: &VethEnd, payload: &[u8]) -> Vec<u8> {
    let mut bytes = [&to.mac[..], &from.mac, &[0x08, 0x00, 0x45, 0]].concat();
    bytes.extend((28 + payload.len() as u16).to_be_bytes());
    bytes.extend([0, 0, 0x40, 0, 64, 17, 0, 0]);
    bytes.extend(from.address.octets());
    bytes.extend(to.address.octets());
    let sum = internet_sum(&bytes[14..34]);
    bytes[24..26].copy_from_slice(&sum.to_be_bytes());
    bytes.extend(PORT.to_be_bytes());
    bytes.extend(PORT.to_be_bytes());
    bytes.extend((8 + payload.len() as u16).to_be_bytes());
    bytes.extend([0, 0]);
    bytes.extend(payload);
    bytes
}

/// The Internet checksum of these bytes (RFC 1071).
pub fn internet_sum(bytes: &[u8]) -> u16 {
    let words = bytes.chunks(2).map(|pair| {
        let [high, low] = [pair[0], pair.get(1).copied().unwrap_or(0)];
        u32::from(u16::from_be_bytes([high, low]))
    });
    let mut sum: u32 = words.sum();
    while sum >> 16 != 0 {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}
