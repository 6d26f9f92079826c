//! The sequenced log on disk.
