//! What strangers without a password can do to those who trade: connections that never log in,
//! handshakes that never end, and guesses.
//!
//! A few of each; 10,000 of each with `SIEGE_FULL`. Handshakes are cut off by forged packets in a
//! namespace of its own, which takes root; skipped, with the reason printed, without.
#![allow(clippy::unwrap_used)]

mod harness;

use harness::{Member, Site, Venue, counter, wait_until};
use nic::netns::{VETH_NAME, VethOptions, VethPair};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpStream};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::time::Instant;

const FEW: usize = 400;
const MANY: usize = 10_000;

/// The most connections that a venue has room for.
const CONNECTIONS_MAX: usize = 4_096;

/// Trades of which each waits for the one before.
const TRADES: usize = 20;

const IP_BYTES: usize = 20;
const TCP_BYTES: usize = 20;

fn strangers() -> usize {
    let is_full = std::env::var_os("SIEGE_FULL").is_some();
    if is_full { MANY } else { FEW }
}

/// Lets this process have as many descriptors as it may.
fn files_raise() {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: `limit` outlives the call.
    let failed = unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) };
    assert_eq!(failed, 0, "{}", std::io::Error::last_os_error());
    limit.rlim_cur = limit.rlim_max;
    // SAFETY: `limit` outlives the call.
    let failed = unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) };
    assert_eq!(failed, 0, "{}", std::io::Error::last_os_error());
}

/// A venue whose answers do not wait for a disk.
fn site() -> Site {
    Site::new().with("ack = \"disk\"", "ack = \"memory\"")
}

/// Trades that both members are told of; says how long the median and the slowest took.
fn trade(alpha: &mut Member, bravo: &mut Member) -> String {
    let mut times = Vec::with_capacity(TRADES);
    for _ in 0..TRADES {
        let begun = Instant::now();
        let heard = [alpha.replies.len(), bravo.replies.len()];
        alpha.enter(b'S', 10, "AAPL", 1_000_000);
        alpha.until("its order", |alpha| alpha.replies.len() > heard[0]);
        bravo.enter(b'B', 10, "AAPL", 1_000_000);
        bravo.until("the trade", |bravo| bravo.replies.len() == heard[1] + 2);
        alpha.until("the trade", |alpha| alpha.replies.len() == heard[0] + 2);
        for member in [&*alpha, &*bravo] {
            assert_eq!(member.replies.last().unwrap()[0], b'E');
        }
        times.push(begun.elapsed());
    }
    times.sort();
    let [median, slowest] = [TRADES / 2, TRADES - 1].map(|at| times[at].as_secs_f64() * 1e6);
    format!("a trade takes {median:.0} us, the slowest {slowest:.0} us")
}

fn members(login: impl Fn(&str) -> Member) -> [Member; 2] {
    ["ALPHA", "BRAVO"].map(|user| {
        let mut member = login(user);
        member.until_kinds("S");
        member
    })
}

#[test]
fn connections_that_never_log_in_leave_those_who_trade_alone() {
    files_raise();
    let count = strangers();
    // No place stays free: who finds one and leaves it makes room for the next.
    let most = (count + 2).min(CONNECTIONS_MAX);
    let room = format!("connections_max = {most}\nlogin_ms = 600000");
    let site = site().with("connections_max = 8", &room);
    let venue = site.start();
    let to = venue.order_entry();
    let [mut alpha, mut bravo] = members(|user| Member::login(to, user));
    let alone = trade(&mut alpha, &mut bravo);
    let idle: Vec<TcpStream> = (0..count)
        .map(|_| TcpStream::connect(to).unwrap())
        .collect();
    let silent = count.min(most - 2) as u64;
    wait_until("all that there is room for", || {
        counter(&site, "gate.connections") == silent + 2
    });
    println!("alone: {alone}");
    println!("{count} silent: {}", trade(&mut alpha, &mut bravo));
    // As many more find no room, and still nobody who trades notices.
    (0..count).for_each(|_| drop(TcpStream::connect(to).unwrap()));
    println!("{count} more: {}", trade(&mut alpha, &mut bravo));
    wait_until("the refusals", || {
        let all = 2 * count as u64 + 2;
        counter(&site, "gate.refused") == all - most as u64
    });
    drop(idle);
    wait_until("their end", || counter(&site, "gate.connections") == 2);
    Member::login(to, "ALPHA").until("its replies", |alpha| alpha.replies.len() > TRADES);
    venue.stop();
}

