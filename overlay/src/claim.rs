//! A claim: "this name is mine", signed, with dates and, once its claimant has worked for it, a proof of that.
//!
//! ```text
//!   provisional ─the work is done: signed anew with the proof─▶ proven ─renewed with the same proof─▶ proven ...
//!     lasts PROVISIONAL_LIFETIME from its date, no renewal        lasts CLAIM_LIFETIME from each signing
//! ```
//! The first valid claim a holder sees wins there, except that a proven claim replaces a provisional one; otherwise
//! holders never arbitrate between keys. Readers verify every claim themselves, take the union of all answers and show
//! all of it, proven claims first. The claim's age is the claimant's word and orders what is shown only among claims
//! confirmed by equally many holders; another age costs another proof.

use std::{cmp::Reverse, collections::BTreeMap, time::Duration};

use minicbor::{Decode, Encode};
use relay::UnixTime;

use crate::{
    config::Network,
    identity::{Domain, Identity, PublicKey, Signature},
    outcome::FoundClaim,
    record::{CLOCK_TOLERANCE, RecordError},
    username::Username,
    wire,
    work::{Proof, Puzzle},
};

const VERSION: u8 = 2;

/// How long a proven claim lasts unless renewed.
pub const CLAIM_LIFETIME: Duration = Duration::from_secs(35 * 24 * 3600);

/// How long a claim without proof lasts from its date on: long enough for the work on a slow machine.
pub const PROVISIONAL_LIFETIME: Duration = Duration::from_secs(15 * 60);

/// What a claim is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Its claimant has not worked for it yet.
    Provisional,
    /// It carries a proof of work.
    Proven,
}

/// A signed claim to a username: `[body, signature]`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Claim {
    #[n(0)]
    body: ClaimBody,
    #[n(1)]
    signature: Signature,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
struct ClaimBody {
    #[n(0)]
    version: u8,
    #[n(1)]
    network: Network,
    #[n(2)]
    name: Username,
    #[n(3)]
    identity: PublicKey,
    #[cbor(n(4), with = "wire::unix_time")]
    claimed_at: UnixTime,
    #[n(5)]
    seq: u64,
    #[cbor(n(6), with = "wire::unix_time")]
    not_after: UnixTime,
    #[n(7)]
    proof: Option<Proof>,
}

impl Claim {
    /// Claims `name` from `claimed_at` on; `seq` must exceed that of every earlier claim of this key to this name.
    /// Without a proof it is provisional.
    pub fn sign(
        identity: &Identity,
        network: Network,
        name: Username,
        claimed_at: UnixTime,
        proof: Option<Proof>,
        seq: u64,
        now: UnixTime,
    ) -> Self {
        let not_after = match proof {
            Some(_) => now.saturating_add(CLAIM_LIFETIME),
            None => claimed_at.saturating_add(PROVISIONAL_LIFETIME),
        };
        let body = ClaimBody {
            version: VERSION,
            network,
            name,
            identity: identity.public_key(),
            claimed_at,
            seq,
            not_after,
            proof,
        };
        let signature = identity.sign(Domain::Claim, &wire::to_bytes(&body));
        Self { body, signature }
    }

    /// Whether to believe it, as far as that is cheap: of the proof only the seal is looked at.
    /// The rest is [`Claim::verify_work`].
    pub fn verify(&self, network: Network, now: UnixTime) -> Result<(), RecordError> {
        if self.body.version != VERSION {
            return Err(RecordError::Version);
        }
        if self.body.network != network {
            return Err(RecordError::Network);
        }
        if self.body.not_after <= now {
            return Err(RecordError::Expired);
        }
        let tomorrow = now.saturating_add(CLOCK_TOLERANCE);
        if self.body.claimed_at > tomorrow
            || self.body.not_after > tomorrow.saturating_add(CLAIM_LIFETIME)
            || self.body.not_after < self.body.claimed_at
            || (self.standing() == Standing::Provisional
                && self.body.not_after > self.body.claimed_at.saturating_add(PROVISIONAL_LIFETIME))
        {
            return Err(RecordError::Dates);
        }
        self.body
            .identity
            .verify(Domain::Claim, &wire::to_bytes(&self.body), &self.signature)
            .map_err(|_| RecordError::Signature)?;
        match &self.body.proof {
            Some(proof) if !self.puzzle().is_sealed(proof) => Err(RecordError::Work),
            Some(_) | None => Ok(()),
        }
    }

    /// Whether the work was done; a provisional claim says nothing about that. Costs milliseconds and at most
    /// [`MAX_MEMORY_KIB`](crate::work::MAX_MEMORY_KIB).
    pub fn verify_work(&self) -> Result<(), RecordError> {
        match &self.body.proof {
            Some(proof) if !self.puzzle().is_solved(proof) => Err(RecordError::Work),
            Some(_) | None => Ok(()),
        }
    }

