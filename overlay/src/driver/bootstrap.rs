//! Bootstrap strings become addresses, again and again: a name may not resolve yet, or may move.

use std::{net::SocketAddr, time::Duration};

use tokio::sync::mpsc;

const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Addresses taken from one name.
const MAX_ADDRESSES: usize = 8;

/// Addresses that need no resolver.
pub(super) fn literal(bootstrap: &[String]) -> Vec<SocketAddr> {
    bootstrap.iter().filter_map(|text| text.parse().ok()).collect()
}

/// Resolves one `host:port` for as long as anybody listens.
pub(super) async fn resolve(host: String, addresses: mpsc::Sender<Vec<SocketAddr>>) {
    let mut pause = FIRST_PAUSE;
    loop {
        match tokio::net::lookup_host(&host).await {
            Ok(found) => {
                pause = LONGEST_PAUSE;
                if addresses.send(found.take(MAX_ADDRESSES).collect()).await.is_err() {
                    return;
                }
            }
            Err(error) => {
                tracing::debug!(%error, "a bootstrap name does not resolve");
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = addresses.closed() => return,
        }
    }
}
