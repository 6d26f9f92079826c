//! The program that is measured, with one key that may ask as often as it likes.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// The service, until this goes.
pub struct Service {
    pub child: Child,
    pub address: SocketAddr,
    pub token: String,
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Service {
    /// Over the tables in a folder, with a key of this role and these sections more.
    pub fn start(folder: &Path, role: &str, more: &str) -> Self {
        let (token, hash) = api::keys::make_token().unwrap();
        let settings = folder.join("api.toml");
        let text = format!(
            "listen = \"127.0.0.1:0\"\nvenue = {folder:?}\ntables = {:?}\n{more}\n[[keys]]\n\
             name = \"load\"\nrole = \"{role}\"\ntoken_sha256 = \"{hash}\"\n\
             per_second = 10000000\nat_once = 10000000\n",
            folder.join("tables.db")
        );
        std::fs::write(&settings, text).unwrap();
        let examples = std::env::current_exe().unwrap();
        let program = examples.parent().unwrap().with_file_name("wirecross-api");
        assert!(
            program.is_file(),
            "{}: cargo build -p api --bins",
            program.display()
        );
        let mut command = Command::new(program);
        command.args(["serve", settings.to_str().unwrap(), "--insecure-dev"]);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        let out = child.stdout.take().unwrap();
        BufReader::new(out).read_line(&mut line).unwrap();
        let address = line.trim().rsplit('/').next().unwrap().parse().unwrap();
        Self {
            child,
            address,
            token,
        }
    }
}
