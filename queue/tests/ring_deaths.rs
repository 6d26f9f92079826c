//! A ring between processes, one of which is killed: the other one notices, says so and goes on
//! with a successor, and no published message is lost, doubled or torn.

#![allow(clippy::unwrap_used)] // A test's helpers fail the test.

mod children;

use children::{PATIENCE, child_role, child_start, now_ns, until};
use queue::{Peer, Reader, SharedRing, Writer};
use std::process::Child;
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

type Body = [u64; 6];

const DEPTH: usize = 256;
/// Processes that are killed one after another in the middle of a stream.
const KILLS: u64 = 4;
/// Messages that each of them moves before it is killed, and some more.
const MESSAGES: u64 = 2_000;
/// A side that says nothing for so long is taken for dead.
const SILENCE_NS: u64 = 20_000_000;

#[test]
#[ignore = "the other process, which the tests below start: cargo test -p queue --test ring_deaths"]
fn child() {
    let Some((role, what)) = child_role() else {
        return;
    };
    let attach = |path: &str| SharedRing::<Body>::attach(path.as_ref()).unwrap();
    match role.as_str() {
        "writer" => write_without_end(attach(&what).writer()),
        "writer in a batch" => stop_in_a_batch(attach(&what).writer()),
        "reader in a batch" => stop_while_reading(attach(&what).reader()),
        "stage" => {
            let (from, to) = what.split_once(' ').unwrap();
            pass_on(attach(from).reader(), attach(to).writer());
        }
        other => panic!("no role {other}"),
    }
}

/// Where another process finds a ring.
fn place(ring: &SharedRing<Body>) -> String {
    ring.region().path().unwrap().to_str().unwrap().to_string()
}

/// Batches of 1 to 7 messages, from where the writer's predecessor stopped.
fn write_without_end(mut writer: Writer<Body>) {
    let start = Instant::now();
    for number in writer.position().. {
        until(|| {
            writer.beat(now_ns()).unwrap();
            let put = writer.put(number, &[number; 6]);
            put.map_err(|_| writer.publish()).ok()
        });
        if number % 7 < number % 3 {
            writer.publish();
        }
        assert!(start.elapsed() < PATIENCE, "nobody killed the writer");
    }
}

/// What a reader gives back at a time.
const QUARTER: u64 = DEPTH as u64 / 4;

/// Ten messages, then part of a batch.
fn stop_in_a_batch(mut writer: Writer<Body>) {
    (0..10).for_each(|number| writer.push(number, &[number; 6]).unwrap());
    (10..15).for_each(|number| writer.put(number, &[0; 6]).unwrap());
    writer.beat(now_ns()).unwrap();
    thread::sleep(PATIENCE);
}

/// Takes a quarter ring and 9 messages, the last 5 of them from a batch.
fn stop_while_reading(mut reader: Reader<Body>) {
    while reader.position() < QUARTER + 9 {
        reader.take(1, |_, _| ());
    }
    reader.beat(now_ns()).unwrap();
    thread::sleep(PATIENCE);
}

/// Passes each message on and only then takes it, so that the two rings' positions tell a
/// successor which ones it need not pass on again.
fn pass_on(mut reader: Reader<Body>, mut writer: Writer<Body>) {
    let alive = |reader: &Reader<Body>, writer: &Writer<Body>| {
        reader.beat(now_ns()).unwrap();
        writer.beat(now_ns()).unwrap();
    };
    let again = writer.position() - reader.position();
    assert!(again <= 1 + QUARTER, "a quarter ring comes again");
    (0..again).for_each(|_| assert!(reader.pop().is_some(), "what was passed on is still there"));
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        alive(&reader, &writer);
        let Some((stamp, body)) = reader.peek() else {
            continue;
        };
        until(|| {
            alive(&reader, &writer);
            writer.push(stamp, &body).ok()
        });
        reader.advance();
    }
}

/// Kills a process when told to, without holding up the thread that tells; done when it is gone.
fn killer(mut child: Child) -> (mpsc::Sender<()>, thread::JoinHandle<()>) {
    let (tell, told) = mpsc::channel();
    let thread = thread::spawn(move || {
        told.recv_timeout(PATIENCE).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    });
    (tell, thread)
}

