//! The threads beside the tiles: who hears the operator, gives snapshots, judges logins, reads and
//! writes streams, and keeps closed segments.

use super::control::Control;
use super::day::Day;
use super::keeping::Keeping;
use super::logins::LoginWorker;
use super::muster::Muster;
use super::recall::Recaller;
use super::rings::Offers;
use super::shadow::{self, Shadow};
use super::snapshots::Snapshots;
use super::{StartError, Venue, engine_limits};
use crate::tiles::Signals;
use crate::topology::Topology;
use core_affinity::CoreId;
use journal::{FileSegments, FileStorage};
use matching::Line;
use nic::{Clock, RealUdp, SocketTcp, TcpPort};
use queue::{CounterSet, Pages};
use std::thread::Scope;

/// What a thread does from the word on.
type Work<'scope, C> = Box<dyn FnOnce(&C, &Signals) + Send + 'scope>;

/// What they work with, taken from a venue that is about to begin.
pub(super) struct Staff {
    control: Option<Control>,
    offers: Offers,
    snapshots: Option<Snapshots<RealUdp, SocketTcp>>,
    logins: Option<LoginWorker>,
    shadow: Option<(shadow::Parts, shadow::Counters)>,
    recaller: Option<Recaller>,
    keeping: Keeping,
}

impl Staff {
    pub(super) fn of<T: TcpPort + Send>(
        topology: &Topology,
        day: &Day,
        venue: &mut Venue<'_, T, RealUdp, FileStorage>,
        (snapshots, offers): (Option<Snapshots<RealUdp, SocketTcp>>, Offers),
        set: &mut CounterSet,
    ) -> Result<Self, StartError> {
        let control = venue.operator.take();
        let control = control.and_then(|operator| match Control::open(operator) {
            Ok(control) => Some(control),
            Err(error) => {
                eprintln!("wirecross: no operator can be heard: {error}");
                None
            }
        });
        Ok(Self {
            control,
            offers,
            snapshots,
            logins: venue.logins.take(),
            keeping: Keeping::open(topology, &day.directory, venue.snapshot, set)?,
            recaller: venue.recaller.take(),
            shadow: shadow_parts(topology, day, venue, set)?,
        })
    }

    /// Starts the threads, which begin at the word.
    pub(super) fn start<'scope, C: Clock + Clone + Send + 'scope>(
        self,
        scope: &'scope Scope<'scope, '_>,
        topology: &'scope Topology,
        clock: &C,
        (signals, muster): (&Signals, &Muster),
    ) {
        let posted = |work: Work<'scope, C>| {
            let (clock, signals, post) = (clock.clone(), signals.clone(), muster.post());
            scope.spawn(move || {
                post.wait();
                work(&clock, &signals);
            });
        };
        if let Some(control) = self.control {
            posted(Box::new(|_, signals| control.serve(signals)));
        }
        if !self.offers.is_empty() {
            posted(Box::new(|_, signals| self.offers.serve(signals)));
        }
        if let Some(snapshots) = self.snapshots {
            posted(Box::new(|clock, signals| snapshots.run(clock, signals)));
        }
        if let Some(logins) = self.logins {
            posted(Box::new(|_, signals| logins.serve(signals)));
        }
        if let Some(recaller) = self.recaller {
            posted(Box::new(|clock, signals| recaller.run(clock, signals)));
        }
        posted(Box::new(|clock, signals| self.keeping.run(clock, signals)));
        if let Some((parts, counters)) = self.shadow {
            let (clock, post) = (clock.clone(), muster.post());
            scope.spawn(move || {
                pin(topology);
                post.wait();
                shadow_run(topology, (parts, counters), &clock);
            });
        }
    }
}

/// What the shadow works on, if there is to be one.
fn shadow_parts<T: TcpPort + Send>(
    topology: &Topology,
    day: &Day,
    venue: &mut Venue<'_, T, RealUdp, FileStorage>,
    set: &mut CounterSet,
) -> Result<Option<(shadow::Parts, shadow::Counters)>, StartError> {
    if topology.shadow.is_none() {
        return Ok(None);
    }
    let counters = shadow::Counters::new(set)
        .map_err(|e| StartError::of("counters", &e))?
        .with_risk(topology, set);
    let parts = shadow::Parts {
        segments: Box::new(FileSegments::new(&day.directory)),
        files: day.files(),
        session: day.session,
        streams: Some(std::mem::take(&mut venue.streams)),
    };
    Ok(Some((parts, counters)))
}

/// Puts this thread on the shadow's core.
fn pin(topology: &Topology) {
    let core = topology.shadow.and_then(|shadow| shadow.core);
    if let Some(id) = core
        && !core_affinity::set_for_current(CoreId { id })
    {
        eprintln!("wirecross: core {id} was refused; the shadow runs unpinned");
    }
}

/// The shadow's thread, from its memory on: the venue does not wait for it.
fn shadow_run(
    topology: &Topology,
    (parts, mut counters): (shadow::Parts, shadow::Counters),
    clock: &impl Clock,
) {
    let told = |error: &StartError| eprintln!("wirecross: no streams and snapshots: {error}");
    let Some(mut lines) = Pages::<Line>::zeroed(engine_limits(topology).lines()) else {
        counters.failed();
        return told(&StartError::new(
            "no memory for a second engine of these limits",
        ));
    };
    match Shadow::open(topology, parts, &mut lines, counters) {
        Ok(shadow) => shadow.run(clock),
        Err(error) => told(&error),
    }
}
