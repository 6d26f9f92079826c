//! `wirecross desk` with a model: what it says of a real venue's book becomes orders there, the
//! same when the day is run again; a desk beside its venue is handed the model; a wrong one is
//! refused.
#![allow(clippy::unwrap_used)]

#[path = "../../nic/tests/counting/mod.rs"]
mod counting;
mod harness;

use appliance::desk::file::DeskFile;
use harness::{Member, Program, Site, Venue, program, wait_until};
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use trading::desk::{Action, Answer, Decided, Desk, Report, Timeless};
use trading::{Event, What};
use wire::ring::Side;

const BID: u64 = 2_900_000;
const OFFER: u64 = 2_901_000;
const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

const NAMES: &str = "spread microprice imbalance imbalance_levels near volatility flow_1000ms \
                     flow_5000ms flow_30000ms moved_1000ms moved_5000ms moved_30000ms";

/// LightGBM's text of a model that says BUY if the best levels' imbalance is above 0.4, SELL if it
/// is up to -0.2, and HOLD otherwise: three trees, of BUY, HOLD and SELL.
fn model() -> String {
    let mut text = format!(
        "tree\nversion=v4\nnum_class=3\nnum_tree_per_iteration=3\nlabel_index=0\n\
         max_feature_idx=11\nobjective=multiclass num_class:3\nfeature_names={NAMES}\n\n"
    );
    for (tree, (threshold, leaves)) in [(0.4, [-5, 5]), (0.0, [0, 0]), (-0.2, [5, -5])]
        .into_iter()
        .enumerate()
    {
        let [left, right] = leaves;
        let _ = write!(
            text,
            "Tree={tree}\nnum_leaves=2\nnum_cat=0\nsplit_feature=2\nthreshold={threshold}\n\
             decision_type=2\nleft_child=-1\nright_child=-2\nleaf_value={left} {right}\n\n"
        );
    }
    text + "end of trees\n"
}

/// FNV-1a, as cards of models have it.
fn checksum(text: &str) -> String {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    format!("{:016x}", text.bytes().fold(0xcbf2_9ce4_8422_2325, step))
}

/// The shipped strategy with its model in a folder, however slow the machine is.
fn strategy(folder: &Path) -> PathBuf {
    let version = folder.join("models/0001");
    fs::create_dir_all(&version).unwrap();
    fs::write(version.join("model.txt"), model()).unwrap();
    let sum = checksum(&model());
    let card = format!("{{\"checksum\": {sum:?}, \"classes\": [\"BUY\", \"HOLD\", \"SELL\"]}}");
    fs::write(version.join("card.json"), card).unwrap();
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("strategies/demo-signal.toml");
    let mut text = fs::read_to_string(shipped).unwrap();
    for (from, to) in [
        ("answer_ms_max = 10000", "answer_ms_max = 3600000"),
        ("overruns_max = 1000", "overruns_max = 1000000"),
        ("age_ms_max = 500", "age_ms_max = 3600000"),
        ("hold_ms = 2000", "hold_ms = 3600000"),
    ] {
        assert!(text.contains(from), "{from}");
        text = text.replacen(from, to, 1);
    }
    let file = folder.join("desk.toml");
    fs::write(&file, text).unwrap();
    file
}

/// More is bid than offered: the model says BUY.
fn open(venue: &Venue) -> Member {
    let mut bravo = Member::login(venue.order_entry(), "BRAVO");
    bravo.enter(b'B', 500, "DEMO1", BID);
    bravo.enter(b'S', 150, "DEMO1", OFFER);
    bravo.until("the market", |member| member.kinds().contains("AA"));
    bravo
}

/// Takes both sides of the model's word: a purchase, then, when more is offered, a sale.
fn traded(bravo: &mut Member) {
    bravo.until("the desk's purchase", |member| {
        member.kinds().ends_with("AAE")
    });
    bravo.enter(b'S', 900, "DEMO1", OFFER);
    bravo.until("the desk's sale", |member| {
        member.kinds().ends_with("AAEAE")
    });
}

