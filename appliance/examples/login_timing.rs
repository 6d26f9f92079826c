//! Whether the time of a refused login tells if its user exists: unknown users and wrong passwords
//! in turns, and Welch's t between their times.
//!
//! ```text
//! cargo run --release -p appliance --example login_timing -- [LOGINS] [MEMORY_KIB]
//! ```
//!
//! Judges as the worker of a venue does, on one thread. Beyond 4.5 the times differ for a reason.

use appliance::topology::{Secret, Topology};
use appliance::venue::logins::Passwords;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, Version};
use session::challenge::NONCE_BYTES;
use session::order_entry::{PASSWORD_LETTERS, Question};
use std::process::ExitCode;
use std::time::Instant;

const TOPOLOGY: &str = include_str!("../topologies/dev-2core.toml");

/// A login that exists, of two.
const KNOWN: u16 = 1;

/// Mean and variance, one after the other.
#[derive(Default)]
struct Moments {
    count: f64,
    mean: f64,
    squares: f64,
    max: f64,
}

impl Moments {
    fn add(&mut self, value: f64) {
        self.count += 1.0;
        let off = value - self.mean;
        self.mean += off / self.count;
        self.squares += off * (value - self.mean);
        self.max = self.max.max(value);
    }

    /// Variance of the mean.
    fn spread(&self) -> f64 {
        self.squares / (self.count - 1.0) / self.count
    }
}

fn passwords(memory_kib: u32) -> Result<Passwords, String> {
    let mut topology = Topology::parse(TOPOLOGY).map_err(|error| error.to_string())?;
    let params = Params::new(memory_kib, 2, 1, None).map_err(|error| error.to_string())?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    for user in &mut topology.users {
        let name = user.name.to_ascii_uppercase();
        let hash = argon2.hash_password(name.as_bytes());
        user.secret = Secret::Hash(hash.map_err(|error| error.to_string())?.to_string());
    }
    Passwords::of(&topology).ok_or_else(|| "no password is hashed".to_owned())
}

fn login(login: Option<u16>, password: &[u8; PASSWORD_LETTERS]) -> Question {
    Question {
        conn: 0,
        number: 0,
        login,
        password: *password,
        nonce: [0; NONCE_BYTES],
        session: [b' '; 10],
    }
}

fn run(logins: u32, memory_kib: u32) -> Result<(), String> {
    let passwords = passwords(memory_kib)?;
    let (mut unknown, mut wrong) = (Moments::default(), Moments::default());
    // Which of the two comes first, changes: a pattern of the machine must not look like theirs.
    let mut order: u32 = 0x9e37_79b9;
    for _ in 0..logins / 2 {
        order = order.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let is_first = order >> 31 == 1;
        for is_known in [is_first, !is_first] {
            let question = login(is_known.then_some(KNOWN), b"GUESS     ");
            let begun = Instant::now();
            let is_right = passwords.is_right(&question);
            let time_ns = begun.elapsed().as_nanos() as f64;
            if is_right {
                return Err("a wrong password was taken for right".to_owned());
            }
            if is_known { &mut wrong } else { &mut unknown }.add(time_ns);
        }
    }
    if !passwords.is_right(&login(Some(KNOWN), b"BRAVO     ")) {
        return Err("the right password was not taken".to_owned());
    }
    let t = (unknown.mean - wrong.mean) / (unknown.spread() + wrong.spread()).sqrt();
    for (name, moments) in [("unknown user", &unknown), ("wrong password", &wrong)] {
        println!(
            "{name:<15} {} logins, mean {:.1} us, max {:.1} us",
            moments.count,
            moments.mean / 1_000.0,
            moments.max / 1_000.0
        );
    }
    println!("Welch's t {t:.2}");
    Ok(())
}

fn main() -> ExitCode {
    let mut numbers = std::env::args().skip(1).map(|text| text.parse().ok());
    let logins = numbers.next().flatten().unwrap_or(10_000);
    let memory_kib = numbers.next().flatten().unwrap_or(Params::DEFAULT_M_COST);
    match run(logins, memory_kib) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("login_timing: {error}");
            ExitCode::FAILURE
        }
    }
}
