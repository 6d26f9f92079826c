//! The simulated venue's topology and ports.

use std::collections::BTreeSet;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};

use appliance::client::depth::DepthSubscriber;
use appliance::client::subscriber::Subscriber;
use appliance::tiles::PublishPorts;
use appliance::topology::{SelfTrade, Topology, ring_address};
use appliance::venue::snapshots::{self, Snapshots};
use appliance::venue::{Parts, StartError};
use door::{Ringed, Rings};
use journal::simulated::{Disk, DiskStorage};
use nic::{Net as _, TcpLimits, UdpOptions};
use queue::CounterSet;

use crate::accounts;
use crate::life::SimVenue;
use crate::net::{SimNet, SimTcp, SimUdp, Wires};
use crate::plan::{LifePlan, Plan};
use crate::random::Random;

/// The day's session.
pub const SESSION: [u8; 10] = *b"2026012901";

/// User name of who reads drop copies.
pub const WATCHER: &str = "RISK";

/// Where members connect.
pub const ENTRY: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, 1), 4001);

/// Where the feed goes, by its first line and by its second one.
pub const GROUP: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(239, 1, 1, 1), 26_400);
pub const GROUP_B: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(239, 1, 1, 3), 26_420);
const DEPTH_GROUP: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(239, 1, 1, 2), 26_410);
const SOURCE: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, 1), 26_401);
/// Where who missed something asks.
pub const REREQUEST: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, 1), 26_402);
/// Where who comes late knocks.
pub const SNAPSHOTS: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, 1), 26_405);
const SOURCE_B: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, 1), 26_403);
const FOLLOWER: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, 1), 26_406);
const RECEIVER: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, 9), 26_400);
const ASKER: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, 9), 26_409);
const DEPTH_RECEIVER: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, 9), 26_410);
const DEPTH_ASKER: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, 9), 26_419);

/// Where who receives both lines hears the one and the other, and from where it asks.
pub const LINES: [SocketAddrV4; 3] = [
    SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, 8), 26_400),
    SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, 8), 26_420),
    SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, 8), 26_409),
];

/// Packets that the venue's follower holds: few, so that it asks for what it lets go of.
const FOLLOWER_PACKETS: usize = 32;

/// Room for all messages of a day's feed: less than a topology can ask for, because it is taken at
/// each of many starts.
const HISTORY_BYTES: usize = 512 << 10;

/// Memory for the replies of a member, where a shadow writes them down for sure: so little that
/// members ask for what gave way, or a topology's.
const REPLY_BYTES: [usize; 3] = [4 << 10, 16 << 10, 1 << 20];

/// What stands in every topology; names and numbers follow from the plan.
const TEXT: &str = r#"
name = "simulated"
data_dir = "nowhere"
ack = "disk"
symbols = [SYMBOLS]

[order_entry]
address = "10.0.0.1:4001"
connections_max = 16
reply_mib = 1

[feed]
group = "239.1.1.1:26400"
source = "10.0.0.1:26401"
rerequest = "10.0.0.1:26402"
rerequest_allow = ["10.0.0.0/24"]
history_mib = 1

[limits]
symbols = 4
sessions = 4
orders = 1024
price_groups = 512

[tiles]
gate = { thread = "all" }
engine = { thread = "all" }
journal = { thread = "all" }
publish = { thread = "all" }

[links]
gate_engine = { depth = 128, full = "wait" }
engine_journal = { depth = 128, full = "wait" }
engine_gate = { depth = 256, full = "wait" }
engine_publish = { depth = 256, full = "wait" }
"#;

/// Name of symbol number `symbol`.
pub fn symbol_name(symbol: u16) -> String {
    format!("SYM{symbol}")
}

/// User name of session number `session`.
pub fn user_name(session: u16) -> String {
    format!("MEM{session}")
}

/// Members with rules share an account, so that they can meet themselves.
fn account(plan: &Plan, session: u16) -> u16 {
    if plan.has_rules {
        1 + session / 3
    } else {
        session
    }
}

/// The first symbol's prices are coarser than those that members mostly ask for.
fn ticks(random: &mut Random) -> String {
    format!("ticks = {{ SYM1 = {} }}\n", random.one_of(&[1, 2, 100]))
}

