//! Which sockets a session has, as this machine's addresses come and go.

pub(super) mod driver;
