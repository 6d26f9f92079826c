//! Which files and ports are reached: landlock.

use crate::{Confinement, SandboxError};
use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, LandlockStatus, NetPort, PathBeneath, PathFd,
    Ruleset, RulesetAttr, RulesetCreated, RulesetCreatedAttr, RulesetStatus, Scope,
};

/// What is asked for.
const WANTED: ABI = ABI::V6;

/// What will do where a weaker mode is allowed: before it a file outside could be cut.
const LEAST: ABI = ABI::V3;

/// What is missing below a version, for the operator.
const MISSING: [(ABI, &str); 3] = [
    (ABI::V4, "no rule for TCP ports (Linux 6.7)"),
    (ABI::V5, "none for devices (6.10)"),
    (
        ABI::V6,
        "none for signals and sockets of other processes (6.12)",
    ),
];

/// What may be done with files below a folder.
fn rights() -> BitFlags<AccessFs> {
    AccessFs::ReadFile
        | AccessFs::ReadDir
        | AccessFs::WriteFile
        | AccessFs::MakeReg
        | AccessFs::RemoveFile
        | AccessFs::Truncate
}

/// Rules that are made and not in force yet.
pub(crate) struct Files(RulesetCreated);

impl Files {
    /// Opens the folders.
    pub(crate) fn open(confinement: &Confinement) -> Result<Self, SandboxError> {
        let told = |e: landlock::RulesetError| SandboxError::new("landlock", e);
        let mut rules = Ruleset::default()
            .handle_access(AccessFs::from_all(WANTED))
            .and_then(|rules| rules.handle_access(AccessNet::from_all(WANTED)))
            .and_then(|rules| rules.scope(Scope::from_all(WANTED)))
            .and_then(Ruleset::create)
            .map_err(told)?;
        let homes = rights() | AccessFs::MakeDir | AccessFs::RemoveDir | AccessFs::MakeSock;
        let readable = AccessFs::ReadFile | AccessFs::ReadDir;
        let folders = confinement.folders.iter().map(|it| (it, rights()));
        let folders = folders.chain(confinement.homes.iter().map(|it| (it, homes)));
        for (folder, rights) in folders.chain(confinement.readable.iter().map(|it| (it, readable)))
        {
            let place = PathFd::new(folder).map_err(|e| SandboxError::new("a folder", e))?;
            rules = rules
                .add_rule(PathBeneath::new(place, rights))
                .map_err(told)?;
        }
        let bound = confinement.bind_ports.iter();
        let bound = bound.map(|port| (*port, AccessNet::BindTcp));
        let connected = confinement.connect_ports.iter();
        let connected = connected.map(|port| (*port, AccessNet::ConnectTcp));
        for (port, access) in bound.chain(connected) {
            rules = rules.add_rule(NetPort::new(port, access)).map_err(told)?;
        }
        Ok(Self(rules))
    }

    /// Puts the rules in force; gives what this kernel has not of them, if less will do.
    pub(crate) fn restrict(self, takes_less: bool) -> Result<Vec<&'static str>, SandboxError> {
        let status = self.0.restrict_self();
        let status = status.map_err(|e| SandboxError::new("landlock", e))?;
        if status.ruleset == RulesetStatus::FullyEnforced {
            return Ok(Vec::new());
        }
        match status.landlock {
            LandlockStatus::Available { effective_abi, .. }
                if takes_less && effective_abi >= LEAST =>
            {
                let missing = MISSING.iter().filter(|(abi, _)| effective_abi < *abi);
                Ok(missing.map(|(_, what)| *what).collect())
            }
            _ => Err(SandboxError::new("landlock", reason(takes_less))),
        }
    }
}

fn reason(takes_less: bool) -> String {
    let version = if takes_less { "6.2" } else { "6.12" };
    format!(
        "this kernel does not enforce enough of it: Linux {version} or newer does, with landlock \
         among its security modules (/sys/kernel/security/lsm)"
    )
}
