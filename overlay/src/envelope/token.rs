//! Tokens: what it costs a stranger to hand somebody an envelope.
//!
//! ```text
//! token = [minute since 1970, nonce]
//!         SHA-256("silbo introduction token 1" ‖ 0x00 ‖ mailbox ‖ minute ‖ nonce) begins with so many zero bits
//! ```
//! Numbers are u64, big endian. A token serves one mailbox, some minutes and [`TOKEN_USES`] envelopes; checking it costs
//! one hash, making it thousands.

use std::time::Duration;

use minicbor::{Decode, Encode};
use relay::UnixTime;
use sha2::{Digest as _, Sha256};

use crate::{config::Network, record::MailboxId};

/// Envelopes that one token pays for: about one call.
pub const TOKEN_USES: u8 = 16;

/// How many minutes the maker's clock may be away.
const TOLERANCE: u64 = 2;

const MINUTE: Duration = Duration::from_secs(60);

/// Proof that some work was done for one mailbox in one minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct Token {
    #[n(0)]
    minute: u64,
    #[n(1)]
    nonce: u64,
}

impl Token {
    /// Works for one: some milliseconds. `from` makes it another one than everybody else's.
    pub fn work(network: Network, mailbox: &MailboxId, now: UnixTime, from: u64) -> Self {
        let minute = minute(now);
        let nonces = (0..=u64::MAX).map(|n| from.wrapping_add(n));
        let mut tokens = nonces.map(|nonce| Self { minute, nonce });
        tokens.find(|token| token.is_paid(network, mailbox)).unwrap_or(Self { minute, nonce: from })
    }

    /// Whether it is for this mailbox and this time.
    pub fn verify(&self, network: Network, mailbox: &MailboxId, now: UnixTime) -> bool {
        self.is_timely(now) && self.is_paid(network, mailbox)
    }

    /// Whether it can still be used.
    pub fn is_timely(&self, now: UnixTime) -> bool {
        self.minute.abs_diff(minute(now)) <= TOLERANCE
    }

    fn is_paid(&self, network: Network, mailbox: &MailboxId) -> bool {
        let hash = Sha256::new_with_prefix("silbo introduction token 1")
            .chain_update([0])
            .chain_update(mailbox.bytes())
            .chain_update(self.minute.to_be_bytes())
            .chain_update(self.nonce.to_be_bytes())
            .finalize();
        let [a, b, c, d, ..] = hash.0;
        u32::from_be_bytes([a, b, c, d]).leading_zeros() >= bits(network)
    }
}

/// Zero bits asked for.
const fn bits(network: Network) -> u32 {
    match network {
        Network::Main => 16,
        // The same steps, for next to nothing.
        Network::Lab => 4,
    }
}

fn minute(time: UnixTime) -> u64 {
    time.as_secs() / MINUTE.as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

    #[test]
    fn a_token_serves_one_mailbox_for_some_minutes() {
        let (mine, other) = (MailboxId::from_bytes([1; 32]), MailboxId::from_bytes([2; 32]));
        let token = Token::work(Network::Main, &mine, NOW, 7);
        assert!(token.verify(Network::Main, &mine, NOW));
        assert!(!token.verify(Network::Main, &other, NOW));
        for minutes in [1, 2] {
            assert!(token.verify(Network::Main, &mine, NOW.saturating_add(MINUTE * minutes)));
            assert!(token.verify(Network::Main, &mine, NOW.saturating_sub(MINUTE * minutes)));
        }
        assert!(!token.verify(Network::Main, &mine, NOW.saturating_add(MINUTE * 3)));
        assert!(!token.verify(Network::Main, &mine, NOW.saturating_sub(MINUTE * 3)));
    }

    #[test]
    fn a_number_nobody_worked_for_is_no_token() {
        let mailbox = MailboxId::from_bytes([1; 32]);
        let minute = minute(NOW);
        let lucky = (0..1_000).filter(|n| Token { minute, nonce: *n }.verify(Network::Main, &mailbox, NOW));
        assert!(lucky.count() <= 2);
    }
}
