//! The same over gRPC, on a port of its own: KEDA's external scaler, the tables, the market; with
//! health and reflection. docs/grpc.md describes it.
//!
//! Every call passes the gatekeeper as a request over HTTP does, before its message is looked at; a
//! call that is not listed here does not exist.

mod calls;
mod messages;
mod orders;
mod watched;

use crate::admit::{Asker, Comer};
use crate::answer::Refusal;
use crate::bodies::{Bodies, Held, Room};
use crate::rights::Right;
use crate::routes::Api;
use crate::said::Told;
use crate::server::Guest;
use crate::stream;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, Response};
use axum::middleware::{Next, from_fn_with_state};
use axum::routing::{MethodRouter, post};
use messages as m;
pub(crate) use orders::Orders;
pub use orders::Settings as OrderEntry;
use prost::Message;
use serde::Deserialize;
use std::convert::Infallible;
use std::future::{Future, Ready, ready};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::server::{Grpc, NamedService, ServerStreamingService, UnaryService};
use tonic::{Code, Status};
use tonic_prost::ProstCodec;

/// What the services are, as `tests/grpc_client.py describe proto` makes it of the files beside it.
const DESCRIPTORS: &[u8] = include_bytes!("../proto/api.bin");

/// Our services, for who asks after their health.
const SERVICES: [&str; 5] = [
    "externalscaler.ExternalScaler",
    "wirecross.v1.Tables",
    "wirecross.v1.Market",
    "wirecross.v1.Orders",
    "wirecross.v1.Quant",
];

/// Where gRPC is spoken: `[grpc]` in the settings.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where clients connect.
    pub listen: SocketAddr,
    /// Whether the external scaler answers who shows no key: KEDA sends none.
    #[serde(default)]
    pub keyless_scaler: bool,
}

type Reply = Response<tonic::body::Body>;

/// The whole service.
///
/// # Errors
/// The descriptors are broken.
pub(crate) async fn router(api: Arc<Api>, settings: Settings) -> Result<Router, String> {
    let scaler = if settings.keyless_scaler {
        Right::Open
    } else {
        Right::Metrics
    };
    let mut router = Router::new()
        .route(
            "/externalscaler.ExternalScaler/IsActive",
            unary(scaler, |api, _, _: m::ScaledObjectRef| {
                ready(calls::is_active(&api))
            }),
        )
        .route(
            "/externalscaler.ExternalScaler/GetMetricSpec",
            unary(scaler, |api, _, _: m::ScaledObjectRef| {
                ready(calls::metric_spec(&api))
            }),
        )
        .route(
            "/externalscaler.ExternalScaler/GetMetrics",
            unary(scaler, |api, _, asked: m::GetMetricsRequest| {
                ready(calls::metrics(&api, &asked))
            }),
        )
        .route(
            "/externalscaler.ExternalScaler/StreamIsActive",
            streamed(scaler, |api, _, _: m::ScaledObjectRef| {
                calls::stream_is_active(&api)
            }),
        )
        .route(
            "/wirecross.v1.Tables/Rows",
            with_metadata(Right::Key, |api, asker, asked| async move {
                calls::rows(&api, asker.as_ref(), &asked).await
            }),
        )
        .route(
            "/wirecross.v1.Tables/Key",
            unary(Right::Key, |_, asker, _: m::KeyRequest| {
                ready(Ok(calls::key(asker.as_ref())))
            }),
        )
        .route(
            "/wirecross.v1.Market/Symbols",
            unary(Right::Market, |api, _, _: m::SymbolsRequest| {
                ready(calls::symbols(&api))
            }),
        )
        .route(
            "/wirecross.v1.Market/Stream",
            streamed(Right::Market, |api, (guest, _), asked: m::StreamRequest| {
                market(&api, guest, &asked)
            }),
        )
        .merge(orders::router())
        .merge(quant())
        .route_layer(from_fn_with_state(Arc::clone(&api), watched::told))
        .with_state(Arc::clone(&api));
    let (reporter, health) = tonic_health::server::health_reporter();
    for service in SERVICES {
        reporter
            .set_service_status(service, tonic_health::ServingStatus::Serving)
            .await;
    }
    let mut open = mounted(Router::new(), health);
    let builder = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    // Clients still ask for either.
    let told = |error: tonic_reflection::server::Error| error.to_string();
    open = mounted(open, builder().build_v1().map_err(told)?);
    open = mounted(open, builder().build_v1alpha().map_err(told)?);
    router = router.merge(open.layer(from_fn_with_state(Arc::clone(&api.bodies), bounded)));
    let unknown = || async { refused(&Refusal::Method("the calls of /grpc.reflection.v1")) };
    Ok(router
        .fallback(unknown)
        .method_not_allowed_fallback(unknown))
}

