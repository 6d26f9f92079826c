//! A member's Logon, and what the venue says when it is asked about it.

use crate::message::{BEGIN_STRING, Message};
use session::challenge::Key;

/// Letters of a user's name and password at the venue.
const USER_LETTERS_MAX: usize = 6;
const PASSWORD_LETTERS_MAX: usize = 10;

/// A logon, and who it is of.
pub(crate) struct Logon {
    pub(crate) user: String,
    pub(crate) password: String,
    pub(crate) message: Message,
}

/// What the venue says of its day: its name, the last reply there is and the next order's number.
#[derive(Clone, Default)]
pub(crate) struct Day {
    pub(crate) name: String,
    pub(crate) reply_last: u64,
    pub(crate) user_ref_next: u32,
}

/// The password of a logon in order, or what is wrong with it.
pub(crate) fn checked(message: &Message, us: &str) -> Result<String, String> {
    let is = |tag: u32, value: &str| message.text(tag) == Some(value);
    let name = |tag: u32, letters_max: usize| {
        let name = message.text(tag).unwrap_or("");
        let is_good = (1..=letters_max).contains(&name.len()) && name.is_ascii();
        is_good.then(|| name.to_owned())
    };
    if message.kind() != "A" || message.begin_string() != BEGIN_STRING {
        return Err(format!("a {BEGIN_STRING} Logon comes first"));
    }
    if let Some(fault) = message.fault() {
        return Err(fault.text.clone());
    }
    let user = name(49, USER_LETTERS_MAX)
        .ok_or("SenderCompID (49) is the user's name at the venue, at most six letters")?;
    if !is(56, us) {
        return Err(format!("TargetCompID (56) is not {us}"));
    }
    if message.get(553).is_some() && !is(553, &user) {
        return Err("Username (553) is not SenderCompID (49)".into());
    }
    let number = message.number(34).ok().flatten();
    let heartbeat = message.number(108).ok().flatten();
    if number.is_none_or(|number| number == 0) || heartbeat.is_none_or(|s| s > 3_600) {
        return Err("MsgSeqNum (34) and HeartBtInt (108), to 3600 seconds, are required".into());
    }
    if !is(98, "0") {
        return Err("EncryptMethod (98) is not 0".into());
    }
    let key = message.text(554).filter(|text| Key::parse(text).is_some());
    key.map(str::to_owned)
        .or_else(|| name(554, PASSWORD_LETTERS_MAX))
        .ok_or_else(|| "Password (554) is missing, or longer than ten letters".into())
}
