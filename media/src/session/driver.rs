//! The session a caller holds, and how one is started.
#![expect(
    clippy::disallowed_methods,
    reason = "starting a session takes the time of day and a seed from the system, once"
)]

use std::net::SocketAddr;
use std::time::Instant;

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};

use super::call::PeerKind;
use super::echo::Echo;
use super::far::Far;
use super::line::Line;
use super::network::driver::Network;
use super::sdp::Role;
use super::sockets::driver::Sockets;
use super::task::driver::{Command, Owner, Task};
use super::task::pictures::{Pictures, check};
use super::task::sound::{Loudness, Sound};
use super::thread::SessionThread;
use super::{
    Camera, Candidate, Description, MAX_MESSAGE, Mute, RelayServer, Relayed, SessionConfig, SessionError,
    SessionEvent, VoiceConfig,
};
use crate::device::{AudioSink, AudioSource};
use crate::level::Levels;
use crate::mix::Volume;
use crate::video::driver::{Screen, VideoConfig, VideoSource, Viewfinder};
use crate::video::viewing::Viewing;

/// Events waiting for a slow owner; see [`offer`].
pub const EVENT_QUEUE: usize = 256;

/// Commands waiting for the task; more are refused with [`SessionError::Busy`].
pub const COMMAND_QUEUE: usize = 64;

/// A call in the making or in progress. Dropping it hangs up.
#[derive(Debug)]
pub struct Session {
    commands: mpsc::Sender<Command>,
    loudness: Loudness,
    screen: Screen,
    viewfinder: Viewfinder,
    bill: oneshot::Receiver<Vec<Relayed>>,
}

/// Starts a call: the description goes to the other end, which gives one back for [`Session::prepare_answer`] while it
/// rings there, and for [`Session::accept_answer`] when somebody has picked up.
///
/// Devices and sound files are opened now, and stay silent until the call is connected. Events must be drained: while
/// [`EVENT_QUEUE`] of them wait, further ones are dropped, except the last.
pub async fn offer(
    config: SessionConfig,
) -> Result<(Session, Description, mpsc::Receiver<SessionEvent>), SessionError> {
    check(&config.video).await?;
    let sound = Sound::opened(config.voice.clone()).await?;
    let mut opening = Opening::new(config, Role::Offer, PeerKind::Silbo, sound)?;
    let description = opening.line.offer(Instant::now())?;
    let (session, events) = opening.run()?;
    Ok((session, description, events))
}

/// Takes a call that rings here: `offer` came from the other end, the description returned goes back to it.
///
/// Until [`Session::pick_up`] no device is open and no sound passes; a device that cannot be opened then ends the session
/// with [`super::SessionEnd::Device`]. To be called within a tokio runtime, as the others are.
pub fn prepare(
    config: SessionConfig,
    offer: Description,
) -> Result<(Session, Description, mpsc::Receiver<SessionEvent>), SessionError> {
    let sound = Sound::shut(config.voice.clone());
    let mut opening = Opening::new(config, Role::Answer, PeerKind::Silbo, sound)?;
    let description = opening.line.answer(Instant::now(), &offer)?;
    let (session, events) = opening.run()?;
    Ok((session, description, events))
}

/// The built-in Echo contact: what is said comes back two seconds later, through codec and jitter buffer, without any
/// network.
pub async fn echo(voice: VoiceConfig) -> Result<(Session, mpsc::Receiver<SessionEvent>), SessionError> {
    let sound = Sound::opened(voice).await?;
    let pictures = Pictures::start_threads(&VideoConfig::default())?;
    let thread = SessionThread::new().map_err(SessionError::Thread)?;
    start(Far::Echo(Echo::new()), Sockets::default(), Network::default(), (sound, pictures), thread)
}

/// Calls a stock WebRTC end: as [`offer`], with SDP in place of descriptions. The first data channel carries bare
/// messages.
pub async fn offer_sdp(
    config: SessionConfig,
) -> Result<(Session, String, mpsc::Receiver<SessionEvent>), SessionError> {
    check(&config.video).await?;
    let sound = Sound::opened(config.voice.clone()).await?;
    let mut opening = Opening::new(config, Role::Offer, PeerKind::Stock, sound)?;
    let sdp = opening.line.offer_sdp(Instant::now())?;
    let (session, events) = opening.run()?;
    Ok((session, sdp, events))
}

