//! Models of every ring and seqlock.
