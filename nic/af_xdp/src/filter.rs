//! The loaded redirect program with its maps, and its attachment to an interface.

use std::net::Ipv4Addr;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use crate::asm::Instruction;
use crate::btf;
use crate::error::Error;
use crate::metadata::MetadataKey;
use crate::program::{References, assemble, port_key};
use crate::rule::{ADDRESSES_MAX, PORTS_MAX, Rule};
use crate::sys;

/// Most queues an interface may have: numbers of queues are below it.
pub const QUEUES_MAX: u32 = 256;

/// Bytes of the verifier's log that are shown.
const LOG_BYTES: usize = 64 << 10;

/// XDP_FLAGS_SKB_MODE and XDP_FLAGS_DRV_MODE.
const ATTACH_GENERIC: u32 = 1 << 1;
const ATTACH_NATIVE: u32 = 1 << 2;
/// BPF_F_XDP_HAS_FRAGS and BPF_F_XDP_DEV_BOUND_ONLY.
const LOAD_MULTI_BUFFER: u32 = 1 << 5;
const LOAD_FOR_DEVICE: u32 = 1 << 6;

const UDP: u8 = 17;
const TCP: u8 = 6;

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

/// Where a program is attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hook {
    /// In the driver; not every driver has it.
    Native,
    /// Behind the driver, on any interface.
    Generic,
}

/// How a program is loaded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LoadOptions {
    /// Takes packets that come in several buffers; needed in native mode where the interface's MTU
    /// is longer than a page.
    pub multi_buffer: bool,
    /// Asks the driver of this interface about each frame and writes the answers before it: see
    /// [`RxMetadata`](crate::RxMetadata). Then only native mode of this interface will do.
    pub metadata_of: Option<u32>,
}

/// The loaded program with its maps.
#[derive(Debug)]
pub struct Filter {
    program: OwnedFd,
    ports: OwnedFd,
    addresses: OwnedFd,
    sockets: OwnedFd,
    metadata: bool,
    any_address: bool,
}

/// A program attached to an interface. It is detached when the link is dropped, and by the kernel
/// when the process ends, however it ends. A child process that was forked holds a copy until it
/// becomes another program (exec), and for so long frames may still be redirected.
#[derive(Debug)]
pub struct Link {
    _fd: OwnedFd,
}

impl Filter {
    /// Loads the program for `rule`.
    pub fn load(rule: &Rule) -> Result<Filter, Error> {
        Filter::load_with(rule, LoadOptions::default())
    }

    /// Loads the program for `rule`. An error for `metadata_of` means that the kernel or the driver
    /// has no such thing: load again without.
    pub fn load_with(rule: &Rule, options: LoadOptions) -> Result<Filter, Error> {
        let ports = create_map(sys::MAP_TYPE_HASH, PORTS_MAX)?;
        let addresses = create_map(sys::MAP_TYPE_HASH, ADDRESSES_MAX)?;
        let sockets = create_map(sys::MAP_TYPE_XSK, QUEUES_MAX)?;
        let references = References {
            ports: ports.as_raw_fd(),
            addresses: addresses.as_raw_fd(),
            sockets: sockets.as_raw_fd(),
            metadata: options
                .metadata_of
                .map(|_| kernel_functions())
                .transpose()?,
        };
        let filter = Filter {
            program: load(&assemble(rule, references), options)?,
            ports,
            addresses,
            sockets,
            metadata: options.metadata_of.is_some(),
            any_address: rule.addresses.is_empty(),
        };
        for &port in &rule.udp_ports {
            filter.add_udp_port(port)?;
        }
        for &port in &rule.tcp_ports {
            filter.add_tcp_port(port)?;
        }
        for &address in &rule.addresses {
            filter.add_address(address)?;
        }
        Ok(filter)
    }

    /// Takes one more UDP port, in effect at once.
    pub fn add_udp_port(&self, port: u16) -> Result<(), Error> {
        let step = "adding a UDP port to the filter";
        update_map(&self.ports, port_key(UDP, port), 1, step)
    }

