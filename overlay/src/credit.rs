//! Service credit: who helped others is asked to wait last. It is pairwise, expires, and buys nothing else.
//!
//! ```text
//! voucher = [[1, network, helper, helped, since, until, home seconds, answers, relay seconds,
//!            relayed bytes], signature by helped]
//!
//!   H serves S ─▶ S counts what it had of H (Tabs) ─voucher, signed by S─▶ H keeps it (Ledger)
//!   later, when S has no room: H shows S its own vouchers ─▶ S checks its own signature ─▶ H waits less than others
//! ```
//! Both keys are node keys: those that supernodes and volunteers keep, and that name no person. A voucher is worth
//! something only to the one who signed it, in the hands of the one it names: nobody needs a ledger of all, nobody can
//! pass credit on, and forging it takes the key of whoever would have to honour it. Leaves that serve nobody have link
//! keys that change; what they sign is worth nothing as credit and tells a helper only that it was of use.

mod ledger;
mod tabs;
#[cfg(test)]
mod tests;

use std::time::Duration;

use minicbor::{Decode, Encode};
use relay::UnixTime;

pub(crate) use self::{
    ledger::{Kept, Ledger},
    tabs::Tabs,
};
use crate::{
    config::Network,
    identity::{Domain, LinkKey, LinkSecret, Signature},
    record::CLOCK_TOLERANCE,
    wire::{self, Bounded},
};

const VERSION: u8 = 1;

/// A voucher counts at most this long after the service it speaks of,
pub const CREDIT_LIFETIME: Duration = Duration::from_secs(30 * 24 * 3600);

/// and no longer than so many times what that service was worth.
const LASTS_TIMES: u64 = 100;

/// Service worth this much, in seconds of being a home, is worth being vouched for.
pub const ENOUGH: u64 = 30;

/// Vouchers shown, or kept of one who was helped.
pub const MAX_SHOWN: usize = 2;

/// What is shown to one supernode: its own vouchers.
pub type Shown = Bounded<Voucher, MAX_SHOWN>;

/// An answer of the directory is worth this much of being a home, and so are so many relayed bytes: two voices.
const ANSWER_SECONDS: u64 = 10;
const BYTES_PER_SECOND: u64 = 16_000;

/// What somebody did for somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Service {
    /// For how long it was a home.
    pub home: Duration,
    /// Questions it answered and records it took, as a holder of the directory.
    pub answers: u32,
    /// For how long it relayed calls.
    pub relay: Duration,
    /// Bytes of sealed sound and pictures it relayed.
    pub relayed: u64,
}

impl Service {
    /// In seconds of being a home.
    pub fn worth(&self) -> u64 {
        let answers = u64::from(self.answers) * ANSWER_SECONDS;
        self.home.as_secs().saturating_add(answers).saturating_add(self.relayed / BYTES_PER_SECOND)
    }

    fn add(&mut self, more: Self) {
        self.home = self.home.saturating_add(more.home);
        self.answers = self.answers.saturating_add(more.answers);
        self.relay = self.relay.saturating_add(more.relay);
        self.relayed = self.relayed.saturating_add(more.relayed);
    }
}

/// The word of one who was helped: `[body, signature]`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Voucher {
    #[n(0)]
    body: VoucherBody,
    #[n(1)]
    signature: Signature,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
struct VoucherBody {
    #[n(0)]
    version: u8,
    #[n(1)]
    network: Network,
    #[n(2)]
    helper: LinkKey,
    #[n(3)]
    helped: LinkKey,
    #[cbor(n(4), with = "wire::unix_time")]
    since: UnixTime,
    #[cbor(n(5), with = "wire::unix_time")]
    until: UnixTime,
    #[n(6)]
    home_seconds: u32,
    #[n(7)]
    answers: u32,
    #[n(8)]
    relay_seconds: u32,
    #[n(9)]
    relayed: u64,
}

