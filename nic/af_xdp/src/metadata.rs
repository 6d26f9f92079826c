//! What the card says about a frame received, and what it is asked to do with a frame to send.
//!
//! Both stand in the frame's own piece of memory, just before its first byte. Received frames get
//! theirs from our program, which asks the driver by the kernel's functions
//! `bpf_xdp_metadata_rx_*`; for frames to send the layout is the kernel's `struct xsk_tx_metadata`.

/// Bytes before a received frame, when our program writes them.
pub(crate) const RX_BYTES: usize = 32;
/// Bytes before a frame to send, when it carries a request.
pub(crate) const TX_BYTES: usize = 24;

/// Written by our program, to catch a program that is not ours.
pub(crate) const RX_MAGIC: u32 = 0x7078_6661;
/// Places in the bytes before a received frame.
pub(crate) const RX_TIMESTAMP_AT: i16 = 0;
pub(crate) const RX_HASH_AT: i16 = 8;
pub(crate) const RX_HASH_KIND_AT: i16 = 12;
pub(crate) const RX_VLAN_AT: i16 = 16;
pub(crate) const RX_PRESENT_AT: i16 = 20;
pub(crate) const RX_MAGIC_AT: i16 = 24;
/// Which of them the driver answered.
pub(crate) const RX_HAS_TIMESTAMP: i32 = 1;
pub(crate) const RX_HAS_HASH: i32 = 2;
pub(crate) const RX_HAS_VLAN: i32 = 4;

const FLAG_TIMESTAMP: u64 = 1;
const FLAG_CHECKSUM: u64 = 2;
const FLAG_LAUNCH_TIME: u64 = 4;

/// Smallest time of sending that can be one: the kernel writes it over the checksum's request,
/// which fills 32 bits, and in nanoseconds that many are four seconds after 1970.
const SENT_AT_MIN: u64 = 1 << 32;

/// Proof that the attached program writes metadata before each frame: see
/// [`Filter::metadata`](crate::Filter::metadata).
#[derive(Clone, Copy, Debug)]
pub struct MetadataKey(pub(crate) ());

/// What the driver said about a received frame; absent is what it did not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RxMetadata {
    /// The card's clock when the frame arrived, in nanoseconds. A driver that answers 0, as virtual
    /// ones do, has no clock.
    pub timestamp_ns: Option<u64>,
    /// The card's hash of the flow.
    pub hash: Option<RxHash>,
    /// The VLAN tag that the card took off the frame: protocol and tag.
    pub vlan: Option<(u16, u16)>,
}

/// A hash of the flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RxHash {
    /// The hash.
    pub value: u32,
    /// Over which headers, as in the kernel's `enum xdp_rss_hash_type`; 0 is unknown.
    pub kind: u32,
}

impl RxMetadata {
    /// `None` when the bytes were not written by our program.
    pub(crate) fn parse(bytes: &[u8; RX_BYTES]) -> Option<RxMetadata> {
        let word = |at: i16| {
            let at = at as usize;
            u32::from_ne_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
        };
        if word(RX_MAGIC_AT) != RX_MAGIC {
            return None;
        }
        let has = |flag: i32| word(RX_PRESENT_AT) & flag as u32 != 0;
        let at = RX_TIMESTAMP_AT;
        let timestamp = u64::from(word(at)) | u64::from(word(at + 4)) << 32;
        let vlan = RX_VLAN_AT as usize;
        Some(RxMetadata {
            timestamp_ns: Some(timestamp).filter(|&ns| ns != 0 && has(RX_HAS_TIMESTAMP)),
            hash: has(RX_HAS_HASH).then(|| RxHash {
                value: word(RX_HASH_AT),
                kind: word(RX_HASH_KIND_AT),
            }),
            vlan: has(RX_HAS_VLAN).then(|| {
                let protocol = u16::from_be_bytes([bytes[vlan], bytes[vlan + 1]]);
                let tag = u16::from_ne_bytes([bytes[vlan + 2], bytes[vlan + 3]]);
                (protocol, tag)
            }),
        })
    }
}