/// The commands of `wirecross quant`, each a call.
fn quant() -> Router<Arc<Api>> {
    let mut router = Router::new();
    for command in calculator::ASKED {
        let (first, rest) = command.split_at(1);
        let path = format!("/wirecross.v1.Quant/{}{rest}", first.to_uppercase());
        let call = unary(
            Right::Compute,
            move |api, _, asked: m::QuantRequest| async move {
                calls::quant(&api, command, asked).await
            },
        );
        router = router.route(&path, call);
    }
    router
}

/// A service that anybody may ask.
fn mounted<S>(router: Router, service: S) -> Router
where
    S: tower::Service<Request<Body>, Response = Reply, Error = Infallible>
        + NamedService
        + Clone
        + Send
        + Sync
        + 'static,
    S::Future: Send + 'static,
{
    router.route_service(&format!("/{}/{{*call}}", S::NAME), service)
}

/// Bounds the messages to such a service.
async fn bounded(
    State(bodies): State<Arc<Bodies>>,
    request: Request<Body>,
    next: Next,
) -> Response<Body> {
    next.run(request.map(|body| bodies.open(body))).await
}

/// A refusal in the words of gRPC.
fn status_of(refusal: &Refusal) -> Status {
    let code = match refusal {
        Refusal::Bad(_) => Code::InvalidArgument,
        Refusal::Stranger(_) => Code::Unauthenticated,
        Refusal::Forbidden(_) => Code::PermissionDenied,
        Refusal::NotFound(_) => Code::NotFound,
        Refusal::Conflict(_) => Code::FailedPrecondition,
        Refusal::Method(_) => Code::Unimplemented,
        Refusal::TooLarge(_) | Refusal::TooMany(_) | Refusal::NoRoom => Code::ResourceExhausted,
        Refusal::Internal => Code::Internal,
        Refusal::Slow => Code::DeadlineExceeded,
        Refusal::Unavailable(_) => Code::Unavailable,
    };
    Status::new(code, refusal.words())
}

fn refused(refusal: &Refusal) -> Reply {
    status_of(refusal).into_http()
}

/// A request whose key may make it, with its whole body.
struct Admitted {
    request: Request<Body>,
    asker: Option<Asker>,
    guest: Option<Guest>,
    /// That of the body, which stays taken until the call is answered.
    room: Room,
}

async fn admitted(api: &Api, request: Request<Body>, right: Right) -> Result<Admitted, Refusal> {
    let (mut parts, body) = request.into_parts();
    let comer = Comer::new(&parts, right);
    let shown = api.gatekeeper.look(&comer)?;
    let Held { bytes, room } = api.bodies.whole(body, shown.is_proven()).await?;
    let asker = api.gatekeeper.admit(&comer, shown, &bytes, || 1)?;
    if let Some(told) = parts.extensions.get::<Arc<Told>>() {
        told.by(asker.as_ref());
    }
    let guest = parts.extensions.remove::<Guest>();
    let request = Request::from_parts(parts, Body::from(bytes));
    Ok(Admitted {
        request,
        asker,
        guest,
        room,
    })
}

/// Does a call with its message.
struct Call<F>(Option<F>);

type Doing<B> = Pin<Box<dyn Future<Output = Result<tonic::Response<B>, Status>> + Send>>;

/// A call is done once.
fn again() -> Status {
    Status::internal("a call is done once")
}

impl<A, B, F, D> UnaryService<A> for Call<F>
where
    B: Send + 'static,
    F: FnOnce(tonic::Request<A>) -> D,
    D: Future<Output = Result<tonic::Response<B>, Refusal>> + Send + 'static,
{
    type Response = B;
    type Future = Doing<B>;

    fn call(&mut self, request: tonic::Request<A>) -> Self::Future {
        let Some(call) = self.0.take() else {
            return Box::pin(ready(Err(again())));
        };
        let done = call(request);
        Box::pin(async move { done.await.map_err(|refusal| status_of(&refusal)) })
    }
}

/// The connection that a call came by, and whose it is.
type Who = (Option<Guest>, Option<Asker>);

/// Messages that come one after the other.
type Answers<B> = Result<mpsc::Receiver<Result<B, Status>>, Refusal>;

