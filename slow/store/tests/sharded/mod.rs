//! A venue that is projected into shards on two servers: together they are the tables of one
//! database, whatever ends a server or the projection on the way.

use super::{DAY, Following, hears, reaches, signal, started, stop};
use crate::venue::cluster::Cluster;
use crate::venue::{GROUP, Running, Site, told_inputs};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::rc::Rc;
use std::sync::Arc;
use store::query::{Filter, Reader};
use store::shards::Routes;

const INPUTS: usize = 12_000;
/// The user `daemon`.
const DAEMON: u32 = 1;

const NEXT_DAY: &str = "2026010102";

/// By these names each of the shards has symbols.
const NAMES: [&str; 3] = ["here", "west", "far"];

/// Tables of which each shard has its own rows, and those that all have.
const SPREAD: [&str; 10] = [
    "audit",
    "turns",
    "orders",
    "fills",
    "refusals",
    "positions",
    "holdings",
    "bars",
    "shown",
    "tops",
];
const ON_ALL: [&str; 5] = ["days", "progress", "remarks", "symbols", "sessions"];

/// A site with a database of all rows, and three shards, of which the last one is elsewhere.
struct Spread {
    site: Site,
    far: Rc<Running>,
}

impl Spread {
    fn start() -> Option<Self> {
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr();
        let port = free.unwrap().port();
        let this = Self {
            site: Site::served()?,
            far: Running::start_at(port)?,
        };
        for name in NAMES {
            this.cluster(name).create_database(name).unwrap();
        }
        let shards: Vec<Value> = NAMES.iter().map(|name| this.shard(name, name)).collect();
        this.write(&json!({"ranges": [{"shards": shards}]}));
        Some(this)
    }

    fn cluster(&self, name: &str) -> &Cluster {
        match name.starts_with("far") {
            true => &self.far.cluster,
            false => &self.site.served.as_ref().unwrap().0.cluster,
        }
    }

    fn shard(&self, name: &str, database: &str) -> Value {
        json!({"name": name, "database": self.cluster(name).url(database)})
    }

    fn routes(&self) -> PathBuf {
        self.site.dir.path().join("routes.json")
    }

    fn write(&self, table: &Value) {
        std::fs::write(self.routes(), table.to_string()).unwrap();
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wirecross-slow"));
        let (word, rest) = args.split_first().unwrap();
        command
            .arg(word)
            .arg("--data-dir")
            .arg(self.site.data_dir());
        command.arg("--routes").arg(self.routes()).args(rest);
        command
    }

    fn run(&self, args: &[&str]) -> (Output, String) {
        let output = self.command(args).output().unwrap();
        let said = [&*output.stdout, &*output.stderr].concat();
        (output, String::from_utf8(said).unwrap())
    }

    fn succeeds(&self, args: &[&str]) -> String {
        let (output, said) = self.run(args);
        assert!(output.status.success(), "{args:?}: {said}");
        said
    }

    fn fails(&self, args: &[&str]) -> String {
        let (output, said) = self.run(args);
        assert!(!output.status.success(), "{args:?}: {said}");
        said
    }

    fn follows(&self) -> Following {
        started(self.command(&["project", "--follow"]))
    }

    /// The rows of some tables of a database, each behind the name of its table.
    fn rows(&self, name: &str, tables: &[&str]) -> Vec<String> {
        let rows = |table: &&str| format!("SELECT '{table} ' || t::text FROM {table} t");
        let all: Vec<String> = tables.iter().map(rows).collect();
        let mut rows = self.ask(name, &all.join(" UNION ALL "));
        rows.sort();
        rows
    }

    fn ask(&self, name: &str, text: &str) -> Vec<String> {
        let mut psql = self.cluster(name).programs.command("psql");
        let psql = self.cluster(name).address(&mut psql);
        let psql = psql.env("PGOPTIONS", "-c search_path=wirecross");
        let output = psql
            .args(["-X", "-q", "-A", "-t", "-d", name, "-c", text])
            .output();
        let output = output.unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{text}: {told}");
        let said = String::from_utf8(output.stdout).unwrap();
        said.lines().map(str::to_owned).collect()
    }

    /// All shards together must be the tables of the one database, row by row.
    fn is_whole(&self) {
        let parts = NAMES.map(|name| self.rows(name, &SPREAD));
        for rows in &parts {
            let has = |table: &str| rows.iter().any(|row| row.starts_with(table));
            assert!(has("fills") && has("orders"), "a shard without trades");
        }
        let mut found = parts.concat();
        found.sort();
        let whole = self.rows("tables0", &SPREAD);
        let first = found.iter().zip(&whole).find(|(one, other)| one != other);
        let sizes = (found.len(), whole.len());
        assert!(found == whole, "not the whole: {sizes:?}, {first:#?}");
        let due = self.rows("tables0", &ON_ALL);
        for name in NAMES {
            assert_eq!(self.rows(name, &ON_ALL), due, "{name}");
        }
        let agreed = self.succeeds(&["reconcile"]);
        assert!(
            agreed.lines().count() == 3 && agreed.contains("agreed shard=west rows="),
            "{agreed}"
        );
    }