#[test]
fn what_a_model_says_is_ordered_and_the_day_again_decides_the_same() {
    let [_, _, high, low] = std::process::id().to_be_bytes();
    let host = format!("127.41.{high}.{low}");
    let lines = format!("group_b = \"{host}:26512\"\nsnapshot = \"{host}:26514\"\nhistory_mib");
    let site = Site::new()
        .with("[\"AAPL\", \"MSFT\"]", "[\"DEMO1\", \"MSFT\"]")
        .with(
            "address = \"127.0.0.1:0\"",
            &format!("address = \"{host}:26511\""),
        )
        .with(
            "rerequest = \"127.0.0.1:0\"",
            &format!("rerequest = \"{host}:26513\""),
        )
        .with("history_mib", &lines);
    let file = strategy(site.dir.path());
    let at = |name: &str| site.dir.path().join(name).to_str().unwrap().to_owned();
    let (file, day, live, again) = (file.to_str().unwrap(), at("day"), at("live"), at("again"));
    let venue = site.start();
    let mut bravo = open(&venue);
    let address = |port: u16| format!("{host}:{port}");
    let mut args: Vec<String> = ["desk", "--strategy", file, "--login", "ALPHA:alpha"]
        .map(str::to_owned)
        .to_vec();
    for (name, value) in [
        ("--connect", address(26_511)),
        ("--a", address(26_512)),
        ("--rerequest", address(26_513)),
        ("--snapshot", address(26_514)),
        ("--away-max", "3600".to_owned()),
        ("--session", day.clone()),
        ("--decisions", live.clone()),
    ] {
        args.extend([name.to_owned(), value]);
    }
    let desk = Program::start(&args);
    traded(&mut bravo);
    let pid = desk.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-s", "INT", &pid])
            .status()
            .unwrap()
            .success()
    );
    let ended = desk.wait();
    ended.succeeds();
    let asks = format!(
        "signal asks models/0001/model.txt, checksum {}",
        checksum(&model())
    );
    ended.says(&[
        &asks,
        "buy DEMO1 100 at 290.1000",
        "sell DEMO1 200 at 290.0000",
        "holds -100, 2 fills, 0 of them as the maker",
        "features ",
        "inference ",
        "validation ",
        "order -> fill ",
        "0 orders open",
        "the same when run again",
    ]);
    // It ordered that, and nothing besides.
    let decided = fs::read_to_string(&live).unwrap();
    let decided: Vec<&str> = decided
        .lines()
        .map(|line| line.split_once(' ').unwrap().1)
        .collect();
    let slip = "now";
    assert_eq!(
        decided[..2],
        [
            format!("signal new #1 buy DEMO1 100 at 2901020 {slip}"),
            format!("signal new #2 sell DEMO1 200 at 2899980 {slip}"),
        ]
    );
    // It may be told to end before it hears of its fill.
    let mut others = decided[2..].iter();
    assert!(
        others.all(|line| line.starts_with("desk kill") || *line == "signal cancel #2"),
        "{decided:?}"
    );
    venue.stop();
    let args = [
        "backtest",
        "--strategy",
        file,
        "--data",
        &day,
        "--decisions",
        &again,
    ];
    program(&args).succeeds();
    assert!(
        fs::read(&live).unwrap() == fs::read(&again).unwrap(),
        "other decisions"
    );
}

/// A venue whose user ALPHA is a desk with the strategy.
fn beside(number: u8) -> Site {
    let [_, _, high, low] = std::process::id().to_be_bytes();
    let host = format!("127.{number}.{high}.{low}");
    let site = Site::new();
    let key = site.dir.path().join("alpha.key");
    fs::write(&key, KEY).unwrap();
    fs::set_permissions(&key, PermissionsExt::from_mode(0o600)).unwrap();
    let (dir, file) = (site.dir.path().join("desk"), strategy(site.dir.path()));
    let desk = format!("[desk]\ndir = {dir:?}\nlogin = \"ALPHA\"\nstrategy = {file:?}\n");
    site.with("[\"AAPL\", \"MSFT\"]", "[\"DEMO1\", \"MSFT\"]")
        .with(
            "history_mib",
            &format!("group_b = \"{host}:26502\"\nhistory_mib"),
        )
        .with("password = \"alpha\"", &format!("key_file = {key:?}"))
        .with("[tiles]", &format!("{desk}\n[tiles]"))
}

