//! Monte Carlo: what is expected of paths that are drawn at random, and how far off that may be.

mod american;
mod construction;
mod ends;
mod estimate;
mod functions;
mod gbm;
mod grid;
mod heston;
mod merton;
mod normal;
mod paths;
mod payoff;
mod philox;
mod settings;
mod shocks;
mod simulation;
mod single;
mod sobol;
mod source;

pub use american::LeastSquares;
pub use construction::Construction;
pub use ends::{Ends, Precision};
pub use estimate::{Estimate, Tally};
pub use gbm::{ASSETS_MAX, Asset, Gbm};
pub use grid::{Grid, STEPS_MAX};
pub use heston::{Heston, Variance};
pub use merton::{Jumps, Merton};
pub use normal::fill_normals;
pub use paths::{Custom, Draws, Model, Path, Payoff, Tile};
pub use payoff::{Asian, Average, Barrier, European, Kind, Knock, Lookback};
pub use philox::Philox;
pub use settings::{Control, Progress, Sampling, Settings, Uncontrolled};
pub use shocks::{Shocks, Tail, tail};
pub use simulation::{PATHS_MAX, Simulation};
pub use single::fill_normals_f32;
pub use sobol::{SOBOL_DIMENSIONS_MAX, Sobol};
