//! Which files and ports are reached: landlock.

use crate::{Confinement, SandboxError};
use landlock::{
    ABI, Access, AccessFs, AccessNet, NetPort, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreated, RulesetCreatedAttr, RulesetStatus, Scope,
};

/// What is asked for; an older kernel that knows less of it is refused below what we need.
const WANTED: ABI = ABI::V6;

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
        for folder in &confinement.folders {
            let place = PathFd::new(folder).map_err(|e| SandboxError::new("a folder", e))?;
            let kept = AccessFs::ReadFile
                | AccessFs::ReadDir
                | AccessFs::WriteFile
                | AccessFs::MakeReg
                | AccessFs::RemoveFile
                | AccessFs::Truncate;
            rules = rules
                .add_rule(PathBeneath::new(place, kept))
                .map_err(told)?;
        }
        for port in &confinement.connect_ports {
            let rule = NetPort::new(*port, AccessNet::ConnectTcp);
            rules = rules.add_rule(rule).map_err(told)?;
        }
        Ok(Self(rules))
    }

    /// Puts the rules in force.
    pub(crate) fn restrict(self) -> Result<(), SandboxError> {
        let status = self.0.restrict_self();
        let status = status.map_err(|e| SandboxError::new("landlock", e))?;
        if status.ruleset == RulesetStatus::FullyEnforced {
            return Ok(());
        }
        let reason = "this kernel does not enforce all of it: Linux 6.12 or newer with landlock \
                      among its security modules does";
        Err(SandboxError::new("landlock", reason))
    }
}
