//! Whether the processors are real ones.

use super::Ask;
use crate::finding::{About, Finding, Verdict};

const ABOUT: About = About {
    why: "the hypervisor stops a virtual processor whenever it likes, and no setting of the guest \
          shows when or forbids it",
    risk: "none: this is only told",
};

pub(super) fn look(ask: Ask<'_>) -> Vec<Finding> {
    let subject = "processors";
    let text = match ask.host.read("/proc/cpuinfo") {
        Ok(text) => text,
        Err(fault) => return vec![Finding::absent(ABOUT, subject, fault.to_string())],
    };
    let flags = text.lines().find(|line| line.starts_with("flags"));
    let is_guest = flags.is_some_and(|line| line.split_whitespace().any(|f| f == "hypervisor"));
    if !is_guest {
        let good = Finding::new(ABOUT, subject, Verdict::Good);
        return vec![good.found("real").wanted("real")];
    }
    let maker = ask.host.read("/sys/hypervisor/type");
    let maker = maker.or_else(|_| ask.host.read("/sys/class/dmi/id/sys_vendor"));
    let maker = maker.unwrap_or_else(|_| "unnamed".to_owned());
    let found = format!("of a hypervisor ({maker}); {}", stolen(ask));
    let finding = Finding::new(ABOUT, subject, Verdict::Poor);
    let advice = "figures of this host hold for this host; serve from bare metal";
    vec![finding.found(found).wanted("real").by_hand(advice)]
}

/// What `/proc/stat` says of time that the hypervisor gave to others.
fn stolen(ask: Ask<'_>) -> String {
    let text = ask.host.read("/proc/stat").unwrap_or_default();
    let all = text.lines().find(|line| line.starts_with("cpu "));
    let ticks: Vec<u64> = all
        .into_iter()
        .flat_map(|line| line.split_whitespace().skip(1))
        .filter_map(|word| word.parse().ok())
        .collect();
    // The last two of the ten, time of guests, are in the first two already.
    let sum: u64 = ticks.iter().take(8).sum();
    match ticks.get(7) {
        Some(steal) if sum > 0 => {
            format!(
                "{:.3} % of the time since the start was stolen",
                percent(*steal, sum)
            )
        }
        _ => "stolen time is not told".to_owned(),
    }
}

fn percent(part: u64, whole: u64) -> f64 {
    part as f64 * 100.0 / whole as f64
}
