//! Tiles on threads and links between them, checked.

use super::check::is_word;
use super::{DEPTH_MAX, DEPTH_MIN, Error, Link, LinkSize, Place, Tile, raw};
use std::collections::BTreeMap;

/// Where each tile runs, in the order of the tiles.
pub(super) fn places(
    raw: &BTreeMap<String, raw::Place>,
) -> Result<[Place; Tile::ALL.len()], Error> {
    if let Some(name) = raw
        .keys()
        .find(|name| Tile::ALL.iter().all(|tile| tile.name() != *name))
    {
        let remedy = "the tiles are gate, engine, journal and publish";
        return Err(Error::value(format!("tiles.{name}"), "is no tile", remedy));
    }
    let mut cores = BTreeMap::new();
    let mut place = |tile: Tile| -> Result<Place, Error> {
        let key = format!("tiles.{}", tile.name());
        let remedy = "write { core = NUMBER } or { thread = \"NAME\" }";
        let Some(raw) = raw.get(tile.name()) else {
            return Err(Error::value(key, "is missing", remedy));
        };
        match (raw.core, &raw.thread) {
            (Some(core), None) => {
                if let Some(other) = cores.insert(core, tile.name()) {
                    let problem = format!("is {core}, which `tiles.{other}.core` has already");
                    let remedy = "give each pinned tile its own core, or let them share a thread";
                    return Err(Error::value(format!("{key}.core"), problem, remedy));
                }
                Ok(Place::Core(core))
            }
            (None, Some(thread)) if is_word(thread, 15, "-_") => Ok(Place::Thread(thread.clone())),
            (None, Some(thread)) => Err(Error::value(
                format!("{key}.thread"),
                format!("is \"{thread}\""),
                "write 1 to 15 letters or digits",
            )),
            (Some(_), Some(_)) => Err(Error::value(key, "has a core and a thread", remedy)),
            (None, None) => Err(Error::value(key, "has neither core nor thread", remedy)),
        }
    };
    let [gate, engine, journal, publish] = Tile::ALL;
    Ok([
        place(gate)?,
        place(engine)?,
        place(journal)?,
        place(publish)?,
    ])
}

/// A link's key that is none of the venue's: says which end is missing.
fn link_unknown(name: &str) -> Error {
    let key = format!("links.{name}");
    let names: Vec<String> = Link::ALL.iter().map(|link| link.name()).collect();
    let remedy = format!("the links are {}", names.join(", "));
    let is_tile = |end: &str| Tile::ALL.iter().any(|tile| tile.name() == end);
    let problem = match name.split_once('_') {
        Some((from, to)) if is_tile(from) && is_tile(to) => {
            format!("joins `{from}` and `{to}`, which nothing writes or reads")
        }
        Some((from, to)) if is_tile(from) => format!("has no reader: `{to}` is no tile"),
        Some((from, _)) => format!("has no writer: `{from}` is no tile"),
        None => "names no writer and reader".to_owned(),
    };
    Error::value(key, problem, remedy)
}

/// How deep each link is, in the order of the links.
pub(super) fn links(
    raw: &BTreeMap<String, raw::Link>,
) -> Result<[LinkSize; Link::ALL.len()], Error> {
    if let Some(name) = raw
        .keys()
        .find(|name| Link::ALL.iter().all(|link| link.name() != **name))
    {
        return Err(link_unknown(name));
    }
    let size = |link: Link| -> Result<LinkSize, Error> {
        let key = format!("links.{}", link.name());
        let Some(raw) = raw.get(&link.name()) else {
            let (from, to) = link.ends();
            let problem = format!(
                "is missing: `{}` has nothing to give `{}`",
                from.name(),
                to.name()
            );
            return Err(Error::value(
                key,
                problem,
                "write { depth = 4096, full = \"wait\" }",
            ));
        };
        let depth_ok = raw.depth.is_power_of_two() && (DEPTH_MIN..=DEPTH_MAX).contains(&raw.depth);
        if !depth_ok {
            return Err(Error::value(
                format!("{key}.depth"),
                format!("is {}", raw.depth),
                format!("write a power of two from {DEPTH_MIN} to {DEPTH_MAX}"),
            ));
        }
        if raw.full != "wait" {
            return Err(Error::value(
                format!("{key}.full"),
                format!("is \"{}\"", raw.full),
                "write \"wait\": no link of a venue may lose a message",
            ));
        }
        Ok(LinkSize { depth: raw.depth })
    };
    let [gate_engine, engine_journal, engine_gate, engine_publish] = Link::ALL;
    Ok([
        size(gate_engine)?,
        size(engine_journal)?,
        size(engine_gate)?,
        size(engine_publish)?,
    ])
}
