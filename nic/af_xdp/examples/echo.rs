//! Sends UDP datagrams back to where they came from, around the kernel and without a copy of ours:
//! the frame that came in goes out again, its addresses swapped.
//!
//! As root, with a cable between this namespace and one called `far`:
//!
//! ```text
//! cargo build -p af_xdp --example echo
//! ip netns add far
//! ip link add near0 type veth peer name far0 netns far
//! ip address add 10.9.0.1/24 dev near0 && ip link set near0 up
//! ip -n far address add 10.9.0.2/24 dev far0 && ip -n far link set far0 up
//! ip netns exec far target/debug/examples/echo far0 7 native &
//! bash -c 'exec 3<>/dev/udp/10.9.0.2/7; echo hello >&3; head -1 <&3'
//! kill %1; ip netns del far                 # the program goes with the process
//! ```
//!
//! ARP still goes to the kernel of `far`, which is why the name of the address is found at all.

use std::env;
use std::process::ExitCode;

use af_xdp::{
    Error, Filter, Frame, Hook, Queue, QueueOptions, Rule, Umem, UmemOptions, interface_index,
};

/// Ethernet, IPv4 and UDP headers; the program lets nothing shorter through, and no IP options.
const HEADERS_BYTES: usize = 42;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (interface, port, hook) = match &arguments[..] {
        [interface, port] => (interface, port.parse(), Hook::Generic),
        [interface, port, hook] if hook == "generic" => (interface, port.parse(), Hook::Generic),
        [interface, port, hook] if hook == "native" => (interface, port.parse(), Hook::Native),
        _ => return usage(),
    };
    let Ok(port) = port else { return usage() };
    match run(interface, port, hook) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("echo: {error}");
            ExitCode::FAILURE
        }
    }
}

fn usage() -> ExitCode {
    eprintln!("usage: echo INTERFACE PORT [native|generic]");
    ExitCode::FAILURE
}

/// Until it is killed.
fn run(interface: &str, port: u16, hook: Hook) -> Result<(), Error> {
    let interface = interface_index(interface)?;
    let (umem, mut spare) = Umem::create(&UmemOptions::default())?;
    let mut queue = Queue::open(&umem, &mut spare, 0, &QueueOptions::new(interface))?;
    let filter = Filter::load(&Rule::udp(&[port]))?;
    filter.set_socket(0, &queue.socket)?;
    let _link = filter.attach(interface, hook)?;
    println!("echo: {}", queue.socket.report());
    loop {
        answer(&umem, &mut queue, &mut spare);
        queue.tx.kick();
        while let Some(sent) = queue.completion.pop() {
            spare.push(sent.into_frame());
        }
        queue.completion.release();
        while let Some(frame) = spare.pop() {
            if let Err(frame) = queue.fill.push(frame) {
                spare.push(frame);
                break;
            }
        }
        queue.fill.publish();
        std::hint::spin_loop();
    }
}

/// Turns what came in around.
fn answer(umem: &Umem, queue: &mut Queue, spare: &mut Vec<Frame>) {
    while let Some(mut received) = queue.rx.pop() {
        swap(umem.received_mut(&mut received));
        if let Err(full) = queue.tx.push(received.into_outgoing()) {
            spare.push(full.into_frame()); // no room to send: a datagram may be lost
        }
    }
    queue.rx.release();
}

fn swap(frame: &mut [u8]) {
    let Some((headers, _)) = frame.split_first_chunk_mut::<HEADERS_BYTES>() else {
        return;
    };
    let (to, from) = headers[0..12].split_at_mut(6);
    to.swap_with_slice(from);
    let (from, to) = headers[26..34].split_at_mut(4);
    from.swap_with_slice(to);
    let (from, to) = headers[34..38].split_at_mut(2);
    from.swap_with_slice(to);
    // "Not computed": over a virtual cable the one that came is not finished either.
    headers[40..42].fill(0);
}
