//! The command line.

use std::io::{ErrorKind, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::answer::Answer;
use crate::watch::Watch;
use crate::{
    Refused, check, features, forecast, portfolio, predict, rebalance, risk, scale, simulate, train,
};

/// What a shell expects of a program that Ctrl-C has stopped.
const STOPPED: u8 = 130;
/// What `check` ends with if an alarm is raised.
const ALARM: u8 = 3;

/// Portfolios, options, risks, models and forecasts from tables (CSV, Parquet).
///
/// A table is a file of lines with commas between the cells. Its first line may name the columns,
/// its first column may name the rows (a date, a symbol): both are found out. All numbers of
/// returns, deviations and rates are parts of one: 0.01 is one per cent.
#[derive(Debug, Parser)]
#[command(name = "wirecross quant", version)]
pub(crate) struct Program {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    output: Output,
}

/// How an answer is shown.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
struct Output {
    /// Print the answer as JSON, with all digits.
    #[arg(long, global = true)]
    json: bool,
    /// Draw a picture, too: frontier, risk, simulate, forecast and scale have one.
    #[arg(long, global = true, value_name = "FILE.svg")]
    plot: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Find the best weights of a portfolio, with the proof that they are.
    Optimise(portfolio::Optimise),
    /// Find all efficient portfolios, from the least variance to the most return.
    Frontier(portfolio::Frontier),
    /// Find what an option is worth by simulation, with the error.
    ///
    /// Rates, dividends and volatilities are a year's, compounded all the time.
    Simulate(simulate::Simulate),
    /// Say what a portfolio may lose, and which assets make the risk.
    Risk(risk::Risk),
    /// Turn target weights into orders of whole lots.
    Rebalance(rebalance::Rebalance),
    /// Train trees on rows with labels, and say how good they are on later ones.
    ///
    /// Each part of the rows is judged by what was learnt from all before it. The model is then
    /// trained on all rows and written as LightGBM's text, which predict reads.
    Train(train::Train),
    /// Write rows of what a recorded market's book said, with labels by its future.
    ///
    /// The market is played into the desk's books; each row has their numbers at its time, the
    /// label by how far the middle has moved some rows later, and what buying (future_buy) and
    /// selling (future_sell) then would have brought, in ticks, after the spread on both ways.
    Features(features::Features),
    /// Write rows with labels whose best possible rate of right answers is known.
    Generate(train::Generate),
    /// List the versions of a model, and choose the one that is asked.
    Versions(check::Versions),
    /// Say whether a model still fits the rows that come, and is right as often as it was.
    ///
    /// Ends with 3 if an alarm is raised: a feature has drifted from where the model learnt it, or
    /// answers are right less often than when it was trained.
    Check(check::Check),
    /// Ask a trained model (LightGBM, XGBoost, scikit-learn, ONNX) about rows.
    Predict(predict::Predict),
    /// Forecast a series by what forecast its end best.
    Forecast(forecast::Forecast),
    /// Decide how many shards a load needs, as `wirecross scale` does.
    Scale(scale::Scale),
}

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    let program = Program::parse();
    match run(&program) {
        Ok(code) => code,
        Err(refused) => {
            eprintln!("wirecross quant: {refused}");
            ExitCode::FAILURE
        }
    }
}

fn run(program: &Program) -> Result<ExitCode, Refused> {
    let watch = Watch::new();
    let (answer, is_raised) = done(&program.command, &watch)?;
    show(&answer, &program.output)?;
    if !answer.is_complete {
        eprintln!("wirecross quant: stopped; this is what was done so far");
        return Ok(ExitCode::from(STOPPED));
    }
    Ok(ExitCode::from(if is_raised { ALARM } else { 0 }))
}

/// A command's answer, and whether it raises an alarm.
pub(crate) fn done(command: &Command, watch: &Watch) -> Result<(Answer, bool), Refused> {
    let answer = match command {
        Command::Optimise(args) => portfolio::optimise(args),
        Command::Frontier(args) => portfolio::frontier(args, watch),
        Command::Simulate(args) => simulate::simulate(args, watch),
        Command::Risk(args) => risk::risk(args, watch),
        Command::Rebalance(args) => rebalance::rebalance(args),
        Command::Train(args) => train::train(args, watch),
        Command::Features(args) => features::features(args, watch),
        Command::Generate(args) => train::generate(args, watch),
        Command::Versions(args) => check::versions(args),
        Command::Check(args) => return check::check(args),
        Command::Predict(args) => predict::predict(args),
        Command::Forecast(args) => forecast::forecast(args, watch),
        Command::Scale(args) => scale::scale(args),
    };
    answer.map(|answer| (answer, false))
}

fn show(answer: &Answer, output: &Output) -> Result<(), Refused> {
    if let Some(file) = &output.plot {
        let picture = answer.picture.as_ref();
        let picture =
            picture.ok_or_else(|| Refused("--plot: there is no picture of this".into()))?;
        std::fs::write(file, picture)
            .map_err(|error| Refused(format!("{}: {error}", file.display())))?;
    }
    let text = if output.json {
        format!("{:#}\n", answer.json)
    } else {
        answer.text.clone()
    };
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // Who reads may have enough after a few lines: that is no failure.
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Refused(format!("output: {error}")))
        }
        _ => Ok(()),
    }
}
