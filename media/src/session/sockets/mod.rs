//! UDP sockets of one session, and its connections to relays.

mod connection;
pub(super) mod driver;
