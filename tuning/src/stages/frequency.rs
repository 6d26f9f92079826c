//! Clock rates: governor, preference, turbo.

use super::Ask;
use super::setting::{Setting, of_cpus};
use crate::finding::{About, Finding, Verdict};

const ABOUT: About = About {
    why: "a core that starts slow takes up to milliseconds to reach its full rate",
    risk: "more power and heat",
};

const TURBO: About = About {
    why: "turbo is the higher rate while heat allows; each change of rate stops the core for \
          10 to 20 us",
    risk: "without it everything is slower, but the same each time",
};

pub(super) fn look(ask: Ask<'_>) -> Vec<Finding> {
    let governor = Setting {
        subject: "governor",
        wanted: "performance",
        lacking: "no cpufreq driver: firmware or hypervisor sets the rate",
        about: ABOUT,
    };
    let preference = Setting {
        subject: "energy preference",
        wanted: "performance",
        lacking: "the driver has no such preference",
        about: ABOUT,
    };
    vec![
        governor.check(ask, &of_cpus(&ask.setup.hot, "cpufreq/scaling_governor")),
        preference.check(
            ask,
            &of_cpus(&ask.setup.hot, "cpufreq/energy_performance_preference"),
        ),
        turbo(ask),
    ]
}

/// Intel's driver says `no_turbo`, the others `boost`.
fn turbo(ask: Ask<'_>) -> Finding {
    let files = [
        ("/sys/devices/system/cpu/intel_pstate/no_turbo", "1"),
        ("/sys/devices/system/cpu/cpufreq/boost", "0"),
    ];
    let there = files
        .iter()
        .find_map(|(path, off)| Some((path, off, ask.host.read(path).ok()?)));
    let Some((path, off, text)) = there else {
        return Finding::absent(TURBO, "turbo", "no cpufreq driver that tells");
    };
    let is_on = text != *off;
    Finding::new(
        TURBO,
        "turbo",
        if is_on {
            Verdict::Choice
        } else {
            Verdict::Good
        },
    )
    .found(if is_on { "on" } else { "off" })
    .wanted("off, where the same time each time counts more than the best")
    .changes([crate::change::Change::write(path, off, &text)])
}
