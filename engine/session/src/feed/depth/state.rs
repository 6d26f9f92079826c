//! What the depth is beside its messages, as bytes, and back: the shown orders, from which all
//! levels follow.

use wire::ring::Side;

use super::super::stream::Stream;
use super::orders::Shown;
use super::{Depth, DepthPublisher};
use crate::state::{Reader, StateError, list};

impl Stream<Depth> {
    /// Writes what the messages to come depend on, when all of the last input is told.
    pub fn state(&self, out: &mut Vec<u8>) {
        let mut all: Vec<(u64, Shown)> = self.source.orders.all().collect();
        // Which place of the table an order has depends on what was there before.
        all.sort_unstable_by_key(|(order_ref, _)| *order_ref);
        list(out, all.into_iter(), |out, (order_ref, shown)| {
            out.extend(order_ref.to_le_bytes());
            out.extend(shown.symbol.to_le_bytes());
            out.extend([shown.side as u8]);
            out.extend(shown.price.to_le_bytes());
            out.extend(shown.units.to_le_bytes());
        });
    }

    /// Takes the state from bytes, before anything else was done but [`Stream::begin`].
    ///
    /// # Errors
    /// The bytes are no state, or there is no room for its orders.
    pub fn restore(&mut self, bytes: &[u8]) -> Result<(), StateError> {
        let publisher: &mut DepthPublisher = self;
        let depth = &mut publisher.source;
        let mut from = Reader::new(bytes);
        from.list("orders", |from| {
            let order_ref = from.long("order.order_ref")?;
            let symbol = from.short("order.symbol")?;
            let side = Side::from_byte(from.byte("order.side")?);
            let price = from.take("order.price").map(i64::from_le_bytes)?;
            let units = from.word("order.units")?;
            let shown = side.map(|side| Shown {
                symbol,
                side,
                price,
                units,
            });
            from.require(
                "order",
                shown.is_some_and(|shown| depth.put(order_ref, shown)),
            )
        })?;
        from.end()?;
        // All of it was told by an earlier life.
        while depth.change_next().is_some() {}
        Ok(())
    }
}
