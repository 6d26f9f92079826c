//! The program that is measured, with one key that may ask as often as it likes.
#![allow(dead_code, reason = "each example uses its part")]

pub mod calls;
pub mod h2load;

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// The service, until this goes.
pub struct Service {
    pub child: Child,
    pub address: SocketAddr,
    /// Where gRPC is spoken, if the settings have it.
    pub grpc: Option<SocketAddr>,
    pub token: String,
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Service {
    /// Over the tables in a folder, with a key of which these lines are, and these sections more.
    pub fn start(folder: &Path, key: &str, more: &str) -> Self {
        let (token, hash) = api::keys::make_token().unwrap();
        let settings = folder.join("api.toml");
        let text = format!(
            "listen = \"127.0.0.1:0\"\nvenue = {folder:?}\ntables = {:?}\n{more}\n[[keys]]\n\
             name = \"load\"\ntoken_sha256 = \"{hash}\"\nper_second = 10000000\n\
             at_once = 10000000\n{key}\n",
            folder.join("tables.db")
        );
        std::fs::write(&settings, text).unwrap();
        let mut command = Command::new(program("wirecross-api"));
        command.args(["serve", settings.to_str().unwrap(), "--insecure-dev"]);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut grpc = None;
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = loop {
            let line = lines.next().unwrap().unwrap();
            match line.split_once("gRPC at ") {
                Some((_, at)) => grpc = Some(at.parse().unwrap()),
                None => break line.rsplit('/').next().unwrap().parse().unwrap(),
            }
        };
        Self {
            child,
            address,
            grpc,
            token,
        }
    }

    /// The processor's time that it took, in seconds.
    pub fn busy(&self) -> f64 {
        busy(&self.child.id().to_string())[0]
    }
}

/// A program that was built beside this one.
pub fn program(name: &str) -> std::path::PathBuf {
    let examples = std::env::current_exe().unwrap();
    let program = examples.parent().unwrap().with_file_name(name);
    assert!(
        program.is_file(),
        "{}: build it first, as this example says",
        program.display()
    );
    program
}

/// The processor's time that a process took, and its children that ended, in seconds.
pub fn busy(process: &str) -> [f64; 2] {
    let told = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let after = told.rsplit_once(')').unwrap().1;
    let ticks = after.split_whitespace().skip(11).take(4);
    let seconds: Vec<f64> = ticks.map(|it| it.parse::<f64>().unwrap() / 100.0).collect();
    [seconds[0] + seconds[1], seconds[2] + seconds[3]]
}
