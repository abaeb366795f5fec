//! A claim: "this name is mine", signed, with dates and, once its claimant has worked for it, a proof of that.
//!
//! ```text
//!   provisional ─the work is done: signed anew with the proof─▶ proven ─renewed with the same proof─▶ proven ...
//!     lasts PROVISIONAL_LIFETIME from its date, no renewal        lasts CLAIM_LIFETIME from each signing
//! ```
//! The first valid claim a holder sees wins there, except that a proven claim replaces a provisional one; otherwise
//! holders never arbitrate between keys. Readers verify every claim themselves, take the union of all answers and show
//! all of it in the order of [`rank`]. `claimed_at` is the claimant's word and decides nothing; another date costs
//! another proof. What counts as age is what holders signed: see [`Receipt`].

mod rank;
mod receipt;
mod seen;
mod succession;
mod union;

use std::time::Duration;

use minicbor::{Decode, Encode};
use relay::UnixTime;

use crate::{
    config::Network,
    identity::{Domain, Identity, PublicKey, Signature},
    record::{CLOCK_TOLERANCE, RecordError},
    username::Username,
    verdicts::Verdicts,
    wire::{self, Bounded},
    work::{Proof, Puzzle},
};

pub(crate) use self::receipt::choose as choose_receipts;
pub use self::{
    rank::{Contender, Difference, RankReason, rank},
    receipt::{
        ClaimId, ESTABLISHED_AFTER, Evidence, MAX_RECEIPTS, RECEIPT_LIFETIME, RECEIPTS, Receipt, Subnet,
        Witnesses, receipts_needed,
    },
    seen::{Kept, MAX_SEEN, Seen, Sighting},
    succession::{Inheritance, MAX_SUCCESSIONS, RECOVERY_DELAY, RecoveryHash, Succession},
    union::Union,
};

const VERSION: u8 = 3;

/// Proofs of work found right lately.
static WORKED: Verdicts = Verdicts::new(1_024);

/// How long a proven claim lasts unless renewed.
pub const CLAIM_LIFETIME: Duration = Duration::from_secs(35 * 24 * 3600);

/// How long a claim without proof lasts from its date on: long enough for the work on a slow machine.
pub const PROVISIONAL_LIFETIME: Duration = Duration::from_secs(15 * 60);

/// For this long after a proven claim expired, nobody but its key may take the name.
pub const QUARANTINE: Duration = Duration::from_secs(60 * 24 * 3600);

/// What a claim is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// It came by the recovery key, and the old key may still object.
    Pending,
    /// Its claimant has not worked for it yet.
    Provisional,
    /// It carries a proof of work.
    Proven,
    /// And enough independent holders have held it for a week: [`Evidence::standing`].
    Established,
}

