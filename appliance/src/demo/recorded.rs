//! A recorded flow against a venue, through a crash in the middle where that is asked for.

use nic::{Clock, Net, RealClock, RealNet, RealUdp, SocketTcp, TcpLimits};
use session::feed::State;
use std::collections::BTreeMap;
use trading::{Applied, Books};
use wire::itch::Message;

use super::arena::Addresses;
use super::venue::Summary;
use super::{Arena, Plan, VenueProcess};
use crate::client::members::{Login, Members};
use crate::client::recorded::{MEMBERS, Player, Verdict};
use crate::client::subscriber::Subscriber;
use crate::venue::idle;
use flow::recorded::Recorded;

/// Silence after which a demo gives up on what it waits for.
const PATIENCE_NS: u64 = 60 * session::SECOND_NS;
/// The recorded flow's symbol.
pub const SYMBOL: &str = "RECORDED";

/// What playing a record found.
pub struct Played {
    /// Commands of the record.
    pub commands: usize,
    /// Commands sent again after the crash.
    pub sent_again: usize,
    /// Inputs that the restarted venue read from its journal, where there was a crash.
    pub killed_after: Option<usize>,
    /// Fills by the replies.
    pub replies: Verdict,
    /// Trades on the feed that differ from the replies, in words.
    pub feed_differences: Vec<String>,
    /// Trades on the feed.
    pub feed_trades: usize,
    /// Books by the feed.
    pub books: Books,
    /// What the venue said at its end.
    pub summary: Summary,
    /// Seconds from the first command to the last answer, restart included.
    pub seconds: f64,
}

/// Plays `lines`; kills the venue after so many answers and starts it again.
///
/// # Errors
/// What could not be done, in words.
pub fn run(
    arena: &Arena,
    plan_of: impl FnOnce(Addresses, Vec<Login>, Vec<String>) -> Plan,
    lines: Vec<Recorded>,
    kill_after: Option<usize>,
) -> Result<(Plan, Played), String> {
    let ports = arena
        .subscribe()
        .map_err(|error| format!("the subscriber's ports: {error}"))?;
    let logins = ["MAKER", "TAKER"].into_iter().map(Login::with_new_key);
    let logins = logins.collect::<Result<Vec<_>, _>>()?;
    let plan = plan_of(ports.addresses, logins.clone(), vec![SYMBOL.to_owned()]);
    let venue = VenueProcess::start(arena, &plan)?;
    let limits = TcpLimits {
        connections: 2 * MEMBERS as u16,
        ..TcpLimits::default()
    };
    let tcp = RealNet::new()
        .tcp_client(limits)
        .map_err(|error| error.to_string())?;
    let members = Members::new(tcp, venue.order_entry, &logins, 1);
    let rerequest = Some(venue.rerequest);
    let mut stage = Stage {
        player: Player::new(members, SYMBOL, lines)?,
        subscriber: Subscriber::new(ports.feed, ports.requests, rerequest),
        trades: BTreeMap::new(),
        clock: RealClock::new(),
        venue: Some(venue),
    };
    let start_ns = stage.clock.now_ns();
    let killed_after = match kill_after {
        Some(answers) => {
            stage.drive(answers)?;
            let killed_after = stage.player.answered();
            stage.crash(arena, &plan)?;
            Some(killed_after)
        }
        None => None,
    };
    stage.drive(usize::MAX)?;
    let seconds = (stage.clock.now_ns() - start_ns) as f64 / 1e9;
    let summary = stage.end()?;
    Ok((plan, stage.played(summary, killed_after, seconds)))
}

struct Stage {
    player: Player<SocketTcp>,
    subscriber: Subscriber<RealUdp>,
    /// By match number: the maker's order reference and the units, as the feed told them.
    trades: BTreeMap<u64, (u64, u32)>,
    clock: RealClock,
    venue: Option<VenueProcess>,
}

impl Stage {
    /// One turn of members and subscriber; tells whether anything moved.
    fn turn(&mut self) -> Result<bool, String> {
        let now_ns = self.clock.now_ns();
        let moved = self
            .player
            .poll(now_ns)
            .map_err(|error| error.to_string())?;
        let Self {
            subscriber, trades, ..
        } = self;
        let packets = subscriber.poll(now_ns, &mut |_, message, applied| {
            if let (Message::OrderExecuted(m), Applied::Changed) = (message, applied) {
                trades.insert(m.match_number(), (m.order_ref(), m.shares()));
            }
        });
        Ok(moved + packets > 0)
    }

    /// Until so many answers came, or all.
    fn drive(&mut self, answers: usize) -> Result<(), String> {
        let mut answered = self.player.answered();
        let mut progress_ns = self.clock.now_ns();
        let mut idle_turns = 0;
        while !self.player.is_done() && self.player.answered() < answers {
            let is_busy = self.turn()?;
            idle_turns = if is_busy { 0 } else { idle_turns + 1 };
            idle(idle_turns);
            let now_ns = self.clock.now_ns();
            if self.player.answered() != answered {
                answered = self.player.answered();
                progress_ns = now_ns;
            }
            if now_ns - progress_ns > PATIENCE_NS {
                return Err(format!(
                    "{answered} answers, and no further one for a minute"
                ));
            }
        }
        Ok(())
    }

    /// Kills the venue and starts it again on what it left.
    fn crash(&mut self, arena: &Arena, plan: &Plan) -> Result<(), String> {
        let Some(venue) = self.venue.take() else {
            return Err("no venue".to_owned());
        };
        venue.kill()?;
        let venue = VenueProcess::start_again(arena, &plan.topology_path())?;
        self.player.reconnect(venue.order_entry);
        self.subscriber.rerequest_at(venue.rerequest);
        self.venue = Some(venue);
        Ok(())
    }

    fn end(&mut self) -> Result<Summary, String> {
        let Some(mut venue) = self.venue.take() else {
            return Err("no venue".to_owned());
        };
        venue.terminate();
        let start_ns = self.clock.now_ns();
        while !venue.ended()? {
            self.turn()?;
            if self.clock.now_ns() - start_ns > PATIENCE_NS {
                return Err("the venue did not end in a minute".to_owned());
            }
        }
        self.turn()?;
        if self.subscriber.state() != State::Ended {
            eprintln!("demo: the feed's end of session was not seen");
        }
        venue.summary()
    }

    fn played(self, summary: Summary, killed_after: Option<usize>, seconds: f64) -> Played {
        let by_replies = self.player.trades_by_order_ref();
        let mut feed_differences = Vec::new();
        for (number, reply) in &by_replies {
            let feed = self.trades.get(number);
            if feed != Some(reply) {
                feed_differences.push(format!("match {number}: {feed:?} instead of {reply:?}"));
            }
        }
        if self.trades.len() != by_replies.len() {
            let (feed, replies) = (self.trades.len(), by_replies.len());
            feed_differences.push(format!(
                "{feed} trades on the feed, {replies} in the replies"
            ));
        }
        Played {
            commands: self.player.commands(),
            sent_again: self.player.sent_again(),
            killed_after,
            replies: self.player.verdict(),
            feed_differences,
            feed_trades: self.trades.len(),
            books: self.subscriber.books().clone(),
            summary,
            seconds,
        }
    }
}
