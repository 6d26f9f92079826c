//! The operator's end of the engine: commands come in, and what became of each goes back.

use queue::{Reader, Writer};
use wire::ring::{Command, CommandKind, Event, EventKind};

/// Events that one command is answered with at most, the last one not counted: what there is beyond
/// is in the feed.
const ANSWERS_MAX: usize = 16;

/// Slots that the ring of answers must have for several commands to be answered.
pub(crate) const ANSWERS_DEPTH: usize = 256;

const _: () = assert!(ANSWERS_DEPTH > 2 * (ANSWERS_MAX + 1));

/// Takes an operator's commands and answers each with the events that are about it. The last answer
/// has [`Event::LAST`], whatever it is about; a stamp is the number of the input.
#[derive(Debug)]
pub struct Desk {
    commands: Reader<Command>,
    answers: Writer<Event>,
    /// The command that is being applied, and how many answers it had.
    asked: Option<(Command, usize)>,
}

impl Desk {
    /// A desk between two rings.
    #[must_use]
    pub const fn new(commands: Reader<Command>, answers: Writer<Event>) -> Self {
        Self {
            commands,
            answers,
            asked: None,
        }
    }

    /// The next command, if there is room for all its answers.
    pub(super) fn next(&mut self) -> Option<Command> {
        if !self.answers.has_room(ANSWERS_MAX + 1) {
            return None;
        }
        let (_, command) = self.commands.pop()?;
        self.asked = Some((command, 0));
        Some(command)
    }

    /// Takes an event of the input `sequence`, the command's own or not.
    pub(super) fn on_event(&mut self, event: &Event, sequence: u64) {
        let Some((command, count)) = &mut self.asked else {
            return;
        };
        let is_last = event.has(Event::LAST);
        let is_told = is_about(event, command) && *count < ANSWERS_MAX;
        if !is_last && !is_told {
            return;
        }
        *count += 1;
        let put = self.answers.put(sequence, event);
        assert!(put.is_ok(), "room was looked for");
        if is_last {
            self.asked = None;
            self.answers.publish();
        }
    }
}

/// Whether an operator wants to hear of it. Events about orders, and what timers do to other
/// symbols, are not among it.
pub(crate) fn is_about(event: &Event, command: &Command) -> bool {
    match EventKind::from_byte(event.kind) {
        Some(EventKind::StateChanged | EventKind::Uncrossed | EventKind::Indicative) => {
            event.symbol == command.symbol
        }
        Some(
            EventKind::Refused
            | EventKind::Configured
            | EventKind::MassCanceled
            | EventKind::KillChanged
            | EventKind::AccessChanged
            | EventKind::Granted
            | EventKind::Broken,
        ) => true,
        Some(EventKind::Canceled | EventKind::CancelRejected) => {
            let is_one = command.kind == CommandKind::Cancel as u8;
            // Not its session: the order may be of any of the user's accounts.
            is_one && event.user_ref == command.user_ref
        }
        _ => false,
    }
}
