//! The command line as the contract writes it, parsed and nothing more.

use crate::{
    engine::{
        command::Who,
        helping::{self, hours::HelpHours},
    },
    reason::Reason,
};
use clap::{Args, Parser, Subcommand, ValueEnum};
use media::{
    device::{AudioSink, AudioSource},
    process::Processing,
    session::PathPolicy,
    video::driver::{VideoConfig, VideoSink, VideoSource},
    voice::{Frames, driver::VoiceConfig},
};
use overlay::record::Offers;
use relay::server::BitRate;
use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

/// Calls between people, without a server of anyone's.
#[derive(Debug, Parser)]
#[command(name = "silbo", version, disable_help_subcommand = true, after_help = AFTER_HELP)]
pub struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do; nothing opens the window.
    #[command(subcommand)]
    pub verb: Option<Verb>,
}

const AFTER_HELP: &str = "\
WHO is a username, a public key, an invite (silbo:...), or echo (a built-in contact that plays your own voice back after 2 s).
--mic takes default, device:ID, preferred:ID, file:PATH.wav, tone:HZ or silence; --speaker takes default,
device:ID, preferred:ID, file:PATH.wav or null. default is the one chosen in the settings, else the system's;
preferred:ID is a device while it is there, else the system's. `online` and `call` read commands as JSON lines on standard input:
{\"do\":\"call|answer|decline|hangup|mute|unmute|camera|share|device|accept_request|block|unblock\"};
decline says \"reply\":TEXT to a contact who calls.
While another Silbo owns the profile (window, online, supernode), it answers register, lookup, contact,
request and history in its own network; call and a second window or online say that the profile is in use.
Exit status: 0 done; 2 usage; 3 no such name or contact; 4 not answered, offline, declined or busy;
5 no network or no path; 6 refused by policy (blocked, key changed, name taken); 7 profile locked or
unreadable; 1 anything else.";

/// Options of every command.
#[derive(Debug, Clone, Args)]
pub struct Global {
    /// The folder of the profile: key, contacts, history
    #[arg(long, global = true, value_name = "DIR")]
    pub profile: Option<PathBuf>,
    /// First supernodes to ask
    #[arg(long, global = true, value_name = "HOST:PORT", value_delimiter = ',')]
    pub bootstrap: Vec<String>,
    /// Do not look for supernodes on the local network
    #[arg(long, global = true)]
    pub no_mdns: bool,
    /// Do not use the BitTorrent Mainline DHT, neither to find supernodes nor to be found as one (--lab never does)
    #[arg(long, global = true)]
    pub no_mainline: bool,
    /// Do not ask the router to open ports (by PCP, NAT-PMP or UPnP), neither for calls nor for helping others
    #[arg(long, global = true)]
    pub no_portmap: bool,
    /// Be a node of a test network: every address is allowed, thresholds are zero
    #[arg(long, global = true)]
    pub lab: bool,
    /// Open the profile with the passphrase in the first line of this file, and seal its key if it is not sealed yet
    /// (contacts and history are not sealed); SILBO_PASSPHRASE_FILE names it, too. It opens and seals exports as well
    #[arg(long, global = true, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
    /// Print events as JSON lines
    #[arg(long, global = true)]
    pub json: bool,
    /// What to log to standard error: error, warn, info, debug or trace of Silbo itself, or a filter like
    /// overlay=debug,rtc=info for the libraries too
    #[arg(long, global = true, value_name = "LEVEL", default_value = "warn")]
    pub log: String,
}

/// What to do.
#[derive(Debug, Clone, Subcommand)]
pub enum Verb {
    /// Open the window
    Gui(Gui),
    /// Help others: directory, introductions and a relay
    Supernode(Supernode),
    /// Claim a username for this profile
    Register {
        /// The username
        name: String,
    },
    /// Look a username up: all claims found, how many supernodes hold them, their age
    Lookup {
        /// The username
        name: String,
    },
    /// Stay online without a window and print events
    Online(Online),
    /// Call somebody
    Call(Call),
    /// Contacts
    Contact {
        /// What to do with them.
        #[command(subcommand)]
        verb: ContactVerb,
    },
    /// Calls from strangers, which never ring
    Request {
        /// What to do with them.
        #[command(subcommand)]
        verb: RequestVerb,
    },
    /// Past calls
    History,
    /// Network diagnostics: "can people call me?" Exit status 0: yes
    Doctor,
    /// Make an invite link: your key, your name and where your network is; `contact add` and `call` take it
    Invite,
    /// Seal the key of this profile with a passphrase, or say how it is kept
    Lock(Lock),
    /// Save key, contacts, history and settings to one file, sealed with a passphrase
    Export {
        /// Where to; one that is there already is not overwritten
        file: PathBuf,
        /// Replace a file that is there
        #[arg(long)]
        force: bool,
    },
    /// Make an empty profile the one that was exported, or whose recovery words you have
    Import {
        /// What `silbo export` wrote
        #[arg(required_unless_present = "words")]
        file: Option<PathBuf>,
        /// Read 24 recovery words from standard input instead: they bring back who you are, and nothing else
        #[arg(long, conflicts_with = "file")]
        words: bool,
    },
    /// Show the 24 recovery words of this profile: whoever has them is you
    Words {
        /// Show nothing, but read words from standard input and say whether they are right
        #[arg(long)]
        check: bool,
    },
    /// Bare WebRTC endpoint, for tests with other implementations: JSON lines on standard input and output
    Peer(Peer),
    /// Explain a command, or `events`: every event, code and reason
    Help {
        /// A command, or `events`
        topic: Option<String>,
    },
}

/// How the key is kept from now on; without a word, sealed.
#[derive(Debug, Clone, Args)]
pub struct Lock {
    /// Take the seal off
    #[arg(long)]
    pub off: bool,
    /// Seal it with another passphrase, the first line of this file
    #[arg(long, value_name = "FILE", conflicts_with = "off")]
    pub change: Option<PathBuf>,
    /// Change nothing: only say whether it is sealed
    #[arg(long, conflicts_with_all = ["off", "change"])]
    pub state: bool,
}

/// Options of a supernode.
#[derive(Debug, Clone, Args)]
pub struct Supernode {
    /// Where links are accepted: QUIC (UDP), and TLS over TCP at the same port number
    #[arg(long, value_name = "IP:PORT")]
    pub listen: Option<SocketAddr>,
    /// Where the relay listens (UDP)
    #[arg(long, value_name = "IP:PORT")]
    pub relay_listen: Option<SocketAddr>,
    /// Where links and the relay are reached over TCP and TLS too, best 443: strict networks let nothing else through;
    /// the first is announced
    #[arg(long, value_name = "IP:PORT")]
    pub tcp_listen: Vec<SocketAddr>,
    /// The address others reach us at, if it is not the one listened on
    #[arg(long, value_name = "IP")]
    pub public: Option<IpAddr>,
    /// Most traffic relayed, in kbit/s of what leaves this machine; when it is scarce, voice goes before video
    /// [default: 20000]
    #[arg(long, value_name = "N", value_parser = kbps)]
    pub max_kbps: Option<Kbps>,
    /// Most leaves served
    #[arg(long, value_name = "N", default_value_t = overlay::config::DEFAULT_MAX_LEAVES)]
    pub max_leaves: usize,
    /// After the first SIGINT or SIGTERM, how long calls that are relayed may go on; the second ends them
    #[arg(long, value_name = "SECS", value_parser = seconds_or_none, default_value = "600")]
    pub drain: Duration,
    /// Print a status line to standard error every ten seconds, even when that is no terminal
    #[arg(long)]
    pub status: bool,
    /// Serve figures for Prometheus at http://IP:PORT/metrics; a loopback address only
    #[arg(long, value_name = "IP:PORT")]
    pub metrics: Option<SocketAddr>,
}

/// A cap on relayed traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kbps(u64);

impl Kbps {
    /// As the relay counts it.
    pub const fn rate(self) -> BitRate {
        BitRate(self.0 * 1000)
    }

    /// In kbit/s.
    pub const fn kbps(self) -> u64 {
        self.0
    }
}

/// The voices of one call, both ways, with their headers.
const LEAST_KBPS: u64 = 200;
/// 100 Gbit/s: more is a slip of the hand.
const MOST_KBPS: u64 = 100_000_000;

/// Options of staying online.
#[derive(Debug, Clone, Args)]
pub struct Online {
    /// Answer without asking: all callers, or contacts only
    #[arg(long, value_enum, num_args = 0..=1, default_missing_value = "all", value_name = "WHOM")]
    pub auto_answer: Option<Whom>,
    /// End after this many calls
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub calls: Option<u64>,
    /// What to do for others.
    #[command(flatten)]
    pub help: Help,
    /// Sound and picture.
    #[command(flatten)]
    pub media: Media,
}

/// What this computer does for others beside calls. What is said here is kept in the profile, for the window too.
#[derive(Debug, Clone, Args)]
pub struct Help {
    /// Let this computer help others once it is fit, reachable and needed: directory, introducer, relay (with commas
    /// between), all of them without a word, or none [kept in the profile]
    #[arg(long, value_name = "ROLES", num_args = 0..=1, default_missing_value = "all", value_parser = roles)]
    pub help_others: Option<Offers>,
    /// Whether traffic here costs money: then it does not help [kept in the profile]
    #[arg(long, value_enum, value_name = "YES|NO")]
    pub metered: Option<YesNo>,
    /// At which hours of the day it helps: 22-7 is from ten in the evening to seven; or always [kept in the profile]
    #[arg(long, value_name = "FROM-TO")]
    pub help_hours: Option<HelpHours>,
    /// What this line can send, in kbit/s: 2000 lets it hold the directory, 10000 relay calls [kept in the profile]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub upload_kbps: Option<u32>,
    /// Most traffic relayed, in kbit/s [kept in the profile]
    #[arg(long, value_name = "N", value_parser = kbps)]
    pub max_kbps: Option<Kbps>,
    /// Where others reach this computer when it helps, best a UDP port that the router forwards
    #[arg(long, value_name = "IP:PORT")]
    pub listen: Option<SocketAddr>,
    /// Where its relay listens (UDP); behind a router it relays only with a port that is forwarded
    #[arg(long, value_name = "IP:PORT")]
    pub relay_listen: Option<SocketAddr>,
}

/// Yes or no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum YesNo {
    /// Yes
    Yes,
    /// No
    No,
}

