//! Tables at servers: answers by replicas and the primary, kept by where the tables stand, while
//! servers are killed and come back.
#![allow(clippy::unwrap_used)]

// How a server is started is the builder's tool's business.
#[allow(dead_code)]
#[path = "../../../tools/src/pg/cluster.rs"]
mod cluster;
mod service;

use cluster::{Cluster, Programs};
use service::calls::{Client, Done, field};
use service::{Answer, Service, Settings, token};
use sha2::{Digest, Sha256};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use store::Location;
use tempfile::TempDir;

/// Far longer than anything takes, also beside other work.
const WAIT_MAX: Duration = Duration::from_secs(300);

const SETTINGS: [&str; 5] = [
    "fsync = off",
    "shared_buffers = 64MB",
    "max_connections = 20",
    "log_min_messages = fatal",
    "wal_retrieve_retry_interval = 50ms",
];

/// What is asked, and by whom.
const ASKED: [(&str, &str); 5] = [
    ("/api/v1/tops", "market"),
    ("/api/v1/tape?symbol=AAPL", "market"),
    ("/api/v1/fills?account=1", "auditor"),
    ("/api/v1/open-orders", "auditor"),
    ("/api/v1/profits", "auditor"),
];

/// A server by a port, which a confined service can reach; it ends with the test.
struct Server {
    cluster: Cluster,
    _dir: TempDir,
}