    /// What it is worth.
    pub fn standing(&self) -> Standing {
        if self.body.proof.is_some() { Standing::Proven } else { Standing::Provisional }
    }

    /// The proof of work: good for every renewal.
    pub fn proof(&self) -> Option<Proof> {
        self.body.proof
    }

    /// Names the work behind a proven claim: equal for all its renewals, different for all else.
    pub(crate) fn work_id(&self) -> Option<[u8; 32]> {
        self.body.proof.map(|proof| self.puzzle().work_id(&proof))
    }

    fn puzzle(&self) -> Puzzle {
        Puzzle::of(self.body.network, &self.body.name, self.body.identity, self.body.claimed_at)
    }

    /// The name.
    pub fn name(&self) -> &Username {
        &self.body.name
    }

    /// Whose.
    pub fn identity(&self) -> PublicKey {
        self.body.identity
    }

    /// Since when, as the claimant says.
    pub fn claimed_at(&self) -> UnixTime {
        self.body.claimed_at
    }

    /// Grows with every renewal.
    pub fn seq(&self) -> u64 {
        self.body.seq
    }

    /// Until when it lasts.
    pub fn not_after(&self) -> UnixTime {
        self.body.not_after
    }
}

/// The union of what holders answered: per key the newest claim and how many hold one.
#[derive(Debug, Clone, Default)]
pub struct Union {
    by_key: BTreeMap<PublicKey, (Claim, usize)>,
}

impl Union {
    /// Adds one holder's verified claims; several of one key count as one.
    pub fn add(&mut self, answer: impl IntoIterator<Item = Claim>) {
        let mut newest: BTreeMap<PublicKey, Claim> = BTreeMap::new();
        for claim in answer {
            match newest.get(&claim.identity()) {
                Some(held) if held.seq() >= claim.seq() => {}
                Some(_) | None => {
                    newest.insert(claim.identity(), claim);
                }
            }
        }
        for (key, claim) in newest {
            let (held, holders) = self.by_key.entry(key).or_insert_with(|| (claim.clone(), 0));
            *holders += 1;
            if claim.seq() > held.seq() {
                *held = claim;
            }
        }
    }

    /// Whether nobody's claim was found.
    pub fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }

    /// All claims found: proven ones first, then most holders, then the older claim, then the smaller key.
    pub fn ordered(&self) -> Vec<FoundClaim> {
        let mut found: Vec<FoundClaim> = self
            .by_key
            .iter()
            .map(|(key, (claim, holders))| FoundClaim {
                key: *key,
                holders: *holders,
                claimed_at: claim.claimed_at(),
                standing: claim.standing(),
            })
            .collect();
        found.sort_by_key(|claim| (Reverse((claim.standing, claim.holders)), claim.claimed_at, claim.key));
        found
    }

    /// The newest claim of one key.
    pub fn of(&self, key: &PublicKey) -> Option<&Claim> {
        self.by_key.get(key).map(|(claim, _)| claim)
    }
}

