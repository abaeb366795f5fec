//! What one allocation carried, counted by whichever thread carries it, and the receipt written when it ends.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use crate::UnixTime;

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

/// What one allocation used, written when it ends. The relay says it; it becomes evidence when both parties of the
/// call sign [`Receipt::statement`], which the overlay's credit asks of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The username the allocation was made with: the expiry and the id of the ticket.
    pub username: String,
    /// When it was made.
    pub started: UnixTime,
    /// How long it lived.
    pub lasted: Duration,
    /// Bytes of payload from the client to its peers.
    pub bytes_to_peers: u64,
    /// Bytes of payload from peers to the client.
    pub bytes_to_client: u64,
}

impl Receipt {
    /// What is signed: `"silbo relay receipt 1" | started, lasted (ms) | bytes out, in | username`, numbers as 64-bit
    /// big-endian.
    pub fn statement(&self) -> Vec<u8> {
        let mut statement = b"silbo relay receipt 1".to_vec();
        let lasted = u64::try_from(self.lasted.as_millis()).unwrap_or(u64::MAX);
        for number in [self.started.as_millis(), lasted, self.bytes_to_peers, self.bytes_to_client] {
            statement.extend_from_slice(&number.to_be_bytes());
        }
        statement.extend_from_slice(self.username.as_bytes());
        statement
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_of_a_receipt_is_under_the_signature() {
        let receipt = Receipt {
            username: "1600:ada".into(),
            started: UnixTime::from_secs(1000),
            lasted: Duration::from_secs(60),
            bytes_to_peers: 1,
            bytes_to_client: 2,
        };
        let others = [
            Receipt { username: "1600:eve".into(), ..receipt.clone() },
            Receipt { started: UnixTime::from_secs(1001), ..receipt.clone() },
            Receipt { lasted: Duration::from_secs(61), ..receipt.clone() },
            Receipt { bytes_to_peers: 2, ..receipt.clone() },
            Receipt { bytes_to_client: 3, ..receipt.clone() },
        ];
        for other in others {
            assert_ne!(other.statement(), receipt.statement(), "{other:?}");
        }
    }
}
