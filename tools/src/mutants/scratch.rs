//! The scratch copy of `queue` and `loom-tests` in which mutants live and are judged.

use crate::command::{cargo, root, target_dir};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A mutant that takes longer may hang; no model of an unbroken algorithm takes a tenth of it.
const TIME_LIMIT: Duration = Duration::from_secs(600);

/// What `loom-tests` says when a model explored too little: that kills no mutant.
const TOO_LITTLE: &str = "explored only";

/// What the models say of a mutant.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// These models failed.
    Killed(Vec<String>),
    /// All models passed.
    Survived,
    /// It cannot be told, and why.
    Undecided(String),
}

/// The copy.
pub struct Scratch {
    folder: PathBuf,
}

impl Scratch {
    /// Lays the copy anew.
    pub fn new() -> Result<Self, String> {
        let folder = target_dir().join("mutants");
        let said = |e: std::io::Error| format!("lay {}: {e}", folder.display());
        for package in ["queue", "loom-tests"] {
            let copy = folder.join(package);
            if copy.exists() {
                std::fs::remove_dir_all(&copy).map_err(said)?;
            }
            copy_sources(&root().join(package), &copy).map_err(said)?;
        }
        let manifest = std::fs::read_to_string(root().join("Cargo.toml")).map_err(said)?;
        std::fs::write(folder.join("Cargo.toml"), workspace_of(&manifest)?).map_err(said)?;
        std::fs::copy(root().join("Cargo.lock"), folder.join("Cargo.lock")).map_err(said)?;
        Ok(Self { folder })
    }

    /// Puts other text into a file of the copy.
    pub fn write(&self, file: &str, text: &str) -> Result<(), String> {
        let path = self.folder.join(file);
        std::fs::write(&path, text).map_err(|e| format!("write {}: {e}", path.display()))
    }

    /// Puts the real text back into a file of the copy.
    pub fn restore(&self, file: &str) -> Result<(), String> {
        let path = root().join(file);
        let text =
            std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        self.write(file, &text)
    }

    /// Builds the copy and runs the models on it.
    pub fn judge(&self) -> Result<Verdict, String> {
        let mut build = self.cargo(&["test", "--quiet", "-p", "loom-tests", "--tests", "--no-run"]);
        let built = build
            .output()
            .map_err(|e| format!("cannot start cargo: {e}"))?;
        if !built.status.success() {
            let said = String::from_utf8_lossy(&built.stderr);
            let line = said
                .lines()
                .find(|line| line.starts_with("error"))
                .unwrap_or("error");
            return Ok(Verdict::Undecided(format!("does not compile: {line}")));
        }
        let log = self.folder.join("log");
        let file = std::fs::File::create(&log).map_err(|e| format!("{}: {e}", log.display()))?;
        let also = file
            .try_clone()
            .map_err(|e| format!("{}: {e}", log.display()))?;
        let tests = [
            "test",
            "--quiet",
            "-p",
            "loom-tests",
            "--tests",
            "--no-fail-fast",
        ];
        let mut run = self.cargo(&tests);
        run.args(["--", "--nocapture", "--test-threads=1"])
            .stdout(file)
            .stderr(also);
        run.env("RUST_BACKTRACE", "0");
        let mut child = run
            .spawn()
            .map_err(|e| format!("cannot start cargo: {e}"))?;
        let Some(success) = wait(&mut child)? else {
            return Ok(Verdict::Undecided(format!("no end after {TIME_LIMIT:?}")));
        };
        let text = std::fs::read(&log).map_err(|e| format!("{}: {e}", log.display()))?;
        Ok(verdict(success, &String::from_utf8_lossy(&text)))
    }

    /// Cargo in the copy, with a target folder that nothing else uses.
    fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = cargo(arguments);
        command
            .current_dir(&self.folder)
            .env("CARGO_TARGET_DIR", self.folder.join("target"));
        command.stdin(Stdio::null());
        command
    }
}

