//! The stages, one file each.

mod busy_poll;
mod c_states;
mod clocksource;
mod command_line;
mod frequency;
mod huge_pages;
mod irq;
mod isolation;
mod limits;
mod nic_coalescing;
mod nic_offloads;
mod nic_queues;
mod nic_rings;
mod numa;
mod ptp;
mod real_time;
mod same_pages;
mod setting;
mod smt;
mod steering;
mod swap;
mod timers;
mod transparent_huge_pages;
mod virtual_machine;
mod watchdogs;
mod workqueue;

use crate::finding::Finding;
use crate::host::Host;
use crate::setup::{Profile, Setup};

/// What a stage looks at.
#[derive(Clone, Copy)]
pub(crate) struct Ask<'a> {
    host: &'a Host,
    setup: &'a Setup,
}

/// One stage.
pub struct Stage {
    /// What the command line calls it.
    pub name: &'static str,
    /// What it looks at.
    pub about: &'static str,
    /// Whether a host that somebody works on should have it too.
    is_for_laptops: bool,
    look: fn(Ask<'_>) -> Vec<Finding>,
}

impl Stage {
    /// Whether hosts of this profile should have it.
    #[must_use]
    pub const fn is_for(&self, profile: Profile) -> bool {
        self.is_for_laptops || matches!(profile, Profile::Colo)
    }

    /// Looks at a host; changes nothing.
    #[must_use]
    pub fn findings(&self, host: &Host, setup: &Setup) -> Vec<Finding> {
        let mut findings = (self.look)(Ask { host, setup });
        for finding in &mut findings {
            finding.stage = self.name;
        }
        findings
    }

    const fn colo(
        name: &'static str,
        about: &'static str,
        look: fn(Ask<'_>) -> Vec<Finding>,
    ) -> Self {
        Self {
            name,
            about,
            is_for_laptops: false,
            look,
        }
    }

    const fn any(
        name: &'static str,
        about: &'static str,
        look: fn(Ask<'_>) -> Vec<Finding>,
    ) -> Self {
        Self {
            is_for_laptops: true,
            ..Self::colo(name, about, look)
        }
    }
}

/// All stages, in the order in which they are applied: what takes processors away comes first,
/// because the kernel then moves interrupts on its own.
pub const STAGES: &[Stage] = &[
    Stage::any(
        "virtual-machine",
        "whose processors these are",
        virtual_machine::look,
    ),
    Stage::any(
        "clocksource",
        "where the kernel's time comes from",
        clocksource::look,
    ),
    Stage::colo("smt", "threads that share a hot core", smt::look),
    Stage::colo(
        "command-line",
        "what the kernel was started with",
        command_line::look,
    ),
    Stage::colo(
        "isolation",
        "what the scheduler may put on hot cores",
        isolation::look,
    ),
    Stage::colo("irq", "where interrupts go", irq::look),
    Stage::colo(
        "workqueue",
        "where the kernel's own work goes",
        workqueue::look,
    ),
    Stage::colo("timers", "timers and statistics", timers::look),
    Stage::colo(
        "watchdogs",
        "threads that look after hung cores",
        watchdogs::look,
    ),
    Stage::colo(
        "real-time",
        "what the scheduler takes from FIFO threads",
        real_time::look,
    ),
    Stage::colo("c-states", "how deep idle cores sleep", c_states::look),
    Stage::any("frequency", "governor and turbo", frequency::look),
    Stage::colo(
        "transparent-huge-pages",
        "pages that move",
        transparent_huge_pages::look,
    ),
    Stage::any(
        "huge-pages",
        "pages of 2 MiB kept for the appliance",
        huge_pages::look,
    ),
    Stage::colo("same-pages", "merging of equal pages", same_pages::look),
    Stage::colo("numa", "nodes of memory, and their balancing", numa::look),
    Stage::any("swap", "memory that goes to disk", swap::look),
    Stage::colo("nic-queues", "queues of the cards", nic_queues::look),
    Stage::colo("nic-rings", "descriptors of the cards", nic_rings::look),
    Stage::colo(
        "nic-coalescing",
        "interrupts that wait for company",
        nic_coalescing::look,
    ),
    Stage::colo(
        "nic-offloads",
        "frames that are glued together",
        nic_offloads::look,
    ),
    Stage::colo("steering", "where the kernel's stack runs", steering::look),
    Stage::any(
        "busy-poll",
        "sockets that spin, and settings that fight it",
        busy_poll::look,
    ),
    Stage::any("ptp", "who keeps the clock", ptp::look),
    Stage::any("limits", "locked memory and open files", limits::look),
];

/// The stages of these names.
///
/// # Errors
/// The first name that is none, with all that are.
pub fn stages_named(names: &[String]) -> Result<Vec<&'static Stage>, String> {
    let found = names.iter().map(|name| {
        STAGES
            .iter()
            .find(|stage| stage.name == name)
            .ok_or_else(|| {
                let all: Vec<&str> = STAGES.iter().map(|stage| stage.name).collect();
                format!("no stage is called {name:?}: there are {}", all.join(", "))
            })
    });
    found.collect()
}
