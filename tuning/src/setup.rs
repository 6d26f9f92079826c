//! What the operator wants of a host: which processors are for pinned threads, which cards.

use crate::cpus::Cpus;
use crate::host::Host;
use std::fmt;

/// Pages of 2 MiB for the appliance: rings, counters, UMEM and books of the largest topology.
const HUGE_PAGES: u64 = 512;

/// What kind of host it is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// Somebody works on it: only what does not hurt other programs.
    Laptop,
    /// It serves the appliance alone.
    Colo,
}

/// What the operator said.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// The profile; unsaid it is that of a colocated host.
    pub profile: Option<Profile>,
    /// Processors for pinned threads.
    pub hot: Option<Cpus>,
    /// Interfaces; unsaid they are all that stand for a device.
    pub interfaces: Vec<String>,
}

/// What is wanted, worked out for one host.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The profile.
    pub profile: Profile,
    /// Processors for pinned threads.
    pub hot: Cpus,
    /// Processors for everything else; siblings of hot ones are neither.
    pub rest: Cpus,
    /// All that run now.
    pub online: Cpus,
    /// Interfaces that carry orders and the feed.
    pub interfaces: Vec<String>,
    /// Pages of 2 MiB.
    pub huge_pages: u64,
}

/// Why there can be no setup.
#[derive(Debug)]
pub struct SetupError(String);

impl fmt::Display for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SetupError {}

impl Setup {
    /// Works out what is wanted of this host.
    ///
    /// Where the operator does not say which processors are hot, they are those that the kernel
    /// isolates, or else the first thread of every core but the first core.
    ///
    /// # Errors
    /// The host does not say which processors it has, or none would be left for the rest.
    pub fn of(host: &Host, wish: &Wish) -> Result<Self, SetupError> {
        let online = online(host)?;
        let hot = match &wish.hot {
            Some(hot) => hot.clone(),
            None => hot_usual(host, &online),
        };
        let strange = hot.without(&online);
        if !strange.is_empty() {
            return Err(SetupError(format!(
                "processors {strange}: not among {online}"
            )));
        }
        let shared = hot
            .iter()
            .fold(hot.clone(), |all, cpu| all.either(&siblings(host, cpu)));
        let mut rest = online.without(&shared);
        if rest.is_empty() {
            rest = online.without(&hot);
        }
        if rest.is_empty() {
            let what = format!("all of {online} are hot: the rest of the host needs a processor");
            return Err(SetupError(what));
        }
        let interfaces = match wish.interfaces.as_slice() {
            [] => interfaces(host),
            named => named.to_vec(),
        };
        Ok(Self {
            profile: wish.profile.unwrap_or(Profile::Colo),
            hot,
            rest,
            online,
            interfaces,
            huge_pages: HUGE_PAGES,
        })
    }
}

fn online(host: &Host) -> Result<Cpus, SetupError> {
    let path = "/sys/devices/system/cpu/online";
    let text = host
        .read(path)
        .map_err(|fault| SetupError(format!("{path}: {fault}")))?;
    let cpus = Cpus::of_list(&text).filter(|cpus| !cpus.is_empty());
    cpus.ok_or_else(|| SetupError(format!("{path}: {text:?} is no list of processors")))
}

fn hot_usual(host: &Host, online: &Cpus) -> Cpus {
    let isolated = host.read("/sys/devices/system/cpu/isolated").ok();
    let isolated = isolated.and_then(|text| Cpus::of_list(&text));
    if let Some(isolated) = isolated.filter(|cpus| !cpus.is_empty()) {
        return isolated.both(online);
    }
    let first = online.iter().next().unwrap_or(0);
    let first_of_core = |cpu: &usize| siblings(host, *cpu).iter().next() == Some(*cpu);
    let kept = siblings(host, first);
    let hot = online
        .iter()
        .filter(|cpu| !kept.has(*cpu))
        .filter(first_of_core);
    hot.collect()
}

/// The threads of a processor's core, itself among them.
pub(crate) fn siblings(host: &Host, cpu: usize) -> Cpus {
    let path = format!("/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list");
    let listed = host.read(&path).ok().and_then(|text| Cpus::of_list(&text));
    listed.unwrap_or_default().either(&Cpus::from_iter([cpu]))
}

/// Interfaces that stand for a device: no loopback, bridge or tunnel.
fn interfaces(host: &Host) -> Vec<String> {
    let mut names = host.list("/sys/class/net");
    names.retain(|name| host.has(&format!("/sys/class/net/{name}/device/uevent")));
    names
}
