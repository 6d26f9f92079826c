//! Who attacks the API: bombs, floods, and answers that nobody takes, one after the other, as fast
//! as they are refused.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// Attackers at a time.
const ATTACKERS: usize = 2;

/// How long an attacker waits for a service that is held.
const WAIT_MAX: Duration = Duration::from_secs(1);

/// Between two looks whether there is something to do.
const REST: Duration = Duration::from_millis(5);

/// How often each attack was made; those that the service ended before they were through count.
pub type Counts = [u64; ATTACKS.len()];

type Attack = fn(u16) -> io::Result<()>;

/// All of them, by name.
pub const ATTACKS: [(&str, Attack); 8] = [
    ("requests taken back", rapid_resets),
    ("pings", pings),
    ("deep JSON", deep),
    ("batches", batches),
    ("bodies of strangers", stranger),
    ("giant frames", giant),
    ("words of injection", words),
    ("answers not taken", untaken),
];

#[derive(Default)]
struct State {
    is_on: bool,
    is_over: bool,
    counts: Counts,
}

/// Attackers that can be held; they end with this value.
pub struct Attackers {
    state: Arc<Mutex<State>>,
    threads: Vec<JoinHandle<()>>,
}

impl Attackers {
    /// Ready to attack the API at that port, where the calling thread runs.
    pub fn start(port: u16) -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let threads = (0..ATTACKERS).map(|first| {
            let state = Arc::clone(&state);
            std::thread::spawn(move || attack(port, first, &state))
        });
        let threads = threads.collect();
        Self { state, threads }
    }

    pub fn run(&self, is_on: bool) {
        self.state.lock().unwrap().is_on = is_on;
    }

    /// Ends them; what they did.
    pub fn end(&mut self) -> Counts {
        self.stop();
        self.state.lock().unwrap().counts
    }

    fn stop(&mut self) {
        self.state.lock().unwrap().is_over = true;
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

impl Drop for Attackers {
    fn drop(&mut self) {
        self.stop();
    }
}

fn attack(port: u16, first: usize, state: &Mutex<State>) {
    let mut next = first * ATTACKS.len() / ATTACKERS;
    loop {
        let is_on = {
            let state = state.lock().unwrap();
            if state.is_over {
                return;
            }
            state.is_on
        };
        if !is_on {
            std::thread::sleep(REST);
            continue;
        }
        let (_, attack) = ATTACKS[next];
        match attack(port) {
            // Nobody is there at the moment, or who is there is held.
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                std::thread::sleep(REST);
            }
            _ => state.lock().unwrap().counts[next] += 1,
        }
        next = (next + 1) % ATTACKS.len();
    }
}

fn connect(port: u16) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(WAIT_MAX))?;
    stream.set_write_timeout(Some(WAIT_MAX))?;
    Ok(stream)
}

/// Says it all and takes the answer, if there is one.
fn say(port: u16, head: &str, body: &[u8]) -> io::Result<()> {
    let mut stream = connect(port)?;
    let text = format!("{head}Content-Length: {}\r\n\r\n", body.len());
    stream.write_all(text.as_bytes())?;
    stream.write_all(body)?;
    let mut told = Vec::new();
    stream.read_to_end(&mut told)?;
    Ok(())
}

fn post(port: u16, body: &[u8]) -> io::Result<()> {
    let head = "POST /api/batch HTTP/1.1\r\nHost: venue\r\nConnection: close\r\n\
                Authorization: Bearer token\r\n";
    say(port, head, body)
}

/// A frame of HTTP/2.
fn frame(kind: u8, flags: u8, stream: u32, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    let head = [&length[1..], &[kind, flags], &stream.to_be_bytes()].concat();
    [&head, body].concat()
}

/// A connection of HTTP/2.
fn opened(port: u16) -> io::Result<TcpStream> {
    let mut stream = connect(port)?;
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")?;
    stream.write_all(&frame(4, 0, 0, &[]))?;
    Ok(stream)
}

fn rapid_resets(port: u16) -> io::Result<()> {
    let mut stream = opened(port)?;
    // GET / of nobody: whole in the table that both sides know.
    let head = [&[0x82, 0x86, 0x84, 0x41, 5][..], b"venue"].concat();
    for number in 0..1_000 {
        let number = 2 * number + 1;
        let open = frame(1, 5, number, &head);
        stream.write_all(&[open, frame(3, 0, number, &[0, 0, 0, 8])].concat())?;
    }
    Ok(())
}

fn pings(port: u16) -> io::Result<()> {
    let mut stream = opened(port)?;
    stream.write_all(&frame(6, 0, 0, &[0; 8]).repeat(10_000))
}

fn deep(port: u16) -> io::Result<()> {
    post(port, "[".repeat(30_000).as_bytes())
}

fn batches(port: u16) -> io::Result<()> {
    let call = r#"{"jsonrpc":"2.0","id":1,"method":"trades","params":{"limit":10000}}"#;
    post(port, format!("[{}]", [call; 50].join(",")).as_bytes())
}

fn stranger(port: u16) -> io::Result<()> {
    let head = "POST /api/batch HTTP/1.1\r\nHost: venue\r\nConnection: close\r\n";
    say(port, head, &vec![b' '; 1 << 20])
}

/// A client of the stream that announces a message of 2^62 bytes, and begins it.
fn giant(port: u16) -> io::Result<()> {
    let mut stream = connect(port)?;
    stream.write_all(
        b"GET /api/v1/stream HTTP/1.1\r\nHost: venue\r\nConnection: Upgrade\r\n\
          Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
          Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: Bearer token\r\n\r\n",
    )?;
    let mut told = [0; 1_024];
    let _ = stream.read(&mut told)?;
    let length = (1_u64 << 62).to_be_bytes();
    stream.write_all(&[&[0x81, 0xFF][..], &length, &[0; 4], &[b'x'; 4_096]].concat())?;
    let _ = stream.read(&mut told)?;
    Ok(())
}

fn words(port: u16) -> io::Result<()> {
    let words = "%27%20OR%20%271%27%3D%271%27%3B%20DROP%20TABLE%20fills%3B--%0a%1b";
    let head = format!(
        "GET /api/v1/trades?symbol={words} HTTP/1.1\r\nHost: venue\r\nConnection: close\r\n\
         Authorization: Bearer token\r\n"
    );
    say(port, &head, &[])
}

/// Asks for much, again and again, and takes nothing of it.
fn untaken(port: u16) -> io::Result<()> {
    let mut stream = connect(port)?;
    stream.set_write_timeout(Some(Duration::from_millis(100)))?;
    let request = "GET /api/v1/trades?limit=10000 HTTP/1.1\r\nHost: venue\r\n\
                   Authorization: Bearer token\r\n\r\n";
    stream.write_all(request.repeat(50).as_bytes())?;
    std::thread::sleep(Duration::from_millis(50));
    stream.shutdown(Shutdown::Both)
}
