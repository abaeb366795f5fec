//! One call between two ends: ICE finds a way, DTLS-SRTP keeps it private, RTP carries the sound.
//!
//! The only folder that names `rtc`, webrtc-rs's sans-I/O core; none of its types leave it. From the outside in:
//!
//! ```text
//! driver::Session ── commands ──▶ task: sockets, timer, VoiceEngine
//!                                  │ datagrams, instants
//!                                  ▼
//!                                line::Line        sans-I/O: one whole call, and how it ends
//!                                  ├─ call::Call   the RTCPeerConnection: ICE, DTLS, SRTP, SCTP
//!                                  └─ path::Path   legs below ICE (direct sockets, relays), and which of them carries the call
//! ```
//!
//! The two ends exchange one [`Description`] each and then [`Candidate`]s as they are found (trickle ICE, RFC 8838).
//! Who carries them must seal them: the description holds the fingerprint of the certificate its sender will show in
//! DTLS (RFC 8122), so whoever vouches for the envelope vouches for every packet of the call.
//!
//! While it rings, the way is found, proven and secured already, so that picking up is heard at once; until then no device
//! is open and no sound passes.
//!
//! How fast video may go beside the sound is [`congestion`]'s to say.
//!
//! Clauses: ICE RFC 8445, STUN RFC 8489, TURN RFC 8656, DTLS-SRTP RFC 5764, data channels RFC 8831 and 8832,
//! Opus in RTP RFC 7587. A stock WebRTC end can be called through the same session with SDP in place of descriptions.

mod call;
pub mod congestion;
mod control;
mod description;
pub mod driver;
mod echo;
mod far;
#[cfg(any(test, feature = "fuzz"))]
pub mod fuzz;
mod line;
mod network;
mod path;
pub mod quality;
mod sdp;
mod sockets;
mod task;
mod thread;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

pub use relay::client::CertificateHash;
use relay::{Credentials, UnixTime};

pub use description::{
    Candidate, CandidateKind, Description, MAX_CANDIDATE, MAX_CANDIDATES, MAX_DESCRIPTION, Malformed,
};

use crate::device::{DeviceError, Direction};
use crate::video::driver::{VideoConfig, VideoError};
use crate::voice::driver::VoiceConfig;

/// Which ways a call may take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PathPolicy {
    /// Directly where that works, else through a relay.
    #[default]
    Any,
    /// Only directly; relays are asked for our address but carry nothing.
    Direct,
    /// Only through a relay; the other end never learns an address of ours.
    Relay,
}

/// Which addresses of this machine are offered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AddressScope {
    /// Addresses somebody else could reach: no loopback, no link-local ones.
    #[default]
    Public,
    /// Every address, loopback too: for networks inside one machine.
    Lab,
}

/// A supernode that tells us our address (STUN) and may relay for us (TURN), both at the same UDP port.
#[derive(Clone, Debug)]
pub struct RelayServer {
    /// Where it listens.
    pub udp: SocketAddr,
    /// Where it relays for those whose network lets no UDP through.
    pub streams: Option<RelayStreams>,
    /// What to allocate with; without it the server is only asked for our address.
    pub credentials: Option<Credentials>,
    /// When these stop being good for another allocation; `None`: never.
    pub until: Option<Instant>,
}

/// What a call lacks in relays; [`driver::Session::add_relays`] mends it, and until then it is asked for again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelaysWanted {
    /// Relays in use whose credentials end soon: other credentials of the same are wanted.
    pub renew: Vec<SocketAddr>,
    /// Another relay is wanted, and none of these: they are in use, or have failed. `None`: there are enough.
    pub besides: Option<Vec<SocketAddr>>,
}

/// How a relay that a call uses is found to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RelayHealth {
    /// It relays.
    Serves,
    /// It grants nothing, fell silent, or answers and relays nothing.
    Failed,
}

