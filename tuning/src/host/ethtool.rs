//! Settings of a network card as numbers with a path: `INTERFACE/NAME`.
//!
//! The kernel takes them through the system call of the program `ethtool`: a command word and a
//! block of words, of which each setting is one. What a card does to frames on its own it tells in
//! another way: see [`features`].
#![allow(unsafe_code)]

mod features;

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// The request, from the kernel's `sockios.h`.
const SIOCETHTOOL: libc::Ioctl = 0x8946;
/// Names of features that a block has room for; the kernel of 2025 knows 63.
const NAMES_MAX: usize = 256;
/// Bytes of such a name.
const NAME_BYTES: usize = 32;
/// Words in front of the names.
const NAMES_HEAD: usize = 3;
/// Words of the largest block: that of names.
const WORDS_MAX: usize = NAMES_HEAD + NAMES_MAX * NAME_BYTES / 4;
/// The names of features among the kernel's sets of names.
const FEATURES: u32 = 4;
const GET_COUNT: u32 = 0x37;
const GET_NAMES: u32 = 0x1b;

/// What a call takes and gives.
type Block = [u32; WORDS_MAX];

/// One setting. Numbers of commands and places of words are those of the kernel's `ethtool.h`.
struct Setting {
    name: &'static str,
    get: u32,
    /// 0 where it is only told.
    set: u32,
    word: usize,
    /// Letter and words of the program's command line.
    option: &'static str,
    is_switch: bool,
}

const fn number(name: &'static str, codes: [u32; 2], word: usize, option: &'static str) -> Setting {
    Setting {
        name,
        get: codes[0],
        set: codes[1],
        word,
        option,
        is_switch: false,
    }
}

const fn switch(name: &'static str, codes: [u32; 2], word: usize, option: &'static str) -> Setting {
    Setting {
        is_switch: true,
        ..number(name, codes, word, option)
    }
}

const COALESCE: [u32; 2] = [0x0e, 0x0f];
const RINGS: [u32; 2] = [0x10, 0x11];
const CHANNELS: [u32; 2] = [0x3c, 0x3d];
const TOLD_RINGS: [u32; 2] = [0x10, 0];
const TOLD_CHANNELS: [u32; 2] = [0x3c, 0];

const SETTINGS: &[Setting] = &[
    number("channels_rx", CHANNELS, 5, "-L rx"),
    number("channels_tx", CHANNELS, 6, "-L tx"),
    number("channels_combined", CHANNELS, 8, "-L combined"),
    number("channels_combined_max", TOLD_CHANNELS, 4, ""),
    number("ring_rx", RINGS, 5, "-G rx"),
    number("ring_rx_max", TOLD_RINGS, 1, ""),
    number("ring_tx", RINGS, 8, "-G tx"),
    number("ring_tx_max", TOLD_RINGS, 4, ""),
    number("rx_usecs", COALESCE, 1, "-C rx-usecs"),
    number("tx_usecs", COALESCE, 5, "-C tx-usecs"),
    switch("adaptive_rx", COALESCE, 10, "-C adaptive-rx"),
    switch("adaptive_tx", COALESCE, 11, "-C adaptive-tx"),
    // Which of the clocks /dev/ptpN is the card's.
    number("ptp_clock", [0x41, 0], 2, ""),
];

/// The command line that sets `INTERFACE/NAME`.
pub(crate) fn command(path: &str, value: &str) -> String {
    let (interface, name) = path.split_once('/').unwrap_or((path, ""));
    if features::is_word(name) {
        return features::command(interface, name, value);
    }
    let found = SETTINGS.iter().find(|setting| setting.name == name);
    let option = found.map_or("", |setting| setting.option);
    let (letter, word) = option.split_once(' ').unwrap_or((option, name));
    let value = match (found.is_some_and(|setting| setting.is_switch), value) {
        (true, "0") => "off",
        (true, _) => "on",
        (false, _) => value,
    };
    format!("ethtool {letter} {interface} {word} {value}")
}