impl Server {
    fn of(programs: &Programs) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let cluster = Cluster {
            programs: programs.clone(),
            folder: dir.path().to_path_buf(),
            port: free.local_addr().unwrap().port(),
        };
        Self { cluster, _dir: dir }
    }

    /// All at once, as a lost host.
    fn kill(&self) {
        let processes = self.cluster.processes();
        let pids = processes.iter().map(u32::to_string);
        let mut kill = Command::new("kill");
        let _ = kill.arg("-KILL").args(pids).stderr(Stdio::null()).status();
        Cluster::wait_gone(&processes).unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < WAIT_MAX, "not yet: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The answers; none while a busy machine has all servers too late for a moment.
fn answers(service: &Service) -> Option<Vec<String>> {
    let of = |(path, key): (&str, &str)| {
        let answer = service.get(path, key);
        assert!([200, 503].contains(&answer.status), "{answer:?}");
        (answer.status == 200).then_some(answer.body)
    };
    ASKED.into_iter().map(of).collect()
}

/// They come, and are these.
fn are(service: &Service, truth: &[String]) {
    until("all answer", || {
        answers(service)
            .inspect(|it| assert_eq!(it, truth))
            .is_some()
    });
}

fn figure(service: &Service, name: &str, role: &str) -> u64 {
    let text = service.get("/metrics", "metrics").body;
    let role = format!("role=\"{role}\"}} ");
    let mut lines = text.lines().filter(|it| it.starts_with(name));
    let found = lines.find_map(|line| line.split_once(&*role)?.1.parse().ok());
    found.unwrap_or_else(|| panic!("no {name} of the {role}: {text}"))
}

/// An answer that is behind this position.
fn behind(service: &Service, path: &str, position: &str) -> Answer {
    let mut head = token("market");
    head.push(format!("X-Wirecross-After: {position}"));
    match path {
        "/api/batch" => {
            let call = r#"[{"jsonrpc": "2.0", "id": 1, "method": "tops"}]"#;
            service.ask("POST", path, &head, call.as_bytes())
        }
        _ => service.ask("GET", path, &head, &[]),
    }
}

/// The position that an answer tells.
fn position(answer: &Answer) -> &str {
    let mut lines = answer.head.lines();
    let found = lines.find_map(|line| line.strip_prefix("x-wirecross-position: "));
    found.unwrap_or_else(|| panic!("no position: {}", answer.head))
}

/// The tops by gRPC, behind this position.
fn behind_by_grpc(service: &Service, after: Option<&str>) -> Done {
    let after = after.map(|it| ("x-wirecross-after", it));
    let metadata = after.as_slice();
    service::calls::until(async {
        let client = Client::connect(service.grpc()).await;
        let (call, tops) = ("wirecross.v1.Tables/Rows", field(1, b"tops"));
        client
            .call_with(call, ("market", metadata), &tops, usize::MAX)
            .await
    })
}

/// What was read by gRPC is not lost over HTTP, and the other way round.
fn metadata_is_what_headers_are(service: &Service, written: &str) {
    for wrong in ["yesterday", "1"] {
        let told = behind_by_grpc(service, Some(wrong));
        assert!(
            told.code == 3 && told.told.contains("x-wirecross-after"),
            "{told:?}"
        );
    }
    let told = behind_by_grpc(service, Some("FFFF/0"));
    assert_eq!(told.code, 14, "{told:?}");
    until("it is answered", || {
        behind_by_grpc(service, Some(written)).code == 0
    });
    let done = behind_by_grpc(service, Some(written));
    // 1,000,008 as sint64 has it: twice as much, 7 bits a byte.
    let bid = [0x90, 0x89, 0x7a];
    assert!(done.messages[0].windows(3).any(|it| it == bid), "{done:?}");
    let answer = behind(service, ASKED[0].0, &done.position.unwrap());
    assert!(answer.body.contains("1000008"), "{answer:?}");
}

/// Says a statement to a server.
fn said(server: &Server, text: &str) -> String {
    let mut psql = server.cluster.programs.command("psql");
    let psql = server.cluster.address(&mut psql);
    let output = psql.args(["-X", "-q", "-A", "-t", "-d", "tables", "-c", text]);
    let output = output.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Who says how far he read, or what he wrote, reads nothing older: a replica that stands still
/// does not answer him.
fn what_was_read_is_not_lost_again(service: &Service, [primary, replica]: [&Server; 2]) {
    let told = behind(service, ASKED[0].0, "0/1");
    assert_eq!(
        (told.status, position(&told).contains('/')),
        (200, true),
        "{told:?}"
    );
    for wrong in ["yesterday", "1"] {
        let told = behind(service, ASKED[0].0, wrong);
        assert!(
            told.status == 400 && told.told().contains("x-wirecross-after"),
            "{told:?}"
        );
    }
    let told = behind(service, ASKED[0].0, "FFFF/0");
    assert!(
        told.status == 503 && told.told().contains("not yet at FFFF/0"),
        "{told:?}"
    );
    said(replica, "SELECT pg_wal_replay_pause()");
    let write = "BEGIN; UPDATE wirecross.tops SET bid = bid + 7; \
                 UPDATE wirecross.versions SET version = version + 1; COMMIT";
    said(primary, write);
    let written = said(primary, "SELECT pg_current_wal_insert_lsn()");
    for path in [ASKED[0].0, "/api/batch"] {
        // A busy machine may have the primary too late for a moment.
        until("it is answered", || {
            behind(service, path, &written).status == 200
        });
        let answer = behind(service, path, &written);
        assert!(answer.body.contains("1000008"), "{answer:?}");
        let again = behind(service, path, position(&answer));
        assert!(again.body.contains("1000008"), "{again:?}");
    }
    metadata_is_what_headers_are(service, &written);
    let back = "BEGIN; UPDATE wirecross.tops SET bid = bid - 7; \
                UPDATE wirecross.versions SET version = version + 1; COMMIT";
    said(primary, back);
    said(replica, "SELECT pg_wal_replay_resume()");
}

/// More than may wait for a thread.
const HERD: usize = 400;

/// A key that is in a hurry.
fn herd_key() -> String {
    let hash = Sha256::digest(b"herd-token");
    format!(
        "[[keys]]\nname = \"herd\"\nrole = \"market\"\nper_second = 10000\nat_once = 10000\n\
         token_sha256 = \"{}\"\n",
        api::keys::digits_of(&hash)
    )
}

/// A counter of the service.
fn counter(service: &Service, name: &str) -> u64 {
    let text = service.get("/metrics", "metrics").body;
    let mut lines = text.lines();
    let found = lines.find_map(|it| it.strip_prefix(name)?.strip_prefix(' ')?.parse().ok());
    found.unwrap_or_else(|| panic!("no {name}: {text}"))
}

/// A request that waits for its answer.
fn sent(service: &Service, path: &str) -> TcpStream {
    let mut stream = service.connect();
    let head = token("herd").join("\r\n");
    let request = format!("GET {path} HTTP/1.1\r\nhost: h\r\nconnection: close\r\n{head}\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    stream
}

fn heard(mut stream: TcpStream) -> Answer {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    Answer::of(&bytes)
}

/// While the one thread that reads waits for a table, many ask for another one: they are answered
/// by one read, and nobody is refused. False where the machine was so busy that the thread waited
/// too long.
fn a_herd_is_one_read(service: &Service, primary: &Server, round: usize) -> bool {
    let names = [
        "wirecross_reads_refused_total",
        "wirecross_cache_l3_loads_total",
    ];
    let before = names.map(|name| counter(service, name));
    let mut psql = primary.cluster.programs.command("psql");
    let psql = primary.cluster.address(&mut psql);
    let psql = psql
        .args(["-X", "-q", "-d", "tables"])
        .stdin(Stdio::piped());
    let mut psql = psql.spawn().unwrap();
    let mut says = psql.stdin.take().unwrap();
    writeln!(says, "BEGIN; LOCK TABLE wirecross.turns;").unwrap();
    let locked = "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted \
                  AND relation = 'wirecross.turns'::regclass";
    until("it is locked", || said(primary, locked) == "1");
    let slow = sent(service, &format!("/api/v1/turns?limit={round}"));
    let waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted";
    until("a read waits", || said(primary, waiting) == "1");
    let herd: Vec<TcpStream> = (0..HERD)
        .map(|_| sent(service, &format!("/api/v1/bars?limit={round}")))
        .collect();
    let other = sent(service, &format!("/api/v1/tape?limit={round}"));
    until("all wait", || {
        counter(service, "wirecross_reads_shared_total") as usize >= round * (HERD - 2)
    });
    drop(says);
    assert!(psql.wait().unwrap().success());
    if heard(slow).status != 200 {
        herd.into_iter().for_each(drop);
        return false;
    }
    let answers: Vec<Answer> = herd.into_iter().map(heard).collect();
    for answer in &answers {
        assert_eq!(
            (answer.status, &answer.body),
            (200, &answers[0].body),
            "{answer:?}"
        );
    }
    assert_eq!(heard(other).status, 200);
    let [refused, loads] = names.map(|name| counter(service, name));
    assert_eq!([refused, loads], [before[0], before[1] + 3]);
    true
}

#[test]
fn answers_are_those_of_the_servers_that_are_there() {
    let programs = match Programs::find() {
        Ok(programs) => programs,
        Err(why) => {
            assert!(std::env::var_os("CI").is_none(), "{why}");
            eprintln!("skipped: {why}");
            return;
        }
    };
    let [primary, replica] = [(); 2].map(|()| Server::of(&programs));
    primary.cluster.create(&SETTINGS).unwrap();
    primary.cluster.start().unwrap();
    primary.cluster.create_database("tables").unwrap();
    replica.cluster.follow(&primary.cluster, &SETTINGS).unwrap();
    replica.cluster.start().unwrap();
    let [url, replica_url] = [&primary, &replica].map(|it| it.cluster.url("tables"));

    // First from the file, then from servers that have the same.
    let mut service = Service::with(&Settings {
        limits: "readers = 1\nconnections_an_address = 1000",
        more: format!("[grpc]\nlisten = \"127.0.0.1:0\"\n{}", herd_key()),
    });
    let truth = answers(&service).unwrap();
    let told = behind(&service, ASKED[0].0, "0/1");
    assert!(
        told.status == 400 && told.told().contains("are a file"),
        "{told:?}"
    );
    let told = behind_by_grpc(&service, Some("0/1"));
    assert!(
        told.code == 3 && told.told.contains("are a file"),
        "{told:?}"
    );
    assert_eq!(behind_by_grpc(&service, None).position, None);
    service.stop();
    let [file, server] = [service.tables().into_os_string(), url.clone().into()];
    let [file, server] = [file, server].map(|it| Location::read(&it).unwrap());
    store::copy(&file, &server).unwrap();
    let config = service.dir.path().join("api.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    let tables = format!("tables = {:?}\n", service.tables());
    let servers = format!("tables = {url:?}\nreplicas = [{replica_url:?}]\n");
    assert!(text.contains(&tables), "{text}");
    std::fs::write(&config, text.replace(&tables, &servers)).unwrap();
    service.again();
    are(&service, &truth);
    let by_replica = |service: &Service| {
        let before = figure(service, "wirecross_database_reads_total", "replica");
        let _ = answers(service);
        figure(service, "wirecross_database_reads_total", "replica") > before
    };
    until("the replica serves", || by_replica(&service));
    // What was asked already is kept, whoever of the servers says where the tables stand.
    are(&service, &truth);
    let loads = |service: &Service| {
        let text = service.get("/metrics", "metrics").body;
        let mut lines = text.lines();
        let name = "wirecross_cache_l3_loads_total ";
        lines
            .find_map(|it| it.strip_prefix(name)?.parse::<u64>().ok())
            .unwrap()
    };
    assert_eq!(loads(&service), ASKED.len() as u64);

    replica.kill();
    are(&service, &truth);
    until("it is told", || {
        let _ = answers(&service);
        figure(&service, "wirecross_database_up", "replica") == 0
    });
    replica.cluster.start().unwrap();
    until("the replica serves", || by_replica(&service));

    // As `wirecross-slow` writes: rows and their table's version in one transaction.
    let mut psql = primary.cluster.programs.command("psql");
    let write = "SET search_path = wirecross; BEGIN; UPDATE tops SET bid = bid + 1; \
                 UPDATE versions SET version = version + 1 WHERE name = 'tops'; COMMIT";
    let psql = primary.cluster.address(&mut psql);
    let status = psql.args(["-q", "-d", "tables", "-c", write]).status();
    assert!(status.unwrap().success());
    until("it is read", || {
        answers(&service).is_some_and(|it| it[0] != truth[0])
    });
    let mut changed = truth.clone();
    changed[0] = truth[0].replace("1000000", "1000001");
    until("the replica has it", || {
        by_replica(&service) && answers(&service).is_some_and(|it| it == changed)
    });
    what_was_read_is_not_lost_again(&service, [&primary, &replica]);
    until("the replica has it", || {
        by_replica(&service) && answers(&service).is_some_and(|it| it == changed)
    });
    until("it is told that it lacks nothing", || {
        let _ = answers(&service);
        figure(&service, "wirecross_database_lag_bytes", "replica") == 0
    });
    let told = service.get("/api/v1/figures", "metrics").json();
    let servers = &told["service"]["servers"];
    assert_eq!(
        (&servers[0]["primary"], &servers[1]["primary"]),
        (&true.into(), &false.into())
    );
    assert!(servers[1]["reads"].as_u64() > Some(0), "{servers}");

    primary.kill();
    are(&service, &changed);
    until("it is told", || {
        let _ = answers(&service);
        figure(&service, "wirecross_database_up", "primary") == 0
    });
    are(&service, &changed);
    replica.kill();
    until("nobody answers", || answers(&service).is_none());
    let told = service.get(ASKED[0].0, ASKED[0].1);
    assert!(
        told.status == 503 && told.told().contains("the tables: database"),
        "{told:?}"
    );
    primary.cluster.start().unwrap();
    are(&service, &changed);
    let mut round = 0;
    until("a herd is answered by one read", || {
        round += 1;
        a_herd_is_one_read(&service, &primary, round)
    });
}