/// The day's turns come within the first lives; then the venue goes on with the others. Times are
/// long enough for it to come to rest in between.
fn rules(plan: &Plan, random: &mut Random) -> String {
    let state = random.one_of(&["pre-open", "opening-auction", "continuous"]);
    let last = plan.symbols;
    let turn = 1 + random.below(20);
    format!(
        "[opening]\nSYM1 = {{ state = \"{state}\", reference = 1000000 }}\n\
         [allocation]\nSYM{last} = {{ rule = \"split\", top_percent = 40 }}\n\
         [bands]\nSYM{last} = {{ static_bp = 2000, dynamic_bp = {}, limit_ms = 2, \
         auction_ms = 3 }}\n\
         [risk.1]\norder_units = {}\nfat_finger_bp = {}\norders_per_second = 100000\n\
         [schedule]\nopening_auction_ms = {turn}\ncontinuous_ms = {}\n\
         closing_auction_ms = {}\nindicate_ms = 40\ntime_ms = 60\n",
        random.one_of(&[50, 300, 2_000]),
        random.one_of(&[300, 5_000]),
        random.one_of(&[100, 5_000]),
        turn * 2,
        turn * random.one_of(&[4, 400]),
    )
}

/// The plan's venue: small links and segments, so that they fill and turn over.
pub fn topology(plan: &Plan) -> Result<Topology, String> {
    let names: Vec<String> = (1..=plan.symbols)
        .map(|symbol| format!("\"{}\"", symbol_name(symbol)))
        .collect();
    let mut text = TEXT.replace("SYMBOLS", &names.join(", "));
    if plan.has_depth {
        let depth =
            format!("history_mib = 1\ndepth_history_mib = 1\ndepth_group = \"{DEPTH_GROUP}\"\n");
        text = text.replace("history_mib = 1\n", &depth);
    }
    if plan.has_lines {
        // Streams have addresses of this machine.
        let lines = format!(
            "rerequest_allow = [\"10.0.0.0/24\", \"127.0.0.0/8\"]\ngroup_b = \"{GROUP_B}\"\n\
             snapshot = \"{SNAPSHOTS}\"\n"
        );
        text = text.replace("rerequest_allow = [\"10.0.0.0/24\"]\n", &lines);
    }
    if plan.has_accounts {
        let sessions = format!("sessions = {}\n", accounts::NUMBERS);
        text = text.replace("sessions = 4\n", &sessions);
    }
    let mut random = Random::new(plan.seed ^ 0x7275_6c65);
    if plan.has_rules {
        text = format!("{}\n{text}", ticks(&mut random)) + &rules(plan, &mut random);
    }
    for session in 1..=plan.members {
        let user = user_name(session);
        text += &format!(
            "[[users]]\nname = \"{user}\"\npassword = \"secret\"\nfirm = \"FIRM\"\n\
             self_trade = \"{}\"\n",
            random.one_of(&SelfTrade::ALL).name()
        );
        let own = account(plan, session);
        text += &match plan.has_accounts {
            true => accounts::line(own, &mut random),
            false => format!("account = {own}\n"),
        };
        if let Some(ms) = plan.leave_ms {
            text += &format!("cancel_on_disconnect_ms = {ms}\n");
        }
        if plan.gateway.is_some() && session == 1 {
            text += "gateway = \"nobody\"\n";
        }
    }
    if plan.is_watched {
        let accounts: BTreeSet<u16> = (1..=plan.members).map(|it| account(plan, it)).collect();
        let some = random.below(accounts.len() as u64) as usize;
        let accounts: Vec<u16> = accounts.into_iter().skip(some).collect();
        text += &format!(
            "[[drop_copies]]\nname = \"{WATCHER}\"\npassword = \"secret\"\n\
             accounts = {accounts:?}\n"
        );
    }
    if plan.has_shadow {
        text += &format!(
            "[shadow]\nsnapshot_inputs = {}\nsnapshot_s = 86400\n",
            // Two snapshots with the end of a segment between them, where segments are let go of.
            match plan.retention {
                Some(_) => random.one_of(&[30, 300, 900]),
                None => random.one_of(&[1, 30, 200]),
            }
        );
    }
    let mut topology = Topology::parse(&text).map_err(|error| error.to_string())?;
    topology.segment_bytes = journal::SEGMENT_BYTES_MIN;
    topology.feed.history_bytes = HISTORY_BYTES;
    if is_told_by_streams(plan) {
        topology.order_entry.reply_bytes = random.one_of(&REPLY_BYTES);
    }
    if let Some(depth) = &mut topology.feed.depth {
        depth.history_bytes = HISTORY_BYTES;
    }
    // Less than a topology can ask for: segments are small here.
    if let Some(retention) = &plan.retention {
        topology.keeping.archives = retention.archives;
        topology.keeping.bytes_max = Some(retention.bytes_max);
    }
    Ok(topology)
}

