//! The messages of `proto/externalscaler.proto` and `proto/wirecross.proto`, field by field:
//! `tests/grpc_client.py` compiles those files and makes calls with what comes of it.

use prost::{Enumeration, Message, Oneof};
use std::collections::BTreeMap;

#[derive(Clone, PartialEq, Message)]
pub(super) struct ScaledObjectRef {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(string, tag = "2")]
    pub(super) namespace: String,
    #[prost(btree_map = "string, string", tag = "3")]
    pub(super) scaler_metadata: BTreeMap<String, String>,
}

#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct IsActiveResponse {
    #[prost(bool, tag = "1")]
    pub(super) result: bool,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct QuantRequest {
    #[prost(btree_map = "string, string", tag = "1")]
    pub(super) parameters: BTreeMap<String, String>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct QuantResponse {
    #[prost(string, tag = "1")]
    pub(super) json: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct GetMetricSpecResponse {
    #[prost(message, repeated, tag = "1")]
    pub(super) metric_specs: Vec<MetricSpec>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct MetricSpec {
    #[prost(string, tag = "1")]
    pub(super) metric_name: String,
    #[prost(int64, tag = "2")]
    pub(super) target_size: i64,
    #[prost(double, tag = "3")]
    pub(super) target_size_float: f64,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct GetMetricsRequest {
    #[prost(message, optional, tag = "1")]
    pub(super) scaled_object_ref: Option<ScaledObjectRef>,
    #[prost(string, tag = "2")]
    pub(super) metric_name: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct GetMetricsResponse {
    #[prost(message, repeated, tag = "1")]
    pub(super) metric_values: Vec<MetricValue>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct MetricValue {
    #[prost(string, tag = "1")]
    pub(super) metric_name: String,
    #[prost(int64, tag = "2")]
    pub(super) metric_value: i64,
    #[prost(double, tag = "3")]
    pub(super) metric_value_float: f64,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct RowsRequest {
    #[prost(string, tag = "1")]
    pub(super) query: String,
    #[prost(btree_map = "string, string", tag = "2")]
    pub(super) parameters: BTreeMap<String, String>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct RowsResponse {
    #[prost(string, repeated, tag = "1")]
    pub(super) columns: Vec<String>,
    #[prost(message, repeated, tag = "2")]
    pub(super) rows: Vec<Row>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Row {
    #[prost(message, repeated, tag = "1")]
    pub(super) cells: Vec<Cell>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Cell {
    #[prost(oneof = "Value", tags = "1, 2")]
    pub(super) value: Option<Value>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(super) enum Value {
    #[prost(sint64, tag = "1")]
    Number(i64),
    #[prost(string, tag = "2")]
    Text(String),
}

#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct KeyRequest {}

#[derive(Clone, PartialEq, Message)]
pub(super) struct KeyResponse {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(string, tag = "2")]
    pub(super) role: String,
    #[prost(uint32, repeated, tag = "3")]
    pub(super) accounts: Vec<u32>,
}

#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct SymbolsRequest {}

#[derive(Clone, PartialEq, Message)]
pub(super) struct SymbolsResponse {
    #[prost(string, repeated, tag = "1")]
    pub(super) symbols: Vec<String>,
    #[prost(string, tag = "2")]
    pub(super) feed: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Enumeration)]
#[repr(i32)]
pub(super) enum Channel {
    Unspecified = 0,
    Book = 1,
    Top = 2,
    Trades = 3,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Enumeration)]
#[repr(i32)]
pub(super) enum Form {
    Compact = 0,
    Json = 1,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct StreamRequest {
    #[prost(enumeration = "Channel", tag = "1")]
    pub(super) channel: i32,
    #[prost(string, repeated, tag = "2")]
    pub(super) symbols: Vec<String>,
    #[prost(enumeration = "Form", tag = "3")]
    pub(super) form: i32,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct StreamMessage {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) message: Vec<u8>,
}
