//! Ethernet, IPv4 and UDP headers.
