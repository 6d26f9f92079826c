//! Descriptors of the cards.

use super::Ask;
use crate::change::Change;
use crate::finding::{About, Finding};

const ABOUT: About = About {
    why: "while the reader is away for a millisecond, frames wait in the card's ring; when it is \
          full they are lost",
    risk: "the link goes down for a moment; a larger ring touches more cache",
};

/// What holds a millisecond of smallest frames at 1 Gbit/s and more.
const WANTED: i64 = 2_048;

pub(super) fn look(ask: Ask<'_>) -> Vec<Finding> {
    let each = ask.setup.interfaces.iter();
    each.flat_map(|interface| ["rx", "tx"].map(|way| ring(ask, interface, way)))
        .collect()
}

fn ring(ask: Ask<'_>, interface: &str, way: &str) -> Finding {
    let subject = format!("{way} ring of {interface}");
    let path = format!("/ethtool/{interface}/ring_{way}");
    let sizes = (
        ask.host.number(&path),
        ask.host.number(&format!("{path}_max")),
    );
    let (Ok(size), Ok(max @ 1..)) = sizes else {
        let reason = "the driver does not tell its rings";
        return Finding::absent(ABOUT, subject, reason);
    };
    let wanted = WANTED.min(max);
    Finding::judged(ABOUT, subject, size >= wanted)
        .found(format!("{size} of {max}"))
        .wanted(format!("at least {wanted}"))
        .changes([Change::write(&path, &wanted.to_string(), &size.to_string())])
}
