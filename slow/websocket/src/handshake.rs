//! The headers by which a connection becomes one of WebSocket.

use sha1::{Digest, Sha1};

/// What RFC 6455 appends to a key.
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The answer to a client's `Sec-WebSocket-Key`; none if that is not 16 bytes as base64.
#[must_use]
pub fn accept_key(key: &str) -> Option<String> {
    let digits = key.strip_suffix("==")?;
    let is_key = digits.len() == 22 && digits.bytes().all(|letter| LETTERS.contains(&letter));
    is_key.then(|| {
        let mut hash = Sha1::new();
        hash.update(key);
        hash.update(GUID);
        base64(&hash.finalize())
    })
}

fn base64(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let mut three = [0; 3];
        three[..chunk.len()].copy_from_slice(chunk);
        let bits = u32::from_be_bytes([0, three[0], three[1], three[2]]);
        for digit in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * digit) & 63) as usize];
            text.push(if digit <= chunk.len() {
                letter.into()
            } else {
                '='
            });
        }
    }
    text
}

/// Whether a `Sec-WebSocket-Extensions` has an offer of permessage-deflate that [`crate::DEFLATE`]
/// answers: one that does not ask the server for a smaller window than it has.
#[must_use]
pub fn is_deflate_offered(extensions: &str) -> bool {
    extensions.split(',').any(is_answerable)
}

fn is_answerable(offer: &str) -> bool {
    let mut words = offer.split(';').map(str::trim);
    if words.next() != Some("permessage-deflate") {
        return false;
    }
    let mut seen = Vec::new();
    words.all(|word| {
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name.trim(), Some(value.trim().trim_matches('"'))),
            None => (word, None),
        };
        let is_new = !seen.contains(&name);
        seen.push(name);
        let bits = value.and_then(|value| value.parse::<u8>().ok());
        is_new
            && match name {
                "server_no_context_takeover" | "client_no_context_takeover" => value.is_none(),
                "client_max_window_bits" => {
                    value.is_none() || bits.is_some_and(|bits| (8..=15).contains(&bits))
                }
                // Our compressor looks back as far as it likes.
                "server_max_window_bits" => bits == Some(15),
                _ => false,
            }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_the_standard_is_answered_as_there() {
        let answer = accept_key("dGhlIHNhbXBsZSBub25jZQ==");
        assert_eq!(answer.as_deref(), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    }

    #[test]
    fn what_is_no_key_is_not_answered() {
        for key in [
            "",
            "dGhlIHNhbXBsZSBub25jZQ=",
            "dGhlIHNhbXBsZSBub25jZ===",
            "\n",
        ] {
            assert_eq!(accept_key(key), None, "{key:?}");
        }
        assert_eq!(accept_key("dGhlIHNhbXBsZSBub25j\u{e9}=="), None);
    }

    #[test]
    fn offers_are_taken_as_far_as_they_can_be_kept() {
        for (offer, is_taken) in [
            ("permessage-deflate", true),
            ("permessage-deflate; client_max_window_bits", true),
            (
                "permessage-deflate; client_max_window_bits=9; server_no_context_takeover",
                true,
            ),
            ("permessage-deflate; server_max_window_bits=15", true),
            ("permessage-deflate; server_max_window_bits=\"15\"", true),
            ("permessage-deflate; server_max_window_bits=10", false),
            (
                "permessage-deflate; server_max_window_bits=10, permessage-deflate",
                true,
            ),
            ("permessage-deflate; client_max_window_bits=7", false),
            (
                "permessage-deflate; client_max_window_bits; client_max_window_bits",
                false,
            ),
            ("permessage-deflate; server_no_context_takeover=1", false),
            ("permessage-deflate; and=more", false),
            ("x-webkit-deflate-frame", false),
            ("", false),
        ] {
            assert_eq!(is_deflate_offered(offer), is_taken, "{offer}");
        }
    }
}
