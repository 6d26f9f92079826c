//! The desk's book-keeper, off the hot path: it runs everything that came through a second desk of
//! the same file, writes the session, the decisions and the numbers, and at the end both desks must
//! have decided the same.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use queue::Reader;
use trading::Event;
use trading::backtest::Watcher;
use trading::desk::{Answer, Decision, Desk, Heard, Input, Remembered};

use super::brain::Digest;
use super::ledger::Ledger;
use super::orders::NOT_SENT;
use super::session::{Entry, HEAD, take};
use super::slip::{Said, Slip};
use crate::board::Line;
use crate::client::load::reasons;
use crate::tiles::BATCH;

/// The first line of a file of numbers.
const NUMBERS_HEAD: &str = "received_ns,market,updates,bid,bid_lots,offer,offer_lots,microprice,\
                            imbalance,imbalance_levels,order_flow,volatility,last,trades,taken";

/// What the strategy tile tells the book-keeper.
pub struct Records {
    /// Inputs of the desk, and calls that took too long.
    pub inputs: Reader<Slip>,
    /// Numbers of the markets.
    pub lines: Reader<Line>,
}

/// Files that are written while the desk works.
#[derive(Clone, Copy, Debug, Default)]
pub struct Papers<'p> {
    /// Everything that came.
    pub session: Option<&'p Path>,
    /// The numbers of the markets, a row for each change.
    pub numbers: Option<&'p Path>,
}

/// See the module.
pub struct Keeper<W> {
    /// The second desk.
    pub desk: Desk,
    /// What is kept.
    pub ledger: Ledger<W>,
    session: Option<BufWriter<File>>,
    numbers: Option<BufWriter<File>>,
    watch: Remembered,
    digest: Digest,
    inputs: u64,
    lines: u64,
    refused: BTreeMap<u16, u64>,
    is_broken: bool,
}

impl<W: Write> Keeper<W> {
    /// Nothing kept yet.
    ///
    /// # Errors
    /// A file cannot be made.
    pub fn new(desk: Desk, ledger: Ledger<W>, papers: Papers<'_>) -> Result<Self, String> {
        let open = |path: &Path, head: &str| {
            let named = |error: std::io::Error| format!("{}: {error}", path.display());
            let mut file = BufWriter::new(File::create(path).map_err(named)?);
            writeln!(file, "{head}").map_err(named)?;
            Ok::<_, String>(file)
        };
        let session = papers.session.map(|path| open(path, HEAD));
        let numbers = papers.numbers.map(|path| open(path, NUMBERS_HEAD));
        Ok(Self {
            desk,
            ledger,
            session: session.transpose()?,
            numbers: numbers.transpose()?,
            watch: Remembered::default(),
            digest: Digest::default(),
            inputs: 0,
            lines: 0,
            refused: BTreeMap::new(),
            is_broken: false,
        })
    }

    /// What the second desk decided.
    #[must_use]
    pub const fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Rows of numbers that were taken.
    #[must_use]
    pub const fn lines(&self) -> u64 {
        self.lines
    }

    /// What the venue refused and why, a line each.
    #[must_use]
    pub fn refusals(&self) -> String {
        let named = |(why, count): (String, u64)| format!("the venue refused {why}: {count}\n");
        let mut codes = self.refused.clone();
        let unsent = codes
            .remove(&NOT_SENT)
            .map(|count| ("not sent, it was away".to_owned(), count));
        reasons(&codes)
            .into_iter()
            .chain(unsent)
            .map(named)
            .collect()
    }

    /// Ends the files.
    ///
    /// # Errors
    /// One could not be written.
    pub fn end(&mut self) -> Result<(), String> {
        for file in [&mut self.session, &mut self.numbers] {
            self.is_broken |= file.as_mut().is_some_and(|it| it.flush().is_err());
        }
        if self.is_broken {
            return Err("the desk's files could not be written: is the disk full?".to_owned());
        }
        Ok(())
    }

    /// Takes what came; how much that was.
    pub fn take(&mut self, from: &mut Records) -> usize {
        let inputs = from
            .inputs
            .take(BATCH, |stamp, slip| match slip.read(stamp) {
                Some(Said::Input(input)) => self.input(&input),
                Some(Said::Overrun(overrun)) => {
                    self.write(&Entry::Overrun(overrun));
                    self.watch.add(overrun);
                }
                _ => {}
            });
        inputs + from.lines.take(BATCH, |stamp, line| self.line(stamp, line))
    }

    fn input(&mut self, input: &Input) {
        self.inputs += 1;
        self.write(&Entry::Input(self.inputs, *input));
        if let Input::Report(_, report) = input
            && let Answer::Refused(why) | Answer::ReplaceRefused(why) = report.what
        {
            *self.refused.entry(why).or_default() += 1;
        }
        let (ledger, digest) = (&mut self.ledger, &mut self.digest);
        let mut both = Both { ledger, digest };
        take(&mut self.desk, input, &mut self.watch, &mut both);
        self.desk.take_overruns(|_| ());
    }

    fn line(&mut self, received_ns: u64, line: &Line) {
        self.lines += 1;
        let Some(out) = &mut self.numbers else {
            return;
        };
        let [bid, offer] = [line.bid, line.offer];
        let written = writeln!(
            out,
            "{received_ns},{},{},{},{},{},{},{},{},{},{},{},{},{},{}",
            line.symbol,
            line.updates,
            bid[0],
            bid[1],
            offer[0],
            offer[1],
            line.microprice,
            line.imbalance[0],
            line.imbalance[1],
            line.order_flow,
            line.volatility,
            line.last_price,
            line.trades,
            line.taken,
        );
        self.is_broken |= written.is_err();
    }

    fn write(&mut self, entry: &Entry) {
        if let Some(session) = &mut self.session {
            self.is_broken |= writeln!(session, "{entry}").is_err();
        }
    }
}

/// A ledger and a digest, looking on together.
struct Both<'k, W> {
    ledger: &'k mut Ledger<W>,
    digest: &'k mut Digest,
}

impl<W: Write> Watcher for Both<'_, W> {
    fn decided(&mut self, desk: &Desk, decision: &Decision) {
        self.digest.add(decision);
        self.ledger.decided(desk, decision);
    }

    fn heard(&mut self, desk: &Desk, heard: &Heard) {
        self.ledger.heard(desk, heard);
    }

    fn event(&mut self, desk: &Desk, event: &Event) {
        self.ledger.event(desk, event);
    }
}
