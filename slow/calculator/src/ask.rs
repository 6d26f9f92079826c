//! The commands asked by another program: parameters by name, tables as texts, and the answer as
//! JSON, the one that the command line gives with `--json` for the same input.
//!
//! Nothing is read but what is handed in, and nothing is written. Work that goes in steps stops
//! when it is told to; all else is bounded by the limits on tables here.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::error::{ContextKind, ContextValue};
use clap::{Arg, Command as Clap, CommandFactory, Parser};
use serde_json::{Map, Value};

use crate::Refused;
use crate::program::{Command, Program, done};
use crate::table::given;
use crate::watch::{Stop, Watch};

/// Commands that may be asked.
pub const ASKED: [&str; 8] = [
    "optimise",
    "frontier",
    "risk",
    "simulate",
    "rebalance",
    "forecast",
    "predict",
    "train",
];
/// Options that name places on the disk, or measure times: for the command line alone.
const LOCAL: [(&str, &str); 5] = [
    ("predict", "onnxruntime"),
    ("predict", "results"),
    ("train", "model"),
    ("train", "prune"),
    ("train", "versions"),
];
/// Paths of a simulation at most, and of an American option, whose prices are all kept, times their
/// steps.
const PATHS_MAX: u64 = 100_000_000;
const KEPT_MAX: u64 = 1 << 24;
/// Leaves of all rounds of training at most, of a class.
const LEAVES_MAX: usize = 1 << 18;

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unanswered {
    /// What is wrong, and where: the parameter first.
    Refused(String),
    /// It was stopped before it was done.
    Stopped,
}

/// A parameter of a command.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// What it is called.
    pub name: String,
    /// What it is.
    pub words: String,
    /// Its text is that of a file: a table as CSV, or a model.
    pub is_file: bool,
    /// There is no answer without it.
    pub is_needed: bool,
    /// It is true, or it is not there.
    pub is_switch: bool,
    /// Its place on the command line, if that is how it is told there.
    is_placed: bool,
    option: String,
}

/// The parameters of a command; none of one that may not be asked.
#[must_use]
pub fn parameters(command: &str) -> Vec<Parameter> {
    let program = Program::command();
    let found = program.find_subcommand(command);
    let found = found.filter(|_| ASKED.contains(&command));
    found.map_or_else(Vec::new, |found: &Clap| {
        let is_local = |it: &Parameter| LOCAL.contains(&(command, it.name.as_str()));
        let all = found.get_arguments().map(parameter);
        all.filter(|it| !is_local(it)).collect()
    })
}

fn parameter(arg: &Arg) -> Parameter {
    let shown = arg.get_value_names().and_then(|names| names.first());
    let shown = shown.map_or("", |name| name.as_str());
    let is_placed = arg.is_positional();
    let option = arg.get_long().unwrap_or_default().to_owned();
    let placed = shown.trim_end_matches(".csv").to_lowercase();
    Parameter {
        name: if is_placed {
            placed
        } else {
            option.replace('-', "_")
        },
        words: arg.get_help().map_or_else(String::new, ToString::to_string),
        is_file: is_placed || shown.ends_with(".csv"),
        is_needed: arg.is_required_set(),
        is_switch: !is_placed && !arg.get_action().takes_values(),
        is_placed,
        option,
    }
}

/// Asks a command.
///
/// # Errors
/// [`Unanswered`].
pub fn ask(command: &str, params: &Map<String, Value>, stop: &Stop) -> Result<Value, Unanswered> {
    let refused = |Refused(what)| Unanswered::Refused(what);
    let (words, files) = words(command, params).map_err(refused)?;
    let program = Program::try_parse_from(words);
    let program = program.map_err(|error| Unanswered::Refused(told(&error)))?;
    bounded(&program.command).map_err(refused)?;
    let watch = Watch::of(stop);
    let answer = given(files, || done(&program.command, &watch)).map_err(refused);
    if watch.is_stopped() {
        return Err(Unanswered::Stopped);
    }
    answer.map(|(answer, _)| answer.json)
}

type Files = BTreeMap<PathBuf, Vec<u8>>;

