//! TCP over AF_XDP where the way is bad: frames are lost, doubled, reordered and late, and every
//! byte arrives all the same; or mangled, and nobody is harmed for good.
//!
//! More of the last: `NIC_TEST_ROUNDS=5000 cargo test -p nic --test xdp_tcp_impaired no_sense`.

#![allow(clippy::unwrap_used)] // helpers of tests, which the lint's own exemption misses

mod cable;

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::sync::mpsc::{TryRecvError, channel};
use std::time::{Duration, Instant};

use cable::raw::{Packet, sum};
use cable::{LIMITS, Random, Server, cable, can_xdp, exchange, pattern};
use nic::netns::{Netns, VETH_NAME, VethEnd};
use nic::{TcpLimits, TcpPort};

/// What a bridge does to frames, in parts of 1,000.
#[derive(Clone, Copy)]
struct Harm {
    lost: usize,
    doubled: usize,
    /// Frames that wait until so many others have passed, at most.
    late: usize,
    late_by: usize,
    /// Segments with a byte changed and a sum that is right all the same.
    mangled: usize,
}

/// One direction of a bridge.
struct Way {
    from: Packet,
    to: Packet,
    /// Frames held back, and how many others pass first.
    held: VecDeque<(usize, Vec<u8>)>,
}

impl Way {
    /// Passes on what has come; returns whether anything had.
    fn turn(&mut self, harm: Harm, random: &mut Random) -> bool {
        let mut buffer = [0; 2048];
        let mut is_busy = false;
        while let Some(frame) = self.from.receive(&mut buffer) {
            is_busy = true;
            let fate = random.below(1_000);
            if fate < harm.lost {
                continue;
            }
            if random.below(1_000) < harm.late {
                self.held
                    .push_back((1 + random.below(harm.late_by), frame.to_vec()));
                continue;
            }
            if random.below(1_000) < harm.mangled {
                self.to.send(&mangled(frame, random));
                continue;
            }
            let copies = 1 + usize::from(random.below(1_000) < harm.doubled);
            (0..copies).for_each(|_| _ = self.to.send(frame));
            self.release(1);
        }
        if !is_busy {
            self.release(1); // nobody else comes: they have waited long enough
        }
        is_busy
    }

    /// So many frames have passed.
    fn release(&mut self, passed: usize) {
        for _ in 0..self.held.len() {
            let Some((left, frame)) = self.held.pop_front() else {
                break;
            };
            match left.saturating_sub(passed) {
                0 => _ = self.to.send(&frame),
                left => self.held.push_back((left, frame)),
            }
        }
    }
}

/// A TCP segment with a byte behind its IP header changed; other frames as they are.
fn mangled(frame: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = frame.to_vec();
    let length = frame.len();
    if length < 54 || frame[12..14] != [8, 0] || frame[23] != 6 {
        return bytes;
    }
    // Mostly in the header, whose fields decide most.
    let end = if random.below(4) > 0 {
        74.min(length)
    } else {
        length
    };
    let at = 34 + random.below(end - 34);
    bytes[at] = random.next() as u8;
    if (50..52).contains(&at) {
        return bytes;
    }
    bytes[50..52].fill(0);
    let tcp_bytes = (length as u16 - 34).to_be_bytes();
    let pseudo = [&bytes[26..34], &[0, 6], &tcp_bytes].concat();
    let stated = !sum(&[&pseudo, &bytes[34..]]);
    bytes[50..52].copy_from_slice(&stated.to_be_bytes());
    bytes
}

/// A port and a peer in namespaces of their own, joined by a bridge in a third.
struct Bridged {
    left: VethEnd,
    right: VethEnd,
    middle: Netns,
}

