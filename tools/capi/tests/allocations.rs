//! Nothing takes memory after its start: neither the engine, whatever it is asked for, nor a book
//! behind the C interface.

#[path = "../../../nic/tests/counting/mod.rs"]
mod counting;
mod messages;

#[path = "../../../engine/matching/tests/common/limits.rs"]
mod limits;

use limits::LIMITS;
use std::ffi::c_void;
use std::ptr::null_mut;

use counting::taken;
use flow::Hostile;
use flow::naive::OFFERED;
use matching::{BURST_MAX, Engine, Events, Line, Step};
use messages::{messages, standing};
use wire::ring::Input;
use wirecross_capi::{
    BookLimits, Message, Report, WX_OK, wx_apply, wx_book_free, wx_book_new, wx_flush,
};

/// Hostile days, each by its seed, and inputs of each.
const DAYS: u64 = 12;
const INPUTS: usize = 8_000;

/// Applies a day in bursts and counts its events.
fn events_of(engine: &mut Engine<'_>, inputs: &[Input]) -> usize {
    let mut events = Events::new();
    let mut count = 0;
    for burst in inputs.chunks(BURST_MAX) {
        for (at, input) in burst.iter().enumerate() {
            engine.look_ahead(burst, at);
            let mut step = engine.apply(input, &mut events);
            count += events.as_slice().len();
            while step == Step::More {
                step = engine.resume(&mut events);
                count += events.as_slice().len();
            }
        }
    }
    count
}

#[test]
fn the_engine_takes_no_memory_whatever_it_is_asked_for() {
    let before = taken();
    let mut lines = [0, 1].map(|_| vec![Line::ZERO; LIMITS.lines()]);
    let [first, second] = &mut lines;
    assert!(taken() >= before + 2, "what is taken is counted");
    for seed in 0..DAYS {
        let mut hostile = Hostile::new(seed, OFFERED);
        let mut inputs: Vec<Input> = hostile.by_ref().take(INPUTS).collect();
        let closing = hostile.closing();
        inputs.push(closing);
        let mut bytes = Vec::with_capacity(1 << 22);
        let before = taken();
        let mut engine = Engine::new(LIMITS, first).expect("good limits");
        let (day, end) = inputs.split_at(INPUTS);
        let told = events_of(&mut engine, day);
        engine.snapshot(&mut |piece| bytes.extend_from_slice(piece));
        let mut restored = Engine::restore(LIMITS, second, &bytes).expect("good bytes");
        let ended = [&mut engine, &mut restored].map(|engine| events_of(engine, end));
        let hashes = [&engine, &restored].map(|engine| engine.state_hash());
        assert_eq!(taken(), before, "seed {seed}");
        assert!(told > INPUTS, "seed {seed}: {told} events");
        assert_eq!((ended[0], hashes[0]), (ended[1], hashes[1]), "seed {seed}");
    }
}

extern "C" fn count_reports(context: *mut c_void, _: *const Report, count: usize) {
    // SAFETY: the test hands in its counter, which outlives the book.
    unsafe { *context.cast::<usize>() += count };
}

#[test]
fn a_book_takes_no_memory_after_it_is_made() {
    let limits = BookLimits {
        orders: 17_400,
        price_groups: 64,
    };
    // Enough of them that the book looks ahead.
    let mut all: Vec<Message> = (1_000..18_000).map(standing).collect();
    all.extend(messages(20_000));
    let (mut book, mut reports) = (null_mut(), 0_usize);
    let context = (&raw mut reports).cast();
    // SAFETY: all pointers are to locals that are alive.
    let code = unsafe { wx_book_new(&limits, Some(count_reports), context, &mut book) };
    assert_eq!(code, WX_OK);
    let before = taken();
    for burst in all.chunks(BURST_MAX) {
        // SAFETY: the book is alive, and so are the messages.
        let code = unsafe { wx_apply(book, burst.as_ptr(), burst.len()) };
        assert_eq!(code, WX_OK);
    }
    // SAFETY: the book is alive.
    assert_eq!(unsafe { wx_flush(book) }, WX_OK);
    assert_eq!(taken(), before);
    // SAFETY: the book is alive, and not used after.
    assert_eq!(unsafe { wx_book_free(book) }, WX_OK);
    assert!(reports > all.len(), "{reports} reports");
}
