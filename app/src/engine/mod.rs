//! The headless engine: commands in, snapshots and events out.
//!
//! ```text
//!   window, command line, stdin ──Command──▶ engine ──View──▶ window
//!                                              │  └──Event──▶ command line
//!                            overlay ◀─────────┼─────────▶ media::session
//!                                           storage
//! ```
//!
//! One actor owns everything: the node of the overlay, the telephone line, the media session of the call, and
//! storage. What takes time (lookups, sealed envelopes, opening devices) runs as a job of the actor and reports back.

mod actor;
mod blocking;
pub mod call_words;
mod calls;
pub mod command;
pub mod custody;
mod declining;
pub mod diagnosis;
pub mod errand;
pub mod event;
mod forgetting;
pub mod gate;
pub mod helping;
pub(crate) mod invites;
mod inviting;
mod key_change;
mod letting_in;
pub mod lookout;
mod mappings;
pub mod microphone;
mod network_check;
mod own_name;
mod people;
mod picture;
mod pictures;
mod power;
mod presence;
mod reasons;
mod record;
mod relays;
mod ring;
mod ringing;
pub mod scan;
mod settings;
pub(crate) mod talking;
pub mod view;
mod volume;
pub mod words;

pub use mappings::Portmap;
pub(crate) use people::{accept_request, decline_request};

use crate::{
    reason::Reason,
    storage::{Lock, Profile, Storage},
};
use command::Command;
use custody::CustodyView;
use errand::Desk;
use event::Event;
use helping::Helping;
use lookout::CameraPreview;
use media::{session::PathPolicy, video::driver::VideoConfig, voice::driver::VoiceConfig};
use overlay::{
    Identity, Network, PublicKey,
    driver::{Mainline, Mdns, RoleWish},
};
use scan::Scan;
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
};
use view::{ClaimState, HelpView, NetworkCheck, NetworkState, OwnCard, Search, Settings, View};

/// Commands that may wait for the engine. When full, the sender is told at once (`try_send`) and the person may
/// simply press again: the engine empties this queue within milliseconds.
pub const COMMAND_QUEUE: usize = 64;
/// Events that may wait for the command line. When full, further events are dropped and logged.
pub const EVENT_QUEUE: usize = 1024;
/// How long a command waits for the network before it fails.
pub const NETWORK_PATIENCE: Duration = Duration::from_secs(10);

/// What an engine is made with.
#[derive(Debug, Clone)]
pub struct Config {
    /// Which network.
    pub network: Network,
    /// Where QUIC listens.
    pub listen: Option<SocketAddr>,
    /// What to do for others.
    pub role: RoleWish,
    /// Whether to help as the person agreed, when `role` says nothing else.
    pub helping: Helping,
    /// First supernodes, `host:port`.
    pub bootstrap: Vec<String>,
    /// Whether to look on the local network.
    pub mdns: Mdns,
    /// Whether to look in the BitTorrent Mainline DHT when there is nobody elsewhere.
    pub mainline: Mainline,
    /// Whether routers are asked to open ports, for calls and for helping others.
    pub portmap: Portmap,
    /// Microphone and loudspeaker of calls.
    pub voice: VoiceConfig,
    /// Camera of calls, and where pictures go beside the window.
    pub video: VideoConfig,
    /// Whom to answer without asking.
    pub auto_answer: AutoAnswer,
    /// How long to let it ring there.
    pub ring_timeout: Duration,
    /// Which ways calls may take.
    pub path: PathPolicy,
    /// Whether to claim the profile's name anew once online.
    pub own_name: OwnName,
    /// Something to tell the person first, such as a damaged database that was set aside.
    pub greeting: Option<Reason>,
}

/// Whom to answer without asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AutoAnswer {
    /// Nobody: contacts ring, strangers become requests.
    Nobody,
    /// Contacts; strangers become requests.
    Contacts,
    /// Everybody, as if they were contacts.
    All,
}

