//! Who wants what, and what it is now.

use super::board::Change;
use super::outbox::{Frame, Outbox, Pushed, Topic};
use super::{Channel, Format, Level, Message, News, Sight, Trade, compact, json};
use crate::config::Limits;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use websocket::{Kind, Packer, frame, packed_frame};

/// Trades that a snapshot has.
const TRADES_KEPT: usize = 50;

/// Trades of a message at most; more of them make more messages.
const TRADES_MAX: usize = 1_000;

/// Messages smaller than that are never compressed.
const PACKED_MIN: usize = 128;

/// What a symbol is now.
pub(super) struct Update {
    pub(super) symbol: String,
    pub(super) levels: [Vec<Level>; 2],
    pub(super) change: Change,
}

/// Of which symbols updates are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// Of those that changed.
    These,
    /// Of all that there are, and what was known before need not hold.
    All,
    /// The same, in a session that has nothing of the one before it.
    NewSession,
}

/// What was told of a symbol.
struct Symbol {
    name: Arc<str>,
    levels: [Vec<Level>; 2],
    trades: VecDeque<Trade>,
    sequences: [u64; 3],
    time_ns: u64,
    wanted: [Vec<Arc<Outbox>>; 3],
}

/// How much was done, for the service's own metrics.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Done {
    /// Messages that were made, whoever wanted them.
    pub(crate) messages: u64,
    /// Messages that were put into queues.
    pub(crate) deliveries: u64,
    /// How often a queue was too full for one, and its topic waited for its state.
    pub(crate) conflated: u64,
}

struct Inside {
    symbols: Vec<Symbol>,
    numbers: BTreeMap<Arc<str>, u32>,
    /// Who wants a channel of all symbols, those to come included.
    everything: [Vec<Arc<Outbox>>; 3],
    connections: Vec<Arc<Outbox>>,
    sight: Sight,
    packer: Packer,
    done: Done,
}

/// The market as it was told, and those who are told.
pub(crate) struct Hub {
    inside: Mutex<Inside>,
    pub(super) limits: Limits,
}

impl Hub {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            inside: Mutex::new(Inside {
                symbols: Vec::new(),
                numbers: BTreeMap::new(),
                everything: Default::default(),
                connections: Vec::new(),
                sight: Sight::Joining,
                packer: Packer::new(),
                done: Done::default(),
            }),
            limits,
        }
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Streams that are open, and what was done for all that there were.
    pub(super) fn counted(&self) -> (u64, Done) {
        let inside = self.inside();
        (inside.connections.len() as u64, inside.done)
    }

    /// How the market is known.
    pub(crate) fn sight(&self) -> Sight {
        self.inside().sight
    }

    /// A connection begins: it is told how the feed stands.
    pub(super) fn join(&self, outbox: &Arc<Outbox>) {
        let mut inside = self.inside();
        inside.connections.push(Arc::clone(outbox));
        outbox.put(None, sighted(inside.sight, outbox.format));
    }

    /// A connection ends.
    pub(super) fn leave(&self, outbox: &Arc<Outbox>) {
        let mut inside = self.inside();
        let other = |it: &Arc<Outbox>| !Arc::ptr_eq(it, outbox);
        inside.connections.retain(other);
        inside
            .everything
            .iter_mut()
            .for_each(|all| all.retain(other));
        for symbol in &mut inside.symbols {
            symbol.wanted.iter_mut().for_each(|all| all.retain(other));
        }
    }

    /// The symbols that there are.
    pub(crate) fn symbols(&self) -> Vec<Arc<str>> {
        self.inside().numbers.keys().cloned().collect()
    }

    /// A connection wants a channel of some symbols, or of all: it is to be told what they are
    /// now. Gives the names that nobody knows, and then nothing was done.
    pub(super) fn subscribe(
        &self,
        outbox: &Arc<Outbox>,
        channel: Channel,
        names: Option<&[String]>,
    ) -> Result<(), Vec<String>> {
        let mut inside = self.inside();
        let is_it = |it: &Arc<Outbox>| Arc::ptr_eq(it, outbox);
        let numbers = inside.numbered(names)?;
        let all = &mut inside.everything[channel as usize];
        if names.is_none() && !all.iter().any(is_it) {
            all.push(Arc::clone(outbox));
        }
        for number in &numbers {
            let wanted = &mut inside.symbols[*number as usize].wanted[channel as usize];
            if !wanted.iter().any(is_it) {
                wanted.push(Arc::clone(outbox));
            }
        }
        outbox.owe(channel, &numbers);
        Ok(())
    }

    /// A connection does not want it any more.
    pub(super) fn unsubscribe(
        &self,
        outbox: &Arc<Outbox>,
        channel: Channel,
        names: Option<&[String]>,
    ) -> Result<(), Vec<String>> {
        let mut inside = self.inside();
        let other = |it: &Arc<Outbox>| !Arc::ptr_eq(it, outbox);
        let numbers = inside.numbered(names)?;
        if names.is_none() {
            inside.everything[channel as usize].retain(other);
        }
        for number in &numbers {
            inside.symbols[*number as usize].wanted[channel as usize].retain(other);
        }
        outbox.forget(channel, &numbers);
        Ok(())
    }

    /// Tells a connection what a topic is now, in the place of what was thrown away.
    pub(super) fn catch_up(&self, outbox: &Arc<Outbox>, topic: Topic) {
        let mut inside = self.inside();
        let state = inside.state(topic, outbox);
        outbox.put(Some(topic), state);
    }

    /// Tells everybody how the feed stands, if it stands otherwise than before.
    pub(super) fn sighted(&self, sight: Sight) {
        let mut inside = self.inside();
        if core::mem::replace(&mut inside.sight, sight) == sight {
            return;
        }
        for outbox in &inside.connections {
            outbox.put(None, sighted(sight, outbox.format));
        }
    }

    /// Tells what changed.
    pub(super) fn publish(&self, mut updates: Vec<Update>, reach: Reach, now_ns: u64) {
        if reach != Reach::These {
            let told: BTreeSet<&str> = updates.iter().map(|it| &*it.symbol).collect();
            let gone = self.inside().others(&told);
            updates.extend(gone);
        }
        for update in updates {
            // Others have their turn between two symbols.
            let mut inside = self.inside();
            let number = inside.number(&update.symbol);
            inside.tell(number, update, reach, now_ns);
        }
    }
}

