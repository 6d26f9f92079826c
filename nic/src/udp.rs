//! The UDP port over sockets: several receives under way, sends in batches, one entry into the
//! kernel for both.
//!
//! Receives come in rounds: all but the last of a round end at once when nothing is there, the
//! last one waits. So datagrams keep their order, one datagram wakes one receive, and the round
//! grows to [`ROUND_MAX`] while every receive of it finds a datagram.

mod control;
mod datagram;

use std::collections::VecDeque;
use std::io;
use std::mem;
use std::net::SocketAddrV4;
use std::os::fd::{AsRawFd, OwnedFd};

use crate::clock::{Clock, Stamp};
use crate::driver::{Done, Driver, Op, Purpose, RESULTS_MAX, Socket, Wants};
use crate::net::UdpOptions;
use crate::port::{Arrival, DATAGRAM_BYTES_MAX, SendError, UdpPort, UdpStats};
use crate::socket;
use datagram::Datagram;

/// Most receives of a round.
const ROUND_MAX: usize = 32;
/// Datagrams that wait to be sent or are being sent.
const SENDS_MAX: usize = 128;

/// Marks the tag of a send; the place is in the lower half.
const SEND: u64 = 1 << 32;

/// Times [`RESULTS_MAX`] that make up every operation there can be.
const REAPS_MAX: usize = (ROUND_MAX + SENDS_MAX).div_ceil(RESULTS_MAX);

/// A UDP port of the machine, over io_uring or plain sockets.
pub struct SocketUdp {
    driver: Driver,
    _fd: OwnedFd,
    on: Socket,
    local: SocketAddrV4,
    receives: Vec<Datagram>,
    /// The kernel was asked for times.
    with_times: bool,
    /// Receives of this round, and how many of them ended or found nothing.
    round: usize,
    round_ended: usize,
    round_empty: usize,
    /// Receives that hold a datagram for the caller, with its length.
    arrived: VecDeque<(usize, usize)>,
    sends: Vec<Datagram>,
    sends_free: Vec<usize>,
    sends_queued: VecDeque<usize>,
    sends_in_flight: usize,
    stats: UdpStats,
    done: Vec<Done>,
}

impl SocketUdp {
    /// Binds, joins the groups, and takes all memory.
    pub(crate) fn open(
        options: &UdpOptions,
        driver: impl FnOnce(&Wants) -> Driver,
    ) -> io::Result<SocketUdp> {
        let (fd, local) = socket::udp(options)?;
        let mut driver = driver(&Wants {
            purpose: Purpose::Datagrams,
            operations_max: (ROUND_MAX + SENDS_MAX) as u32,
            sockets_max: 1,
            receive_bytes: 0,
        });
        let on = Socket {
            fd: fd.as_raw_fd(),
            place: 0,
        };
        driver.adopt(on)?;
        Ok(SocketUdp {
            driver,
            _fd: fd,
            on,
            local,
            receives: (0..ROUND_MAX).map(|_| Datagram::new()).collect(),
            with_times: false,
            round: 1,
            round_ended: 1,
            round_empty: 0,
            arrived: VecDeque::with_capacity(ROUND_MAX),
            sends: (0..SENDS_MAX).map(|_| Datagram::new()).collect(),
            sends_free: (0..SENDS_MAX).rev().collect(),
            sends_queued: VecDeque::with_capacity(SENDS_MAX),
            sends_in_flight: 0,
            stats: UdpStats::default(),
            done: Vec::with_capacity(RESULTS_MAX),
        })
    }

    /// Asks the kernel, and through it the card, when datagrams came: before the first poll.
    pub(crate) fn ask_times(&mut self) -> io::Result<()> {
        socket::receive_times(self.on.fd)?;
        self.with_times = true;
        Ok(())
    }

    /// Begins a round once the last one ended and all it brought was handed out.
    fn start_round(&mut self) {
        if self.round_ended < self.round || !self.arrived.is_empty() {
            return;
        }
        let all_found = self.round_empty == 0;
        self.round = if all_found {
            (self.round * 2).min(ROUND_MAX)
        } else {
            1
        };
        self.round_ended = 0;
        self.round_empty = 0;
        for place in 0..self.round {
            let message = self.receives[place].prepare_receive(self.with_times);
            let wait = place + 1 == self.round;
            let op = Op::ReceiveMessage {
                on: self.on,
                message,
                wait,
            };
            // SAFETY: the header and its parts live on the heap as long as the port, which leaks
            // them if the engine will not let go; nobody touches them until the round ended.
            unsafe { self.driver.start(op, place as u64) };
        }
    }

