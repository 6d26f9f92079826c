//! `cargo x redis`: a real Redis on loopback. All of it is in a folder of the build.

mod server;

use crate::Outcome;
use crate::command::target_dir;
use clap::Subcommand;
use server::{Server, asked, is_installed};

pub use server::{PACKAGE, PROGRAM};

/// Its port on 127.0.0.1.
const PORT: u16 = 25_379;

/// What to do.
#[derive(Subcommand)]
pub enum Task {
    /// Starts it.
    Up,
    /// Stops it; what it kept is gone.
    Down,
    /// Says whether it runs, and where.
    Status,
}

/// Does it.
pub fn run(task: &Task) -> Outcome {
    if !is_installed() {
        return Err(format!(
            "redis: {PROGRAM} is not installed: `cargo x setup` installs Debian's {PACKAGE}, or \
             `apt-get install {PACKAGE}` by hand"
        ));
    }
    let told = |error| format!("redis: {error}");
    let server = Server {
        folder: target_dir().join("redis"),
        port: PORT,
    };
    match task {
        Task::Up if server.pid().is_none() => server.start().map_err(told)?,
        Task::Up | Task::Status => {}
        Task::Down => {
            server.stop().map_err(told)?;
            if server.folder.exists() {
                let told = |e| format!("redis: remove {}: {e}", server.folder.display());
                std::fs::remove_dir_all(&server.folder).map_err(told)?;
            }
        }
    }
    status(&server);
    Ok(())
}

fn status(server: &Server) {
    let state = match server.pid() {
        None => "does not run".to_owned(),
        Some(pid) => {
            let info = asked(server.port, "INFO").unwrap_or_default();
            let field = |name: &str| {
                let line = info.lines().find_map(|line| line.strip_prefix(name));
                line.unwrap_or("?").trim().to_owned()
            };
            format!("runs as process {pid}, version {}", field("redis_version:"))
        }
    };
    println!("{} {state}", server.url());
}
