//! What an operator changes of a user, by an `Access`.

/// `flags` of an `Access` that gives a user another rate: `user_ref` messages a second, 0 for any
/// number, `price` refusals; how many may come at once stands in `client_id[..4]`.
pub const ACCESS_RATE: u8 = 3;
/// The same for its grace: `price` nanoseconds, all bits but the sign for never.
pub const ACCESS_GRACE: u8 = 4;
/// The same for a network from which it may log in: `price` first bits of `user_ref`, -1 for none;
/// how many networks follow stands in `client_id[..4]`. `side` is 1 of the first.
pub const ACCESS_NETWORK: u8 = 5;
/// The same for fourteen letters of its password's hash; `user_ref` such pieces follow.
pub const ACCESS_SECRET: u8 = 6;
/// The same for its name, six letters, and its firm's four: from here on the user is there.
pub const ACCESS_NAME: u8 = 7;
/// The user is not there any more, until the day ends.
pub const ACCESS_GONE: u8 = 8;
