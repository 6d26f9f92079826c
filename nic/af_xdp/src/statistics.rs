//! What the kernel and we count for a socket.

/// The kernel's counters of a socket (XDP_STATISTICS).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Frames dropped for other reasons than a full RX ring: in copy mode those that found no frame
    /// in the fill ring, and those longer than a frame without multi-buffer.
    pub rx_dropped: u64,
    /// Frames dropped because the RX ring was full.
    pub rx_ring_full: u64,
    /// Times the kernel wanted a frame and the fill ring was empty.
    pub rx_fill_ring_empty: u64,
    /// Descriptors of ours the kernel refused to fill.
    pub rx_invalid: u64,
    /// Descriptors of ours the kernel refused to send.
    pub tx_invalid: u64,
    /// Times the kernel looked for something to send in vain.
    pub tx_ring_empty: u64,
}

impl Statistics {
    /// Frames for us that were lost on the way in.
    pub fn rx_lost(&self) -> u64 {
        self.rx_dropped + self.rx_ring_full
    }
}

impl std::ops::Add for Statistics {
    type Output = Statistics;

    fn add(self, other: Statistics) -> Statistics {
        Statistics {
            rx_dropped: self.rx_dropped + other.rx_dropped,
            rx_ring_full: self.rx_ring_full + other.rx_ring_full,
            rx_fill_ring_empty: self.rx_fill_ring_empty + other.rx_fill_ring_empty,
            rx_invalid: self.rx_invalid + other.rx_invalid,
            tx_invalid: self.tx_invalid + other.tx_invalid,
            tx_ring_empty: self.tx_ring_empty + other.tx_ring_empty,
        }
    }
}

impl From<libc::xdp_statistics> for Statistics {
    fn from(kernel: libc::xdp_statistics) -> Statistics {
        Statistics {
            rx_dropped: kernel.rx_dropped,
            rx_ring_full: kernel.rx_ring_full,
            rx_fill_ring_empty: kernel.rx_fill_ring_empty_descs,
            rx_invalid: kernel.rx_invalid_descs,
            tx_invalid: kernel.tx_invalid_descs,
            tx_ring_empty: kernel.tx_ring_empty_descs,
        }
    }
}
