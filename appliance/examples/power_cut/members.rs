//! Members with orders under way, and all that they read before the power was cut.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use session::ouch_client::{Order, OuchClient};
use session::soup_client::{ClientState, Heard, SoupConfig};
use wire::ouch::Outbound;

use crate::random::Random;

/// Who trades.
pub const USERS: [&str; 3] = ["ONE", "TWO", "THREE"];

/// What a member knows of a day, whatever the venue forgets.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// The day's replies as they were read: number `n` is at `n - 1`.
    pub replies: Vec<Vec<u8>>,
    /// Units and price of every order that was sent, by its number.
    pub sent: BTreeMap<u32, (u32, u64)>,
}

impl Ledger {
    /// Orders whose acceptance was read.
    pub fn acknowledged(&self) -> impl Iterator<Item = u32> + '_ {
        self.replies
            .iter()
            .filter_map(|reply| match Outbound::parse(reply) {
                Ok(Outbound::Accepted(accepted)) => Some(accepted.user_ref()),
                _ => None,
            })
    }
}

/// A member's connection, and its ledger.
pub struct Member {
    user: &'static str,
    pub ledger: Ledger,
    link: Option<(TcpStream, OuchClient)>,
    /// Replies read on this connection.
    read: usize,
    /// The last order that was answered, of those that were sent on this connection.
    answered: u32,
    /// The first order of this connection.
    first: u32,
    /// The first reply that is not what it was.
    differs: Option<String>,
}

impl Member {
    pub fn new(user: &'static str) -> Self {
        Self {
            user,
            ledger: Ledger::default(),
            link: None,
            read: 0,
            answered: 0,
            first: 1,
            differs: None,
        }
    }

    /// Connects, to hear the whole day again.
    ///
    /// # Errors
    /// The system's word.
    pub fn connect(&mut self, to: SocketAddr) -> Result<(), String> {
        let stream = TcpStream::connect(to).map_err(|error| format!("connect {to}: {error}"))?;
        let set = stream
            .set_nodelay(true)
            .and_then(|()| stream.set_nonblocking(true));
        set.map_err(|error| error.to_string())?;
        let mut ouch = OuchClient::new(SoupConfig {
            silence_ns: u64::MAX / 2,
            heartbeat_ns: u64::MAX / 2,
            ..SoupConfig::new(self.user, "secret")
        });
        ouch.soup().connected(0);
        self.first = self
            .ledger
            .sent
            .keys()
            .next_back()
            .map_or(1, |last| last + 1);
        ouch.set_user_ref_next(self.first);
        (self.read, self.answered) = (0, 0);
        self.link = Some((stream, ouch));
        Ok(())
    }

    /// The venue is gone.
    pub fn disconnect(&mut self) {
        self.link = None;
    }

    /// A new day: nothing of the old one counts.
    pub fn forget(&mut self) {
        self.ledger = Ledger::default();
    }

    /// Orders of this connection that wait for their answer.
    pub fn waiting(&self) -> usize {
        self.ledger
            .sent
            .range(self.first.max(self.answered + 1)..)
            .count()
    }

    /// Whether an order of this connection was answered: then all of the day before was heard.
    pub fn is_heard(&self) -> bool {
        self.answered >= self.first
    }

    /// Whether orders may be sent.
    pub fn is_live(&self) -> bool {
        let state = self.link.as_ref().map(|(_, ouch)| ouch.state());
        state == Some(ClientState::Live)
    }

    /// Sends an order around 100.0000, now and then a cancel.
    pub fn send(&mut self, random: &mut Random) {
        let Some((_, ouch)) = &mut self.link else {
            return;
        };
        if random.below(5) == 0 && self.answered > 0 {
            let victim = 1 + random.below(u64::from(self.answered)) as u32;
            let _ = ouch.cancel(victim, 0);
        }
        let side = [b'B', b'S'][random.below(2) as usize];
        let symbol = ["AAPL", "MSFT"][random.below(2) as usize];
        let (quantity, price) = (
            1 + random.below(500) as u32,
            999_000 + 100 * random.below(20),
        );
        if let Some(user_ref) = ouch.enter(&Order::day(side, quantity, symbol, price)) {
            self.ledger.sent.insert(user_ref, (quantity, price));
        }
    }

    /// Sends what waits, and reads nothing.
    pub fn push(&mut self) {
        if let Some((stream, ouch)) = &mut self.link {
            ouch.soup()
                .transmit(0, &mut |bytes| stream.write(bytes).unwrap_or(0));
        }
    }

    /// Moves bytes both ways; says whether something was read.
    ///
    /// # Errors
    /// A reply is not what it was before the cut, or makes no sense.
    pub fn turn(&mut self) -> Result<bool, String> {
        self.push();
        let Some((stream, ouch)) = &mut self.link else {
            return Ok(false);
        };
        let mut bytes = [0; 16 << 10];
        let length = match stream.read(&mut bytes) {
            Ok(length) => length,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
            Err(_) => 0,
        };
        let Self {
            ledger,
            read,
            answered,
            differs,
            user,
            ..
        } = self;
        ouch.soup().received(&bytes[..length], 0, &mut |heard| {
            if let Heard::Sequenced { message, .. } = heard {
                *read += 1;
                *answered = (*answered).max(taken(message).unwrap_or(0));
                match ledger.replies.get(*read - 1) {
                    None => ledger.replies.push(message.to_vec()),
                    Some(before) if before == message => {}
                    Some(before) => {
                        let number = *read;
                        differs.get_or_insert_with(|| {
                            format!("reply {number} of {user} was {before:x?}, and is {message:x?}")
                        });
                    }
                }
            }
        });
        match differs.take() {
            Some(difference) => Err(difference),
            None => Ok(length > 0),
        }
    }
}

/// The order that a reply answers.
fn taken(message: &[u8]) -> Option<u32> {
    match Outbound::parse(message) {
        Ok(Outbound::Accepted(accepted)) => Some(accepted.user_ref()),
        Ok(Outbound::Rejected(rejected)) => Some(rejected.user_ref()),
        _ => None,
    }
}
