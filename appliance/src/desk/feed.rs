//! What brings a desk its market: a venue's feed, or a recorded one.

use crate::tiles::Tile;

/// A tile that brings a desk its market.
pub trait Feed: Tile {
    /// Whether nothing more will come.
    fn is_ended(&self) -> bool;

    /// Whether the market is not known now.
    fn is_dark(&self) -> bool;

    /// What came, in a line.
    fn told(&self) -> String;
}