/// Where TURN is spoken over TCP and over TLS, at one port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RelayStreams {
    /// The port.
    pub address: SocketAddr,
    /// What is shown over TLS.
    pub certificate: CertificateHash,
}

/// What a session is started with.
#[derive(Clone, Debug)]
pub struct SessionConfig {
    /// Which ways the call may take.
    pub policy: PathPolicy,
    /// Supernodes known by now; more may follow through [`driver::Session::add_relays`].
    pub relays: Vec<RelayServer>,
    /// Which addresses are offered.
    pub addresses: AddressScope,
    /// Microphone, loudspeaker and what happens in between.
    pub voice: VoiceConfig,
    /// Where pictures come from and go.
    pub video: VideoConfig,
}

/// Whether the microphone is heard.
pub use crate::voice::Mute;

/// Whether our pictures are sent.
pub use crate::video::driver::Camera;

/// What a session tells its owner.
#[derive(Debug)]
pub enum SessionEvent {
    /// An address of ours was found: send it to the other end.
    Candidate(Candidate),
    /// The other end has proven the certificate of its description, and somebody has picked up: media may flow.
    Connected,
    /// The way the call takes.
    Path(PathReport),
    /// Sound flows.
    MediaFlowing {
        /// Which way.
        direction: MediaDirection,
        /// Wall-clock time of the first sample of a microphone file.
        mic_t0: Option<UnixTime>,
        /// Wall-clock time of the first sample of a loudspeaker file.
        speaker_t0: Option<UnixTime>,
    },
    /// A microphone or loudspeaker stopped working; the call goes on with silence while we try again.
    DeviceLost(DeviceError),
    /// It works again, or another one in its place does.
    DeviceRestored(Direction),
    /// What was chosen in mid-call cannot be used; what was used before still is.
    DeviceRefused(DeviceError),
    /// The first picture of the other end is shown, since the beginning or since its pictures ended.
    FirstPicture,
    /// The other end shows no pictures any more: the last one is gone.
    PicturesEnded,
    /// Pictures can be taken or written no more; the call goes on without.
    PicturesLost(VideoError),
    /// The relays there are will not do.
    RelaysWanted(RelaysWanted),
    /// This relay, by its UDP address, is found to be so; said when it changes.
    Relay(SocketAddr, RelayHealth),
    /// How the call is, once a second.
    Stats(CallStats),
    /// The other end sent this over the control channel.
    Message(Vec<u8>),
    /// The other end muted its microphone, or opened it; until it says so, it is heard. See [`driver::Session::set_muted`].
    Mute(Mute),
    /// Nothing comes from the other end any more while another way to it is sought, or something does again; said when it
    /// changes.
    Reception(Reception),
    /// What a stock end is to be told in mid-call.
    Sdp(Sdp),
    /// What a stock end said in mid-call makes no sense; all stays as it is.
    SdpRefused(SessionError),
    /// The session is over. Nothing follows.
    Ended(SessionEnd),
}

/// Whether anything comes from the other end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reception {
    /// Something does.
    #[default]
    Fine,
    /// Nothing at all has for a while: no sound, and no answer.
    Silence,
}

/// What is told to and by a stock end (RFC 8829).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sdp {
    /// An offer.
    Offer(String),
    /// What answers it.
    Answer(String),
}

/// Which way sound flows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaDirection {
    /// Our first packet has left.
    Send,
    /// The first frame from the other end was decoded.
    Receive,
    /// Both of these have happened.
    Both,
}

/// The way a call takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathReport {
    /// Kind of our end.
    pub local: CandidateKind,
    /// Kind of the other end.
    pub remote: CandidateKind,
    /// What carries the packets.
    pub protocol: PathProtocol,
    /// Whether no relay is involved.
    pub direct: bool,
    /// The relay of ours that is used.
    pub relay: Option<SocketAddr>,
    /// Round-trip time of the last connectivity check.
    pub rtt: Option<Duration>,
}