#[test]
fn guesses_let_nobody_in() {
    let site = site().with("[feed]", "lock_after = 0\n\n[feed]");
    let venue = site.start();
    let to = venue.order_entry();
    let [mut alpha, mut bravo] = members(|user| Member::login(to, user));
    let count = strangers();
    for guess in 0..count {
        // Some are right but for a letter, some are of the other one.
        let password = match guess % 4 {
            0 => format!("alph{guess}"),
            1 => "alphaa".to_owned(),
            2 => "bravo".to_owned(),
            _ => "alph".to_owned(),
        };
        let user = if guess % 5 == 4 { "NOBODY" } else { "ALPHA" };
        let mut stranger = Member::dial(to, user, &password);
        stranger.until_closed();
        assert!(stranger.replies.is_empty(), "{user}:{password} is in");
    }
    wait_until("the count", || {
        counter(&site, "gate.login_rejects") == count as u64
    });
    assert_eq!(counter(&site, "gate.logins"), 2);
    println!(
        "{count} guesses, nobody in; {}",
        trade(&mut alpha, &mut bravo)
    );
    venue.stop();
}

/// The sum that IP and TCP carry (RFC 1071).
fn checksum(pieces: &[&[u8]]) -> u16 {
    let words = pieces.iter().flat_map(|piece| piece.chunks(2));
    let sum: u32 = words
        .map(|word| u32::from(u16::from_be_bytes([word[0], word[1]])))
        .sum();
    let folded = (sum & 0xffff) + (sum >> 16);
    !(((folded & 0xffff) + (folded >> 16)) as u16)
}

/// The first packet of a handshake, as from an address that nobody has.
fn syn(number: usize, to: SocketAddrV4) -> Vec<u8> {
    let [a, b, c, _] = to.ip().octets();
    let from = Ipv4Addr::new(a, b, c, 10 + (number % 200) as u8);
    let port = 10_000 + (number / 200) as u16;
    let mut ip = [0; IP_BYTES];
    ip[0] = 0x45;
    ip[2..4].copy_from_slice(&((IP_BYTES + TCP_BYTES) as u16).to_be_bytes());
    (ip[8], ip[9]) = (64, libc::IPPROTO_TCP as u8);
    ip[12..16].copy_from_slice(&from.octets());
    ip[16..20].copy_from_slice(&to.ip().octets());
    let mut tcp = [0; TCP_BYTES];
    tcp[..2].copy_from_slice(&port.to_be_bytes());
    tcp[2..4].copy_from_slice(&to.port().to_be_bytes());
    tcp[4..8].copy_from_slice(&(number as u32 * 7_919).to_be_bytes());
    (tcp[12], tcp[13]) = (5 << 4, 2);
    tcp[14..16].copy_from_slice(&8_192_u16.to_be_bytes());
    let pseudo = [0, libc::IPPROTO_TCP as u8, 0, TCP_BYTES as u8];
    let sum = checksum(&[&ip[12..20], &pseudo, &tcp]);
    tcp[16..18].copy_from_slice(&sum.to_be_bytes());
    [&ip[..], &tcp[..]].concat()
}

