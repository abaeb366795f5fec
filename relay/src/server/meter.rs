//! What one allocation carried, counted by whichever thread carries it, and the receipt written when it ends.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Bytes of payload, counted without a lock: several threads may carry packets of one allocation.
#[derive(Debug, Default)]
pub(super) struct Meter {
    to_peers: AtomicU64,
    to_client: AtomicU64,
}

impl Meter {
    pub(super) fn to_peer(&self, bytes: usize) {
        self.to_peers.fetch_add(bytes as u64, Relaxed);
    }

    pub(super) fn to_client(&self, bytes: usize) {
        self.to_client.fetch_add(bytes as u64, Relaxed);
    }

    pub(super) fn read(&self) -> (u64, u64) {
        (self.to_peers.load(Relaxed), self.to_client.load(Relaxed))
    }
}

/// What one allocation used, told when it ends. It is the relay's word: the overlay asks the holder of the ticket to sign
/// for it, who compares it with its own count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The username the allocation was made with: the expiry and the id of the ticket.
    pub username: String,
    /// How long it lived.
    pub lasted: Duration,
    /// Bytes of payload from the client to its peers.
    pub bytes_to_peers: u64,
    /// Bytes of payload from peers to the client.
    pub bytes_to_client: u64,
}
