//! Reads by replicas that are healthy and fresh enough, and by the primary where none is.
//!
//! Fresh is proven, not told: the router looks at the primary some times within its bound, and a
//! replica serves that has replayed up to where the primary was then. So no clock of a server is
//! believed, and a replica that lost its primary without noticing serves nobody. Who has written
//! names the position that he got, and reads what he wrote.
//!
//! While the primary does not answer, replicas serve what it was last seen with, for as long as
//! that takes: nothing is committed there meanwhile.

mod node;
mod sightings;

pub use node::Counted;

use crate::query::Reader;
use crate::{Error, Position, Server};
use node::{Node, Stand};
use sightings::Sightings;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How a router chooses.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// What a replica may lack at most: no transaction that is older.
    pub lag_max: Duration,
    /// How long a server may take to say where it is before another one is asked.
    pub look_max: Duration,
    /// How long it may then take to answer.
    pub answer_max: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            lag_max: Duration::from_secs(1),
            look_max: Duration::from_secs(1),
            answer_max: Duration::from_secs(5),
        }
    }
}

/// What was read, and of whom.
#[derive(Clone, Debug)]
pub struct Answer<T> {
    /// What was read.
    pub value: T,
    /// Host, port and database.
    pub server: String,
    /// It was the one that is written.
    pub is_primary: bool,
    /// What stands before it was there for the reader.
    pub position: Position,
}

/// A primary and those that follow it, for any number of threads.
#[derive(Debug)]
pub struct Router {
    primary: Node,
    replicas: Vec<Node>,
    sightings: Mutex<Sightings>,
    /// Which system the primary is of.
    system: Mutex<Option<i64>>,
    next: AtomicUsize,
}

impl Router {
    /// Nobody is connected to before there is something to read.
    #[must_use]
    pub fn new(primary: Server, replicas: Vec<Server>, bounds: Bounds) -> Self {
        let node = |server| Node::new(server, bounds);
        Self {
            primary: node(primary),
            replicas: replicas.into_iter().map(node).collect(),
            sightings: Mutex::new(Sightings::new(bounds.lag_max)),
            system: Mutex::new(None),
            next: AtomicUsize::new(0),
        }
    }

    /// Reads by the first server that will do; `work` is done again by another one if it fails.
    /// `after` is a position that the answer must be behind.
    ///
    /// # Errors
    /// None will do; the words say of each why. What is refused, whoever were asked, is refused.
    pub fn read<T>(
        &self,
        after: Option<Position>,
        work: &mut dyn FnMut(&Reader) -> Result<T, Error>,
    ) -> Result<Answer<T>, Error> {
        let mut troubles = Vec::new();
        let needed = self.needed(after, &mut troubles);
        let (count, first) = (
            self.replicas.len(),
            self.next.fetch_add(1, Ordering::Relaxed),
        );
        for at in 0..count {
            let node = &self.replicas[(first + at) % count];
            let why = match self.try_replica(node, needed, work) {
                Ok(answer) => return Ok(answer),
                Err(Error::Refused(words)) => return Err(Error::Refused(words)),
                Err(error) => error.to_string(),
            };
            troubles.push(why);
        }
        match self.try_primary(after, work) {
            Err(Error::Server(words)) => {
                if !troubles.contains(&words) {
                    troubles.push(words);
                }
                Err(Error::Server(troubles.join("; ")))
            }
            other => other,
        }
    }

    /// What each server did, the primary first.
    pub fn counted(&self) -> impl Iterator<Item = Counted> {
        let replicas = self.replicas.iter().map(|node| node.counted(false));
        std::iter::once(self.primary.counted(true)).chain(replicas)
    }

    fn sightings(&self) -> MutexGuard<'_, Sightings> {
        self.sightings
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Where a replica must be; looks at the primary if that was not done for a while.
    fn needed(&self, after: Option<Position>, troubles: &mut Vec<String>) -> Position {
        let after = after.unwrap_or_default();
        if self.replicas.is_empty() {
            return after;
        }
        let mut is_there = true;
        if self.sightings().are_old(Instant::now()) {
            match self.look_at_primary() {
                Ok((reader, _)) => self.primary.rest(reader),
                Err(words) => {
                    is_there = false;
                    troubles.push(words);
                }
            }
        }
        let needed = self.sightings().needed(Instant::now(), is_there);
        after.max(needed.unwrap_or_else(|| self.furthest()))
    }

    /// How far the furthest replica is: nothing else is known of a primary that was never seen.
    fn furthest(&self) -> Position {
        let stands = self.replicas.iter().filter_map(|node| {
            let (reader, stand) = node.open().ok()?;
            node.rest(reader);
            stand.is_replica.then_some(stand.position)
        });
        stands.max().unwrap_or_default()
    }

    /// Connects to the primary and sees where it is.
    fn look_at_primary(&self) -> Result<(Reader, Stand), String> {
        let at = Instant::now();
        let (reader, stand) = self.primary.open()?;
        if stand.is_replica {
            self.primary.rest(reader);
            let server = self.primary.words();
            return Err(format!(
                "database {server}: it is no primary, it follows another server"
            ));
        }
        *self.system() = Some(stand.system);
        self.sightings().add(at, stand.position);
        Ok((reader, stand))
    }

    fn system(&self) -> MutexGuard<'_, Option<i64>> {
        self.system.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn try_replica<T>(
        &self,
        node: &Node,
        needed: Position,
        work: &mut dyn FnMut(&Reader) -> Result<T, Error>,
    ) -> Result<Answer<T>, Error> {
        let (reader, stand) = node.open().map_err(Error::Server)?;
        let system = *self.system();
        let why = match () {
            () if !stand.is_replica => "it is no replica any more, it follows nobody".to_owned(),
            () if system.is_some_and(|system| system != stand.system) => {
                "it follows another primary".to_owned()
            }
            () if stand.position < needed => {
                node.was_behind(reader);
                let at = stand.position;
                let words = format!(
                    "database {}: it is at {at}, not yet at {needed}",
                    node.words()
                );
                return Err(Error::Server(words));
            }
            () => return done(node, (reader, stand), work),
        };
        node.rest(reader);
        Err(Error::Server(format!("database {}: {why}", node.words())))
    }

    fn try_primary<T>(
        &self,
        after: Option<Position>,
        work: &mut dyn FnMut(&Reader) -> Result<T, Error>,
    ) -> Result<Answer<T>, Error> {
        let (reader, stand) = self.look_at_primary().map_err(Error::Server)?;
        if let Some(after) = after.filter(|after| *after > stand.position) {
            self.primary.rest(reader);
            let (server, at) = (self.primary.words(), stand.position);
            return Err(Error::Server(format!(
                "database {server}: it is at {at}, and what was written up to {after} is not \
                 there: the position is another database's, or what was written is lost"
            )));
        }
        done(&self.primary, (reader, stand), work)
    }
}

/// Has the work done by a server. The position is asked for again behind it: a server goes on, and
/// nobody may be told one that is further back than what was read.
fn done<T>(
    node: &Node,
    (reader, stand): (Reader, Stand),
    work: &mut dyn FnMut(&Reader) -> Result<T, Error>,
) -> Result<Answer<T>, Error> {
    let (value, position) = node.use_it((reader, stand.is_replica), &mut |reader| {
        let value = work(reader)?;
        Ok((value, node::stand(reader)?.position))
    })?;
    Ok(Answer {
        value,
        server: node.words(),
        is_primary: !stand.is_replica,
        position,
    })
}
