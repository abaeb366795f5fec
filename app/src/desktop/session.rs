//! The thread that speaks to the desktop session.

use super::autostart::AutostartEntry;
use super::chooser::{Chooser, ChooserPresence};
use super::mute_key::{KeySource, MuteKeys};
use super::notification::Notifications;
use super::tray::{Tray, TrayPresence};
use super::{Bus, Order, Outlet, Report, Wanted};
use std::future::pending;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use zbus::{Connection, connection};

/// How long the bus, or somebody on it, may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Runs until the window is gone.
pub(super) fn run(
    bus: &Bus,
    entry: Option<&AutostartEntry>,
    keys: KeySource,
    wants: watch::Receiver<Wanted>,
    orders: mpsc::Receiver<Order>,
    outlet: &Outlet,
) {
    match tokio::runtime::Builder::new_current_thread().enable_time().build() {
        Ok(runtime) => runtime.block_on(serve(bus, entry, keys, wants, orders, outlet)),
        Err(error) => tracing::warn!(%error, "no runtime for the desktop session: no notifications"),
    }
}

async fn serve(
    bus: &Bus,
    entry: Option<&AutostartEntry>,
    keys: KeySource,
    mut wants: watch::Receiver<Wanted>,
    mut orders: mpsc::Receiver<Order>,
    outlet: &Outlet,
) {
    if let Some(entry) = entry {
        outlet.report(Report::Autostart(entry.read()));
    }
    let mut mute_keys = MuteKeys::new(keys, outlet);
    let mut session = match tokio::time::timeout(PATIENCE, Session::open(bus, outlet)).await {
        Ok(Ok(session)) => Some(session),
        Ok(Err(error)) => {
            tracing::info!(%error, "no desktop session bus: no notifications");
            None
        }
        Err(_) => {
            tracing::info!("the desktop session bus does not answer: no notifications");
            None
        }
    };
    loop {
        tokio::select! {
            biased;
            // 1. What is to be seen; the end of the window.
            changed = wants.changed() => {
                if changed.is_err() {
                    break;
                }
                let wanted = wants.borrow_and_update().clone();
                mute_keys.follow(wanted.mute_key);
                if let Some(session) = &mut session {
                    session.notifications.follow(&wanted.notifications).await;
                    if let Some(tray) = &session.tray {
                        tray.follow(&wanted.tray).await;
                    }
                }
            }
            // 2. What is to be done.
            Some(order) = orders.recv() => match (order, entry) {
                (Order::SetAutostart(_), None) => {}
                (Order::SetAutostart(autostart), Some(entry)) => {
                    outlet.report(Report::Autostart(entry.write(autostart).and_then(|()| entry.read())));
                }
                (Order::AskForFile(question), _) => {
                    let Some(Session { chooser: Some(chooser), .. }) = &mut session else { continue };
                    if let Err(error) = chooser.ask(&question).await {
                        tracing::info!(%error, "this desktop does not let files be chosen");
                        outlet.report(Report::Chooser(ChooserPresence::Failed));
                    }
                }
            },
            // 3. What happens in the session.
            happening = next(&mut session) => match (happening, &mut session) {
                (Happening::Report(report), _) => outlet.report(report),
                (Happening::Tray(presence), Some(Session { tray: Some(tray), .. })) => tray.moved(presence).await,
                (Happening::Tray(_), _) => {}
            },
        }
    }
    if let Some(session) = &mut session {
        session.notifications.follow(&[]).await;
    }
}

/// What happens in the session.
enum Happening {
    Report(Report),
    Tray(TrayPresence),
}

/// What happens in the session, or never anything. Cancel safe.
async fn next(session: &mut Option<Session>) -> Happening {
    let Some(Session { notifications, tray, chooser }) = session else { return pending().await };
    let chose = async {
        match chooser {
            Some(chooser) => chooser.next().await,
            None => pending().await,
        }
    };
    let moved = async {
        match tray {
            Some(tray) => tray.next().await,
            None => pending().await,
        }
    };
    tokio::select! {
        report = notifications.next() => Happening::Report(report),
        report = chose => Happening::Report(report),
        presence = moved => Happening::Tray(presence),
    }
}

/// A bus, and what we do on it.
struct Session {
    notifications: Notifications,
    /// None where not even looking for a tray works.
    tray: Option<Tray>,
    /// None where not even looking for one works.
    chooser: Option<Chooser>,
}

impl Session {
    async fn open(bus: &Bus, outlet: &Outlet) -> zbus::Result<Self> {
        let builder = match bus {
            Bus::Session => connection::Builder::session()?,
            Bus::At(address) => connection::Builder::address(address.as_str())?,
        };
        let connection: Connection = builder.method_timeout(PATIENCE).build().await?;
        let notifications = Notifications::new(&connection).await?;
        let tray = Tray::new(&connection, outlet).await;
        let tray = tray.inspect_err(|error| tracing::info!(%error, "no tray can be looked for")).ok();
        let chooser = Chooser::new(&connection, outlet).await;
        let chooser =
            chooser.inspect_err(|error| tracing::info!(%error, "no file chooser can be looked for")).ok();
        Ok(Self { notifications, tray, chooser })
    }
}
