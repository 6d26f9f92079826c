//! The rules for one Rust file.

use super::code::{code_of, has_word};
use super::table::{Room, Unsafe};

const LINES_MAX: usize = 500;
const COLUMNS_MAX: usize = 100;

/// Marks of unfinished work; spelled so that this file does not contain them.
const UNFINISHED: [&str; 2] = [concat!("FIX", "ME"), concat!("TO", "DO")];

/// Everything that is wrong with the file at `path`, each with its place.
///
/// `path` is from the root; `room` is the crate it is in, if it is in one of the table.
pub fn faults(path: &str, text: &str, room: Option<&Room>) -> Vec<String> {
    let mut faults = Vec::new();
    if !text.starts_with("//!") {
        faults.push(format!(
            "{path}:1: opens without `//!` saying what the file is for"
        ));
    }
    let lines = text.lines().count();
    if lines > LINES_MAX {
        faults.push(format!(
            "{path}: {lines} lines, no more than {LINES_MAX}: split it"
        ));
    }
    for (number, line) in (1..).zip(text.lines()) {
        let columns = line.chars().count();
        if columns > COLUMNS_MAX {
            faults.push(format!(
                "{path}:{number}: {columns} columns, no more than {COLUMNS_MAX}"
            ));
        }
        if let Some(mark) = UNFINISHED.into_iter().find(|mark| has_word(line, mark)) {
            faults.push(format!(
                "{path}:{number}: {mark}: finish it or say it in the docs"
            ));
        }
    }
    if let Some(room) = room {
        faults.extend(code_faults(path, text, room));
    }
    faults
}

fn code_faults(path: &str, text: &str, room: &Room) -> Vec<String> {
    let mut faults = Vec::new();
    let inside = path.strip_prefix(room.folder).unwrap_or(path);
    let is_source = inside.starts_with("/src/");
    let is_root = ["/src/lib.rs", "/src/main.rs"].contains(&inside);
    let code = code_of(text);
    let (opening, forbidden) = match room.unsafe_code {
        Unsafe::Forbidden => (Some("#![forbid(unsafe_code)]"), true),
        Unsafe::Only(file) => (Some("#![deny(unsafe_code)]"), inside != file),
        Unsafe::Allowed => (None, false),
    };
    if let Some(opening) = opening.filter(|opening| is_root && !code.contains(opening)) {
        faults.push(format!("{path}: lacks {opening}"));
    }
    // From here on a source file holds its tests, which may do what the code may not.
    let tests_at = text
        .lines()
        .position(|line| line.starts_with("#[cfg(test)]"));
    for (index, line) in code.lines().enumerate() {
        let place = format!("{path}:{}", index + 1);
        if forbidden && has_word(line, "unsafe") {
            faults.push(format!("{place}: unsafe code in a room that forbids it"));
        }
        if !room.atomics && (line.contains("sync::atomic") || line.contains("AtomicU")) {
            faults.push(format!("{place}: atomics belong in `queue` and `af_xdp`"));
        }
        if is_source && tests_at.is_none_or(|start| index < start) {
            let banned = room.banned.iter().filter(|banned| has_word(line, banned));
            faults.extend(banned.map(|b| format!("{place}: `{b}` in a room that bans it")));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::super::table::ROOMS;
    use super::*;

    fn room(folder: &str) -> &'static Room {
        ROOMS.iter().find(|room| room.folder == folder).unwrap()
    }

    fn found(path: &str, text: &str, folder: &str) -> String {
        faults(path, text, Some(room(folder))).join("\n")
    }

    #[test]
    fn a_clean_file_has_no_faults() {
        let text =
            "//! What it is for.\n\n#![forbid(unsafe_code)]\n\n// unsafe std::time\nfn a() {}\n";
        assert_eq!(found("wire/src/lib.rs", text, "wire"), "");
        let text = "//! a\nunsafe {}\n";
        assert_eq!(
            found("engine/matching/src/prefetch.rs", text, "engine/matching"),
            ""
        );
    }

    #[test]
    fn each_rule_finds_its_fault() {
        let long = format!("//! a\n// {}\n", "x".repeat(98));
        let many = format!("//! a\n{}", "\n".repeat(500));
        let mark = format!("//! a\n// {}: later\n", UNFINISHED[1]);
        let cases = [
            (
                "wire/src/a.rs",
                "fn a() {}\n",
                "wire",
                "wire/src/a.rs:1: opens without",
            ),
            (
                "wire/src/a.rs",
                &long,
                "wire",
                "wire/src/a.rs:2: 101 columns",
            ),
            ("wire/src/a.rs", &many, "wire", "501 lines"),
            ("wire/src/a.rs", &mark, "wire", "wire/src/a.rs:2: "),
            ("wire/src/lib.rs", "//! a\n", "wire", "lacks #![forbid"),
            (
                "wire/tests/a.rs",
                "//! a\nunsafe {}\n",
                "wire",
                "wire/tests/a.rs:2: unsafe",
            ),
            (
                "engine/matching/src/a.rs",
                "//! a\nunsafe {}\n",
                "engine/matching",
                "engine/matching/src/a.rs:2: unsafe",
            ),
            (
                "engine/matching/src/lib.rs",
                "//! a\n",
                "engine/matching",
                "lacks #![deny",
            ),
            (
                "nic/src/a.rs",
                "//! a\nuse std::sync::atomic::X;\n",
                "nic",
                "atomics belong",
            ),
            (
                "flow/src/a.rs",
                "//! a\nuse std::time::Instant;\n",
                "flow",
                "`std::time`",
            ),
            (
                "engine/matching/src/a.rs",
                "//! a\nlet a: f64;\n",
                "engine/matching",
                "`f64`",
            ),
        ];
        for (path, text, folder, fault) in cases {
            let found = found(path, text, folder);
            assert!(found.contains(fault), "{path}: {fault} not in {found:?}");
            assert_eq!(found.lines().count(), 1, "{found}");
        }
    }

    #[test]
    fn tests_may_do_what_the_code_may_not() {
        let text = "//! a\nfn a() {}\n#[cfg(test)]\nmod tests {\n    use std::time::Instant;\n}\n";
        assert_eq!(found("flow/src/a.rs", text, "flow"), "");
        assert_eq!(
            found(
                "flow/tests/a.rs",
                "//! a\nuse std::time::Instant;\n",
                "flow"
            ),
            ""
        );
        assert_eq!(
            found(
                "queue/src/a.rs",
                "//! a\nuse std::sync::atomic::X;\n",
                "queue"
            ),
            ""
        );
    }
}
