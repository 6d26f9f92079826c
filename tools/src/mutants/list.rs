//! What is broken in turn: every ordering of the algorithms, found by reading them, and faults of
//! logic, listed here.

/// The files whose lines are mutated, from the root.
pub const FILES: &[&str] = &[
    "queue/src/ring.rs",
    "queue/src/gather.rs",
    "queue/src/snapshot.rs",
];

/// One way to break a file.
#[derive(Debug, PartialEq, Eq)]
pub struct Mutant {
    pub name: String,
    /// Which of [`FILES`].
    pub file: &'static str,
    /// The whole file, broken.
    pub text: String,
}

/// A fault of logic: a piece of text that stands in the file exactly once, and what takes its
/// place.
struct Fault {
    name: &'static str,
    file: &'static str,
    find: &'static str,
    replace: &'static str,
}

const RING: &str = FILES[0];
const GATHER: &str = FILES[1];
const SNAPSHOT: &str = FILES[2];

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

/// Every mutant of one file.
///
/// # Errors
/// When a listed fault does not apply: the file changed, and so must the list.
pub fn of_file(file: &'static str, text: &str) -> Result<Vec<Mutant>, String> {
    let mut mutants = orderings(file, text);
    for fault in FAULTS.iter().filter(|fault| fault.file == file) {
        let times = text.matches(fault.find).count();
        if times != 1 {
            return Err(format!(
                "{file}: the text of mutant `{}` is there {times} times",
                fault.name
            ));
        }
        let broken = text.replace(fault.find, fault.replace);
        mutants.push(Mutant {
            name: fault.name.to_owned(),
            file,
            text: broken,
        });
    }
    Ok(mutants)
}

/// Each acquire and release weakened to relaxed; a fence, which cannot be relaxed, is left out.
fn orderings(file: &'static str, text: &str) -> Vec<Mutant> {
    let mut mutants = Vec::new();
    let mut function = "";
    for (index, line) in text.lines().enumerate() {
        let code = line.split("//").next().unwrap_or_default();
        if let Some(name) = code.split("fn ").nth(1) {
            function = name.split(['(', '<']).next().unwrap_or_default();
        }
        for order in ["Acquire", "Release"] {
            let full = format!("Ordering::{order}");
            if !code.contains(&full) {
                continue;
            }
            let fence = code.contains("fence(");
            let weaker = if fence {
                String::new()
            } else {
                line.replace(&full, "Ordering::Relaxed")
            };
            let what = if fence {
                "fence left out"
            } else {
                "made relaxed"
            };
            let name = format!("{function}, line {}: {order} {what}", index + 1);
            mutants.push(Mutant {
                name,
                file,
                text: with_line(text, index, &weaker),
            });
        }
    }
    mutants
}

fn with_line(text: &str, index: usize, line: &str) -> String {
    let lines = text.lines().enumerate();
    lines
        .map(|(at, old)| if at == index { line } else { old })
        .collect::<Vec<_>>()
        .join("\n")
        + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orderings_are_found_and_weakened() {
        let text = "fn a() {\n    // Release: why\n    x.store(1, Ordering::Release); // Acquire\n\
                    }\nfn b<T>() {\n    M::fence(Ordering::Acquire);\n    \
                    y.load(Ordering::Relaxed)\n}\n";
        let mutants = orderings(RING, text);
        let names: Vec<_> = mutants.iter().map(|mutant| mutant.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "a, line 3: Release made relaxed",
                "b, line 6: Acquire fence left out"
            ]
        );
        assert!(mutants[0].text.contains("x.store(1, Ordering::Relaxed);"));
        assert!(!mutants[1].text.contains("fence"));
    }

    #[test]
    fn every_listed_fault_applies_to_the_sources() {
        for file in FILES {
            let text = std::fs::read_to_string(crate::command::root().join(file)).unwrap();
            let mutants = of_file(file, &text).unwrap();
            assert!(mutants.iter().all(|mutant| mutant.text != text), "{file}");
            assert!(mutants.len() > 1, "{file}: {} mutants", mutants.len());
        }
    }

    #[test]
    fn a_fault_that_does_not_apply_is_an_error() {
        assert!(
            of_file(RING, "fn nothing() {}\n")
                .unwrap_err()
                .contains("0 times")
        );
    }
}
