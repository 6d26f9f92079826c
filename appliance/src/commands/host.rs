//! Which host, and what is wanted of it: what `doctor` and `tune` share.

use crate::topology::{Place, Topology};
use clap::ValueEnum;
use std::path::PathBuf;
use tuning::{Cpus, Host, Profile, Setup, Wish};

/// What kind of host it is to be.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum ProfileName {
    /// Somebody works on it: only what does not hurt other programs.
    Laptop,
    /// It serves the appliance alone.
    Colo,
}

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct HostArgs {
    /// What kind of host it is to be.
    #[arg(long, value_enum, default_value = "colo")]
    profile: ProfileName,
    /// Processors for pinned threads, as 2-5,8 [default: those of the topology; else those that are
    /// isolated; else the first thread of every core but the first core].
    #[arg(long, value_name = "LIST", value_parser = cpus)]
    cores: Option<Cpus>,
    /// The topology that is to run: its cores and its interface.
    #[arg(long, value_name = "FILE")]
    topology: Option<PathBuf>,
    /// A network interface on the path, once for each [default: that of the topology; else all that
    /// stand for a device].
    #[arg(long, value_name = "NAME")]
    interface: Vec<String>,
    #[command(flatten)]
    root: RootArgs,
}

/// Which host.
#[derive(Debug, clap::Args)]
pub struct RootArgs {
    /// A folder that holds the files of another host: nothing of this one is looked at or changed.
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
}

impl RootArgs {
    /// The host.
    #[must_use]
    pub fn host(&self) -> Host {
        match &self.root {
            Some(root) => Host::tree(root),
            None => Host::live(),
        }
    }
}

/// Reads a list of processors.
pub(super) fn cpus(text: &str) -> Result<Cpus, String> {
    let cpus = Cpus::of_list(text).filter(|cpus| !cpus.is_empty());
    cpus.ok_or_else(|| "not a list of processors such as 2-5,8".to_owned())
}

impl HostArgs {
    /// The host.
    #[must_use]
    pub fn host(&self) -> Host {
        self.root.host()
    }

    /// The topology that is to run, if one is named.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn topology(&self) -> Result<Option<Topology>, String> {
        let load = |file: &PathBuf| Topology::load(file).map_err(|error| error.to_string());
        self.topology.as_ref().map(load).transpose()
    }

    /// What is wanted of it.
    ///
    /// # Errors
    /// The topology cannot be read, or the host cannot give what is wanted.
    pub fn setup(&self, host: &Host) -> Result<Setup, String> {
        let mut wish = Wish {
            profile: Some(match self.profile {
                ProfileName::Laptop => Profile::Laptop,
                ProfileName::Colo => Profile::Colo,
            }),
            hot: self.cores.clone(),
            interfaces: self.interface.clone(),
        };
        if let Some(topology) = self.topology()? {
            of_topology(&mut wish, &topology);
        }
        Setup::of(host, &wish).map_err(|error| error.to_string())
    }
}

/// What the command line did not say.
fn of_topology(wish: &mut Wish, topology: &Topology) {
    let cores = topology.places.iter().filter_map(|place| match place {
        Place::Core(core) => Some(*core),
        Place::Thread(_) => None,
    });
    let cores: Cpus = cores.collect();
    if wish.hot.is_none() && !cores.is_empty() {
        wish.hot = Some(cores);
    }
    if wish.interfaces.is_empty() && !topology.feed.interface.is_empty() {
        wish.interfaces.push(topology.feed.interface.clone());
    }
}
