//! Topology files: the shipped ones are good, and every wrong value is refused by name.

use appliance::topology::{
    Ack, Error, Keeping, Link, PacketMode, Place, SelfTrade, Tile, Topology,
};
use nic::{Receive, Sqpoll, UringOptions};
use std::path::Path;
use std::time::Duration;

const GOOD: &str = include_str!("../topologies/dev-2core.toml");

/// Replaces one piece of the good file.
fn with(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from), "the good file has no {from:?}");
    GOOD.replacen(from, to, 1)
}

#[test]
fn shipped_files_are_good_and_can_be_drawn() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("topologies");
    let mut count = 0;
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let topology = Topology::load(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        assert_eq!(
            Some(topology.name.as_str()),
            path.file_stem().and_then(|s| s.to_str())
        );
        let graph = topology.graph();
        for tile in Tile::ALL {
            let place = topology.place(tile).to_string();
            assert!(
                graph.contains(&place),
                "{place} is not in the graph:\n{graph}"
            );
        }
        count += 1;
    }
    assert_eq!(count, 3);
}

#[test]
fn order_entry_goes_around_the_kernel() {
    let around = "[order_entry]\nmode = \"native\"\ninterface = \"eth0\"";
    let text = with("[order_entry]", around).replace("127.0.0.1:26400", "10.0.0.1:26400");
    let entry = Topology::parse(&text).unwrap().order_entry;
    assert_eq!(
        (entry.mode, entry.xdp.map(|xdp| xdp.interface).as_deref()),
        (PacketMode::Native, Some("eth0"))
    );
}

#[test]
fn values_arrive_where_they_belong() {
    let topology = Topology::parse(GOOD).unwrap();
    assert_eq!(topology.ack, Ack::Disk);
    assert_eq!(
        topology.place(Tile::Journal),
        &Place::Thread("disk".to_owned())
    );
    assert_eq!(topology.depth(Link::GateEngine), 4096);
    assert_eq!(topology.depth(Link::EnginePublish), 16384);
    assert_eq!(topology.users[1].name, "BRAVO");
    assert_eq!(topology.symbols[0], "AAPL");
    assert_eq!(topology.ticks, [1, 1, 1, 1]);
    assert_eq!(topology.users[1].self_trade, SelfTrade::Allow);
    let both = with("account = 2", "account = 2\nself_trade = \"cancel-both\"");
    let both = Topology::parse(&both).unwrap();
    assert_eq!(both.users[1].self_trade, SelfTrade::CancelBoth);
    let ticks = with("[limits]", "[ticks]\nMSFT = 100\n\n[limits]");
    assert_eq!(Topology::parse(&ticks).unwrap().ticks, [1, 100, 1, 1]);
    assert_eq!(topology.ending.drain.as_secs(), 30);
    assert_eq!(topology.order_entry.mode, PacketMode::IoUring);
    assert_eq!(topology.uring, UringOptions::default());
    let uring =
        "[uring]\nreceive = \"single\"\nsqpoll_core = 3\nsqpoll_idle_ms = 10\nnapi_us = 20\n";
    let text = with("[limits]", &format!("{uring}[limits]"));
    let wanted = UringOptions {
        receive: Receive::Single,
        sqpoll: Some(Sqpoll {
            idle_ms: 10,
            core: Some(3),
        }),
        napi_us: Some(20),
    };
    assert_eq!(Topology::parse(&text).unwrap().uring, wanted);
    assert_eq!(topology.keeping, Keeping::default());
    let keep = "[journal]\narchive = true\nkeep_mib = 2\nkeep_hours = 3\nkeep_days = 4\n";
    let text = with("[limits]", &format!("{keep}[limits]"));
    let wanted = Keeping {
        archives: true,
        bytes_max: Some(2 << 20),
        age_max: Some(Duration::from_secs(3 * 3_600)),
        days_max: Some(4),
    };
    let topology = Topology::parse(&text).unwrap();
    assert_eq!(
        (topology.keeping, topology.gather),
        (wanted, Duration::ZERO)
    );
    let graph = topology.graph();
    let all = ["compressed", "2 MiB", "3 h", "4 days", "131071 cancels"];
    for told in all {
        assert!(
            graph.contains(told),
            "{told:?} is not in the graph:\n{graph}"
        );
    }
    assert!(!graph.contains("gathers"), "replies wait for it:\n{graph}");
    let text = text.replace("ack = \"disk\"", "ack = \"memory\"");
    let topology = Topology::parse(&text).unwrap();
    assert_eq!(topology.gather, Duration::from_millis(1));
    let graph = topology.graph();
    assert!(graph.contains("gathers for 1000 us"), "{graph}");
}

