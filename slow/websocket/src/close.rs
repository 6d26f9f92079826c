//! Why a connection ends.

use std::fmt;

/// What a client did that ends the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It broke a rule of the protocol: which.
    Protocol(&'static str),
    /// A text, or the reason of a close, is not UTF-8.
    NotText,
    /// A message has more bytes than are taken.
    TooLarge,
    /// A compressed message cannot be unpacked.
    NotPacked,
}

impl Fault {
    /// The code of a close that says so.
    #[must_use]
    pub const fn code(self) -> u16 {
        match self {
            Self::Protocol(_) => 1_002,
            Self::NotText | Self::NotPacked => 1_007,
            Self::TooLarge => 1_009,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Protocol(rule) => rule,
            Self::NotText => "a text that is not UTF-8",
            Self::TooLarge => "a message that is too large",
            Self::NotPacked => "a compressed message that cannot be unpacked",
        })
    }
}

impl std::error::Error for Fault {}

/// A client's close.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Close {
    /// Its code, if it has one.
    pub code: Option<u16>,
    /// Its reason.
    pub reason: String,
}

impl Close {
    /// From the payload of a close frame.
    pub(crate) fn parse(payload: &[u8]) -> Result<Self, Fault> {
        let (code, reason) = match payload {
            [] => (None, &[][..]),
            [high, low, reason @ ..] => (Some(u16::from_be_bytes([*high, *low])), reason),
            [_] => return Err(Fault::Protocol("a close with half a code")),
        };
        // What may be sent: RFC 6455, 7.4, and what was registered since.
        let is_known = |code| matches!(code, 1_000..=1_003 | 1_007..=1_014 | 3_000..=4_999);
        if code.is_some_and(|code| !is_known(code)) {
            return Err(Fault::Protocol("a close with a code that may not be sent"));
        }
        let reason = str::from_utf8(reason).map_err(|_| Fault::NotText)?;
        Ok(Self {
            code,
            reason: reason.to_owned(),
        })
    }
}
