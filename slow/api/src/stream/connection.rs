//! A connection of WebSocket: from the request that asks for it to its end.

use super::hub::Hub;
use super::outbox::{Frame, Outbox};
use super::words::{Wish, done, refused, wish};
use super::{Channel, Format};
use crate::answer::{Answer, Refusal};
use crate::server::Guest;
use axum::body::Body;
use axum::http::header::{
    CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, Version};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use serde_json::json;
use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};
use websocket::{
    DEFLATE, Incoming, Kind, Reader, accept_key, close_frame, frame, is_deflate_offered,
};

/// Subprotocols by which a client chooses how it is told.
const JSON: &str = "wirecross.json";
const COMPACT: &str = "wirecross.binary";

/// Bytes of a client's message.
const WISH_BYTES_MAX: usize = 64 << 10;

/// Wishes that a client may make at once, and how many more in each second.
const WISHES_AT_ONCE: u32 = 100;
const WISHES_PER_SECOND: u32 = 20;

/// Bytes of frames that are handed to the system at a time.
const WRITE_BYTES: usize = 64 << 10;

/// Bytes of a read.
const READ_BYTES: usize = 2 << 10;

/// A connection that is to come of a request.
pub(crate) struct Stream {
    format: Format,
    is_deflate: bool,
    on: OnUpgrade,
    guest: Guest,
}

/// Answers a request for a stream.
pub(crate) fn upgrade(parts: &mut Parts) -> Result<(Answer, Stream), Refusal> {
    let words = |name: HeaderName| listed(&parts.headers, name);
    let has = |name: HeaderName, due: &str| words(name).any(|it| it.eq_ignore_ascii_case(due));
    if parts.version != Version::HTTP_11
        || !has(UPGRADE, "websocket")
        || !has(CONNECTION, "upgrade")
    {
        return Err(Refusal::Bad(
            "this is a stream: ask for it by WebSocket, over HTTP/1.1".to_owned(),
        ));
    }
    if !has(SEC_WEBSOCKET_VERSION, "13") {
        return Err(Refusal::Bad("Sec-WebSocket-Version: only 13".to_owned()));
    }
    let key = words(SEC_WEBSOCKET_KEY).next().and_then(accept_key);
    let key = key
        .ok_or_else(|| Refusal::Bad("Sec-WebSocket-Key: 16 bytes as base64, please".to_owned()))?;
    let asked: Vec<&str> = words(SEC_WEBSOCKET_PROTOCOL).collect();
    let format = match asked.iter().find(|it| [JSON, COMPACT].contains(it)) {
        Some(&COMPACT) => Some((COMPACT, Format::Compact)),
        Some(_) => Some((JSON, Format::Json)),
        None if asked.iter().any(|it| !it.starts_with("bearer.")) => {
            return Err(Refusal::Bad(format!(
                "Sec-WebSocket-Protocol: {JSON} or {COMPACT}"
            )));
        }
        None => None,
    };
    let is_deflate = words(SEC_WEBSOCKET_EXTENSIONS).any(is_deflate_offered);
    let missing = || Refusal::Unavailable("this connection cannot become a stream".to_owned());
    let guest = parts.extensions.remove::<Guest>().ok_or_else(missing)?;
    let on = parts.extensions.remove::<OnUpgrade>().ok_or_else(missing)?;
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let mut say = |name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            answer.headers_mut().insert(name, value);
        }
    };
    say(UPGRADE, "websocket");
    say(CONNECTION, "Upgrade");
    say(SEC_WEBSOCKET_ACCEPT, &key);
    if let Some((name, _)) = format {
        say(SEC_WEBSOCKET_PROTOCOL, name);
    }
    if is_deflate {
        say(SEC_WEBSOCKET_EXTENSIONS, DEFLATE);
    }
    let stream = Stream {
        format: format.map_or(Format::Json, |it| it.1),
        is_deflate,
        on,
        guest,
    };
    Ok((answer, stream))
}

/// The words of a header that may stand in several lines, with commas between them.
fn listed(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    let lines = headers.get_all(name).iter();
    let lines = lines.filter_map(|line| line.to_str().ok());
    let words = lines.flat_map(|line| line.split(','));
    words.map(str::trim).filter(|word| !word.is_empty())
}

