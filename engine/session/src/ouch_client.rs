//! The member's side of OUCH 5.0: orders out, replies in, on top of a [`SoupClient`](crate::soup_client).
