//! Takes everything that arrives at an interface and writes it to a file that Wireshark reads. The
//! kernel sees nothing of it meanwhile: meant for a port that a switch mirrors to.
//!
//! All queues share one memory, and packets longer than a frame come in parts. As root, with a
//! cable between this namespace and one called `far`:
//!
//! ```text
//! cargo build -p af_xdp --example capture
//! ip netns add far
//! ip link add near0 type veth peer name far0 netns far
//! ip address add 10.9.0.1/24 dev near0 && ip link set near0 up
//! ip -n far link set far0 up
//! ip netns exec far target/debug/examples/capture far0 1 /tmp/far.pcap 10 &
//! ping -c 3 10.9.0.2                        # nobody answers: its ARP requests are captured
//! ip netns del far
//! ```

use std::env;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use af_xdp::{
    Filter, Frame, Hook, LoadOptions, Queue, QueueOptions, Received, Rule, Umem, UmemOptions,
    interface_index, wait,
};

/// Entries of each queue's rings, and frames that it receives into.
const DEPTH: u32 = 2048;
const QUEUES_MAX: u32 = 64;
const PAUSE: Duration = Duration::from_millis(100);
/// Longest packet said to be in the file.
const PACKET_BYTES_MAX: u32 = 65_536;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (interface, queues, file, count) = match &arguments[..] {
        [interface, queues, file] => (interface, queues.parse(), file, Ok(u64::MAX)),
        [interface, queues, file, count] => (interface, queues.parse(), file, count.parse()),
        _ => return usage(),
    };
    let (Ok(queues @ 1..=QUEUES_MAX), Ok(count)) = (queues, count) else {
        return usage();
    };
    match run(interface, queues, file, count) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("capture: {error}");
            ExitCode::FAILURE
        }
    }
}

fn usage() -> ExitCode {
    eprintln!("usage: capture INTERFACE QUEUES FILE [PACKETS]");
    ExitCode::FAILURE
}

/// Until so many packets are written, or it is killed.
fn run(interface: &str, queues: u32, file: &str, count: u64) -> io::Result<()> {
    let mut file = BufWriter::new(File::create(file)?);
    begin(&mut file)?;
    let interface = interface_index(interface)?;
    let (umem, mut frames) = Umem::create(&UmemOptions {
        frames: queues * DEPTH,
        frame_bytes: 4096,
        ..UmemOptions::default()
    })?;
    let parts = LoadOptions {
        multi_buffer: true,
        ..LoadOptions::default()
    };
    let filter = Filter::load_with(&Rule::everything(), parts)?;
    let mut sockets = Vec::new();
    for queue in 0..queues {
        let options = QueueOptions {
            queue,
            depth: DEPTH,
            multi_buffer: true,
            ..QueueOptions::new(interface)
        };
        let opened = Queue::open(&umem, &mut frames, 0, &options)?;
        println!("capture: queue {queue}: {}", opened.socket.report());
        filter.set_socket(queue, &opened.socket)?;
        sockets.push((opened, Vec::new()));
    }
    let native = filter.attach(interface, Hook::Native);
    let _link = native.or_else(|error| {
        println!("capture: in the generic hook, because {error}");
        filter.attach(interface, Hook::Generic)
    })?;
    let mut left = count;
    while left > 0 {
        let before = left;
        for (queue, parts) in &mut sockets {
            left -= drain(&umem, queue, parts, left, &mut file)?;
        }
        if left == before {
            file.flush()?;
            let waiting: Vec<_> = sockets.iter().map(|(queue, _)| &queue.socket).collect();
            wait(&waiting, PAUSE)?;
        }
    }
    for (queue, _) in &sockets {
        println!("capture: {:?}", queue.socket.statistics()?);
    }
    file.flush()
}

/// Writes what one queue has, at most `count` packets; returns how many.
fn drain(
    umem: &Umem,
    queue: &mut Queue,
    parts: &mut Vec<Received>,
    count: u64,
    file: &mut impl Write,
) -> io::Result<u64> {
    let mut written = 0;
    while written < count && queue.rx.pop_packet(parts) {
        record(umem, parts, file)?;
        written += 1;
        for frame in parts.drain(..).map(Received::into_frame) {
            give_back(queue, frame);
        }
    }
    queue.rx.release();
    queue.fill.publish();
    Ok(written)
}

/// The fill ring has room for all frames that the queue has.
fn give_back(queue: &mut Queue, frame: Frame) {
    if queue.fill.push(frame).is_err() {
        eprintln!("capture: a frame too many");
    }
}

/// The head of a pcap file: nanoseconds, Ethernet.
fn begin(file: &mut impl Write) -> io::Result<()> {
    file.write_all(&0xa1b2_3c4du32.to_ne_bytes())?;
    file.write_all(&[2u16.to_ne_bytes(), 4u16.to_ne_bytes()].concat())?;
    file.write_all(&[0; 8])?;
    file.write_all(&[PACKET_BYTES_MAX.to_ne_bytes(), 1u32.to_ne_bytes()].concat())
}

fn record(umem: &Umem, parts: &[Received], file: &mut impl Write) -> io::Result<()> {
    let length: usize = parts.iter().map(|part| umem.received(part).len()).sum();
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.unwrap_or_default();
    let head = [
        now.as_secs() as u32,
        now.subsec_nanos(),
        length as u32,
        length as u32,
    ];
    for word in head {
        file.write_all(&word.to_ne_bytes())?;
    }
    parts
        .iter()
        .try_for_each(|part| file.write_all(umem.received(part)))
}
