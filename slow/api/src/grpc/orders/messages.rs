//! The messages of service Orders in `proto/wirecross.proto`, field by field.

use prost::{Enumeration, Message};

#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct SessionRequest {
    #[prost(uint64, tag = "1")]
    pub(crate) from: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Enumeration)]
#[repr(i32)]
pub(crate) enum Side {
    Unspecified = 0,
    Buy = 1,
    Sell = 2,
    SellShort = 3,
    SellShortExempt = 4,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Enumeration)]
#[repr(i32)]
pub(crate) enum Lifetime {
    Day = 0,
    Immediate = 1,
    FillOrKill = 2,
    Until = 3,
    Opening = 4,
    Closing = 5,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Enumeration)]
#[repr(i32)]
pub(crate) enum PostOnly {
    No = 0,
    Refuse = 1,
    Slide = 2,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Enumeration)]
#[repr(i32)]
pub(crate) enum Peg {
    None = 0,
    OwnSide = 1,
    OtherSide = 2,
    Middle = 3,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Terms {
    #[prost(uint32, tag = "1")]
    pub(crate) quantity: u32,
    #[prost(uint64, optional, tag = "2")]
    pub(crate) price: Option<u64>,
    #[prost(enumeration = "Lifetime", tag = "3")]
    pub(crate) lifetime: i32,
    #[prost(uint32, tag = "4")]
    pub(crate) until_s: u32,
    #[prost(bool, tag = "5")]
    pub(crate) hidden: bool,
    #[prost(uint32, tag = "6")]
    pub(crate) max_floor: u32,
    #[prost(uint32, tag = "7")]
    pub(crate) min_quantity: u32,
    #[prost(bool, tag = "8")]
    pub(crate) all_or_none: bool,
    #[prost(enumeration = "PostOnly", tag = "9")]
    pub(crate) post_only: i32,
    #[prost(enumeration = "Peg", tag = "10")]
    pub(crate) peg: i32,
    #[prost(sint32, tag = "11")]
    pub(crate) peg_offset: i32,
    #[prost(uint64, tag = "12")]
    pub(crate) trigger_price: u64,
    #[prost(uint64, tag = "13")]
    pub(crate) trail_distance: u64,
    #[prost(bool, tag = "14")]
    pub(crate) market_to_limit: bool,
    #[prost(uint32, tag = "15")]
    pub(crate) account: u32,
    #[prost(string, tag = "16")]
    pub(crate) text: String,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct EnterRequest {
    #[prost(string, tag = "1")]
    pub(crate) symbol: String,
    #[prost(enumeration = "Side", tag = "2")]
    pub(crate) side: i32,
    #[prost(message, optional, tag = "3")]
    pub(crate) terms: Option<Terms>,
    #[prost(uint32, tag = "4")]
    pub(crate) reference: u32,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct ReplaceRequest {
    #[prost(uint32, tag = "1")]
    pub(crate) old_reference: u32,
    #[prost(message, optional, tag = "2")]
    pub(crate) terms: Option<Terms>,
    #[prost(uint32, tag = "3")]
    pub(crate) reference: u32,
}

#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct CancelRequest {
    #[prost(uint32, tag = "1")]
    pub(crate) reference: u32,
    #[prost(uint32, tag = "2")]
    pub(crate) quantity: u32,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct MassCancelRequest {
    #[prost(uint32, tag = "1")]
    pub(crate) account: u32,
    #[prost(string, tag = "2")]
    pub(crate) symbol: String,
    #[prost(enumeration = "Side", tag = "3")]
    pub(crate) side: i32,
    #[prost(uint32, tag = "4")]
    pub(crate) reference: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Enumeration)]
#[repr(i32)]
pub(crate) enum Kind {
    Unspecified = 0,
    Ready = 1,
    Accepted = 2,
    Replaced = 3,
    Executed = 4,
    Canceled = 5,
    Rejected = 6,
    CancelRejected = 7,
    Moved = 8,
    Refreshed = 9,
    Broken = 10,
    MassCanceled = 11,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct OrderEvent {
    #[prost(uint64, tag = "1")]
    pub(crate) number: u64,
    #[prost(enumeration = "Kind", tag = "2")]
    pub(crate) kind: i32,
    #[prost(uint64, tag = "3")]
    pub(crate) time_ns: u64,
    #[prost(uint32, tag = "4")]
    pub(crate) reference: u32,
    #[prost(uint32, tag = "5")]
    pub(crate) old_reference: u32,
    #[prost(string, tag = "6")]
    pub(crate) symbol: String,
    #[prost(enumeration = "Side", tag = "7")]
    pub(crate) side: i32,
    #[prost(uint32, tag = "8")]
    pub(crate) quantity: u32,
    #[prost(uint64, optional, tag = "9")]
    pub(crate) price: Option<u64>,
    #[prost(uint64, tag = "10")]
    pub(crate) order: u64,
    #[prost(uint32, tag = "11")]
    pub(crate) account: u32,
    #[prost(uint64, tag = "12")]
    pub(crate) r#match: u64,
    #[prost(string, tag = "13")]
    pub(crate) liquidity: String,
    #[prost(string, tag = "14")]
    pub(crate) reason: String,
    #[prost(string, tag = "15")]
    pub(crate) text: String,
    #[prost(string, tag = "16")]
    pub(crate) session: String,
}
