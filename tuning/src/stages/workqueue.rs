//! Where the kernel's own deferred work goes.

use super::Ask;
use crate::change::Change;
use crate::cpus::Cpus;
use crate::finding::{About, Finding};

const FOLDER: &str = "/sys/devices/virtual/workqueue";

const ABOUT: About = About {
    why: "drivers and file systems hand work to threads of the kernel that run wherever they may, \
          hot cores included",
    risk: "the rest of the host does that work; work bound to a processor is not moved",
};

pub(super) fn look(ask: Ask<'_>) -> Vec<Finding> {
    let subject = "workqueues";
    let mut paths = vec![format!("{FOLDER}/cpumask")];
    paths.extend(
        ask.host
            .list(FOLDER)
            .iter()
            .map(|name| format!("{FOLDER}/{name}/cpumask")),
    );
    let (mut hot, mut seen, mut changes) = (Cpus::default(), 0, Vec::new());
    for path in paths {
        let Ok(text) = ask.host.read(&path) else {
            continue;
        };
        seen += 1;
        let on_hot = Cpus::of_mask(&text)
            .unwrap_or_default()
            .both(&ask.setup.hot);
        if !on_hot.is_empty() {
            changes.push(Change::write(&path, &ask.setup.rest.mask(), &text));
            hot = hot.either(&on_hot);
        }
    }
    if seen == 0 {
        return vec![Finding::absent(
            ABOUT,
            subject,
            "this kernel does not show its workqueues",
        )];
    }
    let found = match changes.len() {
        0 => format!("none of {seen} on hot cores"),
        count => format!("{count} of {seen} may run on {hot}"),
    };
    let finding = Finding::judged(ABOUT, subject, changes.is_empty()).found(found);
    vec![
        finding
            .wanted(format!("on {}", ask.setup.rest))
            .changes(changes),
    ]
}
