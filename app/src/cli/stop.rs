//! What asks a program to end.

use std::future;

/// SIGINT and SIGTERM, each time.
#[cfg(unix)]
pub(super) struct Stop {
    signals: Option<[tokio::signal::unix::Signal; 2]>,
}

#[cfg(unix)]
impl Stop {
    pub(super) fn listen() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        let signals = match (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) {
            (Ok(interrupt), Ok(terminate)) => Some([interrupt, terminate]),
            _ => {
                tracing::warn!("signals cannot be heard; they will end the program at once");
                None
            }
        };
        Self { signals }
    }

    pub(super) async fn asked(&mut self) {
        let Some([interrupt, terminate]) = &mut self.signals else { return future::pending().await };
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }
}

/// Ctrl-C, each time.
#[cfg(not(unix))]
pub(super) struct Stop;

#[cfg(not(unix))]
impl Stop {
    pub(super) fn listen() -> Self {
        Self
    }

    pub(super) async fn asked(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            future::pending().await
        }
    }
}