/// Takes a call of a stock WebRTC end, and picks up: SDP in place of descriptions.
pub async fn answer_sdp(
    config: SessionConfig,
    offer: &str,
) -> Result<(Session, String, mpsc::Receiver<SessionEvent>), SessionError> {
    check(&config.video).await?;
    let sound = Sound::opened(config.voice.clone()).await?;
    let mut opening = Opening::new(config, Role::Answer, PeerKind::Stock, sound)?;
    let sdp = opening.line.answer_sdp(Instant::now(), offer)?;
    let (session, events) = opening.run()?;
    Ok((session, sdp, events))
}

impl Session {
    /// What the other end will answer our [`offer`] with, while it rings there: the way is found and secured meanwhile.
    pub fn prepare_answer(&self, answer: Description) -> Result<(), SessionError> {
        self.command(Command::Prepare(answer))
    }

    /// Somebody has picked up the call that [`prepare`] took: devices open, sound flows.
    pub fn pick_up(&self) -> Result<(), SessionError> {
        self.command(Command::PickUp)
    }

    /// The other end's answer to our [`offer`]: somebody has picked up there. One that comes a second time changes nothing.
    pub fn accept_answer(&self, answer: Description) -> Result<(), SessionError> {
        self.command(Command::Accept(answer))
    }

    /// The other end's answer to our [`offer_sdp`], or to the offer of a restart.
    pub fn accept_answer_sdp(&self, answer: &str) -> Result<(), SessionError> {
        self.command(Command::AcceptSdp(answer.to_owned()))
    }

    /// A further offer of a stock end; what it is to be answered with comes as [`SessionEvent::Sdp`].
    pub fn accept_offer_sdp(&self, offer: &str) -> Result<(), SessionError> {
        self.command(Command::OfferSdp(offer.to_owned()))
    }

    /// Has ICE with a stock end begin anew; the offer for it comes as [`SessionEvent::Sdp`].
    pub fn restart_ice(&self) -> Result<(), SessionError> {
        self.command(Command::Restart)
    }

    /// An address of the other end; may come before its answer. See also [`Candidate::from_sdp`].
    pub fn add_candidate(&self, candidate: Candidate) -> Result<(), SessionError> {
        self.command(Command::Candidate(candidate))
    }

    /// Supernodes learnt after the start, and other credentials of known ones.
    pub fn add_relays(&self, relays: Vec<RelayServer>) -> Result<(), SessionError> {
        self.command(Command::Relays(relays))
    }

    /// A router has opened its port `outside` for our socket at `inside`, one of our [`Description::candidates`]: the
    /// other end is told, and reaches us there whatever the router filters.
    pub fn add_mapping(&self, inside: SocketAddr, outside: SocketAddr) -> Result<(), SessionError> {
        self.command(Command::Mapping { inside, outside })
    }

    /// Addresses of this machine have come or gone: look now. A session finds out by itself half a second later.
    pub fn network_changed(&self) -> Result<(), SessionError> {
        self.command(Command::NetworkChanged)
    }

    /// Silences the microphone, or not. An end of our own kind is told, from when both have picked up.
    pub fn set_muted(&self, mute: Mute) -> Result<(), SessionError> {
        self.command(Command::Mute(mute))
    }

    /// Plays the other end so loud, whenever it is heard.
    pub fn set_volume(&self, volume: Volume) -> Result<(), SessionError> {
        self.command(Command::Volume(volume))
    }

    /// Hears us through something else. What cannot be opened is told with [`SessionEvent::DeviceRefused`], and what was
    /// used before still is.
    pub fn set_microphone(&self, source: AudioSource) -> Result<(), SessionError> {
        self.command(Command::Microphone(source))
    }

    /// Is heard from something else, in the same manner.
    pub fn set_loudspeaker(&self, sink: AudioSink) -> Result<(), SessionError> {
        self.command(Command::Loudspeaker(sink))
    }