    /// What is asked of all shards is what the one database answers.
    fn answers_as_one(&self) {
        let routes = Routes::load(&self.routes()).unwrap();
        let one = Reader::at(&self.site.location()).unwrap();
        let mut rows = 0;
        for name in store::query::names() {
            let filter = Filter {
                account: (name == "fills").then_some(1),
                rows_max: Some(100_000),
                ..Filter::default()
            };
            let (mut due, mut found) = (Vec::new(), Vec::new());
            rows += one.query(name, &filter, (true, &mut due)).unwrap();
            routes.query(name, &filter, (true, &mut found)).unwrap();
            assert!(found == due, "{name}");
        }
        assert!(rows > 1_000, "{rows} rows");
    }
}

#[test]
fn shards_are_projected_into_each_by_itself() {
    let Some(spread) = Spread::start() else {
        return;
    };
    let site = &spread.site;
    let inputs = told_inputs(28, INPUTS);
    let groups = inputs.len() / GROUP;
    let live = |share: usize| site.live(DAY, 28, &inputs[..groups * share / 5 * GROUP]);
    live(1);
    let said = spread.succeeds(&["project", "--stat"]);
    assert!(
        said.contains("projected shard=far events=") && said.contains(" wal="),
        "{said}"
    );
    // Small transactions, and some of them cut off: each counts once.
    live(2);
    for wait_ms in [15, 40, 75] {
        let mut killed = spread
            .command(&["project", "--batch", "53"])
            .spawn()
            .unwrap();
        std::thread::sleep(std::time::Duration::from_millis(wait_ms));
        killed.kill().unwrap();
        killed.wait().unwrap();
    }
    one_that_is_away_holds_up_nobody(&spread, &live, groups);
    live(5);
    spread.succeeds(&["project"]);
    site.succeeds(&["project"]);
    site.agrees();
    spread.is_whole();
    spread.answers_as_one();

    site.live_day(NEXT_DAY, 29, 1_500);
    spread.succeeds(&["project", "--shard", "far"]);
    spread.succeeds(&["project"]);
    site.succeeds(&["project"]);
    what_belongs_elsewhere_is_refused(&spread);
    what_was_changed_is_found_and_made_anew(&spread);
    a_younger_range_goes_on(&spread);
    a_confined_service_has_a_thread_for_each(&spread);
}

fn one_that_is_away_holds_up_nobody(spread: &Spread, live: &dyn Fn(usize), groups: usize) {
    let follows = spread.follows();
    let far = &spread.far.cluster;
    let processes = far.processes();
    processes.iter().for_each(|it| signal(*it, Signal::KILL));
    Cluster::wait_gone(&processes).unwrap();
    live(3);
    hears(&follows, "database");
    for share in [3, 4] {
        live(share);
        let near = &spread.site.served.as_ref().unwrap().0.cluster;
        for name in ["here", "west"] {
            let at = || next_input(near, name);
            reaches(&at, groups * share / 5 * GROUP - GROUP);
        }
    }
    far.start().unwrap();
    let at = || next_input(far, "far");
    reaches(&at, groups * 4 / 5 * GROUP - GROUP);
    stop(follows);
}

/// Up to where a database has the journal; 0 before it has tables.
fn next_input(cluster: &Cluster, name: &str) -> usize {
    let text = "SELECT coalesce(max(next), 0) FROM wirecross.progress WHERE kind = 0";
    let mut psql = cluster.programs.command("psql");
    let psql = cluster
        .address(&mut psql)
        .args(["-X", "-q", "-A", "-t", "-d", name]);
    let output = psql.arg("-c").arg(text).output().unwrap();
    String::from_utf8(output.stdout)
        .unwrap()
        .trim()
        .parse()
        .unwrap_or(0)
}

fn what_belongs_elsewhere_is_refused(spread: &Spread) {
    let told = spread.fails(&["project", "--shard", "north"]);
    assert!(
        told.contains("no shard \"north\"") && told.contains("here, west, far"),
        "{told}"
    );
    // With other neighbours it would have other symbols.
    let table = std::fs::read_to_string(spread.routes()).unwrap();
    let two: Vec<Value> = NAMES[..2]
        .iter()
        .map(|name| spread.shard(name, name))
        .collect();
    spread.write(&json!({"ranges": [{"shards": two}]}));
    let told = spread.fails(&["project"]);
    assert!(
        told.contains("of \"far\", \"here\", \"west\", and what"),
        "{told}"
    );
    std::fs::write(spread.routes(), table).unwrap();
    // Nor is one a database of all.
    for word in ["project", "rebuild"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wirecross-slow"));
        command
            .arg(word)
            .arg("--data-dir")
            .arg(spread.site.data_dir());
        let url = spread.cluster("here").url("here");
        let output = command.arg("--database").arg(url).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.code() == Some(2) && told.contains("routing table"),
            "{told}"
        );
    }
    // A day that one shard never saw gives the next one another number there.
    let (day, away) = (spread.site.day(DAY), spread.site.dir.path().join("away"));
    std::fs::rename(&day, &away).unwrap();
    spread.ask("far", "DROP SCHEMA wirecross CASCADE");
    let told = spread.fails(&["project", "--shard", "far"]);
    assert!(
        told.contains("is number 1 here, and 2 in other shards"),
        "{told}"
    );
    std::fs::rename(&away, &day).unwrap();
    spread.succeeds(&["project", "--shard", "far"]);
}

