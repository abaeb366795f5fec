//! Nonces without memory: a nonce is the time it was made and a MAC over that time and the client's address, so checking
//! one needs nothing but a key. A flood of strangers therefore costs no state.

use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// How long a nonce is accepted; afterwards 438 brings a new one (RFC 8489 §9.2.4).
pub(super) const NONCE_LIFETIME: Duration = Duration::from_secs(600);

/// Eight bytes of MAC: a guess would have to be made online, at the rate the reply limits allow.
const MAC_LEN: usize = 8;

pub(super) struct Nonces {
    key: [u8; 32],
    epoch: Instant,
}

impl Nonces {
    pub(super) const fn new(key: [u8; 32], epoch: Instant) -> Self {
        Self { key, epoch }
    }

    /// `|seconds since start, 8 hex digits|MAC, 16 hex digits|`.
    pub(super) fn make(&self, now: Instant, client: SocketAddr) -> String {
        let seconds = now.saturating_duration_since(self.epoch).as_secs();
        self.with_age(u32::try_from(seconds).unwrap_or(u32::MAX), client)
    }

    pub(super) fn accepts(&self, now: Instant, client: SocketAddr, nonce: &[u8]) -> bool {
        let Some(made) = nonce.get(..8).and_then(|hex| std::str::from_utf8(hex).ok()) else { return false };
        let Ok(made) = u32::from_str_radix(made, 16) else { return false };
        let age = now.saturating_duration_since(self.epoch).checked_sub(Duration::from_secs(made.into()));
        let is_fresh = age.is_some_and(|age| age < NONCE_LIFETIME);
        is_fresh && bool::from(self.with_age(made, client).as_bytes().ct_eq(nonce))
    }

    fn with_age(&self, seconds: u32, client: SocketAddr) -> String {
        let mut nonce = format!("{seconds:08x}");
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.key) else { return nonce };
        mac.update(&seconds.to_be_bytes());
        match client.ip() {
            IpAddr::V4(ip) => mac.update(&ip.octets()),
            IpAddr::V6(ip) => mac.update(&ip.octets()),
        }
        mac.update(&client.port().to_be_bytes());
        for byte in mac.finalize().into_bytes().iter().take(MAC_LEN) {
            // Writing to a String cannot fail.
            let _ = write!(nonce, "{byte:02x}");
        }
        nonce
    }
}

impl std::fmt::Debug for Nonces {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Nonces").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_is_good_for_its_client_and_its_time_only() {
        let start = crate::fixture::now().instant;
        let nonces = Nonces::new([3; 32], start);
        let client = "192.0.2.1:5000".parse().unwrap();
        let made = start + Duration::from_secs(100);
        let nonce = nonces.make(made, client);
        assert_eq!(nonce.len(), 24);
        assert!(nonces.accepts(made, client, nonce.as_bytes()));
        assert!(!nonces.accepts(start, client, nonce.as_bytes()), "from the future");
        assert!(!nonces.accepts(made + NONCE_LIFETIME, client, nonce.as_bytes()), "too old");
        assert!(!nonces.accepts(made, "192.0.2.1:5001".parse().unwrap(), nonce.as_bytes()), "another client");
        assert!(!Nonces::new([4; 32], start).accepts(made, client, nonce.as_bytes()), "another server");
        for wrong in ["", "0000006", "00000064", "zzzzzzzz0123456789abcdef", "+0000064aaaaaaaaaaaaaaaa"] {
            assert!(!nonces.accepts(made, client, wrong.as_bytes()), "{wrong:?}");
        }
    }
}
