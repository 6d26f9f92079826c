//! The two processes on the cable, and what their parent knows of them.
//!
//! Each is the test's own binary again. It does its work until it is killed, or stops cleanly when
//! its input ends; then no frame of its memory may be missing. What it did it writes into a file as
//! it goes, so that it is known when it is killed, too.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, Receiver, TryRecvError};
use std::thread;
use std::time::{Duration, Instant};

use af_xdp::Hook;
use nic::netns::VethEnd;

use crate::support::{PATIENCE, Side, Wanted};

/// What a child is told: its role, mode, file, first number, and the frame that it sends, in hex.
const TOLD: &str = "AF_XDP_SOAK_CHILD";
/// Frames of one side: half receive, half send.
const HALF: usize = 128;
/// Where a frame's number is.
const NUMBER_AT: usize = 42;

/// What a child did since it was started.
#[derive(Clone, Copy, Debug, Default)]
pub struct Done {
    /// Frames queued to be sent, or read.
    pub frames: u64,
    /// Frames that came behind one with a greater number.
    pub out_of_order: u64,
}

/// A child, and its socket, which outlives it here.
pub struct Process {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    socket: OwnedFd,
    file: File,
}

impl Process {
    /// Starts a sender or a receiver at this end.
    pub fn start(role: &str, end: &VethEnd, hook: Hook, first: u64, frame: &[u8]) -> Process {
        let path =
            std::env::temp_dir().join(format!("soak-{}-{role}-{hook:?}", std::process::id()));
        File::create(&path).unwrap();
        let hex: String = frame.iter().map(|byte| format!("{byte:02x}")).collect();
        let told = format!("{role} {hook:?} {} {first} {hex}", path.display());
        let spawn = || {
            Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "child_on_the_cable", "--nocapture"])
                .env(TOLD, told)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
        };
        let mut child = end.netns.run(spawn).unwrap().unwrap();
        let input = child.stdin.take().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let said = said(&mut output, "socket ");
        let file = File::open(&path).unwrap();
        std::fs::remove_file(path).unwrap();
        Process {
            socket: copied(child.id(), said.parse().unwrap()),
            child,
            input,
            output,
            file,
        }
    }

    /// Has a sender stop sending and take all frames back, a receiver read all that is there.
    pub fn settle(&mut self) {
        self.input.write_all(b"settle\n").unwrap();
        said(&mut self.output, "settled");
    }

    /// Has a sender stop sending, with frames queued that a link that is down does not take.
    pub fn hold(&mut self) {
        self.input.write_all(b"hold\n").unwrap();
        said(&mut self.output, "settled");
    }

    /// Has a sender go on.
    pub fn go(&mut self) {
        self.input.write_all(b"go\n").unwrap();
    }

    /// Stops it as a debugger would, for so long.
    pub fn freeze(&self, time: Duration) {
        self.signal(libc::SIGSTOP);
        thread::sleep(time);
        self.signal(libc::SIGCONT);
    }

    /// What it did so far.
    pub fn done(&self) -> Done {
        let mut bytes = [0; 16];
        self.file.read_exact_at(&mut bytes, 0).unwrap_or_default();
        let [frames, out_of_order] =
            [0, 8].map(|at| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap()));
        Done {
            frames,
            out_of_order,
        }
    }

    /// Frames that the kernel lost because the socket had no room for them.
    pub fn lost(&self) -> u64 {
        // SAFETY: all zero is a value of it.
        let mut found: libc::xdp_statistics = unsafe { std::mem::zeroed() };
        let mut length = size_of_val(&found) as libc::socklen_t;
        let socket = self.socket.as_raw_fd();
        let (level, name) = (libc::SOL_XDP, libc::XDP_STATISTICS);
        // SAFETY: the place is as long as is said.
        let result = unsafe {
            libc::getsockopt(
                socket,
                level,
                name,
                (&raw mut found).cast(),
                &raw mut length,
            )
        };
        assert_eq!(result, 0, "{}", std::io::Error::last_os_error());
        assert_eq!((found.rx_invalid_descs, found.tx_invalid_descs), (0, 0));
        found.rx_dropped + found.rx_ring_full
    }

    /// Ends it where it stands.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Has it stop, and look for every frame of its memory.
    pub fn stop(&mut self) {
        self.input.write_all(b"stop\n").unwrap();
        said(&mut self.output, "stopped whole");
        assert!(self.child.wait().unwrap().success());
    }

    fn signal(&self, signal: i32) {
        // SAFETY: takes no pointers.
        let result = unsafe { libc::kill(self.child.id() as i32, signal) };
        assert_eq!(result, 0, "{}", std::io::Error::last_os_error());
    }
}

/// The rest of the next line that starts so; what the test harness prints is passed over.
fn said(output: &mut BufReader<ChildStdout>, start: &str) -> String {
    let mut lines = output.lines().map(Result::unwrap);
    let line = lines.find_map(|line| Some(line.split_once(start)?.1.trim().to_owned()));
    line.unwrap_or_else(|| panic!("the other process ended before it said \"{start}\""))
}

/// Another process's descriptor, as one of ours.
fn copied(process: u32, fd: i32) -> OwnedFd {
    // SAFETY: takes no pointers.
    let process = unsafe { libc::syscall(libc::SYS_pidfd_open, process, 0) };
    assert!(process >= 0, "{}", std::io::Error::last_os_error());
    // SAFETY: just opened.
    let process = unsafe { OwnedFd::from_raw_fd(process as i32) };
    // SAFETY: takes no pointers.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_getfd, process.as_raw_fd(), fd, 0) };
    assert!(fd >= 0, "{}", std::io::Error::last_os_error());
    // SAFETY: just opened.
    unsafe { OwnedFd::from_raw_fd(fd as i32) }
}