/// A signed claim to a username, and the receipt of the holder that gives it away: `[body, signature, ? receipt]`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Claim {
    #[n(0)]
    body: ClaimBody,
    #[n(1)]
    signature: Signature,
    #[n(2)]
    witness: Option<Receipt>,
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
    #[n(8)]
    receipts: Bounded<Receipt, MAX_RECEIPTS>,
    #[n(9)]
    successions: Bounded<Succession, MAX_SUCCESSIONS>,
    #[n(10)]
    recovery: Option<RecoveryHash>,
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
            receipts: Bounded::take([]),
            successions: Bounded::take([]),
            recovery: None,
        };
        Self::signed(identity, body)
    }

    fn signed(identity: &Identity, body: ClaimBody) -> Self {
        let signature = identity.sign(Domain::Claim, &wire::to_bytes(&body));
        Self { body, signature, witness: None }
    }

    /// The same claim, signed anew: its lease begins again.
    #[must_use]
    pub(crate) fn renewed(
        &self,
        identity: &Identity,
        seq: u64,
        receipts: impl IntoIterator<Item = Receipt>,
        recovery: Option<RecoveryHash>,
        now: UnixTime,
    ) -> Self {
        let not_after = now.saturating_add(CLAIM_LIFETIME);
        let receipts = Bounded::take(receipts);
        Self::signed(identity, ClaimBody { seq, not_after, receipts, recovery, ..self.body.clone() })
    }

    /// The same claim, carrying what holders said of it, the first [`MAX_RECEIPTS`] of it.
    #[must_use]
    pub fn with_receipts(self, identity: &Identity, receipts: impl IntoIterator<Item = Receipt>) -> Self {
        Self::signed(identity, ClaimBody { receipts: Bounded::take(receipts), ..self.body })
    }

    /// The claim of the key it is passed on to; nothing, when it was passed on too often.
    pub(crate) fn inherited(
        &self,
        heir: &Identity,
        succession: Succession,
        seq: u64,
        recovery: Option<RecoveryHash>,
        now: UnixTime,
    ) -> Option<Self> {
        let mut successions = self.body.successions.to_vec();
        successions.push(succession);
        if successions.len() > MAX_SUCCESSIONS {
            return None;
        }
        let body = ClaimBody {
            identity: heir.public_key(),
            seq,
            not_after: now.saturating_add(CLAIM_LIFETIME),
            successions: Bounded::take(successions),
            recovery,
            ..self.body.clone()
        };
        Some(Self::signed(heir, body))
    }

    /// The same claim, of a key that names its recovery key.
    #[must_use]
    pub(crate) fn with_recovery(self, identity: &Identity, recovery: Option<RecoveryHash>) -> Self {
        Self::signed(identity, ClaimBody { recovery, ..self.body })
    }

    /// The same claim as a holder keeps it and gives it away.
    #[must_use]
    pub(crate) fn witnessed(&self, witness: Option<Receipt>) -> Self {
        Self { witness, ..self.clone() }
    }

    /// Whether to believe it, as far as that is cheap: of the proof only the seal is looked at, of receipts nothing.
    /// The rest is [`Claim::verify_work`] and [`Evidence::of`].
    pub fn verify(&self, network: Network, now: UnixTime) -> Result<(), RecordError> {
        if self.body.not_after <= now {
            return Err(RecordError::Expired);
        }
        self.verify_kept(network, now)
    }

    /// Like [`Claim::verify`], also for a claim in quarantine.
    pub fn verify_kept(&self, network: Network, now: UnixTime) -> Result<(), RecordError> {
        if self.body.version != VERSION {
            return Err(RecordError::Version);
        }
        if self.body.network != network {
            return Err(RecordError::Network);
        }
        if self.free_from() <= now {
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
        if !self.is_inherited_in_order() {
            return Err(RecordError::Signature);
        }
        match &self.body.proof {
            Some(proof) if !self.puzzle().is_sealed(proof) => Err(RecordError::Work),
            Some(_) | None => Ok(()),
        }
    }

    /// Whether the work was done; a provisional claim says nothing about that. Costs milliseconds and at most
    /// [`MAX_MEMORY_KIB`](crate::work::MAX_MEMORY_KIB), once.
    pub fn verify_work(&self) -> Result<(), RecordError> {
        let Some(proof) = &self.body.proof else { return Ok(()) };
        let puzzle = self.puzzle();
        let solved = WORKED.right(puzzle.work_id(proof), || puzzle.is_solved(proof));
        if solved { Ok(()) } else { Err(RecordError::Work) }
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
        Puzzle::of(self.body.network, &self.body.name, self.root(), self.body.claimed_at)
    }

    /// The key that claimed the name first and worked for it.
    fn root(&self) -> PublicKey {
        self.body.successions.first().map_or(self.body.identity, Succession::from)
    }

    /// Whether every key it came from passed it on to the next, and the last one to its own.
    fn is_inherited_in_order(&self) -> bool {
        let body = &self.body;
        let mut owner = self.root();
        let in_order = body.successions.iter().all(|step| {
            let fits = step.from() == owner;
            owner = step.to();
            fits && step.passes_on(body.network, &body.name, body.claimed_at)
        });
        in_order && owner == body.identity
    }

    /// Whether the key of `other` passed this very name on, so that this came of it.
    pub fn is_heir_of(&self, other: &Self) -> bool {
        let came_from = |step: &Succession| step.from() == other.body.identity;
        self.body.name == other.body.name
            && self.body.claimed_at == other.body.claimed_at
            && self.root() == other.root()
            && self.body.identity != other.body.identity
            && self.body.successions.iter().any(came_from)
    }

    /// Whether a recovery key had a hand in how it came here.
    pub fn was_recovered(&self) -> bool {
        self.body.successions.iter().any(|step| step.by_recovery().is_some())
    }

    /// The first word of a recovery key by which it came here from the key of `other`.
    pub fn recovered_from(&self, other: &Self) -> Option<&Succession> {
        let mut since = self.body.successions.iter().skip_while(|step| step.from() != other.body.identity);
        since.find(|step| step.by_recovery().is_some())
    }

    /// The recovery key its own key committed to.
    pub fn recovery(&self) -> Option<RecoveryHash> {
        self.body.recovery
    }

    /// Through which hands it came.
    pub fn successions(&self) -> &[Succession] {
        &self.body.successions
    }

    /// Whether two are the same, whoever gave them away.
    pub fn is_same(&self, other: &Self) -> bool {
        (&self.signature, &self.body) == (&other.signature, &other.body)
    }

    /// What receipts for it are about.
    pub fn id(&self) -> ClaimId {
        // What the old keys passed on keeps its age; what a recovery key gave begins anew with the one it went to.
        let recovered = self.body.successions.iter().rfind(|step| step.by_recovery().is_some());
        let first = recovered.map_or(self.root(), Succession::to);
        ClaimId::of(self.body.network, &self.body.name, first, self.body.claimed_at)
    }

    /// Its network.
    pub fn network(&self) -> Network {
        self.body.network
    }

    /// What holders said of it when it was signed.
    pub fn receipts(&self) -> &[Receipt] {
        &self.body.receipts
    }

    /// What the holder that gave it away says of it.
    pub fn witness(&self) -> Option<&Receipt> {
        self.witness.as_ref()
    }

    /// When the name is anybody's again, should nobody renew this: a provisional claim leaves no quarantine behind.
    pub fn free_from(&self) -> UnixTime {
        let quarantine = if self.body.proof.is_some() { QUARANTINE } else { Duration::ZERO };
        self.body.not_after.saturating_add(quarantine)
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
mod tests;