/// An end of a cable into `middle`, where its other end is called `name`.
fn end(middle: &Netns, last: u8, name: &str) -> std::io::Result<VethEnd> {
    let netns = Netns::create()?;
    let end = VethEnd {
        netns,
        address: std::net::Ipv4Addr::new(10, 77, 0, last),
        mac: [2, 0, 10, 77, 0, last],
    };
    let mac = end.mac.map(|byte| format!("{byte:02x}")).join(":");
    let far = end
        .netns
        .run(|| std::fs::File::open("/proc/thread-self/ns/net"))??;
    let far = format!("/proc/{}/fd/{}", std::process::id(), {
        use std::os::fd::AsRawFd;
        far.as_raw_fd()
    });
    let peer = ["peer", "name", VETH_NAME, "address", &mac, "netns", &far];
    middle.ip(&[&["link", "add", name, "type", "veth"], &peer[..]].concat())?;
    middle.ip(&["link", "set", "dev", name, "addrgenmode", "none"])?;
    middle.ip(&["link", "set", "dev", name, "up"])?;
    end.netns
        .ip(&["link", "set", "dev", VETH_NAME, "addrgenmode", "none"])?;
    end.netns.ip(&[
        "address",
        "add",
        &format!("{}/24", end.address),
        "dev",
        VETH_NAME,
    ])?;
    end.netns.ip(&["link", "set", "dev", VETH_NAME, "up"])?;
    // Segments as they are on a wire, not sixty-four thousand bytes at once.
    end.netns
        .ip(&["link", "set", "dev", VETH_NAME, "gso_max_segs", "1"])?;
    Ok(end)
}

fn bridged() -> Option<Bridged> {
    let middle = Netns::create()
        .inspect_err(|error| println!("skipped: {error}"))
        .ok()?;
    let bridged = Bridged {
        left: end(&middle, 1, "left").unwrap(),
        right: end(&middle, 2, "right").unwrap(),
        middle,
    };
    can_xdp(&bridged.right).then_some(bridged)
}

/// Runs `work` while a bridge passes frames on in both directions.
fn while_bridging<T>(on: &Bridged, harm: Harm, seed: u64, work: impl FnOnce() -> T) -> T {
    let (going_on, told) = channel::<()>();
    let open = |from, to| Way {
        from: Packet::open(from, true),
        to: Packet::open(to, false),
        held: VecDeque::new(),
    };
    let ways = on
        .middle
        .run(|| [open("left", "right"), open("right", "left")]);
    let mut ways = ways.unwrap();
    std::thread::scope(|scope| {
        let pass = move || {
            let mut random = Random(seed);
            while told.try_recv() != Err(TryRecvError::Disconnected) {
                let busy = ways.each_mut().map(|way| way.turn(harm, &mut random));
                if busy == [false; 2] {
                    std::thread::yield_now();
                }
            }
        };
        scope.spawn(pass);
        // Also when the work panics: then its end of the channel goes, and the bridge after it.
        let going_on = going_on;
        let result = work();
        drop(going_on);
        result
    })
}

/// Streams both ways at once through a bridge that does this, again with other seeds.
fn crosses(harm: Harm, bytes: usize) {
    let Some(on) = bridged() else { return };
    for seed in 1..=2 {
        let mut server = Server::open(&on.right, LIMITS);
        while_bridging(&on, harm, seed, || {
            let peer = server.peer(&on.left);
            let (there, back) = (pattern(bytes, seed as u32), pattern(bytes, 7 * seed as u32));
            exchange(&mut server, &peer, &there, &back);
            server.port.close(peer.1);
            drop(peer);
            server.drive("the end", |server| !server.closed.is_empty());
        });
    }
}

const GOOD: Harm = Harm {
    lost: 0,
    doubled: 0,
    late: 0,
    late_by: 1,
    mangled: 0,
};

#[test]
fn a_good_way() {
    crosses(GOOD, 300_000);
}

#[test]
fn frames_are_lost() {
    crosses(Harm { lost: 10, ..GOOD }, 40_000);
}

