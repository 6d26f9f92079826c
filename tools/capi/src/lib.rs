//! One book of the matching engine for outside harnesses: dense order ids in, reports out.
//!
//! [`Book`] is the safe face, used by our own benches. Behind the C interface of
//! `include/wirecross.h` (described in `docs/c-abi.md`) stands the same book, so whoever measures
//! through C measures what we measure.

mod book;
mod border;
mod hearing;
mod message;

pub use book::{Book, BookError, BookLimits, PRICE_TICKS_MAX};
pub use border::{
    Handle, OnReports, WX_BUSY, WX_EMPTY, WX_INTERNAL, WX_INVALID, WX_NO_MEMORY, WX_NULL, WX_OK,
    WX_UNALIGNED, wx_apply, wx_best, wx_book_free, wx_book_new, wx_cancel, wx_depth_at, wx_flush,
    wx_live_orders, wx_modify, wx_new, wx_version,
};
pub use message::{
    Depth, KIND_CANCEL, KIND_MODIFY, KIND_NEW, Message, REPORT_ACCEPTED, REPORT_CANCELED,
    REPORT_FILL, REPORT_MODIFIED, REPORT_REJECTED, Report,
};
