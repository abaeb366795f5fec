//! The task of one session.

pub(super) mod driver;
mod flow;
pub(super) mod pictures;
pub(super) mod sound;
