//! The fuzz targets of every crate: found in the `fuzz` folders, built with the address sanitizer.

use crate::Outcome;
use crate::command::{cargo, output, root, run as run_command, succeeds, target_dir};
use std::path::Path;

/// Seconds for each target unless told otherwise: parsers find nothing new after a few, and there
/// are machines of states, too.
pub const SECONDS: u32 = 5;

/// The seed of what CI tries: the same inputs each time for the same code.
pub const SEED: u32 = 1;

/// The largest input a fuzzer makes.
const INPUT_BYTES_MAX: u32 = 4096;

/// A target and the folder, from the root, of the fuzz crate it is in.
struct Target {
    folder: String,
    name: String,
}

/// Runs the targets called `names`, or all of them, each from `seed`, where 0 draws one.
pub fn run(seconds: u32, seed: u32, names: &[String]) -> Outcome {
    let all = targets()?;
    if let Some(unknown) = names
        .iter()
        .find(|name| !all.iter().any(|t| t.name == **name))
    {
        let known: Vec<_> = all.iter().map(|target| target.name.as_str()).collect();
        return Err(format!(
            "no fuzz target {unknown}; there are: {}",
            known.join(", ")
        ));
    }
    if !succeeds(&mut cargo(&["fuzz", "--version"])) {
        return Err("cargo-fuzz is not installed: run `cargo x setup`".into());
    }
    let chosen = all
        .iter()
        .filter(|t| names.is_empty() || names.contains(&t.name));
    let failed: Vec<String> = chosen
        .filter_map(|target| run_target(target, seconds, seed).err())
        .collect();
    if failed.is_empty() {
        return Ok(());
    }
    Err(failed.join("; "))
}

fn run_target(target: &Target, seconds: u32, seed: u32) -> Outcome {
    let folder = root().join(&target.folder);
    let target_dir = target_dir().join("fuzz");
    // The sanitizer needs a flag that stable compilers accept only when told so.
    let mut command = cargo(&["fuzz", "run", "--fuzz-dir"]);
    command
        .arg(folder)
        .arg("--target-dir")
        .arg(target_dir)
        .arg(&target.name);
    command.arg("--").arg(format!("-max_total_time={seconds}"));
    command.args([
        "-timeout=60",
        "-rss_limit_mb=4096",
        "-print_final_stats=1",
        "-verbosity=0",
    ]);
    command.arg(format!("-max_len={INPUT_BYTES_MAX}"));
    command.arg(format!("-seed={seed}"));
    command.env("RUSTC_BOOTSTRAP", "1");
    run_command(&mut command)
}

/// All targets, in the order of their folders and of their names in the manifest.
fn targets() -> Result<Vec<Target>, String> {
    let listed = output(crate::command::command("git", &["ls-files"]).args([
        "--cached",
        "--others",
        "--exclude-standard",
        "*fuzz/Cargo.toml",
    ]))?;
    let mut targets = Vec::new();
    for manifest in String::from_utf8_lossy(&listed.stdout).lines() {
        let path = root().join(manifest);
        let text = std::fs::read_to_string(&path).map_err(|e| format!("read {manifest}: {e}"))?;
        let folder = Path::new(manifest)
            .parent()
            .unwrap_or(Path::new(""))
            .display()
            .to_string();
        for name in targets_of(&text).map_err(|e| format!("{manifest}: {e}"))? {
            targets.push(Target {
                folder: folder.clone(),
                name,
            });
        }
    }
    Ok(targets)
}

/// The names of the programs in a manifest.
fn targets_of(manifest: &str) -> Result<Vec<String>, String> {
    let table: toml::Table = manifest
        .parse()
        .map_err(|e: toml::de::Error| e.to_string())?;
    let bins = table
        .get("bin")
        .and_then(toml::Value::as_array)
        .ok_or("no [[bin]]")?;
    let name_of = |bin: &toml::Value| bin.get("name")?.as_str().map(str::to_owned);
    bins.iter()
        .map(|bin| name_of(bin).ok_or_else(|| "a [[bin]] without a name".into()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_the_programs_of_the_manifest() {
        let manifest = "[package]\nname = 'x'\n[[bin]]\nname = 'a'\n[[bin]]\nname = 'b'\n";
        assert_eq!(targets_of(manifest), Ok(vec!["a".into(), "b".into()]));
        assert!(targets_of("[package]\n").is_err());
        assert!(targets_of("[[bin]]\npath = 'a'\n").is_err());
    }

    #[test]
    fn every_listed_target_has_its_file() {
        for target in targets().unwrap() {
            let file = root()
                .join(&target.folder)
                .join("fuzz_targets")
                .join(&target.name);
            assert!(
                file.with_extension("rs").is_file(),
                "{} has no file",
                target.name
            );
        }
    }
}
