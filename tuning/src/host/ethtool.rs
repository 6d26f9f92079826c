//! Settings of a network card as numbers with a path: `INTERFACE/NAME`.
//!
//! The kernel takes them through the system call of the program `ethtool`: a command word and a
//! block of words, of which each setting is one.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// The request, from the kernel's `sockios.h`.
const SIOCETHTOOL: libc::Ioctl = 0x8946;
/// Words of the largest block: that of coalescing.
const WORDS_MAX: usize = 24;
/// The bit of large receive offload among the flags.
const FLAG_LRO: u32 = 1 << 15;

/// One setting. Numbers of commands and places of words are those of the kernel's `ethtool.h`.
struct Setting {
    name: &'static str,
    get: u32,
    /// 0 where it is only told.
    set: u32,
    word: usize,
    /// The bits of the word that are meant; the setting is 0 or 1 then.
    bits: u32,
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
        bits: u32::MAX,
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
    switch("tso", [0x1e, 0x1f], 1, "-K tso"),
    switch("gso", [0x23, 0x24], 1, "-K gso"),
    switch("gro", [0x2b, 0x2c], 1, "-K gro"),
    Setting {
        bits: FLAG_LRO,
        ..switch("lro", [0x25, 0x26], 1, "-K lro")
    },
    // Which of the clocks /dev/ptpN is the card's.
    number("ptp_clock", [0x41, 0], 2, ""),
];

/// The command line that sets `INTERFACE/NAME`.
pub(crate) fn command(path: &str, value: &str) -> String {
    let (interface, name) = path.split_once('/').unwrap_or((path, ""));
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
pub(super) fn read(path: &str) -> io::Result<u32> {
    let (interface, setting) = setting_of(path)?;
    let mut words = [0; WORDS_MAX];
    words[0] = setting.get;
    call(interface, &mut words)?;
    let word = words[setting.word];
    if setting.name == "ptp_clock" && word == u32::MAX {
        return Err(io::Error::from(io::ErrorKind::NotFound));
    }
    Ok(match setting.bits {
        u32::MAX => word,
        bits => u32::from(word & bits != 0),
    })
}

/// Sets `INTERFACE/NAME`.
pub(super) fn write(path: &str, value: &str) -> io::Result<()> {
    let (interface, setting) = setting_of(path)?;
    let wrong = |_| io::Error::other(format!("{value:?} is no number"));
    let value: u32 = value.parse().map_err(wrong)?;
    if setting.set == 0 {
        return Err(io::Error::from(io::ErrorKind::Unsupported));
    }
    let mut words = [0; WORDS_MAX];
    words[0] = setting.get;
    call(interface, &mut words)?;
    let word = &mut words[setting.word];
    let new = match setting.bits {
        u32::MAX => value,
        bits if value == 0 => *word & !bits,
        bits => *word | bits,
    };
    // Some drivers refuse what changes nothing.
    if std::mem::replace(word, new) == new {
        return Ok(());
    }
    words[0] = setting.set;
    call(interface, &mut words)
}

fn setting_of(path: &str) -> io::Result<(&str, &'static Setting)> {
    let missing = || io::Error::from(io::ErrorKind::NotFound);
    let (interface, name) = path.split_once('/').ok_or_else(missing)?;
    let found = SETTINGS.iter().find(|setting| setting.name == name);
    Ok((interface, found.ok_or_else(missing)?))
}

fn call(interface: &str, words: &mut [u32; WORDS_MAX]) -> io::Result<()> {
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
    // than the block of any command in the table (23 words).
    let result = unsafe { libc::ioctl(socket.as_raw_fd(), SIOCETHTOOL, &mut request) };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

const _: () = assert!(WORDS_MAX >= 23, "the block of coalescing fits");
