//! One login at the venue: what its client asks for goes out, what the venue says comes back, and
//! when either is gone it ends.

use super::events::event;
use super::messages::{Kind, OrderEvent};
use crate::answer::Refusal;
use crate::keys::Login;
use session::ouch_client::{Order, OuchClient, Replacement, Reply};
use session::soup_client::{ClientState, SoupConfig};
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::time::MissedTickBehavior;
use tonic::{Code, Status};
use wire::ouch::{Outbound, Tag};

/// Requests that wait for their answers at most.
pub(super) const WAITING_MAX: usize = 1_024;

/// Heartbeats and silences are looked at this often.
const TICK: Duration = Duration::from_millis(100);

/// Bytes that are read from the venue at a time.
const READ_BYTES: usize = 16 << 10;

/// What a client asks for.
#[derive(Clone, Debug)]
pub(super) enum Asked {
    Enter(Order, Vec<Tag<'static>>),
    /// Which order, and what comes in its place.
    Replace(u32, Replacement, Vec<Tag<'static>>),
    /// Units that are to be left in all.
    Cancel(u32),
    MassCancel([u8; 8], Vec<Tag<'static>>),
}

/// The same, under the number that it has or is to have.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    /// 0: the next one.
    pub(super) reference: u32,
    pub(super) asked: Asked,
}

/// Who is told what becomes of it.
pub(super) type Answer = oneshot::Sender<Result<OrderEvent, Refusal>>;

/// Requests on their way to a session.
pub(super) type Requests = mpsc::Receiver<(Ask, Answer)>;

/// What a client's stream is told.
pub(super) type Tell = mpsc::Sender<Result<OrderEvent, Status>>;

/// Why a session is over, for its client.
pub(super) fn over(why: impl Into<String>) -> Status {
    Status::new(Code::Unavailable, why)
}

/// A login, and what waits for its answers.
pub(super) struct Session {
    line: TcpStream,
    client: OuchClient,
    start: Instant,
    /// By the numbers of orders, replacements and mass cancels.
    entered: BTreeMap<u32, Answer>,
    /// By the numbers of the orders.
    canceled: BTreeMap<u32, VecDeque<Answer>>,
    /// Events that the stream was not told yet.
    events: VecDeque<OrderEvent>,
    /// Number of the next event.
    next: u64,
    is_ready: bool,
    /// How long the client may take nothing.
    stall: Duration,
}

impl Session {
    /// Connects, and begins to log in.
    pub(super) async fn open(
        venue: std::net::SocketAddr,
        login: &Login,
        from: u64,
        stall: Duration,
    ) -> io::Result<Self> {
        let line = TcpStream::connect(venue).await?;
        line.set_nodelay(true)?;
        let mut config = SoupConfig::new(&login.user, &login.password);
        config.sequence = from;
        let mut client = OuchClient::new(config);
        client.soup().connected(0);
        Ok(Self {
            line,
            client,
            start: Instant::now(),
            entered: BTreeMap::new(),
            canceled: BTreeMap::new(),
            events: VecDeque::new(),
            next: from,
            is_ready: false,
            stall,
        })
    }

    /// Runs until the client or the venue is gone; `on_ready` hears that requests are taken. Gives
    /// what the client is told, if it is there to be told.
    pub(super) async fn run(
        mut self,
        mut requests: Requests,
        tell: &Tell,
        mut on_ready: impl FnMut(),
    ) -> Option<Status> {
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut bytes = vec![0; READ_BYTES];
        loop {
            if let Err(status) = self.settle(tell, &mut on_ready).await {
                return status;
            }
            tokio::select! {
                read = self.line.read(&mut bytes) => match read {
                    Ok(0) => return Some(self.ended("the venue ended the connection")),
                    Ok(count) => self.heard(&bytes[..count]),
                    Err(error) => return Some(over(format!("the venue's connection: {error}"))),
                },
                Some((ask, answer)) = requests.recv() => {
                    self.ask(&ask, answer);
                    // Those that came together leave together.
                    while let Ok((ask, answer)) = requests.try_recv() {
                        self.ask(&ask, answer);
                    }
                }
                _ = tick.tick() => {}
                () = tell.closed() => {
                    let _ = self.client.soup().logout();
                    let _ = self.transmit().await;
                    return None;
                }
            }
        }
    }

    fn now_ns(&self) -> u64 {
        self.start.elapsed().as_nanos() as u64
    }

    /// Sends what is to be sent, tells what is to be told, and sees whether the login still is one;
    /// `Err` with what the client is told, if there is one.
    async fn settle(
        &mut self,
        tell: &Tell,
        on_ready: &mut impl FnMut(),
    ) -> Result<(), Option<Status>> {
        let now_ns = self.now_ns();
        let state = self.client.soup().poll(now_ns);
        self.transmit()
            .await
            .map_err(|error| Some(over(format!("the venue's connection: {error}"))))?;
        while let Some(event) = self.events.pop_front() {
            if event.kind() == Kind::Ready {
                on_ready();
            }
            let told = tokio::time::timeout(self.stall, tell.send(Ok(event))).await;
            match told {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return Err(None),
                Err(_) => {
                    let why = "the client takes no events";
                    return Err(Some(Status::new(Code::ResourceExhausted, why)));
                }
            }
        }
        match state {
            ClientState::LoggingIn | ClientState::Live => Ok(()),
            ClientState::Rejected(_) => Err(Some(self.ended(""))),
            ClientState::Silent => Err(Some(over("the venue says nothing"))),
            ClientState::Ended => Err(Some(over("the venue's day is over"))),
            ClientState::Malformed | ClientState::Disconnected => {
                Err(Some(over("the venue speaks another protocol")))
            }
        }
    }

    async fn transmit(&mut self) -> io::Result<()> {
        let now_ns = self.now_ns();
        let mut bytes = Vec::new();
        self.client.soup().transmit(now_ns, &mut |offer| {
            bytes.extend_from_slice(offer);
            offer.len()
        });
        if bytes.is_empty() {
            return Ok(());
        }
        let sent = tokio::time::timeout(self.stall, self.line.write_all(&bytes)).await;
        sent.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }

    /// What a client is told when the venue is through with it.
    fn ended(&mut self, words: &str) -> Status {
        let why = match self.client.state() {
            ClientState::Rejected(b'A') => "unknown, locked, or its password is another one",
            ClientState::Rejected(_) => "logged in elsewhere, or there is no such event; try again",
            _ => return over(words),
        };
        let user = &self.client.soup().config().user;
        let told = format!("the venue does not let user {user} in: {why}");
        Status::new(Code::FailedPrecondition, told)
    }

    fn heard(&mut self, bytes: &[u8]) {
        let now_ns = self.now_ns();
        let mut replies = Vec::new();
        let mut is_live = false;
        let mut next = self.next;
        let mut ready = None;
        self.client
            .received(bytes, now_ns, &mut |reply| match reply {
                Reply::LoggedIn(number) => (is_live, next) = (true, number),
                Reply::Message(_, Outbound::AccountQueryResponse(told)) => {
                    ready = Some((replies.len(), next, told.next_user_ref()));
                }
                Reply::Message(number, told) => {
                    next = next.max(number + 1);
                    replies.extend(event(number, &told));
                }
                Reply::Unreadable(number, error) => {
                    tracing::error!(number, %error, "a reply of the venue makes no sense");
                }
                Reply::LoginRejected(_) | Reply::Ended => {}
            });
        if is_live {
            // Its answer says where the user's numbers stand.
            let _ = self.client.query();
        }
        self.next = next;
        for event in &replies {
            self.answer(event);
        }
        if let Some((at, number, reference)) = ready.filter(|_| !self.is_ready) {
            self.is_ready = true;
            replies.insert(at, self.ready(number, reference));
        }
        self.events.extend(replies);
    }

    fn ready(&mut self, number: u64, reference: u32) -> OrderEvent {
        let session = self.client.soup().session_name();
        let mut event = OrderEvent {
            number,
            reference,
            session: String::from_utf8_lossy(wire::trimmed(&session)).into_owned(),
            ..OrderEvent::default()
        };
        event.set_kind(Kind::Ready);
        event
    }

    /// Sends a request, or says why not.
    fn ask(&mut self, ask: &Ask, answer: Answer) {
        if self.waiting() >= WAITING_MAX {
            self.forget();
        }
        if self.waiting() >= WAITING_MAX {
            return refuse(answer, Refusal::TooMany(10));
        }
        let next = self.client.user_ref_next();
        let is_cancel = matches!(ask.asked, Asked::Cancel(_));
        if ask.reference != 0 && !is_cancel {
            self.client.set_user_ref_next(ask.reference);
        }
        let sent = match &ask.asked {
            Asked::Enter(order, tags) => self.client.enter_with(order, tags),
            Asked::Replace(old, by, tags) => self.client.replace(*old, by, tags),
            Asked::MassCancel(symbol, tags) => self.client.mass_cancel(*symbol, tags),
            Asked::Cancel(quantity) => {
                let is_sent = self.client.cancel(ask.reference, *quantity);
                is_sent.then_some(ask.reference)
            }
        };
        // One that was sent before moves nothing.
        let next = next.max(self.client.user_ref_next());
        self.client.set_user_ref_next(next);
        let Some(reference) = sent else {
            return refuse(answer, Refusal::TooMany(10));
        };
        if is_cancel {
            self.canceled
                .entry(reference)
                .or_default()
                .push_back(answer);
        } else if let Some(other) = self.entered.insert(reference, answer) {
            refuse(
                other,
                Refusal::Conflict("the same reference was sent again".to_owned()),
            );
        }
    }

    /// Requests that have no answer yet.
    fn waiting(&self) -> usize {
        let cancels: usize = self.canceled.values().map(VecDeque::len).sum();
        self.entered.len() + cancels
    }

    /// Forgets who does not wait any more: their time is over.
    fn forget(&mut self) {
        self.entered.retain(|_, answer| !answer.is_closed());
        self.canceled.retain(|_, waiting| {
            waiting.retain(|answer| !answer.is_closed());
            !waiting.is_empty()
        });
    }

    /// Tells who asked for it.
    fn answer(&mut self, event: &OrderEvent) {
        let answer = match event.kind() {
            Kind::Accepted | Kind::Rejected | Kind::Replaced | Kind::MassCanceled => {
                self.entered.remove(&event.reference)
            }
            Kind::Canceled | Kind::CancelRejected => {
                let waiting = self.canceled.get_mut(&event.reference);
                let answer = waiting.and_then(VecDeque::pop_front);
                if self
                    .canceled
                    .get(&event.reference)
                    .is_some_and(VecDeque::is_empty)
                {
                    self.canceled.remove(&event.reference);
                }
                answer
            }
            _ => None,
        };
        if let Some(answer) = answer {
            // Who does not wait any more reads it in the stream.
            let _ = answer.send(Ok(event.clone()));
        }
    }
}

fn refuse(answer: Answer, refusal: Refusal) {
    let _ = answer.send(Err(refusal));
}