#[test]
fn a_desk_beside_its_venue_trades_by_the_model_that_it_is_handed() {
    let site = beside(42);
    let mut venue = site.start();
    let mut bravo = open(&venue);
    traded(&mut bravo);
    venue.signal("TERM");
    wait_until("the desk's words", || {
        let told = venue.stderr();
        [
            "signal asks models/0001/model.txt",
            "holds -100, 2 fills",
            "0 orders open",
        ]
        .iter()
        .all(|it| told.contains(it))
    });
    assert!(venue.wait().success(), "{}", venue.stderr());
}

#[test]
fn a_venue_refuses_a_desk_whose_model_is_damaged() {
    let site = beside(43);
    fs::write(
        site.dir.path().join("models/0001/model.txt"),
        "tree\nversion=v4\n",
    )
    .unwrap();
    let mut venue = site.spawn(&[]);
    assert_eq!(venue.wait().code(), Some(1));
    let told = venue.stderr();
    for piece in [
        "desk.strategy",
        "signal.model: models/0001/model.txt: the file is cut off",
    ] {
        assert!(told.contains(piece), "{told}");
    }
}

#[test]
fn a_wrong_model_is_refused_with_its_file_and_place() {
    let folder = tempfile::tempdir().unwrap();
    let file = strategy(folder.path());
    DeskFile::load(&file).unwrap();
    let text = fs::read_to_string(&file).unwrap();
    let named = "model = \"m.txt\"\nclasses = [\"BUY\", \"HOLD\", \"SELL\"]";
    let version = "model = \"models\"\nversion = 1";
    let other = |to: &str| text.replacen(version, to, 1);
    let six = model()
        .replace("max_feature_idx=11", "max_feature_idx=5")
        .replace(NAMES, NAMES.split_at(NAMES.find(" flow").unwrap()).0);
    let cases: [(String, String, &str); 11] = [
        (other(named), model(), ""),
        (
            other(named),
            six,
            "signal.model: m.txt: it asks for 6 numbers of a row, a book has 12: spread, ",
        ),
        (
            other(named),
            model().replace("volatility", "weather"),
            "m.txt: its number 5 is called \"weather\", that of a book is \"volatility\"",
        ),
        (
            other(named),
            model().replace("threshold=0.4", "threshold=much"),
            "signal.model: m.txt: tree 0, line 14, threshold: number 1: \"much\" is none",
        ),
        (
            other(named),
            model().replace("end of trees", ""),
            "m.txt: the file is cut off",
        ),
        (
            other("model = \"n.txt\"\nclasses = []"),
            model(),
            "n.txt: No such file",
        ),
        (
            other("model = \"m.txt\""),
            model(),
            "signal.classes: is missing",
        ),
        (
            other("model = \"m.txt\"\nclasses = [\"UP\", \"HOLD\", \"SELL\"]"),
            model(),
            "classes: \"UP\" is none of BUY, HOLD, SELL",
        ),
        (
            other("model = \"m.txt\"\nclasses = [\"BUY\", \"SELL\"]"),
            model(),
            "classes: 2 of them, and the model has 3 results",
        ),
        (
            other("model = \"models\"\nversion = 2"),
            model(),
            "models/0002/card.json: No such file",
        ),
        (
            other("model = \"models\"\nversion = 1\nclasses = [\"SELL\", \"HOLD\", \"BUY\"]"),
            model(),
            "signal.classes: models/0001/card.json has BUY, HOLD, SELL",
        ),
    ];
    for (desk, model, why) in cases {
        fs::write(&file, desk).unwrap();
        fs::write(folder.path().join("m.txt"), model).unwrap();
        let told = DeskFile::load(&file).map_or_else(|error| error, |_| String::new());
        assert_eq!(told.is_empty(), why.is_empty(), "{told}");
        assert!(told.contains(why), "{told:?}, not {why:?}");
        assert!(
            told.is_empty() || told.contains("desk.toml: strategies.signal."),
            "{told:?}"
        );
    }
    // A version that was changed behind its card.
    fs::write(&file, text).unwrap();
    let changed = model().replace("threshold=0.4", "threshold=0.5");
    fs::write(folder.path().join("models/0001/model.txt"), changed).unwrap();
    let told = DeskFile::load(&file).unwrap_err();
    let why = "signal.model: models/0001/model.txt: is not what its card was written for";
    assert!(told.ends_with(why), "{told}");
}

