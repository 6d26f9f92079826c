//! How what there is to ask for is answered.

mod list;

pub(crate) use list::{ROUTES, Route, What, route_named};

use crate::admit::{Asker, Comer, Gatekeeper, Shown};
use crate::answer::{Answer, Refusal, json_answer, no_larger, typed};
use crate::asked::{age_max_of, filter_of, pairs_of};
use crate::batch::{self, Calls};
use crate::bodies::{Bodies, Held};
use crate::config::Config;
use crate::crowd::Crowd;
use crate::footprints::{Footprints, Sources};
use crate::grpc::Orders;
use crate::memory::Answers;
use crate::metrics::Figures;
use crate::quant::{Quant, params_in};
use crate::reads::{Reads, Terms};
use crate::said::{self, Told};
use crate::scaling::Scales;
use crate::sight::Sight;
use crate::stream::{self, Hub};
use crate::times::Times;
use crate::{openapi, page};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{Method, Request};
use axum::routing::{MethodFilter, on};
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

/// All that answers need.
pub(crate) struct Api {
    pub(crate) config: Config,
    pub(crate) gatekeeper: Gatekeeper,
    pub(crate) bodies: Arc<Bodies>,
    pub(crate) crowd: Crowd,
    pub(crate) reads: Reads,
    pub(crate) quant: Quant,
    pub(crate) figures: Figures,
    /// How long requests took.
    times: Times,
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
            bodies: Arc::new(Bodies::new(&config.limits)),
            crowd: Crowd::default(),
            reads: Reads::start(&config, answers)?,
            quant: Quant::start(&config.limits)?,
            figures: Figures::new(&config.venue),
            times: Times::default(),
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

    /// The answer to a request or a call of our lists begins.
    pub(crate) fn took(&self, told: &Told) {
        let (route, took) = told.asked();
        self.times.note(route, took);
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
            api.took(&told);
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
    let comer = Comer::new(&parts, route.right);
    let shown = api.gatekeeper.look(&comer)?;
    // What anybody may ask for has no body.
    let held = match shown {
        Shown::Nothing => Held::default(),
        _ => api.bodies.whole(body, shown.is_proven()).await?,
    };
    let body = &held.bytes[..];
    let mut batch = None;
    let calls = || {
        let calls = (route.what == What::Batch).then(|| Calls::of(body));
        batch.insert(calls.unwrap_or_default()).count(api)
    };
    let asker = api.gatekeeper.admit(&comer, shown, body, calls)?;
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
            let params = params_in(body)?;
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
            api.crowd.figures(&mut text);
            api.bodies.figures(&mut text);
            api.times.figures(&mut text);
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

/// Who a key is.
pub(crate) fn who(asker: Option<&Asker>) -> serde_json::Value {
    let (name, role) = asker.map_or(("", ""), |asker| (&asker.name, asker.role.name()));
    let accounts = asker.map_or(&[][..], |asker| &asker.accounts);
    json!({ "name": name, "role": role, "accounts": accounts })
}

/// Whether a request only looks.
pub(crate) fn is_look(method: &Method) -> bool {
    method == Method::GET || method == Method::HEAD
}
