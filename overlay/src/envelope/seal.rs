//! Sealing and opening.

use std::time::Duration;

use minicbor::{Decode, Encode};
use rand::{Rng as _, RngExt as _, SeedableRng as _, rngs::StdRng};
use relay::UnixTime;
use snow::{
    Builder,
    params::{CipherChoice, DHChoice, HashChoice, NoiseParams},
    resolvers::{CryptoResolver, DefaultResolver},
    types::{Cipher, Dh, Hash, Random},
};

use super::{ENVELOPE_SIZE, MAX_PAYLOAD};
use crate::{
    config::Network,
    directory::letters::KEPT_FOR,
    identity::{Domain, Identity, PublicKey, Signature},
    record::{CLOCK_TOLERANCE, EnvelopeKey, Introducer, MAX_INTRODUCERS, SealingKeys, Seen},
    wire::{self, Bounded},
};

const PATTERN: &str = "Noise_IK_25519_ChaChaPoly_BLAKE2s";
const VERSION: u8 = 1;

/// Ephemeral key, encrypted static key with tag, and the payload's tag.
const NOISE_OVERHEAD: usize = 32 + 48 + 16;
const PLAIN_SIZE: usize = ENVELOPE_SIZE - NOISE_OVERHEAD;

/// Of the letter, before it.
const LENGTH_SIZE: usize = 2;

/// How long a certificate of an X25519 key lasts; the key itself dies with the process.
const CERTIFICATE_LIFETIME: Duration = Duration::from_secs(24 * 3600);

/// Where an answer rings the sender is good for as long as it may ring.
const REPLY_LIFETIME: Duration = Duration::from_secs(60);

/// A letter key serves this long; letters sealed to one reach their reader while two later ones do.
const LETTER_KEY_LIFETIME: Duration = Duration::from_secs(7 * 24 * 3600);
const LETTER_KEYS: u64 = 3;

/// Seals for others and opens what was sealed for us.
pub struct Sealer {
    network: Network,
    identity: Identity,
    secret: [u8; 32],
    public: EnvelopeKey,
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sealer").field("public", &self.public).finish_non_exhaustive()
    }
}

/// An opened envelope whose sender is proven.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// Who sent it.
    pub from: PublicKey,
    /// Its name among the sender's envelopes.
    pub id: [u8; 16],
    /// When, by the sender's clock.
    pub sent: UnixTime,
    /// What the application put in.
    pub payload: Vec<u8>,
    /// Where an answer rings the sender.
    pub reply: Option<Seen>,
}

/// What makes a letter one letter, however often it is sealed: the reader opens one copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// Random.
    pub id: [u8; 16],
    /// When it was sent first.
    pub sent: UnixTime,
}

/// Why an envelope was dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Not the size of an envelope.
    #[error("not {ENVELOPE_SIZE} bytes")]
    Size,
    /// Not sealed to us, or tampered with.
    #[error("cannot be opened")]
    Sealed,
    /// Opened, but its content is no letter.
    #[error("malformed letter")]
    Malformed,
    /// Of a letter that waited: too old, or of the future.
    #[error("not of its time")]
    Time,
    /// The sender is not who it says.
    #[error("the sender's certificate is wrong")]
    Certificate,
}

#[derive(Encode, Decode)]
struct LetterBody {
    #[n(0)]
    version: u8,
    #[n(1)]
    from: PublicKey,
    #[n(2)]
    certificate: Certificate,
    #[cbor(n(3), with = "minicbor::bytes")]
    id: [u8; 16],
    #[cbor(n(4), with = "wire::unix_time")]
    sent: UnixTime,
    #[cbor(n(5), with = "minicbor::bytes")]
    payload: Vec<u8>,
    #[n(6)]
    reply: Option<Bounded<Introducer, MAX_INTRODUCERS>>,
}

#[derive(Encode, Decode)]
struct Certificate {
    #[cbor(n(0), with = "wire::unix_time")]
    not_after: UnixTime,
    #[n(1)]
    signature: Signature,
}

impl Sealer {
    /// Makes a fresh X25519 key for `identity`.
    pub fn new(network: Network, identity: Identity, rng: &mut StdRng) -> Self {
        let mut secret = [0; 32];
        rng.fill_bytes(&mut secret);
        let public = x25519_dalek::PublicKey::from(&x25519_dalek::StaticSecret::from(secret));
        Self { network, identity, secret, public: EnvelopeKey::from_bytes(public.to_bytes()) }
    }