/// Whom to answer without asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Whom {
    /// Everybody; every caller is treated as a contact
    All,
    /// Contacts
    Contacts,
}

/// Options of the window.
#[derive(Debug, Clone, Default, Args)]
pub struct Gui {
    /// An invite to show; nobody is added or called before you say so
    pub link: Option<String>,
    /// Sound and picture.
    #[command(flatten)]
    pub media: Media,
}

/// Options of a call.
#[derive(Debug, Clone, Args)]
pub struct Call {
    /// A username, a public key, an invite, or echo
    pub who: String,
    /// Hang up after this many seconds of sound
    #[arg(long, value_name = "SECS", value_parser = seconds)]
    pub duration: Option<Duration>,
    /// Give up after this many seconds of ringing
    #[arg(long, value_name = "SECS", value_parser = seconds, default_value = "45")]
    pub ring_timeout: Duration,
    /// With picture: that of --camera, or of the first camera of this computer
    #[arg(long)]
    pub video: bool,
    /// Which ways the sound may take
    #[arg(long, value_enum, default_value = "any")]
    pub path: PathWish,
    /// Sound and picture.
    #[command(flatten)]
    pub media: Media,
}

/// Options of a bare endpoint.
#[derive(Debug, Clone, Args)]
pub struct Peer {
    /// Who speaks first
    #[arg(value_enum)]
    pub role: PeerRole,
    /// Make the offer at {"t":"call"} only
    #[arg(long)]
    pub wait: bool,
    /// Let the microphone file begin at {"t":"start"} only
    #[arg(long)]
    pub hold_mic: bool,
    /// Write down when every block of files, tones and silence was handed over
    #[arg(long, value_name = "FILE")]
    pub meta: Option<PathBuf>,
    /// Sound and picture.
    #[command(flatten)]
    pub media: Media,
}