    /// Takes our pictures from somewhere else, as when a screen is shared. What cannot be opened is told with
    /// [`SessionEvent::PicturesLost`], and what was sent before is sent still, except a screen. A camera that fails, then
    /// or later, is off until it is switched on again.
    pub fn set_source(&self, source: VideoSource) -> Result<(), SessionError> {
        self.command(Command::Source(source))
    }

    /// Sends our pictures, or not.
    pub fn set_camera(&self, camera: Camera) -> Result<(), SessionError> {
        self.command(Command::Camera(camera))
    }

    /// What the other end shows.
    pub fn screen(&self) -> Screen {
        self.screen.clone()
    }

    /// What we show the other end.
    pub fn viewfinder(&self) -> Viewfinder {
        self.viewfinder.clone()
    }

    /// Tells the other end how large its pictures are shown here, so that it sends none that are larger.
    pub fn set_viewing(&self, viewing: Viewing) -> Result<(), SessionError> {
        self.command(Command::Viewing(viewing))
    }

    /// Sends a message over the control channel: reliable, in order, at most [`MAX_MESSAGE`] bytes. Before the channel
    /// is open a few are kept.
    pub fn send_message(&self, message: Vec<u8>) -> Result<(), SessionError> {
        if message.len() > MAX_MESSAGE {
            return Err(SessionError::TooLong);
        }
        self.command(Command::Message(message))
    }

    /// How loud both directions are.
    pub fn levels(&self) -> Levels {
        self.loudness.read()
    }

    /// Tells the other end, closes sockets and devices, finishes sound files, and returns when all that is done: what
    /// went through relays.
    pub async fn close(mut self) -> Vec<Relayed> {
        // Refused when the session is over already, which is what is asked for.
        let _ = self.commands.send(Command::Close).await;
        self.commands.closed().await;
        self.bill.try_recv().unwrap_or_default()
    }

    fn command(&self, command: Command) -> Result<(), SessionError> {
        self.commands.try_send(command).map_err(|error| match error {
            TrySendError::Full(_) => SessionError::Busy,
            TrySendError::Closed(_) => SessionError::Over,
        })
    }
}

/// A line with its sockets open, not yet described.
struct Opening {
    line: Line,
    sockets: Sockets,
    network: Network,
    sound: Sound,
    pictures: Pictures,
    thread: SessionThread,
}

impl Opening {
    fn new(config: SessionConfig, role: Role, peer: PeerKind, sound: Sound) -> Result<Self, SessionError> {
        let SessionConfig { policy, relays, addresses, video, .. } = config;
        let pictures = Pictures::start_threads(&video)?;
        let now = Instant::now();
        let mut line = Line::new(now, role, peer, policy, addresses, rand::random())?;
        let (mut sockets, mut network) = (Sockets::default(), Network::default());
        let thread = SessionThread::new().map_err(SessionError::Thread)?;
        let entered = thread.enter();
        network.look(now, &mut line, &mut sockets).map_err(SessionError::Socket)?;
        drop(entered);
        line.offer_relays(now, &relays);
        Ok(Self { line, sockets, network, sound, pictures, thread })
    }

    fn run(self) -> Result<(Session, mpsc::Receiver<SessionEvent>), SessionError> {
        let Self { line, sockets, network, sound, pictures, thread } = self;
        start(Far::Line(Box::new(line)), sockets, network, (sound, pictures), thread)
    }
}

fn start(
    far: Far,
    sockets: Sockets,
    network: Network,
    (sound, pictures): (Sound, Pictures),
    thread: SessionThread,
) -> Result<(Session, mpsc::Receiver<SessionEvent>), SessionError> {
    let (commands, inbox) = mpsc::channel(COMMAND_QUEUE);
    let (outbox, events) = mpsc::channel(EVENT_QUEUE);
    let (billed, bill) = oneshot::channel();
    let (loudness, screen, viewfinder) = (sound.loudness(), pictures.screen(), pictures.viewfinder());
    // The task ends when the far end is over, at the latest when the session is dropped.
    let owner = Owner { commands: inbox, events: outbox, bill: billed };
    let task = Task::new(far, sockets, network, (sound, pictures), owner).run();
    thread.run(task).map_err(SessionError::Thread)?;
    Ok((Session { commands, loudness, screen, viewfinder, bill }, events))
}
