//! A login that proves a key without sending it.
//!
//! The server greets a connection with a number that it never used before; the client puts ten
//! letters where the password stands, which only who has the key can compute from that number. The
//! exact bytes are in `docs/sessions.md`.

use core::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use wire::trimmed;

use crate::order_entry::PASSWORD_LETTERS;

/// Bytes of a key.
pub const KEY_BYTES: usize = 32;

/// Bytes of the number in a greeting.
pub const NONCE_BYTES: usize = 12;

/// What the greeting's debug packet begins with; the number follows, two digits a byte.
const GREETING: &[u8; 10] = b"challenge ";

/// Bytes of the greeting's text.
pub(crate) const GREETING_BYTES: usize = GREETING.len() + 2 * NONCE_BYTES;

/// Letters of five bits, those of RFC 4648.
const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Bits of a letter.
const LETTER_BITS: usize = 5;

/// Bytes of the code that the letters are made of.
const CODE_BYTES: usize = 8;

const _: () = assert!(PASSWORD_LETTERS * LETTER_BITS <= 8 * CODE_BYTES);

/// What is encoded and decoded as hexadecimal digits.
const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// A secret that a user shares with the venue.
#[derive(Clone, PartialEq, Eq)]
pub struct Key([u8; KEY_BYTES]);

/// Nothing of it gets into a message.
impl fmt::Debug for Key {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("Key(..)")
    }
}

impl Key {
    /// A key of these bytes.
    #[must_use]
    pub const fn new(bytes: [u8; KEY_BYTES]) -> Self {
        Self(bytes)
    }

    /// Reads a key of 64 hexadecimal digits; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        read_digits(text.as_bytes()).map(Self)
    }

    /// The same digits.
    #[must_use]
    pub fn to_text(&self) -> String {
        self.0.iter().flat_map(|byte| digits(*byte)).collect()
    }

    /// What stands where the password would in the login of a user, as its fields have them, to
    /// who was greeted with a number.
    #[must_use]
    pub fn letters(
        &self,
        nonce: &[u8; NONCE_BYTES],
        user: &[u8; 6],
        session: &[u8; 10],
    ) -> [u8; PASSWORD_LETTERS] {
        let code = self.code(&[nonce, &plain(user), &plain(session)]);
        let bits = u64::from_be_bytes(code);
        std::array::from_fn(|at| {
            let shift = 8 * CODE_BYTES - LETTER_BITS * (at + 1);
            LETTERS[(bits >> shift) as usize % LETTERS.len()]
        })
    }

    /// The first bytes of HMAC-SHA256 over the pieces, one behind the other.
    fn code(&self, pieces: &[&[u8]]) -> [u8; CODE_BYTES] {
        // HMAC takes keys of any length: this cannot fail.
        let Ok(mut code) = Hmac::<Sha256>::new_from_slice(&self.0) else {
            return [0; CODE_BYTES];
        };
        pieces.iter().for_each(|piece| code.update(piece));
        let code = code.finalize().into_bytes();
        std::array::from_fn(|at| code[at])
    }
}

/// Numbers that nobody can tell beforehand, and none of them twice.
pub(crate) struct Nonces {
    seed: Key,
    count: u32,
}

const _: () = assert!(CODE_BYTES + size_of::<u32>() == NONCE_BYTES);

impl Nonces {
    /// Those of a seed that is used for nothing else, and never again.
    pub(crate) const fn new(seed: Key) -> Self {
        Self { seed, count: 0 }
    }

    /// The next one: a count, so that it is new, and a code, so that it cannot be guessed.
    pub(crate) fn take(&mut self, now_ns: u64) -> [u8; NONCE_BYTES] {
        self.count = self.count.wrapping_add(1);
        let count = self.count.to_be_bytes();
        let code = self.seed.code(&[&count, &now_ns.to_be_bytes()]);
        let mut nonce = [0; NONCE_BYTES];
        nonce[..CODE_BYTES].copy_from_slice(&code);
        nonce[CODE_BYTES..].copy_from_slice(&count);
        nonce
    }
}

