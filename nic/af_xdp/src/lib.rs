//! AF_XDP sockets on libc alone: frames between a network interface and our own memory, around the
//! kernel's network stack.
//!
//! No clang, no libbpf, nothing at build time: the eBPF program is assembled here and attached by a
//! BPF link, so the kernel detaches it when the process ends, however it ends. Frames that the
//! [`Rule`] does not name go on to the kernel: ARP, ssh and the rest keep working. Needs root, or
//! CAP_NET_RAW, CAP_NET_ADMIN and CAP_BPF (and CAP_IPC_LOCK or a high limit of locked memory).
//!
//! # The simple way
//!
//! A [`Port`] is one interface, or some of its queues, with memory of its own:
//!
//! ```no_run
//! use af_xdp::{Mode, Options, Port, Rule, interface_index};
//!
//! # fn main() -> Result<(), af_xdp::Error> {
//! let options = Options::new(interface_index("eth0")?, Mode::Native, Rule::udp(&[5001]));
//! let mut port = Port::open(&options)?;
//! loop {
//!     port.receive(&mut |frame| println!("{} bytes", frame.len()));
//! }
//! # }
//! ```
//!
//! # The whole
//!
//! A [`Umem`] is memory for frames; each of its [`Frame`]s is owned, by you or by a ring. A
//! [`Queue`] is a socket with its four rings. A [`Filter`] is the program; a [`Link`] its
//! attachment. This sends every datagram to port 7 back to where it came from, without a copy:
//!
//! ```no_run
//! use af_xdp::{Filter, Hook, Queue, QueueOptions, Rule, Umem, UmemOptions, interface_index};
//!
//! # fn swap(_frame: &mut [u8]) {}
//! # fn main() -> Result<(), af_xdp::Error> {
//! let interface = interface_index("eth0")?;
//! let (umem, mut frames) = Umem::create(&UmemOptions::default())?;
//! let mut queue = Queue::open(&umem, &mut frames, 0, &QueueOptions::new(interface))?;
//! println!("{}", queue.socket.report());
//! let filter = Filter::load(&Rule::udp(&[7]))?;
//! filter.set_socket(0, &queue.socket)?;
//! let _link = filter.attach(interface, Hook::Native)?;
//! loop {
//!     while let Some(mut received) = queue.rx.pop() {
//!         swap(umem.received_mut(&mut received));
//!         if let Err(full) = queue.tx.push(received.into_outgoing()) {
//!             frames.push(full.into_frame()); // the TX ring is full: this one is not answered
//!         }
//!     }
//!     queue.rx.release();
//!     queue.tx.kick();
//!     while let Some(sent) = queue.completion.pop() {
//!         frames.push(sent.into_frame());
//!     }
//!     queue.completion.release();
//!     while let Some(frame) = frames.pop() {
//!         if let Err(frame) = queue.fill.push(frame) {
//!             frames.push(frame);
//!             break;
//!         }
//!     }
//!     queue.fill.publish();
//! }
//! # }
//! ```
//!
//! - **Several queues, one memory.** Open one [`Queue`] for each queue of the interface, all with
//!   one [`Umem`]: the later join the first. Frames may go out by another queue than they came by.
//! - **Another process** is given [`Umem::file`] (by inheritance or SCM_RIGHTS) and maps it as a
//!   [`View`], to read only; a [`Span`] tells it where the bytes of a frame are.
//! - **Packets longer than a frame** come and go in parts: [`QueueOptions::multi_buffer`],
//!   [`LoadOptions::multi_buffer`], [`RxRing::pop_packet`], [`TxRing::push_packet`].
//! - **What the card knows**: [`RxMetadata`] of a frame received, [`TxRequest`] for one to send.
//!   What a driver does not have is absent, never made up; [`Features`] says beforehand.
//! - **Nothing falls back in silence**: [`Report`] says what was granted, [`Statistics`] what was
//!   lost, [`Umem::census`] where the frames are.
//!
//! # Things that surprise
//!
//! - In copy mode every send is a system call, and one call sends 32 frames; [`TxRing::kick`] goes
//!   on until all are taken. A frame counts as sent only when it comes out of the completion ring:
//!   keep taking them back, or sending stops.
//! - A UDP datagram from the kernel over a virtual interface has no finished checksum, only the sum
//!   of the pseudo-header.
//! - A card that takes VLAN tags off frames (`ethtool -k`, rx-vlan-offload) hides them from the
//!   program: switch that off for a [`Rule`] that looks at them.
//! - In generic mode all frames of a virtual interface come by its queue 0.
//! - The queue of a dropped socket is free a little later; [`Queue::open`] waits for it.
//! - On a virtual interface busy polling and native mode are slower than neither; on a card it is
//!   the other way round.

mod asm;
mod bind;
mod btf;
mod error;
mod features;
mod filter;
mod frame;
mod map;
mod memfd;
mod metadata;
mod options;
mod port;
mod program;
mod queue;
mod report;
mod ring;
mod rings;
mod rule;
mod sender;
mod socket;
mod statistics;
mod sys;
mod umem;
mod view;

pub use error::Error;
pub use features::Features;
pub use filter::{Action, Filter, Hook, Link, LoadOptions, QUEUES_MAX};
pub use frame::{Frame, Outgoing, PARTS_MAX, Received, Sent, Span};
pub use metadata::{MetadataKey, RxHash, RxMetadata, TxChecksum, TxRequest};
pub use options::{Mode, Options, PORT_QUEUES_MAX};
pub use port::{
    Arrived, FRAME_BYTES, FRAME_BYTES_MAX, Full, PORT_DEPTH, PORT_DEPTH_MAX, Port, PortStatistics,
};
pub use queue::{BusyPoll, Copying, DEPTH_MAX, Queue, QueueOptions, Socket, WAIT_MAX, wait};
pub use report::{Answer, BusyPollReport, Report};
pub use rings::{CompletionRing, FillRing, Kicked, RxRing, TxRing};
pub use rule::{ADDRESSES_MAX, PORTS_MAX, Rule};
pub use sender::Sender;
pub use socket::interface_index;
pub use statistics::Statistics;
pub use umem::{Census, FRAMES_MAX, Pages, Requests, Umem, UmemOptions};
pub use view::View;
