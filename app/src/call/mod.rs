//! The call state machine: one telephone line, sans-I/O.
//!
//! ```text
//!                place                                         Offer, welcome = Ring
//!                  │                                                     │
//!              ┌───▼────┐  Ringing  ┌─────────┐                     ┌────▼─────┐
//!              │Calling ├──────────▶│ Ringing │                     │ Incoming │
//!              └─┬──┬───┘           └──┬───┬──┘                     └─┬─────┬──┘
//!                │  │ Answer           │   │ ring timeout,            │     │ declined, hung up,
//!    not online, │  └───────┬──────────┘   │ Busy, Decline    answer  │     │ offer expired
//!    timeout,    │          │    ┌─────────┼──────────────────────────┘     │
//!    Busy,       │     ┌────▼────▼─┐       │   (echo, auto-answer and the  │
//!    Decline     │     │Connecting │◀──────┼─── losing side of a glare     │
//!                │     └─┬───────┬─┘       │    come here directly)        │
//!                │ sound │       │ 20 s    │                               │
//!                │     ┌─▼────┐  │         │                               │
//!                │     │Active│  │         │                               │
//!                │     └─┬────┘  │         │                               │
//!                │hang up│       │         │                               │
//!              ┌─▼───────▼───────▼─────────▼───────────────────────────────▼─┐
//!              │ Ended: said once as an event; the line is free at that moment │
//!              └───────────────────────────────────────────────────────────────┘
//! ```
//!
//! While it rings both sides have a session already, which finds and secures a way without a sound: whoever picks up is
//! heard as soon as the news has travelled, on that way as well as by envelope.
//!
//! Rules. Both sides dial at once (glare): the lower call id wins and the calls merge. A second caller hears busy and
//! leaves a missed entry. Hang-up travels on the call's control channel and by envelope; whichever comes second is
//! ignored, like every duplicate. Candidates that arrive before the offer or the answer are kept (bounded) and applied
//! then. Only the other side of a call can say anything about it. Strangers never ring: see [`Welcome`]; whoever is let in
//! while they still call rings then (drawn in `line/turned_away.rs`).

mod line;
pub mod message;
pub mod receipt;
mod reply;
#[cfg(test)]
mod tests;

pub use line::Line;
pub use message::{CallId, CallKind};
pub use receipt::Receipt;
pub use reply::{LONGEST_REPLY, Reply, ReplyError};

use crate::{engine::view::ContactId, reason::Reason};
use message::Signal;
use overlay::PublicKey;
use std::time::Duration;

/// How long a caller lets it ring unless told otherwise.
pub const RING_TIMEOUT: Duration = Duration::from_secs(45);
/// How long an offer is good for after it was sent.
pub const OFFER_LIFETIME: Duration = Duration::from_secs(60);
/// How long the two sides look for a path after the answer.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);
/// Whoever waits for the other side or for a path is told so this often.
pub const WAITING_EVERY: Duration = Duration::from_secs(8);
/// How long a fresh candidate waits for others to share its envelope, unless it is the first for so long.
pub const CANDIDATE_BATCH: Duration = Duration::from_millis(20);
/// Candidates of the other side kept until they can be applied; further ones are dropped (a path can still be found
/// with these, or by the peer-reflexive way).
pub const KEPT_CANDIDATES: usize = 32;
/// Calls for which candidates may arrive before the offer; the oldest gives way.
pub const EARLY_CALLS: usize = 8;
/// Strangers whose calls are kept, in case somebody lets them in meanwhile; the oldest gives way.
pub const MAX_TURNED_AWAY: usize = 8;
/// Ended calls remembered, so that late messages about them are recognised; the oldest is forgotten.
pub const REMEMBERED_CALLS: usize = 64;

/// How a caller is received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Welcome {
    /// It rings.
    Ring,
    /// It is picked up at once (`--auto-answer`).
    Answer,
    /// A stranger: no ring and no reply; the caller cannot tell this from nobody being there.
    TurnAway,
}

/// What the driver of a [`Line`] must do next.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Seal and send an envelope.
    Send {
        /// To whom.
        to: PublicKey,
        /// What.
        signal: Signal,
    },
    /// Say it on the control channel of the running session.
    SendOnSession(Signal),
    /// Start a media session and report [`Line::handle_started`] or [`Line::handle_start_failed`].
    Start {
        /// For this call.
        call: CallId,
        /// Of this kind.
        start: Start,
    },
    /// Give the running session the other side's description: it rings there.
    PrepareAnswer(Vec<u8>),
    /// Give the running session the other side's description: somebody has picked up there.
    AcceptAnswer(Vec<u8>),
    /// Tell the running session that somebody has picked up here.
    PickUp,
    /// Give the running session more candidates.
    AddCandidates(Vec<Vec<u8>>),
    /// Close the running session, or the one being started.
    Stop,
    /// Tell the person and the program.
    Event {
        /// About this call.
        call: CallId,
        /// With them.
        with: ContactId,
        /// What happened.
        event: CallEvent,
    },
}

/// Which side of a session to start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// The built-in echo, without any network.
    Echo,
    /// The caller's side.
    Offer,
    /// The callee's side, for this description; nothing is heard before [`Output::PickUp`].
    Prepare {
        /// The caller's description.
        offer: Vec<u8>,
    },
}

/// What happened to a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallEvent {
    /// We dialled.
    Placed,
    /// They dialled; it rings here, or is picked up at once.
    Incoming {
        /// The username they say they have; empty if none.
        name: String,
        /// Whether they want to be seen.
        kind: CallKind,
    },
    /// It rings there.
    Ringing,
    /// Picked up, here or there.
    Answered,
    /// Nothing has happened for a while; it goes on trying.
    Waiting(Waiting),
    /// Sound flows.
    Active,
    /// They called while the line was busy, or too long ago.
    Missed,
    /// A stranger called and was turned away.
    TurnedAway {
        /// The username they say they have; empty if none.
        name: String,
    },
    /// Over.
    Ended(Ended),
}

/// What a call waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waiting {
    /// Any word from the other side.
    Reply,
    /// A path between the two computers.
    Path,
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Why.
    pub reason: Reason,
    /// Who ended it.
    pub by: Side,
    /// Who had dialled.
    pub direction: Direction,
    /// How long sound flowed, if it did.
    pub talked: Option<Duration>,
}

/// Who did something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// This profile.
    Local,
    /// The other one.
    Remote,
    /// Nobody: the network, a timeout.
    Network,
}

/// Who dialled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// We did.
    Placed,
    /// They did.
    Received,
}
