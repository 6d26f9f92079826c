//! What a port around the kernel counts of frames.

use af_xdp::Port;

/// Frames of a port over AF_XDP since it was opened; all zero for a port over sockets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FrameStats {
    /// Frames received.
    pub received: u64,
    /// Those of them that were no sound segment or datagram for the port, or had no place.
    pub refused: u64,
    /// Frames for us that the kernel dropped before we saw them: no free frame, no free place, or
    /// longer than a frame.
    pub lost: u64,
    /// Those of them that found the receive ring full: we were too slow.
    pub ring_full: u64,
    /// Times the kernel wanted a frame to receive into and there was none.
    pub fill_empty: u64,
    /// Descriptors for receiving that made no sense to the kernel, or to us: always 0 with a sane
    /// driver.
    pub invalid: u64,
    /// Frames that the kernel refused to send, and calls to send that it refused for good.
    pub send_errors: u64,
}

impl FrameStats {
    /// What the port below counted; its user `refused` so many. Asks the kernel.
    pub(crate) fn of(port: &Port, refused: u64) -> FrameStats {
        let counted = port.statistics().unwrap_or_default();
        let kernel = counted.kernel;
        FrameStats {
            received: counted.received,
            refused,
            lost: kernel.rx_lost(),
            ring_full: kernel.rx_ring_full,
            fill_empty: kernel.rx_fill_ring_empty,
            invalid: kernel.rx_invalid + counted.descriptors_invalid,
            send_errors: kernel.tx_invalid + counted.kick_errors,
        }
    }
}
