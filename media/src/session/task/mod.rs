//! The task of one session.

pub(super) mod driver;
mod flow;
