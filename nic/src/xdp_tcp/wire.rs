//! Frames in and out for the TCP stack, which sees IP packets: Ethernet ends here.

use std::io;

use af_xdp::{
    Copying, Filter, Frame, Hook, Kicked, Link, Mode, Queue, QueueOptions, Received, Rule,
    Statistics, Umem, UmemOptions,
};
use smoltcp::phy::{self, Checksum, DeviceCapabilities, Medium};
use smoltcp::time::Instant;

use crate::frame::{ETHERNET_BYTES, FRAME_BYTES_MAX, Mac, TYPE_IPV4};

/// Entries of each ring; frames for receiving, and for sending.
const DEPTH: u32 = 1024;
/// Bytes of a frame's memory; the kernel keeps 256 of them when receiving.
const FRAME_BYTES: u32 = 2048;
/// Most rounds of taking sent frames back and kicking again in one kick.
const ROUNDS_MAX: usize = 4;

/// Memory of all frames.
pub(super) const FRAMES_BYTES: usize = 2 * DEPTH as usize * FRAME_BYTES as usize;

const _: () = assert!(FRAME_BYTES_MAX + 256 <= FRAME_BYTES as usize);

/// One queue of an interface.
#[derive(Debug)]
pub(super) struct Wire {
    // Dropped first: no frame is redirected to a socket that is going.
    _link: Link,
    queue: Queue,
    _filter: Filter,
    umem: Umem,
    free: Vec<Frame>,
    mac: Mac,
    kick_errors: u64,
}

impl Wire {
    /// Binds to queue 0 and takes the frames of `rule`.
    pub fn open(interface: u32, mode: Mode, rule: &Rule, mac: Mac) -> Result<Wire, af_xdp::Error> {
        let filter = Filter::load(rule)?;
        let (umem, mut frames) = Umem::create(&UmemOptions {
            frames: 2 * DEPTH,
            frame_bytes: FRAME_BYTES,
            ..UmemOptions::default()
        })?;
        let options = QueueOptions {
            copying: match mode {
                Mode::ZeroCopy => Copying::ZeroCopy,
                _ => Copying::Copy,
            },
            depth: DEPTH,
            ..QueueOptions::new(interface)
        };
        let queue = Queue::open(&umem, &mut frames, DEPTH as usize, &options)?;
        filter.set_socket(0, &queue.socket)?;
        let hook = match mode {
            Mode::Generic => Hook::Generic,
            _ => Hook::Native,
        };
        Ok(Wire {
            _link: filter.attach(interface, hook)?,
            queue,
            _filter: filter,
            umem,
            free: frames,
            mac,
            kick_errors: 0,
        })
    }

    /// Our hardware address.
    pub fn mac(&self) -> Mac {
        self.mac
    }

    /// The next frame received.
    pub fn take(&mut self) -> Option<Received> {
        self.queue.rx.pop()
    }

    pub fn bytes<'a>(&'a self, received: &'a Received) -> &'a [u8] {
        self.umem.received(received)
    }

    /// Gives a received frame's memory back.
    pub fn give_back(&mut self, received: Received) {
        let _ = self.queue.fill.push(received.into_frame()); // as deep as there are frames
    }

    /// Tells the kernel what was given back.
    pub fn settle(&mut self) {
        self.queue.rx.release();
        self.queue.fill.publish();
    }

    /// Whether a frame can be sent.
    pub fn has_room(&mut self) -> bool {
        if self.free.is_empty() {
            self.reap();
        }
        !self.free.is_empty()
    }

