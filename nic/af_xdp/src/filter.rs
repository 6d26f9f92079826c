//! The eBPF program that decides which frames are ours: whole, plain IPv4 UDP datagrams to one of
//! our ports. Everything else goes on to the kernel.
//!
//! A frame is passed on when it is short, VLAN-tagged, not IPv4, carries IP options, is a fragment,
//! is not UDP, or its port is not in the port map. The verdict for our own frames carries XDP_PASS
//! as the fallback, so queues without a socket reach the kernel instead of being dropped.

use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

use crate::asm::{Assembler, Instruction, Width};
use crate::error::Error;
use crate::port::Mode;
use crate::sys;

/// Most UDP ports one filter can hold.
pub const PORTS_MAX: u32 = 64;
/// Most queues an interface may have.
const QUEUES_MAX: u32 = 256;

/// Bytes of the verifier's log that are shown.
const LOG_BYTES: usize = 64 << 10;

const XDP_PASS: i32 = 2;
const FUNCTION_MAP_LOOKUP: i32 = 1;
const FUNCTION_REDIRECT_MAP: i32 = 51;

/// XDP_FLAGS_SKB_MODE and XDP_FLAGS_DRV_MODE.
const ATTACH_GENERIC: u32 = 1 << 1;
const ATTACH_NATIVE: u32 = 1 << 2;

/// What the program decides about a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// On to the kernel's network stack.
    Pass,
    /// To the AF_XDP socket.
    Redirect,
    /// Another verdict, which our program never gives.
    Other(u32),
}

/// The loaded program with its two maps.
#[derive(Debug)]
pub struct Filter {
    program: OwnedFd,
    ports: OwnedFd,
    sockets: OwnedFd,
}

/// A program attached to an interface; dropping it detaches.
#[derive(Debug)]
pub struct Link {
    _fd: OwnedFd,
}

impl Filter {
    /// Loads the program for these UDP destination ports, at most [`PORTS_MAX`].
    pub fn load(ports: &[u16]) -> Result<Filter, Error> {
        let port_map = create_map(sys::MAP_TYPE_HASH, PORTS_MAX)?;
        let sockets = create_map(sys::MAP_TYPE_XSK, QUEUES_MAX)?;
        let program = load(&assemble(port_map.as_raw_fd(), sockets.as_raw_fd()))?;
        let filter = Filter {
            program,
            ports: port_map,
            sockets,
        };
        for &port in ports {
            filter.add_port(port)?;
        }
        Ok(filter)
    }

    /// Takes one more UDP port, in effect at once.
    pub fn add_port(&self, port: u16) -> Result<(), Error> {
        // The program compares the bytes as they lie in the frame.
        update_map(
            &self.ports,
            u32::from(port.to_be()),
            1,
            "adding a port to the filter",
        )
    }

    /// Frames of queue `queue` go to this AF_XDP socket.
    pub fn set_socket(&self, queue: u32, socket: BorrowedFd<'_>) -> Result<(), Error> {
        let value = socket.as_raw_fd() as u32;
        update_map(
            &self.sockets,
            queue,
            value,
            "giving the socket to the filter",
        )
    }

    /// Attaches to the interface for as long as the link lives.
    pub fn attach(&self, interface: u32, mode: Mode) -> Result<Link, Error> {
        let flags = if mode == Mode::Generic {
            ATTACH_GENERIC
        } else {
            ATTACH_NATIVE
        };
        let mut arguments = sys::LinkCreate {
            program: self.program.as_raw_fd() as u32,
            interface,
            attach_type: sys::ATTACH_XDP,
            flags,
        };
        // SAFETY: no addresses inside.
        let fd = unsafe {
            sys::bpf_fd(
                sys::LINK_CREATE,
                &mut arguments,
                "attaching the XDP program",
            )
        }?;
        Ok(Link { _fd: fd })
    }

    /// What the program would decide about `frame` arriving on queue 0, without any interface.
    pub fn test(&self, frame: &[u8]) -> Result<Action, Error> {
        let mut arguments = sys::ProgramTestRun {
            program: self.program.as_raw_fd() as u32,
            data_in_bytes: frame.len() as u32,
            data_in: frame.as_ptr() as u64,
            repeat: 1,
            ..sys::ProgramTestRun::default()
        };
        // SAFETY: the frame is readable for the length given; nothing is written back.
        unsafe {
            sys::bpf(
                sys::PROGRAM_TEST_RUN,
                &mut arguments,
                "running the XDP program",
            )
        }?;
        Ok(match arguments.result {
            2 => Action::Pass,
            4 => Action::Redirect,
            other => Action::Other(other),
        })
    }
}

