//! One stage tried: applied and undone; applied, killed in the middle and undone. After each undo
//! everything must be as before.

use crate::dump::{Dump, differences, dump};
use crate::place;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use tuning::{DMA_LATENCY, Finding, Host, Setup, Stage, Verdict, doctor, plan};

/// The longest wait for the program, and for what somebody has in use.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two attempts to undo.
const PAUSE: Duration = Duration::from_millis(200);

/// What is made worse where a stage finds all as it wants it: else there is nothing to change.
const WORSE: &[(&str, &str, &str)] = &[
    (
        "clocksource",
        "/sys/devices/system/clocksource/clocksource0/current_clocksource",
        "kvm-clock",
    ),
    ("same-pages", "/sys/kernel/mm/ksm/run", "1"),
    ("numa", "/proc/sys/kernel/numa_balancing", "1"),
];
/// The same of the interface, whose name stands before it.
const WORSE_CARD: &[(&str, &str, &str)] = &[
    ("steering", "queues/rx-0/rps_cpus", "3"),
    ("busy-poll", "gro_flush_timeout", "20000"),
];

/// The program, and where it is to remember what it changed.
pub struct Bench {
    pub program: PathBuf,
    pub folder: PathBuf,
}

/// What came of a stage.
pub enum Outcome {
    /// Everything came back; how, in words.
    Restored(String),
    /// There was nothing to change; why.
    Nothing(String),
}

/// A setting that was made worse, and what it said.
struct Worse {
    path: String,
    before: String,
}

impl Worse {
    /// Makes something worse for this stage, if anything can be.
    fn make(host: &Host, stage: &Stage, setup: &Setup) -> Option<Self> {
        let of_host = WORSE.iter().map(|(name, path, value)| {
            let path = (*path).to_owned();
            (*name, path, *value)
        });
        let of_cards = setup.interfaces.iter().flat_map(|interface| {
            WORSE_CARD.iter().map(move |(name, path, value)| {
                let path = format!("/sys/class/net/{interface}/{path}");
                (*name, path, *value)
            })
        });
        let mut all = of_host.chain(of_cards);
        let (_, path, value) = all.find(|(name, ..)| *name == stage.name)?;
        let before = host.read(&path).ok()?;
        place::write(&path, value).ok()?;
        Some(Self { path, before })
    }

    fn mend(self) -> Result<(), String> {
        place::write(&self.path, &self.before)
    }
}

impl Bench {
    /// Tries one stage.
    pub fn attempt(
        &self,
        host: &Host,
        setup: &Setup,
        stage: &'static Stage,
    ) -> Result<Outcome, String> {
        let untouched = dump(host);
        let mut findings = doctor(host, setup, &[stage]);
        let mut worse = None;
        if plan(&findings, true).is_empty() {
            worse = Worse::make(host, stage, setup);
            findings = doctor(host, setup, &[stage]);
        }
        let count = plan(&findings, true).len();
        if count == 0 {
            worse.map_or(Ok(()), Worse::mend)?;
            return Ok(Outcome::Nothing(why_nothing(&findings)));
        }
        let tried = self.there_and_back(host, setup, (stage, count));
        let note = worse.as_ref().map_or_else(String::new, |worse| {
            format!("; {} was made worse first", worse.path)
        });
        worse.map_or(Ok(()), Worse::mend)?;
        same(&untouched, &dump(host), "after all")?;
        tried.map(|told| Outcome::Restored(format!("{told}{note}")))
    }

    /// Holds the bound on sleep by its program, which is then killed: the kernel lifts it.
    pub fn attempt_hold(&self, host: &Host) -> Result<Outcome, String> {
        let failed = |error: std::io::Error| error.to_string();
        let Ok(before) = host.text(DMA_LATENCY) else {
            return Ok(Outcome::Nothing(format!("{DMA_LATENCY} cannot be read")));
        };
        let mut hold = Command::new(&self.program);
        hold.args(["tune", "hold"]).stdout(Stdio::piped());
        let mut child = hold.spawn().map_err(failed)?;
        let told = child.stdout.take().map(|out| {
            let mut line = String::new();
            BufReader::new(out).read_line(&mut line).map(|_| line)
        });
        let held = host.text(DMA_LATENCY);
        child.kill().and_then(|()| child.wait()).map_err(failed)?;
        let after = host.text(DMA_LATENCY);
        if held.as_deref() != Ok("0") || after.as_ref() != Ok(&before) {
            let what = format!("it said {told:?}; the bound was {before}, {held:?}, {after:?}");
            return Err(what);
        }
        let text = format!("{DMA_LATENCY} was {before}, held at 0, and {before} after a kill");
        Ok(Outcome::Restored(text))
    }

