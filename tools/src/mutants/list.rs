//! What is broken in turn: every ordering of the algorithms, found by reading them, and faults of
//! logic, which suites list.

use super::suite::{Fault, Suite};

/// One way to break a file.
#[derive(Debug, PartialEq, Eq)]
pub struct Mutant {
    pub name: String,
    /// Which file, from the root.
    pub file: &'static str,
    /// The whole file, broken.
    pub text: String,
}

/// Every mutant of one file of a suite.
///
/// # Errors
/// When a listed fault does not apply: the file changed, and so must the list.
pub fn of_file(suite: &Suite, file: &'static str, text: &str) -> Result<Vec<Mutant>, String> {
    let mut mutants = Vec::new();
    if suite.has_orderings {
        mutants = orderings(file, text);
    }
    let faults: &[Fault] = suite.faults;
    for fault in faults.iter().filter(|fault| fault.file == file) {
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
    use super::super::suite::SUITES;
    use super::*;

    const RING: &str = "queue/src/ring.rs";

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
        for suite in SUITES {
            for file in suite.files() {
                let text = std::fs::read_to_string(crate::command::root().join(file)).unwrap();
                let mutants = of_file(suite, file, &text).unwrap();
                assert!(mutants.iter().all(|mutant| mutant.text != text), "{file}");
                assert!(!mutants.is_empty(), "{file} has no mutant");
            }
        }
    }

    #[test]
    fn a_fault_that_does_not_apply_is_an_error() {
        assert!(
            of_file(SUITES[0], RING, "fn nothing() {}\n")
                .unwrap_err()
                .contains("0 times")
        );
    }
}
