//! Starting the program and entering the first order.

use crate::day::{FIRST_USER, Made};
use session::ouch_client::{Order, OuchClient, Reply};
use session::soup_client::SoupConfig;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use wire::ouch::Outbound;

/// How long anything may take.
const BOUND: Duration = Duration::from_secs(60);

/// A start that was measured, from before the program was started on.
pub struct Start {
    /// Until it said that members may connect.
    pub ready: Duration,
    /// Until the first order was accepted.
    pub first: Duration,
    /// What it said of its recovery.
    pub told: String,
}

/// A process that is killed when it is not needed any more: what a crash is to it.
struct Venue(Child);

impl Drop for Venue {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts the venue, enters an order, and kills the venue.
pub fn start(program: &Path, day: &Made) -> Result<Start, String> {
    let begun = Instant::now();
    let child = Command::new(program)
        .arg("run")
        .arg("--topology")
        .arg(&day.topology_file)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| format!("{}: {e}", program.display()))?;
    let mut venue = Venue(child);
    let stdout = venue.0.stdout.take().ok_or("no output")?;
    let mut line = String::new();
    let mut stdout = BufReader::new(stdout);
    stdout.read_line(&mut line).map_err(|e| e.to_string())?;
    let ready = begun.elapsed();
    let accepted = field(&line, "order_entry=").and_then(|text| text.parse().ok());
    let first = accepted
        .ok_or_else(|| format!("not ready: {line:?}"))
        .and_then(enter);
    let first = first.map(|()| begun.elapsed());
    let stderr = venue.0.stderr.take();
    drop(venue);
    let mut said = String::new();
    if let Some(mut stderr) = stderr {
        stderr
            .read_to_string(&mut said)
            .map_err(|e| e.to_string())?;
    }
    let recovered = |line: &&str| line.contains("recovered ") || line.contains("not used");
    let told: Vec<&str> = said.lines().filter(recovered).collect();
    let first = first.map_err(|error| format!("{error}\n{said}"))?;
    check(&line, day)?;
    Ok(Start {
        ready,
        first,
        told: told.join("; ").replace("wirecross: ", ""),
    })
}

/// The first start comes to the very state that the day was made with; the later ones have the
/// first orders too.
fn check(line: &str, day: &Made) -> Result<(), String> {
    let number = |name| field(line, name).and_then(|text| text.parse::<u64>().ok());
    let recovered = number("recovered=").ok_or("it does not say what it recovered")?;
    let hash = field(line, "state_hash=").unwrap_or_default();
    if recovered < day.inputs {
        return Err(format!(
            "{} inputs, and only {recovered} came back",
            day.inputs
        ));
    }
    if recovered == day.inputs && hash != format!("{:016x}", day.state_hash) {
        return Err(format!(
            "the state is {hash}, and was {:016x}",
            day.state_hash
        ));
    }
    Ok(())
}

fn field<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    line.split_whitespace()
        .find_map(|word| word.strip_prefix(name))
}

/// Logs in and enters an order; returns when it is accepted.
fn enter(to: SocketAddr) -> Result<(), String> {
    let mut stream = TcpStream::connect(to).map_err(|e| e.to_string())?;
    let prepared = stream.set_nodelay(true);
    prepared
        .and_then(|()| stream.set_read_timeout(Some(Duration::from_millis(1))))
        .map_err(|e| e.to_string())?;
    let mut client = OuchClient::new(SoupConfig::new(FIRST_USER, "drill"));
    let begun = Instant::now();
    client.soup().connected(0);
    let (mut is_in, mut is_queried, mut entered) = (false, false, None);
    let mut is_accepted = false;
    let mut bytes = [0; 4096];
    while !is_accepted {
        if is_in && !is_queried {
            is_queried = client.query();
        }
        let mut sent = Ok(());
        client.soup().transmit(0, &mut |out| {
            sent = stream.write_all(out);
            out.len()
        });
        sent.map_err(|e| e.to_string())?;
        let taken = match stream.read(&mut bytes) {
            Ok(0) => return Err("the connection was closed".to_owned()),
            Ok(taken) => taken,
            Err(_) => 0,
        };
        let mut is_known = false;
        client.received(&bytes[..taken], 0, &mut |reply| match reply {
            Reply::LoggedIn(_) => is_in = true,
            Reply::Message(0, Outbound::AccountQueryResponse(_)) => is_known = true,
            Reply::Message(_, Outbound::Accepted(order)) => {
                is_accepted |= entered == Some(order.user_ref());
            }
            _ => {}
        });
        if is_known {
            entered = client.enter(&Order::day(b'B', 1, "S0001", 100));
        }
        if begun.elapsed() > BOUND {
            return Err("no answer to the first order".to_owned());
        }
    }
    Ok(())
}