/// The text of the greeting with a number.
pub(crate) fn greeting(nonce: &[u8; NONCE_BYTES]) -> [u8; GREETING_BYTES] {
    let number = nonce
        .iter()
        .flat_map(|byte| digits(*byte))
        .map(|it| it as u8);
    let mut letters = GREETING.iter().copied().chain(number);
    std::array::from_fn(|_| letters.next().unwrap_or(b' '))
}

/// The number of a greeting's text; `None` for any other text.
pub(crate) fn nonce_of(text: &[u8]) -> Option<[u8; NONCE_BYTES]> {
    read_digits(text.strip_prefix(GREETING)?)
}

/// A field's letters as the code takes them: capitals, with spaces behind.
fn plain<const N: usize>(field: &[u8; N]) -> [u8; N] {
    let mut letters = [b' '; N];
    let shown = trimmed(field);
    letters[..shown.len()].copy_from_slice(shown);
    letters.make_ascii_uppercase();
    letters
}

fn digits(byte: u8) -> [char; 2] {
    [byte >> 4, byte & 15].map(|half| char::from(DIGITS[usize::from(half)]))
}

fn read_digits<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    let (pairs, rest) = text.as_chunks::<2>();
    if pairs.len() != N || !rest.is_empty() {
        return None;
    }
    let mut bytes = [0; N];
    for (pair, byte) in pairs.iter().zip(&mut bytes) {
        let [high, low] = pair.map(|digit| char::from(digit).to_digit(16));
        *byte = (high? << 4 | low?) as u8;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::{Key, Nonces, greeting, nonce_of};

    /// Made by Python's hmac and base64: see docs/sessions.md.
    #[test]
    fn known_answers() {
        let key = Key::new(std::array::from_fn(|at| at as u8));
        let nonce = std::array::from_fn(|at| at as u8);
        for (nonce, user, session, letters) in [
            (nonce, b"ALPHA ", b"          ", b"E3J5645D76"),
            (nonce, b" alpha", b"          ", b"E3J5645D76"),
            (nonce, b"ALPHA ", b"2026112201", b"AWEG6E6UK7"),
            (nonce, b"ALPHA ", b"2026112201", b"AWEG6E6UK7"),
            ([255; 12], b"BRAVO6", b"          ", b"TGOMH3FAIY"),
        ] {
            assert_eq!(&key.letters(&nonce, user, session), letters);
        }
    }

    #[test]
    fn greetings_are_read_as_they_are_written_and_nothing_else_is() {
        let mut nonces = Nonces::new(Key::new([7; 32]));
        let (one, other) = (nonces.take(5), nonces.take(5));
        assert_ne!(one, other);
        assert_eq!(nonce_of(&greeting(&one)), Some(one));
        let text = b"challenge 000102030405060708090a0b";
        assert_eq!(nonce_of(text), Some(std::array::from_fn(|at| at as u8)));
        for wrong in [
            &b"challenge 000102030405060708090a0"[..],
            b"challenge 000102030405060708090a0b0c",
            b"challenge 000102030405060708090a0g",
            b"challenge  00102030405060708090a0b",
            b"hello",
            b"",
        ] {
            assert_eq!(nonce_of(wrong), None);
        }
    }

    #[test]
    fn a_key_is_64_digits_and_tells_nothing_of_itself() {
        let text = "00ff".repeat(16);
        let key = Key::parse(&text).expect("a key");
        assert_eq!(key.to_text(), text);
        assert_eq!(format!("{key:?}"), "Key(..)");
        assert_eq!(Key::parse(&text.to_uppercase()), Some(key));
        for wrong in [&text[1..], &format!("{text}0"), &text.replace('f', "g"), ""] {
            assert_eq!(Key::parse(wrong), None);
        }
    }
}
