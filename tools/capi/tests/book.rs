//! The book keeps what it promises: bursts answer as single messages do, and limits are kept.

mod messages;

use messages::{messages, standing};
use wirecross_capi::{
    Book, BookError, BookLimits, KIND_NEW, Message, REPORT_ACCEPTED, REPORT_REJECTED, Report,
};

const LIMITS: BookLimits = BookLimits {
    orders: 400,
    price_groups: 64,
};

#[test]
fn a_burst_answers_as_its_messages_one_by_one() {
    let messages = messages(4_000);
    let limits = BookLimits {
        orders: 17_400,
        ..LIMITS
    };
    let (mut single, mut burst) = (Book::new(limits).unwrap(), Book::new(limits).unwrap());
    // From so many orders on the book looks ahead in a burst.
    let standing: Vec<Message> = (1_000..18_000).map(standing).collect();
    for book in [&mut single, &mut burst] {
        standing
            .iter()
            .for_each(|message| book.apply(message, |_| ()));
        assert_eq!(book.live_orders(), 17_000);
    }
    let (mut expected, mut found): (Vec<Report>, Vec<Report>) = (Vec::new(), Vec::new());
    for message in &messages {
        single.apply(message, |report| expected.push(*report));
    }
    for messages in messages.chunks(70) {
        burst.apply_all(messages, |report| found.push(*report));
    }
    assert_eq!(found, expected);
    assert_eq!(burst.state_hash(), single.state_hash());
    let count = |kind: u8| found.iter().filter(|report| report.kind == kind).count();
    for kind in 1..=5 {
        assert!(count(kind) > 100, "{} reports of kind {kind}", count(kind));
    }
}

#[test]
fn limits_are_kept_and_named() {
    let none = BookLimits {
        orders: 0,
        ..LIMITS
    };
    assert!(matches!(Book::new(none), Err(BookError::Engine(_))));

    let small = BookLimits {
        orders: 3,
        ..LIMITS
    };
    let mut book = Book::new(small).unwrap();
    let mut kinds = Vec::new();
    for id in 0..4 {
        let message = Message {
            id,
            price: 5,
            quantity: 1,
            kind: KIND_NEW,
            side: 0,
            ioc: 0,
            zero: 0,
        };
        book.apply(&message, |report| kinds.push(report.kind));
    }
    let expected = [
        REPORT_ACCEPTED,
        REPORT_ACCEPTED,
        REPORT_ACCEPTED,
        REPORT_REJECTED,
    ];
    assert_eq!(kinds, expected);
    assert_eq!(book.live_orders(), 3);
}