    /// The key others seal to.
    pub fn envelope_key(&self) -> EnvelopeKey {
        self.public
    }

    /// Both keys others seal to: that of envelopes, and the one of this week for letters, which only the identity's secret
    /// leads to.
    pub fn keys(&self, now: UnixTime) -> SealingKeys {
        let secret = self.letter_secret(now.as_secs() / LETTER_KEY_LIFETIME.as_secs());
        let public = x25519_dalek::PublicKey::from(&x25519_dalek::StaticSecret::from(secret));
        SealingKeys { envelopes: self.public, letters: EnvelopeKey::from_bytes(public.to_bytes()) }
    }

    fn letter_secret(&self, week: u64) -> [u8; 32] {
        let about = [self.network.as_str().as_bytes(), &[0], &week.to_be_bytes()].concat();
        self.identity.derive("silbo letter key 1", &about)
    }

    /// Seals `payload`, and as much of `reply` (whom an answer is given to) as there is room for; `None` when the payload is
    /// longer than [`MAX_PAYLOAD`].
    pub fn seal(
        &self,
        now: UnixTime,
        stamp: Stamp,
        to: &PublicKey,
        key: &EnvelopeKey,
        (payload, reply): (&[u8], &[Introducer]),
        rng: &mut StdRng,
    ) -> Option<Vec<u8>> {
        let letter = self.plain_letter(now, stamp, payload, reply)?;
        self.seal_plain(to, key, &letter, rng)
    }

    /// What goes into an envelope: the letter with its length before it.
    pub(crate) fn plain_letter(
        &self,
        now: UnixTime,
        stamp: Stamp,
        payload: &[u8],
        reply: &[Introducer],
    ) -> Option<Vec<u8>> {
        if payload.len() > MAX_PAYLOAD {
            return None;
        }
        let not_after = now.saturating_add(CERTIFICATE_LIFETIME);
        let mut body = LetterBody {
            version: VERSION,
            from: self.identity.public_key(),
            certificate: Certificate {
                not_after,
                signature: self.identity.sign(Domain::EnvelopeKey, &certified(&self.public, not_after)),
            },
            id: stamp.id,
            sent: stamp.sent,
            payload: payload.to_vec(),
            reply: None,
        };
        let mut letter = wire::to_bytes(&body);
        for most in (1..=reply.len().min(MAX_INTRODUCERS)).rev() {
            body.reply = reply.get(..most).map(|reply| Bounded::take(reply.to_vec()));
            let longer = wire::to_bytes(&body);
            if longer.len() + LENGTH_SIZE <= PLAIN_SIZE {
                letter = longer;
                break;
            }
        }
        let length = u16::try_from(letter.len()).ok()?;
        Some([length.to_be_bytes().as_slice(), &letter].concat())
    }

    /// Fills `letter` up to the one size and seals it; `None` when it is longer than that.
    pub(crate) fn seal_plain(
        &self,
        to: &PublicKey,
        key: &EnvelopeKey,
        letter: &[u8],
        rng: &mut StdRng,
    ) -> Option<Vec<u8>> {
        let mut plain = vec![0; PLAIN_SIZE];
        plain.get_mut(..letter.len())?.copy_from_slice(letter);

        let prologue = prologue(self.network, to);
        let mut noise = builder(&prologue, rng.random())?
            .local_private_key(&self.secret)
            .and_then(|b| b.remote_public_key(key.bytes()))
            .and_then(Builder::build_initiator)
            .ok()?;
        let mut sealed = vec![0; ENVELOPE_SIZE];
        let written = noise.write_message(&plain, &mut sealed).ok()?;
        (written == ENVELOPE_SIZE).then_some(sealed)
    }

    /// Opens an envelope and proves its sender. Whether it was seen before is the [`ReplaySet`](super::ReplaySet)'s
    /// business.
    pub fn open(&self, now: UnixTime, sealed: &[u8]) -> Result<Letter, OpenError> {
        let (body, key) = self.unseal(&self.secret, sealed)?;
        let mut letter = proven(body, &key, now)?;
        if let Some(reply) = &letter.reply
            && !reply.introducers.iter().all(|introducer| introducer.is_reachable(self.network))
        {
            letter.reply = None;
        }
        Ok(letter)
    }

