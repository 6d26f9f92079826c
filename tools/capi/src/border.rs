//! The C interface: every function of `include/wirecross.h`.
//!
//! What can be checked is checked: null and unaligned pointers, bad values, a call from inside a
//! callback. A panic of ours stops at the border: the call says [`WX_INTERNAL`] and so does every
//! later one on that book. What cannot be checked is the caller's: pointers that are alive and
//! long enough, and one thread at a time.

use std::cell::{Cell, UnsafeCell};
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};

use wire::ring::Side;

use crate::book::{Book, BookError, BookLimits};
use crate::message::{Depth, KIND_CANCEL, KIND_MODIFY, KIND_NEW, Message, Report};

/// Done.
pub const WX_OK: i32 = 0;
/// A pointer is null.
pub const WX_NULL: i32 = -1;
/// A value is out of its range.
pub const WX_INVALID: i32 = -2;
/// There is no memory for the book.
pub const WX_NO_MEMORY: i32 = -3;
/// The book is in the middle of another call: calls from inside the callback are not served.
pub const WX_BUSY: i32 = -4;
/// A fault of ours: the book is not usable any more.
pub const WX_INTERNAL: i32 = -5;
/// That side of the book is empty.
pub const WX_EMPTY: i32 = -6;
/// A pointer is not aligned as its type demands.
pub const WX_UNALIGNED: i32 = -7;

/// Changes when the header changes.
const VERSION: u32 = 1;
/// Reports that wait for a flush at most.
const REPORTS_MAX: usize = 256;

/// Takes reports in order: the context of [`wx_book_new`], the first report, how many.
pub type OnReports = extern "C" fn(*mut c_void, *const Report, usize);

/// A book as C holds it.
pub struct Handle {
    busy: Cell<bool>,
    broken: Cell<bool>,
    inner: UnsafeCell<Inner>,
}

struct Inner {
    book: Book,
    waiting: Vec<Report>,
    on: Option<OnReports>,
    context: *mut c_void,
}

impl Inner {
    fn apply(&mut self, messages: &[Message]) {
        let Self {
            book,
            waiting,
            on,
            context,
        } = self;
        book.apply_all(messages, |report| {
            if waiting.len() == REPORTS_MAX {
                deliver(waiting, *on, *context);
            }
            waiting.push(*report);
        });
    }
}

fn deliver(waiting: &mut Vec<Report>, on: Option<OnReports>, context: *mut c_void) {
    if let Some(on) = on
        && !waiting.is_empty()
    {
        on(context, waiting.as_ptr(), waiting.len());
    }
    waiting.clear();
}

/// Null or unaligned?
fn check<T>(pointer: *const T) -> Result<(), i32> {
    if pointer.is_null() {
        return Err(WX_NULL);
    }
    if !pointer.is_aligned() {
        return Err(WX_UNALIGNED);
    }
    Ok(())
}

fn side_of(side: u8) -> Result<Side, i32> {
    Side::from_byte(side).ok_or(WX_INVALID)
}

/// Runs `work` on the book of a handle, behind all checks.
///
/// # Safety
/// `handle` is null or came from [`wx_book_new`] and was not freed.
unsafe fn enter(handle: *const Handle, work: impl FnOnce(&mut Inner) -> Result<i32, i32>) -> i32 {
    if let Err(code) = check(handle) {
        return code;
    }
    // SAFETY: not null, aligned, and alive by the caller's word.
    let handle = unsafe { &*handle };
    if handle.broken.get() {
        return WX_INTERNAL;
    }
    if handle.busy.replace(true) {
        return WX_BUSY;
    }
    // SAFETY: `busy` was false, so no other call on this thread holds the inner part; the caller
    // keeps other threads away.
    let inner = unsafe { &mut *handle.inner.get() };
    let result = catch_unwind(AssertUnwindSafe(|| work(inner)));
    handle.busy.set(false);
    match result {
        Ok(Ok(code) | Err(code)) => code,
        Err(_) => {
            handle.broken.set(true);
            WX_INTERNAL
        }
    }
}

/// The version of the interface: compare it with `WX_VERSION`.
#[unsafe(no_mangle)]
pub extern "C" fn wx_version() -> u32 {
    VERSION
}

/// Makes an empty, open book and stores it in `book`.
///
/// # Safety
/// `limits` and `book` are null or point to what their types say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wx_book_new(
    limits: *const BookLimits,
    on: Option<OnReports>,
    context: *mut c_void,
    book: *mut *mut Handle,
) -> i32 {
    if let Err(code) = check(limits).and_then(|()| check(book)) {
        return code;
    }
    // SAFETY: not null, aligned, and readable by the caller's word.
    let limits = unsafe { *limits };
    // SAFETY: not null, aligned, and writable by the caller's word.
    unsafe { *book = std::ptr::null_mut() };
    let made = match catch_unwind(|| Book::new(limits)) {
        Ok(Ok(made)) => made,
        Ok(Err(BookError::NoMemory)) => return WX_NO_MEMORY,
        Ok(Err(BookError::Engine(_))) => return WX_INVALID,
        Err(_) => return WX_INTERNAL,
    };
    let handle = Box::new(Handle {
        busy: Cell::new(false),
        broken: Cell::new(false),
        inner: UnsafeCell::new(Inner {
            book: made,
            waiting: Vec::with_capacity(REPORTS_MAX),
            on,
            context,
        }),
    });
    // SAFETY: as above.
    unsafe { *book = Box::into_raw(handle) };
    WX_OK
}