/// Who speaks first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PeerRole {
    /// This end
    Offer,
    /// The other end
    Answer,
}

impl PeerRole {
    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Offer => "offer",
            Self::Answer => "answer",
        }
    }
}

/// Which ways a call may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PathWish {
    /// Direct if possible, else relayed
    Any,
    /// Direct or not at all
    Direct,
    /// Relayed; the other side never learns your address
    Relay,
}

/// Where sound and picture come from and go to.
#[derive(Debug, Clone, Args)]
pub struct Media {
    /// Microphone
    #[arg(long, value_name = "SRC", default_value = "default")]
    pub mic: AudioSource,
    /// Loudspeaker
    #[arg(long, value_name = "DST", default_value = "default")]
    pub speaker: AudioSink,
    /// Camera: none, default (the first one), device:/dev/videoN (Linux), screen or window:TITLE (X11), pattern or file:PATH.y4m
    #[arg(long, value_name = "SRC", default_value = "none")]
    pub camera: VideoSource,
    /// Where received pictures go: null, file:PATH.y4m in the size of the first, or 1280x720:PATH.y4m
    #[arg(long, value_name = "DST", default_value = "null")]
    pub display: VideoSink,
    /// Echo cancellation, noise suppression and gain [default: on for devices, off for files and tones]
    #[arg(long, value_enum)]
    pub processing: Option<ProcessingChoice>,
    /// How much of the voice a packet holds; half as much is heard 10 ms sooner, for twice as many packets
    #[arg(long, value_enum, default_value = "near")]
    pub frames: FramesChoice,
}

