//! An invite: who somebody is and where the network is, in one link. It needs no directory and no bootstrap.
//!
//! ```text
//! link      = "silbo:" ‖ base64url of the CBOR, without padding
//! CBOR      = [[1, network, identity, name / null, [* 4 hint]], signature of the identity over the body]
//! hint      = [node key, address]
//! ```
//! The signature says that nobody swapped a part; who sent the link is what the person must know by other means.

use std::{fmt, str::FromStr};

use data_encoding::BASE64URL_NOPAD;
use minicbor::{Decode, Encode};

use super::Hint;
use crate::{
    config::Network,
    identity::{Domain, Identity, PublicKey, Signature},
    username::Username,
    wire::{self, Bounded},
};

/// What every invite begins with.
pub const INVITE_SCHEME: &str = "silbo:";

/// Supernodes one invite names.
pub const MAX_HINTS: usize = 4;

/// Longest invite that is read, in characters.
pub const MAX_INVITE_TEXT: usize = 800;

const VERSION: u8 = 1;

/// A verified invite.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Invite {
    #[n(0)]
    body: InviteBody,
    #[n(1)]
    signature: Signature,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
struct InviteBody {
    #[n(0)]
    version: u8,
    #[n(1)]
    network: Network,
    #[n(2)]
    identity: PublicKey,
    #[n(3)]
    name: Option<Username>,
    #[n(4)]
    hints: Bounded<Hint, MAX_HINTS>,
}

/// Why a text is no invite that can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[non_exhaustive]
pub enum InviteError {
    /// It does not begin with [`INVITE_SCHEME`].
    #[error("This is no invite: one begins with \"{INVITE_SCHEME}\".")]
    Scheme,
    /// Longer than any invite.
    #[error("This is longer than any invite.")]
    TooLong,
    /// A character is missing, too many or another one.
    #[error("This invite is not complete, or a character of it is wrong.")]
    Malformed,
    /// Made by a later version.
    #[error("This invite was made by a later version of Silbo.")]
    Version,
    /// For the lab network, or for the real one, and we are in the other.
    #[error("This invite belongs to another network.")]
    Network,
    /// It names an address nobody can be reached at.
    #[error("This invite names an address that nobody can be reached at.")]
    Address,
    /// Somebody changed it.
    #[error("This invite was changed by somebody who did not make it.")]
    Signature,
}

impl Invite {
    /// Invites others to `identity`; of `hints` the first [`MAX_HINTS`] count.
    pub fn sign(
        identity: &Identity,
        network: Network,
        name: Option<Username>,
        hints: impl IntoIterator<Item = Hint>,
    ) -> Self {
        let hints = Bounded::take(hints.into_iter().filter(|hint| hint.is_possible(network)));
        let body = InviteBody { version: VERSION, network, identity: identity.public_key(), name, hints };
        let signature = identity.sign(Domain::Invite, &wire::to_bytes(&body));
        Self { body, signature }
    }

    /// Whether to believe it, in `network`.
    pub fn verify(&self, network: Network) -> Result<(), InviteError> {
        if self.body.version != VERSION {
            return Err(InviteError::Version);
        }
        if self.body.network != network {
            return Err(InviteError::Network);
        }
        if !self.body.hints.iter().all(|hint| hint.is_possible(network)) {
            return Err(InviteError::Address);
        }
        self.body
            .identity
            .verify(Domain::Invite, &wire::to_bytes(&self.body), &self.signature)
            .map_err(|_| InviteError::Signature)
    }

    /// Who invites.
    pub fn identity(&self) -> PublicKey {
        self.body.identity
    }

    /// The name they say they have: a claim, not a proof.
    pub fn name(&self) -> Option<&Username> {
        self.body.name.as_ref()
    }

    /// Where the network may be.
    pub fn hints(&self) -> &[Hint] {
        &self.body.hints
    }
}

impl fmt::Display for Invite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{INVITE_SCHEME}{}", BASE64URL_NOPAD.encode(&wire::to_bytes(self)))
    }
}

/// Reads the link; [`Invite::verify`] says whether to believe it.
impl FromStr for Invite {
    type Err = InviteError;

