//! What a supernode says about itself.
//!
//! Everybody hears of the same supernodes again and again. A record whose signature was found right is one in memory,
//! however often it is decoded and however many hold it (`shared`): the same bytes are neither parsed nor verified twice.

mod shared;

use std::{
    fmt,
    net::SocketAddr,
    sync::{Arc, OnceLock},
    time::Duration,
};

use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};
use relay::UnixTime;
use sha2::{Digest as _, Sha256};

use super::{RecordError, check_dates};
use crate::{
    config::Network,
    identity::{Domain, LinkKey, LinkSecret, Signature},
    routing::{Key, is_public},
    wire,
};

const VERSION: u8 = 1;

/// Longest time a record may be valid; reissued every third of it.
const MAX_LIFETIME: Duration = Duration::from_secs(24 * 3600);

/// A supernode's signed word about where and what it is: `[body, signature]`. Cheap to clone.
#[derive(Clone)]
pub struct SupernodeRecord(Arc<Shared>);

struct Shared {
    word: Word,
    /// Where it stands in the key space.
    place: Key,
    mark: u32,
    /// Its encoding, once its signature was found right.
    right: OnceLock<Box<[u8]>>,
}

#[derive(Debug, PartialEq, Eq, Encode, Decode)]
struct Word {
    #[n(0)]
    body: SupernodeBody,
    #[n(1)]
    signature: Signature,
}

/// The signed part.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct SupernodeBody {
    #[n(0)]
    version: u8,
    /// Its network.
    #[n(1)]
    pub network: Network,
    /// Its node key: the key of its end of every link.
    #[n(2)]
    pub node: LinkKey,
    /// Where it accepts links: QUIC over UDP, and TLS over TCP at the same port number.
    #[n(3)]
    pub address: SocketAddr,
    /// Where its relay serves TURN and STUN over UDP.
    #[n(4)]
    pub relay: Option<SocketAddr>,
    /// What it does.
    #[n(5)]
    pub offers: Offers,
    /// When it said so; the newest record counts.
    #[cbor(n(6), with = "wire::unix_time")]
    pub issued: UnixTime,
    /// Until when it counts.
    #[cbor(n(7), with = "wire::unix_time")]
    pub not_after: UnixTime,
    /// Another TCP port where it accepts links.
    #[n(8)]
    pub tcp: Option<u16>,
    /// The certificate of its relay, when that serves TURN over TCP and TLS where links are accepted over TCP.
    #[n(9)]
    pub certificate: Option<CertificateHash>,
}

/// The SHA-256 of a TLS certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct CertificateHash(#[cbor(n(0), with = "minicbor::bytes")] [u8; 32]);

impl CertificateHash {
    /// Of these bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub const fn bytes(&self) -> [u8; 32] {
        self.0
    }

    /// Whether it is the hash of this certificate (DER).
    pub fn is_of(&self, certificate: &[u8]) -> bool {
        Sha256::digest(certificate).as_slice() == self.0.as_slice()
    }
}

/// What a supernode does, as a set of bits; unknown bits are ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct Offers(#[n(0)] u8);

impl Offers {
    /// Holds claims and introduction records.
    pub const DIRECTORY: Self = Self(1);
    /// Passes envelopes on to leaves.
    pub const INTRODUCER: Self = Self(2);
    /// Relays media.
    pub const RELAY: Self = Self(4);
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// All of it.
    pub const ALL: Self = Self(7);

