//! What there is to ask for, who may, and how it is answered.

use crate::admit::{Asker, Gatekeeper};
use crate::answer::{Answer, Refusal, json_answer, no_larger, typed};
use crate::asked::{age_max_of, filter_of, pairs_of};
use crate::batch::{self, Calls};
use crate::config::Config;
use crate::footprints::{Footprints, Sources};
use crate::grpc::Orders;
use crate::memory::Answers;
use crate::metrics::Figures;
use crate::quant::{Quant, params_in};
use crate::reads::{Reads, Terms};
use crate::rights::Right;
use crate::said::{self, Told};
use crate::scaling::Scales;
use crate::sight::Sight;
use crate::stream::{self, Hub};
use crate::{openapi, page};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{Method, Request};
use axum::routing::{MethodFilter, on};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Body as _;
use serde_json::json;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use tracing::Instrument;

/// Rows of an answer at most.
pub(crate) const ROWS_MAX: u32 = 10_000;

/// Where a request came from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct From(pub(crate) IpAddr);

/// What a path gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// Rows of this query.
    Rows(&'static str),
    /// Answers to many calls.
    Batch,
    /// Who the key is.
    WhoAmI,
    /// The venue's figures for Prometheus.
    Metrics,
    /// The same for the page.
    Figures,
    /// How many shards there are to be, and why.
    Scaling,
    /// What processes take of memory.
    Memory,
    /// That the service lives.
    Health,
    /// The description of all this.
    OpenApi,
    /// Market data over WebSocket.
    Stream,
    /// What this command of `wirecross quant` says.
    Quant(&'static str),
}

/// A method and a path.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Route {
    pub(crate) path: &'static str,
    pub(crate) what: What,
    pub(crate) right: Right,
    pub(crate) summary: &'static str,
}

impl Route {
    pub(crate) const fn method(&self) -> &'static str {
        match self.what {
            What::Batch | What::Quant(_) => "POST",
            _ => "GET",
        }
    }
}

const fn rows(
    path: &'static str,
    query: &'static str,
    right: Right,
    summary: &'static str,
) -> Route {
    Route {
        path,
        what: What::Rows(query),
        right,
        summary,
    }
}

const fn quant(path: &'static str, command: &'static str, summary: &'static str) -> Route {
    Route {
        path,
        what: What::Quant(command),
        right: Right::Compute,
        summary,
    }
}

/// All of them but the page's files.
pub(crate) const ROUTES: &[Route] = &[
    rows(
        "/api/v1/tape",
        "tape",
        Right::Market,
        "Trades, without who made them",
    ),
    rows(
        "/api/v1/bars",
        "bars",
        Right::Market,
        "Bars of a symbol or of all",
    ),
    rows(
        "/api/v1/tops",
        "tops",
        Right::Market,
        "The top of each book",
    ),
    rows(
        "/api/v1/turns",
        "turns",
        Right::Market,
        "Turns of the day and of symbols",
    ),
    rows(
        "/api/v1/open-orders",
        "open-orders",
        Right::Accounts,
        "Live orders",
    ),
    rows(
        "/api/v1/fills",
        "fills",
        Right::Accounts,
        "Executions of an account",
    ),
    rows(
        "/api/v1/positions",
        "positions",
        Right::Accounts,
        "Sums of a day by account and symbol",
    ),
    rows(
        "/api/v1/profits",
        "profits",
        Right::Accounts,
        "Positions of all days with profit",
    ),
    rows(
        "/api/v1/trades",
        "trades",
        Right::Everything,
        "Trades with both accounts",
    ),
    rows(
        "/api/v1/audit",
        "audit",
        Right::Everything,
        "Who did what and why",
    ),
    Route {
        path: "/api/v1/key",
        what: What::WhoAmI,
        right: Right::Key,
        summary: "What the key is called and may do",
    },
    Route {
        path: "/api/v1/figures",
        what: What::Figures,
        right: Right::Metrics,
        summary: "The venue's counters and latencies",
    },
    Route {
        path: "/api/v1/scaling",
        what: What::Scaling,
        right: Right::Metrics,
        summary: "How many shards there are to be, and why",
    },
    Route {
        path: "/api/v1/memory",
        what: What::Memory,
        right: Right::Metrics,
        summary: "What the venue's processes take of memory, and took",
    },
    Route {
        path: "/api/v1/stream",
        what: What::Stream,
        right: Right::Market,
        summary: "Books, tops and trades over WebSocket",
    },
    quant(
        "/api/v1/quant/optimise",
        "optimise",
        "The best weights of a portfolio, with the proof that they are",
    ),
    quant(
        "/api/v1/quant/frontier",
        "frontier",
        "All efficient portfolios",
    ),
    quant(
        "/api/v1/quant/risk",
        "risk",
        "What a portfolio may lose, and which assets make the risk",
    ),
    quant(
        "/api/v1/quant/simulate",
        "simulate",
        "What an option is worth by simulation, with the error",
    ),
    quant(
        "/api/v1/quant/rebalance",
        "rebalance",
        "Orders of whole lots that bring positions to target weights",
    ),
    quant(
        "/api/v1/quant/forecast",
        "forecast",
        "A series' forecast, by what forecast its end best",
    ),
    quant(
        "/api/v1/quant/predict",
        "predict",
        "What a trained model says of rows",
    ),
    quant(
        "/api/v1/quant/train",
        "train",
        "Trees trained on rows with labels, and how good they are on later ones",
    ),
    Route {
        path: "/api/batch",
        what: What::Batch,
        right: Right::Key,
        summary: "JSON-RPC 2.0: a call or a batch of them",
    },
    Route {
        path: "/metrics",
        what: What::Metrics,
        right: Right::Metrics,
        summary: "The venue's counters and latencies for Prometheus",
    },
    Route {
        path: "/healthz",
        what: What::Health,
        right: Right::Open,
        summary: "Whether this service and its venue live",
    },
    Route {
        path: "/openapi.json",
        what: What::OpenApi,
        right: Right::Open,
        summary: "This description",
    },
];

