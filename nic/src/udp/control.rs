//! What the kernel says beside a datagram: when it came, and when the card saw it.

/// Room for one message of three times, with its header.
pub(super) const CONTROL_WORDS: usize = 16;

/// Offsets in a control message, all 64-bit: length, level and kind, then three times of two words
/// each, of which the second is unused for long.
const HEADER_BYTES: usize = 16;
const TIME_BYTES: usize = 16;
const TIMES: usize = 3;
const MESSAGE_BYTES: usize = HEADER_BYTES + TIMES * TIME_BYTES;

const _: () = assert!(size_of::<libc::cmsghdr>() == HEADER_BYTES);
const _: () = assert!(size_of::<libc::timespec>() == TIME_BYTES);
const _: () = assert!(MESSAGE_BYTES <= CONTROL_WORDS * 8);

/// Times of one datagram in nanoseconds; 0 where there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Times {
    pub kernel_ns: u64,
    pub hardware_ns: u64,
}

/// Reads the control messages of one datagram; what is no such time is passed over.
pub(super) fn times(control: &[u8]) -> Times {
    let mut rest = control;
    while let Some(length) = word(rest, 0) {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length < HEADER_BYTES || length > rest.len() {
            break;
        }
        let kind = word(rest, 8);
        let wanted = (libc::SCM_TIMESTAMPING as u64) << 32 | libc::SOL_SOCKET as u64;
        if kind == Some(wanted) && length >= MESSAGE_BYTES {
            return Times {
                kernel_ns: time_ns(rest, 0),
                hardware_ns: time_ns(rest, 2),
            };
        }
        rest = rest.get(length.next_multiple_of(8)..).unwrap_or(&[]);
    }
    Times::default()
}

/// The time at one of three places; what cannot be one counts as none.
fn time_ns(message: &[u8], place: usize) -> u64 {
    let at = HEADER_BYTES + place * TIME_BYTES;
    let seconds = word(message, at).unwrap_or(0);
    let rest_ns = word(message, at + 8).unwrap_or(0);
    let whole_ns = seconds.checked_mul(1_000_000_000);
    whole_ns.and_then(|ns| ns.checked_add(rest_ns)).unwrap_or(0)
}

fn word(bytes: &[u8], at: usize) -> Option<u64> {
    let bytes = bytes.get(at..)?.first_chunk()?;
    Some(u64::from_le_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn message(level: i32, kind: i32, words: &[u64]) -> Vec<u8> {
        let length = HEADER_BYTES + 8 * words.len();
        let mut bytes = (length as u64).to_le_bytes().to_vec();
        bytes.extend(level.to_le_bytes());
        bytes.extend(kind.to_le_bytes());
        words
            .iter()
            .for_each(|word| bytes.extend(word.to_le_bytes()));
        bytes
    }

    #[test]
    fn times_are_found_behind_other_messages() {
        let other = message(libc::IPPROTO_IP, libc::IP_TTL, &[64]);
        let ours = [5, 7, 1, 1, 6, 8];
        let times_of = message(libc::SOL_SOCKET, libc::SCM_TIMESTAMPING, &ours);
        let wanted = Times {
            kernel_ns: 5_000_000_007,
            hardware_ns: 6_000_000_008,
        };
        assert_eq!(times(&times_of), wanted);
        let both = [other.clone(), times_of.clone()].concat();
        assert_eq!(times(&both), wanted);
        assert_eq!(times(&other), Times::default());
        for cut in 0..times_of.len() {
            assert_eq!(times(&times_of[..cut]), Times::default(), "{cut}");
        }
        let late = message(libc::SOL_SOCKET, libc::SCM_TIMESTAMPING, &[u64::MAX; 6]);
        assert_eq!(times(&late), Times::default());
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            times(&bytes);
        }
    }
}