impl Inside {
    /// Symbols that are none of these and have orders: they have none now.
    fn others(&self, told: &BTreeSet<&str>) -> Vec<Update> {
        let is_gone = |symbol: &&Symbol| {
            symbol.levels.iter().any(|side| !side.is_empty()) && !told.contains(&*symbol.name)
        };
        let gone = self.symbols.iter().filter(is_gone).map(|symbol| Update {
            symbol: symbol.name.to_string(),
            levels: Default::default(),
            change: Change::default(),
        });
        gone.collect()
    }

    /// The numbers of these symbols, or of all, in rising order; or the names of those that are
    /// none.
    fn numbered(&self, names: Option<&[String]>) -> Result<Vec<u32>, Vec<String>> {
        let Some(names) = names else {
            return Ok((0..self.symbols.len() as u32).collect());
        };
        let number = |name: &String| self.numbers.get(&**name).copied();
        let unknown = names.iter().filter(|name| number(name).is_none());
        let unknown: Vec<String> = unknown.cloned().collect();
        if !unknown.is_empty() {
            return Err(unknown);
        }
        let mut numbers: Vec<u32> = names.iter().filter_map(number).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// A symbol's number, a new one for a new symbol.
    fn number(&mut self, name: &str) -> u32 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = self.symbols.len() as u32;
        let name: Arc<str> = name.into();
        self.numbers.insert(Arc::clone(&name), number);
        self.symbols.push(Symbol {
            name,
            levels: Default::default(),
            trades: VecDeque::new(),
            sequences: [0; 3],
            time_ns: 0,
            wanted: Default::default(),
        });
        for channel in Channel::ALL {
            for outbox in self.everything[channel as usize].clone() {
                outbox.owe(channel, &[number]);
                self.symbols[number as usize].wanted[channel as usize].push(outbox);
            }
        }
        number
    }

