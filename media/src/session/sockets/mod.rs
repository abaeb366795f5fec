//! UDP sockets of one session.

pub(super) mod driver;
