//! What a card does to frames on its own, feature by feature, as `ethtool -k` tells it.
//!
//! A word of the program's command line stands for several features: `tso` for four. Such a word
//! reads as the names of those that are on, or `off`; and what is written switches on just those
//! that it names. So the text from before brings back what was on before, and not all that the
//! word stands for.

use super::{Block, NAMES_MAX, WORDS_MAX, call, feature_names};
use std::io;

/// The words, and the features that they stand for.
const WORDS: &[(&str, &[&str])] = &[
    ("gro", &["rx-gro"]),
    ("gso", &["tx-generic-segmentation"]),
    ("lro", &["rx-lro"]),
    (
        "tso",
        &[
            "tx-tcp-segmentation",
            "tx-tcp-ecn-segmentation",
            "tx-tcp-mangleid-segmentation",
            "tx-tcp6-segmentation",
        ],
    ),
];
/// Reads as every feature with its state; nobody writes it.
const ALL: &str = "features";
/// What a word says of which nothing is on.
const OFF: &str = "off";

const GET: u32 = 0x3a;
const SET: u32 = 0x3b;
/// Words of a block of 32 features: what may be changed, is asked for, is on, and never changes.
const GET_WORDS: usize = 4;
/// Words of such a block when it is set: what is meant, and what is asked for.
const SET_WORDS: usize = 2;
/// Words in front of the blocks.
const HEAD: usize = 2;

const _: () = assert!(HEAD + NAMES_MAX / 32 * GET_WORDS <= WORDS_MAX);

/// A feature as the kernel tells it.
struct Feature {
    name: String,
    /// Place in the kernel's words.
    number: usize,
    may_change: bool,
    is_asked: bool,
    is_on: bool,
}

impl Feature {
    const fn counts(&self) -> bool {
        self.is_asked || self.is_on
    }
}

/// Whether a setting of this name is told in features.
pub(super) fn is_word(name: &str) -> bool {
    name == ALL || meant(name).is_some()
}

/// The command line that sets a word.
pub(super) fn command(interface: &str, word: &str, value: &str) -> String {
    let on = |name: &str| format!(" {name} on");
    let switches = match value {
        OFF => format!(" {word} off"),
        names => names.split_whitespace().map(on).collect(),
    };
    format!("ethtool -K {interface}{switches}")
}

/// Reads a word.
pub(super) fn read(interface: &str, word: &str) -> io::Result<String> {
    let features = features(interface)?;
    let Some(meant) = meant(word) else {
        return Ok(features.iter().map(line).collect());
    };
    let on = features
        .iter()
        .filter(|feature| meant.contains(&feature.name.as_str()) && feature.counts());
    let names: Vec<&str> = on.map(|feature| feature.name.as_str()).collect();
    Ok(match names.as_slice() {
        [] => OFF.to_owned(),
        names => names.join(" "),
    })
}

/// Switches on those features of a word that `value` names, and off the others.
pub(super) fn write(interface: &str, word: &str, value: &str) -> io::Result<()> {
    let meant = meant(word).ok_or_else(|| io::Error::from(io::ErrorKind::Unsupported))?;
    let mut words: Block = [0; WORDS_MAX];
    words[0] = SET;
    words[1] = blocks(interface)? as u32;
    let wanted = |name: &str| value.split_whitespace().any(|other| other == name);
    for feature in features(interface)? {
        if meant.contains(&feature.name.as_str()) && feature.may_change {
            let place = HEAD + feature.number / 32 * SET_WORDS;
            let bit = 1 << (feature.number % 32);
            words[place] |= bit;
            words[place + 1] |= if wanted(&feature.name) { bit } else { 0 };
        }
    }
    call(interface, &mut words)?;
    let found = read(interface, word)?;
    if found == value {
        return Ok(());
    }
    Err(io::Error::other(format!("the driver keeps {found}")))
}

fn meant(word: &str) -> Option<&'static [&'static str]> {
    let found = WORDS.iter().find(|(name, _)| *name == word);
    found.map(|(_, features)| *features)
}

fn line(feature: &Feature) -> String {
    let state = |is: bool, text: &'static str| if is { text } else { "" };
    let Feature { name, .. } = feature;
    let (asked, on) = (
        state(feature.is_asked, " asked"),
        state(feature.is_on, " on"),
    );
    let fixed = state(!feature.may_change, " fixed");
    format!("{name}:{asked}{on}{fixed}\n")
}

/// Blocks of 32 features that this kernel has.
fn blocks(interface: &str) -> io::Result<usize> {
    raw(interface).map(|words| words[1] as usize)
}

fn raw(interface: &str) -> io::Result<Block> {
    let mut words: Block = [0; WORDS_MAX];
    (words[0], words[1]) = (GET, (NAMES_MAX / 32) as u32);
    call(interface, &mut words)?;
    Ok(words)
}

fn features(interface: &str) -> io::Result<Vec<Feature>> {
    let words = raw(interface)?;
    let names = feature_names(interface)?;
    let feature = |(number, name)| {
        let block = &words[HEAD + number / 32 * GET_WORDS..];
        let has = |word: usize| block[word] >> (number % 32) & 1 == 1;
        Feature {
            name,
            number,
            may_change: has(0),
            is_asked: has(1),
            is_on: has(2),
        }
    };
    Ok(names.into_iter().enumerate().map(feature).collect())
}
