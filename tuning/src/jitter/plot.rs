//! The same as a picture: gaps by length, and the longest ones by their time.

use super::report::CoreReport;
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind};
use plotters::prelude::{
    ChartBuilder, Circle, Color, IntoDrawingArea, IntoLogRange, Palette, Palette99, Rectangle,
    SVGBackend, SeriesLabelPosition, WHITE,
};

const WIDTH: u32 = 960;
const HEIGHT: u32 = 720;
/// Points of the letters, and of the room beside and below a chart for its numbers.
const LETTERS: u32 = 14;
const ROOM: u32 = 70;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Failure<'a> =
    DrawingAreaErrorKind<<SVGBackend<'a> as plotters::prelude::DrawingBackend>::ErrorType>;

/// Draws all cores into one SVG.
///
/// # Errors
/// The drawing failed: a text that says why.
pub fn svg(reports: &[CoreReport]) -> Result<String, String> {
    let mut text = String::new();
    {
        let root = SVGBackend::with_string(&mut text, (WIDTH, HEIGHT)).into_drawing_area();
        draw(&root, reports).map_err(|error| error.to_string())?;
    }
    Ok(text)
}

fn draw<'a>(root: &Area<'a>, reports: &[CoreReport]) -> Result<(), Failure<'a>> {
    root.fill(&WHITE)?;
    let (above, below) = root.split_vertically(HEIGHT / 2);
    by_length(&above, reports)?;
    by_time(&below, reports)?;
    root.present()
}

/// The shortest length and one past the longest, of all cores.
fn lengths(reports: &[CoreReport]) -> (f64, f64) {
    let shortest = reports
        .iter()
        .map(|report| report.threshold_ns)
        .min()
        .unwrap_or(1)
        .max(1);
    let longest = reports
        .iter()
        .map(|report| report.max_ns)
        .max()
        .unwrap_or(0);
    (
        shortest as f64,
        longest.max(shortest.saturating_mul(2)) as f64 * 1.5,
    )
}

fn by_length<'a>(area: &Area<'a>, reports: &[CoreReport]) -> Result<(), Failure<'a>> {
    let counts = reports
        .iter()
        .flat_map(|report| &report.buckets)
        .map(|bucket| bucket.count);
    let most = counts.max().unwrap_or(0).max(1) as f64 * 2.0;
    let (from, to) = lengths(reports);
    let mut chart = ChartBuilder::on(area)
        .caption("gaps by length", ("sans-serif", LETTERS * 3 / 2))
        .margin(LETTERS)
        .x_label_area_size(ROOM / 2)
        .y_label_area_size(ROOM)
        .build_cartesian_2d((from..to).log_scale(), (0.5..most).log_scale())?;
    chart
        .configure_mesh()
        .x_desc("length")
        .x_label_formatter(&|ns| told(*ns))
        .y_desc("gaps")
        .y_label_formatter(&|count| format!("{count:.0}"))
        .draw()?;
    for (index, report) in reports.iter().enumerate() {
        let colour = Palette99::pick(index);
        // Cores stand beside one another within a bucket.
        let part = |place: usize| 2f64.powf(place as f64 / reports.len() as f64);
        let bars = report
            .buckets
            .iter()
            .filter(|bucket| bucket.count > 0)
            .map(|bucket| {
                let start = bucket.from_ns as f64;
                let corners = [
                    (start * part(index), 0.5),
                    (start * part(index + 1), bucket.count as f64),
                ];
                Rectangle::new(corners, colour.mix(0.7).filled())
            });
        let series = chart.draw_series(bars)?;
        series
            .label(format!("core {}", report.cpu))
            .legend(move |(x, y)| {
                Rectangle::new([(x, y - 4), (x + 8, y + 4)], colour.mix(0.7).filled())
            });
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .border_style(colour_of_frame())
        .draw()
}

fn by_time<'a>(area: &Area<'a>, reports: &[CoreReport]) -> Result<(), Failure<'a>> {
    let end = reports
        .iter()
        .map(|report| report.time_ns)
        .max()
        .unwrap_or(0)
        .max(1) as f64
        / 1e9;
    let (from, to) = lengths(reports);
    let mut chart = ChartBuilder::on(area)
        .caption("the longest gaps", ("sans-serif", LETTERS * 3 / 2))
        .margin(LETTERS)
        .x_label_area_size(ROOM / 2)
        .y_label_area_size(ROOM)
        .build_cartesian_2d(0.0..end, (from..to).log_scale())?;
    chart
        .configure_mesh()
        .x_desc("time, s")
        .y_desc("length")
        .y_label_formatter(&|ns| told(*ns))
        .draw()?;
    for (index, report) in reports.iter().enumerate() {
        let colour = Palette99::pick(index);
        let dots = report.longest.iter().map(|gap| {
            let at = (gap.at_ns as f64 / 1e9, gap.ns as f64);
            Circle::new(at, 3, colour.mix(0.7).filled())
        });
        chart.draw_series(dots)?;
    }
    Ok(())
}

fn colour_of_frame() -> plotters::style::RGBAColor {
    plotters::prelude::BLACK.mix(0.3)
}

/// A length in its usual unit.
fn told(ns: f64) -> String {
    match ns {
        1e9.. => format!("{} s", ns / 1e9),
        1e6.. => format!("{} ms", ns / 1e6),
        1e3.. => format!("{} us", ns / 1e3),
        _ => format!("{ns} ns"),
    }
}
