//! How deep idle cores sleep.

use super::Ask;
use super::setting::{Setting, of_cpus};
use crate::finding::{About, Finding, Verdict};
use crate::host::DMA_LATENCY;

const ABOUT: About = About {
    why: "waking from deep sleep takes 1 to 200 us, in a guest more: a hot core never sleeps, but \
          whoever hands it work by an interrupt does",
    risk: "more power and heat; neighbours of cores that never sleep may get less turbo",
};

/// States that take longer to leave than this, in microseconds, count as deep.
const SHALLOW_US: i64 = 2;
/// How the states of a guest are called that give the core back to the hypervisor.
const GUESTS: &str = "haltpoll";

pub(super) fn look(ask: Ask<'_>) -> Vec<Finding> {
    let cores = Setting {
        subject: "bound on sleep, 0: none, n/a: no sleep",
        wanted: "n/a",
        lacking: "a kernel without a bound on sleep by core",
        about: ABOUT,
    };
    // The kernel's words: 0 bounds nothing, n/a bounds it to no sleep at all.
    let files = of_cpus(&ask.setup.hot, "power/pm_qos_resume_latency_us");
    vec![cores.check(ask, &files), states(ask), whole_host(ask)]
}

/// The states that there are, by name and time to leave.
fn states(ask: Ask<'_>) -> Finding {
    let subject = "deepest state of a hot core";
    let Some(cpu) = ask.setup.hot.iter().next() else {
        return Finding::absent(ABOUT, subject, "there is no hot core");
    };
    let folder = format!("/sys/devices/system/cpu/cpu{cpu}/cpuidle");
    let mut deepest = None;
    for name in ask.host.list(&folder) {
        let file = |leaf: &str| format!("{folder}/{name}/{leaf}");
        let is_off = ask.host.read(&file("disable")).as_deref() == Ok("1");
        let latency = ask.host.number(&file("latency"));
        if let (false, Ok(latency), Ok(label)) = (is_off, latency, ask.host.read(&file("name"))) {
            deepest = deepest.max(Some((latency, label)));
        }
    }
    let Some((latency, label)) = deepest else {
        return Finding::absent(
            ABOUT,
            subject,
            "no cpuidle driver: idle is what the host makes it",
        );
    };
    let qos = format!("/sys/devices/system/cpu/cpu{cpu}/power/pm_qos_resume_latency_us");
    let is_bound = ask.host.read(&qos).as_deref() == Ok("n/a");
    // What a guest tells is the time to hand the core back; the hypervisor's own comes on top.
    let is_guests = label.starts_with(GUESTS);
    let is_good = is_bound || latency <= SHALLOW_US && !is_guests;
    let verdict = if is_good {
        Verdict::Good
    } else {
        Verdict::Poor
    };
    let note = match (is_bound, is_guests) {
        (true, _) => ", bounded to none",
        (false, true) => " and what the hypervisor takes",
        (false, false) => "",
    };
    Finding::new(ABOUT, subject, verdict)
        .found(format!("{label}, {latency} us to leave{note}"))
        .wanted(format!("at most {SHALLOW_US} us"))
        .by_hand("the bound of the line above does it; else disable the state in cpuidle")
}

/// The bound for all cores lasts as long as its file is open: a process must hold it.
fn whole_host(ask: Ask<'_>) -> Finding {
    let subject = "all cores may sleep, us";
    match ask.host.number(DMA_LATENCY) {
        Err(fault) => Finding::absent(ABOUT, subject, fault.to_string()),
        Ok(bound) => {
            let verdict = if bound == 0 {
                Verdict::Good
            } else {
                Verdict::Choice
            };
            Finding::new(ABOUT, subject, verdict)
                .found(bound.to_string())
                .wanted("0, where threads of the appliance block")
                .by_hand("wirecross tune hold (undo: end it)")
        }
    }
}
