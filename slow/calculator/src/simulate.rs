//! `simulate`.

mod basket;
mod fan;

use clap::{Args, ValueEnum};
use quant::Fault;
use quant::montecarlo::{
    Asian, Asset, Average, Barrier, Conditioned, Construction, Estimate, European, Gbm, Grid,
    Heston, Jumps, Kind, Knock, LeastSquares, Lookback, Merton, Model, Payoff, Precision, Sampling,
    Settings, Simulation, Variance,
};
use serde_json::json;

use crate::Refused;
use crate::answer::{Answer, facts, number};
use crate::watch::Watch;
use fan::fan;

/// Scrambles of Sobol's points.
const REPLICATES: u32 = 16;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Moves {
    /// Geometric Brownian motion.
    Gbm,
    /// The same, and jumps.
    Merton,
    /// With a variance that moves by itself.
    Heston,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Contract {
    /// On the price at the end.
    European,
    /// The same, at any of the times or now, as its holder likes: by least squares.
    American,
    /// On the average of the prices at all times.
    Asian,
    /// On the greatest (call) or least (put) of the prices at all times.
    Lookback,
    /// On the price at the end, unless --barrier was reached.
    KnockOut,
    /// On the price at the end, if --barrier was reached.
    KnockIn,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Side {
    Call,
    Put,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Sample {
    /// Each path for itself.
    Plain,
    /// Pairs of a path and its mirror image.
    Antithetic,
    /// Pairs of paths that end in the same of many equal parts.
    Stratified,
    /// Scrambled Sobol points on a Brownian bridge.
    Sobol,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Digits {
    /// All digits (f64).
    Double,
    /// Half of them (f32), at a third of the time: of European options on gbm, plain or antithetic.
    Single,
}

/// Arguments of `simulate`.
#[derive(Debug, Args)]
pub(crate) struct Simulate {
    /// What the option pays on.
    #[arg(long, value_enum, default_value = "european")]
    option: Contract,
    /// The right to buy or to sell.
    #[arg(long, value_enum, default_value = "call")]
    kind: Side,
    /// The price now.
    #[arg(long, default_value_t = 100.0)]
    start: f64,
    /// For so much.
    #[arg(long, default_value_t = 100.0)]
    strike: f64,
    /// How long it runs.
    #[arg(long, default_value_t = 1.0)]
    years: f64,
    /// Times that are looked at, evenly up to the end.
    #[arg(long, default_value_t = 12)]
    steps: usize,
    /// What money earns.
    #[arg(long, default_value_t = 0.0, allow_negative_numbers = true)]
    rate: f64,
    /// What the asset pays out.
    #[arg(long, default_value_t = 0.0, allow_negative_numbers = true)]
    dividend: f64,
    /// How much the price moves; of Heston's model now.
    #[arg(long, default_value_t = 0.2)]
    volatility: f64,
    /// The level of knock-out and knock-in.
    #[arg(long)]
    barrier: Option<f64>,
    /// How the price moves.
    #[arg(long, value_enum, default_value = "gbm")]
    model: Moves,
    /// At least so many paths.
    #[arg(long, default_value_t = 100_000)]
    paths: u64,
    /// Where random numbers come from.
    #[arg(long, value_enum, default_value = "antithetic")]
    sampling: Sample,
    /// What random numbers are made and summed in.
    #[arg(long, value_enum, default_value = "double")]
    precision: Digits,
    /// Makes other random numbers.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    basket: basket::Assets,
    #[command(flatten)]
    jumps: JumpArgs,
    #[command(flatten)]
    heston: HestonArgs,
}

impl Simulate {
    /// Paths that are asked for.
    pub fn paths(&self) -> u64 {
        self.paths
    }

    /// Prices that have to be kept: those of an American option.
    pub fn prices_kept(&self) -> u64 {
        match self.option {
            Contract::American => self.paths.saturating_mul(self.steps as u64),
            _ => 0,
        }
    }
}

/// Merton's jumps.
#[derive(Debug, Args)]
#[command(next_help_heading = "Jumps of --model merton")]
struct JumpArgs {
    /// Jumps a year.
    #[arg(long, default_value_t = 1.0)]
    jumps: f64,
    /// The mean of a jump's logarithm.
    #[arg(long, default_value_t = -0.1, allow_negative_numbers = true)]
    jump_mean: f64,
    /// The deviation of a jump's logarithm.
    #[arg(long, default_value_t = 0.15)]
    jump_deviation: f64,
}

/// Heston's variance.
#[derive(Debug, Args)]
#[command(next_help_heading = "Variance of --model heston")]
struct HestonArgs {
    /// How fast the variance comes back.
    #[arg(long, default_value_t = 2.0)]
    reversion: f64,
    /// To where the variance comes back.
    #[arg(long, default_value_t = 0.04)]
    mean_variance: f64,
    /// The volatility of the variance.
    #[arg(long, default_value_t = 0.3)]
    variance_volatility: f64,
    /// How price and variance move together.
    #[arg(long, default_value_t = -0.7, allow_negative_numbers = true)]
    correlation: f64,
}

/// What was found on a model.
struct Found {
    estimate: Estimate,
    /// What is known without simulation.
    exactly: Option<f64>,
    picture: String,
}

pub(crate) fn simulate(args: &Simulate, watch: &Watch) -> Result<Answer, Refused> {
    let is_knocking = matches!(args.option, Contract::KnockOut | Contract::KnockIn);
    if is_knocking != args.barrier.is_some() {
        let what = "--barrier goes with --option knock-out and knock-in";
        return Err(Refused(what.into()));
    }
    if args.precision == Digits::Single && args.option == Contract::American {
        return Err(Refused(
            "--precision single goes with --option european".into(),
        ));
    }
    if args.basket.are_given() {
        return Ok(told(&args.on_basket(watch)?));
    }
    watch.begin()?;
    let grid = Grid::even(args.years, args.steps)?;
    let asset = Asset {
        start: args.start,
        dividend: args.dividend,
        volatility: args.volatility,
    };
    let found = match args.model {
        Moves::Gbm => {
            let model = Gbm::new(asset, args.rate, grid)?;
            let is_european = args.option == Contract::European;
            let exactly = is_european.then(|| model.european(args.kind.kind(), args.strike));
            let estimate = match args.option {
                Contract::Asian => args.average(&model, watch),
                _ => args.value(&model, watch),
            }?;
            args.found(&model, (estimate, exactly), watch)?
        }
        Moves::Merton => {
            let jumps = Jumps {
                intensity: args.jumps.jumps,
                mean: args.jumps.jump_mean,
                deviation: args.jumps.jump_deviation,
            };
            let model = Merton::new(asset, jumps, args.rate, grid)?;
            args.found(&model, (args.value(&model, watch)?, None), watch)?
        }
        Moves::Heston => {
            let variance = Variance {
                start: args.volatility * args.volatility,
                reversion: args.heston.reversion,
                mean: args.heston.mean_variance,
                volatility: args.heston.variance_volatility,
                correlation: args.heston.correlation,
            };
            let model = Heston::new(asset, variance, args.rate, grid)?;
            args.found(&model, (args.value(&model, watch)?, None), watch)?
        }
    };
    Ok(told(&found))
}

fn told(found: &Found) -> Answer {
    let Estimate {
        value,
        error,
        paths,
        complete,
    } = found.estimate;
    let interval = format!(
        "{} to {}",
        number(value - 1.96 * error),
        number(value + 1.96 * error)
    );
    let mut lines = vec![
        ("worth", number(value)),
        ("standard error", number(error)),
        ("95 % lie in", interval),
        ("paths", paths.to_string()),
    ];
    if let Some(exactly) = found.exactly {
        lines.push(("without simulation", number(exactly)));
    }
    Answer {
        text: facts(&lines),
        json: json!({
            "value": value, "error": error, "paths": paths, "complete": complete,
            "exactly": found.exactly,
        }),
        picture: Some(found.picture.clone()),
        is_complete: complete,
    }
}

impl Side {
    fn kind(self) -> Kind {
        match self {
            Self::Call => Kind::Call,
            Self::Put => Kind::Put,
        }
    }
}

impl Simulate {
    fn settings(&self) -> Settings {
        let sampling = match self.sampling {
            Sample::Plain => Sampling::Plain,
            Sample::Antithetic => Sampling::Antithetic,
            Sample::Stratified => Sampling::Stratified,
            Sample::Sobol => Sampling::Sobol {
                replicates: REPLICATES,
            },
        };
        let construction = match self.sampling {
            Sample::Plain | Sample::Antithetic => Construction::Steps,
            Sample::Stratified | Sample::Sobol => Construction::Bridge,
        };
        Settings {
            sampling,
            construction,
            precision: match self.precision {
                Digits::Double => Precision::Double,
                Digits::Single => Precision::Single,
            },
            ..Settings::new(self.paths, self.seed)
        }
    }

    fn value<M: Model>(&self, model: &M, watch: &Watch) -> Result<Estimate, Fault> {
        let (kind, strike) = (self.kind.kind(), self.strike);
        let barrier = |knock| Barrier {
            kind,
            strike,
            level: self.barrier.unwrap_or(self.start),
            knock,
            watched: None,
        };
        match self.option {
            Contract::European => self.run(model, &European { kind, strike }, watch),
            Contract::Asian => self.run(model, &self.asian(), watch),
            Contract::Lookback => self.run(model, &Lookback { kind, strike }, watch),
            Contract::KnockOut => self.run(model, &barrier(Knock::Out), watch),
            Contract::KnockIn => self.run(model, &barrier(Knock::In), watch),
            Contract::American => {
                European { kind, strike }.check(1)?;
                let pays = |prices: &[f64]| match kind {
                    Kind::Call => (prices[0] - strike).max(0.0),
                    Kind::Put => (strike - prices[0]).max(0.0),
                };
                let squares = LeastSquares::new(self.paths, self.seed);
                squares.american_watched(model, pays, |progress| watch.on(progress))
            }
        }
    }

    fn asian(&self) -> Asian {
        Asian {
            kind: self.kind.kind(),
            strike: self.strike,
            average: Average::Arithmetic,
        }
    }

    /// An average, with the option that the geometric average exercises as control: what is left to
    /// chance are paths whose averages are on two sides of the strike.
    fn average(&self, model: &Gbm, watch: &Watch) -> Result<Estimate, Fault> {
        let (kind, strike) = (self.kind.kind(), self.strike);
        let control = Conditioned { kind, strike }.control(model);
        let (average, settings) = (self.asian(), self.settings());
        let simulation = Simulation::controlled(model, &average, control.as_ref(), settings)?;
        Ok(simulation.run(|progress| watch.on(progress)))
    }

    fn run<M: Model, P: Payoff>(
        &self,
        model: &M,
        payoff: &P,
        watch: &Watch,
    ) -> Result<Estimate, Fault> {
        let simulation = Simulation::new(model, payoff, self.settings())?;
        Ok(simulation.run(|progress| watch.on(progress)))
    }

    fn found<M: Model>(
        &self,
        model: &M,
        (estimate, exactly): (Estimate, Option<f64>),
        watch: &Watch,
    ) -> Result<Found, Fault> {
        Ok(Found {
            estimate,
            exactly,
            picture: fan(model, self.seed, watch, |prices| {
                prices.next().unwrap_or(0.0)
            })?,
        })
    }
}