fn what_was_changed_is_found_and_made_anew(spread: &Spread) {
    spread.ask(
        "west",
        "DELETE FROM fills WHERE id = (SELECT max(id) FROM fills)",
    );
    let told = spread.fails(&["reconcile"]);
    assert!(
        told.contains("differs: shard=west table fills: no such row"),
        "{told}"
    );
    spread.succeeds(&["reconcile", "--shard", "here"]);
    // What is another shard's is as wrong as what is nobody's.
    let said = spread.succeeds(&["rebuild", "--shard", "west"]);
    assert!(said.starts_with("rebuilt shard=west events="), "{said}");
    spread.succeeds(&["reconcile", "--shard", "west"]);
    let fill = "INSERT INTO fills SELECT 1 + max(id), 1, 1, 1, 1, \
                (SELECT min(name) FROM symbols WHERE name NOT IN (SELECT symbol FROM fills)), \
                1, 1, 1, 'A' FROM fills";
    spread.ask("west", fill);
    assert!(
        spread
            .fails(&["reconcile"])
            .contains("differs: shard=west table fills")
    );
    spread.succeeds(&["rebuild"]);
    spread.is_whole();
}

/// A range of old days is filled by a copy; a projection goes on in the one behind it.
fn a_younger_range_goes_on(spread: &Spread) {
    let young = ["young_a", "young_b"];
    for name in ["past", young[0], young[1]] {
        spread.cluster(name).create_database(name).unwrap();
    }
    let shards: Vec<Value> = young.iter().map(|name| spread.shard(name, name)).collect();
    let table = |until_ns: i64| {
        let past = json!({"until_ns": until_ns, "shards": [spread.shard("past", "past")]});
        spread.write(&json!({"ranges": [past, {"shards": shards.clone()}]}));
    };
    table(1_000);
    assert!(spread.fails(&["project"]).contains("within an hour"));
    table(i64::MAX / 3_600_000_000_000 * 3_600_000_000_000);
    let told = spread.fails(&["project"]);
    assert!(told.contains("of an older range"), "{told}");
    for name in young {
        spread.ask(name, "DROP SCHEMA wirecross CASCADE");
    }
    table(3_600_000_000_000);
    let mut copy = Command::new(env!("CARGO_BIN_EXE_wirecross-slow"));
    copy.args(["copy", "--from"]).arg(spread.site.place());
    let copied = copy.arg("--routes").arg(spread.routes()).output().unwrap();
    assert!(copied.status.success(), "{copied:?}");
    spread.site.live_day(NEXT_DAY, 29, 3_000);
    spread.succeeds(&["project"]);
    spread.site.succeeds(&["project"]);
    spread.answers_as_one();
    Arc::new(Routes::load(&spread.routes()).unwrap())
        .written()
        .unwrap();
    let agreed = spread.succeeds(&["reconcile"]);
    assert!(
        agreed.contains("shard=past") && agreed.contains("shard=young_b"),
        "{agreed}"
    );
}

/// What a venue starts beside it can start no thread when it was confined.
fn a_confined_service_has_a_thread_for_each(spread: &Spread) {
    let names = ["far_a", "far_b"];
    for name in names {
        spread.cluster(name).create_database(name).unwrap();
    }
    let shards: Vec<Value> = names.iter().map(|name| spread.shard(name, name)).collect();
    spread.write(&json!({"ranges": [{"shards": shards}]}));
    let dir = tempfile::tempdir().unwrap();
    let mut command = spread.command(&["serve", "--dir"]);
    command.arg(dir.path());
    if rustix::process::geteuid().is_root() {
        give(spread.site.dir.path(), DAEMON);
        give(dir.path(), DAEMON);
        command.uid(DAEMON).gid(DAEMON);
    }
    let service = started(command);
    let inputs = told_inputs(29, 3_000).len();
    for name in names {
        reaches(&|| next_input(&spread.far.cluster, name), inputs - GROUP);
    }
    stop(service);
    let agreed = spread.succeeds(&["reconcile"]);
    assert!(agreed.contains("agreed shard=far_b"), "{agreed}");
}

/// Makes a folder's contents another user's.
fn give(path: &Path, user: u32) {
    std::os::unix::fs::chown(path, Some(user), Some(user)).unwrap();
    if path.is_dir() {
        for entry in std::fs::read_dir(path).unwrap() {
            give(&entry.unwrap().path(), user);
        }
    }
}