/// Waits for the end, no longer than the limit; `None` when it had to be ended.
fn wait(child: &mut Child) -> Result<Option<bool>, String> {
    let start = Instant::now();
    loop {
        if let Some(status) = child
            .try_wait()
            .map_err(|e| format!("wait for cargo: {e}"))?
        {
            return Ok(Some(status.success()));
        }
        if start.elapsed() > TIME_LIMIT {
            // If it ended by itself meanwhile there is nothing to end.
            let _ = child.kill();
            let _ = child.wait();
            return Ok(None);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Reads from the log which models failed: the names of the threads that panicked.
fn verdict(success: bool, log: &str) -> Verdict {
    if success {
        return Verdict::Survived;
    }
    let mut models = Vec::new();
    let mut lines = log.lines();
    while let Some(line) = lines.next() {
        let Some((_, rest)) = line.split_once("thread '") else {
            continue;
        };
        let Some((name, rest)) = rest.split_once('\'') else {
            continue;
        };
        if !rest.contains("panicked at") {
            continue;
        }
        let message = lines.next().unwrap_or_default();
        if !message.contains(TOO_LITTLE) && !models.iter().any(|model| model == name) {
            models.push(name.to_owned());
        }
    }
    if models.is_empty() {
        return Verdict::Undecided("the models failed without a verdict".into());
    }
    Verdict::Killed(models)
}

/// The root manifest with only the two packages of the copy.
fn workspace_of(manifest: &str) -> Result<String, String> {
    let said = |what: &str| format!("Cargo.toml: {what}");
    let mut table: toml::Table = manifest
        .parse()
        .map_err(|e: toml::de::Error| said(&e.to_string()))?;
    let workspace = table
        .get_mut("workspace")
        .and_then(toml::Value::as_table_mut);
    let workspace = workspace.ok_or_else(|| said("no [workspace]"))?;
    workspace.insert("members".into(), vec!["queue", "loom-tests"].into());
    workspace.remove("default-members");
    let dependencies = workspace
        .get_mut("dependencies")
        .and_then(toml::Value::as_table_mut);
    let dependencies = dependencies.ok_or_else(|| said("no [workspace.dependencies]"))?;
    dependencies.retain(|name, value| name == "queue" || value.get("path").is_none());
    toml::to_string(&table).map_err(|e| said(&e.to_string()))
}

fn copy_sources(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_sources(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_model_that_fails_kills() {
        let killed = "test single ... \nthread 'single' (12) panicked at a.rs:1:2:\ncausality\n\
                      thread 'single' (12) panicked at a.rs:1:2:\ncausality\n";
        assert_eq!(
            verdict(false, killed),
            Verdict::Killed(vec!["single".into()])
        );
        let little =
            "thread 'batch' (12) panicked at a.rs:1:2:\nbatch explored only 1 executions\n";
        assert!(matches!(verdict(false, little), Verdict::Undecided(_)));
        assert!(matches!(
            verdict(false, "error: killed"),
            Verdict::Undecided(_)
        ));
        assert_eq!(verdict(true, killed), Verdict::Survived);
    }

    #[test]
    fn the_copy_knows_only_its_packages() {
        let manifest = "[workspace]\nmembers = ['a', 'queue']\ndefault-members = ['a']\n\
                        [workspace.dependencies]\na = { path = 'a' }\nb = '1'\n\
                        queue = { path = 'queue' }\n[profile.dev]\nopt-level = 1\n";
        let copy: toml::Table = workspace_of(manifest).unwrap().parse().unwrap();
        let dependencies = copy["workspace"]["dependencies"].as_table().unwrap();
        assert_eq!(dependencies.keys().collect::<Vec<_>>(), ["b", "queue"]);
        assert_eq!(
            copy["workspace"]["members"],
            vec!["queue", "loom-tests"].into()
        );
        assert_eq!(copy["profile"]["dev"]["opt-level"].as_integer(), Some(1));
        assert!(workspace_of("[package]\n").is_err());
    }
}