/// What carries the packets on the first hop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PathProtocol {
    /// Plain UDP.
    Udp,
    /// TCP, to a relay.
    Tcp,
    /// TLS over TCP, to a relay.
    Tls,
}

/// How a call is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CallStats {
    /// Round-trip time of the path.
    pub rtt: Option<Duration>,
    /// Share of the packets sent to us that never came, within the last second.
    pub loss: f32,
    /// Share of our packets that the other end reports as lost (RTCP), in its last report.
    pub remote_loss: f32,
    /// How much arrival times vary.
    pub jitter: Duration,
    /// How long a sample waits between arrival and the loudspeaker.
    pub playout_delay: Duration,
    /// How long after a word is spoken it is heard, sound cards included; an estimate.
    pub mouth_to_ear: Duration,
    /// Share of the sound played that was made up for missing packets, within the last second.
    pub concealed_ratio: f32,
    /// Expected opinion of a listener, 1 (bad) to 4.5, by the E-model (ITU-T G.107).
    pub mos: f32,
    /// Sound received, without headers.
    pub audio_kbps: f32,
    /// Packets of sound sent so far.
    pub packets_sent: u64,
    /// Packets of sound received so far.
    pub packets_received: u64,
    /// Packets of pictures sent so far, without those sent again.
    pub picture_packets_sent: u64,
    /// Packets of pictures received so far.
    pub picture_packets_received: u64,
    /// Pictures sent so far.
    pub pictures_sent: u64,
    /// Pictures of the other end shown so far.
    pub pictures_shown: u64,
    /// How those are; none while there are none.
    pub pictures: Option<PictureStats>,
}

/// How the pictures of the other end are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PictureStats {
    /// Received within the last second, without headers.
    pub kbps: f32,
    /// Shown within the last second.
    pub frame_rate: f32,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// How often they stood still so far.
    pub freezes: u64,
    /// And for how long altogether.
    pub frozen: Duration,
}

/// What a call sent and received through one relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Relayed {
    /// Where the relay serves.
    pub relay: SocketAddr,
    /// How long it was used, or kept ready.
    pub lasted: Duration,
    /// Bytes of payload, both ways.
    pub bytes: u64,
}

/// How a session ended.
#[derive(Debug)]
#[non_exhaustive]
pub enum SessionEnd {
    /// We closed it.
    Closed,
    /// The other end hung up.
    PeerClosed,
    /// No way to the other end was found.
    NoPath,
    /// A way was found, but who answers there does not hold the certificate of its description.
    NotAuthentic,
    /// The way was lost and did not come back.
    Lost,
    /// Somebody picked up, and microphone, loudspeaker or sound file could not be opened.
    Device(DeviceError),
    /// Something in the media engine broke; a sentence for the log.
    Internal(String),
}

/// Why a session could not be started or did not take a command.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// A microphone, loudspeaker or sound file could not be opened.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// Pictures cannot be read or written.
    #[error(transparent)]
    Video(#[from] VideoError),
    /// No UDP socket could be had.
    #[error("no UDP socket on this machine: {0}")]
    Socket(#[source] std::io::Error),
    /// No thread could be had.
    #[error("no thread for the call: {0}")]
    Thread(#[source] std::io::Error),
    /// The other end's description or candidate makes no sense.
    #[error("the other end's call description makes no sense: {0}")]
    Description(String),
    /// The media engine refused.
    #[error("the media engine refused: {0}")]
    Engine(String),
    /// The session is over.
    #[error("the call is already over")]
    Over,
    /// The session has more commands waiting than it takes.
    #[error("the call is not keeping up with commands")]
    Busy,
    /// A message is longer than [`MAX_MESSAGE`].
    #[error("a message may have at most {MAX_MESSAGE} bytes")]
    TooLong,
}

/// Longest message on the control channel.
pub const MAX_MESSAGE: usize = 16 * 1024;