impl Stream {
    /// Serves it until it ends.
    pub(crate) async fn run(self, hub: Arc<Hub>) {
        let Self {
            format,
            is_deflate,
            on,
            guest,
        } = self;
        let patience = hub.limits.request();
        let Ok(Ok(upgraded)) = timeout(patience, on).await else {
            return;
        };
        let outbox = Arc::new(Outbox::new(format, is_deflate, hub.limits.stream_kib << 10));
        hub.join(&outbox);
        let _member = Member(&hub, &outbox);
        let talk = Talk {
            io: TokioIo::new(upgraded),
            reader: Reader::new(WISH_BYTES_MAX, is_deflate),
            hub: &hub,
            outbox: &outbox,
            wishes: Wishes::new(),
            named: BTreeSet::new(),
            guest: &guest,
        };
        // However it ended, there is nobody left to tell.
        let _ = talk.run(guest.is_over.clone()).await;
    }
}

/// A connection that the hub knows, however it ends.
struct Member<'m>(&'m Hub, &'m Arc<Outbox>);

impl Drop for Member<'_> {
    fn drop(&mut self) {
        self.0.leave(self.1);
    }
}

/// Why a connection is closed by us.
struct Reason(u16, String);

enum End {
    /// By us, and the client is told.
    Ours(Reason),
    /// The connection broke, or the client closed it.
    Theirs,
}

impl From<io::Error> for End {
    fn from(_: io::Error) -> Self {
        Self::Theirs
    }
}

struct Talk<'t> {
    io: TokioIo<Upgraded>,
    reader: Reader,
    hub: &'t Hub,
    outbox: &'t Arc<Outbox>,
    wishes: Wishes,
    /// What was asked for by name.
    named: BTreeSet<(Channel, String)>,
    guest: &'t Guest,
}