#[test]
fn a_missing_file_is_named() {
    let error = Topology::load(Path::new("/nowhere/at-all.toml")).unwrap_err();
    assert!(matches!(error, Error::Read { .. }));
    assert!(
        error.to_string().contains("/nowhere/at-all.toml"),
        "{error}"
    );
}

#[test]
fn a_core_that_the_machine_lacks_is_named() {
    let text = with("gate = { thread = \"fast\" }", "gate = { core = 7 }");
    let topology = Topology::parse(&text).unwrap();
    assert!(topology.check_machine(&[0, 7]).is_ok());
    let error = topology.check_machine(&[0, 1]).unwrap_err().to_string();
    for part in ["tiles.gate.core", "7", "[0, 1]", "thread"] {
        assert!(error.contains(part), "{part:?} is not in: {error}");
    }
}

/// What to replace, by what, and what the message must hold: the key and what to do.
const WRONG: &[(&str, &str, &[&str])] = &[
    (
        "name = \"dev-2core\"",
        "name = \" \"",
        &["`name`", "is empty"],
    ),
    (
        "data_dir = \"data/dev-2core\"",
        "",
        &["data_dir", "missing"],
    ),
    (
        "data_dir = \"data/dev-2core\"",
        "data_dir = \"\"",
        &["`data_dir`", "directory"],
    ),
    (
        "ack = \"disk\"",
        "ack = \"disc\"",
        &["`ack`", "disc", "\"memory\" or \"disk\""],
    ),
    ("ack = \"disk\"", "ack = 3", &["ack", "string"]),
    (
        "ack = \"disk\"",
        "ack = \"disk\"\nsegment_mib = 0",
        &["`segment_mib`", "from 1"],
    ),
    (
        "[order_entry]",
        "[order_entry]\nadress = 1",
        &["adress", "address"],
    ),
    (
        "orders = 100000",
        "orders = 100000\nspecial = 1048576",
        &["`limits.special`", "to 1048575"],
    ),
    (
        "127.0.0.1:26400",
        "localhost:26400",
        &["`order_entry.address`", "localhost", "IPv4"],
    ),
    (
        "127.0.0.1:26400",
        "127.0.0.1:99999",
        &["`order_entry.address`", "99999"],
    ),
    (
        "[limits]",
        "[journal]\nkeep_days = 0\n[limits]",
        &["`journal.keep_days`", "from 1"],
    ),
    (
        "[limits]",
        "[journal]\ngather_us = 500\n[limits]",
        &[
            "`journal.gather_us`",
            "wait for the disk",
            "ack = \"memory\"",
        ],
    ),
    (
        "ack = \"disk\"",
        "ack = \"memory\"\njournal = { gather_us = 1000001 }",
        &["`journal.gather_us`", "to 1000000"],
    ),
    (
        "[limits]",
        "[journal]\nkeep_mib = 0\n[limits]",
        &["`journal.keep_mib`", "from 1"],
    ),
    (
        "[limits]",
        "[journal]\nkeep_hours = 0\n[limits]",
        &["`journal.keep_hours`", "from 1"],
    ),
    (
        "engine_journal = { depth = 4096",
        "engine_journal = { depth = 524288",
        &["`segment_mib`", "raise it to 128", "cancels"],
    ),
    (
        "[limits]",
        "[uring]\nreceive = \"bulk\"\n[limits]",
        &["`uring.receive`", "bulk", "\"multishot\" or \"single\""],
    ),
    (
        "[limits]",
        "[uring]\nsqpoll_core = 3\n[limits]",
        &["`uring.sqpoll_core`", "sqpoll_idle_ms"],
    ),
    (
        "[limits]",
        "[uring]\nreceive = \"multishot\"\nsqpoll_idle_ms = 10\n[limits]",
        &["`uring.receive`", "kernel thread"],
    ),
    (
        "[limits]",
        "[uring]\nnapi_us = 0\n[limits]",
        &["`uring.napi_us`", "from 1"],
    ),
    (
        "[order_entry]",
        "[order_entry]\nreply_mib = 0",
        &["`order_entry.reply_mib`", "from 1"],
    ),
    (
        "[order_entry]",
        "[order_entry]\nbacklog_kib = 1",
        &["`order_entry.backlog_kib`", "from 4"],
    ),
    (
        "[order_entry]",
        "[order_entry]\nsilence_ms = 1000",
        &["`order_entry.silence_ms`", "from 2000"],
    ),
    (
        "[order_entry]",
        "[order_entry]\nstall_ms = 0",
        &["`order_entry.stall_ms`", "from 1"],
    ),
    (
        "[order_entry]",
        "[order_entry]\nconnections_max = 0",
        &["connections_max", "from 1"],
    ),
    (
        "[order_entry]",
        "[order_entry]\nmode = \"tcp\"",
        &["`order_entry.mode`", "tcp", "native"],
    ),
    (
        "[order_entry]",
        "[order_entry]\nmode = \"native\"",
        &["`order_entry.interface`", "missing", "network interface"],
    ),
    (
        "[order_entry]",
        "[order_entry]\nmode = \"native\"\ninterface = \"eth0\"",
        &["`order_entry.address`", "127.0.0.1", "io_uring"],
    ),
    (
        "239.192.0.1:26401",
        "239.192.0.1",
        &["`feed.group`", "port"],
    ),
    (
        "239.192.0.1:26401",
        "239.192.0.1:0",
        &["`feed.group`", "port"],
    ),
    ("127.0.0.1:26402", "nowhere", &["`feed.rerequest`", "IPv4"]),
    (
        "source = \"127.0.0.1:0\"",
        "source = \"::1\"",
        &["`feed.source`", "IPv4"],
    ),
    (
        "[feed]",
        "[feed]\nmode = \"dpdk\"",
        &["`feed.mode`", "dpdk", "zero-copy"],
    ),
    (
        "[feed]",
        "[feed]\nhistory_mib = 0",
        &["`feed.history_mib`", "from 1"],
    ),
    (
        "[feed]",
        "[feed]\ninterface = \"\"",
        &["`feed.interface`", "network interface"],
    ),
    (
        "symbols = 64",
        "symbols = 2",
        &["`symbols`", "4 entries", "raise `limits.symbols`"],
    ),
    ("symbols = 64", "symbols = 70000", &["70000"]),
    (
        "sessions = 16",
        "sessions = 1",
        &["`users`", "raise `limits.sessions`"],
    ),
    (
        "orders = 100000",
        "orders = 0",
        &["`limits.orders`", "from 1"],
    ),
    ("orders = 100000", "", &["orders", "missing"]),
    ("\"MSFT\"", "\"msft\"", &["`symbols[1]`", "capital"]),
    ("\"MSFT\"", "\"MICROSOFT\"", &["`symbols[1]`", "1 to 8"]),
    ("\"MSFT\"", "\"AAPL\"", &["`symbols[1]`", "twice"]),
    (
        "symbols = [\"AAPL\", \"MSFT\", \"GOOG\", \"AMZN\"]",
        "symbols = []",
        &["`symbols`", "empty"],
    ),
    (
        "gate = { thread = \"fast\" }",
        "",
        &["`tiles.gate`", "missing", "core = NUMBER"],
    ),
    (
        "gate = { thread = \"fast\" }",
        "gate = {}",
        &["`tiles.gate`", "neither"],
    ),
    (
        "gate = { thread = \"fast\" }",
        "gate = { core = 1, thread = \"a\" }",
        &["`tiles.gate`"],
    ),
    (
        "gate = { thread = \"fast\" }",
        "gate = { thread = \"\" }",
        &["`tiles.gate.thread`"],
    ),
    (
        "gate = { thread = \"fast\" }",
        "gate = { cpu = 1 }",
        &["cpu", "core"],
    ),
    (
        "gate = { thread = \"fast\" }",
        "gate = { core = -1 }",
        &["-1"],
    ),
    (
        "[tiles]",
        "[tiles]\nrisk = { core = 3 }",
        &["`tiles.risk`", "no tile"],
    ),
    (
        "gate = { thread = \"fast\" }\nengine = { thread = \"fast\" }",
        "gate = { core = 1 }\nengine = { core = 1 }",
        &["`tiles.engine.core`", "`tiles.gate.core`", "own core"],
    ),
    (
        "gate_engine = { depth = 4096",
        "gate_engine = { depth = 4095",
        &["gate_engine.depth", "4095"],
    ),
    (
        "gate_engine = { depth = 4096",
        "gate_engine = { depth = 32",
        &["power of two from 128"],
    ),
    (
        "gate_engine = { depth = 4096",
        "gate_engine = { depth = 0",
        &["gate_engine.depth", "is 0"],
    ),
    (
        "gate_engine = { depth = 4096, full = \"wait\" }",
        "",
        &["`links.gate_engine`", "missing"],
    ),
    (
        "4096, full = \"wait\"",
        "4096, full = \"drop\"",
        &["`links.gate_engine.full`", "lose"],
    ),
    (
        "[links]",
        "[links]\nx_gate = { depth = 64, full = \"wait\" }",
        &["no writer", "`x`"],
    ),
    (
        "[links]",
        "[links]\ngate_x = { depth = 64, full = \"wait\" }",
        &["no reader", "`x`"],
    ),
    (
        "[links]",
        "[links]\ngate = { depth = 64, full = \"wait\" }",
        &["`links.gate`", "gate_engine"],
    ),
    (
        "[links]",
        "[links]\njournal_gate = { depth = 64, full = \"wait\" }",
        &["links.journal_gate"],
    ),
    (
        "[limits]",
        "[ticks]\nNONE = 100\n\n[limits]",
        &["`ticks.NONE`", "no symbol"],
    ),
    (
        "[limits]",
        "[ticks]\nAAPL = 0\n\n[limits]",
        &["`ticks.AAPL`", "from 1 to"],
    ),
    (
        "name = \"BRAVO\"",
        "name = \"alpha\"",
        &["`users[1].name`", "twice"],
    ),
    (
        "name = \"BRAVO\"",
        "name = \"BRAVISSIMO\"",
        &["`users[1].name`", "1 to 6"],
    ),
    (
        "password = \"bravo\"",
        "password = \"\"",
        &["`users[1].password`", "1 to 10"],
    ),
    (
        "firm = \"BRAV\"",
        "firm = \"B V\"",
        &["`users[1].firm`", "1 to 4"],
    ),
    (
        "account = 2",
        "account = 2\nself_trade = \"cancel\"",
        &["`users[1].self_trade`", "cancel-newest"],
    ),
    ("account = 2", "account = -2", &["-2"]),
    (
        "account = 2",
        "account = 2\nrole = \"x\"",
        &["role", "account"],
    ),
    (
        "[limits]",
        "[ending]\ndrain_s = 0\n[limits]",
        &["`ending.drain_s`", "from 1"],
    ),
    (
        "[limits]",
        "[ending]\ndrain_s = 2\ncutoff_s = 3\n[limits]",
        &["`ending.cutoff_s`"],
    ),
    ("[limits]", "[limit]", &["limit"]),
    ("[limits]", "[limits", &["line"]),
];

#[test]
fn every_wrong_value_is_refused_by_name() {
    for (from, to, parts) in WRONG {
        let error = match Topology::parse(&with(from, to)) {
            Ok(_) => panic!("taken: {to:?} in place of {from:?}"),
            Err(error) => error.to_string(),
        };
        for part in *parts {
            assert!(
                error.contains(part),
                "{part:?} is not in the message for {to:?}: {error}"
            );
        }
    }
}
