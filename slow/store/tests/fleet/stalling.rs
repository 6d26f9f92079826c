//! A way to a server that lets everything through but queries, which it loses.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;

/// What the query has in it that is lost, and no question of a router's.
const LOST: &[u8] = b"open_units";

/// Goes on until the test's process ends.
pub struct Stalling {
    pub url: String,
    does_stall: Arc<Mutex<bool>>,
}

impl Stalling {
    /// In front of the server with its socket in a folder.
    pub fn before(folder: &Path, database: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let does_stall = Arc::new(Mutex::new(true));
        let (socket, stalls) = (folder.join(".s.PGSQL.5432"), does_stall.clone());
        thread::spawn(move || serve(&listener, &socket, &stalls));
        Self {
            url: format!("postgres://wirecross@{address}/{database}"),
            does_stall,
        }
    }

    /// Loses nothing from here on.
    pub fn ends(&self) {
        *self.does_stall.lock().unwrap() = false;
    }
}

fn serve(listener: &TcpListener, socket: &PathBuf, does_stall: &Arc<Mutex<bool>>) {
    for client in listener.incoming() {
        let mut client = client.unwrap();
        let mut server = UnixStream::connect(socket).unwrap();
        let (mut from, mut to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
        thread::spawn(move || {
            let _ = std::io::copy(&mut from, &mut to);
        });
        let does_stall = does_stall.clone();
        thread::spawn(move || {
            let mut bytes = [0; 16_384];
            while let Ok(count @ 1..) = client.read(&mut bytes) {
                let said = &bytes[..count];
                let is_query = said.windows(LOST.len()).any(|it| it == LOST);
                if is_query && *does_stall.lock().unwrap() {
                    continue;
                }
                if server.write_all(said).is_err() {
                    break;
                }
            }
            let _ = server.shutdown(Shutdown::Both);
        });
    }
}
