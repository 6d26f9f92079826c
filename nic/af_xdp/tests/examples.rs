//! The examples do what they say, started as programs of their own in a namespace.

#![allow(clippy::unwrap_used)] // helpers of tests, which the lint's own exemption misses

mod support;

use std::io::{BufRead, BufReader};
use std::net::UdpSocket;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nic::netns::{VETH_NAME, VethEnd, VethOptions};
use support::{PATIENCE, PORT, cable, inside, program_attached, wait_until_detached};

/// Killed when dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The example's file, or `None` with the reason printed. Cargo builds examples beside the tests.
fn example(name: &str) -> Option<PathBuf> {
    let tests = std::env::current_exe().unwrap();
    let path = tests.parent()?.parent()?.join("examples").join(name);
    if !path.exists() {
        println!("skipped: {} was not built", path.display());
        return None;
    }
    Some(path)
}

/// Starts it and waits until it says that it works.
fn start(end: &VethEnd, name: &str, arguments: &[&str]) -> Option<(Running, impl BufRead)> {
    let path = example(name)?;
    let spawn = || {
        Command::new(path)
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
    };
    let mut child = Running(inside(end, spawn).unwrap());
    let mut said = BufReader::new(child.0.stdout.take().unwrap());
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    assert!(line.contains("copy"), "{line}");
    Some((child, said))
}

#[test]
fn echo_sends_back_and_leaves_nothing_behind_when_killed() {
    for hook in ["native", "generic"] {
        let Some(pair) = cable(&VethOptions::default()) else {
            return;
        };
        let port = PORT.to_string();
        let arguments = [VETH_NAME, &port, hook];
        let Some((child, _said)) = start(&pair.right, "echo", &arguments) else {
            return;
        };
        let socket = inside(&pair.left, || UdpSocket::bind((pair.left.address, 0))).unwrap();
        socket.connect((pair.right.address, PORT)).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        assert!(program_attached(&pair.right));
        for n in 0..300usize {
            let sent = vec![n as u8; n * 4 + 1];
            socket.send(&sent).unwrap();
            let mut got = [0; 2048];
            let length = socket.recv(&mut got).unwrap();
            assert!(got[..length] == sent, "{hook} {n}");
        }
        drop(child);
        wait_until_detached(&pair.right);
    }
}

#[test]
fn capture_writes_what_arrives() {
    let options = VethOptions {
        queues: 2,
        mtu: 9000,
        ..VethOptions::default()
    };
    let Some(pair) = cable(&options) else { return };
    let file = std::env::temp_dir().join(format!("af_xdp-{}.pcap", std::process::id()));
    let arguments = [VETH_NAME, "2", file.to_str().unwrap(), "20"];
    let Some((mut child, said)) = start(&pair.right, "capture", &arguments) else {
        return;
    };
    let socket = inside(&pair.left, || UdpSocket::bind((pair.left.address, 0))).unwrap();
    let payload = [9u8; 8000];
    let start = Instant::now();
    let mut number = 0;
    // What is sent before the program is attached does not count.
    while child.0.try_wait().unwrap().is_none() {
        assert!(start.elapsed() < PATIENCE);
        number += 1;
        let length = if number % 2 == 0 { 100 } else { payload.len() };
        socket
            .send_to(&payload[..length], (pair.right.address, PORT))
            .unwrap();
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(child.0.wait().unwrap().success());
    let lines: Vec<String> = said.lines().map_while(Result::ok).collect();
    assert!(
        lines.iter().any(|line| line.contains("rx_dropped: 0")),
        "{lines:?}"
    );
    let bytes = std::fs::read(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    let word = |at: usize| u32::from_ne_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
    assert_eq!((word(0), word(20)), (0xa1b2_3c4d, 1));
    let (mut at, mut packets) = (24, Vec::new());
    while at < bytes.len() {
        packets.push(word(at + 8));
        at += 16 + word(at + 8);
    }
    assert_eq!((at, packets.len()), (bytes.len(), 20));
    assert!(
        packets.iter().all(|length| [142, 8042].contains(length)),
        "{packets:?}"
    );
    assert!(packets.contains(&8042));
}