/// All that answers need.
pub(crate) struct Api {
    pub(crate) config: Config,
    pub(crate) gatekeeper: Gatekeeper,
    pub(crate) reads: Reads,
    pub(crate) quant: Quant,
    pub(crate) figures: Figures,
    /// What processes take of memory.
    pub(crate) footprints: Arc<Footprints>,
    /// Where the feed is followed.
    pub(crate) hub: Option<Arc<Hub>>,
    /// Where shards are decided on.
    pub(crate) scales: Option<Arc<Scales>>,
    /// Where orders go.
    pub(crate) orders: Option<Arc<Orders>>,
}

impl Api {
    /// Starts the threads that read.
    ///
    /// # Errors
    /// The system has none.
    pub(crate) fn new(config: Config, hub: Option<Arc<Hub>>, sources: Sources) -> io::Result<Self> {
        let answers =
            Answers::open(&config.cache, config.tables.file()).map_err(io::Error::other)?;
        let scaling = config.scaling.as_ref();
        let scales = scaling.map(|scaling| Scales::new(&config, scaling));
        Ok(Self {
            scales: scales.transpose().map_err(io::Error::other)?.map(Arc::new),
            gatekeeper: Gatekeeper::new(&config),
            reads: Reads::start(&config, answers)?,
            quant: Quant::start(&config.limits)?,
            figures: Figures::new(&config.venue),
            footprints: Footprints::start(&config, sources)?,
            hub,
            orders: Orders::new(&config).map(Arc::new),
            config,
        })
    }

    /// The venue's figures and the service's own.
    pub(crate) fn figures_json(&self) -> Result<Vec<u8>, Refusal> {
        let mut figures = self.figures.json().map_err(Refusal::Unavailable)?;
        figures["service"] = self.reads.json();
        figures["memory"] = self.footprints.now();
        Ok(figures.to_string().into_bytes())
    }

    /// Where shards are decided on.
    pub(crate) fn scales(&self) -> Result<&Arc<Scales>, Refusal> {
        self.scales.as_ref().ok_or_else(|| {
            let told = "nothing is decided here: the settings have no [scaling]";
            Refusal::Unavailable(told.to_owned())
        })
    }

    /// Where the feed is followed.
    pub(crate) fn hub(&self) -> Result<&Arc<Hub>, Refusal> {
        self.hub.as_ref().ok_or_else(|| {
            let told = "there is no stream here: the settings have no [feed]";
            Refusal::Unavailable(told.to_owned())
        })
    }

    /// The most bytes of an answer.
    pub(crate) const fn answer_max(&self) -> usize {
        self.config.limits.answer_kib * 1_024
    }

    /// Rows that this asker may see.
    pub(crate) async fn rows(
        &self,
        query: &'static str,
        asker: Option<&Asker>,
        asked: &[(&str, &str)],
        (terms, sight): (Terms, &mut Sight),
    ) -> Result<Bytes, Refusal> {
        let filter = filter_of(query, asker, asked)?;
        let found = self.reads.rows(query, filter, terms).await?;
        sight.saw(found.position);
        Ok(found.rows)
    }
}

/// The whole service.
pub(crate) fn router(api: Arc<Api>) -> Router {
    let mut router = Router::new();
    for route in ROUTES {
        let answer = move |State(api): State<Arc<Api>>, request: Request<Body>| async move {
            let told = Told::request((route.method(), route.path), &request);
            let limit = api.config.limits.request();
            let answer = answer(&api, route, request, &told).instrument(told.span.clone());
            let answer = tokio::time::timeout(limit, answer).await;
            let answer = answer.unwrap_or(Err(Refusal::Slow));
            let mut answer = answer.unwrap_or_else(|refusal| refusal.answer());
            told.end(&mut answer, api.config.limits.slow());
            answer
        };
        let refused = move || async move { Refusal::Method(route.method()).answer() };
        let filter = match route.what {
            What::Batch | What::Quant(_) => MethodFilter::POST,
            _ => MethodFilter::GET,
        };
        router = router.route(route.path, on(filter, answer).fallback(refused));
    }
    router.fallback(page::answer).with_state(api)
}

