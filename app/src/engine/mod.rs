//! The headless engine: commands in, snapshots and events out.
//!
//! ```text
//!   window, command line, stdin ──Command──▶ engine ──View──▶ window
//!                                              │  └──Event──▶ command line
//!                            overlay ◀─────────┼─────────▶ media::session
//!                                           storage
//! ```

pub mod command;
pub mod event;
pub mod view;

use command::Command;
use overlay::PublicKey;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{mpsc, watch};
use view::{ClaimState, NetworkState, OwnCard, Search, View};

/// Commands that may wait for the engine. When full, the sender is told at once (`try_send`) and the person may
/// simply press again: the engine empties this queue within milliseconds.
pub const COMMAND_QUEUE: usize = 64;

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

impl EngineHandle {
    /// A handle without an engine, for tests of the window: what it sends arrives at the receiver, what the test
    /// puts into the sender is shown. Nobody calls the wake closure; the test asks for its repaints itself.
    pub fn fake() -> (Self, mpsc::Receiver<Command>, watch::Sender<Arc<View>>) {
        let own = overlay::Identity::from_secret([7; 32]).public_key();
        let (commands, received) = mpsc::channel(COMMAND_QUEUE);
        let (show, view) = watch::channel(Arc::new(View::new(own)));
        (Self { commands, view, wake: WakeSlot::default() }, received, show)
    }

    /// Installs what is called after each new snapshot (the window's `request_repaint`); replaces an earlier one.
    pub fn set_wake(&self, wake: Wake) {
        *self.wake.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(wake);
    }
}

/// Where the wake closure lives; the engine holds a clone.
#[derive(Clone, Default)]
struct WakeSlot(Arc<Mutex<Option<Wake>>>);

impl View {
    /// The snapshot before anything happened: no name, no contacts, joining the network.
    pub fn new(own: PublicKey) -> Self {
        Self {
            own: OwnCard { key: own, name: None, claim: ClaimState::None },
            network: NetworkState::Joining,
            contacts: Vec::new(),
            search: Search::Idle,
            requests: Vec::new(),
            call: None,
            history: Vec::new(),
            notices: Vec::new(),
        }
    }
}