/// Frees a book; reports that were not flushed are dropped. Null is nothing to free.
///
/// # Safety
/// `book` is null or came from [`wx_book_new`] and was not freed; it is not used after.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wx_book_free(book: *mut Handle) -> i32 {
    if book.is_null() {
        return WX_OK;
    }
    // The check for a call from inside the callback is in `enter`; a broken book is freed too.
    // SAFETY: the caller's word.
    let code = unsafe { enter(book, |_| Ok(WX_OK)) };
    if code == WX_OK || code == WX_INTERNAL {
        // SAFETY: made by `Box::into_raw`, freed once, and no call holds it.
        drop(unsafe { Box::from_raw(book) });
        return WX_OK;
    }
    code
}

/// Enters an order: `side` 0 buys, 1 sells; `ioc` 1 for immediate-or-cancel.
///
/// # Safety
/// As [`wx_flush`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wx_new(
    book: *const Handle,
    id: u64,
    side: u8,
    price: i64,
    quantity: u32,
    ioc: u8,
) -> i32 {
    let message = Message {
        id,
        price,
        quantity,
        kind: KIND_NEW,
        side,
        ioc,
        zero: 0,
    };
    // SAFETY: the caller's word.
    unsafe { enter(book, |inner| one(inner, message)) }
}

/// Takes an order off the book.
///
/// # Safety
/// As [`wx_flush`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wx_cancel(book: *const Handle, id: u64) -> i32 {
    let message = Message {
        id,
        price: 0,
        quantity: 0,
        kind: KIND_CANCEL,
        side: 0,
        ioc: 0,
        zero: 0,
    };
    // SAFETY: the caller's word.
    unsafe { enter(book, |inner| one(inner, message)) }
}

/// Gives an order another price and `quantity` open units.
///
/// # Safety
/// As [`wx_flush`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wx_modify(book: *const Handle, id: u64, price: i64, quantity: u32) -> i32 {
    let message = Message {
        id,
        price,
        quantity,
        kind: KIND_MODIFY,
        side: 0,
        ioc: 0,
        zero: 0,
    };
    // SAFETY: the caller's word.
    unsafe { enter(book, |inner| one(inner, message)) }
}

fn one(inner: &mut Inner, message: Message) -> Result<i32, i32> {
    inner.apply(&[message]);
    Ok(WX_OK)
}

/// Applies `count` messages in their order; later ones are looked at early only to warm caches.
///
/// # Safety
/// As [`wx_flush`]; `messages` is null or points to `count` messages.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wx_apply(
    book: *const Handle,
    messages: *const Message,
    count: usize,
) -> i32 {
    let work = |inner: &mut Inner| {
        if count == 0 {
            return Ok(WX_OK);
        }
        check(messages)?;
        if count > isize::MAX as usize / size_of::<Message>() {
            return Err(WX_INVALID);
        }
        // SAFETY: not null, aligned, of a possible size, and alive by the caller's word.
        inner.apply(unsafe { std::slice::from_raw_parts(messages, count) });
        Ok(WX_OK)
    };
    // SAFETY: the caller's word.
    unsafe { enter(book, work) }
}

/// Hands all reports that wait to the callback.
///
/// # Safety
/// `book` is null or came from [`wx_book_new`] and was not freed, and no other thread is in a call
/// with it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wx_flush(book: *const Handle) -> i32 {
    let work = |inner: &mut Inner| {
        deliver(&mut inner.waiting, inner.on, inner.context);
        Ok(WX_OK)
    };
    // SAFETY: the caller's word.
    unsafe { enter(book, work) }
}

/// Stores the best price of a side and its open units; `orders` is not counted (0).
///
/// # Safety
/// As [`wx_flush`]; `best` is null or points to a depth.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wx_best(book: *const Handle, side: u8, best: *mut Depth) -> i32 {
    let work = |inner: &mut Inner| {
        check(best)?;
        let (price, quantity) = inner.book.best(side_of(side)?).ok_or(WX_EMPTY)?;
        let found = Depth {
            price,
            quantity,
            orders: 0,
        };
        // SAFETY: not null, aligned, and writable by the caller's word.
        unsafe { *best = found };
        Ok(WX_OK)
    };
    // SAFETY: the caller's word.
    unsafe { enter(book, work) }
}

/// Stores what is open at a price. Walks the side: not for the timed part of a harness.
///
/// # Safety
/// As [`wx_flush`]; `depth` is null or points to a depth.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wx_depth_at(
    book: *const Handle,
    side: u8,
    price: i64,
    depth: *mut Depth,
) -> i32 {
    let work = |inner: &mut Inner| {
        check(depth)?;
        let found = inner.book.depth_at(side_of(side)?, price);
        // SAFETY: not null, aligned, and writable by the caller's word.
        unsafe { *depth = found };
        Ok(WX_OK)
    };
    // SAFETY: the caller's word.
    unsafe { enter(book, work) }
}

/// Stores the number of orders on the book.
///
/// # Safety
/// As [`wx_flush`]; `count` is null or points to a number.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wx_live_orders(book: *const Handle, count: *mut u32) -> i32 {
    let work = |inner: &mut Inner| {
        check(count)?;
        // SAFETY: not null, aligned, and writable by the caller's word.
        unsafe { *count = inner.book.live_orders() };
        Ok(WX_OK)
    };
    // SAFETY: the caller's word.
    unsafe { enter(book, work) }
}
