//! The picture on a terminal.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::Line;
use ratatui::widgets::{Block, Cell, Paragraph, Row, Sparkline, Table};

use super::picture::{Hop, Picture};
use super::text::{COLUMNS, columns};

/// Cells of the counters' column.
const COUNTERS_WIDTH: u16 = 52;
/// Lines of the rate's picture.
const RATE_HEIGHT: u16 = 10;

/// Draws a picture; `history` holds the commands a second of the readings so far, oldest first, and
/// `markets` the table of a desk's, if there is one.
pub fn draw(frame: &mut Frame<'_>, picture: &Picture, history: &[u64], markets: &str) {
    let markets_height = match markets.lines().count() {
        0 => 0,
        lines => lines as u16 + 2,
    };
    let [title, body, desk, keys] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Min(0),
        Constraint::Length(markets_height),
        Constraint::Length(1),
    ])
    .areas(frame.area());
    if markets_height > 0 {
        draw_markets(frame, desk, markets);
    }
    let bold = Style::new().add_modifier(Modifier::BOLD);
    frame.render_widget(Line::styled(picture.title.as_str(), bold), title);
    frame.render_widget(Paragraph::new("q quits"), keys);
    let [left, right] =
        Layout::horizontal([Constraint::Max(COUNTERS_WIDTH), Constraint::Min(0)]).areas(body);
    counters(frame, left, picture);
    let hops_height = picture.hops.len() as u16 + 3;
    let links_height = picture.waiting.len() as u16 + 3;
    let [recent, total, links, rate] = Layout::vertical([
        Constraint::Length(hops_height),
        Constraint::Length(hops_height),
        Constraint::Length(links_height),
        Constraint::Max(RATE_HEIGHT),
    ])
    .areas(right);
    let seconds = picture.seconds.unwrap_or(0.0);
    hops(
        frame,
        recent,
        &format!("last {seconds:.1} s"),
        picture,
        |hop| hop.recent,
    );
    hops(frame, total, "since the start", picture, |hop| {
        Some(hop.total)
    });
    waiting(frame, links, picture);
    commands(frame, rate, picture, history);
}

/// Draws the table of markets.
pub fn draw_markets(frame: &mut Frame<'_>, area: Rect, markets: &str) {
    let text = Paragraph::new(markets).block(Block::bordered().title("markets"));
    frame.render_widget(text, area);
}

/// Names of columns: the first begins where its texts do, the others end where their numbers do.
fn heading(names: &[&str]) -> Row<'static> {
    let cell = |(index, name): (usize, &&str)| {
        let name = (*name).to_owned();
        if index == 0 {
            Cell::from(name)
        } else {
            right(name)
        }
    };
    let cells = names.iter().enumerate().map(cell);
    Row::new(cells).style(Style::new().fg(Color::DarkGray))
}

/// A number that ends where its column ends.
fn right(text: String) -> Cell<'static> {
    Cell::from(Line::from(text).right_aligned())
}

/// A short terminal has no room for what never happened: flags and gauges at 0 are left out, and
/// what is counted only where a port goes around the kernel.
fn counters(frame: &mut Frame<'_>, area: Rect, picture: &Picture) {
    let shown = picture
        .rows
        .iter()
        .filter(|row| row.value > 0 || row.rate.is_some() && !row.name.contains(".xdp_"));
    let rows = shown.map(|row| {
        let rate = row
            .rate
            .map_or(String::new(), |rate| format!("{rate:.0}/s"));
        Row::new([
            Cell::from(row.name.as_str()),
            right(row.value.to_string()),
            right(rate),
        ])
    });
    let widths = [
        Constraint::Min(20),
        Constraint::Length(14),
        Constraint::Length(12),
    ];
    let table = Table::new(rows, widths).block(Block::bordered().title("counters"));
    frame.render_widget(table, area);
}

fn hops(
    frame: &mut Frame<'_>,
    area: Rect,
    title: &str,
    picture: &Picture,
    pick: fn(&Hop) -> Option<queue::Summary>,
) {
    let rows = picture.hops.iter().map(|hop| {
        let name = Cell::from(hop.short_name());
        let cells = pick(hop)
            .map(|summary| columns(&summary))
            .unwrap_or_default();
        Row::new(std::iter::once(name).chain(cells.map(right)))
    });
    let widths = [16, 10, 10, 10, 10, 12].map(Constraint::Length);
    let [max, p99_9, p99, p50, count] = COLUMNS;
    let table = Table::new(rows, widths)
        .header(heading(&["hop", max, p99_9, p99, p50, count]))
        .block(Block::bordered().title(format!("latency, {title}")));
    frame.render_widget(table, area);
}

fn waiting(frame: &mut Frame<'_>, area: Rect, picture: &Picture) {
    let rows = picture
        .waiting
        .iter()
        .map(|waiting| Row::new([Cell::from(&*waiting.link), right(waiting.count.to_string())]));
    let widths = [Constraint::Length(16), Constraint::Length(10)];
    let table = Table::new(rows, widths)
        .header(heading(&["link", "waiting"]))
        .block(Block::bordered().title("links"));
    frame.render_widget(table, area);
}

/// The newest readings stand at the right edge.
fn commands(frame: &mut Frame<'_>, area: Rect, picture: &Picture, history: &[u64]) {
    let rate = picture.rate("gate.commands").unwrap_or(0.0);
    let block = Block::bordered().title(format!("commands: {rate:.0}/s"));
    let width = usize::from(block.inner(area).width);
    let shown = &history[history.len().saturating_sub(width)..];
    let line = Sparkline::default()
        .data(shown)
        .style(Style::new().fg(Color::Cyan));
    frame.render_widget(line.block(block), area);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::top::Reading;
    use crate::venue::counters_anonymous;
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    fn drawn(width: u16, height: u16) -> String {
        let mut set = counters_anonymous().unwrap();
        set.counter("gate.commands").unwrap().set(123_456);
        set.histogram("hop.gate_engine_ns")
            .unwrap()
            .record(31_000_000);
        let picture = Picture::of(&Reading::of(&set.reader(), 5), None);
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal
            .draw(|frame| draw(frame, &picture, &[1, 2, 3], ""))
            .unwrap();
        terminal.backend().to_string()
    }

    #[test]
    fn a_terminal_shows_counters_hops_and_links() {
        let screen = drawn(140, 50);
        for part in [
            "gate.commands",
            "123456",
            "engine_durable",
            "31.00 ms",
            "p99.9",
        ] {
            assert!(screen.contains(part), "{part} is not in:\n{screen}");
        }
        assert!(!screen.contains("gate.cut_off"), "{screen}");
        for part in ["since the start", "engine_publish", "q quits", "running"] {
            assert!(screen.contains(part), "{part} is not in:\n{screen}");
        }
    }

    #[test]
    fn a_tiny_terminal_is_no_panic() {
        for (width, height) in [(1, 1), (3, 2), (20, 5), (60, 10), (300, 3)] {
            drawn(width, height);
        }
    }
}