    fn there_and_back(
        &self,
        host: &Host,
        setup: &Setup,
        (stage, count): (&Stage, usize),
    ) -> Result<String, String> {
        let before = dump(host);
        let applied = self.apply(stage, setup).output();
        let applied = text(applied.map_err(|error| error.to_string())?);
        let refused = applied.lines().filter(|line| line.starts_with("REFUSED"));
        let refused: Vec<&str> = refused.collect();
        let changed = differences(&before, &dump(host)).len();
        self.undo(stage)?;
        same(&before, &dump(host), "after undo")?;
        if changed == 0 {
            return Err(format!("nothing was seen to change:\n{applied}"));
        }
        let killed = self.kill_in_the_middle(stage, setup, count)?;
        self.undo(stage)?;
        same(&before, &dump(host), "after a kill and undo")?;
        let refused = match refused.as_slice() {
            [] => String::new(),
            lines => format!(", refused: {}", lines.join(", ")),
        };
        Ok(format!(
            "{count} changes moved {changed} files{refused}; killed after line {killed} of {}",
            2 * count
        ))
    }

    fn apply(&self, stage: &Stage, setup: &Setup) -> Command {
        let mut command = Command::new(&self.program);
        command.args(["tune", "apply", stage.name, "--state"]);
        command.arg(self.state(stage));
        for interface in &setup.interfaces {
            command.args(["--interface", interface]);
        }
        command
    }

    /// Undoes a stage, again and again: what somebody has in use, such as a large page, comes back
    /// when it is let go of.
    fn undo(&self, stage: &Stage) -> Result<(), String> {
        let since = Instant::now();
        loop {
            let mut command = Command::new(&self.program);
            command.args(["tune", "undo", stage.name, "--state"]);
            let output = command.arg(self.state(stage)).output();
            let output = output.map_err(|error| error.to_string())?;
            if output.status.success() && !self.state(stage).exists() {
                return Ok(());
            }
            if since.elapsed() > PATIENCE {
                return Err(format!("undo did not come to its end:\n{}", text(output)));
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// Kills an apply when half of what it writes down is written; says how many lines there are.
    fn kill_in_the_middle(
        &self,
        stage: &Stage,
        setup: &Setup,
        count: usize,
    ) -> Result<usize, String> {
        let mut command = self.apply(stage, setup);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let mut child = child.map_err(|error| error.to_string())?;
        let since = Instant::now();
        while lines(&self.state(stage)) < count && !is_over(&mut child) {
            if since.elapsed() > PATIENCE {
                break;
            }
            std::thread::yield_now();
        }
        // It may have ended by itself: then there is nothing to kill.
        let _ = child.kill();
        child.wait().map_err(|error| error.to_string())?;
        Ok(lines(&self.state(stage)))
    }

    fn state(&self, stage: &Stage) -> PathBuf {
        self.folder.join(format!("{}.journal", stage.name))
    }
}

fn is_over(child: &mut Child) -> bool {
    !matches!(child.try_wait(), Ok(None))
}

fn lines(file: &Path) -> usize {
    let bytes = fs::read(file).unwrap_or_default();
    bytes.iter().filter(|byte| **byte == b'\n').count()
}

fn text(output: Output) -> String {
    let bytes = [output.stdout, output.stderr].concat();
    String::from_utf8_lossy(&bytes).into_owned()
}

fn same(before: &Dump, after: &Dump, when: &str) -> Result<(), String> {
    match differences(before, after).as_slice() {
        [] => Ok(()),
        lines => Err(format!("{when}:\n  {}", lines.join("\n  "))),
    }
}

/// What stands against each thing that a stage looks at.
fn why_nothing(findings: &[Finding]) -> String {
    let why = |finding: &Finding| {
        let Finding { subject, found, .. } = finding;
        match finding.verdict {
            Verdict::Good => format!("{subject}: as wanted"),
            Verdict::Absent => format!("{subject}: {found}"),
            Verdict::Poor | Verdict::Choice => format!("{subject}: {found}: only by hand"),
        }
    };
    findings.iter().map(why).collect::<Vec<_>>().join("; ")
}