/// The program. r6 is the context; r2 and r3 are the frame's start and end; r5 is scratch.
fn assemble(ports: i32, sockets: i32) -> Vec<Instruction> {
    let mut asm = Assembler::default();
    asm.copy(6, 1);
    asm.load(Width::Word, 2, 1, 0); // xdp_md.data
    asm.load(Width::Word, 3, 1, 4); // xdp_md.data_end
    asm.copy(4, 2);
    asm.add(4, 14 + 20 + 8); // Ethernet, IPv4 and UDP headers
    asm.jump_if_greater(4, 3);
    asm.load(Width::Half, 5, 2, 12); // type of the Ethernet frame
    asm.jump_unless_equal(5, i32::from(0x0800u16.to_be()));
    asm.load(Width::Byte, 5, 2, 14); // version 4, header of 5 words
    asm.jump_unless_equal(5, 0x45);
    asm.load(Width::Half, 5, 2, 20); // more-fragments flag and fragment offset
    asm.and(5, i32::from(0x3fffu16.to_be()));
    asm.jump_unless_equal(5, 0);
    asm.load(Width::Byte, 5, 2, 23); // protocol
    asm.jump_unless_equal(5, libc::IPPROTO_UDP);
    asm.load(Width::Half, 5, 2, 36); // destination port
    asm.store_word(10, -4, 5);
    asm.load_map(1, ports);
    asm.copy(2, 10);
    asm.add(2, -4);
    asm.call(FUNCTION_MAP_LOOKUP);
    asm.jump_if_equal(0, 0);
    asm.load_map(1, sockets);
    asm.load(Width::Word, 2, 6, 16); // xdp_md.rx_queue_index
    asm.set(3, XDP_PASS);
    asm.call(FUNCTION_REDIRECT_MAP);
    asm.exit();
    asm.label();
    asm.set(0, XDP_PASS);
    asm.exit();
    asm.finish()
}

fn create_map(kind: u32, entries_max: u32) -> Result<OwnedFd, Error> {
    let mut arguments = sys::MapCreate {
        kind,
        key_bytes: 4,
        value_bytes: 4,
        entries_max,
        flags: 0,
    };
    // SAFETY: no addresses inside.
    unsafe { sys::bpf_fd(sys::MAP_CREATE, &mut arguments, "creating a BPF map") }
}

fn update_map(map: &OwnedFd, key: u32, value: u32, step: &'static str) -> Result<(), Error> {
    let mut arguments = sys::MapUpdate {
        map: map.as_raw_fd() as u32,
        key: &raw const key as u64,
        value: &raw const value as u64,
        ..sys::MapUpdate::default()
    };
    // SAFETY: key and value are readable and as wide as the map was made for.
    unsafe { sys::bpf(sys::MAP_UPDATE, &mut arguments, step) }.map(drop)
}

/// Loads; the verifier's log is asked for only when it refuses.
fn load(program: &[Instruction]) -> Result<OwnedFd, Error> {
    let step = "loading the XDP program";
    let mut name = [0; 16];
    name[..9].copy_from_slice(b"wirecross");
    let arguments = || sys::ProgramLoad {
        kind: sys::PROGRAM_TYPE_XDP,
        instruction_count: program.len() as u32,
        instructions: program.as_ptr() as u64,
        license: c"Dual MIT/GPL".as_ptr() as u64,
        name,
        attach_type: sys::ATTACH_XDP,
        ..sys::ProgramLoad::default()
    };
    // SAFETY: instructions and license are readable, and nothing is written.
    let refused = match unsafe { sys::bpf_fd(sys::PROGRAM_LOAD, &mut arguments(), step) } {
        Ok(fd) => return Ok(fd),
        Err(error) => error,
    };
    let mut log = vec![0u8; LOG_BYTES];
    let mut verbose = arguments();
    verbose.log_level = 1;
    verbose.log_bytes = LOG_BYTES as u32;
    verbose.log = log.as_mut_ptr() as u64;
    // SAFETY: as above, and the log is writable for the length given.
    let again = unsafe { sys::bpf_fd(sys::PROGRAM_LOAD, &mut verbose, step) };
    let end = log.iter().position(|&byte| byte == 0).unwrap_or(0);
    again.map_err(|_| refused.with_detail(String::from_utf8_lossy(&log[..end]).into_owned()))
}
