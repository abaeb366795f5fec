//! What Silbo is outside its window: notifications, an icon in the tray, and its place among what starts at login.
//!
//! ```text
//!   window ──Wanted (what is to be seen, whole)──▶ thread "desktop" ──▶ org.freedesktop.Notifications
//!      │ ───Order (what is to be done)───────────▶     │         ├────▶ org.kde.StatusNotifierWatcher
//!      │                                               │         ├────▶ org.freedesktop.portal.FileChooser
//!      │                                               │         ├────▶ a key of the X server
//!      │                                               │         └────▶ autostart/silbo.desktop
//!      └◀──────────────Report (what came of it)────────┘
//! ```
//! The window says what should be seen at this moment, and the thread brings the desktop there: nothing piles up, and
//! nothing that was taken back stays. A desktop without a session bus, or without somebody on it who shows
//! notifications, is said once in the log; then there is only the window.
//!
//! All words come from the window, which knows the language. The session bus belongs to the person, as the screen does:
//! whoever is on it may press what is offered, and no more is offered than the window itself has buttons for.

pub mod autostart;
mod chooser;
pub mod icon;
mod mute_key;
mod notification;
mod session;
mod tray;

pub use autostart::{Autostart, AutostartEntry, AutostartError};
pub use chooser::{ChooserPresence, FileQuestion, Purpose};
pub use icon::Badge;
pub use mute_key::{KeySource, MUTE_KEYS, MuteKey, MuteKeyError, MuteKeyWish};
pub use notification::{Action, Notification, NotificationId, Urgency, short_name};
pub use tray::{TrayAction, TrayPresence, TrayView};

use std::path::PathBuf;
use std::sync::{Arc, mpsc as sync_mpsc};
use std::thread;
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// Orders that may wait for the thread. When full, a further one is refused, and the person may press again.
const ORDERS: usize = 8;
/// Reports that may wait for the window. When full, further ones are dropped and logged: somebody pressed the buttons of
/// a window that does not react, and can press again.
const REPORTS: usize = 32;
/// How long a window that closes waits until its notifications are gone.
const FAREWELL: Duration = Duration::from_secs(1);

/// Called after each report, from the thread; must return at once.
pub type Wake = Arc<dyn Fn() + Send + Sync>;

/// Where the desktop session is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Bus {
    /// The bus of the session this process runs in.
    #[default]
    Session,
    /// The bus at this D-Bus address.
    At(String),
}

/// What is to be seen outside the window.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Those that stand; one that is no longer among them disappears.
    pub notifications: Vec<Notification>,
    /// The icon in the tray.
    pub tray: TrayView,
    /// Whether the key that mutes from any window shall be ours.
    pub mute_key: MuteKeyWish,
}

/// What is to be done once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// Start at login, or no longer; answered by [`Report::Autostart`].
    SetAutostart(Autostart),
    /// Ask the person for a file; answered by [`Report::Chose`] if they choose one.
    AskForFile(FileQuestion),
}

/// What came of it, and what the person did outside the window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// Somebody pressed something on a notification.
    Pressed {
        /// On which.
        notification: NotificationId,
        /// What.
        action: Action,
    },
    /// A notification is gone, because somebody closed it or its time was over.
    Gone(NotificationId),
    /// Whether this profile starts at login; also reported once at the beginning.
    Autostart(Result<Autostart, AutostartError>),
    /// A tray has come or gone; until the first of these there is none.
    Tray(TrayPresence),
    /// Somebody pressed something there.
    TrayPressed(TrayAction),
    /// Whether files can be chosen; until the first of these they cannot.
    Chooser(ChooserPresence),
    /// Somebody chose a file.
    Chose {
        /// What for.
        purpose: Purpose,
        /// Which.
        file: PathBuf,
    },
    /// Whether the key that mutes from any window is ours; until the first of these there is none.
    MuteKey(Result<MuteKey, MuteKeyError>),
    /// Somebody pressed it.
    MuteKeyPressed,
}

/// How the window speaks to the desktop; when it is dropped, all that it has shown disappears.
#[derive(Debug)]
pub struct Desktop {
    wanted: watch::Sender<Wanted>,
    orders: mpsc::Sender<Order>,
    reports: mpsc::Receiver<Report>,
    /// Dropped last: by then the thread has seen that the window is gone.
    _farewell: Farewell,
}

impl Desktop {
    /// Begins to speak to the desktop session, in a thread of its own. Without an `entry`, nothing is said of autostart.
    pub fn start(bus: Bus, entry: Option<AutostartEntry>, keys: KeySource, wake: Wake) -> Self {
        let (wanted, wants) = watch::channel(Wanted::default());
        let (orders, ordered) = mpsc::channel(ORDERS);
        let (outlet, reports) = mpsc::channel(REPORTS);
        let (alive, over) = sync_mpsc::channel();
        let outlet = Outlet { reports: outlet, wake };
        let thread = thread::Builder::new().name("desktop".to_owned()).spawn(move || {
            session::run(&bus, entry.as_ref(), keys, wants, ordered, &outlet);
            drop(alive);
        });
        if let Err(error) = thread {
            tracing::warn!(%error, "no thread for the desktop session: no notifications");
        }
        Self { wanted, orders, reports, _farewell: Farewell(over) }
    }

    /// A desktop without a session, for tests of the window: what is wanted and ordered arrives at the receivers, what
    /// the test reports is taken by the window.
    pub fn fake() -> (Self, watch::Receiver<Wanted>, mpsc::Receiver<Order>, mpsc::Sender<Report>) {
        let (wanted, wants) = watch::channel(Wanted::default());
        let (orders, ordered) = mpsc::channel(ORDERS);
        let (reporter, reports) = mpsc::channel(REPORTS);
        let (_, over) = sync_mpsc::channel();
        (Self { wanted, orders, reports, _farewell: Farewell(over) }, wants, ordered, reporter)
    }

    /// Says what is to be seen from now on.
    pub fn want(&self, wanted: Wanted) {
        self.wanted.send_if_modified(|now| {
            let other = *now != wanted;
            *now = wanted;
            other
        });
    }

    /// Asks for something to be done. False when too much is still to be done, or nobody does it.
    #[must_use]
    pub fn order(&self, order: Order) -> bool {
        self.orders.try_send(order).is_ok()
    }

    /// The next report, if there is one.
    pub fn report(&mut self) -> Option<Report> {
        self.reports.try_recv().ok()
    }
}

/// Lets the thread take its notifications off the screen before the process ends; the thread's end closes the channel.
#[derive(Debug)]
struct Farewell(sync_mpsc::Receiver<()>);

impl Drop for Farewell {
    fn drop(&mut self) {
        // Either way there is nothing left to do.
        let _ = self.0.recv_timeout(FAREWELL);
    }
}

/// Where the thread reports.
#[derive(Clone)]
struct Outlet {
    reports: mpsc::Sender<Report>,
    wake: Wake,
}

impl Outlet {
    fn report(&self, report: Report) {
        if let Err(error) = self.reports.try_send(report) {
            tracing::warn!(%error, "the window did not take what the desktop reported");
        }
        (self.wake)();
    }
}