    /// Takes one more TCP port, in effect at once.
    pub fn add_tcp_port(&self, port: u16) -> Result<(), Error> {
        let step = "adding a TCP port to the filter";
        update_map(&self.ports, port_key(TCP, port), 1, step)
    }

    /// Takes one more destination address, in effect at once. A program whose rule named none takes
    /// them all and is not changed.
    pub fn add_address(&self, address: Ipv4Addr) -> Result<(), Error> {
        let step = "adding an address to the filter";
        let key = u32::from_ne_bytes(address.octets());
        if self.any_address {
            return Ok(());
        }
        update_map(&self.addresses, key, 1, step)
    }

    /// Frames of queue `queue` go to this AF_XDP socket. Those of queues without one go to the
    /// kernel.
    pub fn set_socket(&self, queue: u32, socket: impl AsFd) -> Result<(), Error> {
        let value = socket.as_fd().as_raw_fd() as u32;
        let step = "giving the socket to the filter";
        update_map(&self.sockets, queue, value, step)
    }

    /// What reads the metadata before a frame, if this program writes it.
    pub fn metadata(&self) -> Option<MetadataKey> {
        self.metadata.then_some(MetadataKey(()))
    }

    /// Attaches to the interface for as long as the link lives.
    pub fn attach(&self, interface: u32, hook: Hook) -> Result<Link, Error> {
        let mut arguments = sys::LinkCreate {
            program: self.program.as_raw_fd() as u32,
            interface,
            attach_type: sys::ATTACH_XDP,
            flags: match hook {
                Hook::Native => ATTACH_NATIVE,
                Hook::Generic => ATTACH_GENERIC,
            },
        };
        let step = "attaching the XDP program";
        // SAFETY: no addresses inside.
        let fd = unsafe { sys::bpf_fd(sys::LINK_CREATE, &mut arguments, step) }?;
        Ok(Link { _fd: fd })
    }

    /// What the program would decide about `frame` arriving on queue 0, without any interface. Not
    /// for a program with metadata.
    pub fn test(&self, frame: &[u8]) -> Result<Action, Error> {
        let mut arguments = sys::ProgramTestRun {
            program: self.program.as_raw_fd() as u32,
            data_in_bytes: frame.len() as u32,
            data_in: frame.as_ptr() as u64,
            repeat: 1,
            ..sys::ProgramTestRun::default()
        };
        let step = "running the XDP program";
        // SAFETY: the frame is readable for the length given; nothing is written back.
        unsafe { sys::bpf(sys::PROGRAM_TEST_RUN, &mut arguments, step) }?;
        Ok(match arguments.result {
            2 => Action::Pass,
            4 => Action::Redirect,
            other => Action::Other(other),
        })
    }
}

/// BTF ids of the functions that ask the driver.
fn kernel_functions() -> Result<[u32; 3], Error> {
    let found = btf::functions([
        "bpf_xdp_metadata_rx_timestamp",
        "bpf_xdp_metadata_rx_hash",
        "bpf_xdp_metadata_rx_vlan_tag",
    ])?;
    let [Some(timestamp), Some(hash), Some(vlan)] = found else {
        let step = "looking for the kernel's metadata functions";
        return Err(Error::new(step, std::io::ErrorKind::Unsupported.into()));
    };
    Ok([timestamp, hash, vlan])
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
fn load(program: &[Instruction], options: LoadOptions) -> Result<OwnedFd, Error> {
    let step = "loading the XDP program";
    let mut name = [0; 16];
    name[..6].copy_from_slice(b"af_xdp");
    let flag = |set: bool, flag: u32| if set { flag } else { 0 };
    let arguments = || sys::ProgramLoad {
        kind: sys::PROGRAM_TYPE_XDP,
        instruction_count: program.len() as u32,
        instructions: program.as_ptr() as u64,
        license: c"Dual MIT/GPL".as_ptr() as u64,
        flags: flag(options.multi_buffer, LOAD_MULTI_BUFFER)
            | flag(options.metadata_of.is_some(), LOAD_FOR_DEVICE),
        name,
        interface: options.metadata_of.unwrap_or(0),
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