/// The command line that says the same, and the files that it names.
fn words(command: &str, params: &Map<String, Value>) -> Result<(Vec<String>, Files), Refused> {
    let known = parameters(command);
    if known.is_empty() {
        let all = ASKED.join(", ");
        return Err(Refused(format!("no command {command:?}; there are: {all}")));
    }
    if let Some(name) = params
        .keys()
        .find(|name| !known.iter().any(|it| it.name == **name))
    {
        let all: Vec<&str> = known.iter().map(|it| it.name.as_str()).collect();
        let all = all.join(", ");
        return Err(Refused(format!(
            "{name}: no such parameter; there are: {all}"
        )));
    }
    // An answer is JSON, which a model may be a part of.
    let mut words = ["wirecross quant", command, "--json"]
        .map(str::to_owned)
        .to_vec();
    let (mut placed, mut files) = (Vec::new(), Files::new());
    for parameter in &known {
        let Some(value) = params.get(&parameter.name) else {
            if parameter.is_needed {
                return Err(Refused(format!(
                    "{}: is missing: {}",
                    parameter.name, parameter.words
                )));
            }
            continue;
        };
        let mut text = text_of(parameter, value)?;
        if parameter.is_file {
            files.insert(PathBuf::from(&parameter.name), text.into_bytes());
            text = parameter.name.clone();
        }
        match (parameter.is_placed, parameter.is_switch) {
            (true, _) => placed.push(text),
            (_, true) if text == "true" => words.push(format!("--{}", parameter.option)),
            (_, true) => {}
            _ => words.push(format!("--{}={text}", parameter.option)),
        }
    }
    words.extend(placed);
    Ok((words, files))
}

fn text_of(parameter: &Parameter, value: &Value) -> Result<String, Refused> {
    let wrong = |what: &str| Err(Refused(format!("{}: {what}", parameter.name)));
    match value {
        Value::String(text) if parameter.is_switch && text != "true" && text != "false" => {
            wrong("is true or false")
        }
        Value::String(text) => Ok(text.clone()),
        Value::Bool(is_so) if parameter.is_switch => Ok(is_so.to_string()),
        Value::Number(number) if !parameter.is_file && !parameter.is_switch => {
            Ok(number.to_string())
        }
        _ if parameter.is_file => wrong("is the text of a file: a table with commas, or a model"),
        _ if parameter.is_switch => wrong("is true or false"),
        _ => wrong("is a text or a number"),
    }
}

/// What a command line would have been told, of the parameter.
fn told(error: &clap::Error) -> String {
    let text = error.to_string();
    let lines = text.lines().map(str::trim);
    let lines: Vec<&str> = lines
        .take_while(|line| !line.starts_with("Usage"))
        .collect();
    let words = lines.join(" ");
    let words = words.trim_start_matches("error: ").trim();
    let words = words
        .split("  For more information")
        .next()
        .unwrap_or(words);
    let name = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(arg)) => arg.trim_start_matches('-'),
        Some(ContextValue::Strings(args)) => {
            args.first().map_or("", |arg| arg.trim_start_matches('-'))
        }
        _ => "",
    };
    let name = name
        .split([' ', '='])
        .next()
        .unwrap_or_default()
        .replace('-', "_");
    if name.is_empty() {
        words.to_owned()
    } else {
        format!("{name}: {words}")
    }
}

/// Refuses what would take more memory than one who asks may have.
fn bounded(command: &Command) -> Result<(), Refused> {
    if let Command::Train(args) = command {
        let leaves = args.leaves();
        if leaves > LEAVES_MAX {
            let what = format!("{leaves} leaves of all rounds: up to {LEAVES_MAX}");
            return Err(Refused(format!("rounds: {what}")));
        }
        return Ok(());
    }
    let (name, paths, kept) = match command {
        Command::Simulate(args) => ("paths", args.paths(), args.prices_kept()),
        Command::Risk(args) => ("simulate", args.paths(), args.paths()),
        _ => return Ok(()),
    };
    if paths > PATHS_MAX {
        return Err(Refused(format!("{name}: {paths}: up to {PATHS_MAX}")));
    }
    if kept > KEPT_MAX {
        let what = format!("{kept} numbers would have to be kept: up to {KEPT_MAX}");
        return Err(Refused(format!("{name}: {what}")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_parameters_of_different_names() {
        for command in ASKED {
            let all = parameters(command);
            assert!(!all.is_empty(), "{command}");
            for (at, one) in all.iter().enumerate() {
                assert!(!one.name.is_empty(), "{command} {at}");
                assert!(
                    all[..at].iter().all(|it| it.name != one.name),
                    "{command} {one:?}"
                );
                assert!(
                    !["json", "plot", "help"].contains(&one.name.as_str()),
                    "{command}"
                );
            }
        }
        assert!(parameters("features").is_empty());
        for (command, name) in LOCAL {
            let params = Map::from_iter([(name.to_owned(), "x".into())]);
            let refused = ask(command, &params, &Stop::default());
            let words = format!("{refused:?}");
            assert!(words.contains("no such parameter"), "{words}");
        }
        let files = |command: &str| {
            let files = parameters(command).into_iter().filter(|it| it.is_file);
            files.map(|it| it.name).collect::<Vec<_>>()
        };
        let optimise = ["returns", "constraints", "held", "views", "market"];
        assert_eq!(files("optimise"), optimise);
        assert_eq!(files("predict"), ["model", "rows"]);
        assert_eq!(files("risk"), ["returns", "weights", "scenarios"]);
        assert_eq!(files("train"), ["rows"]);
    }
}
