//! The session layer by the cases that FIX's acceptance tests pin down: messages in, and what comes
//! out.
#![allow(clippy::unwrap_used)]

mod pieces;

use fix::message::{Body, Message, Split, split};
use fix::numbers::{Numbers, Sent};
use fix::session::{Names, Session, Step};
use pieces::frame_of;
use std::path::PathBuf;
use tempfile::TempDir;

const NOW: u64 = 1_795_298_283_125_000_000;
const SECOND: u64 = 1_000_000_000;

/// A session that was logged on to with number 1.
struct Stage {
    session: Session,
    now: u64,
    path: PathBuf,
    _dir: TempDir,
}

fn frame(kind: &str, number: u64, fields: &str) -> Vec<u8> {
    frame_of(kind, number, fields, NOW)
}

/// The same bytes with a piece changed, and length and checksum right again.
fn changed(frame: &[u8], from: &str, to: &str) -> Vec<u8> {
    let text = String::from_utf8(frame.to_vec())
        .unwrap()
        .replace('\x01', "|");
    assert!(text.contains(from), "{text} has no {from}");
    let text = text.replacen(from, to, 1);
    let body = text.split_once("|9=").unwrap().1.split_once('|').unwrap().1;
    let body = body.rsplit_once("10=").unwrap().0;
    let begin = text.split_once("|9=").unwrap().0;
    let head = format!("{begin}|9={}|{body}", body.len()).replace('|', "\x01");
    let sum = head.bytes().fold(0_u8, u8::wrapping_add);
    format!("{head}10={sum:03}\x01").into_bytes()
}

fn names() -> Names {
    Names {
        us: "VENUE".into(),
        them: "ALPHA".into(),
    }
}

impl Stage {
    fn new() -> Self {
        Self::logged_on(1, "98=0|108=10|")
    }

    fn logged_on(number: u64, fields: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("numbers");
        let numbers = Numbers::open(&path).unwrap();
        let logon = Message::read(frame("A", number, fields));
        let mut session = Session::accept(names(), numbers, &logon, NOW);
        session.logged_on(&logon, NOW);
        Self {
            session,
            now: NOW,
            path,
            _dir: dir,
        }
    }

    fn take(&mut self, frame: &[u8]) -> Step {
        assert_eq!(split(frame), Split::Message(frame.len()));
        let step = self
            .session
            .message(&Message::read(frame.to_vec()), self.now);
        self.session.resend(self.now, &|reply| {
            Some(("8".into(), Body::default().with(17, reply)))
        });
        step
    }

    /// What was sent: MsgType, number, and the fields that count.
    fn said(&mut self) -> Vec<String> {
        let out = self.session.take_out();
        let mut said = Vec::new();
        let mut rest = out.as_slice();
        while let Split::Message(bytes) = split(rest) {
            let message = Message::read(rest[..bytes].to_vec());
            rest = &rest[bytes..];
            let mut text = format!("{} {}", message.kind(), message.text(34).unwrap());
            for tag in [7, 16, 36, 43, 45, 58, 112, 123, 141, 371, 372, 373, 17] {
                if let Some(value) = message.text(tag) {
                    text += &format!(" {tag}={value}");
                }
            }
            said.push(text);
        }
        assert!(rest.is_empty());
        said
    }
}

