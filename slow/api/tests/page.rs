//! The page in a real Chromium: its values are the venue's, and it outlives its service.
#![allow(clippy::unwrap_used)]

mod service;

use service::market::{Client, Feed};
use service::{Service, Settings};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where `cargo x setup` puts what drives Chromium; `None` with a word where it is not.
fn driver() -> Option<PathBuf> {
    // target/PROFILE/wirecross-api
    let program = Path::new(env!("CARGO_BIN_EXE_wirecross-api"));
    let folder = program.parent()?.parent()?.join("npm");
    let is_there = folder.join("node_modules/playwright-core").is_dir();
    if is_there && Path::new("/usr/bin/chromium").exists() {
        return Some(folder);
    }
    assert!(
        std::env::var_os("CI").is_none(),
        "no Chromium: cargo x setup"
    );
    eprintln!("skipped: no Chromium, which `cargo x setup` installs");
    None
}

/// The program that drives a page, over a service.
fn driven(script: &str, service: &Service, folder: &Path) -> Command {
    let script = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests")
        .join(script);
    let mut command = Command::new("node");
    command
        .arg(script)
        .arg(format!("http://{}", service.address))
        .arg(folder)
        // A folder for pictures of what was looked at.
        .args(std::env::var_os("SHOTS"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit());
    command
}

#[test]
fn the_depth_is_the_feeds_as_it_changes() {
    let Some(folder) = driver() else { return };
    let feed = Feed::new();
    let service = Service::with(&Settings {
        limits: "",
        more: feed.settings(""),
    });
    feed.list(1, "MSFT");
    feed.list(2, "AAPL");
    feed.add(2, 1, b'B', 100, 1_000_000);
    feed.add(2, 2, b'B', 50, 999_900);
    feed.add(2, 3, b'S', 1_234, 1_000_100);
    Client::open(&service, "market", "").knows(&["AAPL", "MSFT"]);
    let mut child = driven("depth.mjs", &service, &folder).spawn().unwrap();
    let mut said = child.stdin.take().unwrap();
    let mut last = String::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        last = line.unwrap();
        match &*last {
            "trade" => {
                feed.execute(2, 3, 234, 7);
                feed.add(2, 4, b'B', 1, 1_000_050);
                feed.delete(2, 2);
            }
            "bust" => feed.bust(2, 7),
            _ => {}
        }
        // Who does not read any more has ended.
        let _ = said.write_all(b"\n");
    }
    let end = child.wait().unwrap();
    assert!(end.success() && last == "good", "{end}: {last}");
}

#[test]
fn the_page_shows_what_is_and_goes_on_when_the_service_does() {
    let Some(folder) = driver() else { return };
    let dir = tempfile::tempdir().unwrap();
    let mut service = Service::with(&Settings {
        limits: "",
        more: service::trader(dir.path()) + "[grpc]\nlisten = \"127.0.0.2:0\"\n",
    });
    let mut inputs = service.counters.counter("engine.inputs").unwrap();
    let mut hop = service.counters.histogram("hop.engine_reply_ns").unwrap();
    inputs.set(7_654_321);
    for value in [100, 300, 1_000_000, 20_000_000_000] {
        hop.record(value);
    }
    let mut child = driven("page.mjs", &service, &folder).spawn().unwrap();
    let mut said = child.stdin.take().unwrap();
    let mut last = String::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        last = line.unwrap();
        match &*last {
            "hop" => hop.record(2_000),
            "restart" => service.stop(),
            "back" => {
                service.again();
                said.write_all(b"\n").unwrap();
            }
            _ => {}
        }
    }
    let end = child.wait().unwrap();
    assert!(end.success() && last == "good", "{end}: {last}");
}

#[test]
fn the_page_is_whole_and_its_files_never_change() {
    let service = Service::start();
    let page = service.get("/", "");
    assert!(
        page.head
            .contains("content-security-policy: default-src 'none'"),
        "{page:?}"
    );
    let paths = |text: &str| -> Vec<String> {
        let parts = text.split(['"', '<', '>', ',', ' ']);
        let paths = parts.filter(|part| part.starts_with("/assets/") && part.contains('.'));
        paths.map(str::to_owned).collect()
    };
    let mut named = paths(&page.body);
    named.extend(paths(&page.head));
    assert!(named.len() >= 4, "{named:?}");
    // What one view alone needs is named by the file that loads it.
    let views = named.iter().find(|path| path.contains("/views.")).unwrap();
    named.extend(paths(&service.get(views, "").body));
    let mut bytes = page.body.len();
    for path in &named {
        let file = service.get(path, "");
        assert_eq!(file.status, 200, "{path}");
        assert!(file.head.contains("immutable"), "{path}: {}", file.head);
        bytes += file.body.len();
    }
    assert!(bytes < 100_000, "{bytes} bytes");
    let worker = service.get("/worker.js", "");
    assert!(paths(&worker.body).iter().all(|path| named.contains(path)));
    assert_eq!(service.get("/assets/page.00000000.js", "").status, 404);
}
