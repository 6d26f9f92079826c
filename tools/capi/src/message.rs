//! What goes into a book and what comes out: plain data with the layout of `wirecross.h`.

use bytemuck::{Pod, Zeroable};

/// A new order.
pub const KIND_NEW: u8 = 1;
/// The order leaves.
pub const KIND_CANCEL: u8 = 2;
/// The order gets another price and quantity.
pub const KIND_MODIFY: u8 = 3;

/// A request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Message {
    /// The order's number, at most 4,294,967,294.
    pub id: u64,
    /// Limit price in ticks. A cancel does not read it.
    pub price: i64,
    /// Units: of a modify, those that shall be open. A cancel does not read it.
    pub quantity: u32,
    /// [`KIND_NEW`], [`KIND_CANCEL`] or [`KIND_MODIFY`].
    pub kind: u8,
    /// 0 buys, 1 sells. Only a new order's is read.
    pub side: u8,
    /// 1 for immediate-or-cancel. Only a new order's is read.
    pub ioc: u8,
    /// Zero.
    pub zero: u8,
}

const _: () = assert!(size_of::<Message>() == 24);

/// A new order was taken.
pub const REPORT_ACCEPTED: u8 = 1;
/// `quantity` units of the arriving order `id` and the resting order `other` traded.
pub const REPORT_FILL: u8 = 2;
/// `quantity` units left: by request, or the rest of an immediate-or-cancel order.
pub const REPORT_CANCELED: u8 = 3;
/// A modify was taken.
pub const REPORT_MODIFIED: u8 = 4;
/// The message changed nothing: `reason` says why.
pub const REPORT_REJECTED: u8 = 5;

/// What happened.
///
/// Every message yields an accepted, canceled, modified or rejected report first; fills follow in
/// the order of the trades, then the cancel of an immediate-or-cancel order's rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Report {
    /// Number of the message, from 1.
    pub message: u64,
    /// The order of the message; of a fill, the arriving one.
    pub id: u64,
    /// The resting order of a fill, 0 otherwise.
    pub other: u64,
    /// Ticks: of a fill, the resting order's price. 0 for a cancel and a rejection.
    pub price: i64,
    /// Units that this report is about.
    pub quantity: u32,
    /// What is left of the resting order after a fill; 0 otherwise.
    pub left: u32,
    /// One of the `REPORT_` kinds.
    pub kind: u8,
    /// Side of the order `id`: 0 buys, 1 sells. 0 for a cancel and a rejection.
    pub side: u8,
    /// Of a rejection, the code of [`wire::ring::Reason`]; 0 otherwise.
    pub reason: u8,
    /// Zero.
    pub zero: [u8; 5],
}

const _: () = assert!(size_of::<Report>() == 48);

impl Report {
    /// A report about a message, without units and price.
    #[must_use]
    pub const fn new(kind: u8, message: u64, id: u64) -> Self {
        Self {
            message,
            id,
            other: 0,
            price: 0,
            quantity: 0,
            left: 0,
            kind,
            side: 0,
            reason: 0,
            zero: [0; 5],
        }
    }
}

/// A price of one side and what is open there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Depth {
    /// Ticks.
    pub price: i64,
    /// Open units.
    pub quantity: u64,
    /// Orders.
    pub orders: u64,
}
