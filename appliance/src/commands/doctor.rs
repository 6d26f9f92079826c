//! `wirecross doctor`: what of this host disturbs a pinned thread, and what to do about it.

mod walls;

use super::host::HostArgs;
use std::path::PathBuf;
use std::process::ExitCode;
use tuning::{Finding, Host, Verdict, details, doctor, pack, table};

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Stages to look at, `sandbox` among them; all of the profile's if none is named.
    stages: Vec<String>,
    #[command(flatten)]
    host: HostArgs,
    /// Only the table, without reasons, changes and risks.
    #[arg(long)]
    brief: bool,
    /// Findings as JSON.
    #[arg(long, conflicts_with = "brief")]
    json: bool,
    /// Also stores every file that was looked at, so that another machine can stand in for this one
    /// (`--root` of the files in it).
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
}

/// Prints the page; a host with something poor is no success.
#[must_use]
pub fn run(args: &Args) -> ExitCode {
    match look(args) {
        Ok(findings) if findings.iter().any(|f| f.verdict == Verdict::Poor) => ExitCode::FAILURE,
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => super::failed("doctor", error),
    }
}

fn look(args: &Args) -> Result<Vec<Finding>, String> {
    let (walls, named): (Vec<_>, Vec<_>) = args
        .stages
        .iter()
        .cloned()
        .partition(|name| name == walls::STAGE);
    let only = tuning::stages_named(&named)?;
    let host = args.host.host();
    let setup = args.host.setup(&host)?;
    let mut findings = Vec::new();
    if walls.is_empty() || !only.is_empty() {
        findings = doctor(&host, &setup, &only);
    }
    // What a process can give up is tried, and of a recorded host there is none.
    if host.is_live() && (args.stages.is_empty() || !walls.is_empty()) {
        let topology = args.host.topology()?;
        findings.extend(walls::findings(&host, topology.as_ref())?);
    }
    if args.json {
        super::say_json(&findings)?;
    } else {
        super::say(&page(&host, &setup, &findings, args.brief));
    }
    if let Some(file) = &args.record {
        super::store(file, pack(&host.heard()))?;
    }
    Ok(findings)
}

fn page(host: &Host, setup: &tuning::Setup, findings: &[Finding], is_brief: bool) -> String {
    let which = if host.is_live() {
        "this host"
    } else {
        "the recorded host"
    };
    let interfaces = match setup.interfaces.as_slice() {
        [] => "none".to_owned(),
        names => names.join(" "),
    };
    let mut text = format!(
        "{which}: hot cores {}, the rest {}, interfaces {interfaces}\n\n{}",
        setup.hot,
        setup.rest,
        table(findings)
    );
    if !is_brief {
        text.push('\n');
        text.push_str(&details(findings));
    }
    text
}
