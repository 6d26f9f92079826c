//! A server that says what it is told: what the test suite of Autobahn talks to.
//!
//!     cargo run --release -p websocket --example echo -- 127.0.0.1:9001

use std::error::Error;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use websocket::{
    DEFLATE, Incoming, Kind, Packer, Reader, accept_key, close_frame, frame, is_deflate_offered,
    packed_frame,
};

/// The suite sends messages of 16 MiB.
const BYTES_MAX: usize = 32 << 20;

fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "127.0.0.1:0".into());
    let listener = TcpListener::bind(&address).map_err(|e| format!("{address}: {e}"))?;
    println!("echo: ws://{}", listener.local_addr()?);
    for stream in listener.incoming().flatten() {
        std::thread::spawn(move || {
            if let Err(error) = serve(stream) {
                eprintln!("echo: {error}");
            }
        });
    }
    Ok(())
}

fn serve(stream: TcpStream) -> Result<(), Box<dyn Error>> {
    stream.set_nodelay(true)?;
    let mut input = BufReader::with_capacity(1 << 16, stream.try_clone()?);
    let (mut key, mut extensions, mut line) = (String::new(), String::new(), String::new());
    while input.read_line(&mut line)? > 2 {
        if let Some((name, value)) = line.split_once(':') {
            match name.to_ascii_lowercase().as_str() {
                "sec-websocket-key" => key = value.trim().to_owned(),
                "sec-websocket-extensions" => extensions = value.trim().to_owned(),
                _ => {}
            }
        }
        line.clear();
    }
    let answer = accept_key(&key).ok_or("no key")?;
    let is_packed = is_deflate_offered(&extensions);
    let mut output = stream;
    write!(
        output,
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {answer}\r\n"
    )?;
    if is_packed {
        write!(output, "Sec-WebSocket-Extensions: {DEFLATE}\r\n")?;
    }
    write!(output, "\r\n")?;
    let (mut reader, mut packer) = (Reader::new(BYTES_MAX, is_packed), Packer::new());
    let mut bytes = vec![0; 1 << 16];
    let mut say = |kind, payload: &[u8]| match is_packed {
        true => packed_frame(kind, payload, &mut packer),
        false => frame(kind, payload),
    };
    loop {
        let count = input.read(&mut bytes)?;
        if count == 0 {
            return Ok(());
        }
        let taken = reader.take(&bytes[..count]);
        while let Some(incoming) = reader.pop() {
            let answer = match incoming {
                Incoming::Text(text) => say(Kind::Text, text.as_bytes()),
                Incoming::Binary(payload) => say(Kind::Binary, &payload),
                Incoming::Ping(payload) => frame(Kind::Pong, &payload),
                Incoming::Pong(_) => continue,
                Incoming::Close(close) => {
                    output.write_all(&close_frame(close.code.unwrap_or(1_000), ""))?;
                    return Ok(());
                }
            };
            output.write_all(&answer)?;
        }
        if let Err(fault) = taken {
            output.write_all(&close_frame(fault.code(), &fault.to_string()))?;
            return Ok(());
        }
    }
}
