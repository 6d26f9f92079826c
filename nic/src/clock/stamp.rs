//! Times of frames, each marked by its type with the point where it was taken: times taken at
//! different points cannot be mixed up, and their difference is the way between the points.

use std::marker::PhantomData;

use super::Clock;

/// A place on a frame's way where its time is taken.
pub trait Point {
    /// Its name, for reports.
    const NAME: &'static str;
}

/// The first instruction of ours that sees the frame, before a byte of it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FirstTouch {}

/// The last instruction of ours before the system is told to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BeforeKick {}

/// The kernel's stack, when the driver handed it the frame; by the system clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KernelReceived {}

/// The card, at the wire; by the card's own clock, which something must keep (PTP).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hardware {}

impl Point for FirstTouch {
    const NAME: &'static str = "first touch";
}

impl Point for BeforeKick {
    const NAME: &'static str = "before kick";
}

impl Point for KernelReceived {
    const NAME: &'static str = "kernel received";
}

impl Point for Hardware {
    const NAME: &'static str = "hardware";
}

/// A time taken at the point `P`, in nanoseconds since the Unix epoch by the clock of that point.
///
/// Times of different points are of different types:
///
/// ```compile_fail
/// use nic::{FirstTouch, KernelReceived, Stamp};
///
/// fn earlier(touched: Stamp<FirstTouch>, kernel: Stamp<KernelReceived>) -> bool {
///     touched < kernel
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp<P> {
    ns: u64,
    point: PhantomData<P>,
}

impl<P: Point> Stamp<P> {
    /// A time that was taken at `P`; 0 is what a kernel or card says for "none".
    pub fn told(ns: u64) -> Option<Stamp<P>> {
        (ns != 0).then_some(Stamp {
            ns,
            point: PhantomData,
        })
    }

    /// The time.
    pub fn ns(self) -> u64 {
        self.ns
    }

    /// The name of the point.
    pub fn point(self) -> &'static str {
        P::NAME
    }
}

impl Stamp<FirstTouch> {
    /// Now: call it before anything else is done with the frame.
    pub fn touch(clock: &dyn Clock) -> Self {
        Stamp {
            ns: clock.now_ns(),
            point: PhantomData,
        }
    }
}

impl Stamp<BeforeKick> {
    /// Now: call it last before the frame is given away.
    pub fn kick(clock: &dyn Clock) -> Self {
        Stamp {
            ns: clock.now_ns(),
            point: PhantomData,
        }
    }

    /// The way through us: from the first touch of a frame to the kick of the one it caused.
    pub fn since(self, touched: Stamp<FirstTouch>) -> u64 {
        self.ns.saturating_sub(touched.ns)
    }
}