/// How captured sound is processed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ProcessingChoice {
    /// All of it, for loudspeakers
    On,
    /// No echo cancellation, for headphones
    Headphones,
    /// None
    Off,
}

/// How much of the voice a packet holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FramesChoice {
    /// 20 ms, always
    Usual,
    /// 10 ms where the other end is near and nothing is lost
    Near,
    /// The same however far away it is: for links known to carry 90 kbit/s
    Quickest,
}

/// What to do with contacts.
#[derive(Debug, Clone, Subcommand)]
pub enum ContactVerb {
    /// Add somebody by username or public key
    Add {
        /// A username, a public key or an invite
        who: String,
    },
    /// List all contacts
    List,
    /// Remove a contact
    Remove {
        /// Their name in the list, or their public key
        who: String,
    },
    /// Show the safety number that you and a contact both see, to compare it with them
    Verify {
        /// Their name in the list, or their public key
        who: String,
        /// Note that it was compared and is the same
        #[arg(long)]
        matches: bool,
        /// Note that it has to be compared again
        #[arg(long, conflicts_with = "matches")]
        forget: bool,
    },
    /// Never hear from somebody again: a contact, or a stranger who called
    Block {
        /// Their name in the list of contacts or requests, or their public key
        who: String,
    },
    /// Hear from somebody again
    Unblock {
        /// Their name in the list of contacts, or their public key
        who: String,
    },
}

/// What to do with calls from strangers.
#[derive(Debug, Clone, Subcommand)]
pub enum RequestVerb {
    /// List them
    List,
    /// Make one a contact
    Accept {
        /// Their public key, or the name they say they have
        who: String,
    },
    /// Forget one
    Decline {
        /// Their public key, or the name they say they have
        who: String,
    },
}