    fn tell(&mut self, number: u32, update: Update, reach: Reach, now_ns: u64) {
        let symbol = &mut self.symbols[number as usize];
        symbol.time_ns = now_ns;
        let before = core::mem::replace(&mut symbol.levels, update.levels);
        let levels = [0, 1].map(|side| changes(&before[side], &symbol.levels[side]));
        let top = symbol.top();
        let is_other_top = top != [before[0].first().copied(), before[1].first().copied()];
        let Change { trades, broken } = update.change;
        if reach == Reach::NewSession {
            symbol.trades.clear();
        }
        symbol.trades.extend(trades.iter().copied());
        let kept = symbol.trades.len().saturating_sub(TRADES_KEPT);
        symbol.trades.drain(..kept);
        symbol.trades.retain(|trade| !broken.contains(&trade.id));
        if reach != Reach::These {
            // Some may have been missed for good: these are the last ones that are known.
            for outbox in &symbol.wanted[Channel::Trades as usize] {
                outbox.owe(Channel::Trades, &[number]);
            }
        }
        // The same order in which they happened: trades, what was taken back of them, the book.
        for trades in trades.chunks(TRADES_MAX) {
            let news = News::Trades(trades.to_vec(), Vec::new());
            self.send((number, Channel::Trades), news);
        }
        for broken in broken.chunks(TRADES_MAX) {
            let news = News::Trades(Vec::new(), broken.to_vec());
            self.send((number, Channel::Trades), news);
        }
        if is_other_top {
            self.send((number, Channel::Top), News::Top(top));
        }
        if levels.iter().any(|side| !side.is_empty()) {
            self.send((number, Channel::Book), News::Book(levels));
        }
    }

    /// Makes a message of news, once in each form that somebody wants, and gives it to them.
    fn send(&mut self, topic: Topic, news: News) {
        let (number, channel) = (topic.0 as usize, topic.1);
        let symbol = &mut self.symbols[number];
        symbol.sequences[channel as usize] += 1;
        self.done.messages += 1;
        let message = Message {
            symbol: &symbol.name,
            sequence: symbol.sequences[channel as usize],
            time_ns: symbol.time_ns,
            is_snapshot: false,
            news,
        };
        for format in [Format::Json, Format::Compact] {
            let wanted = symbol.wanted[channel as usize].iter();
            let wanted = wanted.filter(|outbox| outbox.format == format);
            let mut wanted = wanted.peekable();
            if wanted.peek().is_none() {
                continue;
            }
            let is_packed = wanted.clone().any(|outbox| outbox.is_packed());
            let bytes = message.write(format);
            let frame = Arc::new(framed(&bytes, format, is_packed, &mut self.packer));
            for outbox in wanted {
                match outbox.push(topic, &frame) {
                    Pushed::Queued => self.done.deliveries += 1,
                    Pushed::Conflated => self.done.conflated += 1,
                    Pushed::Behind => {}
                }
            }
        }
    }

    /// What a topic is now, framed for one connection.
    fn state(&mut self, topic: Topic, outbox: &Outbox) -> Frame {
        let symbol = &self.symbols[topic.0 as usize];
        let news = match topic.1 {
            Channel::Book => News::Book(symbol.levels.clone()),
            Channel::Top => News::Top(symbol.top()),
            Channel::Trades => News::Trades(symbol.trades.iter().copied().collect(), Vec::new()),
        };
        let message = Message {
            symbol: &symbol.name,
            sequence: symbol.sequences[topic.1 as usize],
            time_ns: symbol.time_ns,
            is_snapshot: true,
            news,
        };
        let bytes = message.write(outbox.format);
        framed(&bytes, outbox.format, outbox.is_packed(), &mut self.packer)
    }
}

impl Symbol {
    fn top(&self) -> [Option<Level>; 2] {
        [0, 1].map(|side| self.levels[side].first().copied())
    }
}

fn framed(bytes: &[u8], format: Format, is_packed: bool, packer: &mut Packer) -> Frame {
    let kind = match format {
        Format::Json => Kind::Text,
        Format::Compact => Kind::Binary,
    };
    let plain = frame(kind, bytes);
    let packed = (is_packed && bytes.len() >= PACKED_MIN)
        .then(|| packed_frame(kind, bytes, packer))
        .filter(|packed| packed.len() < plain.len());
    Frame { plain, packed }
}

fn sighted(sight: Sight, format: Format) -> Frame {
    let plain = match format {
        Format::Json => frame(Kind::Text, json::sight(sight).as_bytes()),
        Format::Compact => frame(Kind::Binary, &compact::sight(sight)),
    };
    Frame {
        plain,
        packed: None,
    }
}

/// The levels that are others now; those that are gone have no units. In the order of the book
/// that is, gone ones last.
fn changes(before: &[Level], after: &[Level]) -> Vec<Level> {
    let was: BTreeMap<i64, &Level> = before.iter().map(|level| (level.price, level)).collect();
    let is: BTreeMap<i64, &Level> = after.iter().map(|level| (level.price, level)).collect();
    let other = after
        .iter()
        .filter(|level| was.get(&level.price) != Some(level));
    let gone = before.iter().filter(|level| !is.contains_key(&level.price));
    let gone = gone.map(|level| Level {
        units: 0,
        orders: 0,
        ..*level
    });
    other.copied().chain(gone).collect()
}
