//! Mutants of the rings and seqlocks, judged by the loom models.

use super::suite::{Fault, Suite, Trial};

const RING: &str = "queue/src/ring.rs";
const GATHER: &str = "queue/src/gather.rs";
const WAIT: &str = "queue/src/wait.rs";
const SNAPSHOT: &str = "queue/src/snapshot.rs";

pub const SUITE: Suite = Suite {
    name: "rings",
    packages: &["queue", "loom-tests"],
    folders: &[],
    has_orderings: true,
    has_switches: false,
    faults: FAULTS,
    trials: &[Trial {
        build: &["test", "--quiet", "-p", "loom-tests", "--tests", "--no-run"],
        run: &[
            "test",
            "--quiet",
            "-p",
            "loom-tests",
            "--tests",
            "--no-fail-fast",
            "--",
            "--nocapture",
            "--test-threads=1",
        ],
        program: None,
    }],
};

const FAULTS: &[Fault] = &[
    Fault {
        name: "a ring holds one message too many",
        file: RING,
        find: "            self.credit_refresh();
            if self.put - self.credit == self.memory.depth() {",
        replace: "            self.credit_refresh();
            if self.put - self.credit == self.memory.depth() + 1 {",
    },
    Fault {
        name: "the first slot of a batch gets its number at once",
        file: RING,
        find: "if self.put != self.published {",
        replace: "if self.put >= self.published {",
    },
    Fault {
        name: "the first slot of a batch never gets its number",
        file: RING,
        find: "let first = self.published + 1;",
        replace: "let first = self.put;",
    },
    Fault {
        name: "the slot gets its number before its body",
        file: RING,
        find: "let number = self.put + 1;",
        replace: "let number = self.put + 1;
        word_of(&self.memory, number).store(number, Ordering::Release);",
    },
    Fault {
        name: "a new writer begins at the credit",
        file: RING,
        find: "            head += 1;
",
        replace: "            head += 0;
            break;
",
    },
    Fault {
        name: "a new writer leaves the dead one's batch",
        file: RING,
        find: "if number_in_slot(&memory, number) == number {",
        replace: "if false {",
    },
    Fault {
        name: "a new writer believes the ring empty",
        file: RING,
        find: "            published: head,
            credit,",
        replace: "            published: head,
            credit: head,",
    },
    Fault {
        name: "the reader takes any number for its own",
        file: RING,
        find: ".load(Ordering::Acquire) != number {",
        replace: ".load(Ordering::Acquire) == 0 {",
    },
    Fault {
        name: "the reader gives back one slot too many",
        file: RING,
        find: "store(self.taken, Ordering::Release);",
        replace: "store(self.taken + 1, Ordering::Release);",
    },
    Fault {
        name: "the reader gives a slot back before it looks at it",
        file: RING,
        find: "        self.seen = number;
",
        replace: "        self.seen = number;
        self.memory.credit().store(number, Ordering::Release);
",
    },
    Fault {
        name: "the reader writes to a slot that it gave back",
        file: RING,
        find: "    fn credit_return(&mut self) {
        self.take_over();
",
        replace: "    fn credit_return(&mut self) {
",
    },
    Fault {
        name: "the reader gives nothing back",
        file: RING,
        find: "if self.taken - self.credited >= self.memory.credit_step() {",
        replace: "if false {",
    },
    Fault {
        name: "a new reader begins at the first message",
        file: RING,
        find: "load(Ordering::Relaxed).min(NUMBER_MAX);",
        replace: "load(Ordering::Relaxed).min(0);",
    },
    Fault {
        name: "a reader of a stream waits for more whatever comes",
        file: GATHER,
        find: "self.ahead = (self.ahead / 2).max(1);",
        replace: "",
    },
    Fault {
        name: "a reader of a stream takes a filled slot for the next message",
        file: GATHER,
        find: "self.look_at(next) else",
        replace: "self.look_at(end) else",
    },
    Fault {
        name: "a waiting reader writes to the slot after the next in two steps",
        file: WAIT,
        find: "word_of(&self.memory, number + 1).touch();",
        replace: "let word = word_of(&self.memory, number + 1);
            let held = word.load(std::sync::atomic::Ordering::Relaxed);
            word.store(held, std::sync::atomic::Ordering::Relaxed);",
    },
    Fault {
        name: "the version is not made odd",
        file: SNAPSHOT,
        find: "self.memory.version().store(version_odd, Ordering::Relaxed);",
        replace: "",
    },
    Fault {
        name: "a reader does not mind an odd version",
        file: SNAPSHOT,
        find: "if before & 1 == 1 {",
        replace: "if false {",
    },
    Fault {
        name: "a reader does not look at the version again",
        file: SNAPSHOT,
        find: "(before == after).then_some(value)",
        replace: "(after == after).then_some(value)",
    },
    Fault {
        name: "a new writer takes an odd version for even",
        file: SNAPSHOT,
        find: "left.wrapping_add(left & 1)",
        replace: "left",
    },
];
