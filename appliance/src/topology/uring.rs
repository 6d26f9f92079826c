//! How ports use io_uring: `[uring]` in the file. What each choice costs is in docs/io-uring.md.

use super::Error;
use super::check::within;
use nic::{Receive, Sqpoll, UringOptions};
use serde::Deserialize;

/// Longest that a kernel thread may spin without work.
const SQPOLL_IDLE_MS_MAX: u32 = 60_000;
/// Longest that one turn may poll the card.
const NAPI_US_MAX: u32 = 1_000;

/// The names of the ways to receive.
const RECEIVES: [(&str, Receive); 2] = [
    ("multishot", Receive::Multishot),
    ("single", Receive::Single),
];

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    pub receive: Option<String>,
    pub sqpoll_core: Option<u32>,
    pub sqpoll_idle_ms: Option<u32>,
    pub napi_us: Option<u32>,
}

/// Checks the section; an absent one asks for what is best without a core to spare.
pub(super) fn options(raw: &Raw) -> Result<UringOptions, Error> {
    let receive = match &raw.receive {
        None => Receive::default(),
        Some(name) => receive(name)?,
    };
    let sqpoll = match (raw.sqpoll_idle_ms, raw.sqpoll_core) {
        (None, None) => None,
        (None, Some(_)) => {
            let remedy = "write how long the kernel thread spins, too: sqpoll_idle_ms = 1000";
            return Err(Error::value("uring.sqpoll_core", "stands alone", remedy));
        }
        (Some(idle_ms), core) => Some(Sqpoll {
            idle_ms: within("uring.sqpoll_idle_ms", idle_ms, 1..=SQPOLL_IDLE_MS_MAX)?,
            core,
        }),
    };
    if sqpoll.is_some() && raw.receive.is_some() && receive == Receive::Multishot {
        return Err(Error::value(
            "uring.receive",
            "is \"multishot\", which a kernel thread (`sqpoll_idle_ms`) cannot do",
            "write \"single\", or leave the kernel thread out",
        ));
    }
    let napi_us = match raw.napi_us {
        None => None,
        Some(us) => Some(within("uring.napi_us", us, 1..=NAPI_US_MAX)?),
    };
    Ok(UringOptions {
        receive,
        sqpoll,
        napi_us,
    })
}

fn receive(name: &str) -> Result<Receive, Error> {
    let found = RECEIVES.into_iter().find(|(known, _)| *known == name);
    found.map(|(_, receive)| receive).ok_or_else(|| {
        let remedy = "write \"multishot\" or \"single\"";
        Error::value("uring.receive", format!("is \"{name}\""), remedy)
    })
}
