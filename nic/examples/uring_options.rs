//! What each option of io_uring costs or saves a TCP server, as ratios of one interleaved run.
//!
//! One thread plays both sides: plain calls put one message on each of some sessions, then a
//! variant's ring receives them all and answers them all, and only that is timed. Variants take
//! turns, so that whatever else the machine does meets them alike. Run it as
//! `cargo run --release -p nic --example uring_options`.

#![allow(clippy::unwrap_used)] // a measurement: what fails must stop it

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::time::Instant;

use io_uring::types::{BufRingEntry, Fd, Fixed, Napi};
use io_uring::{IoUring, cqueue, opcode, register::Restriction, squeue};

/// Sessions with a message in each turn, one figure each.
const ACTIVE: [usize; 3] = [1, 4, 16];
const ACTIVE_MAX: usize = 16;
/// Turns of each variant.
const TURNS: usize = 4_000;
const BYTES: usize = 64;
const BUFFERS: u16 = 64;
const GROUP: u16 = 0;
const SEND: u64 = 1 << 32;
const POLL_FIRST: u16 = 1;

#[derive(Clone, Copy, Debug, Default)]
struct Variant {
    name: &'static str,
    files: bool,
    ring_fd: bool,
    poll_first: bool,
    multishot: bool,
    fixed_buffers: bool,
    restricted: bool,
    napi: bool,
}

fn variants() -> Vec<Variant> {
    let base = Variant {
        name: "descriptors",
        ..Variant::default()
    };
    let files = Variant {
        name: "registered files",
        files: true,
        ..base
    };
    let named = |name, change: fn(&mut Variant)| {
        let mut variant = Variant { name, ..files };
        change(&mut variant);
        variant
    };
    vec![
        base,
        files,
        named("+ registered ring", |v| v.ring_fd = true),
        named("+ poll first", |v| v.poll_first = true),
        named("+ multishot, buffer ring", |v| v.multishot = true),
        named("+ registered buffers", |v| v.fixed_buffers = true),
        named("+ restrictions", |v| v.restricted = true),
        named("+ NAPI", |v| v.napi = true),
    ]
}

/// One page of buffer ring and the buffers it hands out.
struct Pool {
    entries: *mut BufRingEntry,
    buffers: Vec<[u8; BYTES]>,
    tail: u16,
}

impl Pool {
    fn new(ring: &IoUring) -> Pool {
        let length = usize::from(BUFFERS) * size_of::<BufRingEntry>();
        let (access, kind) = (
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
        );
        // SAFETY: asks for new memory, which this process keeps until it ends.
        let at = unsafe { libc::mmap(std::ptr::null_mut(), length, access, kind, -1, 0) };
        assert!(at != libc::MAP_FAILED);
        // SAFETY: the memory is page-aligned, big enough and never freed.
        unsafe {
            ring.submitter()
                .register_buf_ring_with_flags(at as u64, BUFFERS, GROUP, 0)
        }
        .unwrap();
        let mut pool = Pool {
            entries: at.cast(),
            buffers: vec![[0; BYTES]; usize::from(BUFFERS)],
            tail: 0,
        };
        (0..BUFFERS).for_each(|id| pool.give(id));
        pool
    }

    fn give(&mut self, id: u16) {
        let place = usize::from(self.tail & (BUFFERS - 1));
        // SAFETY: the place is below the number of entries that are mapped.
        let at = unsafe { self.entries.add(place) };
        // SAFETY: mapped; the kernel reads it only while this thread is inside it.
        let entry = unsafe { &mut *at };
        entry.set_addr(self.buffers[usize::from(id)].as_ptr() as u64);
        entry.set_len(BYTES as u32);
        entry.set_bid(id);
        self.tail = self.tail.wrapping_add(1);
        // SAFETY: the first entry holds the tail.
        let tail = unsafe { BufRingEntry::tail(self.entries) }.cast_mut();
        // SAFETY: as above. No barrier: deferred work selects buffers on this thread.
        unsafe { tail.write_volatile(self.tail) };
    }
}

struct Server {
    variant: Variant,
    ring: IoUring,
    peers: Vec<TcpStream>,
    sockets: Vec<TcpStream>,
    buffers: Box<[[u8; BYTES]; ACTIVE_MAX]>,
    pool: Option<Pool>,
    spent_ns: Vec<u64>,
    enters: u64,
}

impl Server {
    fn new(variant: Variant) -> Server {
        let mut builder = IoUring::builder();
        builder.setup_single_issuer().setup_r_disabled();
        builder.setup_defer_taskrun().setup_taskrun_flag();
        let ring = builder.build(64).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (mut peers, mut sockets) = (Vec::new(), Vec::new());
        for _ in 0..ACTIVE_MAX {
            let peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (socket, _) = listener.accept().unwrap();
            peer.set_nodelay(true).unwrap();
            socket.set_nodelay(true).unwrap();
            peers.push(peer);
            sockets.push(socket);
        }
        let raw: Vec<_> = sockets.iter().map(AsRawFd::as_raw_fd).collect();
        ring.submitter().register_files(&raw).unwrap();
        let mut buffers = Box::new([[0u8; BYTES]; ACTIVE_MAX]);
        if variant.fixed_buffers {
            let one = libc::iovec {
                iov_base: buffers.as_mut_ptr().cast(),
                iov_len: BYTES * ACTIVE_MAX,
            };
            // SAFETY: the box lives as long as the ring.
            unsafe { ring.submitter().register_buffers(&[one]) }.unwrap();
        }
        if variant.restricted {
            restrict(&ring);
        }
        if variant.napi {
            let mut napi = Napi::new()
                .set_busy_poll_timeout(50)
                .set_prefer_busy_poll(true);
            println!("NAPI: {:?}", ring.submitter().register_napi(&mut napi));
        }
        ring.submitter().register_enable_rings().unwrap();
        if variant.ring_fd {
            ring.submitter().register_ring_fd().unwrap();
        }
        let pool = variant.multishot.then(|| Pool::new(&ring));
        let mut server = Server {
            variant,
            ring,
            peers,
            sockets,
            buffers,
            pool,
            spent_ns: Vec::new(),
            enters: 0,
        };
        (0..ACTIVE_MAX).for_each(|place| server.receive(place));
        server.enter();
        server
    }

