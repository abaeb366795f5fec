//! The session a caller holds, and the task behind it that owns sockets, timer and voice engine.

use tokio::sync::mpsc;

use super::{
    Candidate, Description, Mute, RelayServer, SessionConfig, SessionError, SessionEvent, VoiceConfig,
};

/// Events waiting for a slow owner; see [`offer`].
pub const EVENT_QUEUE: usize = 256;

/// Commands waiting for the task; more are refused with [`SessionError::Busy`].
pub const COMMAND_QUEUE: usize = 64;

/// A call in the making or in progress. Dropping it hangs up.
#[derive(Debug)]
pub struct Session {
    commands: mpsc::Sender<Command>,
}

/// What a [`Session`] asks of its task.
#[derive(Debug)]
enum Command {}

/// Starts a call: the description goes to the other end, which gives one back for [`Session::accept_answer`].
///
/// Events must be drained: when [`EVENT_QUEUE`] of them wait, statistics are dropped first.
pub async fn offer(
    config: SessionConfig,
) -> Result<(Session, Description, mpsc::Receiver<SessionEvent>), SessionError> {
    let _ = config;
    std::future::ready(Err(SessionError::Over)).await
}

/// Takes a call: `offer` came from the other end, the description returned goes back to it.
pub async fn answer(
    config: SessionConfig,
    offer: Description,
) -> Result<(Session, Description, mpsc::Receiver<SessionEvent>), SessionError> {
    let _ = (config, offer);
    std::future::ready(Err(SessionError::Over)).await
}

/// The built-in Echo contact: what is said comes back two seconds later, through codec and jitter buffer, without any
/// network.
pub async fn echo(voice: VoiceConfig) -> Result<(Session, mpsc::Receiver<SessionEvent>), SessionError> {
    let _ = voice;
    std::future::ready(Err(SessionError::Over)).await
}

/// Calls a stock WebRTC end: as [`offer`], with SDP in place of descriptions. Its data channel carries bare messages.
pub async fn offer_sdp(
    config: SessionConfig,
) -> Result<(Session, String, mpsc::Receiver<SessionEvent>), SessionError> {
    let _ = config;
    std::future::ready(Err(SessionError::Over)).await
}

/// Takes a call of a stock WebRTC end: as [`answer`], with SDP in place of descriptions.
pub async fn answer_sdp(
    config: SessionConfig,
    offer: &str,
) -> Result<(Session, String, mpsc::Receiver<SessionEvent>), SessionError> {
    let _ = (config, offer);
    std::future::ready(Err(SessionError::Over)).await
}

impl Session {
    /// The other end's answer to our [`offer`].
    pub fn accept_answer(&self, _answer: Description) -> Result<(), SessionError> {
        self.still_open()
    }

    /// The other end's answer to our [`offer_sdp`].
    pub fn accept_answer_sdp(&self, _answer: &str) -> Result<(), SessionError> {
        self.still_open()
    }

    /// An address of the other end; may come before its answer. See also [`Candidate::from_sdp`].
    pub fn add_candidate(&self, _candidate: Candidate) -> Result<(), SessionError> {
        self.still_open()
    }

    /// Supernodes learnt after the start.
    pub fn add_relays(&self, _relays: Vec<RelayServer>) -> Result<(), SessionError> {
        self.still_open()
    }

    /// Silences the microphone, or not.
    pub fn set_muted(&self, _mute: Mute) -> Result<(), SessionError> {
        self.still_open()
    }

    /// Sends a message over the control channel: reliable, in order, at most [`super::MAX_MESSAGE`] bytes. Before the
    /// channel is open a few are kept.
    pub fn send_message(&self, _message: Vec<u8>) -> Result<(), SessionError> {
        self.still_open()
    }

    /// Tells the other end, closes sockets and devices, finishes sound files, and returns when all that is done.
    pub async fn close(self) {
        self.commands.closed().await;
    }

    fn still_open(&self) -> Result<(), SessionError> {
        if self.commands.is_closed() { Err(SessionError::Over) } else { Ok(()) }
    }
}