#[test]
fn frames_come_twice() {
    crosses(
        Harm {
            doubled: 300,
            ..GOOD
        },
        300_000,
    );
}

#[test]
fn frames_come_late_and_out_of_order() {
    crosses(
        Harm {
            late: 50,
            late_by: 6,
            ..GOOD
        },
        200_000,
    );
}

#[test]
fn all_of_it_together() {
    crosses(
        Harm {
            lost: 5,
            doubled: 50,
            late: 50,
            late_by: 4,
            ..GOOD
        },
        40_000,
    );
}

/// Peers that dial, talk and leave as far as the way lets them.
fn dial_and_talk(from: &VethEnd, to: SocketAddr) {
    let soon = Duration::from_millis(20);
    from.netns
        .run(|| {
            let rounds = std::env::var("NIC_TEST_ROUNDS");
            let rounds = rounds.map_or(100, |rounds| rounds.parse().unwrap());
            let mut round = 0;
            // On a busy machine many a connection is not there soon enough: those are not counted.
            let start = Instant::now();
            while round < rounds && start.elapsed() < Duration::from_secs(50) {
                let Ok(mut peer) = TcpStream::connect_timeout(&to, soon) else {
                    continue;
                };
                round += 1;
                peer.set_read_timeout(Some(soon)).unwrap();
                let mut answer = [0; 4_000];
                for _ in 0..4 {
                    let _ = peer.write_all(&pattern(3_000, round));
                    let _ = peer.read(&mut answer);
                }
            }
        })
        .unwrap();
}

#[test]
fn segments_that_make_no_sense_harm_nobody_later() {
    let Some(on) = bridged() else { return };
    let limits = TcpLimits {
        linger_ms: 50,
        ..LIMITS
    };
    let mut server = Server::open(&on.right, limits);
    let to = server.address();
    let mangling = Harm {
        mangled: 150,
        ..GOOD
    };
    while_bridging(&on, mangling, 11, || {
        std::thread::scope(|scope| {
            let talking = scope.spawn(|| dial_and_talk(&on.left, to));
            while !talking.is_finished() {
                server.poll();
                for (conn, bytes) in std::mem::take(&mut server.data) {
                    server.port.send(conn, &bytes);
                }
            }
            talking.join().unwrap();
        });
    });
    println!("{:?}", server.port);
    assert!(server.opened.len() > 30, "{:?}", server.port);
    while_bridging(&on, GOOD, 12, || {
        // Those that were left half dead make room within the linger.
        let patience = Duration::from_millis(100);
        let start = Instant::now();
        while start.elapsed() < patience {
            server.poll();
        }
        server.closed.clear();
        let all: Vec<_> = server.opened.drain(..).collect();
        all.iter().for_each(|(conn, _)| server.port.close(*conn));
        server.drive("room", |server| server.port.stats().connections == 0);
        server.closed.clear();
        let peer = server.peer(&on.left);
        exchange(&mut server, &peer, &pattern(50_000, 1), &pattern(50_000, 2));
    });
}

#[test]
fn the_peers_firewall_drops_at_random() {
    let Some(pair) = cable() else { return };
    let rules = "table ip harm {
        chain in { type filter hook input priority 0; numgen random mod 1000 < 10 drop; }
        chain out { type filter hook output priority 0; numgen random mod 1000 < 10 drop; }
    }";
    let load = || {
        let mut nft = Command::new("nft")
            .args(["-f", "-"])
            .stdin(Stdio::piped())
            .spawn()?;
        nft.stdin.take().unwrap().write_all(rules.as_bytes())?;
        nft.wait()
    };
    match pair.left.netns.run(load).unwrap() {
        Ok(status) if status.success() => {}
        other => return println!("skipped: no nftables here: {other:?}"),
    }
    let mut server = Server::open(&pair.right, LIMITS);
    let peer = server.peer(&pair.left);
    exchange(&mut server, &peer, &pattern(50_000, 8), &pattern(50_000, 9));
}
