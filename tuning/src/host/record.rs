//! Recorded hosts: one text that holds many files, and how such files take a write.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

/// What a line begins with that names the next file.
const MARK: &str = "=== ";

/// Makes one text of many files; a path that ends with `/` is a folder.
#[must_use]
pub fn pack(files: &BTreeMap<String, String>) -> String {
    let mut text = String::new();
    for (path, content) in files {
        text.push_str(&format!("{MARK}{path}\n"));
        if !path.ends_with('/') {
            text.push_str(&format!("{}\n", content.trim_end()));
        }
    }
    text
}

/// Lays the files of a packed text under `root`.
///
/// # Errors
/// A path leads out of `root`, or as of the system.
pub fn unpack(text: &str, root: &Path) -> io::Result<()> {
    let mut rest = text;
    while let Some(start) = rest.find(MARK) {
        let after = &rest[start + MARK.len()..];
        let (path, content) = after.split_once('\n').unwrap_or((after, ""));
        let end = content.find(&format!("\n{MARK}"));
        // The file may also be empty, and the next mark follows at once.
        let end = if content.starts_with(MARK) {
            Some(0)
        } else {
            end.map(|at| at + 1)
        };
        let (content, next) = content.split_at(end.unwrap_or(content.len()));
        if !path.starts_with('/') || path.split('/').any(|part| part == "..") {
            return Err(io::Error::other(format!("{path}: not below the root")));
        }
        let place = root.join(path.trim_start_matches('/'));
        rest = next;
        if path.ends_with('/') {
            fs::create_dir_all(place)?;
            continue;
        }
        fs::create_dir_all(place.parent().unwrap_or(root))?;
        fs::write(place, content)?;
    }
    Ok(())
}

/// What a file of the kernel that said `old` says after `value` was written to it.
pub(super) fn as_kernel(path: &str, old: &str, value: &str) -> String {
    if path.ends_with("/cgroup.subtree_control") {
        return words_changed(old, value);
    }
    let is_choice = old.contains('[') && !value.contains('[');
    if !is_choice {
        return format!("{value}\n");
    }
    let words = old.split_whitespace().map(|word| {
        let plain = word.trim_matches(['[', ']']);
        if plain == value {
            format!("[{plain}]")
        } else {
            plain.to_owned()
        }
    });
    words.collect::<Vec<_>>().join(" ") + "\n"
}

/// `+word` adds and `-word` takes away.
fn words_changed(old: &str, value: &str) -> String {
    let mut words: Vec<&str> = old.split_whitespace().collect();
    for change in value.split_whitespace() {
        let (sign, word) = change.split_at(1);
        words.retain(|present| *present != word);
        if sign == "+" {
            words.push(word);
        }
    }
    words.join(" ") + "\n"
}

/// The files that the kernel puts into a new control group, as far as stages write them.
pub(super) fn fill_group(place: &Path, path: &str) -> io::Result<()> {
    let files: &[(&str, &str)] = if path.starts_with("/sys/fs/cgroup/cpuset/") {
        &[
            ("cpuset.cpus", "\n"),
            ("cpuset.mems", "\n"),
            ("cpuset.cpu_exclusive", "0\n"),
            ("cpuset.sched_load_balance", "1\n"),
        ]
    } else if path.starts_with("/sys/fs/cgroup/") {
        &[
            ("cpuset.cpus", "\n"),
            ("cpuset.cpus.exclusive", "\n"),
            ("cpuset.cpus.partition", "member\n"),
        ]
    } else {
        &[]
    };
    for (name, text) in files {
        fs::write(place.join(name), text)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_comes_back() {
        let files: BTreeMap<String, String> = [
            ("/a/b", "one\ntwo\n"),
            ("/a/empty", "\n"),
            ("/c", "three === four\n"),
            ("/folder/", ""),
        ]
        .map(|(path, text)| (path.to_owned(), text.to_owned()))
        .into();
        let folder = tempfile::tempdir().unwrap();
        unpack(&pack(&files), folder.path()).unwrap();
        assert!(folder.path().join("folder").is_dir());
        for (path, text) in files.iter().filter(|(path, _)| !path.ends_with('/')) {
            let found = fs::read_to_string(folder.path().join(&path[1..])).unwrap();
            assert_eq!(&found, text, "{path}");
        }
        assert!(unpack("=== /../x\n1\n", folder.path()).is_err());
    }

    #[test]
    fn files_take_writes_as_the_kernel_would() {
        let cases = [
            ("/x", "3\n", "1", "1\n"),
            (
                "/x",
                "always [madvise] never\n",
                "never",
                "always madvise [never]\n",
            ),
            (
                "/g/cgroup.subtree_control",
                "cpu io\n",
                "+cpuset",
                "cpu io cpuset\n",
            ),
            (
                "/g/cgroup.subtree_control",
                "cpu cpuset\n",
                "-cpuset",
                "cpu\n",
            ),
        ];
        for (path, old, value, new) in cases {
            assert_eq!(as_kernel(path, old, value), new);
        }
    }
}