    /// Opens a letter that waited, whose sender had to prove itself when it was sealed, and that is no older than letters
    /// get.
    pub fn open_letter(&self, now: UnixTime, sealed: &[u8]) -> Result<Letter, OpenError> {
        let week = now.as_secs() / LETTER_KEY_LIFETIME.as_secs();
        let mut weeks = (0..LETTER_KEYS).filter_map(|ago| week.checked_sub(ago));
        let opened = weeks.find_map(|week| match self.unseal(&self.letter_secret(week), sealed) {
            Err(OpenError::Sealed) => None,
            opened => Some(opened),
        });
        let (body, key) = opened.unwrap_or(Err(OpenError::Sealed))?;
        let sent = body.sent;
        let too_old = sent.saturating_add(KEPT_FOR + CLOCK_TOLERANCE) <= now;
        if too_old || sent > now.saturating_add(CLOCK_TOLERANCE) {
            return Err(OpenError::Time);
        }
        // Who left it is not waiting for an answer.
        Ok(Letter { reply: None, ..proven(body, &key, sent)? })
    }

    fn unseal(&self, secret: &[u8; 32], sealed: &[u8]) -> Result<(LetterBody, EnvelopeKey), OpenError> {
        if sealed.len() != ENVELOPE_SIZE {
            return Err(OpenError::Size);
        }
        let prologue = prologue(self.network, &self.identity.public_key());
        // A responder that only reads the first message draws no randomness.
        let responder = builder(&prologue, [0; 32])
            .and_then(|builder| builder.local_private_key(secret).and_then(Builder::build_responder).ok());
        let mut noise = responder.ok_or(OpenError::Sealed)?;
        let mut plain = vec![0; ENVELOPE_SIZE];
        let read = noise.read_message(sealed, &mut plain).map_err(|_| OpenError::Sealed)?;
        let body: LetterBody = letter(plain.get(..read).unwrap_or_default()).ok_or(OpenError::Malformed)?;
        if body.version != VERSION || body.payload.len() > MAX_PAYLOAD {
            return Err(OpenError::Malformed);
        }
        let remote = noise.get_remote_static().and_then(|key| <[u8; 32]>::try_from(key).ok());
        Ok((body, EnvelopeKey::from_bytes(remote.ok_or(OpenError::Sealed)?)))
    }
}

/// The letter, if its sender certified the key it was sealed with, and that certificate held at `at`.
fn proven(body: LetterBody, key: &EnvelopeKey, at: UnixTime) -> Result<Letter, OpenError> {
    let Certificate { not_after, signature } = body.certificate;
    if not_after <= at {
        return Err(OpenError::Certificate);
    }
    body.from
        .verify(Domain::EnvelopeKey, &certified(key, not_after), &signature)
        .map_err(|_| OpenError::Certificate)?;
    let LetterBody { from, id, sent, payload, reply, .. } = body;
    let reply = reply.map(|reply| Seen {
        at: sent,
        not_after: sent.saturating_add(REPLY_LIFETIME),
        envelope_key: *key,
        introducers: reply.into_vec(),
    });
    Ok(Letter { from, id, sent, payload, reply })
}

fn letter(plain: &[u8]) -> Option<LetterBody> {
    let (length, rest) = plain.split_first_chunk::<LENGTH_SIZE>()?;
    let body = rest.get(..usize::from(u16::from_be_bytes(*length)))?;
    wire::from_bytes(body).ok()
}

fn certified(key: &EnvelopeKey, not_after: UnixTime) -> Vec<u8> {
    [key.bytes().as_slice(), &not_after.as_millis().to_be_bytes()].concat()
}

fn prologue(network: Network, to: &PublicKey) -> Vec<u8> {
    [b"silbo envelope 1".as_slice(), network.as_str().as_bytes(), to.bytes()].concat()
}

fn builder(prologue: &[u8], seed: [u8; 32]) -> Option<Builder<'_>> {
    let params: NoiseParams = PATTERN.parse().ok()?;
    Builder::with_resolver(params, Box::new(Seeded(seed))).prologue(prologue).ok()
}

/// The default primitives with randomness from a seed: the core asks nobody for randomness.
struct Seeded([u8; 32]);

