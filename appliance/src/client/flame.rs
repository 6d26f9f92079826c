//! Samples of a program's stacks as a flame graph: the wider a box, the more samples were in that
//! function or in what it called.

use crate::topology::Tile;
use std::collections::BTreeMap;
use std::fmt::Write as _;

const WIDTH: f64 = 1_200.0;
/// Height of a box, and of the letters in it.
const ROW: f64 = 17.0;
const LETTERS: f64 = 11.0;
/// Width of a letter, about.
const LETTER: f64 = 6.6;
/// Boxes narrower than this are left out: nobody can see them.
const NARROW: f64 = 0.4;
/// Calls that are told apart.
const DEPTH_MAX: usize = 96;

/// A function with all that it called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Node {
    /// Samples in it.
    pub samples: u64,
    /// What it called, by name.
    pub called: BTreeMap<String, Node>,
}

impl Node {
    /// Reads what `perf script -F comm,ip,sym` prints: for each sample a line with the thread's
    /// name, then its functions, the innermost first, then an empty line. The threads are the first
    /// level; of a tile that is named, the tile is, and all that is not in its turns is left out.
    #[must_use]
    pub fn of_script(text: &str, tile: Option<Tile>) -> Self {
        let mut root = Self::default();
        let mut stack: Vec<&str> = Vec::new();
        for line in text.lines().chain([""]) {
            if !line.trim().is_empty() {
                let is_head = !line.starts_with([' ', '\t']);
                stack.push(if is_head { line.trim() } else { function(line) });
            } else if !stack.is_empty() {
                // The thread comes first, and behind it the outermost function comes last.
                stack[1..].reverse();
                match tile {
                    None => root.add(&stack),
                    Some(tile) => root.add_turn(&stack, tile),
                }
                stack.clear();
            }
        }
        root
    }

    /// Adds a sample: names from the outermost on.
    pub fn add(&mut self, names: &[&str]) {
        self.samples += 1;
        let mut node = self;
        for name in names.iter().take(DEPTH_MAX) {
            node = node.called.entry((*name).to_owned()).or_default();
            node.samples += 1;
        }
    }

    /// Adds a sample from a turn of this tile on.
    fn add_turn(&mut self, stack: &[&str], tile: Tile) {
        let module = format!("tiles::{}::", tile.name());
        let is_turn = |name: &&str| name.contains(&module) && name.ends_with("poll");
        if let Some(start) = stack.iter().position(is_turn) {
            self.add(&[&[tile.name()], &stack[start..]].concat());
        }
    }

    /// Levels below this one.
    fn depth(&self) -> usize {
        self.called
            .values()
            .map(|node| node.depth() + 1)
            .max()
            .unwrap_or(0)
    }
}

/// The name behind the address, without the hash that tells compilations apart.
fn function(line: &str) -> &str {
    let line = line.trim();
    let name = line.split_once(' ').map_or(line, |(_, name)| name);
    let hash = name
        .rsplit_once("::h")
        .filter(|(_, hash)| hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()));
    hash.map_or(name, |(name, _)| name)
}

/// Draws it.
#[must_use]
pub fn flame_svg(root: &Node) -> String {
    let depth = root.depth();
    let height = (depth + 1) as f64 * ROW;
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" \
         font-family=\"monospace\" font-size=\"{LETTERS}\">\n"
    );
    let name = format!("{} samples", root.samples);
    draw(
        &mut text,
        (&name, root),
        (0.0, height - ROW),
        WIDTH / root.samples.max(1) as f64,
    );
    text.push_str("</svg>\n");
    text
}

/// Draws a box at its place, and above it those that it called.
fn draw(text: &mut String, (name, node): (&str, &Node), (x, y): (f64, f64), scale: f64) {
    let width = node.samples as f64 * scale;
    if width < NARROW {
        return;
    }
    let letters = ((width - 4.0) / LETTER).max(0.0) as usize;
    let label: String = name.chars().take(letters).collect();
    let label = if letters < 3 {
        String::new()
    } else {
        escaped(&label)
    };
    let (red, green) = colour(name);
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "<g><title>{}: {} samples</title><rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" \
         height=\"{:.1}\" fill=\"rgb({red},{green},60)\" rx=\"1\"/><text x=\"{:.1}\" \
         y=\"{:.1}\">{label}</text></g>",
        escaped(name),
        node.samples,
        ROW - 1.0,
        x + 2.0,
        y + ROW - 5.0
    );
    let mut left = x;
    for (name, called) in &node.called {
        draw(text, (name, called), (left, y - ROW), scale);
        left += called.samples as f64 * scale;
    }
}

/// A warm colour that stays with the name.
fn colour(name: &str) -> (u32, u32) {
    let mix = |sum: u32, byte: u8| sum.wrapping_mul(31).wrapping_add(u32::from(byte));
    let hash = name.bytes().fold(7, mix);
    (205 + hash % 50, 80 + hash / 64 % 140)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCRIPT: &str = "core-1 \n\t  48d1a engine::apply<T>::h0123456789abcdef\n\t   ee6b \
                          main\n\ncore-1 \n\t  1 io\n\t 2 main\n\ncore-2 \n\t 3 [unknown]\n\n";

    #[test]
    fn samples_are_added_by_caller() {
        let root = Node::of_script(SCRIPT, None);
        assert_eq!(root.samples, 3);
        let main = &root.called["core-1"].called["main"];
        assert_eq!((main.samples, main.called.len()), (2, 2));
        assert_eq!(main.called["engine::apply<T>"].samples, 1);
        assert_eq!(root.called["core-2"].called["[unknown]"].samples, 1);
        assert_eq!(Node::of_script("", None), Node::default());
    }

    #[test]
    fn a_tile_has_its_own_turns_only() {
        let gate = "\t 1 nic::send\n\t 2 <appliance::tiles::gate::GateTile<T> as \
                    appliance::tiles::Tile>::poll\n\t 3 main\n\n";
        let text = format!("both\n{gate}both\n\t 4 clock\n\t 3 main\n\n");
        let root = Node::of_script(&text, Some(Tile::Gate));
        assert_eq!(root.samples, 1);
        let turn = root.called["gate"].called.values().next().unwrap();
        assert_eq!(turn.called["nic::send"].samples, 1);
        assert_eq!(Node::of_script(&text, Some(Tile::Engine)).samples, 0);
    }

    #[test]
    fn boxes_are_as_wide_as_their_samples() {
        let picture = flame_svg(&Node::of_script(SCRIPT, None));
        assert!(
            picture.contains("<title>engine::apply&lt;T&gt;: 1 samples</title>"),
            "{picture}"
        );
        assert!(
            picture.contains("<title>main: 2 samples</title>"),
            "{picture}"
        );
        assert_eq!(
            picture.matches("width=\"800.0\"").count(),
            2,
            "core-1 and main: {picture}"
        );
        assert_eq!(picture.matches("<rect").count(), 7, "{picture}");
        assert!(flame_svg(&Node::default()).ends_with("</svg>\n"));
    }

    #[test]
    fn a_stack_without_end_is_cut() {
        let frames: String = (0..10_000)
            .map(|frame| format!("\t {frame} f{frame}\n"))
            .collect();
        let root = Node::of_script(&format!("deep\n{frames}\n"), None);
        assert_eq!(root.depth(), DEPTH_MAX);
    }
}
