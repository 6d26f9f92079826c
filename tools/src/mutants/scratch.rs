//! The scratch copy of some packages in which mutants live and are judged.

use super::suite::{Suite, Trial};
use super::switches::VARIABLE;
use crate::command::{cargo, command, output, root, run, target_dir};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
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

impl Verdict {
    /// Whether the mutant was killed, and by what, in words.
    pub fn told(self) -> (bool, String) {
        match self {
            Self::Killed(models) => (true, models.join(", ")),
            Self::Survived => (false, "SURVIVED".to_owned()),
            Self::Undecided(why) => (false, format!("UNDECIDED: {why}")),
        }
    }
}

/// The copy.
pub struct Scratch {
    folder: PathBuf,
    trials: &'static [Trial],
    /// The mutant whose switch is on.
    mutant: Option<String>,
}

impl Scratch {
    /// Lays a copy of a suite's packages anew; copies with other numbers are elsewhere.
    pub fn new(suite: &'static Suite, number: usize) -> Result<Self, String> {
        let name = format!("{}-{number}", suite.name);
        let folder = target_dir().join("mutants").join(name);
        let said = |e: std::io::Error| format!("lay {}: {e}", folder.display());
        for package in suite.packages.iter().chain(suite.folders) {
            let copy = folder.join(package);
            if copy.exists() {
                std::fs::remove_dir_all(&copy).map_err(said)?;
            }
            copy_sources(&root().join(package), &copy).map_err(said)?;
        }
        let manifest = std::fs::read_to_string(root().join("Cargo.toml")).map_err(said)?;
        std::fs::write(
            folder.join("Cargo.toml"),
            workspace_of(&manifest, suite.packages)?,
        )
        .map_err(said)?;
        std::fs::copy(root().join("Cargo.lock"), folder.join("Cargo.lock")).map_err(said)?;
        let (trials, mutant) = (suite.trials, None);
        let copy = Self {
            folder,
            trials,
            mutant,
        };
        copy.take_builds()?;
        Ok(copy)
    }

    /// What the real build made of other people's crates in the profile of the trials is taken
    /// over: they are the same here, and what was made of ours is known by its folder and passed
    /// over.
    fn take_builds(&self) -> Result<(), String> {
        let profiles = self.trials.iter().filter_map(|trial| {
            let at = trial.build.iter().position(|word| *word == "--profile")?;
            trial.build.get(at + 1)
        });
        for profile in profiles {
            let (from, to) = (target_dir().join(profile), self.target().join(profile));
            if !from.is_dir() || to.exists() {
                continue;
            }
            std::fs::create_dir_all(self.target())
                .map_err(|e| format!("make {}: {e}", self.target().display()))?;
            // Cargo goes by the times of files.
            run(command("cp", &["--archive"]).arg(from).arg(to))?;
        }
        Ok(())
    }

    /// The target folder of the copy, which nothing else uses.
    fn target(&self) -> PathBuf {
        self.folder.join("target")
    }

