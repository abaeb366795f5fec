//! Signed records that gossip and the directory carry: where supernodes are, and who can ring a person.

mod introduction;
mod supernode;

use std::time::Duration;

use relay::UnixTime;

pub use self::{
    introduction::{EnvelopeKey, Introducer, Introduction, IntroductionBody, MAX_INTRODUCERS, MailboxId},
    supernode::{Offers, SupernodeBody, SupernodeRecord},
};

/// Clocks may differ this much before a record counts as from the future.
pub const CLOCK_TOLERANCE: Duration = Duration::from_secs(120);

/// Why a record or claim was not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// A version this code does not understand.
    #[error("a version not understood")]
    Version,
    /// It belongs to another network.
    #[error("from another network")]
    Network,
    /// Its time is over.
    #[error("expired")]
    Expired,
    /// Issued in the future, or valid for longer than allowed.
    #[error("impossible dates")]
    Dates,
    /// An address nobody can reach.
    #[error("an address nobody can reach")]
    Address,
    /// The signature is wrong.
    #[error("the signature is wrong")]
    Signature,
}

/// Whether `now` lies in a record's time, and that time is not longer than `most`.
pub(crate) fn check_dates(
    now: UnixTime,
    issued: UnixTime,
    not_after: UnixTime,
    most: Duration,
) -> Result<(), RecordError> {
    if not_after <= now {
        return Err(RecordError::Expired);
    }
    if issued > now.saturating_add(CLOCK_TOLERANCE)
        || not_after < issued
        || not_after.saturating_duration_since(issued) > most
    {
        return Err(RecordError::Dates);
    }
    Ok(())
}