/// What a version's card says of its answers is what they are judged by, unless the desk says it.
#[test]
fn an_alarm_that_makes_no_sense_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = strategy(folder.path());
    let text = fs::read_to_string(&file).unwrap();
    let card = folder.path().join("models/0001/card.json");
    let without = fs::read_to_string(&card).unwrap();
    let with = without.replacen('{', "{\"accuracy\": 0.6, ", 1);
    for (card_text, alarm, why) in [
        (&with, "ahead = 20\nmove = 1.0", ""),
        (&without, "ahead = 20\nmove = 1.0\nexpected = 0.55", ""),
        (
            &without,
            "ahead = 20\nmove = 1.0",
            "accuracy.expected: is missing",
        ),
        (
            &with,
            "ahead = 0\nmove = 1.0",
            "accuracy.ahead: at least one row",
        ),
        (
            &with,
            "ahead = 20\nmove = -1.0",
            "accuracy.move: between 0 and",
        ),
        (
            &with,
            "ahead = 20\nmove = 1.0\nfall = 0.7",
            "accuracy: fall",
        ),
        (
            &with,
            "ahead = 20\nmove = 1.0\nbetween = 1",
            "answers between false alarms",
        ),
        (&with, "ahead = 20", "move"),
    ] {
        fs::write(&card, card_text).unwrap();
        let text = format!("{text}\n[strategies.signal.accuracy]\n{alarm}\n");
        fs::write(&file, text).unwrap();
        let desk = DeskFile::load(&file).and_then(|desk| desk.desk().map(|_| ()));
        let told = desk.map_or_else(|error| error, |()| String::new());
        assert_eq!(told.is_empty(), why.is_empty(), "{alarm}: {told}");
        assert!(told.contains(why), "{told:?}, not {why:?}");
    }
}

/// What comes to a desk for a row, and what the venue answers to its order.
fn row(desk: &mut Desk, now_ns: &mut u64, offered: u64) {
    *now_ns += 100_000_000;
    let mut tell = |at_ns, what| {
        let event = Event {
            event_ns: at_ns,
            received_ns: at_ns,
            symbol: 0,
            what,
        };
        desk.event(&event, &mut Timeless);
    };
    let level = |side, price, quantity| What::Level {
        side,
        price,
        quantity,
    };
    tell(*now_ns, level(Side::Buy, BID as i64, 500));
    tell(*now_ns, level(Side::Sell, OFFER as i64, offered));
    tell(*now_ns, What::End);
    *now_ns += 50_000_000;
    tell(*now_ns, What::End);
    let mut sent = None;
    desk.take_decisions(|decision| {
        if let Decided::Send(Action::New { order, new }) = decision.what {
            sent = Some((order, new));
        }
    });
    if let Some((order, new)) = sent {
        for what in [
            Answer::Accepted,
            Answer::Filled {
                price: new.price,
                quantity: new.quantity,
                is_maker: false,
            },
        ] {
            desk.report(*now_ns, &Report { order, what }, &mut Timeless);
        }
    }
}

#[test]
fn nothing_is_allocated_from_an_event_to_a_fill() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = DeskFile::load(&strategy(folder.path()))
        .unwrap()
        .desk()
        .unwrap();
    let mut now_ns = 1_000_000_000;
    let mut day = |desk: &mut Desk, rows: u64| {
        for at in 0..rows {
            row(desk, &mut now_ns, if at % 2 == 0 { 100 } else { 900 });
        }
    };
    day(&mut desk, 1_000);
    let fills = desk.account().position(0).fills;
    let taken = counting::taken();
    day(&mut desk, 1_000);
    assert_eq!(counting::taken() - taken, 0);
    let fills = desk.account().position(0).fills - fills;
    assert!(fills >= 900, "{fills} fills");
}
