//! The list of supernodes that comes with a release (`assets/supernodes`), for who starts with nothing else.
//!
//! ```text
//! file   = nothing / [[1, network, [* 256 hint]], signature of the release key over the body]
//! ```
//! An empty file is a valid, empty list.

use minicbor::{Decode, Encode};

use super::Hint;
use crate::{
    config::Network,
    identity::{Domain, Identity, PublicKey, Signature},
    wire::{self, Bounded},
};

/// Supernodes one list names.
pub const MAX_ROSTER: usize = 256;

const VERSION: u8 = 1;

/// A list as it is in the file.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Roster {
    #[n(0)]
    body: RosterBody,
    #[n(1)]
    signature: Signature,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
struct RosterBody {
    #[n(0)]
    version: u8,
    #[n(1)]
    network: Network,
    #[n(2)]
    hints: Bounded<Hint, MAX_ROSTER>,
}

/// Why a list is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RosterError {
    /// Not what the module documentation draws.
    #[error("malformed list of supernodes")]
    Malformed,
    /// A version this code does not understand.
    #[error("a list of supernodes of a later version")]
    Version,
    /// It names an address nobody can reach.
    #[error("a list of supernodes that names an address nobody can reach")]
    Address,
    /// Not signed by the release key.
    #[error("a list of supernodes that the makers of this release did not sign")]
    Signature,
}

impl Roster {
    /// Signs a list with the release key; of `hints` the first [`MAX_ROSTER`] count.
    pub fn sign(release: &Identity, network: Network, hints: impl IntoIterator<Item = Hint>) -> Self {
        let body = RosterBody { version: VERSION, network, hints: Bounded::take(hints) };
        let signature = release.sign(Domain::Roster, &wire::to_bytes(&body));
        Self { body, signature }
    }

    /// The bytes of the file.
    pub fn encode(&self) -> Vec<u8> {
        wire::to_bytes(self)
    }

    /// What the file says about `network`: nothing, when it is about another one. Without a release key only the empty file is valid.
    pub fn read(
        file: &[u8],
        release: Option<&PublicKey>,
        network: Network,
    ) -> Result<Vec<Hint>, RosterError> {
        if file.is_empty() {
            return Ok(Vec::new());
        }
        let roster: Self = wire::from_bytes(file).map_err(|_| RosterError::Malformed)?;
        if roster.body.version != VERSION {
            return Err(RosterError::Version);
        }
        release
            .ok_or(RosterError::Signature)?
            .verify(Domain::Roster, &wire::to_bytes(&roster.body), &roster.signature)
            .map_err(|_| RosterError::Signature)?;
        if !roster.body.hints.iter().all(|hint| hint.is_possible(roster.body.network)) {
            return Err(RosterError::Address);
        }
        Ok(if roster.body.network == network { roster.body.hints.into_vec() } else { Vec::new() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::LinkSecret;

    fn hint(ip: [u8; 4]) -> Hint {
        Hint { node: LinkSecret::from_secret([1; 32]).public_key(), address: (ip, 7600).into() }
    }

    #[test]
    fn a_list_is_believed_from_the_release_key_only() {
        let release = Identity::from_secret([1; 32]);
        let other = Identity::from_secret([2; 32]).public_key();
        let file = Roster::sign(&release, Network::Main, [hint([9; 4])]).encode();
        let key = release.public_key();
        assert_eq!(Roster::read(&file, Some(&key), Network::Main), Ok(vec![hint([9; 4])]));
        assert_eq!(Roster::read(&file, Some(&key), Network::Lab), Ok(vec![]));
        assert_eq!(Roster::read(&file, Some(&other), Network::Main), Err(RosterError::Signature));
        assert_eq!(Roster::read(&file, None, Network::Main), Err(RosterError::Signature));
        assert_eq!(Roster::read(&[], None, Network::Main), Ok(vec![]));
        for bit in 0..file.len() * 8 {
            let mut bent = file.clone();
            bent[bit / 8] ^= 1 << (bit % 8);
            assert!(Roster::read(&bent, Some(&key), Network::Main).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn private_addresses_and_other_versions_are_refused() {
        let release = Identity::from_secret([1; 32]);
        let private = Roster::sign(&release, Network::Main, [hint([10, 0, 0, 1])]).encode();
        let key = release.public_key();
        assert_eq!(Roster::read(&private, Some(&key), Network::Main), Err(RosterError::Address));
        let mut later = Roster::sign(&release, Network::Main, []);
        later.body.version = 2;
        assert_eq!(Roster::read(&later.encode(), Some(&key), Network::Main), Err(RosterError::Version));
        assert_eq!(Roster::read(b"list", Some(&key), Network::Main), Err(RosterError::Malformed));
    }
}
