//! A client of gRPC, of a few lines.

use super::BOUND;
use axum::body::Bytes;
use h2::client::SendRequest;
use std::net::SocketAddr;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

/// What a call came to.
#[derive(Debug)]
pub struct Done {
    pub code: u32,
    pub told: String,
    pub messages: Vec<Vec<u8>>,
    /// What metadata says that it is behind.
    pub position: Option<String>,
    /// Where metadata says that it stands among calls of others.
    pub trace: Option<String>,
}

/// A client of a few lines.
pub struct Client(SendRequest<Bytes>);

impl Client {
    pub async fn connect(at: SocketAddr) -> Self {
        Self::over(TcpStream::connect(at).await.unwrap()).await
    }

    /// Over a connection that there is.
    pub async fn over<T>(stream: T) -> Self
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (client, connection) = h2::client::handshake(stream).await.unwrap();
        tokio::spawn(async move {
            let _ = connection.await;
        });
        Self(client)
    }

    /// A call with this message; of a stream only so many answers are taken.
    pub async fn call(&self, call: &str, key: &str, message: &[u8], answers: usize) -> Done {
        self.call_with(call, (key, &[]), message, answers).await
    }

    /// The same, with metadata.
    pub async fn call_with(
        &self,
        call: &str,
        (key, metadata): (&str, &[(&str, &str)]),
        message: &[u8],
        answers: usize,
    ) -> Done {
        let mut request = axum::http::Request::post(format!("http://venue/{call}"))
            .header("content-type", "application/grpc")
            .header("te", "trailers");
        if !key.is_empty() {
            request = request.header("authorization", format!("Bearer {key}-token"));
        }
        for (name, value) in metadata {
            request = request.header(*name, *value);
        }
        let mut client = self.0.clone().ready().await.unwrap();
        let (answer, mut body) = client
            .send_request(request.body(()).unwrap(), false)
            .unwrap();
        let mut bytes = vec![0];
        bytes.extend((message.len() as u32).to_be_bytes());
        bytes.extend(message);
        body.send_data(bytes.into(), true).unwrap();
        let answer = answer.await.unwrap();
        let (parts, mut body) = answer.into_parts();
        let mut bytes = Vec::new();
        let mut headers = parts.headers;
        while framed(&bytes).len() < answers
            && let Some(data) = body.data().await
        {
            let data = data.unwrap();
            body.flow_control().release_capacity(data.len()).unwrap();
            bytes.extend(data);
        }
        let messages = framed(&bytes);
        if messages.len() < answers || answers == usize::MAX {
            headers.extend(body.trailers().await.unwrap().unwrap_or_default());
        }
        let text = |name: &str| headers.get(name).map(|it| it.to_str().unwrap().to_owned());
        Done {
            code: text("grpc-status").map_or(0, |code| code.parse().unwrap()),
            told: text("grpc-message").unwrap_or_default().replace("%20", " "),
            messages,
            position: text("x-wirecross-position"),
            trace: text("traceparent"),
        }
    }
}

fn framed(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut messages = Vec::new();
    while bytes.len() >= 5 {
        let length = u32::from_be_bytes(bytes[1..5].try_into().unwrap()) as usize;
        let Some(message) = bytes.get(5..5 + length) else {
            break;
        };
        messages.push(message.to_vec());
        bytes = &bytes[5 + length..];
    }
    messages
}

/// A field of bytes: its number, and its length below 2^14.
pub fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let length = bytes.len();
    let length = match length < 1 << 7 {
        true => vec![length as u8],
        false => vec![length as u8 | 0x80, (length >> 7) as u8],
    };
    [&[number << 3 | 2][..], &length, bytes].concat()
}

pub fn until<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async { tokio::time::timeout(BOUND, work).await.unwrap() })
}
