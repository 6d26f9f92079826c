//! Pictures of lines, bands, bars and dots, as SVG.

use std::fmt::Write;

const WIDTH: f64 = 800.0;
const HEIGHT: f64 = 480.0;
/// Left, top, right, bottom of the drawing.
const MARGIN: [f64; 4] = [80.0, 48.0, 24.0, 56.0];
/// Lines of the grid, about.
const TICKS: f64 = 6.0;
const COLOURS: [&str; 5] = ["#1f77b4", "#d95f02", "#2c8a4b", "#7f4fa3", "#555555"];

/// How points are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    Line,
    Dots,
    /// From 0 up, each to the place of the next one.
    Bars,
    /// An area: there along one edge and back along the other.
    Band,
    /// A vertical line at each point.
    Mark,
}

struct Shape {
    name: String,
    style: Style,
    points: Vec<[f64; 2]>,
}

/// A picture of some shapes on one pair of axes.
pub(crate) struct Picture {
    title: String,
    axes: [String; 2],
    is_percent: [bool; 2],
    shapes: Vec<Shape>,
}

/// Where numbers are on an axis.
#[derive(Clone, Copy)]
struct Axis {
    low: f64,
    high: f64,
    step: f64,
    from: f64,
    to: f64,
}

impl Picture {
    pub fn new(title: &str, across: &str, up: &str) -> Self {
        Self {
            title: title.to_owned(),
            axes: [across, up].map(str::to_owned),
            is_percent: [false; 2],
            shapes: Vec::new(),
        }
    }

    /// Both axes are parts of one.
    pub fn in_percent(mut self) -> Self {
        self.is_percent = [true; 2];
        self
    }

    /// Only the one across is.
    pub fn across_in_percent(mut self) -> Self {
        self.is_percent = [true, false];
        self
    }

    /// The later lies above the earlier; one without a name is not told of.
    /// Points that are no numbers are left out.
    pub fn add(&mut self, name: &str, style: Style, mut points: Vec<[f64; 2]>) {
        points.retain(|point| point.iter().all(|x| x.is_finite()));
        self.shapes.push(Shape {
            name: name.to_owned(),
            style,
            points,
        });
    }

    pub fn svg(&self) -> String {
        let [left, top, right, bottom] = MARGIN;
        let across = self.axis(0, [left, WIDTH - right]);
        let up = self.axis(1, [HEIGHT - bottom, top]);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
             font-family=\"sans-serif\" font-size=\"12\" fill=\"#222\">\n\
             <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fff\"/>\n\
             <text x=\"{left}\" y=\"22\" font-size=\"16\">{}</text>\n",
            escaped(&self.title)
        );
        self.grid(&mut svg, across, up);
        for (at, shape) in self.shapes.iter().enumerate() {
            shape.draw(&mut svg, shape.colour(at), across, up);
        }
        self.legend(&mut svg);
        svg.push_str("</svg>\n");
        svg
    }

    fn axis(&self, axis: usize, ends: [f64; 2]) -> Axis {
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for shape in &self.shapes {
            let counts = axis == 0 || shape.style != Style::Mark;
            for point in shape.points.iter().filter(|_| counts) {
                low = low.min(point[axis]);
                high = high.max(point[axis]);
            }
            if axis == 1 && shape.style == Style::Bars {
                low = low.min(0.0);
            }
        }
        Axis::new(low, high, ends)
    }

    fn grid(&self, svg: &mut String, across: Axis, up: Axis) {
        let [left, top, right, bottom] = MARGIN;
        let [end, floor] = [WIDTH - right, HEIGHT - bottom];
        for (x, text) in across.ticks(self.is_percent[0]) {
            let below = floor + 18.0;
            let _ = writeln!(
                svg,
                "<path d=\"M{x:.1} {top}V{floor}\" stroke=\"#e4e4e4\"/>\
                 <text x=\"{x:.1}\" y=\"{below}\" text-anchor=\"middle\">{text}</text>"
            );
        }
        for (y, text) in up.ticks(self.is_percent[1]) {
            let (before, middle) = (left - 8.0, y + 4.0);
            let _ = writeln!(
                svg,
                "<path d=\"M{left} {y:.1}H{end}\" stroke=\"#e4e4e4\"/>\
                 <text x=\"{before}\" y=\"{middle:.1}\" text-anchor=\"end\">{text}</text>"
            );
        }
        let [x, y] = self.axes.each_ref().map(|name| escaped(name));
        let (middle, half) = (f64::midpoint(left, end), f64::midpoint(top, floor));
        let last = HEIGHT - 14.0;
        let _ = writeln!(
            svg,
            "<path d=\"M{left} {top}V{floor}H{end}\" fill=\"none\" stroke=\"#888\"/>\n\
             <text x=\"{middle}\" y=\"{last}\" text-anchor=\"middle\">{x}</text>\n\
             <text transform=\"translate(16 {half}) rotate(-90)\" text-anchor=\"middle\">{y}</text>"
        );
    }

    /// Names above the drawing, from its right end on.
    fn legend(&self, svg: &mut String) {
        let mut x = WIDTH - MARGIN[2];
        let named = self.shapes.iter().enumerate();
        for (at, shape) in named.filter(|(_, shape)| !shape.name.is_empty()).rev() {
            let colour = shape.colour(at);
            let name = escaped(&shape.name);
            let _ = writeln!(
                svg,
                "<text x=\"{x}\" y=\"40\" text-anchor=\"end\" fill=\"{colour}\">{name}</text>"
            );
            x -= shape.name.chars().count() as f64 * 6.6 + 18.0;
        }
    }
}