impl CryptoResolver for Seeded {
    fn resolve_rng(&self) -> Option<Box<dyn Random>> {
        Some(Box::new(SeededRandom(StdRng::from_seed(self.0))))
    }

    fn resolve_dh(&self, choice: &DHChoice) -> Option<Box<dyn Dh>> {
        DefaultResolver.resolve_dh(choice)
    }

    fn resolve_hash(&self, choice: &HashChoice) -> Option<Box<dyn Hash>> {
        DefaultResolver.resolve_hash(choice)
    }

    fn resolve_cipher(&self, choice: &CipherChoice) -> Option<Box<dyn Cipher>> {
        DefaultResolver.resolve_cipher(choice)
    }
}

struct SeededRandom(StdRng);

impl Random for SeededRandom {
    fn try_fill_bytes(&mut self, dest: &mut [u8]) -> Result<(), snow::Error> {
        self.0.fill_bytes(dest);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);
    const STAMP: Stamp = Stamp { id: [3; 16], sent: NOW };

    fn sealer(n: u8) -> (Sealer, StdRng) {
        let mut rng = StdRng::from_seed([n; 32]);
        (Sealer::new(Network::Lab, Identity::from_secret([n; 32]), &mut rng), rng)
    }

    fn key(n: u8) -> PublicKey {
        Identity::from_secret([n; 32]).public_key()
    }

    fn introducer(n: u8, address: &str) -> Introducer {
        Introducer {
            node: crate::identity::LinkSecret::from_secret([n; 32]).public_key(),
            address: address.parse().unwrap(),
            mailbox: crate::record::MailboxId::from_bytes([n; 32]),
        }
    }

    #[test]
    fn an_envelope_says_where_its_sender_is_answered_as_far_as_there_is_room() {
        let (ada, mut rng) = sealer(1);
        let (bob, _) = sealer(2);
        let homes = [1, 2, 3].map(|n| introducer(n, "[2001:db8::1]:443"));
        for (payload, most) in [(0, 3), (MAX_PAYLOAD - 300, 3), (MAX_PAYLOAD - 150, 1), (MAX_PAYLOAD, 0)] {
            let content = (&vec![7; payload][..], &homes[..]);
            let sealed = ada.seal(NOW, STAMP, &key(2), &bob.envelope_key(), content, &mut rng).unwrap();
            let letter = bob.open(NOW, &sealed).unwrap();
            assert_eq!(letter.payload.len(), payload);
            let told = letter.reply.as_ref().map_or(0, |reply| reply.introducers.len());
            assert_eq!(told, most, "beside {payload} bytes");
            assert!(letter.reply.is_none_or(|reply| reply.envelope_key == ada.envelope_key()));
        }
    }

    #[test]
    fn nobody_is_sent_to_an_address_within_their_own_network_for_an_answer() {
        let mut rng = StdRng::from_seed([9; 32]);
        let [ada, bob] = [1, 2].map(|n| Sealer::new(Network::Main, Identity::from_secret([n; 32]), &mut rng));
        for (address, told) in [("8.8.8.8:443", true), ("192.168.1.1:443", false), ("8.8.8.8:0", false)] {
            let homes = [introducer(1, address)];
            let sealed =
                ada.seal(NOW, STAMP, &key(2), &bob.envelope_key(), (b"x", &homes), &mut rng).unwrap();
            assert_eq!(bob.open(NOW, &sealed).unwrap().reply.is_some(), told, "{address}");
        }
    }

    #[test]
    fn an_envelope_reaches_its_reader_with_a_proven_sender() {
        let (ada, mut rng) = sealer(1);
        let (bob, _) = sealer(2);
        for payload in [vec![], vec![7; 10], vec![9; MAX_PAYLOAD]] {
            let sealed =
                ada.seal(NOW, STAMP, &key(2), &bob.envelope_key(), (&payload, &[]), &mut rng).unwrap();
            assert_eq!(sealed.len(), ENVELOPE_SIZE);
            let letter = bob.open(NOW, &sealed).unwrap();
            assert_eq!((letter.from, letter.sent, letter.payload), (key(1), NOW, payload));
        }
    }

    #[test]
    fn too_long_a_payload_is_not_sealed() {
        let (ada, mut rng) = sealer(1);
        let (bob, _) = sealer(2);
        assert!(
            ada.seal(NOW, STAMP, &key(2), &bob.envelope_key(), (&[0; MAX_PAYLOAD + 1], &[]), &mut rng)
                .is_none()
        );
    }

