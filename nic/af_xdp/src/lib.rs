//! AF_XDP sockets on libc alone.
