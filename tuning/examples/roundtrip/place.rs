//! Where stages are tried: in namespaces that vanish with this process, or on the host itself with
//! only those files put aside that this host does not have.
//!
//! Both want namespaces of their own, which `unshare` gave this process.

use std::fs;
use std::path::Path;
use std::process::Command;

/// One end of the pair of interfaces that is made where there is a namespace for it.
pub const INTERFACE: &str = "wxa";
const PEER: &str = "wxb";
const GRUB: &str = "/etc/default/grub";
const LIMITS: &str = "/etc/security/limits.d";
const DEBUG: &str = "/sys/kernel/debug";

/// Gives every stage of the host something to work on.
pub fn of_host() -> Result<(), String> {
    if !Path::new(GRUB).exists() {
        private_grub()?;
    }
    if !Path::new(DEBUG).join("sched").exists() {
        // Without it one setting less can be tried, which is told there.
        let _ = mount("debugfs", DEBUG);
    }
    Ok(())
}

/// A pair of interfaces, and folders for the files that stages make.
pub fn of_namespaces() -> Result<(), String> {
    mount("sysfs", "/sys")?;
    let queues = ["numrxqueues", "2", "numtxqueues", "2"];
    let mut pair = vec!["link", "add", INTERFACE];
    pair.extend(queues);
    pair.extend(["type", "veth", "peer", "name", PEER]);
    pair.extend(queues);
    run("ip", &pair)?;
    for interface in [INTERFACE, PEER] {
        run("ip", &["link", "set", interface, "up"])?;
    }
    private_grub()?;
    mount("tmpfs", LIMITS)
}

/// A folder that only this process and its children see.
fn private_grub() -> Result<(), String> {
    mount("tmpfs", "/etc/default")?;
    write(GRUB, "GRUB_CMDLINE_LINUX=\"\"\n")
}

/// Writes a setting.
pub fn write(path: &str, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| format!("{path}: {error}"))
}

fn mount(kind: &str, place: &str) -> Result<(), String> {
    run("mount", &["-t", kind, "none", place])
}

fn run(program: &str, arguments: &[&str]) -> Result<(), String> {
    let output = Command::new(program).args(arguments).output();
    let output = output.map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let told = String::from_utf8_lossy(&output.stderr);
    Err(format!("{program} {}: {told}", arguments.join(" ")))
}
