//! One message to a collector: a request of HTTP/1.1 on a connection of its own, over within a
//! bound whatever the collector does.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, SocketAddrV4, TcpStream};
use std::time::{Duration, Instant};

/// Bytes of an answer that are looked at.
const ANSWER_BYTES_MAX: u64 = 64 * 1_024;

/// Answers by which a collector asks to be sent the same again (OTLP, "Failures").
const FOR_NOW: [u16; 4] = [429, 502, 503, 504];

/// Why a message was not taken.
#[derive(Debug)]
pub(super) enum Refused {
    /// It may be, if it is sent again.
    ForNow(String),
    /// It never will.
    ForGood(String),
}

/// A connection that is over at a moment.
struct Bounded {
    stream: TcpStream,
    deadline: Instant,
}

impl Bounded {
    fn left(&self) -> io::Result<Duration> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "no answer in time"));
        }
        Ok(left)
    }
}

impl Read for Bounded {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(Some(self.left()?))?;
        self.stream.read(bytes)
    }
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(Some(self.left()?))?;
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Sends it to `/v1/traces`; gives the body of the answer.
pub(super) fn post(to: SocketAddrV4, body: &[u8], longest: Duration) -> Result<Vec<u8>, Refused> {
    let for_now = |why: &dyn fmt::Display| Refused::ForNow(why.to_string());
    let bytes = exchange(to, body, longest).map_err(|error| for_now(&error))?;
    let end = bytes.windows(4).position(|it| it == b"\r\n\r\n");
    let (head, answer) = bytes.split_at(end.map_or(bytes.len(), |at| at + 4));
    let head = String::from_utf8_lossy(head);
    let mut words = head.split([' ', '\r']);
    let is_http = words.next().is_some_and(|it| it.starts_with("HTTP/1."));
    let status: Option<u16> = words.next().and_then(|it| it.parse().ok());
    match status.filter(|_| is_http && end.is_some()) {
        Some(200..=299) => Ok(answer.to_vec()),
        Some(status) if FOR_NOW.contains(&status) => Err(for_now(&format!("status {status}"))),
        Some(status) => Err(Refused::ForGood(format!("status {status}"))),
        None => Err(for_now(&"no answer of HTTP")),
    }
}

fn exchange(to: SocketAddrV4, body: &[u8], longest: Duration) -> io::Result<Vec<u8>> {
    let deadline = Instant::now() + longest;
    let stream = TcpStream::connect_timeout(&SocketAddr::V4(to), longest)?;
    let mut bounded = Bounded { stream, deadline };
    let head = format!(
        "POST /v1/traces HTTP/1.1\r\nHost: {to}\r\nContent-Type: application/x-protobuf\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    bounded.write_all(head.as_bytes())?;
    bounded.write_all(body)?;
    let mut answer = Vec::new();
    let read = bounded.take(ANSWER_BYTES_MAX).read_to_end(&mut answer);
    // Who has said what there is to say may leave as it likes.
    read.map(|_| ()).or_else(|error| match answer.is_empty() {
        true => Err(error),
        false => Ok(()),
    })?;
    Ok(answer)
}