#[cfg(test)]
impl Claim {
    /// A claim in the lab, worked for at once.
    pub(crate) fn proven(
        identity: &Identity,
        name: Username,
        claimed_at: UnixTime,
        seq: u64,
        now: UnixTime,
    ) -> Self {
        let mut search = Puzzle::of(Network::Lab, &name, identity.public_key(), claimed_at).begin();
        let proof = std::iter::repeat_with(|| search.step()).flatten().next();
        Self::sign(identity, Network::Lab, name, claimed_at, proof, seq, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

    fn ada() -> Username {
        Username::parse("ada").unwrap()
    }

    fn claim(secret: u8, claimed_at: UnixTime, seq: u64) -> Claim {
        Claim::proven(&Identity::from_secret([secret; 32]), ada(), claimed_at, seq, NOW)
    }

    fn provisional(secret: u8, claimed_at: UnixTime, now: UnixTime) -> Claim {
        Claim::sign(&Identity::from_secret([secret; 32]), Network::Lab, ada(), claimed_at, None, 1, now)
    }

    #[test]
    fn a_provisional_claim_ends_with_its_quarter_of_an_hour_however_often_it_is_signed() {
        let claim = provisional(1, NOW, NOW);
        assert_eq!((claim.verify(Network::Lab, NOW), claim.standing()), (Ok(()), Standing::Provisional));
        let later = NOW.saturating_add(PROVISIONAL_LIFETIME);
        assert_eq!(provisional(1, NOW, later).verify(Network::Lab, later), Err(RecordError::Expired));
        // The lease of a proven claim, without the proof.
        let mut greedy = claim_body(&self::claim(1, NOW, 1));
        greedy.proof = None;
        assert_eq!(signed(greedy).verify(Network::Lab, NOW), Err(RecordError::Dates));
    }

    #[test]
    fn a_proof_serves_every_renewal_and_no_other_date() {
        let first = claim(1, NOW, 1);
        let later = NOW.saturating_add(CLAIM_LIFETIME / 2);
        let (me, proof) = (Identity::from_secret([1; 32]), first.proof());
        let renewal = Claim::sign(&me, Network::Lab, ada(), NOW, proof, 2, later);
        assert_eq!((renewal.verify(Network::Lab, later), renewal.verify_work()), (Ok(()), Ok(())));
        assert_eq!(renewal.work_id(), first.work_id());
        let earlier = NOW.saturating_sub(CLAIM_LIFETIME);
        let backdated = Claim::sign(&me, Network::Lab, ada(), earlier, proof, 2, NOW);
        assert_eq!(backdated.verify_work(), Err(RecordError::Work));
        assert_ne!(backdated.work_id(), first.work_id());
    }

    #[test]
    fn without_its_seal_a_proof_is_refused_before_anybody_works_it_out() {
        let lab = claim(1, NOW, 1);
        let (me, name) = (Identity::from_secret([1; 32]), Username::parse("lovelace").unwrap());
        let unsealed = Claim::sign(&me, Network::Main, name, NOW, lab.proof(), 1, NOW);
        assert_eq!(unsealed.verify(Network::Main, NOW), Err(RecordError::Work));
    }

    #[test]
    fn whoever_worked_comes_before_whoever_only_has_more_holders() {
        let mut union = Union::default();
        union.add([provisional(1, NOW.saturating_sub(PROVISIONAL_LIFETIME / 2), NOW)]);
        union.add([provisional(1, NOW.saturating_sub(PROVISIONAL_LIFETIME / 2), NOW)]);
        union.add([claim(2, NOW, 1)]);
        let found: Vec<_> = union.ordered().into_iter().map(|c| (c.standing, c.holders)).collect();
        assert_eq!(found, [(Standing::Proven, 1), (Standing::Provisional, 2)]);
    }

    fn claim_body(claim: &Claim) -> ClaimBody {
        claim.body.clone()
    }

    fn signed(body: ClaimBody) -> Claim {
        let signature = Identity::from_secret([1; 32]).sign(Domain::Claim, &wire::to_bytes(&body));
        Claim { body, signature }
    }

    #[test]
    fn a_claim_is_believed_in_its_network_and_time_only() {
        let claim = claim(1, NOW, 1);
        assert_eq!(claim.verify(Network::Lab, NOW), Ok(()));
        assert_eq!(claim.verify(Network::Main, NOW), Err(RecordError::Network));
        assert_eq!(claim.verify(Network::Lab, NOW.saturating_add(CLAIM_LIFETIME)), Err(RecordError::Expired));
        assert_eq!(
            claim.verify(Network::Lab, NOW.saturating_sub(CLOCK_TOLERANCE * 2)),
            Err(RecordError::Dates)
        );
    }

    #[test]
    fn no_bent_bit_is_believed() {
        let bytes = wire::to_bytes(&claim(1, NOW, 1));
        for bit in 0..bytes.len() * 8 {
            let mut bent = bytes.clone();
            bent[bit / 8] ^= 1 << (bit % 8);
            if let Ok(claim) = wire::from_bytes::<Claim>(&bent) {
                assert!(claim.verify(Network::Lab, NOW).is_err(), "bit {bit}");
            }
        }
    }

    #[test]
    fn a_name_in_another_form_is_no_claim() {
        let bytes = wire::to_bytes(&claim(1, NOW, 1));
        let at = bytes.windows(3).position(|window| window == b"ada").unwrap();
        let mut upper = bytes.clone();
        upper[at] = b'A';
        assert!(wire::from_bytes::<Claim>(&upper).is_err());
    }

    #[test]
    fn the_union_shows_everybody_most_holders_first_then_the_older_then_the_smaller_key() {
        let (early, late) = (NOW.saturating_sub(Duration::from_secs(9)), NOW);
        let mut union = Union::default();
        union.add([claim(1, late, 1), claim(2, early, 1)]);
        union.add([claim(3, late, 1), claim(1, late, 1), claim(1, late, 2)]);
        let found: Vec<_> = union.ordered().into_iter().map(|c| (c.key, c.holders)).collect();
        let key = |secret| Identity::from_secret([secret; 32]).public_key();
        assert_eq!(found, [(key(1), 2), (key(2), 1), (key(3), 1)]);
        assert_eq!(union.of(&key(1)).unwrap().seq(), 2);
    }
}