/// What to do about the profile's own name once online.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnName {
    /// Claim it anew, so that supernodes go on holding it.
    Renew,
    /// Nothing: this process is short-lived.
    Leave,
}

/// Called after each new snapshot, from a thread of the engine; must return at once (ask for a repaint, no more).
pub type Wake = Arc<dyn Fn() + Send + Sync>;

/// How the window and the command line speak to a running engine.
#[derive(Clone)]
pub struct EngineHandle {
    /// Commands in; use `try_send` from the window.
    pub commands: mpsc::Sender<Command>,
    /// The newest snapshot.
    pub view: watch::Receiver<Arc<View>>,
    wake: WakeSlot,
}

/// A running engine; dropping it does not stop it, [`Command::Quit`] does.
#[derive(Debug)]
pub struct Running {
    task: JoinHandle<()>,
    desk: Desk,
}

/// Starts an engine on the current tokio runtime. It joins the network in the background.
pub async fn start(
    config: Config,
    profile: Profile,
    storage: Storage,
    identity: Identity,
) -> Result<(EngineHandle, mpsc::Receiver<Event>, Running), Reason> {
    let (commands, inbox) = mpsc::channel(COMMAND_QUEUE);
    let (events, reports) = mpsc::channel(EVENT_QUEUE);
    let (show, view) = watch::channel(Arc::new(View::new(identity.public_key())));
    let wake = WakeSlot::default();
    let screen = picture::Picture::new(identity.public_key(), show, wake.clone());
    let actor = actor::Actor::start(config, profile, storage, identity, screen, events).await?;
    let (tasks, errands) = mpsc::channel(errand::ERRAND_QUEUE);
    let desk = Desk { tasks, overlay: actor.overlay.clone() };
    let running = Running { task: tokio::spawn(actor.run(inbox, errands)), desk };
    Ok((EngineHandle { commands, view, wake }, reports, running))
}

impl EngineHandle {
    /// A handle without an engine, for tests of the window: what it sends arrives at the receiver, what the test
    /// puts into the sender is shown. Nobody calls the wake closure; the test asks for its repaints itself.
    pub fn fake() -> (Self, mpsc::Receiver<Command>, watch::Sender<Arc<View>>) {
        let own = Identity::from_secret([7; 32]).public_key();
        let (commands, received) = mpsc::channel(COMMAND_QUEUE);
        let (show, view) = watch::channel(Arc::new(View::new(own)));
        (Self { commands, view, wake: WakeSlot::default() }, received, show)
    }

    /// Installs what is called after each new snapshot (the window's `request_repaint`); replaces an earlier one.
    pub fn set_wake(&self, wake: Wake) {
        *self.wake.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(wake);
    }
}

impl Running {
    /// Where errands are brought.
    pub fn desk(&self) -> Desk {
        self.desk.clone()
    }

    /// Returns when the engine has hung up, left the network and freed the profile.
    pub async fn finished(self) {
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the engine stopped in an unplanned way");
        }
    }
}

/// Where the wake closure lives; the engine holds a clone.
#[derive(Clone, Default)]
struct WakeSlot(Arc<Mutex<Option<Wake>>>);

impl WakeSlot {
    fn is_set(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    fn call(&self) {
        let wake = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(wake) = wake {
            wake();
        }
    }
}

impl View {
    /// The snapshot before anything happened: no name, no contacts, joining the network.
    pub fn new(own: PublicKey) -> Self {
        Self {
            own: OwnCard { key: own, name: None, claim: ClaimState::None },
            network: NetworkState::Joining,
            contacts: Vec::new(),
            blocked: Vec::new(),
            search: Search::Idle,
            requests: Vec::new(),
            call: None,
            history: Vec::new(),
            missed: 0,
            notices: Vec::new(),
            settings: Settings::default(),
            help: HelpView::default(),
            network_check: NetworkCheck::Idle,
            ring: None,
            invite: None,
            scan: Scan::default(),
            preview: CameraPreview::default(),
            custody: CustodyView::new(Lock::Open),
            raised: 0,
        }
    }
}