    /// One turn: calls `touch` before it looks at what arrived, and hands that to `take`, which
    /// says `None` to what is no whole datagram.
    fn arrivals<T>(
        &mut self,
        touch: impl Fn() -> T,
        take: &mut dyn FnMut(T, &Datagram, usize) -> Option<()>,
    ) -> usize {
        self.start_round();
        self.flush();
        let mut count = 0;
        while let Some((place, length)) = self.arrived.pop_front() {
            let touched = touch();
            match take(touched, &self.receives[place], length) {
                Some(()) => count += 1,
                None => self.stats.receive_errors += 1,
            }
        }
        self.stats.received += count as u64;
        count
    }

    /// Starts the queued sends once the last batch is through: batches keep their order even when
    /// the socket's send room ran out.
    fn start_sends(&mut self) {
        if self.sends_in_flight > 0 {
            return;
        }
        while let Some(place) = self.sends_queued.pop_front() {
            let message = self.sends[place].message();
            self.sends_in_flight += 1;
            let op = Op::SendMessage {
                on: self.on,
                message,
            };
            // SAFETY: as for receives; the place is not reused before its result.
            unsafe { self.driver.start(op, SEND | place as u64) };
        }
    }

    /// Takes the results there are, at most one for each place: frees sends, notes arrivals.
    fn reap(&mut self) {
        for _ in 0..REAPS_MAX {
            if self.reap_some() < RESULTS_MAX {
                return;
            }
        }
    }

    fn reap_some(&mut self) -> usize {
        let mut done = mem::take(&mut self.done);
        self.driver.reap(&mut done);
        let count = done.len();
        for Done { tag, result, .. } in done.drain(..) {
            let place = (tag & 0xffff_ffff) as usize;
            if tag & SEND != 0 {
                self.sends_in_flight -= 1;
                self.sends_free.push(place);
                let counter = if result < 0 {
                    &mut self.stats.send_errors
                } else {
                    &mut self.stats.sent
                };
                *counter += 1;
                continue;
            }
            self.round_ended += 1;
            if result >= 0 {
                self.arrived.push_back((place, result as usize));
            } else if result == -libc::EAGAIN {
                self.round_empty += 1;
            } else {
                self.stats.receive_errors += 1;
            }
        }
        self.done = done;
        count
    }
}

impl UdpPort for SocketUdp {
    fn poll(&mut self, on: &mut dyn FnMut(SocketAddrV4, &[u8])) -> usize {
        self.arrivals(|| (), &mut |(), datagram, length| {
            let (from, payload) = datagram.received(length)?;
            on(from, payload);
            Some(())
        })
    }

    fn poll_stamped(&mut self, clock: &dyn Clock, on: &mut dyn FnMut(Arrival<'_>)) -> usize {
        let touch = || Stamp::touch(clock);
        self.arrivals(touch, &mut |touched, datagram, length| {
            let (from, payload) = datagram.received(length)?;
            let times = datagram.times();
            on(Arrival {
                from,
                payload,
                touched,
                kernel: Stamp::told(times.kernel_ns),
                hardware: Stamp::told(times.hardware_ns),
            });
            Some(())
        })
    }

    fn send(&mut self, to: SocketAddrV4, payload: &[u8]) -> Result<(), SendError> {
        if payload.len() > DATAGRAM_BYTES_MAX {
            return Err(SendError::TooLong);
        }
        if self.sends_free.is_empty() {
            self.flush();
        }
        let place = self.sends_free.pop().ok_or(SendError::Full)?;
        self.sends[place].prepare_send(to, payload);
        self.sends_queued.push_back(place);
        Ok(())
    }

    fn flush(&mut self) {
        self.start_sends();
        self.reap();
        if !self.sends_queued.is_empty() && self.sends_in_flight == 0 {
            self.start_sends();
            self.reap();
        }
    }

    fn mode(&self) -> &'static str {
        self.driver.mode()
    }

    fn local_addr(&self) -> SocketAddrV4 {
        self.local
    }

    fn stats(&self) -> UdpStats {
        self.stats
    }
}

impl Drop for SocketUdp {
    fn drop(&mut self) {
        if !self.driver.shut_down() {
            // The kernel may still use these: losing the memory is the safe choice.
            mem::forget(mem::take(&mut self.receives));
            mem::forget(mem::take(&mut self.sends));
        }
    }
}

impl std::fmt::Debug for SocketUdp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut out = f.debug_struct("SocketUdp");
        out.field("mode", &self.mode()).field("local", &self.local);
        out.field("stats", &self.stats).finish_non_exhaustive()
    }
}