/// Why a voucher is worth nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CreditError {
    /// A version this code does not understand.
    #[error("a version not understood")]
    Version,
    /// Of another network.
    #[error("from another network")]
    Network,
    /// It names another helper than the one who has it.
    #[error("somebody else helped")]
    NotTheHelper,
    /// It was given by another than the one who shows it, or is shown it.
    #[error("somebody else was helped")]
    NotTheHelped,
    /// The service was too long ago.
    #[error("expired")]
    Expired,
    /// In the future, or over before it began.
    #[error("impossible dates")]
    Dates,
    /// It speaks of a time that another one speaks of: seen before, or counted twice.
    #[error("a time that was counted already")]
    Repeated,
    /// The signature is wrong.
    #[error("the signature is wrong")]
    Signature,
    /// All of them together are not enough.
    #[error("too little")]
    TooLittle,
}

/// Who helped whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Between {
    /// Who served.
    pub helper: LinkKey,
    /// Who was served.
    pub helped: LinkKey,
}

impl Voucher {
    /// "From `since` to `until` this one did so much for me."
    pub fn sign(
        helped: &LinkSecret,
        network: Network,
        helper: LinkKey,
        (since, until): (UnixTime, UnixTime),
        service: Service,
    ) -> Self {
        let body = VoucherBody {
            version: VERSION,
            network,
            helper,
            helped: helped.public_key(),
            since: since.min(until),
            until,
            home_seconds: seconds(service.home),
            answers: service.answers,
            relay_seconds: seconds(service.relay),
            relayed: service.relayed,
        };
        let signature = helped.sign(Domain::Voucher, &wire::to_bytes(&body));
        Self { body, signature }
    }

    /// Whether it says now that these two helped one another, whatever that is worth.
    pub fn verify(&self, network: Network, between: Between, now: UnixTime) -> Result<(), CreditError> {
        let body = &self.body;
        if body.version != VERSION {
            return Err(CreditError::Version);
        }
        if body.network != network {
            return Err(CreditError::Network);
        }
        if body.helper != between.helper {
            return Err(CreditError::NotTheHelper);
        }
        if body.helped != between.helped {
            return Err(CreditError::NotTheHelped);
        }
        if self.ends() <= now {
            return Err(CreditError::Expired);
        }
        let period = body.until.saturating_duration_since(body.since);
        if body.since > body.until
            || period > CREDIT_LIFETIME
            || body.until > now.saturating_add(CLOCK_TOLERANCE)
        {
            return Err(CreditError::Dates);
        }
        body.helped
            .verify(Domain::Voucher, &wire::to_bytes(body), &self.signature)
            .map_err(|_| CreditError::Signature)
    }

    /// Whom it is for.
    pub fn helper(&self) -> LinkKey {
        self.body.helper
    }

    /// Who gave it.
    pub fn helped(&self) -> LinkKey {
        self.body.helped
    }

    /// What it is for.
    pub fn service(&self) -> Service {
        Service {
            home: Duration::from_secs(self.body.home_seconds.into()),
            answers: self.body.answers,
            relay: Duration::from_secs(self.body.relay_seconds.into()),
            relayed: self.body.relayed,
        }
    }

    /// From when on it is worth nothing.
    pub fn ends(&self) -> UnixTime {
        let earned = Duration::from_secs(self.service().worth().saturating_mul(LASTS_TIMES));
        self.body.until.saturating_add(earned.min(CREDIT_LIFETIME))
    }

    /// Whether it speaks of a time after that of another one.
    fn follows(&self, earlier: &Self) -> bool {
        self.body.since >= earlier.body.until && self.body.until > earlier.body.until
    }
}

/// Whether what a helper shows is enough to let it wait less; the earliest first.
pub fn suffices(
    shown: &[Voucher],
    network: Network,
    between: Between,
    now: UnixTime,
) -> Result<(), CreditError> {
    if shown.windows(2).any(|pair| matches!(pair, [earlier, later] if !later.follows(earlier))) {
        return Err(CreditError::Repeated);
    }
    let mut all = Service::default();
    for voucher in shown {
        voucher.verify(network, between, now)?;
        all.add(voucher.service());
    }
    if all.worth() < ENOUGH { Err(CreditError::TooLittle) } else { Ok(()) }
}

fn seconds(time: Duration) -> u32 {
    u32::try_from(time.as_secs()).unwrap_or(u32::MAX)
}