/// What a child is asked to do.
#[derive(PartialEq)]
enum Ask {
    Settle,
    Hold,
    Go,
    Stop,
}

/// The other half of [`Process`], in the child.
struct Role {
    asks: Receiver<Ask>,
    file: File,
    done: Done,
    number: u64,
    frame: Vec<u8>,
    side: Side,
}

/// Does a child's work, in a process that is one.
pub fn child() {
    let Ok(told) = std::env::var(TOLD) else {
        return;
    };
    let told: Vec<&str> = told.split(' ').collect();
    let [role, hook, path, first, hex] = told[..] else {
        panic!("{told:?}");
    };
    let wanted = Wanted {
        hook: if hook == "Native" {
            Hook::Native
        } else {
            Hook::Generic
        },
        ..Wanted::default()
    };
    let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    let mut role_of = Role {
        asks: asks(),
        file: OpenOptions::new().write(true).open(path).unwrap(),
        done: Done::default(),
        number: first.parse().unwrap(),
        frame: (0..hex.len()).step_by(2).map(byte).collect(),
        side: Side::open_here(&wanted).unwrap(),
    };
    say(&format!(
        "socket {}",
        role_of.side.queue.socket.as_fd().as_raw_fd()
    ));
    match role {
        "sender" => role_of.send(),
        _ => role_of.receive(),
    }
    let census = role_of.side.umem.census();
    let free = role_of.side.free.len();
    assert_eq!((free, census.program, census.receiving), (HALF, HALF, HALF));
    assert_eq!(role_of.side.queue.completion.invalid(), 0);
    assert_eq!(role_of.side.queue.rx.invalid(), 0);
    say("stopped whole");
}

/// On a line of its own, apart from what the test harness prints.
fn say(what: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "\n{what}").unwrap();
    out.flush().unwrap();
}

/// What the parent says, as it says it. Its death is a stop as well.
fn asks() -> Receiver<Ask> {
    let (tell, asks) = mpsc::channel();
    thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            let ask = match line.as_str() {
                "settle" => Ask::Settle,
                "hold" => Ask::Hold,
                "go" => Ask::Go,
                _ => Ask::Stop,
            };
            tell.send(ask).unwrap();
        }
    });
    asks
}

impl Role {
    /// Sends numbered frames, some at a time, until it shall stop.
    fn send(&mut self) {
        for burst in (1..100).cycle() {
            match self.asks.try_recv() {
                Ok(ask @ (Ask::Settle | Ask::Hold)) => {
                    if ask == Ask::Settle {
                        self.drain();
                    }
                    say("settled");
                    if self.asks.recv() != Ok(Ask::Go) {
                        return;
                    }
                }
                Ok(Ask::Stop) | Err(TryRecvError::Disconnected) => break,
                _ => {}
            }
            for _ in 0..burst {
                if self.side.free.is_empty() || self.side.queue.tx.room() == 0 {
                    break;
                }
                let number = self.number.to_le_bytes();
                self.frame[NUMBER_AT..NUMBER_AT + 8].copy_from_slice(&number);
                self.side.push(&self.frame);
                self.number += 1;
                self.done.frames += 1;
            }
            // Before the kernel may take them: none is sent that is not counted.
            self.write();
            self.reap();
            thread::sleep(Duration::from_micros(100));
        }
        self.drain();
    }

    fn reap(&mut self) {
        self.side.queue.tx.kick();
        while let Some(sent) = self.side.queue.completion.pop() {
            self.side.free.push(sent.into_frame());
        }
        self.side.queue.completion.release();
    }

    fn drain(&mut self) {
        let start = Instant::now();
        while self.side.umem.census().sending > 0 {
            assert!(start.elapsed() < PATIENCE);
            self.reap();
        }
    }

    /// Reads what comes until it shall stop; detached, it reads what is still there.
    fn receive(&mut self) {
        loop {
            let read = self.read();
            match self.asks.try_recv() {
                Ok(Ask::Settle) => {
                    while self.read() > 0 {}
                    say("settled");
                }
                Ok(Ask::Stop) | Err(TryRecvError::Disconnected) => break,
                _ if read == 0 => thread::yield_now(),
                _ => {}
            }
        }
        self.side.link = None;
        crate::support::wait_until_detached_here();
        while self.read() > 0 {}
    }

    fn read(&mut self) -> u64 {
        let mut count = 0;
        while let Some(received) = self.side.queue.rx.pop() {
            let bytes = self.side.umem.received(&received);
            assert_eq!(bytes.len(), self.frame.len());
            assert_eq!(bytes[..NUMBER_AT], self.frame[..NUMBER_AT]);
            let number = bytes[NUMBER_AT..NUMBER_AT + 8].try_into().unwrap();
            let number = u64::from_le_bytes(number);
            self.done.out_of_order += u64::from(number < self.number);
            self.number = number + 1;
            self.side.queue.fill.push(received.into_frame()).unwrap();
            count += 1;
        }
        if count > 0 {
            self.done.frames += count;
            self.write();
            self.side.queue.rx.release();
            self.side.queue.fill.publish();
        }
        count
    }

    fn write(&self) {
        let Done {
            frames,
            out_of_order,
        } = self.done;
        let bytes = [frames.to_le_bytes(), out_of_order.to_le_bytes()].concat();
        self.file.write_all_at(&bytes, 0).unwrap();
    }
}
