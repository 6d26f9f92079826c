//! The server's side of WebSocket (RFC 6455) with permessage-deflate (RFC 7692): bytes in, messages
//! out. It knows neither sockets nor time.
//!
//! A server's frame has nothing in it that is a connection's own: no mask, and no compression that
//! remembers other messages. So what is told to many is framed and compressed once ([`frame`],
//! [`Packer`]), and every connection sends the same bytes.
#![forbid(unsafe_code)]

mod close;
mod deflate;
mod handshake;
mod incoming;
mod message;

pub use close::{Close, Fault};
pub use deflate::Packer;
pub use handshake::{accept_key, is_deflate_offered};
pub use incoming::{Incoming, Reader};
pub use message::{Kind, close_frame, frame, packed_frame};

/// What the server says of compression when it takes it on: no side remembers earlier messages.
pub const DEFLATE: &str =
    "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
