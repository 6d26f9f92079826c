//! A member by OUCH and one by gRPC, who send orders that nobody meets when these are due.

mod venue;

use crate::service::Service;
use crate::service::calls::Caller;
use prost::Message;
use session::ouch_client::{Order, OuchClient, Reply};
use session::soup_client::{ClientState, SoupConfig};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::spawn_local;
pub use venue::Venue;
use wire::ouch::Outbound;

/// Connections of the member by gRPC, each of which may have 32 calls under way.
const CONNECTIONS: usize = 8;

pub const ENTER: &str = "wirecross.v1.Orders/Enter";
const SESSION: &str = "wirecross.v1.Orders/Session";
/// Kinds of events.
const READY: i32 = 1;
const ACCEPTED: i32 = 2;

#[derive(Clone, PartialEq, Message)]
pub struct EnterRequest {
    #[prost(string, tag = "1")]
    symbol: String,
    #[prost(int32, tag = "2")]
    side: i32,
    #[prost(message, optional, tag = "3")]
    terms: Option<Terms>,
}

#[derive(Clone, PartialEq, Message)]
struct Terms {
    #[prost(uint32, tag = "1")]
    quantity: u32,
    #[prost(uint64, optional, tag = "2")]
    price: Option<u64>,
    #[prost(int32, tag = "3")]
    lifetime: i32,
}

#[derive(Clone, PartialEq, Message)]
struct SessionRequest {}

#[derive(Clone, PartialEq, Message)]
struct OrderEvent {
    #[prost(int32, tag = "2")]
    kind: i32,
}

/// One unit to be bought at once, which nobody sells.
pub fn by_grpc() -> EnterRequest {
    EnterRequest {
        symbol: "AAPL".to_owned(),
        side: 1,
        terms: Some(Terms {
            quantity: 1,
            price: Some(1_000_000),
            lifetime: 1,
        }),
    }
}

/// The same.
fn by_ouch() -> Order {
    Order {
        time_in_force: b'3',
        ..Order::day(b'B', 1, "AAPL", 1_000_000)
    }
}

/// When orders are due.
pub type Dues = UnboundedReceiver<Instant>;

/// So many orders at a rate. A thread keeps the pace: a runtime's own timer counts milliseconds.
pub fn paced(rate: u64, count: u64) -> Dues {
    let (tell, dues) = unbounded_channel();
    std::thread::spawn(move || {
        let begun = Instant::now();
        for number in 0..count {
            let due = begun + Duration::from_nanos(number * 1_000_000_000 / rate);
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            tell.send(due).unwrap();
        }
    });
    dues
}

fn since_us(due: Instant) -> u64 {
    due.elapsed().as_micros() as u64
}

/// A member by OUCH.
pub struct Ouch {
    line: TcpStream,
    client: OuchClient,
}

impl Ouch {
    pub async fn login(at: SocketAddr) -> Self {
        let line = TcpStream::connect(at).await.unwrap();
        line.set_nodelay(true).unwrap();
        let config = SoupConfig::new("BRAVO", "bravo");
        let mut this = Self {
            line,
            client: OuchClient::new(config),
        };
        this.client.soup().connected(0);
        while this.client.soup().poll(0) != ClientState::Live {
            this.transmit().await;
            this.hear(&mut |_| ()).await;
        }
        this
    }

    async fn transmit(&mut self) {
        let mut bytes = Vec::new();
        self.client.soup().transmit(0, &mut |offer| {
            bytes.extend_from_slice(offer);
            offer.len()
        });
        self.line.write_all(&bytes).await.unwrap();
    }

    async fn hear(&mut self, on: &mut dyn FnMut(Reply<'_>)) {
        let mut bytes = [0; 16 << 10];
        let count = self.line.read(&mut bytes).await.unwrap();
        assert!(count > 0, "the venue ended the connection");
        self.client.received(&bytes[..count], 0, on);
    }

    /// Sends what is due; how long each waited, in microseconds.
    pub async fn send(&mut self, mut dues: Dues, count: usize) -> Vec<u64> {
        let (mut times, mut sent) = (Vec::new(), VecDeque::new());
        while times.len() < count {
            let mut accepted = 0;
            tokio::select! {
                Some(due) = dues.recv() => {
                    assert!(self.client.enter(&by_ouch()).is_some());
                    sent.push_back(due);
                    self.transmit().await;
                }
                heard = self.accepted() => accepted = heard,
            }
            times.extend(sent.drain(..accepted).map(since_us));
        }
        times
    }

    /// Hears of so many orders that they were accepted.
    async fn accepted(&mut self) -> usize {
        let mut accepted = 0;
        let mut on = |reply: Reply<'_>| match reply {
            Reply::Message(_, Outbound::Accepted(_)) => accepted += 1,
            Reply::Message(_, Outbound::Canceled(_)) => {}
            _ => panic!("an order was not accepted"),
        };
        self.hear(&mut on).await;
        accepted
    }
}

/// A member by gRPC, whose session is told to a task of its own.
pub struct Grpc(Vec<Caller>);

impl Grpc {
    pub async fn login(service: &Service) -> Self {
        let mut callers = Vec::new();
        for _ in 0..CONNECTIONS {
            let caller = Caller::connect(service.grpc.unwrap(), &service.token).await;
            callers.push(caller);
        }
        let mut events = callers[0].call(SESSION, &SessionRequest {}).await;
        let first: OrderEvent = events.next().await.unwrap();
        assert_eq!(first.kind, READY);
        spawn_local(async move { while events.next::<OrderEvent>().await.is_some() {} });
        Self(callers)
    }

    /// Sends what is due; how long each waited, in microseconds.
    pub async fn send(&self, mut dues: Dues) -> Vec<u64> {
        let (mut tasks, mut callers) = (Vec::new(), self.0.iter().cycle());
        while let Some(due) = dues.recv().await {
            let caller = callers.next().unwrap().clone();
            tasks.push(spawn_local(async move {
                let event: OrderEvent = caller.ask(ENTER, &by_grpc()).await;
                assert_eq!(event.kind, ACCEPTED);
                since_us(due)
            }));
        }
        let mut times = Vec::new();
        for task in tasks {
            times.push(task.await.unwrap());
        }
        times
    }
}
