//! What the window shows: one immutable snapshot, replaced whole at every change.
//!
//! The engine publishes a [`View`] through a watch channel; the window reads it and sends [`Command`]s back
//! (see [`super::command`]). Nothing here is awaited, locked or computed by the window.
//!
//! [`Command`]: super::command::Command

mod broken;
mod call;
mod help;
mod outcome;
mod people;
mod quality;
mod settings;

pub use broken::Broken;
pub use call::{CallPhase, CallView, PathView};
pub use help::{Counts, HelpView, Helped, Totals};
pub use outcome::HistoryOutcome;
pub use people::{Attempt, BlockedRow, ClaimRow, ContactRow, NoInvite, Presence, RequestRow, Search};
pub use quality::{Quality, Second, TREND};
pub use settings::{Appearance, Language, MuteAnywhere, Notifications, OnClose, Settings};

use super::{
    custody::CustodyView,
    diagnosis::{Finding, Verdict},
    lookout::CameraPreview,
    scan::Scan,
};
use crate::{
    call::{Receipt, Reply},
    reason::Reason,
    storage::When,
};
use overlay::{OfflineReason, PublicKey, outcome::Ring};
use relay::UnixTime;
use std::{sync::Arc, time::Duration};

/// Everything the window needs to draw itself.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// This profile's own card; its name is empty until the first-run card is done.
    pub own: OwnCard,
    /// How this node stands with the network.
    pub network: NetworkState,
    /// Contacts in display order: Echo first, those who are blocked last.
    pub contacts: Vec<ContactRow>,
    /// Those who are never heard from, contacts and strangers, by name: see [`View::is_blocked`].
    pub blocked: Vec<BlockedRow>,
    /// The answer to the last username search.
    pub search: Search,
    /// Calls from strangers, waiting to be accepted or declined; they never ring.
    pub requests: Vec<RequestRow>,
    /// The call of this moment, also for a few seconds after it ended.
    pub call: Option<CallView>,
    /// Past calls, newest first, at most [`HISTORY_ROWS`].
    pub history: Vec<HistoryRow>,
    /// Missed calls that nobody has looked at yet.
    pub missed: u32,
    /// Things to tell the person, oldest first, at most [`NOTICES`].
    pub notices: Vec<Notice>,
    /// What the person chose.
    pub settings: Settings,
    /// What this computer does for others.
    pub help: HelpView,
    /// The answer to "can people call me?".
    pub network_check: NetworkCheck,
    /// The supernodes this computer knows, as of the last look; shared, for there may be hundreds.
    pub ring: Option<Arc<Ring>>,
    /// Our invite, once somebody asked for it.
    pub invite: Option<InviteView>,
    /// How reading an invite off a code goes.
    pub scan: Scan,
    /// What somebody sees who tries the camera.
    pub preview: CameraPreview,
    /// Recovery words and backups, and whether the key is sealed.
    pub custody: CustodyView,
    /// How often the window was asked to come up.
    pub raised: u64,
}

impl View {
    /// Whether somebody is never heard from, and cannot be called.
    pub fn is_blocked(&self, who: ContactId) -> bool {
        self.blocked.iter().any(|row| ContactId::Person(row.key) == who)
    }

    /// Whether the key of somebody was compared with them.
    pub fn is_verified(&self, who: ContactId) -> bool {
        self.contacts.iter().any(|row| row.id == who && row.verified.is_yes())
    }
}

/// Most rows of history in a snapshot; older ones stay in storage.
pub const HISTORY_ROWS: usize = 200;
/// Most notices shown at once; the oldest gives way.
pub const NOTICES: usize = 5;

/// What a friend needs to find us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InviteView {
    /// The link.
    pub link: String,
    /// Supernodes it names.
    pub supernodes: usize,
}

/// The answer to "can people call me?".
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NetworkCheck {
    /// Nobody asked.
    Idle,
    /// It is being found out.
    Looking,
    /// This is it.
    Found(Box<NetworkFound>),
}

/// What was found out about the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkFound {
    /// Whether people can call.
    pub verdict: Verdict,
    /// In sentences.
    pub findings: Vec<Finding>,
    /// All of it as text, to send it to somebody.
    pub lines: String,
}

/// This profile's own card.
#[derive(Debug, Clone, PartialEq)]
pub struct OwnCard {
    /// The identity key.
    pub key: PublicKey,
    /// The claimed username, if one was chosen.
    pub name: Option<String>,
    /// How far the claim has come.
    pub claim: ClaimState,
}

/// How far the claim of the own username has come.
#[derive(Debug, Clone, PartialEq)]
pub enum ClaimState {
    /// No name chosen yet.
    None,
    /// Asked for; waiting for supernodes.
    Claiming,
    /// Held by `held_by` of `of` supernodes asked.
    Held {
        /// Supernodes that keep the claim.
        held_by: usize,
        /// Supernodes asked.
        of: usize,
    },
    /// Somebody else has it.
    Taken,
    /// It did not work.
    Failed(Reason),
}

/// How this node stands with the network.
#[derive(Debug, Clone, PartialEq)]
pub enum NetworkState {
    /// Looking for supernodes.
    Joining,
    /// Linked to `homes` home supernodes.
    Online {
        /// Number of home supernodes linked.
        homes: usize,
    },
    /// No supernode reachable.
    Offline(OfflineReason),
}

/// What happened and what to do next, as a person reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sentence {
    /// What happened.
    pub message: String,
    /// What to do next.
    pub next_step: String,
}

/// Whom a row or a call is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ContactId {
    /// The built-in contact that plays your own voice back.
    Echo,
    /// A person, known by key.
    Person(PublicKey),
}

/// One past call.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryRow {
    /// With whom.
    pub with: ContactId,
    /// The name shown.
    pub name: String,
    /// Who called whom and what came of it.
    pub outcome: HistoryOutcome,
    /// When it began.
    pub began: UnixTime,
    /// The same in words.
    pub when: When,
    /// How long sound flowed.
    pub lasted: Option<Duration>,
    /// What it was like.
    pub receipt: Option<Receipt>,
    /// What the other side said, which declined it.
    pub reply: Option<Reply>,
}

/// Something to tell the person, until dismissed.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    /// Names it in [`Command::DismissNotice`](super::command::Command::DismissNotice).
    pub id: u64,
    /// What happened.
    pub why: Reason,
}