impl Shape {
    /// Bands lie upon each other, in one colour; of others each has its own.
    fn colour(&self, at: usize) -> &'static str {
        match self.style {
            Style::Band => COLOURS[0],
            _ => COLOURS[at % COLOURS.len()],
        }
    }

    fn draw(&self, svg: &mut String, colour: &str, across: Axis, up: Axis) {
        let points = self.points.iter();
        let mut places = points.map(|[x, y]| [across.place(*x), up.place(*y)]);
        let path = |places: &mut dyn Iterator<Item = [f64; 2]>| {
            let words = places.enumerate().map(|(at, [x, y])| {
                let letter = if at == 0 { 'M' } else { 'L' };
                format!("{letter}{x:.1} {y:.1}")
            });
            words.collect::<String>()
        };
        let _ = match self.style {
            Style::Line => {
                let path = path(&mut places);
                let line = "fill=\"none\" stroke-width=\"2\"";
                writeln!(svg, "<path d=\"{path}\" {line} stroke=\"{colour}\"/>")
            }
            Style::Band => {
                let path = path(&mut places);
                let area = "fill-opacity=\"0.25\"";
                writeln!(svg, "<path d=\"{path}Z\" {area} fill=\"{colour}\"/>")
            }
            Style::Dots => places.try_for_each(|[x, y]| {
                writeln!(
                    svg,
                    "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{colour}\"/>"
                )
            }),
            Style::Mark => places.try_for_each(|[x, _]| {
                let (top, floor) = (MARGIN[1], HEIGHT - MARGIN[3]);
                let line = "stroke-width=\"2\" stroke-dasharray=\"6 4\"";
                writeln!(
                    svg,
                    "<path d=\"M{x:.1} {top}V{floor}\" {line} stroke=\"{colour}\"/>"
                )
            }),
            Style::Bars => self.points.windows(2).try_for_each(|pair| {
                let [x, end] = [pair[0][0], pair[1][0]].map(|x| across.place(x));
                let [y, floor] = [up.place(pair[0][1]), up.place(0.0)];
                let (width, height) = ((end - x - 0.5).max(0.5), floor - y);
                let size = format!("width=\"{width:.1}\" height=\"{height:.1}\"");
                writeln!(
                    svg,
                    "<rect x=\"{x:.1}\" y=\"{y:.1}\" {size} fill=\"{colour}\"/>"
                )
            }),
        };
    }
}

impl Axis {
    /// From the tick below all numbers to the one above them.
    fn new(low: f64, high: f64, [from, to]: [f64; 2]) -> Self {
        let (low, high) = if low < high {
            (low, high)
        } else if low.is_finite() {
            (
                low - low.abs().max(1.0) * 0.5,
                low + low.abs().max(1.0) * 0.5,
            )
        } else {
            (0.0, 1.0)
        };
        let rough = (high - low) / TICKS;
        let size = 10f64.powf(rough.log10().floor());
        let steps = [1.0, 2.0, 5.0, 10.0];
        let step = steps
            .into_iter()
            .find(|step| step * size >= rough)
            .unwrap_or(10.0)
            * size;
        Self {
            low: (low / step).floor() * step,
            high: (high / step).ceil() * step,
            step,
            from,
            to,
        }
    }

    fn place(self, x: f64) -> f64 {
        self.from + (x - self.low) / (self.high - self.low) * (self.to - self.from)
    }

    /// Places and texts.
    fn ticks(self, is_percent: bool) -> Vec<(f64, String)> {
        let scale = if is_percent { 100.0 } else { 1.0 };
        let digits = (-(self.step * scale).log10()).ceil().clamp(0.0, 12.0) as usize;
        let unit = if is_percent { " %" } else { "" };
        let count = ((self.high - self.low) / self.step).round() as usize;
        let tick = |at: usize| {
            let x = self.low + at as f64 * self.step;
            // No minus before a 0.
            let shown = (x / self.step).round() * self.step * scale + 0.0;
            (self.place(x), format!("{shown:.digits$}{unit}"))
        };
        (0..=count).map(tick).collect()
    }
}

fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    text.chars().filter(|letter| !letter.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_hold_all_numbers() {
        for (low, high, wanted) in [
            (0.013, 0.058, "0.01 0.02 0.03 0.04 0.05 0.06"),
            (-1.0, 1.0, "-1.0 -0.5 0.0 0.5 1.0"),
            (3.0, 3.0, "1.5 2.0 2.5 3.0 3.5 4.0 4.5"),
            (90.0, 131.0, "90 100 110 120 130 140"),
        ] {
            let ticks = Axis::new(low, high, [0.0, 1.0]).ticks(false);
            let texts: Vec<String> = ticks.into_iter().map(|(_, text)| text).collect();
            assert_eq!(texts.join(" "), wanted);
        }
    }

    #[test]
    fn names_cannot_leave_their_place() {
        let mut picture = Picture::new("<script>", "a & b", "\u{7}");
        picture.add("x", Style::Line, vec![[f64::NAN, 1.0], [1.0, 1.0]]);
        let svg = picture.svg();
        assert!(svg.contains("&lt;script>") && svg.contains("a &amp; b"));
        assert!(!svg.contains("NaN") && !svg.contains('\u{7}'));
    }
}
