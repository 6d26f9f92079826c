//! gRPC of a few lines over `h2`, the HTTP/2 of tonic: one call at a time, or one that goes on.

use axum::body::Bytes;
use h2::RecvStream;
use h2::client::SendRequest;
use prost::Message;
use std::net::SocketAddr;
use tokio::net::TcpStream;

/// A connection.
#[derive(Clone)]
pub struct Caller {
    client: SendRequest<Bytes>,
    token: String,
}

impl Caller {
    /// To be called on a `LocalSet`, which moves its bytes.
    pub async fn connect(at: SocketAddr, token: &str) -> Self {
        let stream = TcpStream::connect(at).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let (client, connection) = h2::client::handshake(stream).await.unwrap();
        tokio::task::spawn_local(async move {
            let _ = connection.await;
        });
        let token = token.to_owned();
        Self { client, token }
    }

    /// Makes a call, as soon as the connection has room for one.
    pub async fn call(&self, call: &str, message: &impl Message) -> Answers {
        let request = axum::http::Request::post(format!("http://venue/{call}"))
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .header("authorization", format!("Bearer {}", self.token));
        let mut client = self.client.clone().ready().await.unwrap();
        let request = request.body(()).unwrap();
        let (answer, mut body) = client.send_request(request, false).unwrap();
        body.send_data(framed(message).into(), true).unwrap();
        let (head, body) = answer.await.unwrap().into_parts();
        let status = head.headers.get("grpc-status");
        assert!(status.is_none_or(|it| it == "0"), "{:?}", head.headers);
        Answers {
            body,
            bytes: Vec::new(),
        }
    }

    /// The answer of a call that has one.
    pub async fn ask<T: Message + Default>(&self, call: &str, message: &impl Message) -> T {
        let mut answers = self.call(call, message).await;
        let answer = answers.next().await;
        let none = answers.next::<T>().await;
        assert!(none.is_none(), "one answer");
        let trailers = answers.body.trailers().await.unwrap().unwrap();
        assert_eq!(trailers["grpc-status"], "0", "{trailers:?}");
        answer.unwrap()
    }
}

/// What a call is answered.
pub struct Answers {
    body: RecvStream,
    bytes: Vec<u8>,
}

impl Answers {
    /// The next message; `None` behind the last one.
    pub async fn next<T: Message + Default>(&mut self) -> Option<T> {
        loop {
            if let Some(length) = self.bytes.get(1..5) {
                let length = u32::from_be_bytes(length.try_into().unwrap()) as usize;
                if self.bytes.len() >= 5 + length {
                    let message: Vec<u8> = self.bytes.drain(..5 + length).skip(5).collect();
                    return Some(T::decode(&*message).unwrap());
                }
            }
            let data = self.body.data().await?.unwrap();
            let taken = self.body.flow_control().release_capacity(data.len());
            taken.unwrap();
            self.bytes.extend(data);
        }
    }
}

/// A message as it stands in a body.
pub fn framed(message: &impl Message) -> Vec<u8> {
    let message = message.encode_to_vec();
    let length = (message.len() as u32).to_be_bytes();
    [&[0], &length[..], &message].concat()
}
