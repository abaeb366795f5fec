//! Stateless resets (RFC 9000 §10.3): how the other ends of a supernode's links learn at once that it was restarted.
//!
//! ```text
//!   leaf ──keep-alive of a link from before──▶ supernode, restarted with the same node key
//!   leaf ◀──reset token = HMAC(key, connection id)── knows nothing of the link, yet can prove who it is
//! ```
//! The key derives from the node key, so that it outlives the process.

use std::{sync::Arc, time::Duration};

use hmac::{Hmac, KeyInit as _, Mac as _};
use quinn::{
    ConnectionId, ConnectionIdGenerator, EndpointConfig,
    crypto::{CryptoError, HmacKey},
};
use sha2::{Digest as _, Sha256};

use crate::identity::LinkSecret;

/// After a restart all links are reset about as fast as their keep-alives come. What is answered is always shorter than
/// what came.
const BETWEEN_RESETS: Duration = Duration::from_millis(1);

/// Bytes of a connection id, all random.
const ID: usize = 8;

/// The settings of an endpoint whose restart is noticed.
pub(super) fn endpoint_config(secret: &LinkSecret) -> EndpointConfig {
    let mut config = EndpointConfig::new(Arc::new(ResetKey::of(secret)));
    config.cid_generator(|| Box::new(RandomIds)).min_reset_interval(BETWEEN_RESETS);
    config
}

struct ResetKey([u8; 32]);

impl ResetKey {
    fn of(secret: &LinkSecret) -> Self {
        let key = Sha256::new_with_prefix("silbo reset 1").chain_update([0]).chain_update(secret.secret());
        Self(key.finalize().into())
    }

    fn tag(&self, about: &[u8]) -> [u8; 32] {
        // A key of 32 bytes is never refused.
        let mac = <Hmac<Sha256>>::new_from_slice(&self.0).map(|mac| mac.chain_update(about));
        mac.map_or([0; 32], |mac| mac.finalize().into_bytes().into())
    }
}

impl HmacKey for ResetKey {
    fn sign(&self, about: &[u8], out: &mut [u8]) {
        out.iter_mut().zip(self.tag(about)).for_each(|(out, byte)| *out = byte);
    }

    fn signature_len(&self) -> usize {
        32
    }

    fn verify(&self, about: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
        if signature == self.tag(about) { Ok(()) } else { Err(CryptoError) }
    }
}

/// Ids of a process carry no mark of it: its successor must answer those it never gave out.
struct RandomIds;

impl ConnectionIdGenerator for RandomIds {
    fn generate_cid(&mut self) -> ConnectionId {
        ConnectionId::new(&rand::random::<[u8; ID]>())
    }

    fn cid_len(&self) -> usize {
        ID
    }

    fn cid_lifetime(&self) -> Option<Duration> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_restarted_supernode_gives_the_token_that_its_predecessor_promised_and_nobody_else_does() {
        let token = |secret, id: &[u8]| {
            let mut token = [0; 32];
            ResetKey::of(&LinkSecret::from_secret([secret; 32])).sign(id, &mut token);
            token
        };
        assert_eq!(token(1, b"link"), token(1, b"link"));
        assert_ne!(token(1, b"link"), token(2, b"link"));
        assert_ne!(token(1, b"link"), token(1, b"knil"));
        let key = ResetKey::of(&LinkSecret::from_secret([1; 32]));
        assert!(key.verify(b"link", &token(1, b"link")).is_ok());
        assert!(key.verify(b"link", &token(2, b"link")).is_err());
    }
}
