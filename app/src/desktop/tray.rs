//! The icon in the tray, by the StatusNotifierItem specification, with a menu by `com.canonical.dbusmenu`.
//!
//! ```text
//!   no tray ──a watcher is on the bus──▶ registered ──the watcher leaves──▶ no tray
//!                                            ├── Activate ──▶ Report::TrayPressed(Open)
//!                                            └── menu ──────▶ Report::TrayPressed(…)
//! ```

mod item;
mod menu;

use super::icon::Badge;
use super::{Outlet, Report};
use futures_lite::StreamExt;
use item::Item;
use menu::Menu;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use zbus::fdo::NameOwnerChanged;
use zbus::message::Type;
use zbus::object_server::SignalEmitter;
use zbus::{Connection, MatchRule, MessageStream};

/// Whether there is a tray in which we are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TrayPresence {
    /// There is none.
    #[default]
    Absent,
    /// There is, and we are in it.
    There,
}

/// What is to be seen in the tray.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrayView {
    /// What the icon is, in words.
    pub title: String,
    /// What the icon tells of a call.
    pub badge: Badge,
    /// The menu, and what is written there.
    pub menu: Vec<(TrayAction, String)>,
}

/// What can be pressed in the tray.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrayAction {
    /// Bring the window up.
    Open,
    /// Close the microphone.
    Mute,
    /// Open the microphone.
    Unmute,
    /// End the call.
    HangUp,
    /// End Silbo.
    Quit,
}

const WATCHER: &str = "org.kde.StatusNotifierWatcher";
const WATCHER_PATH: &str = "/StatusNotifierWatcher";
/// Where the specification looks for the item of somebody who names only its bus.
const ITEM_PATH: &str = "/StatusNotifierItem";
const MENU_PATH: &str = "/MenuBar";

/// Our place in the tray.
pub(super) struct Tray {
    connection: Connection,
    owners: MessageStream,
    shown: Shared,
    presence: TrayPresence,
    outlet: Outlet,
}

/// What trays read, whenever they like.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Shown>>);

#[derive(Default)]
struct Shown {
    view: TrayView,
    /// Counts the menus there were.
    revision: u32,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Shown> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tray {
    /// Looks for a tray from now on.
    pub(super) async fn new(connection: &Connection, outlet: &Outlet) -> zbus::Result<Self> {
        let rule = MatchRule::builder()
            .msg_type(Type::Signal)
            .sender("org.freedesktop.DBus")?
            .interface("org.freedesktop.DBus")?
            .member("NameOwnerChanged")?
            .add_arg(WATCHER)?
            .build();
        let owners = MessageStream::for_match_rule(rule, connection, None).await?;
        let shown = Shared::default();
        let server = connection.object_server();
        server.at(ITEM_PATH, Item::new(shown.clone(), outlet.clone())).await?;
        server.at(MENU_PATH, Menu::new(shown.clone(), outlet.clone())).await?;
        let (connection, outlet) = (connection.clone(), outlet.clone());
        let mut tray = Self { connection, owners, shown, presence: TrayPresence::Absent, outlet };
        tray.enter().await;
        Ok(tray)
    }

    /// Shows this from now on.
    pub(super) async fn follow(&self, wanted: &TrayView) {
        let menu_changed = {
            let mut shown = self.shown.lock();
            if shown.view == *wanted {
                return;
            }
            let changed = shown.view.menu != wanted.menu;
            shown.revision = shown.revision.wrapping_add(u32::from(changed));
            shown.view = wanted.clone();
            changed
        };
        if self.presence == TrayPresence::There
            && let Err(error) = self.tell(menu_changed).await
        {
            tracing::debug!(%error, "the tray was not told of a change");
        }
    }

    /// Whether a tray has come or gone. Cancel safe; never returns once the bus is gone.
    pub(super) async fn next(&mut self) -> TrayPresence {
        while let Some(message) = self.owners.next().await {
            let changed = message.ok().and_then(NameOwnerChanged::from_message);
            if let Some(Ok(owners)) = changed.as_ref().map(NameOwnerChanged::args) {
                return match owners.new_owner().as_ref() {
                    Some(_) => TrayPresence::There,
                    None => TrayPresence::Absent,
                };
            }
        }
        std::future::pending().await
    }

    /// Goes where a tray has come, and notes that one has gone.
    pub(super) async fn moved(&mut self, presence: TrayPresence) {
        match presence {
            TrayPresence::There => self.enter().await,
            TrayPresence::Absent => self.set(TrayPresence::Absent),
        }
    }

    async fn enter(&mut self) {
        let Some(name) = self.connection.unique_name().map(ToString::to_string) else { return };
        let (interface, method) = (Some(WATCHER), "RegisterStatusNotifierItem");
        let registered =
            self.connection.call_method(Some(WATCHER), WATCHER_PATH, interface, method, &name).await;
        match registered {
            Ok(_) => self.set(TrayPresence::There),
            Err(error) => {
                tracing::debug!(%error, "no tray");
                self.set(TrayPresence::Absent);
            }
        }
    }

    fn set(&mut self, presence: TrayPresence) {
        if presence != self.presence {
            self.presence = presence;
            self.outlet.report(Report::Tray(presence));
        }
    }

    async fn tell(&self, menu_changed: bool) -> zbus::Result<()> {
        let item = SignalEmitter::new(&self.connection, ITEM_PATH)?;
        Item::new_title(&item).await?;
        Item::new_icon(&item).await?;
        Item::new_tool_tip(&item).await?;
        if menu_changed {
            let revision = self.shown.lock().revision;
            let menu = SignalEmitter::new(&self.connection, MENU_PATH)?;
            Menu::layout_updated(&menu, revision, menu::ROOT).await?;
        }
        Ok(())
    }
}
