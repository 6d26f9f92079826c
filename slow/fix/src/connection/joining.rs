//! From the first message to the session: who it is, what the venue says to that, and where both
//! left off.
//!
//! The venue is asked twice. The first connection tells its day, the member's last reply and its
//! next reference; the second one reads the replies that the gateway does not know yet.

use super::{Connection, Stage, VENUE_BYTES_MAX};
use crate::gateway::Now;
use crate::lobby::Lobby;
use crate::logon::{Day, Logon, checked};
use crate::member::{Member, refusal};
use crate::message::Message;
use crate::numbers::Numbers;
use crate::order::trimmed;
use crate::session::{Names, Session, Step};
use crate::venue::Venue;
use mio::Registry;
use session::ouch_client::OuchClient;
use session::soup_client::{ClientState, SoupConfig};

impl Connection {
    /// The first message of all.
    pub(super) fn logon(
        &mut self,
        message: Message,
        lobby: &mut Lobby,
        registry: &Registry,
        now: Now,
    ) {
        let user = message.text(49).unwrap_or("").to_owned();
        let logon = match checked(&message, &lobby.config.comp_id) {
            Ok(password) => Logon {
                user,
                password,
                message,
            },
            Err(text) => return self.refuse((&user, &text), lobby, now),
        };
        if lobby.taken.contains(&logon.user) {
            let text = "this member is logged on already";
            return self.refuse((&logon.user, text), lobby, now);
        }
        let line = lobby.call(&logon.user);
        let venue = line.and_then(|line| Venue::new(line, self.venue_token, registry).ok());
        let Some(venue) = venue else {
            let text = "the venue is not there, or has no rings for this member";
            return self.refuse((&logon.user, text), lobby, now);
        };
        lobby.taken.insert(logon.user.clone());
        self.venue = Some(venue);
        // 0: from the most recent reply on, which so is told.
        self.dial(&logon, ("", 0), now);
        self.stage = Stage::Asking(logon, Day::default());
    }

    fn dial(&mut self, logon: &Logon, (day, reply_next): (&str, u64), now: Now) {
        let mut config = SoupConfig::new(&logon.user, &logon.password);
        config.session = day.to_owned();
        config.sequence = reply_next;
        config.outbound_bytes = VENUE_BYTES_MAX;
        let mut client = OuchClient::new(config);
        client.soup().connected(now.steady_ns);
        self.client = Some(client);
    }

    /// Goes on in the logon, and sees to it that the venue is there.
    pub(super) fn advance(&mut self, lobby: &mut Lobby, now: Now) {
        let Some(client) = &mut self.client else {
            return;
        };
        let state = client.soup().poll(now.steady_ns);
        if let ClientState::Rejected(letter) = state {
            let text = match letter {
                b'A' => "the venue does not know this name and password",
                _ => "the venue does not take this session now",
            };
            return self.close(lobby, text, now);
        }
        let is_open = self.venue.as_ref().is_some_and(Venue::is_open);
        let is_live = state == ClientState::Live && is_open;
        let goes_on = is_live || state == ClientState::LoggingIn && is_open;
        match std::mem::replace(&mut self.stage, Stage::Closing) {
            Stage::Asking(logon, mut day) if is_live && day.user_ref_next == 0 => {
                if day.name.is_empty() {
                    day.name = trimmed(&client.soup().session_name());
                    // The answer tells that the venue has said what it had to say.
                    let _ = client.query();
                }
                self.stage = Stage::Asking(logon, day);
            }
            Stage::Asking(logon, day) if day.user_ref_next > 0 => {
                let _ = client.soup().logout();
                self.stage = Stage::Answered(logon, day);
            }
            // The question's connection must be over before the venue takes another one.
            Stage::Answered(logon, day) if !is_open => {
                let known = lobby.members.get(&logon.user);
                let known = known.filter(|member| member.day == day.name);
                let next = known.map_or(1, |member| member.reply_next);
                self.dial(&logon, (&day.name, next), now);
                self.venue.iter_mut().for_each(Venue::again);
                self.join(logon, &day, lobby, now);
            }
            stage @ (Stage::Answered(..) | Stage::Closing | Stage::Waiting) => self.stage = stage,
            stage if goes_on => self.stage = stage,
            stage => {
                self.stage = stage;
                self.close(lobby, "the venue ended the session", now);
            }
        }
    }

    /// The venue knows the member: so does the gateway.
    fn join(&mut self, logon: Logon, day: &Day, lobby: &mut Lobby, now: Now) {
        let name = format!("{}-{}.numbers", logon.user, day.name);
        let path = lobby.config.data_dir.join(name);
        let mut numbers = match Numbers::open(&path) {
            Ok(numbers) => numbers,
            Err(error) => {
                tracing::error!(path = %path.display(), %error, "numbers cannot be read");
                let text = "the gateway cannot read this session's numbers";
                lobby.taken.remove(&logon.user);
                return self.refuse((&logon.user, text), lobby, now);
            }
        };
        if let Some(client) = &mut self.client {
            client.set_user_ref_next(day.user_ref_next);
        }
        let known = lobby.members.get(&logon.user);
        if known.is_none_or(|member| member.day != day.name) {
            let member = Member::new(&day.name, &mut numbers, now.unix_ns);
            lobby.members.insert(logon.user.clone(), member);
        }
        if let Some(member) = lobby.members.get_mut(&logon.user) {
            member.connected(day.user_ref_next);
        }
        let names = Names {
            us: lobby.config.comp_id.clone(),
            them: logon.user.clone(),
        };
        let mut session = Session::accept(names, numbers, &logon.message, now.unix_ns);
        let step = session.logged_on(&logon.message, now.unix_ns);
        self.stage = Stage::Live(logon.user, Box::new(session), day.reply_last);
        if step == Step::Close {
            self.part(lobby, now);
        }
    }

    /// Turns away somebody who is not logged on.
    fn refuse(&mut self, (user, text): (&str, &str), lobby: &Lobby, now: Now) {
        tracing::warn!(from = %self.from, user, why = text, "logon refused");
        let names = (lobby.config.comp_id.as_str(), user);
        self.outbound.extend(refusal(names, text, now.unix_ns));
        self.venue = None;
        self.client = None;
        self.stage = Stage::Closing;
        self.since_ns = now.steady_ns;
    }
}