/// What the card is asked to do with a frame. A driver ignores what it cannot do:
/// [`Features`](crate::Features) says what that is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TxRequest {
    /// Compute the checksum of TCP or UDP; its field holds the sum of the pseudo-header.
    pub checksum: Option<TxChecksum>,
    /// Say when it left, see [`Umem::sent_at`](crate::Umem::sent_at).
    pub timestamp: bool,
    /// Hold it until this time of the card's clock, in nanoseconds.
    pub launch_ns: Option<u64>,
}

/// Where a checksum goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TxChecksum {
    /// Offset in the frame from which bytes are summed: the start of the TCP or UDP header.
    pub start: u16,
    /// Offset of the sum's field from there: 16 for TCP, 6 for UDP.
    pub field: u16,
}

impl TxRequest {
    /// As the kernel reads it; `None` when the checksum's field is not inside the first `length`
    /// bytes, for which the kernel would refuse to go on.
    pub(crate) fn encode(&self, length: u32) -> Option<[u8; TX_BYTES]> {
        let checksum = self.checksum.map_or((0, 0), |sum| (sum.start, sum.field));
        if u32::from(checksum.0) + u32::from(checksum.1) + 2 > length {
            return None;
        }
        let flag = |set: bool, flag: u64| if set { flag } else { 0 };
        let flags = flag(self.timestamp, FLAG_TIMESTAMP)
            | flag(self.checksum.is_some(), FLAG_CHECKSUM)
            | flag(self.launch_ns.is_some(), FLAG_LAUNCH_TIME);
        let mut bytes = [0; TX_BYTES];
        bytes[0..8].copy_from_slice(&flags.to_ne_bytes());
        bytes[8..10].copy_from_slice(&checksum.0.to_ne_bytes());
        bytes[10..12].copy_from_slice(&checksum.1.to_ne_bytes());
        bytes[16..24].copy_from_slice(&self.launch_ns.unwrap_or(0).to_ne_bytes());
        Some(bytes)
    }
}

/// The time that the kernel wrote over the request, if it did.
pub(crate) fn sent_at(bytes: &[u8; TX_BYTES]) -> Option<u64> {
    let (field, _) = bytes[8..].split_first_chunk::<8>()?;
    Some(u64::from_ne_bytes(*field)).filter(|&ns| ns >= SENT_AT_MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checksum_outside_the_frame_is_not_asked_for() {
        let request = |start, field| TxRequest {
            checksum: Some(TxChecksum { start, field }),
            timestamp: true,
            launch_ns: Some(7),
        };
        let bytes = request(34, 6).encode(42).unwrap();
        assert_eq!(bytes[0], 7);
        assert_eq!((bytes[8], bytes[10], bytes[16]), (34, 6, 7));
        assert_eq!(request(34, 6).encode(41), None);
        assert_eq!(request(u16::MAX, u16::MAX).encode(1500), None);
        assert_eq!(sent_at(&bytes), None, "a request is not an answer");
    }

    #[test]
    fn what_the_driver_did_not_say_is_absent() {
        let mut bytes = [0; RX_BYTES];
        assert_eq!(RxMetadata::parse(&bytes), None);
        bytes[24..28].copy_from_slice(&RX_MAGIC.to_ne_bytes());
        assert_eq!(RxMetadata::parse(&bytes), Some(RxMetadata::default()));
        bytes[20] = 7;
        bytes[8] = 5;
        bytes[16..20].copy_from_slice(&[0x81, 0, 0, 0]);
        let all = RxMetadata::parse(&bytes).unwrap();
        assert_eq!(all.timestamp_ns, None, "0 is no time");
        assert_eq!(all.hash, Some(RxHash { value: 5, kind: 0 }));
        assert_eq!(all.vlan, Some((0x8100, 0)));
        bytes[7] = 1;
        let all = RxMetadata::parse(&bytes).unwrap();
        assert_eq!(all.timestamp_ns, Some(1 << 56));
    }
}
