//! A run as a picture: price with fills above, profit below, on one time axis.

use std::fmt::Write as _;

use trading::desk::{Desk, Fill};
use wire::ring::Side;

use super::ledger::Point;

const WIDTH: f64 = 1_000.0;
const HEIGHT: f64 = 600.0;
const LEFT: f64 = 90.0;
const RIGHT: f64 = WIDTH - 20.0;
/// The two panels, from top to bottom.
const PANELS: [(f64, f64); 2] = [(40.0, 340.0), (390.0, 560.0)];
/// Fills that are drawn: more would be one smear.
const FILLS_MAX: usize = 4_000;
/// Lines of a grid.
const GRID: usize = 4;

const BOUGHT: &str = "#1a7f37";
const SOLD: &str = "#b03030";
const LINE: &str = "#2060a0";

/// A panel's scale.
struct Scale {
    top: f64,
    bottom: f64,
    low: f64,
    high: f64,
}

impl Scale {
    fn new((top, bottom): (f64, f64), values: impl Iterator<Item = f64>) -> Self {
        let finite = values.filter(|value| value.is_finite());
        let (low, high) = finite.fold((f64::MAX, f64::MIN), |(low, high), value| {
            (low.min(value), high.max(value))
        });
        // Nothing, or always the same: a scale all the same.
        let (low, high) = if low < high {
            (low, high)
        } else if low == high {
            (low - 1.0, low + 1.0)
        } else {
            (0.0, 1.0)
        };
        Self {
            top,
            bottom,
            low,
            high,
        }
    }

    fn y(&self, value: f64) -> f64 {
        let part = (value - self.low) / (self.high - self.low);
        self.bottom - part * (self.bottom - self.top)
    }

    fn grid(&self, svg: &mut String) {
        let digits = (3.0 - (self.high - self.low).log10().floor()).clamp(0.0, 8.0) as usize;
        for step in 0..=GRID {
            let value = self.low + (self.high - self.low) * step as f64 / GRID as f64;
            let y = self.y(value);
            let _ = writeln!(
                svg,
                "<line x1=\"{LEFT}\" x2=\"{RIGHT}\" y1=\"{y:.1}\" y2=\"{y:.1}\" \
                 stroke=\"#ddd\"/>\n<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">\
                 {value:.digits$}</text>",
                LEFT - 6.0,
                y + 4.0
            );
        }
    }
}

/// Time from left to right.
struct Times {
    from_ns: u64,
    to_ns: u64,
}

impl Times {
    fn x(&self, ns: u64) -> f64 {
        let whole = (self.to_ns - self.from_ns).max(1) as f64;
        LEFT + ns.saturating_sub(self.from_ns) as f64 / whole * (RIGHT - LEFT)
    }
}

/// The picture as SVG.
#[must_use]
pub fn svg(desk: &Desk, points: &[Point], fills: &[Fill], home: &str) -> String {
    let times = Times {
        from_ns: points.first().map_or(0, |point| point.time_ns),
        to_ns: points.last().map_or(1, |point| point.time_ns),
    };
    let listing = desk.listings().get(0);
    let tick = listing.map_or(1.0, |it| it.instrument.tick.value());
    let name = listing.map_or("", |it| it.instrument.name.as_str());
    let here = fills.iter().filter(|fill| fill.symbol == 0);
    let here: Vec<&Fill> = here.take(FILLS_MAX).collect();
    let traded = here.iter().map(|fill| fill.price as f64 * tick);
    let prices = points.iter().map(|point| point.price);
    let price = Scale::new(PANELS[0], prices.chain(traded));
    let equity = Scale::new(PANELS[1], points.iter().map(|point| point.equity));

    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{HEIGHT}\" \
         viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"white\"/>\n"
    );
    title(&mut svg, PANELS[0].0, &format!("{name}: middle and fills"));
    let profit = desk.account().equity();
    title(
        &mut svg,
        PANELS[1].0,
        &format!("profit behind fees, {home}: {profit}"),
    );
    price.grid(&mut svg);
    line(&mut svg, &times, &price, points, |point| point.price);
    for fill in here {
        dot(
            &mut svg,
            times.x(fill.time_ns),
            price.y(fill.price as f64 * tick),
            fill.side,
        );
    }
    equity.grid(&mut svg);
    line(&mut svg, &times, &equity, points, |point| point.equity);
    legend(&mut svg, &times);
    svg.push_str("</svg>\n");
    svg
}

fn title(svg: &mut String, top: f64, text: &str) {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    let _ = writeln!(
        svg,
        "<text x=\"{LEFT}\" y=\"{:.1}\">{text}</text>",
        top - 12.0
    );
}

fn line(
    svg: &mut String,
    times: &Times,
    scale: &Scale,
    points: &[Point],
    value: fn(&Point) -> f64,
) {
    let mut path = String::new();
    let known = points.iter().filter(|point| value(point).is_finite());
    for point in known {
        let _ = write!(
            path,
            "{:.1},{:.1} ",
            times.x(point.time_ns),
            scale.y(value(point))
        );
    }
    let _ = writeln!(
        svg,
        "<polyline fill=\"none\" stroke=\"{LINE}\" stroke-width=\"1\" points=\"{}\"/>",
        path.trim_end()
    );
}

/// Bought points up, sold points down.
fn dot(svg: &mut String, x: f64, y: f64, side: Side) {
    let (height, colour) = match side {
        Side::Buy => (6.0, BOUGHT),
        Side::Sell => (-6.0, SOLD),
    };
    let _ = writeln!(
        svg,
        "<path d=\"M{x:.1} {y:.1} l-4 {height} h8 z\" fill=\"{colour}\" fill-opacity=\"0.7\"/>"
    );
}

fn legend(svg: &mut String, times: &Times) {
    let y = PANELS[0].0 - 16.0;
    dot(svg, RIGHT - 130.0, y, Side::Buy);
    dot(svg, RIGHT - 60.0, y + 4.0, Side::Sell);
    let seconds = (times.to_ns - times.from_ns) as f64 / 1e9;
    let bottom = PANELS[1].1 + 20.0;
    let _ = writeln!(
        svg,
        "<text x=\"{:.1}\" y=\"{:.1}\">bought</text>\n<text x=\"{:.1}\" y=\"{:.1}\">sold</text>\n\
         <text x=\"{LEFT}\" y=\"{bottom:.1}\">0 s</text>\n\
         <text x=\"{RIGHT}\" y=\"{bottom:.1}\" text-anchor=\"end\">{seconds:.1} s</text>",
        RIGHT - 122.0,
        y + 6.0,
        RIGHT - 52.0,
        y + 6.0
    );
}