impl<A, B, F> ServerStreamingService<A> for Call<F>
where
    B: Send + 'static,
    F: FnOnce(A) -> Answers<B>,
{
    type Response = B;
    type ResponseStream = ReceiverStream<Result<B, Status>>;
    type Future = Ready<Result<tonic::Response<Self::ResponseStream>, Status>>;

    fn call(&mut self, request: tonic::Request<A>) -> Self::Future {
        let Some(call) = self.0.take() else {
            return ready(Err(again()));
        };
        let answers = call(request.into_inner()).map_err(|refusal| status_of(&refusal));
        ready(answers.map(|answers| tonic::Response::new(ReceiverStream::new(answers))))
    }
}

fn codec<A, B>(api: &Api) -> Grpc<ProstCodec<B, A>>
where
    A: Message + Default + Send + 'static,
    B: Message + Send + 'static,
{
    Grpc::new(ProstCodec::default())
        .max_decoding_message_size(api.config.limits.body_kib * 1_024)
        .max_encoding_message_size(api.answer_max())
}

/// A call with one answer.
fn unary<A, B, F, D>(right: Right, call: F) -> MethodRouter<Arc<Api>>
where
    A: Message + Default + Send + 'static,
    B: Message + Send + 'static,
    F: Fn(Arc<Api>, Option<Asker>, A) -> D + Clone + Send + Sync + 'static,
    D: Future<Output = Result<B, Refusal>> + Send + 'static,
{
    with_metadata(right, move |api, asker, asked: tonic::Request<A>| {
        let done = call(api, asker, asked.into_inner());
        async move { done.await.map(tonic::Response::new) }
    })
}

/// The same, which reads and tells more than the messages.
fn with_metadata<A, B, F, D>(right: Right, call: F) -> MethodRouter<Arc<Api>>
where
    A: Message + Default + Send + 'static,
    B: Message + Send + 'static,
    F: Fn(Arc<Api>, Option<Asker>, tonic::Request<A>) -> D + Clone + Send + Sync + 'static,
    D: Future<Output = Result<tonic::Response<B>, Refusal>> + Send + 'static,
{
    post(
        move |State(api): State<Arc<Api>>, request: Request<Body>| async move {
            let limit = api.config.limits.request();
            let answer = async {
                let Admitted {
                    request,
                    asker,
                    room: _room,
                    ..
                } = match admitted(&api, request, right).await {
                    Ok(admitted) => admitted,
                    Err(refusal) => return refused(&refusal),
                };
                let mine = Arc::clone(&api);
                let call = Call(Some(move |asked| call(mine, asker, asked)));
                codec::<A, B>(&api).unary(call, request).await
            };
            let answer = tokio::time::timeout(limit, answer).await;
            answer.unwrap_or_else(|_| refused(&Refusal::Slow))
        },
    )
}

/// A call with many answers.
fn streamed<A, B, F>(right: Right, call: F) -> MethodRouter<Arc<Api>>
where
    A: Message + Default + Send + 'static,
    B: Message + Send + 'static,
    F: Fn(Arc<Api>, Who, A) -> Answers<B> + Clone + Send + Sync + 'static,
{
    post(
        move |State(api): State<Arc<Api>>, request: Request<Body>| async move {
            let limit = api.config.limits.request();
            let admitted = tokio::time::timeout(limit, admitted(&api, request, right)).await;
            let Admitted {
                request,
                guest,
                asker,
                room: _room,
            } = match admitted.unwrap_or(Err(Refusal::Slow)) {
                Ok(admitted) => admitted,
                Err(refusal) => return refused(&refusal),
            };
            let mine = Arc::clone(&api);
            let call = Call(Some(move |message: A| call(mine, (guest, asker), message)));
            codec::<A, B>(&api).server_streaming(call, request).await
        },
    )
}

/// A stream of the market, by the same queues as those over WebSocket.
fn market(api: &Api, guest: Option<Guest>, asked: &m::StreamRequest) -> Answers<m::StreamMessage> {
    let bad = |what: &str| Refusal::Bad(what.to_owned());
    let channel = match asked.channel() {
        m::Channel::Book => stream::Channel::Book,
        m::Channel::Top => stream::Channel::Top,
        m::Channel::Trades => stream::Channel::Trades,
        m::Channel::Unspecified => return Err(bad("channel: BOOK, TOP or TRADES")),
    };
    let format = match asked.form() {
        m::Form::Compact => stream::Format::Compact,
        m::Form::Json => stream::Format::Json,
    };
    let guest = guest.ok_or_else(|| bad("this connection cannot have a stream"))?;
    let (tell, answers) = mpsc::channel(1);
    let pipe = stream::Pipe::open(api.hub()?, format, channel, &asked.symbols)?;
    tokio::spawn(async move {
        let say = |message| tell.send(Ok(m::StreamMessage { message }));
        pipe.run(guest.is_over, say, tell.closed()).await;
    });
    Ok(answers)
}