/// Reads `INTERFACE/NAME`.
pub(super) fn read(path: &str) -> io::Result<String> {
    let (interface, name) = parts(path)?;
    if features::is_word(name) {
        return features::read(interface, name);
    }
    let setting = setting_of(name)?;
    let mut words = [0; WORDS_MAX];
    words[0] = setting.get;
    call(interface, &mut words)?;
    let word = words[setting.word];
    if setting.name == "ptp_clock" && word == u32::MAX {
        return Err(missing());
    }
    Ok(word.to_string())
}

/// Sets `INTERFACE/NAME`.
pub(super) fn write(path: &str, value: &str) -> io::Result<()> {
    let (interface, name) = parts(path)?;
    if features::is_word(name) {
        return features::write(interface, name, value);
    }
    let setting = setting_of(name)?;
    let wrong = |_| io::Error::other(format!("{value:?} is no number"));
    let value: u32 = value.parse().map_err(wrong)?;
    if setting.set == 0 {
        return Err(io::Error::from(io::ErrorKind::Unsupported));
    }
    let mut words = [0; WORDS_MAX];
    words[0] = setting.get;
    call(interface, &mut words)?;
    // Some drivers refuse what changes nothing.
    if std::mem::replace(&mut words[setting.word], value) == value {
        return Ok(());
    }
    words[0] = setting.set;
    call(interface, &mut words)
}

fn missing() -> io::Error {
    io::Error::from(io::ErrorKind::NotFound)
}

fn parts(path: &str) -> io::Result<(&str, &str)> {
    path.split_once('/').ok_or_else(missing)
}

fn setting_of(name: &str) -> io::Result<&'static Setting> {
    let found = SETTINGS.iter().find(|setting| setting.name == name);
    found.ok_or_else(missing)
}

/// The kernel's names of features, by their number.
fn feature_names(interface: &str) -> io::Result<Vec<String>> {
    let mut words = [0; WORDS_MAX];
    // The sets asked for are a mask of two words; the answer lies behind it.
    (words[0], words[2]) = (GET_COUNT, 1 << FEATURES);
    call(interface, &mut words)?;
    let count = words[4] as usize;
    if count > NAMES_MAX {
        return Err(io::Error::other(format!("{count} features are too many")));
    }
    words = [0; WORDS_MAX];
    (words[0], words[1], words[2]) = (GET_NAMES, FEATURES, count as u32);
    call(interface, &mut words)?;
    let names = words[NAMES_HEAD..].chunks(NAME_BYTES / 4).take(count);
    let name = |words: &[u32]| {
        let bytes = words.iter().flat_map(|word| word.to_ne_bytes());
        let bytes: Vec<u8> = bytes.take_while(|byte| *byte != 0).collect();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    Ok(names.map(name).collect())
}

fn call(interface: &str, words: &mut Block) -> io::Result<()> {
    // SAFETY: plain numbers; the result is checked below.
    let socket = unsafe { libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0) };
    if socket < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call above gave this descriptor, and nothing else owns it.
    let socket = unsafe { OwnedFd::from_raw_fd(socket) };
    // SAFETY: an `ifreq` of zeroes is a valid one without a name.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    if interface.len() >= request.ifr_name.len() {
        return Err(io::Error::from(io::ErrorKind::NotFound));
    }
    for (to, from) in request.ifr_name.iter_mut().zip(interface.bytes()) {
        *to = from.cast_signed();
    }
    request.ifr_ifru.ifru_data = words.as_mut_ptr().cast();
    // SAFETY: `request` lives through the call; its pointer names `WORDS_MAX` words, which is more
    // than the block of any command here: 23 words for coalescing, and for names as many as their
    // number, which was looked at, asks for.
    let result = unsafe { libc::ioctl(socket.as_raw_fd(), SIOCETHTOOL, &mut request) };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

const _: () = assert!(WORDS_MAX >= 23, "the block of coalescing fits");
const _: () = assert!(NAME_BYTES.is_multiple_of(4), "names are whole words");
