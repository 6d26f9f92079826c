//! Protocol state machines; time is an argument.