impl Call {
    /// Where sound and picture come from and go to: `--video` alone means the first camera.
    pub fn media(&self) -> Media {
        let mut media = self.media.clone();
        if self.video && media.camera == VideoSource::None {
            media.camera = VideoSource::Default;
        }
        media
    }
}

impl Media {
    /// The sound half.
    pub fn voice(&self) -> VoiceConfig {
        let processing = match self.processing {
            Some(ProcessingChoice::On) => Processing::On,
            Some(ProcessingChoice::Headphones) => Processing::Headphones,
            Some(ProcessingChoice::Off) => Processing::Off,
            None if self.mic.is_device() => Processing::On,
            None => Processing::Off,
        };
        let frames = match self.frames {
            FramesChoice::Usual => Frames::Usual,
            FramesChoice::Near => Frames::Near,
            FramesChoice::Quickest => Frames::Quickest,
        };
        VoiceConfig { source: self.mic.clone(), sink: self.speaker.clone(), processing, frames, trace: None }
    }

    /// The picture half.
    pub fn video(&self) -> VideoConfig {
        VideoConfig { source: self.camera.clone(), sink: self.display.clone() }
    }
}

impl Default for Media {
    fn default() -> Self {
        Self {
            mic: AudioSource::Default,
            speaker: AudioSink::Default,
            camera: VideoSource::None,
            display: VideoSink::Null,
            processing: None,
            frames: FramesChoice::Near,
        }
    }
}

impl From<PathWish> for PathPolicy {
    fn from(wish: PathWish) -> Self {
        match wish {
            PathWish::Any => Self::Any,
            PathWish::Direct => Self::Direct,
            PathWish::Relay => Self::Relay,
        }
    }
}

/// Reads a WHO: a username, a public key, `echo`, or an invite (not built yet).
pub fn who(text: &str) -> Result<Who, Reason> {
    if text.eq_ignore_ascii_case("echo") {
        return Ok(Who::Echo);
    }
    if let Ok(key) = text.parse() {
        return Ok(Who::Key(key));
    }
    username(text).map(Who::Name)
}

/// Reads a username.
pub fn username(text: &str) -> Result<overlay::Username, Reason> {
    if text.eq_ignore_ascii_case("echo") {
        return Err(Reason::Usage(
            "\"echo\" is the built-in contact and cannot be anybody's username.".into(),
        ));
    }
    overlay::Username::parse(text)
        .map_err(|error| Reason::Usage(format!("\"{text}\" is not a username. {error}")))
}

fn roles(text: &str) -> Result<Offers, String> {
    match text {
        "all" => Ok(Offers::ALL),
        "none" => Ok(Offers::NONE),
        _ => text.split(',').try_fold(Offers::NONE, |roles, name| {
            let role = helping::role(name.trim());
            role.map(|role| roles.and(role)).ok_or_else(|| {
                format!(
                    "\"{name}\" is no role; roles are directory, introducer and relay, all of them or none"
                )
            })
        }),
    }
}

fn kbps(text: &str) -> Result<Kbps, String> {
    match text.parse::<u64>() {
        Ok(0) => Err("nothing could be relayed; give at least 200, or leave the option out".into()),
        Ok(kbps) if kbps < LEAST_KBPS => {
            Err(format!("one call would not fit; give at least {LEAST_KBPS} (kbit/s)"))
        }
        Ok(kbps) if kbps > MOST_KBPS => {
            Err(format!("more than any line carries; give at most {MOST_KBPS} (kbit/s)"))
        }
        Ok(kbps) => Ok(Kbps(kbps)),
        Err(_) => Err("not a number of kbit/s; 2000 is 2 Mbit/s".into()),
    }
}

fn seconds_or_none(text: &str) -> Result<Duration, String> {
    if text == "0" { Ok(Duration::ZERO) } else { seconds(text) }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds".to_owned())?;
    if !(seconds > 0.0 && seconds <= 86_400.0) {
        return Err("must be more than 0 and at most 86400 seconds".into());
    }
    Ok(Duration::from_secs_f64(seconds))
}

#[cfg(test)]
mod tests;
