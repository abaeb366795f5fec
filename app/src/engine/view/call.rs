//! The call of this moment.

use super::{Broken, ContactId, Quality, Second};
use crate::{
    call::{CallKind, Receipt, Waiting},
    engine::{call_words::CallWords, command::Sharing, microphone::MicrophoneSign},
    reason::Reason,
};
use media::{
    mix::Volume,
    session::{Camera, Mute, Reception},
    video::{
        driver::{Screen, Viewfinder},
        window::OpenWindow,
    },
};
use std::time::{Duration, Instant};

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
    /// Whether anything comes from the other side.
    pub reception: Reception,
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
    /// What the other side's camera sees, or its screen shows, while there is anything to see.
    pub screen: Option<Screen>,
    /// What our camera takes, or of our screen is shown.
    pub viewfinder: Option<Viewfinder>,
    /// How the sound travels, once known.
    pub path: Option<PathView>,
    /// How well it sounds, once measured.
    pub quality: Option<Quality>,
    /// How it has gone, oldest first, at most [`super::TREND`] seconds.
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
            reception: Reception::Fine,
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
