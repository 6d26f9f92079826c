//! The desk: books rebuilt from feeds.
