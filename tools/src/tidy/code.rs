//! The code of a Rust file without its comments and the insides of its strings.

/// Blanks comments, strings and character literals; line breaks stay, so that lines keep their
/// numbers.
pub fn code_of(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = token_length(rest, code.chars().next_back());
        let (token, after) = rest.split_at(length.max(first.len_utf8()));
        if length == 0 {
            code.push(first);
        } else {
            code.extend(token.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        }
        rest = after;
    }
    code
}

/// Bytes of the comment or literal that `text` begins with; 0 if it begins with none.
fn token_length(text: &str, before: Option<char>) -> usize {
    if text.starts_with("//") {
        return text.find('\n').unwrap_or(text.len());
    }
    if text.starts_with("/*") {
        return block_comment_length(text);
    }
    if text.starts_with('"') {
        return string_length(text);
    }
    if text.starts_with('\'') {
        return character_length(text);
    }
    let in_word = before.is_some_and(|c| c.is_alphanumeric() || c == '_');
    if in_word { 0 } else { raw_string_length(text) }
}

fn block_comment_length(text: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < text.len() {
        let rest = &text.as_bytes()[at..];
        if rest.starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    text.len()
}

fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// `'x'` and `'\n'` are literals, `'a` in `&'a str` is not.
fn character_length(text: &str) -> usize {
    let mut characters = text.char_indices().skip(1);
    match characters.next() {
        Some((_, '\\')) => {
            let escaped = characters
                .next()
                .map_or(text.len(), |(at, c)| at + c.len_utf8());
            text[escaped..]
                .find('\'')
                .map_or(0, |end| escaped + end + 1)
        }
        Some((at, character)) => {
            let end = at + character.len_utf8();
            if text[end..].starts_with('\'') {
                end + 1
            } else {
                0
            }
        }
        None => 0,
    }
}

/// `r"..."`, `r#"..."#`, with or without a `b` or `c` before.
fn raw_string_length(text: &str) -> usize {
    let prefix = text.strip_prefix(['b', 'c']).unwrap_or(text);
    let Some(hashes_on) = prefix.strip_prefix('r') else {
        return 0;
    };
    let hashes = hashes_on.len() - hashes_on.trim_start_matches('#').len();
    if !hashes_on[hashes..].starts_with('"') {
        return 0;
    }
    let start = text.len() - hashes_on.len() + hashes + 1;
    let end = format!("\"{}", "#".repeat(hashes));
    text[start..]
        .find(&end)
        .map_or(text.len(), |at| start + at + end.len())
}

/// Whether `word` stands in `code`, not as a part of a longer word.
pub fn has_word(code: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word).any(|(at, _)| {
        let before = code[..at].chars().next_back().is_some_and(part);
        let opens = word.chars().next().is_some_and(part);
        let after = code[at + word.len()..].chars().next().is_some_and(part);
        let closes = word.chars().next_back().is_some_and(part);
        !(before && opens || after && closes)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_code_is_left() {
        let cases = [
            ("let a = 1; // unsafe\nb", "let a = 1;          \nb"),
            ("a /* x /* y */ z */ b", "a                   b"),
            (r#"f("un\"safe", 'x')"#, "f(          ,    )"),
            (r"f('\'', '\u{1F}', b'\\')", "f(    ,         , b    )"),
            ("fn f<'a>(x: &'a str) {}", "fn f<'a>(x: &'a str) {}"),
            ("r#\"a \" // b\"# c", "              c"),
            ("var\"x\" br\"y\"", "var         "),
            ("/* never ends", "             "),
            ("\"never ends", "           "),
            ("'ü' é", "    é"),
        ];
        for (text, code) in cases {
            let found = code_of(text);
            assert_eq!(found.trim_end(), code.trim_end(), "{text}");
        }
    }

    #[test]
    fn words_are_whole() {
        assert!(has_word("unsafe {", "unsafe") && has_word("(unsafe)", "unsafe"));
        assert!(!has_word("unsafe_code", "unsafe") && !has_word("myf64x", "f64"));
        assert!(has_word("Vec::new()", "Vec::") && !has_word("ArrayVec::new()", "Vec::"));
    }
}
