//! Patterns of keys: `*` is any run of bytes, `?` any one, `\` takes the next as it stands.

/// Whether a key is meant by a pattern.
pub(crate) fn matches(pattern: &[u8], key: &[u8]) -> bool {
    let (mut at, mut from) = (0, 0);
    // Where the last `*` stands, and how far it reaches until now.
    let mut star: Option<(usize, usize)> = None;
    loop {
        let step = match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, from));
                at += 1;
                continue;
            }
            None if from == key.len() => return true,
            None => None,
            Some(b'?') => (from < key.len()).then_some(1),
            Some(b'\\') if at + 1 < pattern.len() => {
                (key.get(from) == Some(&pattern[at + 1])).then_some(2)
            }
            Some(byte) => (key.get(from) == Some(byte)).then_some(1),
        };
        match (step, star) {
            (Some(length), _) => {
                at += length;
                from += 1;
            }
            // The star takes one byte more.
            (None, Some((place, reach))) if reach < key.len() => {
                star = Some((place, reach + 1));
                at = place + 1;
                from = reach + 1;
            }
            _ => return false,
        }
    }
}

/// The same pattern as Redis reads it, which knows `[` as well.
pub(crate) fn for_redis(pattern: &str) -> String {
    let mut text = String::with_capacity(pattern.len());
    let mut is_escaped = false;
    for letter in pattern.chars() {
        if matches!(letter, '[' | ']') && !is_escaped {
            text.push('\\');
        }
        is_escaped = letter == '\\' && !is_escaped;
        text.push(letter);
    }
    // A lone one at the end stands for itself.
    if is_escaped {
        text.push('\\');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_mean_what_they_say() {
        for (pattern, key, is_meant) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("*", "anything", true),
            ("bars:*", "bars:AAPL:60", true),
            ("bars:*", "bar:AAPL", false),
            ("bars:*:60", "bars:AAPL:60:60", true),
            ("bars:*:60", "bars:AAPL:600", false),
            ("*:60", "bars:60:6", false),
            ("b?rs", "bars", true),
            ("b?rs", "brs", false),
            ("a\\*", "a*", true),
            ("a\\*", "ab", false),
            ("a\\", "a\\", true),
            ("[ab]", "a", false),
            ("[ab]", "[ab]", true),
            ("*a*b*c*", "xxaxxbxxcxx", true),
            ("*a*b*c*", "xxaxxcxxbxx", false),
        ] {
            let found = matches(pattern.as_bytes(), key.as_bytes());
            assert_eq!(found, is_meant, "{pattern:?} {key:?}");
        }
        assert_eq!(for_redis("a[b]\\[*\\"), "a\\[b\\]\\[*\\\\");
    }

    #[test]
    fn a_pattern_of_stars_takes_no_time() {
        let pattern = "*a".repeat(64) + "b";
        assert!(!matches(pattern.as_bytes(), &[b'a'; 1_024]));
    }
}
