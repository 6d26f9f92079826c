//! Frames and streams in and out; knows no message type.
