//! Loom's atomics as the memory of a ring and of a snapshot, and the runner that counts.

use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicU64, fence};
use queue::{RingMemory, SnapshotMemory};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Orders of events tried with at most this many preemptions of a thread.
const PREEMPTIONS: usize = 3;

/// A model that explores no more than this explores nothing.
const EXECUTIONS_MIN: usize = 100;

/// Runs a model, prints how many executions it explored and demands that they are many.
///
/// `forbidden` says in words what the model would catch.
///
/// # Panics
/// When the model fails, or explores too little.
pub fn explore(name: &str, forbidden: &str, model: impl Fn() + Sync + Send + 'static) {
    let executions = std::sync::Arc::new(AtomicUsize::new(0));
    let counted = std::sync::Arc::clone(&executions);
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(PREEMPTIONS);
    builder.check(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        model();
    });
    let executions = executions.load(Ordering::Relaxed);
    println!("{name}: {executions} executions; never: {forbidden}");
    assert!(
        executions > EXECUTIONS_MIN,
        "{name} explored only {executions} executions"
    );
}

/// A word of loom's.
pub struct Word {
    word: AtomicU64,
    /// How many stores its writer still lives for; not part of what loom explores.
    stores_left: std::sync::Arc<AtomicUsize>,
    /// Stores are swaps, whose values nobody looks at. Loom knows no order between a store and
    /// another thread's read-modify-write, and so lets the latter undo the former, which the
    /// language forbids; between two of these it knows one.
    touched: bool,
}

impl Word {
    fn new() -> Self {
        Self::mortal(&std::sync::Arc::new(AtomicUsize::new(usize::MAX)))
    }

    /// A word that is touched by one thread while another one stores to it.
    fn touched() -> Self {
        Self {
            touched: true,
            ..Self::new()
        }
    }

    fn mortal(stores_left: &std::sync::Arc<AtomicUsize>) -> Self {
        Self {
            word: AtomicU64::new(0),
            stores_left: std::sync::Arc::clone(stores_left),
            touched: false,
        }
    }
}

impl queue::Word for Word {
    fn load(&self, order: Ordering) -> u64 {
        self.word.load(order)
    }

    fn store(&self, value: u64, order: Ordering) {
        let left = self.stores_left.load(Ordering::Relaxed);
        if left == 0 {
            return;
        }
        if left < usize::MAX {
            self.stores_left.store(left - 1, Ordering::Relaxed);
        }
        if self.touched {
            self.word.swap(value, order);
        } else {
            self.word.store(value, order);
        }
    }

    fn touch(&self) {
        self.word.fetch_or(0, Ordering::Relaxed);
    }
}

/// A slot: its sequence, and stamp and body in a cell.
struct Slot {
    sequence: Word,
    message: UnsafeCell<(u64, u64)>,
}

impl Slot {
    fn new() -> Self {
        Self {
            sequence: Word::touched(),
            message: UnsafeCell::new((0, 0)),
        }
    }
}

/// The memory of a ring. Bodies are cells whose every access loom checks for races.
#[derive(Clone)]
pub struct Ring {
    slots: Arc<Vec<Slot>>,
    credit: Arc<Word>,
    credit_step: u64,
}

impl Ring {
    /// `credit_step` is a parameter here: a quarter of a ring small enough for loom is one slot.
    #[must_use]
    pub fn new(depth: usize, credit_step: u64) -> Self {
        let slots = (0..depth).map(|_| Slot::new()).collect();
        Self {
            slots: Arc::new(slots),
            credit: Arc::new(Word::new()),
            credit_step,
        }
    }
}

impl RingMemory<u64> for Ring {
    type Word = Word;

    fn depth(&self) -> u64 {
        self.slots.len() as u64
    }

    fn credit_step(&self) -> u64 {
        self.credit_step
    }

    fn sequence(&self, slot: usize) -> &Word {
        &self.slots[slot].sequence
    }

    fn credit(&self) -> &Word {
        &self.credit
    }

    fn body_write(&self, slot: usize, stamp: u64, body: &u64) {
        // SAFETY: loom fails the model if anyone else has access to the cell meanwhile.
        self.slots[slot]
            .message
            .with_mut(|cell| unsafe { *cell = (stamp, *body) });
    }

    fn body_read(&self, slot: usize) -> (u64, u64) {
        // SAFETY: loom fails the model if anyone else writes the cell meanwhile.
        self.slots[slot].message.with(|cell| unsafe { *cell })
    }

    fn take_over(&self, slot: usize) {
        let held = self.body_read(slot);
        // SAFETY: loom fails the model if anyone else has access to the cell meanwhile.
        self.slots[slot]
            .message
            .with_mut(|cell| unsafe { *cell = held });
    }
}

/// The memory of a snapshot of two words.
#[derive(Clone)]
pub struct Snapshot {
    version: Arc<Word>,
    words: Arc<Vec<Word>>,
    stores_left: std::sync::Arc<AtomicUsize>,
}

impl Snapshot {
    /// New memory, all zero.
    #[must_use]
    #[allow(clippy::new_without_default)] // Loom's atomics exist only inside a model.
    pub fn new() -> Self {
        let stores_left = std::sync::Arc::new(AtomicUsize::new(usize::MAX));
        let words = (0..2).map(|_| Word::mortal(&stores_left)).collect();
        let version = Arc::new(Word::mortal(&stores_left));
        Self {
            version,
            words: Arc::new(words),
            stores_left,
        }
    }

    /// From now on `stores` stores take effect and then none: the writer is dead.
    /// `usize::MAX` lets a writer live again.
    pub fn die_after(&self, stores: usize) {
        self.stores_left.store(stores, Ordering::Relaxed);
    }
}

impl SnapshotMemory for Snapshot {
    type Word = Word;

    fn version(&self) -> &Word {
        &self.version
    }

    fn words(&self) -> &[Word] {
        &self.words
    }

    fn fence(order: Ordering) {
        fence(order);
    }
}