    /// From now on this mutant's switch is on.
    pub fn switch(&mut self, mutant: &str) {
        self.mutant = Some(mutant.to_owned());
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

    /// Runs one trial after the other on the copy, up to one that does not let it pass.
    pub fn judge(&self) -> Result<Verdict, String> {
        for trial in self.trials {
            match self.judge_by(trial)? {
                Verdict::Survived => {}
                other => return Ok(other),
            }
        }
        Ok(Verdict::Survived)
    }

    /// Builds what a trial needs, then runs it.
    fn judge_by(&self, trial: &Trial) -> Result<Verdict, String> {
        let built = output(&mut self.cargo(trial.build))?;
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
        let mut run = self.cargo(trial.run);
        run.stdout(file).stderr(also).env("RUST_BACKTRACE", "0");
        let mut child = run
            .spawn()
            .map_err(|e| format!("cannot start cargo: {e}"))?;
        let Some(success) = wait(&mut child)? else {
            return Ok(Verdict::Undecided(format!("no end after {TIME_LIMIT:?}")));
        };
        let text = std::fs::read(&log).map_err(|e| format!("{}: {e}", log.display()))?;
        Ok(verdict(trial, success, &String::from_utf8_lossy(&text)))
    }

    /// Cargo in the copy.
    fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = cargo(arguments);
        command
            .current_dir(&self.folder)
            .env("CARGO_TARGET_DIR", self.target())
            // Recorded days are not in the copy.
            .env_remove("CI");
        if let Some(mutant) = &self.mutant {
            command.env(VARIABLE, mutant);
        }
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

/// Reads from the log which tests failed: the names of the threads that panicked, or the program
/// that a trial is.
fn verdict(trial: &Trial, success: bool, log: &str) -> Verdict {
    if success {
        return Verdict::Survived;
    }
    if let Some((program, says)) = trial.program
        && (log.contains(says) || log.contains("panicked at"))
    {
        let line = log.lines().find(|line| line.contains(says));
        return Verdict::Killed(vec![line.unwrap_or(program).to_owned()]);
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
        return Verdict::Undecided("the trial failed without a verdict".into());
    }
    Verdict::Killed(models)
}

/// The root manifest with only the packages of the copy.
fn workspace_of(manifest: &str, packages: &[&str]) -> Result<String, String> {
    let said = |what: &str| format!("Cargo.toml: {what}");
    let mut table: toml::Table = manifest
        .parse()
        .map_err(|e: toml::de::Error| said(&e.to_string()))?;
    let workspace = table
        .get_mut("workspace")
        .and_then(toml::Value::as_table_mut);
    let workspace = workspace.ok_or_else(|| said("no [workspace]"))?;
    workspace.insert("members".into(), packages.to_vec().into());
    workspace.remove("default-members");
    let dependencies = workspace
        .get_mut("dependencies")
        .and_then(toml::Value::as_table_mut);
    let dependencies = dependencies.ok_or_else(|| said("no [workspace.dependencies]"))?;
    dependencies.retain(|_, value| {
        let path = value.get("path").and_then(toml::Value::as_str);
        path.is_none_or(|path| packages.contains(&path))
    });
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

    const TESTS: Trial = Trial {
        build: &[],
        run: &[],
        program: None,
    };

    #[test]
    fn only_a_model_that_fails_kills() {
        let killed = "test single ... \nthread 'single' (12) panicked at a.rs:1:2:\ncausality\n\
                      thread 'single' (12) panicked at a.rs:1:2:\ncausality\n";
        assert_eq!(
            verdict(&TESTS, false, killed),
            Verdict::Killed(vec!["single".into()])
        );
        let little =
            "thread 'batch' (12) panicked at a.rs:1:2:\nbatch explored only 1 executions\n";
        for log in [little, "error: killed"] {
            let verdict = verdict(&TESTS, false, log);
            assert!(matches!(verdict, Verdict::Undecided(_)), "{log}");
        }
        assert_eq!(verdict(&TESTS, true, killed), Verdict::Survived);
    }

    #[test]
    fn a_program_kills_by_what_it_says() {
        let trial = Trial {
            program: Some(("compare", "compare: seed")),
            ..TESTS
        };
        for (log, told) in [
            ("compare: seed 7, 2 inputs\n", "compare: seed 7, 2 inputs"),
            ("thread '<unnamed>' (1) panicked at a.rs:1:1", "compare"),
        ] {
            let killed = Verdict::Killed(vec![told.into()]);
            assert_eq!(verdict(&trial, false, log), killed);
        }
        let other = verdict(&trial, false, "error: no room on the disk\n");
        assert!(matches!(other, Verdict::Undecided(_)));
    }

    #[test]
    fn the_copy_knows_only_its_packages() {
        let manifest = "[workspace]\nmembers = ['a', 'queue']\ndefault-members = ['a']\n\
                        [workspace.dependencies]\na = { path = 'a' }\nb = '1'\n\
                        queue = { path = 'queue' }\n[profile.dev]\nopt-level = 1\n";
        let copy = workspace_of(manifest, &["queue", "loom-tests"]).unwrap();
        let copy: toml::Table = copy.parse().unwrap();
        let dependencies = copy["workspace"]["dependencies"].as_table().unwrap();
        assert_eq!(dependencies.keys().collect::<Vec<_>>(), ["b", "queue"]);
        assert_eq!(
            copy["workspace"]["members"],
            vec!["queue", "loom-tests"].into()
        );
        assert_eq!(copy["profile"]["dev"]["opt-level"].as_integer(), Some(1));
        assert!(workspace_of("[package]\n", &["queue"]).is_err());
    }
}