    #[test]
    fn envelopes_for_others_and_tampered_ones_stay_shut() {
        let (ada, mut rng) = sealer(1);
        let (bob, _) = sealer(2);
        let (eve, _) = sealer(3);
        let sealed = ada.seal(NOW, STAMP, &key(2), &bob.envelope_key(), (b"hello", &[]), &mut rng).unwrap();
        assert_eq!(eve.open(NOW, &sealed), Err(OpenError::Sealed));
        for at in [0, 31, 40, 79, 100, 600, ENVELOPE_SIZE - 1] {
            let mut bent = sealed.clone();
            bent[at] ^= 1;
            assert!(bob.open(NOW, &bent).is_err(), "byte {at}");
        }
        assert_eq!(bob.open(NOW, &sealed[1..]), Err(OpenError::Size));
        assert_eq!(bob.open(NOW, &[]), Err(OpenError::Size));
    }

    #[test]
    fn nobody_speaks_in_anothers_name() {
        let (bob, _) = sealer(2);
        let (mut eve, mut rng) = sealer(3);
        // Eve claims Ada's key but can only sign with her own.
        let honest = eve.identity.clone();
        eve.identity = Identity::from_secret([1; 32]);
        let forged = eve.seal(NOW, STAMP, &key(2), &bob.envelope_key(), (b"x", &[]), &mut rng).unwrap();
        // (With Ada's secret she could, of course: this is the control.)
        assert!(bob.open(NOW, &forged).is_ok());
        eve.identity = honest;
        let other_key = Sealer::new(Network::Lab, eve.identity.clone(), &mut rng);
        let certificate_for_other = Sealer { public: other_key.public, ..eve };
        let sealed = certificate_for_other
            .seal(NOW, STAMP, &key(2), &bob.envelope_key(), (b"x", &[]), &mut rng)
            .unwrap();
        assert_eq!(bob.open(NOW, &sealed), Err(OpenError::Certificate));
    }

    #[test]
    fn a_certificate_expires() {
        let (ada, mut rng) = sealer(1);
        let (bob, _) = sealer(2);
        let sealed = ada.seal(NOW, STAMP, &key(2), &bob.envelope_key(), (b"x", &[]), &mut rng).unwrap();
        let later = NOW.saturating_add(CERTIFICATE_LIFETIME);
        assert_eq!(bob.open(later, &sealed), Err(OpenError::Certificate));
    }

    #[test]
    fn random_bytes_are_no_envelope() {
        let (bob, mut rng) = sealer(2);
        for _ in 0..50 {
            let mut bytes = vec![0; ENVELOPE_SIZE];
            rng.fill_bytes(&mut bytes);
            assert_eq!(bob.open(NOW, &bytes), Err(OpenError::Sealed));
        }
    }

    #[test]
    fn a_letter_is_opened_after_a_restart_and_for_as_long_as_it_may_wait() {
        let day = Duration::from_secs(24 * 3600);
        let (ada, mut rng) = sealer(1);
        for signed in 0..8 {
            let signed = NOW.saturating_add(day * signed);
            let (bob, _) = sealer(2);
            let written = signed.saturating_add(day * 7);
            let stamp = Stamp { id: [3; 16], sent: written };
            let key = bob.keys(signed).letters;
            let sealed = ada.seal(written, stamp, &self::key(2), &key, (b"called", &[]), &mut rng).unwrap();
            assert_eq!(bob.open(written, &sealed), Err(OpenError::Sealed), "another key than the process's");
            let again = Sealer::new(Network::Lab, Identity::from_secret([2; 32]), &mut rng);
            let letter = again.open_letter(written.saturating_add(day * 7), &sealed).unwrap();
            assert_eq!(
                (letter.from, letter.sent, letter.payload),
                (self::key(1), written, b"called".to_vec())
            );
            let late = written.saturating_add(day * 8);
            assert!(matches!(again.open_letter(late, &sealed), Err(OpenError::Time | OpenError::Sealed)));
            assert_eq!(again.open_letter(written.saturating_sub(day), &sealed), Err(OpenError::Time));
            assert_eq!(ada.open_letter(written, &sealed), Err(OpenError::Sealed));
        }
    }
}