async fn answer(
    api: &Api,
    route: &Route,
    request: Request<Body>,
    told: &Told,
) -> Result<Answer, Refusal> {
    let (mut parts, body) = request.into_parts();
    let body = whole(body, api.config.limits.body_kib).await?;
    let from = parts.extensions.get::<From>();
    let from = from.map_or(IpAddr::from([0, 0, 0, 0]), |from| from.0);
    let batch = (route.what == What::Batch).then(|| Calls::of(&body));
    let calls = batch.as_ref().map_or(1, |batch| batch.count(api));
    let asker = api
        .gatekeeper
        .admit(&parts, &body, from, route.right, calls)?;
    told.by(asker.as_ref());
    match route.what {
        What::Rows(query) => {
            let asked = pairs_of(&parts)?;
            let asked: Vec<(&str, &str)> = asked.iter().map(|(k, v)| (&**k, &**v)).collect();
            let mut sight = Sight::asked(&parts.headers)?;
            let terms = Terms::behind(api.answer_max(), sight.after());
            let terms = terms.aged(age_max_of(&parts.headers));
            let how = (terms, &mut sight);
            let rows = api.rows(query, asker.as_ref(), &asked, how).await?;
            Ok(sight.told(json_answer(rows)))
        }
        What::Batch => {
            let mut sight = Sight::asked(&parts.headers)?;
            let calls = batch.unwrap_or_default();
            let answer = batch::answer(api, asker.as_ref(), calls, &mut sight).await?;
            Ok(sight.told(answer))
        }
        What::WhoAmI => Ok(json_answer(who(asker.as_ref()).to_string().into_bytes())),
        What::Quant(command) => {
            let params = params_in(&body)?;
            let answer = api.quant.ask(command, params, api.answer_max()).await?;
            Ok(json_answer(answer))
        }
        What::Metrics => {
            const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";
            let mut text = api.figures.text();
            if let Some(hub) = &api.hub {
                hub.figures(&mut text);
            }
            api.reads.figures(&mut text);
            api.footprints.figures(&mut text);
            said::figures(&mut text);
            if let Some(scales) = &api.scales {
                scales.figures(&mut text);
            }
            Ok(typed(TEXT, text))
        }
        What::Figures => Ok(json_answer(api.figures_json()?)),
        What::Scaling => {
            let scales = api.scales()?;
            Ok(json_answer(scales.json().to_string().into_bytes()))
        }
        What::Memory => {
            let told = api.footprints.json().to_string().into_bytes();
            Ok(json_answer(no_larger(told, api.answer_max())?))
        }
        What::Health => {
            let health = api.figures.health();
            Ok(json_answer(health.to_string().into_bytes()))
        }
        What::Stream => {
            let hub = api.hub()?;
            let (answer, stream) = stream::upgrade(&mut parts)?;
            tokio::spawn(stream.run(Arc::clone(hub)));
            Ok(answer)
        }
        What::OpenApi => Ok(json_answer(openapi::description().to_string().into_bytes())),
    }
}

/// A body of no more than so many KiB.
pub(crate) async fn whole(body: Body, kib: usize) -> Result<Vec<u8>, Refusal> {
    let too_large = || {
        Refusal::TooLarge(format!(
            "the body has more than {kib} KiB: send fewer calls at once"
        ))
    };
    if body.size_hint().lower() > kib as u64 * 1_024 {
        return Err(too_large());
    }
    match Limited::new(body, kib * 1_024).collect().await {
        Ok(body) => Ok(body.to_bytes().to_vec()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large()),
        Err(error) => Err(Refusal::Bad(format!("the body broke off: {error}"))),
    }
}

pub(crate) fn who(asker: Option<&Asker>) -> serde_json::Value {
    let (name, role) = asker.map_or(("", ""), |asker| (&asker.name, asker.role.name()));
    let accounts = asker.map_or(&[][..], |asker| &asker.accounts);
    json!({ "name": name, "role": role, "accounts": accounts })
}

/// A method of JSON-RPC is a query's name, `quant.` and a command, or one of these.
pub(crate) fn route_named(method: &str) -> Option<&'static Route> {
    ROUTES.iter().find(|route| match route.what {
        What::Rows(query) => query == method,
        What::WhoAmI => method == "key",
        What::Figures => method == "figures",
        What::Scaling => method == "scaling",
        What::Memory => method == "memory",
        What::Quant(command) => method.strip_prefix("quant.") == Some(command),
        _ => false,
    })
}

/// Whether a request only looks.
pub(crate) fn is_look(method: &Method) -> bool {
    method == Method::GET || method == Method::HEAD
}