/// A script: what a member sends, what is to be done, and what it hears.
type Case = (&'static str, Vec<Vec<u8>>, Step, &'static [&'static str]);

#[test]
fn the_cases_of_the_session_layer() {
    let late = |ns: u64| frame_of("0", 2, "", NOW - ns);
    let cases: Vec<Case> = vec![
        (
            "1a logon and heartbeat",
            vec![frame("0", 2, "")],
            Step::Done,
            &["A 1"],
        ),
        (
            "4a heartbeat answers a test request",
            vec![frame("1", 2, "112=hello|")],
            Step::Done,
            &["A 1", "0 2 112=hello"],
        ),
        (
            "test request without an id",
            vec![frame("1", 2, "")],
            Step::Done,
            &[
                "A 1",
                "3 2 45=2 58=required field is missing 371=112 372=1 373=1",
            ],
        ),
        (
            "2b number too high: the gap is asked for once",
            vec![frame("0", 5, ""), frame("0", 6, "")],
            Step::Done,
            &["A 1", "2 2 7=2 16=0"],
        ),
        (
            "2c number too low",
            vec![frame("0", 1, "")],
            Step::Close,
            &[
                "A 1",
                "5 2 58=MsgSeqNum too low, expecting 2 but received 1",
            ],
        ),
        (
            "2e seen before and marked so",
            vec![changed(
                &frame("0", 1, "122=20261121-21:58:03|"),
                "|34=1|",
                "|34=1|43=Y|",
            )],
            Step::Done,
            &["A 1"],
        ),
        (
            "2g marked as possible duplicate without its first time",
            vec![changed(&frame("0", 1, ""), "|34=1|", "|34=1|43=Y|")],
            Step::Done,
            &[
                "A 1",
                "3 2 45=1 58=required field is missing 371=122 372=0 373=1",
            ],
        ),
        (
            "2f first sent after it was sent",
            vec![frame("0", 2, "122=20261121-22:58:03|")],
            Step::Close,
            &[
                "A 1",
                "3 2 45=2 58=SendingTime accuracy problem 371=52 372=0 373=10",
                "5 3 58=SendingTime (52) is missing or wrong",
            ],
        ),
        (
            "2o sent two minutes ago",
            vec![late(121 * SECOND)],
            Step::Close,
            &[
                "A 1",
                "3 2 45=2 58=SendingTime accuracy problem 371=52 372=0 373=10",
                "5 3 58=SendingTime (52) is missing or wrong",
            ],
        ),
        (
            "sent a minute ago",
            vec![late(60 * SECOND)],
            Step::Done,
            &["A 1"],
        ),
        (
            "2i another version",
            vec![changed(&frame("0", 2, ""), "8=FIX.4.4", "8=FIX.4.2")],
            Step::Close,
            &["A 1", "5 2 58=BeginString (8) is not FIX.4.4"],
        ),
        (
            "2k another name",
            vec![changed(&frame("0", 2, ""), "49=ALPHA", "49=BRAVO")],
            Step::Close,
            &[
                "A 1",
                "3 2 45=2 58=CompID problem 372=0 373=9",
                "5 3 58=SenderCompID (49) or TargetCompID (56) is wrong",
            ],
        ),
        (
            "no number",
            vec![changed(&frame("0", 2, ""), "|34=2|", "|")],
            Step::Close,
            &["A 1", "5 2 58=MsgSeqNum (34) is missing"],
        ),
        (
            "14e a field without a value",
            vec![frame("0", 2, "112=|")],
            Step::Done,
            &["A 1", "3 2 45=2 58=field has no value 371=112 372=0 373=4"],
        ),
        (
            "14g a field of the header twice",
            vec![frame("0", 2, "56=VENUE|")],
            Step::Done,
            &[
                "A 1",
                "3 2 45=2 58=field appears more than once 371=56 372=0 373=13",
            ],
        ),
        (
            "14a no tag",
            vec![frame("0", 2, "x=y|")],
            Step::Done,
            &["A 1", "3 2 45=2 58=a field without a tag 372=0 373=0"],
        ),
        (
            "8 everything again: nothing but administration",
            vec![frame("0", 2, ""), frame("2", 3, "7=1|16=0|")],
            Step::Done,
            &["A 1", "4 1 36=2 43=Y 123=Y"],
        ),
        (
            "10 a gap is filled",
            vec![frame("4", 2, "123=Y|36=9|"), frame("0", 9, "")],
            Step::Done,
            &["A 1"],
        ),
        (
            "11 a reset backward is refused and does not count",
            vec![frame("4", 2, "123=N|36=1|"), frame("0", 2, "")],
            Step::Done,
            &["A 1", "3 2 45=2 58=1 lies behind 2 371=36 372=4 373=5"],
        ),
        (
            "11 a reset forward, whatever its number",
            vec![frame("4", 77, "123=N|36=20|"), frame("0", 20, "")],
            Step::Done,
            &["A 1"],
        ),
        (
            "13 goodbye is answered",
            vec![frame("5", 2, "")],
            Step::Close,
            &["A 1", "5 2"],
        ),
        (
            "logon again",
            vec![frame("A", 2, "98=0|108=10|")],
            Step::Close,
            &["A 1", "5 2 58=logged on already"],
        ),
        (
            "application",
            vec![frame("D", 2, "11=x|")],
            Step::Application,
            &["A 1"],
        ),
    ];
    for (name, frames, last, expected) in cases {
        let mut stage = Stage::new();
        let steps: Vec<Step> = frames.iter().map(|frame| stage.take(frame)).collect();
        assert_eq!(steps.last(), Some(&last), "{name}");
        assert_eq!(stage.said(), expected, "{name}");
    }
}

#[test]
fn a_logon_behind_or_ahead_of_its_number() {
    let mut ahead = Stage::logged_on(7, "98=0|108=10|");
    assert_eq!(ahead.said(), ["A 1", "2 2 7=1 16=0"]);
    // What was asked for comes, and then all is as usual.
    for number in 1..=7 {
        let fields = "122=20261121-21:58:03|";
        let again = frame("0", number, fields);
        let again = changed(
            &again,
            &format!("|34={number}|"),
            &format!("|34={number}|43=Y|"),
        );
        assert_eq!(ahead.take(&again), Step::Done);
    }
    assert_eq!(ahead.take(&frame("1", 8, "112=x|")), Step::Done);
    assert_eq!(ahead.said(), ["0 3 112=x"]);

    let mut reset = Stage::logged_on(1, "98=0|108=10|141=Y|");
    assert_eq!(reset.said(), ["A 1 141=Y"]);
    assert_eq!(reset.session.numbers.next_in(), 2);
}

#[test]
fn silence_is_filled_asked_about_and_ended() {
    let mut stage = Stage::new();
    stage.said();
    assert_eq!(stage.session.poll(NOW + 9 * SECOND), Step::Done);
    assert!(stage.said().is_empty());
    assert_eq!(stage.session.poll(NOW + 10 * SECOND), Step::Done);
    assert_eq!(stage.said(), ["0 2"]);
    assert_eq!(stage.session.poll(NOW + 12 * SECOND), Step::Done);
    assert!(stage.said()[0].starts_with("1 3 112="));
    stage.now = NOW + 13 * SECOND;
    assert_eq!(stage.take(&frame("0", 2, "")), Step::Done);
    assert_eq!(stage.session.poll(NOW + 24 * SECOND), Step::Done);
    assert_eq!(stage.said(), ["0 4"]);
    assert_eq!(stage.session.poll(NOW + 37 * SECOND), Step::Close);
    assert_eq!(stage.said(), ["5 5 58=nothing was heard for too long"]);
}

#[test]
fn sent_again_with_gaps_filled_and_after_a_restart() {
    let mut stage = Stage::new();
    let own = Body::default().with(372, "V").with(17, "own");
    stage.session.numbers.send(NOW, Sent::Report(5));
    stage.session.own("j", &own, NOW);
    assert_eq!(stage.take(&frame("1", 2, "112=x|")), Step::Done);
    stage.session.numbers.send(NOW, Sent::Report(8));
    stage.said();
    let expected = [
        "4 1 36=2 43=Y 123=Y",
        "8 2 43=Y 17=5",
        "j 3 43=Y 372=V 17=own",
        "4 4 36=5 43=Y 123=Y",
        "8 5 43=Y 17=8",
    ];
    assert_eq!(stage.take(&frame("2", 3, "7=1|16=0|")), Step::Done);
    assert_eq!(stage.said(), expected);
    assert_eq!(stage.take(&frame("2", 4, "7=3|16=4|")), Step::Done);
    assert_eq!(
        stage.said(),
        ["j 3 43=Y 372=V 17=own", "4 4 36=5 43=Y 123=Y"]
    );
    stage.session.numbers.done_below(5);
    stage.session.numbers.flush().unwrap();

    let numbers = Numbers::open(&stage.path).unwrap();
    assert_eq!(
        (numbers.next_in(), numbers.next_out(), numbers.report_last()),
        (5, 6, 8)
    );
    let logon = Message::read(frame("A", 5, "98=0|108=10|"));
    stage.session = Session::accept(names(), numbers, &logon, NOW);
    stage.session.logged_on(&logon, NOW);
    assert_eq!(stage.take(&frame("2", 6, "7=1|16=5|")), Step::Done);
    assert_eq!(stage.said()[1..], expected);
}

#[test]
fn a_torn_line_never_happened_and_a_wrong_one_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("numbers");
    let mut numbers = Numbers::open(&path).unwrap();
    for reply in 1..=3 {
        numbers.send(NOW, Sent::Report(reply));
    }
    numbers.flush().unwrap();
    drop(numbers);
    let whole = std::fs::read(&path).unwrap();
    for cut in 0..whole.len() {
        std::fs::write(&path, &whole[..cut]).unwrap();
        let lines = whole[..cut].iter().filter(|byte| **byte == b'\n').count();
        let mut numbers = Numbers::open(&path).unwrap();
        assert_eq!(numbers.next_out(), lines.max(1) as u64, "cut at {cut}");
        numbers.send(NOW, Sent::Administrative);
        numbers.flush().unwrap();
        assert_eq!(
            Numbers::open(&path).unwrap().next_out(),
            lines.max(1) as u64 + 1
        );
    }
    std::fs::write(&path, "wirecross-fix 1\no 12 r 1\nbanana\n").unwrap();
    let error = Numbers::open(&path).unwrap_err().to_string();
    assert!(error.contains("numbers, line 3: `banana`"), "{error}");
}

/// Frames of rubbish between good ones: the good ones are found, nothing panics.
#[test]
fn rubbish_is_skipped() {
    let good = frame("0", 2, "");
    let mut stage = Stage::new();
    for from in 0..good.len() {
        for byte in [0, 1, b'8', b'=', b'9', 0xFF] {
            let mut stream = good.clone();
            stream[from] = byte;
            stream.extend_from_slice(&good);
            stream.extend_from_slice(&good);
            let (mut found, mut rest) = (0, stream.as_slice());
            loop {
                match split(rest) {
                    Split::Incomplete => break,
                    Split::Garbled(bytes) => {
                        assert!(bytes > 0);
                        rest = &rest[bytes..];
                    }
                    Split::Message(bytes) => {
                        found += usize::from(rest[..bytes] == good);
                        stage.take(&rest[..bytes]);
                        rest = &rest[bytes..];
                    }
                }
            }
            // A length that became greater may swallow the message behind.
            assert!(
                found >= 1 || rest.len() < stream.len(),
                "byte {from} became {byte}"
            );
        }
    }
    assert_eq!(split(&good[..good.len() - 1]), Split::Incomplete);
    let long = [b"8=FIX.4.4\x019=8193\x01".as_slice(), &[b'x'; 9_000]].concat();
    assert!(matches!(split(&long), Split::Garbled(_)));
}