    fn push(&mut self, entry: squeue::Entry, tag: u64) {
        // SAFETY: what entries point at lives as long as the server.
        unsafe { self.ring.submission().push(&entry.user_data(tag)) }.unwrap();
    }

    fn receive(&mut self, place: usize) {
        let (fixed, fd) = (Fixed(place as u32), Fd(self.sockets[place].as_raw_fd()));
        let to = self.buffers[place].as_mut_ptr();
        let ioprio = if self.variant.poll_first {
            POLL_FIRST
        } else {
            0
        };
        let entry = if self.variant.multishot {
            opcode::RecvMulti::new(fixed, GROUP).build()
        } else if self.variant.fixed_buffers {
            opcode::ReadFixed::new(fixed, to, BYTES as u32, 0).build()
        } else if self.variant.files {
            opcode::Recv::new(fixed, to, BYTES as u32)
                .ioprio(ioprio)
                .build()
        } else {
            opcode::Recv::new(fd, to, BYTES as u32).build()
        };
        self.push(entry, place as u64);
    }

    fn send(&mut self, place: usize, from: *const u8) {
        let (fixed, fd) = (Fixed(place as u32), Fd(self.sockets[place].as_raw_fd()));
        let entry = if self.variant.fixed_buffers {
            opcode::WriteFixed::new(fixed, from, BYTES as u32, 0).build()
        } else if self.variant.files {
            opcode::Send::new(fixed, from, BYTES as u32).build()
        } else {
            opcode::Send::new(fd, from, BYTES as u32).build()
        };
        self.push(entry, SEND | place as u64);
    }

    fn enter(&mut self) {
        self.enters += 1;
        let queued = self.ring.submission().len() as u32;
        // SAFETY: entries are valid and no argument is passed.
        unsafe { self.ring.submitter().enter::<()>(queued, 0, 1, None) }.unwrap();
    }

    /// One message to each of `active` sessions and back; the server's part is timed.
    fn turn(&mut self, active: usize) {
        for peer in &mut self.peers[..active] {
            peer.write_all(&[7; BYTES]).unwrap();
        }
        let start = Instant::now();
        let (mut came, mut sent) = (0, 0);
        while came < active || sent < active {
            self.enter();
            let done: Vec<_> = self.ring.completion().collect();
            for entry in done {
                assert!(entry.result() == BYTES as i32, "{entry:?}");
                let place = (entry.user_data() & 0xffff_ffff) as usize;
                if entry.user_data() & SEND != 0 {
                    sent += 1;
                    continue;
                }
                came += 1;
                let mut from = self.buffers[place].as_ptr();
                if let (Some(pool), Some(id)) =
                    (&mut self.pool, cqueue::buffer_select(entry.flags()))
                {
                    // The answer leaves from the session's own memory, as a port's would.
                    self.buffers[place] = pool.buffers[usize::from(id)];
                    from = self.buffers[place].as_ptr();
                    pool.give(id);
                }
                if !cqueue::more(entry.flags()) {
                    self.receive(place);
                }
                self.send(place, from);
            }
        }
        self.spent_ns.push(start.elapsed().as_nanos() as u64);
        for peer in &mut self.peers[..active] {
            peer.read_exact(&mut [0; BYTES]).unwrap();
        }
    }
}

fn restrict(ring: &IoUring) {
    let fixed = squeue::Flags::FIXED_FILE.bits();
    let mut rules = [
        Restriction::sqe_op(opcode::Recv::CODE),
        Restriction::sqe_op(opcode::Send::CODE),
        Restriction::sqe_flags_allowed(fixed),
        Restriction::sqe_flags_required(fixed),
    ];
    ring.submitter().register_restrictions(&mut rules).unwrap();
}

fn main() {
    let mut servers: Vec<Server> = variants().into_iter().map(Server::new).collect();
    for active in ACTIVE {
        for server in &mut servers {
            server.spent_ns.clear();
            server.enters = 0;
        }
        for _ in 0..TURNS {
            servers.iter_mut().for_each(|server| server.turn(active));
        }
        println!(
            "{active} sessions active, {BYTES} bytes there and back, server's part of a turn:"
        );
        let mut base_ns = 0;
        for server in &mut servers {
            server.spent_ns.sort_unstable();
            let spent_ns = server.spent_ns[TURNS / 2];
            if base_ns == 0 {
                base_ns = spent_ns;
            }
            let (ratio, enters) = (
                spent_ns as f64 / base_ns as f64,
                server.enters as f64 / TURNS as f64,
            );
            let name = server.variant.name;
            println!("  {name:28} p50 {spent_ns:7} ns  ratio {ratio:.3}  enters {enters:.2}");
        }
    }
}
