//! The API beside a venue: its settings with one key, and what that is told.

use super::{BOUND, Site};
use std::fs::{self, Permissions};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// SHA-256 of `token`.
const TOKEN_HASH: &str = "3c469e9d6c5875d37a43f353d4f88e61fcf812c66eee3457465a40b0da4153e0";

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// Writes a file that whoever a service becomes can read.
pub fn write_for_all(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, Permissions::from_mode(0o644)).unwrap();
}

/// The settings of an API on a port, where `token` is an auditor's, who may ask again and again.
pub fn api_settings(site: &Site, port: u16) -> PathBuf {
    let settings = site.dir.path().join("api.toml");
    let text = format!(
        "listen = \"127.0.0.1:{port}\"\nmemory.every_s = 1\n\
         [[keys]]\nname = \"all\"\nrole = \"auditor\"\nper_second = 100000\n\
         token_sha256 = \"{TOKEN_HASH}\"\n"
    );
    write_for_all(&settings, &text);
    settings
}

/// What a path gives that auditor; `None` while nobody answers, or not with 200.
pub fn over_http(port: u16, path: &str) -> Option<String> {
    requested(port, &format!("GET {path}"), "")
}

/// What a path makes of a body for that auditor; `None` while nobody answers, or not with 200.
pub fn posted_over_http(port: u16, path: &str, body: &str) -> Option<String> {
    requested(port, &format!("POST {path}"), body)
}

fn requested(port: u16, what: &str, body: &str) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(BOUND)).unwrap();
    let text = format!(
        "{what} HTTP/1.1\r\nHost: venue\r\nConnection: close\r\nContent-Length: {}\r\n\
         Authorization: Bearer token\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(text.as_bytes()).ok()?;
    let mut told = String::new();
    stream.read_to_string(&mut told).ok()?;
    let (head, body) = told.split_once("\r\n\r\n")?;
    head.starts_with("HTTP/1.1 200").then(|| body.to_owned())
}
