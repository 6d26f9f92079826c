//! AF_XDP sockets on libc alone: frames between a network interface and our own memory, around the
//! kernel's network stack.
//!
//! [`Port::open`] maps memory for frames, opens a socket with its four rings on one queue of an
//! interface, loads a small eBPF program assembled by hand ([`Filter`]) and attaches it by a BPF
//! link. The kernel detaches the program when the process ends, however it ends. Frames that are
//! not for our UDP ports go on to the kernel, so ARP, ssh and the rest keep working.
//!
//! About ten system calls in all; no clang, no libbpf, nothing at build time. Needs root, or
//! CAP_NET_RAW, CAP_NET_ADMIN and CAP_BPF.

mod asm;
mod error;
mod filter;
mod map;
mod port;
mod ring;
mod socket;
mod sys;
mod umem;

pub use error::Error;
pub use filter::{Action, Filter, Link, PORTS_MAX};
pub use port::{Full, Mode, Options, Port, Statistics};
pub use socket::interface_index;
pub use umem::{FRAME_BYTES, FRAME_BYTES_MAX};
