//! Lives of a venue on one disk, each ended by force; after each one everything that a member read
//! must still be true.

use std::fs;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::disk::Disk;
use crate::log::{Log, day, name};
use crate::members::{Member, USERS};
use crate::random::Random;
use crate::venue::{Kernel, PATIENCE, Plan, Ready, Venue};

/// Lives that one trading day has.
const DAY_LIVES: u64 = 8;
/// The longest that a venue is left alone after its first answer.
const FLOW_US_MAX: u64 = 20_000;
/// One life in so many is ended while it starts, after at most so long.
const START_CUTS: u64 = 8;
const START_US_MAX: u64 = 40_000;
/// One cut in so many is followed by a look at how the venue itself ends.
const ENDS_WATCHED: u64 = 16;
/// Orders that a member may have under way.
const WINDOW_MAX: u64 = 64;

/// How a life ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The disk's power is cut.
    Cut,
    /// The process is killed; what it wrote stays in the kernel.
    Kill,
}

/// What lives did.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    pub lives: u64,
    /// Lives in which an acknowledgement was read.
    pub answered: u64,
    /// Acknowledged orders, each counted once.
    pub acknowledged: u64,
    /// Replies that were read, and orders that waited for theirs when a life ended.
    pub replies: u64,
    pub waiting: u64,
    /// Lives ended before members could connect.
    pub starts: u64,
    /// Venues that ended by themselves behind a cut.
    pub ends: u64,
    /// Lives that lost an acknowledged order, of those with an acknowledgement.
    pub losses: u64,
}

/// A venue on a disk, and its members.
pub struct Trial<'d> {
    pub plan: Plan,
    pub disk: &'d Disk,
    pub kernel: Kernel,
    pub members: Vec<Member>,
    pub random: Random,
    pub counts: Counts,
    /// The day that members heard of, and whether another one was asked for since.
    session: Option<String>,
    is_day_asked: bool,
    /// State behind the recovered log, of the day it is of.
    due: Option<(String, u64)>,
    /// Replies and acknowledged orders of this day that were counted.
    counted: (u64, u64),
}

impl<'d> Trial<'d> {
    pub fn new(plan: Plan, disk: &'d Disk, kernel: Kernel, seed: u64) -> Self {
        Self {
            plan,
            disk,
            kernel,
            members: USERS.map(Member::new).into(),
            random: Random(seed),
            counts: Counts::default(),
            session: None,
            is_day_asked: false,
            due: None,
            counted: (0, 0),
        }
    }

    /// One life, and a look at what is left of it.
    ///
    /// # Errors
    /// A promise was broken, or the venue does not do what a venue does.
    pub fn live(&mut self, ending: Ending) -> Result<(), String> {
        let kernel = self.kernel;
        let is_new_day = self.counts.lives.is_multiple_of(DAY_LIVES);
        self.is_day_asked |= is_new_day;
        self.counts.lives += 1;
        let started = self.plan.start(kernel, is_new_day, &[]);
        let mut venue = started.map_err(|error| format!("the venue: {error}"))?;
        let is_ready = self.trade(&mut venue)?;
        self.counts.starts += u64::from(!is_ready);
        self.end(&mut venue, ending, is_ready)?;
        let (replies, orders) = self.heard();
        self.counts.replies += replies - self.counted.0;
        self.counts.acknowledged += orders - self.counted.1;
        let is_answered = orders > self.counted.1;
        self.counted = (replies, orders);
        self.counts.answered += u64::from(is_answered);
        self.judge()
            .inspect_err(|_| self.counts.losses += u64::from(is_answered))
    }

    /// Replies and acknowledged orders that members know of.
    fn heard(&self) -> (u64, u64) {
        let ledgers = self.members.iter().map(|member| &member.ledger);
        ledgers.fold((0, 0), |(replies, orders), ledger| {
            let acknowledged = ledger.acknowledged().count();
            (
                replies + ledger.replies.len() as u64,
                orders + acknowledged as u64,
            )
        })
    }

    /// Starts and trades until the moment that the seed chose; says whether it became ready.
    fn trade(&mut self, venue: &mut Venue) -> Result<bool, String> {
        let is_start_cut = self.random.below(START_CUTS) == 0;
        let start_us = self.random.below(START_US_MAX);
        let flow_us = self.random.below(FLOW_US_MAX);
        let window = 1 + self.random.below(WINDOW_MAX) as usize;
        let began = Instant::now();
        let mut answered: Option<Instant> = None;
        let mut is_ready = false;
        loop {
            let is_over = match answered {
                _ if is_start_cut => began.elapsed() >= Duration::from_micros(start_us),
                Some(first) => first.elapsed() >= Duration::from_micros(flow_us),
                None => false,
            };
            if is_over {
                return Ok(is_ready);
            }
            if began.elapsed() > PATIENCE {
                return Err(format!("nobody is answered: {}", venue.stderr()));
            }
            if is_ready {
                self.turn(window)?;
                if answered.is_none() && self.members.iter().all(Member::is_heard) {
                    answered = Some(Instant::now());
                }
            } else if let Some(ready) = venue.ready()? {
                self.greet(&ready)?;
                is_ready = true;
            } else {
                std::thread::sleep(Duration::from_micros(100));
            }
        }
    }