fn kill(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Waits until the peer is taken for dead, and checks that this is said of the right owner.
fn assert_silent(owner: u64, peer: impl Fn(u64, u64) -> Peer) {
    let peer = until(|| match peer(now_ns(), SILENCE_NS) {
        found @ Peer::Silent { .. } => Some(found),
        _ => None,
    });
    let said = peer.to_string();
    assert!(
        said.starts_with(&format!("owner {owner} ")) && said.contains("silent for"),
        "{said}"
    );
}

/// Takes what is there, in one of the two ways; every message must be the one after `next`.
fn take(reader: &mut Reader<Body>, gathers: bool, next: &mut u64) -> usize {
    let on = |stamp: u64, body: &Body| {
        assert_eq!((stamp, *body), (*next, [*next; 6]), "lost, doubled or torn");
        *next += 1;
    };
    if gathers {
        reader.gather(DEPTH, on)
    } else {
        reader.take(DEPTH, on)
    }
}

#[test]
fn writers_killed_in_a_stream_lose_nothing_that_they_published() {
    let ring = SharedRing::<Body>::create("test", DEPTH).unwrap();
    let mut reader = ring.reader();
    assert_eq!(reader.writer(now_ns(), SILENCE_NS), Peer::Absent);
    let mut next = 0;
    for owner in 1..=KILLS {
        let (tell, gone) = killer(child_start("writer", &place(&ring)));
        let enough = next + MESSAGES + owner * 17;
        until(|| {
            take(&mut reader, owner % 2 == 0, &mut next);
            (next >= enough).then_some(())
        });
        tell.send(()).unwrap();
        until(|| {
            take(&mut reader, owner % 2 == 0, &mut next);
            gone.is_finished().then_some(())
        });
        gone.join().unwrap();
        while take(&mut reader, false, &mut next) > 0 {}
        assert_silent(owner, |now, patience| reader.writer(now, patience));
    }
    let successor = ring.writer();
    assert_eq!(successor.position(), next, "all that was published arrived");
    let owner = KILLS + 1;
    assert_eq!(reader.writer(now_ns(), SILENCE_NS), Peer::Opened { owner });
    successor.beat(now_ns()).unwrap();
    assert_eq!(reader.writer(now_ns(), u64::MAX), Peer::Alive { owner });
}

#[test]
fn a_writer_killed_in_a_batch_leaves_nothing_of_it() {
    let ring = SharedRing::<Body>::create("test", DEPTH).unwrap();
    let mut reader = ring.reader();
    let child = child_start("writer in a batch", &place(&ring));
    until(|| (reader.writer_beat_ns() > 0).then_some(()));
    kill(child);
    let mut next = 0;
    assert_eq!(take(&mut reader, false, &mut next), 10);
    assert_silent(1, |now, patience| reader.writer(now, patience));
    let mut successor = ring.writer();
    assert_eq!(successor.position(), 10);
    // The first of these goes into the slot before those that the dead one had numbered.
    for number in 10..13 {
        successor.push(number, &[number; 6]).unwrap();
        assert_eq!(take(&mut reader, false, &mut next), 1);
    }
}

#[test]
fn stages_killed_in_a_stream_pass_each_message_on_once() {
    let here = SharedRing::<Body>::create("test", DEPTH).unwrap();
    let there = SharedRing::<Body>::create("test", DEPTH).unwrap();
    let (mut writer, mut reader) = (here.writer(), there.reader());
    let (mut sent, mut next) = (0, 0);
    let mut work = |feeds: bool| {
        while feeds && writer.push(sent, &[sent; 6]).is_ok() {
            sent += 1;
        }
        take(&mut reader, false, &mut next);
        (sent, next)
    };
    for owner in 1..=KILLS {
        let child = child_start("stage", &format!("{} {}", place(&here), place(&there)));
        let (tell, gone) = killer(child);
        let (_, before) = work(true);
        let enough = before + MESSAGES + owner * 17;
        until(|| (work(true).1 >= enough).then_some(()));
        if owner == KILLS {
            until(|| {
                let (sent, next) = work(false);
                (sent == next).then_some(())
            });
        }
        tell.send(()).unwrap();
        until(|| {
            work(owner < KILLS);
            gone.is_finished().then_some(())
        });
        gone.join().unwrap();
    }
    assert_silent(KILLS, |now, patience| writer.reader(now, patience));
    assert_silent(KILLS, |now, patience| reader.writer(now, patience));
    assert_eq!(
        here.reader().position().max(next),
        sent,
        "none is left over"
    );
}

#[test]
fn a_reader_killed_in_a_batch_leaves_what_it_had_not_given_back() {
    let ring = SharedRing::<Body>::create("test", DEPTH).unwrap();
    let mut writer = ring.writer();
    assert_eq!(writer.reader(now_ns(), SILENCE_NS), Peer::Absent);
    let (batch, end) = (QUARTER + 4, QUARTER + 13);
    (0..batch).for_each(|number| writer.push(number, &[number; 6]).unwrap());
    (batch..end).for_each(|number| writer.put(number, &[number; 6]).unwrap());
    writer.publish();
    let child = child_start("reader in a batch", &place(&ring));
    until(|| (writer.reader_beat_ns() > 0).then_some(()));
    kill(child);
    assert_silent(1, |now, patience| writer.reader(now, patience));
    // It gave a quarter ring back: what it took after that comes again, and its numbers say so.
    let mut successor = ring.reader();
    let mut next = successor.position();
    assert_eq!(next, QUARTER);
    assert_eq!(take(&mut successor, false, &mut next), 13);
    writer.push(end, &[end; 6]).unwrap();
    assert_eq!(take(&mut successor, false, &mut next), 1);
}
