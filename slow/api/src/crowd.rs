//! Who is connected: how many there may be, and how many were sent away.

use crate::config::Limits;
use crate::metrics::family;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Connections that there are, by address.
#[derive(Clone, Default)]
pub(crate) struct Crowd(Arc<Mutex<Inside>>);

#[derive(Default)]
struct Inside {
    all: usize,
    by_address: BTreeMap<IpAddr, usize>,
    refused: u64,
    stalled: u64,
}

/// A place in it, which is given back when this goes.
pub(crate) struct Place(Crowd, IpAddr);

/// Each figure: its name, what it tells, and its kind.
pub(crate) const FIGURES: [(&str, &str, &str); 3] = [
    (
        "wirecross_connections",
        "Connections of the service that are open",
        "gauge",
    ),
    (
        "wirecross_connections_refused_total",
        "Connections that were closed at once, for want of a place",
        "counter",
    ),
    (
        "wirecross_connections_stalled_total",
        "Connections that were ended because their client took nothing, or did not live",
        "counter",
    ),
];

impl Crowd {
    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place, if there is one.
    pub(crate) fn place(&self, from: IpAddr, limits: &Limits) -> Option<Place> {
        let mut inside = self.inside();
        let of_address = inside.by_address.get(&from).copied().unwrap_or(0);
        if inside.all >= limits.connections_max || of_address >= limits.connections_an_address {
            inside.refused += 1;
            return None;
        }
        inside.all += 1;
        inside.by_address.insert(from, of_address + 1);
        Some(Place(self.clone(), from))
    }

    /// Whether nobody is connected.
    pub(crate) fn is_empty(&self) -> bool {
        self.inside().all == 0
    }

    /// A client took nothing of what waited for it, or did not live, and is ended.
    pub(crate) fn stalled(&self) {
        self.inside().stalled += 1;
    }

    /// In the text format of Prometheus.
    pub(crate) fn figures(&self, text: &mut String) {
        let values = {
            let inside = self.inside();
            [inside.all as u64, inside.refused, inside.stalled]
        };
        for ((name, help, kind), value) in FIGURES.into_iter().zip(values) {
            family(text, name, kind, help);
            let _ = writeln!(text, "{name} {value}");
        }
    }
}

impl Place {
    /// The crowd that it is in.
    pub(crate) const fn crowd(&self) -> &Crowd {
        &self.0
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut inside = self.0.inside();
        inside.all -= 1;
        let of_address = inside.by_address.get(&self.1).copied().unwrap_or(1);
        if of_address <= 1 {
            inside.by_address.remove(&self.1);
        } else {
            inside.by_address.insert(self.1, of_address - 1);
        }
    }
}
