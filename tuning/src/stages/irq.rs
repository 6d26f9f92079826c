//! Where interrupts go.

use super::Ask;
use crate::change::Change;
use crate::cpus::Cpus;
use crate::finding::{About, Finding, Verdict};
use crate::route;

const ABOUT: About = About {
    why: "each interrupt takes 1 to 20 us from the thread that it hits, and its caches too",
    risk: "the rest of the host handles more interrupts; the kernel moves one only when it next \
           arrives, and refuses for those that it manages itself",
};

const BALANCER: About = About {
    why: "irqbalance moves interrupts every ten seconds, back to hot cores too",
    risk: "interrupts stay where they are put",
};

pub(super) fn look(ask: Ask<'_>) -> Vec<Finding> {
    vec![lines(ask), new_lines(ask), balancer(ask)]
}

/// Interrupts that may arrive on hot cores. What counts is where the kernel really sends them.
fn lines(ask: Ask<'_>) -> Finding {
    let subject = "interrupts on hot cores";
    let mut numbers = ask.host.list("/proc/irq");
    numbers.retain(|name| name.parse::<u32>().is_ok());
    let rest = ask.setup.rest.to_string();
    let (mut stray, mut changes, mut seen) = (Vec::new(), Vec::new(), 0);
    for number in numbers {
        let path = format!("/proc/irq/{number}/smp_affinity_list");
        let Ok(asked) = ask.host.read(&path) else {
            continue;
        };
        seen += 1;
        let effective = route::arrives(ask.host, &path);
        let is_hot = |text: &str| {
            let cpus = Cpus::of_list(text).unwrap_or_default();
            !cpus.both(&ask.setup.hot).is_empty()
        };
        if is_hot(effective.as_deref().unwrap_or(&asked)) {
            stray.push(number);
        }
        if is_hot(&asked) {
            changes.push(match effective {
                None => Change::write(&path, &rest, &asked),
                Some(arrived) => Change::Route {
                    path,
                    value: rest.clone(),
                    restore: asked,
                    arrived,
                },
            });
        }
    }
    if seen == 0 {
        return Finding::absent(ABOUT, subject, "/proc/irq shows none that can be moved");
    }
    let is_good = stray.is_empty() && changes.is_empty();
    let found = match stray.as_slice() {
        [] if is_good => format!("none of {seen}"),
        [] => format!("none of {seen} now, {} may move there", changes.len()),
        _ => format!("{} of {seen}: {}", stray.len(), stray.join(" ")),
    };
    let finding = Finding::judged(ABOUT, subject, is_good)
        .found(found)
        .changes(changes);
    let finding = finding.wanted(format!("all on {rest}"));
    if finding.changes.is_empty() {
        return finding.by_hand("the wish is set; each moves when it next arrives");
    }
    finding
}

/// Where interrupts go that drivers will ask for later.
fn new_lines(ask: Ask<'_>) -> Finding {
    let subject = "interrupts to come";
    let path = "/proc/irq/default_smp_affinity";
    let text = match ask.host.read(path) {
        Ok(text) => text,
        Err(fault) => return Finding::absent(ABOUT, subject, fault.to_string()),
    };
    let now = Cpus::of_mask(&text).unwrap_or_default();
    let change = Change::write(path, &ask.setup.rest.mask(), &text);
    Finding::judged(ABOUT, subject, now.both(&ask.setup.hot).is_empty())
        .found(format!("on {now}"))
        .wanted(format!("on {}", ask.setup.rest))
        .changes([change])
}

fn balancer(ask: Ask<'_>) -> Finding {
    let subject = "irqbalance";
    let runs = super::ptp::is_running(ask, "irqbalance");
    let verdict = if runs { Verdict::Poor } else { Verdict::Good };
    Finding::new(BALANCER, subject, verdict)
        .found(if runs { "runs" } else { "does not run" })
        .wanted("does not run, or with IRQBALANCE_BANNED_CPULIST of the hot cores")
        .by_hand("systemctl disable --now irqbalance (undo: systemctl enable --now irqbalance)")
}
