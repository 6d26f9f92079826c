//! Connections: how many there may be, how long they may wait, and what makes them private.

use crate::config::{Limits, Tls};
use crate::crowd::{Crowd, Place};
use crate::outgoing::Outgoing;
use crate::patient::Patient;
use crate::routes;
use axum::Router;
use axum::http::{Request, Version};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use std::convert::Infallible;
use std::error::Error;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tower::ServiceExt;

/// Requests of one connection at a time, by HTTP/2.
const STREAMS_MAX: u32 = 32;

/// Requests that a client may take back before they are looked at, by HTTP/2: more of them end the
/// connection.
const RESETS_MAX: usize = 32;

/// Bytes of a request's head.
const HEAD_BYTES_MAX: usize = 16 * 1_024;

/// Bytes of bodies that a connection may send before they are looked at, by HTTP/2: the least that
/// its protocol knows.
const WINDOW_BYTES: u32 = 65_535;

/// Bytes that wait for a client in a stream of HTTP/2.
const SEND_BYTES_MAX: usize = 256 * 1_024;

/// A silent connection of HTTP/2 is asked whether it lives.
const PING_EVERY: Duration = Duration::from_secs(20);

/// How long connections may take to end when the service does.
const END_MAX: Duration = Duration::from_secs(5);

/// How long the listener rests when the system has no descriptor or memory for a connection.
const REST: Duration = Duration::from_millis(100);

/// What makes connections private, from its files.
///
/// # Errors
/// A file cannot be read, or is no such file, or both do not belong together.
pub(crate) fn acceptor(tls: &Tls) -> Result<TlsAcceptor, Box<dyn Error>> {
    let (chain_path, key_path) = (&tls.certificate, &tls.key);
    let told =
        |path: &std::path::Path, why: &dyn std::fmt::Display| format!("{}: {why}", path.display());
    let chain = CertificateDer::pem_file_iter(chain_path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|e| told(chain_path, &e))?;
    if chain.is_empty() {
        return Err(told(chain_path, &"no certificate is in it").into());
    }
    let key = PrivateKeyDer::from_pem_file(key_path).map_err(|e| told(key_path, &e))?;
    let mut config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|e| told(key_path, &e))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// What a connection has that outlives its last request.
#[derive(Clone)]
pub(crate) struct Guest {
    /// Whether the service ends.
    pub(crate) is_over: watch::Receiver<bool>,
    place: Arc<Place>,
}

impl Guest {
    /// Its client took nothing of what waited for it, or did not live, and is ended.
    pub(crate) fn stalled(&self) {
        self.place.crowd().stalled();
    }
}

/// The service, ready to take connections.
pub(crate) struct Server {
    listener: TcpListener,
    acceptor: Option<TlsAcceptor>,
    limits: Limits,
    router: Router,
    crowd: Crowd,
}

impl Server {
    /// Over a socket that listens.
    pub(crate) fn new(
        listener: TcpListener,
        acceptor: Option<TlsAcceptor>,
        (limits, crowd): (Limits, Crowd),
        router: Router,
    ) -> Self {
        Self {
            listener,
            acceptor,
            limits,
            router,
            crowd,
        }
    }

    /// Something else over another socket, for whom the same places are.
    pub(crate) fn beside(&self, listener: TcpListener, router: Router) -> Self {
        Self {
            listener,
            acceptor: self.acceptor.clone(),
            limits: self.limits,
            router,
            crowd: self.crowd.clone(),
        }
    }

    /// Takes connections until `is_over` says so, then lets those that are there finish what they
    /// were asked.
    pub(crate) async fn run(self, mut is_over: watch::Receiver<bool>) {
        loop {
            let came = tokio::select! {
                came = self.listener.accept() => came,
                _ = is_over.changed() => break,
            };
            match came {
                Ok((stream, from)) => self.take(stream, from.ip().to_canonical(), &is_over),
                Err(_) => tokio::time::sleep(REST).await,
            }
        }
        drop(self.listener);
        let ended = async {
            while !self.crowd.is_empty() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let _ = tokio::time::timeout(END_MAX, ended).await;
    }

    /// Serves a connection, if there is room for it; else it is closed at once.
    fn take(&self, stream: TcpStream, from: IpAddr, is_over: &watch::Receiver<bool>) {
        let Some(place) = self.crowd.place(from, &self.limits) else {
            return;
        };
        let _ = stream.set_nodelay(true);
        let (limits, router) = (self.limits, self.router.clone());
        let (acceptor, is_over) = (self.acceptor.clone(), is_over.clone());
        let crowd = self.crowd.clone();
        tokio::spawn(async move {
            let guest = Guest {
                is_over,
                place: Arc::new(place),
            };
            let stream = Patient::new(stream, &limits, crowd);
            match acceptor {
                None => serve(stream, from, router, limits, guest).await,
                Some(acceptor) => {
                    let handshake = acceptor.accept(stream);
                    let done = tokio::time::timeout(limits.request(), handshake).await;
                    if let Ok(Ok(stream)) = done {
                        serve(stream, from, router, limits, guest).await;
                    }
                }
            }
        });
    }
}

/// One connection, from its first request to its end.
async fn serve<T>(stream: T, from: IpAddr, router: Router, limits: Limits, guest: Guest)
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut is_over, client) = (guest.is_over.clone(), guest.clone());
    let router = router
        .layer(axum::Extension(routes::From(from)))
        .layer(axum::Extension(guest));
    let outgoing = Outgoing::default();
    let timed = outgoing.clone();
    let router = tower::service_fn(move |request: Request<Incoming>| {
        // One of HTTP/1.1 that takes nothing keeps its whole connection waiting.
        let is_one_of_many = request.version() == Version::HTTP_2;
        let (answer, timed) = (router.clone().oneshot(request), timed.clone());
        async move {
            let answer = answer.await?;
            Ok::<_, Infallible>(match is_one_of_many {
                true => timed.timed(answer),
                false => answer,
            })
        }
    });
    let router = TowerToHyperService::new(router);
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.request())
        .max_buf_size(HEAD_BYTES_MAX.max(8_192))
        .max_headers(64);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MAX)
        .max_pending_accept_reset_streams(RESETS_MAX)
        .max_local_error_reset_streams(RESETS_MAX)
        .initial_stream_window_size(WINDOW_BYTES)
        .initial_connection_window_size(WINDOW_BYTES)
        .max_header_list_size(HEAD_BYTES_MAX as u32)
        .max_send_buf_size(SEND_BYTES_MAX)
        .keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(limits.stall());
    let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), router);
    tokio::pin!(connection);
    tokio::select! {
        ended = connection.as_mut() => {
            let error = ended.err();
            let error = error.as_ref().and_then(|it| it.downcast_ref::<hyper::Error>());
            if error.is_some_and(hyper::Error::is_timeout) {
                client.stalled();
            }
            return;
        }
        // Who has words for such a client says them first.
        () = outgoing.stalled(3 * limits.stall()) => return client.stalled(),
        _ = is_over.changed() => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = tokio::time::timeout(END_MAX, connection).await;
}
