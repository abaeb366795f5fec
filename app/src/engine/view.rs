//! What the window shows: one immutable snapshot, replaced whole at every change.
//!
//! The engine publishes a [`View`] through a watch channel; the window reads it and sends [`Command`]s back
//! (see [`super::command`]). Nothing here is awaited, locked or computed by the window.
//!
//! [`Command`]: super::command::Command

mod broken;
mod help;
mod quality;

pub use broken::Broken;
pub use help::{Counts, HelpView, Helped, Totals};
pub use quality::{Quality, Second, TREND};

use super::{
    call_words::CallWords,
    command::Sharing,
    custody::CustodyView,
    diagnosis::{Finding, Verdict},
    lookout::CameraPreview,
    microphone::MicrophoneSign,
    scan::Scan,
};
use crate::{
    call::{CallKind, Receipt, Reply, Waiting},
    reason::Reason,
    storage::{Nickname, Verified, When},
};
use media::{
    device::{AudioSink, AudioSource, DeviceInfo},
    mix::Volume,
    session::{Camera, Mute},
    tones::Loudness,
    video::{
        driver::{Screen, Viewfinder},
        window::OpenWindow,
    },
};
use overlay::{InviteError, OfflineReason, PublicKey, outcome::Ring};
use relay::UnixTime;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

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

/// What the person chose.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The microphone of calls.
    pub microphone: AudioSource,
    /// The loudspeaker of calls.
    pub loudspeaker: AudioSink,
    /// How loud it rings.
    pub ringtone: Loudness,
    /// Dark or light.
    pub appearance: Appearance,
    /// What the window speaks.
    pub language: Language,
    /// Whether the desktop says who calls while nobody looks at the window.
    pub notifications: Notifications,
    /// What closing the window does.
    pub on_close: OnClose,
    /// Whether a key mutes from any window during a call.
    pub mute_key: MuteAnywhere,
    /// Those there are, once somebody asked.
    pub devices: Option<Vec<DeviceInfo>>,
}

/// Dark or light.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Appearance {
    /// As the desktop has it.
    #[default]
    System,
    /// Dark.
    Dark,
    /// Light.
    Light,
}

/// What the window speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// As the desktop does, if the window can.
    #[default]
    System,
    /// English.
    English,
    /// Spanish.
    Spanish,
}

/// Whether the desktop says who calls while nobody looks at the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Notifications {
    /// It does.
    #[default]
    On,
    /// It does not.
    Off,
}

/// What closing the window does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnClose {
    /// Silbo ends.
    #[default]
    Quit,
    /// Silbo goes on, where the desktop has a tray from which the window comes back.
    Hide,
}

/// Whether a key mutes from any window during a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MuteAnywhere {
    /// Only in our own.
    #[default]
    Off,
    /// From any, where the system lets it.
    On,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            microphone: AudioSource::Default,
            loudspeaker: AudioSink::Default,
            ringtone: Loudness::Usual,
            appearance: Appearance::System,
            language: Language::System,
            notifications: Notifications::On,
            on_close: OnClose::Quit,
            mute_key: MuteAnywhere::Off,
            devices: None,
        }
    }
}

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

/// One contact.
#[derive(Debug, Clone, PartialEq)]
pub struct ContactRow {
    /// Who.
    pub id: ContactId,
    /// The username they were added under.
    pub name: String,
    /// What the person calls them.
    pub nickname: Option<Nickname>,
    /// Short form of the key, empty for Echo.
    pub fingerprint: String,
    /// When they were last in a call with us, if ever.
    pub last_call: Option<When>,
    /// Whether they are there.
    pub presence: Presence,
    /// Whether their key was compared with them.
    pub verified: Verified,
    /// Who has their name now, if another key does and nobody has decided about it.
    pub changed: Option<PublicKey>,
}

impl ContactRow {
    /// The name shown.
    pub fn shown(&self) -> &str {
        self.nickname.as_ref().map_or(self.name.as_str(), Nickname::as_str)
    }
}

/// Somebody who is never heard from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockedRow {
    /// Who.
    pub key: PublicKey,
    /// The name they were known by, or said they have; empty if none.
    pub name: String,
    /// Short form of the key.
    pub fingerprint: String,
}

/// Whether a contact is there, as it told us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Presence {
    /// It told us nothing.
    Unknown,
    /// It is.
    Here,
    /// It was, at that time.
    Gone(When),
}

/// The answer to a username search.
#[derive(Debug, Clone, PartialEq)]
pub enum Search {
    /// Nothing asked.
    Idle,
    /// Asked, no answer yet.
    Searching {
        /// The name asked for.
        name: String,
    },
    /// Those who claim the name, best first; empty when nobody does.
    Found {
        /// The name asked for.
        name: String,
        /// Those who claim it.
        claims: Vec<ClaimRow>,
    },
    /// A link that came from outside invites to somebody, who is not added yet.
    Offered {
        /// Who.
        key: PublicKey,
        /// The name they say they have.
        name: String,
        /// The link.
        link: String,
    },
    /// It was an invite, and whoever invites is a contact now.
    Invited {
        /// Who.
        key: PublicKey,
    },
    /// It was an invite that does not serve.
    NoInvite(NoInvite),
    /// The search itself failed.
    Failed {
        /// The name asked for.
        name: String,
        /// Why.
        why: Reason,
    },
}