    fn from_str(text: &str) -> Result<Self, InviteError> {
        let text = text.trim();
        let rest = text.strip_prefix(INVITE_SCHEME).ok_or(InviteError::Scheme)?;
        if text.len() > MAX_INVITE_TEXT {
            return Err(InviteError::TooLong);
        }
        let bytes = BASE64URL_NOPAD.decode(rest.as_bytes()).map_err(|_| InviteError::Malformed)?;
        wire::from_bytes(&bytes).map_err(|_| InviteError::Malformed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::LinkSecret;

    fn hint(which: u8, ip: [u8; 4]) -> Hint {
        Hint { node: LinkSecret::from_secret([which; 32]).public_key(), address: (ip, 7600).into() }
    }

    fn invite(network: Network, hints: usize) -> Invite {
        let hints = (0..hints).map(|n| hint(n as u8, [9, 9, 9, n as u8]));
        Invite::sign(&Identity::from_secret([1; 32]), network, Username::parse("ada").ok(), hints)
    }

    #[test]
    fn an_invite_survives_being_sent_as_a_link() {
        for hints in [0, 1, 4] {
            let invite = invite(Network::Main, hints);
            let link = invite.to_string();
            let read: Invite = format!(" {link}\n").parse().unwrap();
            assert_eq!((read.verify(Network::Main), &read), (Ok(()), &invite));
            assert_eq!(read.hints().len(), hints);
            assert_eq!(read.identity(), Identity::from_secret([1; 32]).public_key());
            assert_eq!(read.name().map(Username::as_str), Some("ada"));
        }
        assert_eq!(invite(Network::Main, 9).hints().len(), MAX_HINTS);
    }

    #[test]
    fn the_longest_invite_fits_a_message_and_a_qr_code() {
        let hints = (0..4).map(|n| Hint {
            address: format!("[2606:4700:4700:ffff:ffff:ffff:ffff:{n}]:65535").parse().unwrap(),
            ..hint(n, [9; 4])
        });
        let me = Identity::from_secret([1; 32]);
        let name = Username::parse(&"a".repeat(32)).unwrap();
        let link = Invite::sign(&me, Network::Main, Some(name), hints).to_string();
        assert!(link.len() <= MAX_INVITE_TEXT, "{} characters", link.len());
    }

    #[test]
    fn what_is_no_invite_is_told_why() {
        let link = invite(Network::Main, 2).to_string();
        assert_eq!("ada".parse::<Invite>(), Err(InviteError::Scheme));
        assert_eq!("silbo:".parse::<Invite>(), Err(InviteError::Malformed));
        assert_eq!("silbo:!!".parse::<Invite>(), Err(InviteError::Malformed));
        assert_eq!(link[..link.len() - 4].parse::<Invite>(), Err(InviteError::Malformed));
        assert_eq!(format!("silbo:{}", "A".repeat(800)).parse::<Invite>(), Err(InviteError::TooLong));
        assert_eq!(invite(Network::Main, 1).verify(Network::Lab), Err(InviteError::Network));
        let mut later = invite(Network::Main, 1);
        later.body.version = 2;
        assert_eq!(later.verify(Network::Main), Err(InviteError::Version));
        let mut private = invite(Network::Main, 0);
        private.body.hints = Bounded::take([hint(1, [10, 0, 0, 1])]);
        assert_eq!(private.verify(Network::Main), Err(InviteError::Address));
        let mut swapped = invite(Network::Main, 1);
        swapped.body.hints = Bounded::take([hint(1, [8, 8, 8, 8])]);
        assert_eq!(swapped.verify(Network::Main), Err(InviteError::Signature));
    }

    #[test]
    fn no_bent_bit_is_believed() {
        let bytes = wire::to_bytes(&invite(Network::Lab, 2));
        for bit in 0..bytes.len() * 8 {
            let mut bent = bytes.clone();
            bent[bit / 8] ^= 1 << (bit % 8);
            if let Ok(invite) = wire::from_bytes::<Invite>(&bent) {
                assert!(invite.verify(Network::Lab).is_err(), "bit {bit}");
            }
        }
    }
}
