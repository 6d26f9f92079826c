//! The house rules that no other tool checks.

mod code;
mod file;
mod manifest;
mod table;

use crate::Outcome;
use crate::command::{command, output, root};
use table::{ROOMS, Room};
use toml::Table;

/// Checks every Rust file and every manifest that git knows or would add.
pub fn run() -> Outcome {
    let paths = files("*.rs")?;
    let mut faults = Vec::new();
    for path in &paths {
        let text = read(path)?;
        faults.extend(file::faults(path, &text, room_of(path)));
    }
    let root_manifest = parse("Cargo.toml")?;
    faults.extend(manifest::member_faults(&root_manifest));
    let ours = manifest::our_crates(&root_manifest);
    for room in ROOMS
        .iter()
        .filter(|room| root().join(room.folder).is_dir())
    {
        let found = parse(&format!("{}/Cargo.toml", room.folder))?;
        faults.extend(manifest::faults(room, &found, &ours));
    }
    for fault in &faults {
        println!("{fault}");
    }
    println!("tidy: {} files, {} faults", paths.len(), faults.len());
    if faults.is_empty() {
        return Ok(());
    }
    Err(format!("{} faults, listed above", faults.len()))
}

/// The room with the longest folder that holds `path`.
fn room_of(path: &str) -> Option<&'static Room> {
    let holds = |room: &&Room| {
        path.strip_prefix(room.folder)
            .is_some_and(|rest| rest.starts_with('/'))
    };
    ROOMS
        .iter()
        .filter(holds)
        .max_by_key(|room| room.folder.len())
}

/// Files that git knows or would add, and that are there.
fn files(pattern: &str) -> Result<Vec<String>, String> {
    let arguments = [
        "ls-files",
        "--cached",
        "--others",
        "--exclude-standard",
        pattern,
    ];
    let listed = output(&mut command("git", &arguments))?;
    if !listed.status.success() {
        return Err(format!(
            "git ls-files: {}",
            String::from_utf8_lossy(&listed.stderr)
        ));
    }
    let listed = String::from_utf8_lossy(&listed.stdout);
    let mut paths: Vec<String> = listed.lines().map(str::to_owned).collect();
    paths.retain(|path| root().join(path).is_file());
    paths.sort();
    paths.dedup();
    Ok(paths)
}

fn read(path: &str) -> Result<String, String> {
    std::fs::read_to_string(root().join(path)).map_err(|error| format!("read {path}: {error}"))
}

fn parse(path: &str) -> Result<Table, String> {
    read(path)?
        .parse()
        .map_err(|error| format!("{path}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_room_holds_a_file() {
        let folder = |path| room_of(path).map(|room| room.folder);
        assert_eq!(folder("nic/af_xdp/src/lib.rs"), Some("nic/af_xdp"));
        assert_eq!(folder("nic/src/lib.rs"), Some("nic"));
        assert_eq!(folder("nicer/src/lib.rs"), None);
    }
}
