//! The desk from outside: strategies are asked in order, orders pass the risk, answers become
//! positions and money, and breakers stop who does too much.

#![allow(clippy::unwrap_used)]

mod before;
mod breakers;
mod kit;
mod ladder;
mod limits;
mod maker;
mod money;
mod orders;
mod signal;
