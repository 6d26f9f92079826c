//! What the kernel was started with.

use super::Ask;
use crate::change::Change;
use crate::finding::{About, Finding, Verdict};

const ABOUT: About = About {
    why: "only at its start can the kernel be told to stop the tick, the scheduler's balancing and \
          the callbacks of RCU on hot cores",
    risk: "takes effect with the next start, after `update-grub`; a wrong list leaves the rest of \
           the host few processors",
};

const MITIGATIONS: About = About {
    why: "guards against speculation cost 100 ns and more in each system call and interrupt",
    risk: "whoever runs code on this host may read all of its memory: only where nobody else does",
};

const FOLDER: &str = "/etc/default/grub.d";
const DROP_IN: &str = "/etc/default/grub.d/90-wirecross.cfg";

pub(super) fn look(ask: Ask<'_>) -> Vec<Finding> {
    let line = match ask.host.read("/proc/cmdline") {
        Ok(line) => line,
        Err(fault) => return vec![Finding::absent(ABOUT, "parameters", fault.to_string())],
    };
    let wanted = wanted(ask);
    let has = |word: &&String| !line.split_whitespace().any(|given| given == word.as_str());
    let lacking: Vec<&String> = wanted.iter().filter(has).collect();
    let found = match lacking.as_slice() {
        [] => "all".to_owned(),
        _ => format!("without {}", join(&lacking)),
    };
    let finding = Finding::judged(ABOUT, "parameters", lacking.is_empty())
        .found(found)
        .wanted(join(&wanted.iter().collect::<Vec<_>>()));
    vec![
        with_drop_in(ask, finding, &lacking),
        tickless(ask),
        mitigations(&line),
    ]
}

fn join(words: &[&String]) -> String {
    let words: Vec<&str> = words.iter().map(|word| word.as_str()).collect();
    words.join(" ")
}

fn wanted(ask: Ask<'_>) -> Vec<String> {
    let hot = &ask.setup.hot;
    vec![
        format!("isolcpus=managed_irq,domain,{hot}"),
        format!("nohz_full={hot}"),
        format!("rcu_nocbs={hot}"),
        format!("irqaffinity={}", ask.setup.rest),
        "rcu_nocb_poll".to_owned(),
        "skew_tick=1".to_owned(),
        "tsc=reliable".to_owned(),
        "nosoftlockup".to_owned(),
        "transparent_hugepage=never".to_owned(),
    ]
}

/// A file of its own beside the settings of the distribution: nothing of theirs is edited.
fn with_drop_in(ask: Ask<'_>, finding: Finding, lacking: &[&String]) -> Finding {
    if lacking.is_empty() {
        return finding;
    }
    if !ask.host.has("/etc/default/grub") {
        let advice = "no GRUB here: give these to whatever starts the kernel";
        return finding.by_hand(advice);
    }
    let text = format!(
        "# Written by `wirecross tune`; `wirecross tune undo` takes it away.\n\
         GRUB_CMDLINE_LINUX=\"$GRUB_CMDLINE_LINUX {}\"\n",
        join(lacking)
    );
    if ask.host.text(DROP_IN).is_ok_and(|there| there == text) {
        return finding.by_hand("the file for GRUB is written: run `update-grub` and start again");
    }
    let mut changes = Vec::new();
    if !ask.host.has(FOLDER) {
        let path = FOLDER.to_owned();
        changes.push(Change::MakeFolder { path });
    }
    let path = DROP_IN.to_owned();
    changes.push(Change::Create { path, text });
    finding
        .changes(changes)
        .by_hand("then run `update-grub` and start again")
}

/// Whether this kernel can stop the tick at all.
fn tickless(ask: Ask<'_>) -> Finding {
    let subject = "cores without a tick";
    match ask.host.read("/sys/devices/system/cpu/nohz_full") {
        Err(_) => {
            let reason = "a kernel without NO_HZ_FULL: the tick takes 1 to 20 us up to 1,000 \
                          times a second";
            Finding::absent(ABOUT, subject, reason)
        }
        Ok(text) => {
            let now = crate::cpus::Cpus::of_list(&text).unwrap_or_default();
            let missing = ask.setup.hot.without(&now);
            let found = if now.is_empty() {
                "none".to_owned()
            } else {
                now.to_string()
            };
            Finding::judged(ABOUT, subject, missing.is_empty())
                .found(found)
                .wanted(ask.setup.hot.to_string())
                .by_hand("nohz_full= on the kernel's command line")
        }
    }
}

fn mitigations(line: &str) -> Finding {
    let given = line
        .split_whitespace()
        .find(|word| word.starts_with("mitigations="));
    let is_off = given == Some("mitigations=off");
    let verdict = if is_off {
        Verdict::Good
    } else {
        Verdict::Choice
    };
    Finding::new(MITIGATIONS, "mitigations", verdict)
        .found(given.unwrap_or("the kernel's own choice"))
        .wanted("mitigations=off, if the host serves nothing else")
        .by_hand("mitigations=off on the kernel's command line")
}