    /// The wire as the stack sees it for one call: at most this packet comes in, and what goes out
    /// goes to `peer_mac`.
    pub fn line<'a>(
        &'a mut self,
        incoming: Option<(&'a Received, usize)>,
        peer_mac: Mac,
    ) -> Line<'a> {
        let packet = incoming.map(|(received, ip_bytes)| {
            &self.umem.received(received)[ETHERNET_BYTES..ETHERNET_BYTES + ip_bytes]
        });
        Line {
            packet,
            umem: &self.umem,
            queue: &mut self.queue,
            free: &mut self.free,
            macs: (self.mac, peer_mac),
        }
    }

    /// Makes the kernel send what is queued; what it does not take now goes with a later kick.
    pub fn kick(&mut self) {
        for _ in 0..ROUNDS_MAX {
            self.reap();
            match self.queue.tx.kick() {
                Kicked::Empty => return,
                Kicked::Pending => {}
                Kicked::Refused(_) => {
                    self.kick_errors += 1;
                    return;
                }
            }
        }
    }

    /// Takes sent frames back.
    fn reap(&mut self) {
        reap(&mut self.queue, &mut self.free);
    }

    /// The kernel's counters, and the kicks it refused.
    pub fn statistics(&self) -> io::Result<(Statistics, u64)> {
        Ok((self.queue.socket.statistics()?, self.kick_errors))
    }
}

fn reap(queue: &mut Queue, free: &mut Vec<Frame>) {
    let before = free.len();
    while let Some(sent) = queue.completion.pop() {
        free.push(sent.into_frame());
    }
    if free.len() > before {
        queue.completion.release();
    }
}

/// The stack's device for one call.
pub(super) struct Line<'a> {
    packet: Option<&'a [u8]>,
    umem: &'a Umem,
    queue: &'a mut Queue,
    free: &'a mut Vec<Frame>,
    /// Ours and the peer's.
    macs: (Mac, Mac),
}

/// What the stack has to know about the wire. Checksums of what comes in were looked at before.
pub(super) fn capabilities() -> DeviceCapabilities {
    let mut all = DeviceCapabilities::default();
    all.medium = Medium::Ip;
    all.max_transmission_unit = FRAME_BYTES_MAX - ETHERNET_BYTES;
    all.checksum.ipv4 = Checksum::Tx;
    all.checksum.tcp = Checksum::Tx;
    all
}

impl phy::Device for Line<'_> {
    type RxToken<'b>
        = Incoming<'b>
    where
        Self: 'b;
    type TxToken<'b>
        = Outgoing<'b>
    where
        Self: 'b;

    fn receive(&mut self, _: Instant) -> Option<(Incoming<'_>, Outgoing<'_>)> {
        let packet = self.packet.take()?;
        Some((Incoming(packet), self.outgoing()))
    }

    fn transmit(&mut self, _: Instant) -> Option<Outgoing<'_>> {
        if self.free.is_empty() {
            reap(self.queue, self.free);
        }
        (!self.free.is_empty()).then(|| self.outgoing())
    }

    fn capabilities(&self) -> DeviceCapabilities {
        capabilities()
    }
}

impl Line<'_> {
    fn outgoing(&mut self) -> Outgoing<'_> {
        Outgoing {
            umem: self.umem,
            queue: self.queue,
            free: self.free,
            macs: self.macs,
        }
    }
}

/// A packet that came.
pub(super) struct Incoming<'a>(&'a [u8]);

impl phy::RxToken for Incoming<'_> {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        f(self.0)
    }
}

/// Room for a packet to send.
pub(super) struct Outgoing<'a> {
    umem: &'a Umem,
    queue: &'a mut Queue,
    free: &'a mut Vec<Frame>,
    macs: (Mac, Mac),
}

impl phy::TxToken for Outgoing<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, f: F) -> R {
        let Some(mut frame) = self.free.pop() else {
            // Asked for room first, so never here; if ever, the packet is lost as on any wire.
            return f(&mut [0; FRAME_BYTES_MAX][..length]);
        };
        let room = self.umem.room(&mut frame);
        room[0..6].copy_from_slice(&self.macs.1);
        room[6..12].copy_from_slice(&self.macs.0);
        room[12..14].copy_from_slice(&TYPE_IPV4);
        let result = f(&mut room[ETHERNET_BYTES..ETHERNET_BYTES + length]);
        let outgoing = frame.filled(self.umem, ETHERNET_BYTES + length);
        if let Err(outgoing) = self.queue.tx.push(outgoing) {
            self.free.push(outgoing.into_frame()); // cannot be: the ring is as deep as its frames
        }
        result
    }
}
