//! Messages for a book.

use wirecross_capi::{KIND_CANCEL, KIND_MODIFY, KIND_NEW, Message};

/// Messages about 400 ids, from a seed of their own.
pub fn messages(count: usize) -> Vec<Message> {
    let mut state = 7_u64;
    let mut random = |bound: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) % bound
    };
    let message = |_| Message {
        id: random(400),
        price: 900 + random(200) as i64,
        quantity: 1 + random(50) as u32,
        kind: [KIND_NEW, KIND_NEW, KIND_CANCEL, KIND_MODIFY][random(4) as usize],
        side: random(2) as u8,
        ioc: u8::from(random(8) == 0),
        zero: 0,
    };
    (0..count).map(message).collect()
}

/// An order to buy, below all prices of [`messages`].
pub fn standing(id: u64) -> Message {
    Message {
        id,
        price: 500 + (id % 64) as i64,
        quantity: 1,
        kind: KIND_NEW,
        side: 0,
        ioc: 0,
        zero: 0,
    }
}