    /// Both sets together.
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is not in `other`.
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether everything in `other` is offered.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl SupernodeRecord {
    /// Signs a record for `lifetime` from `now`.
    pub fn sign(
        secret: &LinkSecret,
        network: Network,
        address: SocketAddr,
        relay: Option<SocketAddr>,
        tcp: Option<u16>,
        now: UnixTime,
        lifetime: Duration,
    ) -> Self {
        let offers = Offers::DIRECTORY.and(Offers::INTRODUCER);
        let offers = if relay.is_some() { offers.and(Offers::RELAY) } else { offers };
        let body = SupernodeBody {
            version: VERSION,
            network,
            node: secret.public_key(),
            address,
            relay,
            offers,
            issued: now,
            not_after: now.saturating_add(lifetime.min(MAX_LIFETIME)),
            tcp,
            certificate: None,
        };
        Self::signed(body, secret)
    }

    fn signed(body: SupernodeBody, secret: &LinkSecret) -> Self {
        let signature = secret.sign(Domain::Supernode, &wire::to_bytes(&body));
        Self::of(Word { body, signature })
    }

    fn of(word: Word) -> Self {
        let place = Key::of_node(&word.body.node);
        let mark = mark_of(&word.body);
        Self(Arc::new(Shared { word, place, mark, right: OnceLock::new() }))
    }

    fn body(&self) -> &SupernodeBody {
        &self.0.word.body
    }

    /// The same record of a supernode that does `offers` only.
    pub fn offering(self, offers: Offers, secret: &LinkSecret) -> Self {
        if self.body().offers == offers {
            return self;
        }
        Self::signed(SupernodeBody { offers, ..self.body().clone() }, secret)
    }

    /// The same record of a supernode whose relay serves TLS with this certificate.
    pub fn certified(self, certificate: Option<CertificateHash>, secret: &LinkSecret) -> Self {
        if self.body().certificate == certificate {
            return self;
        }
        Self::signed(SupernodeBody { certificate, ..self.body().clone() }, secret)
    }

    /// Whether to believe it.
    pub fn verify(&self, network: Network, now: UnixTime) -> Result<(), RecordError> {
        let body = self.body();
        if body.version != VERSION {
            return Err(RecordError::Version);
        }
        if body.network != network {
            return Err(RecordError::Network);
        }
        check_dates(now, body.issued, body.not_after, MAX_LIFETIME)?;
        let addresses = std::iter::once(body.address).chain(body.relay);
        for address in addresses {
            if address.port() == 0 || (network == Network::Main && !is_public(address.ip())) {
                return Err(RecordError::Address);
            }
        }
        if body.tcp == Some(0) {
            return Err(RecordError::Address);
        }
        if self.0.right.get().is_some() {
            return Ok(());
        }
        body.node
            .verify(Domain::Supernode, &wire::to_bytes(body), &self.0.word.signature)
            .map_err(|_| RecordError::Signature)?;
        self.0.right.get_or_init(|| wire::to_bytes(&self.0.word).into());
        shared::remember(self);
        Ok(())
    }

    /// Four bytes that stand for this version of the record.
    pub fn mark(&self) -> u32 {
        self.0.mark
    }

    /// Where its supernode stands in the key space.
    pub(crate) fn place(&self) -> Key {
        self.0.place
    }

    /// Its node key.
    pub fn node(&self) -> LinkKey {
        self.body().node
    }

    /// Where it accepts links.
    pub fn address(&self) -> SocketAddr {
        self.body().address
    }

    /// Another TCP port where it accepts links.
    pub fn tcp(&self) -> Option<u16> {
        self.body().tcp
    }

    /// Whether it does all of this.
    pub fn offers(&self, offers: Offers) -> bool {
        self.body().offers.contains(offers)
    }

    /// Its relay.
    pub fn relay(&self) -> Option<SocketAddr> {
        self.body().relay.filter(|_| self.body().offers.contains(Offers::RELAY))
    }

    /// Where its relay serves TURN over TCP and over TLS, and the certificate it shows there.
    pub fn relay_streams(&self) -> Option<(SocketAddr, CertificateHash)> {
        self.relay()?;
        let SupernodeBody { address, tcp, certificate, .. } = self.body();
        Some((SocketAddr::new(address.ip(), tcp.unwrap_or(address.port())), (*certificate)?))
    }

    /// When it was issued.
    pub fn issued(&self) -> UnixTime {
        self.body().issued
    }

    /// Until when it counts.
    pub fn not_after(&self) -> UnixTime {
        self.body().not_after
    }
}

/// The very encoding of one that is shared; of any other, what its parts say.
impl<C> Encode<C> for SupernodeRecord {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        ctx: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        match self.0.right.get() {
            Some(bytes) => e.writer_mut().write_all(bytes).map_err(encode::Error::write),
            None => self.0.word.encode(e, ctx),
        }
    }
}

impl<'b, C> Decode<'b, C> for SupernodeRecord {
    fn decode(d: &mut Decoder<'b>, ctx: &mut C) -> Result<Self, decode::Error> {
        if let Some((shared, end)) = shared::find(d.input().get(d.position()..).unwrap_or_default()) {
            d.set_position(d.position() + end);
            return Ok(shared);
        }
        Word::decode(d, ctx).map(Self::of)
    }
}

impl PartialEq for SupernodeRecord {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.word == other.0.word
    }
}

impl Eq for SupernodeRecord {}

impl fmt::Debug for SupernodeRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.word.fmt(f)
    }
}

fn mark_of(body: &SupernodeBody) -> u32 {
    let hash = Sha256::new_with_prefix("silbo mark 1")
        .chain_update(body.node.bytes())
        .chain_update(body.issued.as_millis().to_be_bytes())
        .finalize();
    u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]])
}