    /// Every member once: reads, and sends while less than `window` of its orders wait.
    pub fn turn(&mut self, window: usize) -> Result<(), String> {
        let mut is_idle = true;
        for member in &mut self.members {
            is_idle &= !member.turn()?;
            while member.is_live() && member.waiting() < window {
                member.send(&mut self.random);
                is_idle = false;
            }
        }
        if is_idle {
            std::thread::yield_now();
        }
        Ok(())
    }

    /// Compares what a started venue says with what is known of its day, and lets members in.
    pub fn greet(&mut self, ready: &Ready) -> Result<(), String> {
        if self.session.as_ref() != Some(&ready.session) {
            if self.session.is_some() && !self.is_day_asked {
                return Err(format!(
                    "day {:?} became {}, which nobody asked for",
                    self.session, ready.session
                ));
            }
            self.forget();
            self.session = Some(ready.session.clone());
            remove_days_but(&self.plan.data, &ready.session)
                .map_err(|error| format!("old days: {error}"))?;
        }
        self.is_day_asked = false;
        if let Some((day, hash)) = &self.due
            && *day == ready.session
            && *hash != ready.state_hash
        {
            return Err(format!(
                "day {day} came back with state {:016x}; its log makes {hash:016x}",
                ready.state_hash
            ));
        }
        let to = ready.order_entry;
        self.members
            .iter_mut()
            .try_for_each(|member| member.connect(to))
    }

    fn end(&mut self, venue: &mut Venue, ending: Ending, is_ready: bool) -> Result<(), String> {
        let failed = |error: io::Error| format!("the disk: {error}");
        self.counts.waiting += self
            .members
            .iter()
            .map(|it| it.waiting() as u64)
            .sum::<u64>();
        if ending == Ending::Cut {
            // What was read is read; nobody reads from here on.
            self.disk.cut().map_err(failed)?;
            if is_ready && self.kernel != Kernel::Flushless && self.random.below(ENDS_WATCHED) == 0
            {
                self.watch_end(venue)?;
            }
        }
        venue.kill();
        self.members.iter_mut().for_each(Member::disconnect);
        if ending == Ending::Cut {
            self.disk.restore().map_err(failed)?;
        }
        Ok(())
    }

    /// A venue whose disk is gone ends by itself once it has to write, and says why.
    fn watch_end(&mut self, venue: &mut Venue) -> Result<(), String> {
        let mut has_to_write = false;
        for member in &mut self.members {
            if member.is_live() {
                member.send(&mut self.random);
                has_to_write = true;
            }
            member.push();
        }
        // The power may go before anybody is logged in.
        if !has_to_write {
            return Ok(());
        }
        let status = venue.end()?;
        let said = venue.stderr();
        if status.code() != Some(1) || !said.contains("nothing more is acknowledged") {
            return Err(format!(
                "without its disk the venue ended with {status}: {said}"
            ));
        }
        self.counts.ends += 1;
        Ok(())
    }

    /// Looks at what is on the disk.
    fn judge(&mut self) -> Result<(), String> {
        let data = self.plan.data.clone();
        self.due = None;
        let newest = day(&data);
        if let Some(newest) = &newest {
            let log = Log::read(newest)?;
            self.due = Some((name(newest), log.state_hash));
            if self.session.as_deref() == Some(&*name(newest)) {
                return self.judge_day(&log);
            }
        }
        match &self.session {
            Some(session) => self.judge_day(&Log::read(&data.join(session))?),
            None => Ok(()),
        }
    }

    fn judge_day(&self, log: &Log) -> Result<(), String> {
        let mut members = self.members.iter().zip(1..);
        let lost = members.find_map(|(member, session)| log.lost(session, &member.ledger));
        lost.map_or(Ok(()), Err)
    }

    fn forget(&mut self) {
        self.members.iter_mut().for_each(Member::forget);
        self.counted = (0, 0);
    }

    /// Begins again on an empty disk.
    ///
    /// # Errors
    /// The system's word.
    pub fn renew(&mut self) -> Result<(), String> {
        self.forget();
        (self.session, self.due) = (None, None);
        self.disk
            .renew()
            .map_err(|error| format!("the disk: {error}"))
    }
}

/// Makes room: days that are over are not looked at again.
fn remove_days_but(data: &Path, session: &str) -> io::Result<()> {
    for entry in fs::read_dir(data)? {
        let path = entry?.path();
        if path.is_dir() && !path.ends_with(session) {
            fs::remove_dir_all(path)?;
        }
    }
    Ok(())
}