impl Talk<'_> {
    async fn run(mut self, mut is_over: watch::Receiver<bool>) -> io::Result<()> {
        let end = self.talk(&mut is_over).await;
        if let Err(End::Ours(Reason(code, why))) = end {
            let close = close_frame(code, &why);
            let last = async {
                self.io.write_all(&close).await?;
                self.io.shutdown().await?;
                // What still comes is passed over: a socket that is closed on it takes the close
                // back.
                let mut bytes = [0; READ_BYTES];
                while self.io.read(&mut bytes).await? > 0 {}
                io::Result::Ok(())
            };
            let _ = timeout(self.hub.limits.stall(), last).await;
        }
        Ok(())
    }

    async fn talk(&mut self, is_over: &mut watch::Receiver<bool>) -> Result<(), End> {
        let mut bytes = [0; READ_BYTES];
        let mut asked = false;
        let mut heard = Instant::now();
        let silence = self.hub.limits.silence();
        loop {
            tokio::select! {
                biased;
                read = self.io.read(&mut bytes) => {
                    let count = read?;
                    if count == 0 {
                        return Err(End::Theirs);
                    }
                    (heard, asked) = (Instant::now(), false);
                    self.take(&bytes[..count]).await?;
                }
                () = self.outbox.came() => {}
                () = sleep_until(heard + silence * if asked { 2 } else { 1 }) => {
                    if asked {
                        self.guest.stalled();
                        return Err(ours(1_001, "nothing was heard from you"));
                    }
                    asked = true;
                    self.io.write_all(&frame(Kind::Ping, b"")).await?;
                }
                _ = is_over.changed() => return Err(ours(1_001, "the service ends")),
            }
            self.write().await?;
        }
    }

    /// Sends some of what waits, with the present state of what was thrown away.
    async fn write(&mut self) -> Result<(), End> {
        let mut bytes = Vec::new();
        self.outbox.take(WRITE_BYTES, &mut bytes);
        while bytes.len() < WRITE_BYTES
            && let Some(topic) = self.outbox.behind()
        {
            self.hub.catch_up(self.outbox, topic);
            self.outbox.take(WRITE_BYTES, &mut bytes);
            // Others have their turn between two symbols.
            tokio::task::yield_now().await;
        }
        let written = timeout(self.hub.limits.stall(), self.io.write_all(&bytes)).await;
        let told = |_| {
            self.guest.stalled();
            End::Theirs
        };
        written.map_err(told)??;
        self.io.flush().await?;
        self.outbox.go_on();
        Ok(())
    }

    async fn take(&mut self, bytes: &[u8]) -> Result<(), End> {
        let taken = self.reader.take(bytes);
        // Whatever gives work is paid for, also what says nothing.
        self.wishes.spend(self.reader.pieces())?;
        while let Some(incoming) = self.reader.pop() {
            match incoming {
                Incoming::Text(text) => self.wish(&text)?,
                Incoming::Binary(_) => return Err(ours(1_003, "wishes are texts")),
                Incoming::Ping(payload) => {
                    self.wishes.spend(1)?;
                    self.io.write_all(&frame(Kind::Pong, &payload)).await?;
                }
                Incoming::Pong(_) => self.wishes.spend(1)?,
                Incoming::Close(close) => {
                    return Err(ours(close.code.unwrap_or(1_000), ""));
                }
            }
            while self.outbox.is_full() {
                self.write().await?;
            }
        }
        taken.map_err(|fault| ours(fault.code(), &fault.to_string()))
    }

    fn wish(&mut self, text: &str) -> Result<(), End> {
        let (id, wish) = wish(text);
        self.wishes.spend(wish.as_ref().map_or(1, Wish::cost))?;
        let answer = match wish {
            Err(why) => refused(&id, "bad-request", &why),
            Ok(wish) => match self.fulfil(&wish) {
                Ok(result) => done(&id, &result),
                Err((code, why)) => refused(&id, code, &why),
            },
        };
        self.outbox.put(
            None,
            Frame {
                plain: frame(Kind::Text, answer.as_bytes()),
                packed: None,
            },
        );
        Ok(())
    }

    fn fulfil(&mut self, wish: &Wish) -> Result<serde_json::Value, (&'static str, String)> {
        let unknown = |names: Vec<String>| {
            let seen = self.hub.sight().name();
            let told = format!("symbols: no {} (the feed is {seen})", names.join(", "));
            ("not-found", told)
        };
        match wish {
            Wish::Ping => Ok(json!("pong")),
            Wish::Symbols => {
                let symbols = self.hub.symbols();
                Ok(json!(symbols.iter().map(|it| &**it).collect::<Vec<_>>()))
            }
            Wish::Subscribe(channel, names) => {
                let mut named = self.named.clone();
                let more = names.iter().flatten().map(|name| (*channel, name.clone()));
                named.extend(more);
                let most = self.hub.limits.subscriptions_max;
                if named.len() > most {
                    let told = format!("symbols: more than {most} subscriptions: use \"*\"");
                    return Err(("too-large", told));
                }
                let told = self.hub.subscribe(self.outbox, *channel, names.as_deref());
                told.map_err(unknown)?;
                self.named = named;
                Ok(json!("subscribed"))
            }
            Wish::Unsubscribe(channel, names) => {
                let told = self
                    .hub
                    .unsubscribe(self.outbox, *channel, names.as_deref());
                told.map_err(unknown)?;
                self.named.retain(|(of, name)| {
                    *of != *channel || names.as_ref().is_some_and(|names| !names.contains(name))
                });
                Ok(json!("unsubscribed"))
            }
        }
    }
}

fn ours(code: u16, why: &str) -> End {
    End::Ours(Reason(code, why.to_owned()))
}

/// How many wishes a client may still make.
struct Wishes {
    left: u32,
    since: Instant,
}

impl Wishes {
    fn new() -> Self {
        Self {
            left: WISHES_AT_ONCE,
            since: Instant::now(),
        }
    }

    fn spend(&mut self, cost: u32) -> Result<(), End> {
        let seconds = self.since.elapsed().as_secs();
        if seconds > 0 {
            let more = u32::try_from(seconds).unwrap_or(u32::MAX);
            let more = more.saturating_mul(WISHES_PER_SECOND);
            self.left = self.left.saturating_add(more).min(WISHES_AT_ONCE);
            self.since += Duration::from_secs(seconds);
        }
        let left = self.left.checked_sub(cost);
        self.left = left.ok_or_else(|| ours(1_008, "too many messages"))?;
        Ok(())
    }
}
