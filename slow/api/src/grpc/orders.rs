//! Orders: a key's user logs in at the venue as long as a call lasts, and what the other calls ask
//! for goes that way. The venue holds it to the same rules as everybody who comes by OUCH.

mod events;
mod messages;
mod session;
mod terms;

use super::{Answers, Who, streamed, unary};
use crate::admit::Asker;
use crate::answer::Refusal;
use crate::config::Config;
use crate::keys::Login;
use crate::rights::Right;
use crate::routes::Api;
use axum::Router;
use messages::{OrderEvent, SessionRequest};
use serde::Deserialize;
use session::{Answer, Ask, Session, WAITING_MAX, over};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// The calls.
pub(super) fn router() -> Router<Arc<Api>> {
    let (right, path) = (Right::Orders, |call| format!("/wirecross.v1.Orders/{call}"));
    Router::new()
        .route(
            &path("Session"),
            streamed(right, |api, who, asked| session(&api, who, &asked)),
        )
        .route(
            &path("Enter"),
            unary(right, |api, asker, asked| async move {
                done(&api, asker.as_ref(), terms::enter(&asked)?).await
            }),
        )
        .route(
            &path("Replace"),
            unary(right, |api, asker, asked| async move {
                done(&api, asker.as_ref(), terms::replace(&asked)?).await
            }),
        )
        .route(
            &path("Cancel"),
            unary(right, |api, asker, asked| async move {
                done(&api, asker.as_ref(), terms::cancel(asked)?).await
            }),
        )
        .route(
            &path("MassCancel"),
            unary(right, |api, asker, asked| async move {
                done(&api, asker.as_ref(), terms::mass_cancel(&asked)?).await
            }),
        )
}

/// Where the venue takes orders: `[orders]` in the settings.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where members log in, by SoupBinTCP; a venue that starts the service says so itself.
    pub venue: Option<SocketAddr>,
}

/// Where the requests of a login go.
type Way = mpsc::Sender<(Ask, Answer)>;

/// Logins that there are, by key.
pub(crate) struct Orders {
    venue: SocketAddr,
    /// Users of the venue, by key.
    logins: BTreeMap<String, Login>,
    ways: Mutex<BTreeMap<String, Way>>,
    stall: Duration,
}

impl Orders {
    /// Nobody is logged in; `None` without a venue.
    pub(crate) fn new(config: &Config) -> Option<Self> {
        let logins = config.keys.iter();
        let logins = logins.filter_map(|key| Some((key.name.clone(), key.login.clone()?)));
        Some(Self {
            venue: config.orders?.venue?,
            logins: logins.collect(),
            ways: Mutex::default(),
            stall: config.limits.stall(),
        })
    }

    fn ways(&self) -> MutexGuard<'_, BTreeMap<String, Way>> {
        self.ways.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn orders(api: &Api) -> Result<&Arc<Orders>, Refusal> {
    let missing = || Refusal::Unavailable("the settings have no [orders]".to_owned());
    api.orders.as_ref().ok_or_else(missing)
}

/// Logs in, and tells what happens.
fn session(api: &Api, (guest, asker): Who, asked: &SessionRequest) -> Answers<OrderEvent> {
    let orders = Arc::clone(orders(api)?);
    let bad = |what: &str| Refusal::Bad(what.to_owned());
    let guest = guest.ok_or_else(|| bad("this connection cannot have a session"))?;
    let key = asker.map_or_else(String::new, |asker| asker.name);
    if !orders.logins.contains_key(&key) {
        return Err(Refusal::Forbidden(format!("key {key:?} has no user")));
    }
    let from = asked.from;
    let (tell, answers) = mpsc::channel(WAITING_MAX);
    let mut is_over = guest.is_over;
    tokio::spawn(async move {
        // For the last word there is room also where a client takes nothing.
        let Ok(last) = tell.clone().reserve_owned().await else {
            return;
        };
        let status = tokio::select! {
            status = logged_in(&orders, &key, from, &tell) => status,
            _ = is_over.changed() => Some(over("the service ends")),
        };
        if let Some(status) = status {
            last.send(Err(status));
        }
    });
    Ok(answers)
}

/// A login from its beginning to its end.
async fn logged_in(
    orders: &Orders,
    key: &str,
    from: u64,
    tell: &session::Tell,
) -> Option<tonic::Status> {
    let login = orders.logins.get(key)?;
    let opened = Session::open(orders.venue, login, from, orders.stall);
    let opened = tokio::time::timeout(orders.stall, opened).await;
    let opened = match opened {
        Ok(Ok(session)) => session,
        Ok(Err(error)) => return Some(over(format!("the venue at {}: {error}", orders.venue))),
        Err(_) => return Some(over(format!("the venue at {}: no answer", orders.venue))),
    };
    let (way, requests) = mpsc::channel(WAITING_MAX);
    // The newest login of a key is the one that is asked.
    let on_ready = || drop(orders.ways().insert(key.to_owned(), way.clone()));
    let status = opened.run(requests, tell, on_ready).await;
    let mut ways = orders.ways();
    if ways.get(key).is_some_and(|other| other.same_channel(&way)) {
        ways.remove(key);
    }
    status
}

/// Sends a request by the login of the key, and waits for what becomes of it.
async fn done(api: &Api, asker: Option<&Asker>, ask: Ask) -> Result<OrderEvent, Refusal> {
    let key = asker.map_or("", |asker| &asker.name);
    let way = orders(api)?.ways().get(key).cloned();
    let none = "there is no Session of this key, or it is not READY: call it first";
    let way = way.ok_or_else(|| Refusal::Conflict(none.to_owned()))?;
    let (tell, answer) = oneshot::channel();
    let gone = "the Session ended: whether this was done, the next one tells";
    let gone = || Refusal::Unavailable(gone.to_owned());
    way.send((ask, tell)).await.map_err(|_| gone())?;
    answer.await.map_err(|_| gone())?
}