/// Whether the streams come to hold all that members are told: a shadow that finds its disk failing
/// may stop, and what gave way in memory is then made again with the next start only.
fn is_told_by_streams(plan: &Plan) -> bool {
    let is_sound = |life: &LifePlan| {
        let files = &life.files;
        files.writes_in_million + files.flushes_in_million + files.renames_in_million == 0
    };
    plan.has_shadow && plan.lives.iter().all(is_sound)
}

/// The accounts of which somebody reads drop copies.
pub fn watched(topology: &Topology) -> BTreeSet<u32> {
    let copies = topology.drop_copies.iter();
    copies.flat_map(|copy| &copy.accounts).copied().collect()
}

/// The ports of a venue that starts, and the rings of the first member, if that has any.
pub fn parts(
    topology: &Topology,
    (wires, disk): (&Wires, &Disk),
    rings: Option<Rings>,
    set: &mut CounterSet,
) -> io::Result<Parts<Ringed<SimTcp>, SimUdp, DiskStorage>> {
    let mut net = SimNet::new(wires);
    let rings = rings.map(|rings| (ring_address(0), rings));
    let rings: Vec<(Ipv4Addr, Rings)> = rings.into_iter().collect();
    let refused = set.counter("gate.rings_refused");
    let refused = refused.map_err(|error| io::Error::other(error.to_string()))?;
    let limits = TcpLimits {
        connections: 16,
        send_bytes: 4096,
        ..TcpLimits::default()
    };
    let feed_b = topology
        .feed
        .line_b
        .map(|_| net.udp(&UdpOptions::new(SOURCE_B)));
    Ok(Parts {
        tcp: Ringed::new(
            net.tcp_listen(SocketAddr::V4(ENTRY), limits)?,
            &rings,
            refused,
        ),
        udp: PublishPorts {
            feed: net.udp(&UdpOptions::new(SOURCE))?,
            feed_b: feed_b.transpose()?,
            rerequest: net.udp(&UdpOptions::new(REREQUEST))?,
            follower: topology.feed.snapshot.map(|_| FOLLOWER),
        },
        storage: disk.storage(),
        files: topology
            .shadow
            .map(|_| Box::new(disk.files()) as Box<dyn journal::Files>),
        session: SESSION,
        rings: queue::Home::Heap,
    })
}

/// Who gives snapshots of the feed of a venue that is about to start, if anybody does.
pub fn snapshots(
    topology: &Topology,
    wires: &Wires,
    venue: &SimVenue<'_>,
    now_ns: u64,
) -> Result<Option<Snapshots<SimUdp, SimTcp>>, StartError> {
    if topology.feed.snapshot.is_none() {
        return Ok(None);
    }
    let failed = |error: io::Error| StartError::of("snapshots", &error);
    let mut net = SimNet::new(wires);
    let limits = TcpLimits {
        connections: 16,
        send_bytes: 256,
        ..TcpLimits::default()
    };
    let ports = snapshots::Ports {
        follower: net.udp(&UdpOptions::new(FOLLOWER)).map_err(failed)?,
        door: net
            .tcp_listen(SocketAddr::V4(SNAPSHOTS), limits)
            .map_err(failed)?,
        held_packets: FOLLOWER_PACKETS,
    };
    Snapshots::of(topology, venue, (ports, SESSION), now_ns).map(Some)
}

/// A receiver of the feed.
pub fn subscriber(wires: &Wires) -> io::Result<Subscriber<SimUdp>> {
    let [feed, requests] = receiver(wires, GROUP, [RECEIVER, ASKER])?;
    Ok(Subscriber::new(feed, requests, Some(REREQUEST)))
}

/// A receiver of the depth.
pub fn depth_subscriber(wires: &Wires) -> io::Result<DepthSubscriber<SimUdp>> {
    let [feed, requests] = receiver(wires, DEPTH_GROUP, [DEPTH_RECEIVER, DEPTH_ASKER])?;
    Ok(DepthSubscriber::new(feed, requests, Some(REREQUEST)))
}

/// The ports of a receiver: the one where a group comes in, and the one from which it asks.
fn receiver(
    wires: &Wires,
    group: SocketAddrV4,
    [receives, asks]: [SocketAddrV4; 2],
) -> io::Result<[SimUdp; 2]> {
    let mut net = SimNet::new(wires);
    let groups = vec![*group.ip()];
    let feed = net.udp(&UdpOptions {
        groups,
        ..UdpOptions::new(receives)
    })?;
    Ok([feed, net.udp(&UdpOptions::new(asks))?])
}
