//! Where a request stands among those of other programs: Trace Context of the W3C, its header
//! `traceparent` in version 00.

use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::BuildHasher;

/// The flag of a trace that somebody keeps.
const SAMPLED: u8 = 1;

/// Letters of a header of version 00.
const HEADER_LETTERS: usize = 55;

/// A trace, and the span in it that is ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trace {
    pub(crate) id: u128,
    pub(crate) span: u64,
    /// The caller's span.
    pub(crate) parent: Option<u64>,
    pub(crate) is_sampled: bool,
}

impl Trace {
    /// That of a request with such a header, if it has one, or one that begins here where spans
    /// are exported. A header that makes no sense counts as none, as the W3C will have it.
    #[must_use]
    pub fn of(header: Option<&str>) -> Option<Self> {
        let told = header.and_then(Self::read);
        told.map(|trace| trace.child())
            .or_else(|| crate::one_in().map(Self::begin))
    }

    /// A trace of its own, kept if chance says so: one in so many.
    pub(crate) fn begin(one_in: u32) -> Self {
        let id = u128::from(random()) << 64 | u128::from(random());
        Self {
            id,
            span: random(),
            parent: None,
            is_sampled: id % u128::from(one_in.max(1)) == 0,
        }
    }

    /// Another span within this one.
    pub(crate) fn child(&self) -> Self {
        Self {
            span: random(),
            parent: Some(self.span),
            ..*self
        }
    }

    /// What a header says: the trace, and the span of who sent it as if it were ours.
    pub(crate) fn read(header: &str) -> Option<Self> {
        let version = hexadecimal(header.get(..2)?)?;
        let is_longer = header.len() > HEADER_LETTERS;
        // A later version may say more behind a dash.
        let is_whole = if version == 0 {
            !is_longer
        } else {
            !is_longer || header.get(HEADER_LETTERS..=HEADER_LETTERS) == Some("-")
        };
        let dashes = [2, 35, 52].map(|at| header.get(at..=at) == Some("-"));
        if version == 0xFF || !is_whole || dashes.contains(&false) {
            return None;
        }
        let (id, span) = (
            hexadecimal(header.get(3..35)?)?,
            hexadecimal(header.get(36..52)?)?,
        );
        let flags = hexadecimal(header.get(53..55)?)?;
        (id != 0 && span != 0).then_some(Self {
            id,
            span: span as u64,
            parent: None,
            is_sampled: flags as u8 & SAMPLED != 0,
        })
    }
}

/// The header that says this: to who asked, and to whom is asked in turn.
impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flags = u8::from(self.is_sampled);
        write!(f, "00-{:032x}-{:016x}-{flags:02x}", self.id, self.span)
    }
}

impl Trace {
    /// The caller's span, if there is one.
    #[must_use]
    pub fn parent(&self) -> Option<String> {
        self.parent.map(|parent| format!("{parent:016x}"))
    }
}

/// Digits of small letters only.
fn hexadecimal(digits: &str) -> Option<u128> {
    let is_digit = |it: u8| matches!(it, b'0'..=b'9' | b'a'..=b'f');
    let all = digits.bytes().all(is_digit);
    all.then(|| u128::from_str_radix(digits, 16).ok()).flatten()
}

/// A number that nobody else has, never 0: the keys of a map of the standard library are random for
/// each thread and differ for each map.
fn random() -> u64 {
    RandomState::new().hash_one(()).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_header_is_taken_over_and_given_back_with_a_span_of_ours() {
        let trace = Trace::of(Some(HEADER)).expect("a trace");
        assert_eq!(trace.id, 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736);
        assert_eq!(trace.parent().as_deref(), Some("00f067aa0ba902b7"));
        let back = Trace::read(&trace.to_string()).expect("a header");
        assert_eq!((back.id, back.span), (trace.id, trace.span));
        assert!(back.is_sampled && back.span != 0x00f0_67aa_0ba9_02b7);
        let other = HEADER.replace("-01", "-00");
        let other = Trace::of(Some(&other)).expect("a trace");
        assert!(!other.is_sampled && other.to_string().ends_with("-00"));
    }

    #[test]
    fn what_is_no_header_counts_as_none() {
        for wrong in [
            "",
            "00",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473+-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.more",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-é",
            "é0-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            assert_eq!(Trace::read(wrong), None, "{wrong}");
            assert_eq!(Trace::of(Some(wrong)), None, "{wrong}");
        }
        let later = HEADER.replacen("00", "01", 1) + "-more";
        assert!(Trace::read(&later).is_some());
    }

    #[test]
    fn one_in_so_many_is_kept() {
        assert!((0..100).all(|_| Trace::begin(1).is_sampled));
        let kept = (0..1_000).filter(|_| Trace::begin(10).is_sampled).count();
        assert!((30..300).contains(&kept), "{kept}");
    }
}