/// Why an invite does not serve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoInvite {
    /// It is none, or none for us.
    Unreadable(InviteError),
    /// Whoever invites cannot be added.
    Refused(Reason),
}

/// One claim of a searched name.
#[derive(Debug, Clone, PartialEq)]
pub struct ClaimRow {
    /// Who claims it.
    pub key: PublicKey,
    /// Short form of the key.
    pub fingerprint: String,
    /// Independent supernodes that returned this claim.
    pub holders: usize,
    /// Whether this key is already a contact.
    pub contact: bool,
}

/// A call from somebody who is not a contact.
#[derive(Debug, Clone, PartialEq)]
pub struct RequestRow {
    /// Who called.
    pub key: PublicKey,
    /// The username they say they have (not verified).
    pub name: String,
    /// Short form of the key.
    pub fingerprint: String,
    /// Whether they still call.
    pub attempt: Attempt,
}

/// A stranger's call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// It is over.
    Past,
    /// It goes on, and rings as soon as they are let in.
    Now,
}

/// The call of this moment.
#[derive(Debug, Clone, PartialEq)]
pub struct CallView {
    /// The other side.
    pub with: ContactId,
    /// The name shown.
    pub name: String,
    /// Where the call stands.
    pub phase: CallPhase,
    /// Whether whoever calls wants to be seen.
    pub kind: CallKind,
    /// Why it takes so long, when it does, and that it goes on.
    pub waiting: Option<Waiting>,
    /// Whether our microphone is muted.
    pub muted: bool,
    /// Whether that of the other side is.
    pub their_microphone: Mute,
    /// How loud the other side is heard.
    pub volume: Volume,
    /// Whether our camera is on; none while our screen is shown, or where nobody could see us.
    pub camera: Option<Camera>,
    /// What is shown of our screen.
    pub sharing: Sharing,
    /// The windows that could be shown, once somebody asked.
    pub windows: Option<Vec<OpenWindow>>,
    /// What both sides read aloud, once somebody asked.
    pub words: Option<CallWords>,
    /// What the other side's camera sees, from its first picture on.
    pub screen: Option<Screen>,
    /// What our camera takes, or of our screen is shown.
    pub viewfinder: Option<Viewfinder>,
    /// How the sound travels, once known.
    pub path: Option<PathView>,
    /// How well it sounds, once measured.
    pub quality: Option<Quality>,
    /// How it has gone, oldest first, at most [`TREND`] seconds.
    pub trend: Vec<Second>,
    /// Whether our microphone gives anything, muted or not.
    pub microphone: MicrophoneSign,
    /// What of microphone and loudspeaker does not work at the moment.
    pub broken: Broken,
    /// Loudness of our microphone, 0.0 to 1.0.
    pub mic_level: f32,
    /// Loudness of the other side, 0.0 to 1.0.
    pub speaker_level: f32,
}

impl CallView {
    /// A call that begins: nothing is known of it yet.
    pub fn new(with: ContactId, name: String, phase: CallPhase) -> Self {
        Self {
            with,
            name,
            phase,
            kind: CallKind::Voice,
            waiting: None,
            muted: false,
            their_microphone: Mute::Off,
            volume: Volume::AS_SENT,
            camera: None,
            sharing: Sharing::Off,
            windows: None,
            words: None,
            screen: None,
            viewfinder: None,
            path: None,
            quality: None,
            trend: Vec::new(),
            microphone: MicrophoneSign::Awaited,
            broken: Broken::default(),
            mic_level: 0.0,
            speaker_level: 0.0,
        }
    }
}

/// Where a call stands.
#[derive(Debug, Clone, PartialEq)]
pub enum CallPhase {
    /// We call; the other side has not been reached yet.
    Calling,
    /// We call; it rings there.
    Ringing,
    /// They call; it rings here.
    Incoming,
    /// Answered; looking for a path.
    Connecting,
    /// Both hear each other.
    Active {
        /// When sound first flowed.
        since: Instant,
    },
    /// Over.
    Ended {
        /// Why.
        why: Reason,
        /// How long sound flowed.
        lasted: Option<Duration>,
        /// What it was like.
        receipt: Option<Receipt>,
    },
}

impl CallPhase {
    /// Whether we have agreed to talk, and still do.
    pub const fn is_ours(&self) -> bool {
        matches!(self, Self::Calling | Self::Ringing) || self.is_talk()
    }

    /// Whether both have agreed to talk, and still do.
    pub const fn is_talk(&self) -> bool {
        matches!(self, Self::Connecting | Self::Active { .. })
    }
}

/// How the sound travels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PathView {
    /// Within this computer (Echo).
    Local,
    /// Straight to the other computer.
    Direct,
    /// Through a supernode's relay.
    Relayed,
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

/// What came of a past call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HistoryOutcome {
    /// They called, we talked.
    Received,
    /// They called, we did not answer.
    Missed,
    /// We called, we talked.
    Placed,
    /// We called in vain.
    Unanswered,
}

/// Something to tell the person, until dismissed.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    /// Names it in [`Command::DismissNotice`](super::command::Command::DismissNotice).
    pub id: u64,
    /// What happened.
    pub why: Reason,
}