/// A socket that sends whole IP packets.
fn forger() -> OwnedFd {
    // SAFETY: `socket` takes no memory of ours.
    let fd = unsafe { libc::socket(libc::AF_INET, libc::SOCK_RAW, libc::IPPROTO_RAW) };
    assert!(fd >= 0, "{}", std::io::Error::last_os_error());
    // SAFETY: the descriptor is new and owned by nobody else.
    unsafe { OwnedFd::from_raw_fd(fd) }
}

fn send(forger: &OwnedFd, packet: &[u8], to: SocketAddrV4) {
    let address = libc::sockaddr_in {
        sin_family: libc::AF_INET as libc::sa_family_t,
        sin_port: 0,
        sin_addr: libc::in_addr {
            s_addr: u32::from_ne_bytes(to.ip().octets()),
        },
        sin_zero: [0; 8],
    };
    let length = size_of::<libc::sockaddr_in>() as libc::socklen_t;
    let (fd, pointer) = (forger.as_raw_fd(), packet.as_ptr().cast());
    // SAFETY: packet and address are whole and outlive the call.
    let sent = unsafe {
        libc::sendto(
            fd,
            pointer,
            packet.len(),
            0,
            (&raw const address).cast(),
            length,
        )
    };
    assert_eq!(
        sent,
        packet.len() as isize,
        "{}",
        std::io::Error::last_os_error()
    );
}

/// Floods a venue on the cable's right end with handshakes that stop at the first packet.
fn flooded(pair: &VethPair, site: &Site, way: &str) {
    let venue: Venue = pair.right.netns.run(|| site.start()).unwrap();
    let to = venue.order_entry();
    let SocketAddr::V4(address) = to else {
        panic!("{to}")
    };
    let login = |user: &str| pair.left.netns.run(|| Member::login(to, user)).unwrap();
    let [mut alpha, mut bravo] = members(login);
    println!("{way}: alone: {}", trade(&mut alpha, &mut bravo));
    let forger = pair.left.netns.run(forger).unwrap();
    let count = strangers();
    for number in 0..count {
        send(&forger, &syn(number, address), address);
        if number % (count / 4) == 0 {
            let told = trade(&mut alpha, &mut bravo);
            println!("{way}: {number} handshakes stopped half-way: {told}");
        }
    }
    let told = trade(&mut alpha, &mut bravo);
    println!("{way}: {count} handshakes stopped half-way: {told}");
    assert_eq!(
        counter(site, "gate.xdp_ring_full"),
        0,
        "each frame found room"
    );
    // Nobody of them is a connection, and who ends its handshake gets in.
    assert_eq!(counter(site, "gate.connections"), 2);
    let again = login("ALPHA");
    assert!(!again.is_closed);
    venue.stop();
}

#[test]
fn handshakes_that_never_end_leave_those_who_trade_alone() {
    let options = VethOptions::default();
    let pair = match VethPair::with(&options) {
        Ok(pair) => pair,
        Err(error) => return println!("skipped: {error}"),
    };
    let at = format!("{}:0", pair.right.address);
    let site = || pair.right.netns.run(site).unwrap();
    flooded(&pair, &site().with("127.0.0.1:0", &at), "the kernel's TCP");
    let probe = pair.right.netns.run(|| {
        let xdp = nic::XdpOptions::new(VETH_NAME, nic::XdpMode::Native);
        let at = SocketAddrV4::new(pair.right.address, 0);
        let clock = Box::new(nic::RealClock::new());
        nic::XdpTcp::open(at, nic::TcpLimits::default(), &xdp, clock).map(drop)
    });
    if let Err(error) = probe.unwrap() {
        return println!("skipped: {error}");
    }
    let around = format!("[order_entry]\nmode = \"native\"\ninterface = \"{VETH_NAME}\"\n");
    // Room for all that come at once.
    let around = site()
        .with("[order_entry]\n", &around)
        .with("[feed]", "[order_entry.xdp]\ndepth = 4096\n\n[feed]")
        .with("127.0.0.1:0", &at);
    flooded(&pair, &around, "around the kernel");
}
