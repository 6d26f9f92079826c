//! Applies what `wirecross tune` can and undoes it, in namespaces or on this very machine.
//!
//! On a machine it changes what everybody on it feels, for about a second a stage. So it wants to
//! be told the machine's name.

use crate::Outcome;
use crate::command::{cargo, command, output, run as run_command, target_dir};
use clap::Args;

/// Where to try it.
#[derive(Args)]
pub struct Roundtrip {
    /// In namespaces of its own: what other programs do not feel.
    #[arg(long)]
    namespaces: bool,
    /// On this machine, if that is its name: every stage, each for about a second.
    #[arg(long, value_name = "NAME", conflicts_with = "namespaces")]
    host: Option<String>,
    /// Only these stages.
    stages: Vec<String>,
}

impl Roundtrip {
    /// What CI tries.
    pub const CI: Self = Self {
        namespaces: true,
        host: None,
        stages: Vec::new(),
    };
}

/// Builds the program and tries it.
pub fn run(what: &Roundtrip) -> Outcome {
    let place = match &what.host {
        Some(name) => host(name)?,
        None if what.namespaces => "namespaces",
        None => {
            return Err(
                "this changes a machine: say --namespaces, or --host NAME with this machine's name"
                    .into(),
            );
        }
    };
    let mut unshare = command("unshare", &["--mount", "--propagation", "private"]);
    if place == "namespaces" {
        unshare.arg("--net");
    }
    if !output(unshare.arg("true"))?.status.success() {
        println!("skipped: no namespaces of one's own without root");
        return Ok(());
    }
    let build = ["build", "--quiet", "--profile", "checked"];
    run_command(cargo(&build).args(["-p", "appliance", "--bin", "wirecross"]))?;
    run_command(cargo(&build).args(["-p", "tuning", "--example", "roundtrip"]))?;
    attempt(place, &what.stages)
}

fn attempt(place: &str, stages: &[String]) -> Outcome {
    let built = target_dir().join("checked");
    let folder = target_dir().join("roundtrip");
    std::fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let mut unshare = command("unshare", &["--mount", "--propagation", "private"]);
    if place == "namespaces" {
        unshare.arg("--net");
    }
    unshare.arg(built.join("examples/roundtrip")).arg(place);
    unshare.arg(built.join("wirecross")).arg(folder);
    run_command(unshare.args(stages))
}

/// The machine itself, if it is the one that is meant.
fn host(name: &str) -> Result<&'static str, String> {
    let path = "/proc/sys/kernel/hostname";
    let found = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    if found.trim() == name {
        return Ok("host");
    }
    Err(format!(
        "this machine is called {}, not {name}",
        found.trim()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_that_is_not_named_is_left_alone() {
        let what = |host: Option<&str>| Roundtrip {
            namespaces: false,
            host: host.map(str::to_owned),
            stages: Vec::new(),
        };
        assert!(run(&what(None)).is_err_and(|why| why.contains("--host NAME")));
        let other = run(&what(Some("no machine's name")));
        assert!(other.is_err_and(|why| why.contains("not no machine's name")));
    }
}
