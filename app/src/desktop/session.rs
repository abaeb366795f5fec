//! The thread that speaks to the desktop session.

use super::autostart::AutostartEntry;
use super::notification::Notifications;
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
    wants: watch::Receiver<Wanted>,
    orders: mpsc::Receiver<Order>,
    outlet: &Outlet,
) {
    match tokio::runtime::Builder::new_current_thread().enable_time().build() {
        Ok(runtime) => runtime.block_on(serve(bus, entry, wants, orders, outlet)),
        Err(error) => tracing::warn!(%error, "no runtime for the desktop session: no notifications"),
    }
}

async fn serve(
    bus: &Bus,
    entry: Option<&AutostartEntry>,
    mut wants: watch::Receiver<Wanted>,
    mut orders: mpsc::Receiver<Order>,
    outlet: &Outlet,
) {
    if let Some(entry) = entry {
        outlet.report(Report::Autostart(entry.read()));
    }
    let mut session = match tokio::time::timeout(PATIENCE, Session::open(bus)).await {
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
                if let Some(session) = &mut session {
                    session.notifications.follow(&wanted.notifications).await;
                }
            }
            // 2. What is to be done.
            Some(order) = orders.recv() => match (order, entry) {
                (Order::SetAutostart(_), None) => {}
                (Order::SetAutostart(autostart), Some(entry)) => {
                    outlet.report(Report::Autostart(entry.write(autostart).and_then(|()| entry.read())));
                }
            },
            // 3. What the person does outside the window.
            report = next(&mut session) => outlet.report(report),
        }
    }
    if let Some(session) = &mut session {
        session.notifications.follow(&[]).await;
    }
}

/// What happens in the session, or never anything. Cancel safe.
async fn next(session: &mut Option<Session>) -> Report {
    match session {
        Some(session) => session.notifications.next().await,
        None => pending().await,
    }
}

/// A bus, and what we do on it.
struct Session {
    notifications: Notifications,
}

impl Session {
    async fn open(bus: &Bus) -> zbus::Result<Self> {
        let builder = match bus {
            Bus::Session => connection::Builder::session()?,
            Bus::At(address) => connection::Builder::address(address.as_str())?,
        };
        let connection: Connection = builder.method_timeout(PATIENCE).build().await?;
        Ok(Self { notifications: Notifications::new(&connection).await? })
    }
}
