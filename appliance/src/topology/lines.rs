//! The second line of the feed, who may ask for what it missed, and where snapshots are given.

use super::check::{address, within};
use super::{Error, raw};
use session::Network;
use session::feed::{BYTES_PER_SECOND_MAX, NETWORKS_MAX};
use std::net::SocketAddrV4;
use std::time::Duration;

/// The same packets once more, by another way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineB {
    /// Where they go.
    pub group: SocketAddrV4,
    /// Where they leave, if that is another port than the first line's.
    pub source: Option<SocketAddrV4>,
}

/// The second line; it goes elsewhere than the first one.
pub(super) fn line_b(raw: &raw::Feed, group_a: SocketAddrV4) -> Result<Option<LineB>, Error> {
    let Some(group) = &raw.group_b else {
        return match &raw.source_b {
            None => Ok(None),
            Some(source) => Err(Error::value(
                "feed.source_b",
                format!("is \"{source}\", and there is no second line"),
                "name its group, `group_b`, or leave it out",
            )),
        };
    };
    let group = address("feed.group_b", group)?;
    if group.port() == 0 || group == group_a {
        let problem = format!("is \"{group}\"");
        let remedy = "write another address than that of `feed.group`, with the receivers' port";
        return Err(Error::value("feed.group_b", problem, remedy));
    }
    let source = raw.source_b.as_ref();
    let source = source.map(|text| address("feed.source_b", text));
    Ok(Some(LineB {
        group,
        source: source.transpose()?,
    }))
}

/// Time between two heartbeats. A receiver takes silence of a second for a fault.
pub(super) fn heartbeat(raw: &raw::Feed) -> Result<Duration, Error> {
    let ms = within("feed.heartbeat_ms", raw.heartbeat_ms, 1..=500)?;
    Ok(Duration::from_millis(ms))
}

/// Who may ask; this machine alone, unless the file says otherwise.
pub(super) fn allow(raw: &raw::Feed) -> Result<Vec<Network>, Error> {
    let Some(texts) = &raw.rerequest_allow else {
        return Ok(vec![Network::LOOPBACK]);
    };
    if texts.len() > NETWORKS_MAX {
        let problem = format!("has {} networks", texts.len());
        let remedy = format!("write at most {NETWORKS_MAX}");
        return Err(Error::value("feed.rerequest_allow", problem, remedy));
    }
    let network = |(index, text): (usize, &String)| {
        text.parse().map_err(|why| {
            Error::value(
                format!("feed.rerequest_allow[{index}]"),
                format!("is \"{text}\": {why}"),
                "write a network or an address, such as \"10.1.2.0/24\"",
            )
        })
    };
    texts.iter().enumerate().map(network).collect()
}

/// Bytes a second of each network's answers.
pub(super) fn bytes_per_second(raw: &raw::Feed) -> Result<u64, Error> {
    let most = BYTES_PER_SECOND_MAX >> 10;
    Ok(within(
        "feed.rerequest_kib_per_s",
        raw.rerequest_kib_per_s,
        1..=most,
    )? << 10)
}

/// Where snapshots are given.
pub(super) fn snapshot(raw: &raw::Feed) -> Result<Option<SocketAddrV4>, Error> {
    let text = raw.snapshot.as_ref();
    text.map(|text| address("feed.snapshot", text)).transpose()
}
