//! The topology drawn as text, for `wirecross topology`.

use super::{Link, Tile, Topology, keeping};
use journal::Reserve;
use std::fmt::Write;

/// Draws the graph.
pub(super) fn drawn(topology: &Topology) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = draw(topology, &mut text);
    text
}

fn draw(topology: &Topology, text: &mut String) -> std::fmt::Result {
    writeln!(text, "{}", topology.name)?;
    writeln!(text, "\ntiles")?;
    for tile in Tile::ALL {
        writeln!(text, "  {:<8} {}", tile.name(), topology.place(tile))?;
    }
    writeln!(text, "\nlinks")?;
    writeln!(
        text,
        "  members ==tcp==> gate      {}  {}",
        topology.order_entry.address,
        topology.order_entry.mode.name()
    )?;
    for link in Link::ALL {
        let (from, to) = link.ends();
        let depth = topology.depth(link);
        let (from, to) = (from.name(), to.name());
        writeln!(
            text,
            "  {from:<7} --ring-> {to:<8}  depth {depth}, full: wait"
        )?;
    }
    let feed = &topology.feed;
    writeln!(
        text,
        "  publish ==udp==> {}  {} or below",
        feed.group,
        feed.mode.name()
    )?;
    if let Some(line) = feed.line_b {
        writeln!(text, "  publish  =udp==> line B {}", line.group)?;
    }
    writeln!(text, "  publish <=udp==> re-requests at {}", feed.rerequest)?;
    if let Some(snapshot) = feed.snapshot {
        writeln!(text, "  publish <=tcp==> snapshots at {snapshot}")?;
    }
    writeln!(text, "  journal ==disk=> {}", topology.data_dir.display())?;
    limits(topology, text)
}

fn limits(topology: &Topology, text: &mut String) -> std::fmt::Result {
    let limits = topology.limits;
    writeln!(text, "\nrules")?;
    writeln!(
        text,
        "  a reply leaves when its order is in: {}",
        topology.ack.name()
    )?;
    writeln!(text, "  the journal: {}", keeping::told(topology))?;
    let cancels = Reserve::cancels_min(topology.segment_bytes);
    writeln!(text, "  a full disk leaves room for {cancels} cancels")?;
    writeln!(
        text,
        "  symbols  {} of {}",
        topology.symbols.len(),
        limits.symbols
    )?;
    writeln!(
        text,
        "  sessions {} of {}",
        topology.users.len(),
        limits.sessions
    )?;
    writeln!(text, "  orders   {} resting at most", limits.orders)
}
