//! What a supernode holds for others: claims to usernames (kept across restarts), introduction records and letters to
//! people who are away (not).
//!
//! Claims are held by [`Skeleton`]: names that look alike are one name here.
//!
//! ```text
//!             first proven claim ─▶ Granted ─lease over─▶ in quarantine ─60 days─▶ gone
//!   provisional ─proof─▶    ▲          │                       │ renewed by the same key
//!                           │          ◀───────────────────────┘
//!                           │ the granted one is gone
//!   another key's ─▶ refused as taken, or, with a receipt that shows it was granted elsewhere: Contending
//! ```
//! Only what is granted gets a receipt. Both kinds are given to whoever asks; the reader ranks them. One receipt that
//! counts will do to be shown: whoever gave it shows that claim to whom it likes, and all others are to see it, too, the
//! owner of the name among them.

mod checks;
pub mod letters;

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    ops::Bound,
    time::Duration,
};

use relay::UnixTime;

use self::{
    checks::Checks,
    letters::{LetterMark, LetterPut, Letters, SealedLetter},
};
use crate::{
    claim::{Claim, Contender, Evidence, RECOVERY_DELAY, Receipt, Standing, Subnet, Succession, Witnesses},
    config::{Limits, Network},
    identity::{LinkKey, LinkSecret, PublicKey},
    record::{Introduction, RecordError},
    routing::Key,
    username::{Skeleton, Username},
    wire::MAX_CLAIMS,
};

/// The store of one supernode. Bounded in total and per address prefix; full means "busy", never dropping a claim.
#[derive(Debug)]
pub struct Directory {
    network: Network,
    witness: LinkSecret,
    own: LinkKey,
    claims: BTreeMap<Skeleton, Vec<Held>>,
    count: usize,
    per_prefix: BTreeMap<Source, usize>,
    introductions: BTreeMap<PublicKey, Introduction>,
    letters: Letters,
    checks: Checks,
    limits: Limits,
}

#[derive(Debug)]
struct Held {
    /// Where it belongs: looked at whenever a supernode comes or goes.
    place: Key,
    /// With our receipt, when it is granted and proven.
    claim: Claim,
    source: Source,
    title: Title,
}

/// What a claim is to its holder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Title {
    /// It was here first: we vouch for it.
    Granted,
    /// It was granted elsewhere.
    Contending,
    /// The recovery key gave it away: we vouch since when it waits.
    Pending,
}

/// A receipt given this long ago is given anew.
const RECEIPT_RENEWAL: Duration = Duration::from_secs(3600);

/// Where a claim came from, for the quota: /24 or /48.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// A stranger's subnet.
    Subnet(Subnet),
    /// From our own disk or ourselves: not limited.
    Own,
}

impl From<IpAddr> for Source {
    fn from(ip: IpAddr) -> Self {
        Self::Subnet(Subnet::of(Network::Main, SocketAddr::new(ip, 0)))
    }
}

/// What became of a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClaimPut {
    /// Held now, in this form; must be persisted before it is acknowledged.
    Stored(Box<Claim>),
    /// Held already, in this form.
    Held(Box<Claim>),
    /// Somebody else's comes first here.
    Taken {
        /// Theirs, live or in quarantine.
        by: Box<Claim>,
        /// The new one is shown beside it, and must be persisted.
        kept: Option<Box<Claim>>,
    },
    /// Not believed.
    Invalid(RecordError),
    /// A newer claim of the same key is held, or this one pretends to be older than that.
    Stale,
    /// No room.
    Full,
}

/// What became of an introduction record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IntroductionPut {
    /// Held now.
    Stored,
    /// Not believed.
    Invalid(RecordError),
    /// A newer one is held.
    Stale,
    /// No room.
    Full,
}

impl Directory {
    /// An empty store whose receipts are signed by `witness`.
    pub fn new(network: Network, witness: LinkSecret, limits: &Limits) -> Self {
        Self {
            network,
            own: witness.public_key(),
            witness,
            claims: BTreeMap::new(),
            count: 0,
            per_prefix: BTreeMap::new(),
            introductions: BTreeMap::new(),
            letters: Letters::default(),
            checks: Checks::default(),
            limits: limits.clone(),
        }
    }

    /// Takes a claim, after verifying it. What costs most comes last: signature, seal, quotas, and only then the
    /// proof of work, at most [`Limits::proofs_per_second`] times a second, and the receipts.
    pub fn put_claim(&mut self, now: UnixTime, source: Source, claim: &Claim, known: &Witnesses) -> ClaimPut {
        let skeleton = claim.name().skeleton();
        let slot = self.claims.get(&skeleton).map_or(&[][..], Vec::as_slice);
        let old = slot.iter().find(|held| held.is_of(claim));
        if let Some(old) = old {
            if old.claim.is_same(claim) && claim.not_after() > now {
                return self.held_already(now, &skeleton, claim, known);
            }
            if old.is_newer_than(claim, now) {
                return ClaimPut::Stale;
            }
        }
        let rival = slot.iter().find(|held| held.stands_before(claim, now)).map(|held| held.claim.clone());
        let heir = rival.as_ref().is_some_and(|rival| claim.is_heir_of(rival));
        let disputed =
            rival.is_some() && claim.standing() == Standing::Proven && (heir || !claim.receipts().is_empty());
        if let Some(rival) = rival.as_ref().filter(|_| !disputed) {
            return ClaimPut::Taken { by: Box::new(rival.clone()), kept: None };
        }
        if let Err(error) = claim.verify(self.network, now) {
            return ClaimPut::Invalid(error);
        }
        let from_source = self.per_prefix.get(&source).copied().unwrap_or(0);
        let prefix_full = source != Source::Own && from_source >= self.limits.claims_per_prefix;
        if old.is_none() && (self.count >= self.limits.claims || prefix_full) {
            return ClaimPut::Full;
        }
        let proof_known = old.is_some_and(|held| held.claim.work_id() == claim.work_id());
        if claim.standing() == Standing::Proven && !proof_known {
            if !self.checks.begin(now, source, self.limits.proofs_per_second) {
                return ClaimPut::Full;
            }
            if let Err(error) = claim.verify_work() {
                self.checks.punish(now, source);
                return ClaimPut::Invalid(error);
            }
        }
        match rival {
            Some(rival) if heir => self.pend(now, source, claim, rival, known),
            Some(rival) => self.contend(now, source, claim, rival, known),
            None => self.grant(now, source, claim, known),
        }
    }

    /// The very claim, if we vouched for it lately: nothing has to be weighed then.
    pub fn vouched_lately(&self, now: UnixTime, claim: &Claim) -> Option<&Claim> {
        let slot = self.claims.get(&claim.name().skeleton())?;
        let held = slot.iter().find(|held| held.title == Title::Granted && held.claim.is_same(claim))?;
        let fresh = held.claim.witness()?.time().saturating_add(RECEIPT_RENEWAL) > now;
        (fresh && claim.not_after() > now).then_some(&held.claim)
    }

    /// Nobody stands before it.
    fn grant(&mut self, now: UnixTime, source: Source, claim: &Claim, known: &Witnesses) -> ClaimPut {
        let skeleton = claim.name().skeleton();
        let slot = self.claims.get(&skeleton).map_or(&[][..], Vec::as_slice);
        let before = slot.iter().filter(|held| held.claim.id() == claim.id());
        let before = before.filter_map(|held| held.claim.witness()).next();
        let since = before.map(Receipt::since).unwrap_or_else(|| {
            // Others held it before us, if enough of them say so.
            let evidence = Evidence::of(claim, claim.receipts(), now, known);
            evidence.since.filter(|_| evidence.suffices()).unwrap_or(now)
        });
        // What was said lately of the same claim, signed anew or not, still holds: no claimant makes us sign at will.
        let lately = before.filter(|receipt| self.gave_lately(receipt, now)).cloned();
        let witness = (claim.standing() == Standing::Proven).then(|| {
            lately.unwrap_or_else(|| Receipt::sign(&self.witness, self.network, claim.id(), since, now))
        });
        let granted = claim.witnessed(witness);
        // Whoever has not worked gives way to whoever has, the old key to its heir, and a recovery the old key objects to.
        let given_way = |held: &Held| {
            let unproven =
                held.claim.identity() != claim.identity() && held.claim.standing() < claim.standing();
            unproven || claim.is_heir_of(&held.claim) || held.is_objected_to_by(claim)
        };
        self.remove(&skeleton, given_way);
        self.store(skeleton, Held::new(granted.clone(), source, Title::Granted));
        ClaimPut::Stored(Box::new(granted))
    }

    fn gave_lately(&self, receipt: &Receipt, now: UnixTime) -> bool {
        receipt.holder() == self.own && receipt.time().saturating_add(RECEIPT_RENEWAL) > now
    }

    /// The recovery key gave it away: it waits until the old key had its time to object.
    fn pend(
        &mut self,
        now: UnixTime,
        source: Source,
        claim: &Claim,
        old: Claim,
        known: &Witnesses,
    ) -> ClaimPut {
        let skeleton = claim.name().skeleton();
        let slot = self.claims.get(&skeleton).map_or(&[][..], Vec::as_slice);
        let waiting = slot.iter().find(|held| held.is_of(claim));
        let full = waiting.is_none() && slot.len() >= MAX_CLAIMS;
        let word = claim.recovered_from(&old).filter(|word| word.from() == old.identity());
        if full || old.recovery().is_none() || word.and_then(Succession::by_recovery) != old.recovery() {
            return ClaimPut::Taken { by: Box::new(old), kept: None };
        }
        let evidence = Evidence::of(claim, claim.receipts(), now, known);
        let since =
            waiting.filter(|held| held.claim.id() == claim.id()).and_then(|held| held.claim.witness());
        let since =
            since.map(Receipt::since).or(evidence.since.filter(|_| evidence.suffices())).unwrap_or(now);
        let witness = Receipt::sign(&self.witness, self.network, claim.id(), since, now);
        let pending = claim.witnessed(Some(witness));
        let title = if since.saturating_add(RECOVERY_DELAY) > now { Title::Pending } else { Title::Granted };
        if title == Title::Granted {
            self.remove(&skeleton, |held| claim.is_heir_of(&held.claim));
        }
        self.store(skeleton, Held::new(pending.clone(), source, title));
        ClaimPut::Stored(Box::new(pending))
    }

    /// Somebody else's is granted here. What others granted is shown beside it.
    fn contend(
        &mut self,
        now: UnixTime,
        source: Source,
        claim: &Claim,
        rival: Claim,
        known: &Witnesses,
    ) -> ClaimPut {
        let skeleton = claim.name().skeleton();
        let by = Box::new(rival);
        let evidence = Evidence::of(claim, claim.receipts(), now, known);
        let slot = self.claims.get(&skeleton).map_or(&[][..], Vec::as_slice);
        let others: Vec<&Held> = slot.iter().filter(|held| !held.is_of(claim)).collect();
        let worst = others.iter().filter(|held| held.title == Title::Contending).max_by(|a, b| {
            let [a, b] = [a, b].map(|held| held.contender(now, known));
            a.compare(&b).0
        });
        let full = others.len() >= MAX_CLAIMS;
        let outranked = worst.filter(|_| full).map(|worst| {
            let newcomer = Contender::new(claim, &evidence);
            (worst.claim.clone(), newcomer.compare(&worst.contender(now, known)).0.is_lt())
        });
        if evidence.subnets == 0 || (full && outranked.as_ref().is_none_or(|(_, outranked)| !outranked)) {
            return ClaimPut::Taken { by, kept: None };
        }
        if let Some((worst, _)) = outranked {
            self.remove(&skeleton, |held| held.claim == worst);
        }
        let kept = claim.witnessed(None);
        self.store(skeleton, Held::new(kept.clone(), source, Title::Contending));
        ClaimPut::Taken { by, kept: Some(Box::new(kept)) }
    }

    /// The very claim we hold: what is to be said of it is said anew from time to time.
    fn held_already(
        &mut self,
        now: UnixTime,
        skeleton: &Skeleton,
        claim: &Claim,
        known: &Witnesses,
    ) -> ClaimPut {
        let slot = self.claims.get(skeleton).map_or(&[][..], Vec::as_slice);
        let Some(held) = slot.iter().find(|held| held.is_of(claim)) else { return ClaimPut::Stale };
        let rival = slot.iter().find(|held| held.stands_before(claim, now));
        if let Some(old) = rival.filter(|old| claim.is_heir_of(&old.claim)) {
            let (source, old) = (held.source, old.claim.clone());
            return self.pend(now, source, claim, old, known);
        }
        if let Some(rival) = rival.filter(|_| held.title == Title::Contending) {
            return ClaimPut::Taken { by: Box::new(rival.claim.clone()), kept: None };
        }
        let fresh = held.claim.witness().map_or(claim.standing() == Standing::Provisional, |receipt| {
            receipt.time().saturating_add(RECEIPT_RENEWAL) > now
        });
        if fresh {
            return ClaimPut::Held(Box::new(held.claim.clone()));
        }
        let source = held.source;
        self.grant(now, source, claim, known)
    }

    /// Takes a claim we had accepted before we were restarted: its proof is not worked out again.
    pub fn restore_claim(&mut self, now: UnixTime, claim: &Claim) {
        let skeleton = claim.name().skeleton();
        let slot = self.claims.get(&skeleton).map_or(&[][..], Vec::as_slice);
        let newer = slot.iter().any(|held| held.is_of(claim) && held.claim.seq() >= claim.seq());
        if newer || self.count >= self.limits.claims || claim.verify_kept(self.network, now).is_err() {
            return;
        }
        let own = claim.witness().is_some_and(|receipt| receipt.holder() == self.own);
        let rival = slot.iter().any(|held| held.stands_before(claim, now));
        let title = if claim.was_recovered() && rival {
            Title::Pending
        } else if own || !rival {
            Title::Granted
        } else {
            Title::Contending
        };
        self.store(skeleton, Held::new(claim.clone(), Source::Own, title));
    }

    fn store(&mut self, skeleton: Skeleton, held: Held) {
        self.remove(&skeleton, |old| old.is_of(&held.claim));
        *self.per_prefix.entry(held.source).or_insert(0) += 1;
        self.count += 1;
        let slot = self.claims.entry(skeleton).or_default();
        // Nearly every name has one claim, and there are many names.
        slot.reserve_exact(1);
        slot.push(held);
    }

    /// The live claims to a name and to those that look like it.
    pub fn claims(&self, now: UnixTime, name: &Username) -> impl Iterator<Item = &Claim> {
        let slot = self.claims.get(&name.skeleton()).map_or(&[][..], Vec::as_slice);
        slot.iter().map(|held| &held.claim).filter(move |claim| claim.not_after() > now)
    }

    /// At least `most` live claims, if there are as many, in the order of their skeletons, beginning after one, and where
    /// each belongs.
    pub fn claims_after(&self, now: UnixTime, after: Option<&Skeleton>, most: usize) -> Vec<(Key, &Claim)> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut claims = Vec::new();
        for slot in self.claims.range((from, Bound::Unbounded)).map(|(_, slot)| slot) {
            if claims.len() >= most {
                break;
            }
            let live = slot.iter().filter(|held| held.claim.not_after() > now);
            claims.extend(live.map(|held| (held.place, &held.claim)));
        }
        claims
    }

    /// Introduction records held, by person, beginning after one of them.
    pub fn introductions_after(
        &self,
        person: Option<&PublicKey>,
        most: usize,
    ) -> impl Iterator<Item = &Introduction> {
        let from = person.map_or(Bound::Unbounded, Bound::Excluded);
        self.introductions.range((from, Bound::Unbounded)).take(most).map(|(_, record)| record)
    }

    /// Whether a claim of this person to this name is held, live or expired.
    pub fn holds(&self, name: &Username, person: &PublicKey) -> bool {
        let slot = self.claims.get(&name.skeleton()).map_or(&[][..], Vec::as_slice);
        slot.iter().any(|held| held.claim.name() == name && held.claim.identity() == *person)
    }

    /// How many claims and introduction records are held.
    pub fn size(&self) -> (usize, usize) {
        (self.claims.len(), self.introductions.len())
    }

    /// Takes an introduction record, after verifying it.
    pub fn put_introduction(&mut self, now: UnixTime, record: &Introduction) -> IntroductionPut {
        let held = self.introductions.get(&record.identity());
        match held {
            Some(held) if held == record => return IntroductionPut::Stored,
            Some(held) if held.seq() >= record.seq() => return IntroductionPut::Stale,
            None if self.introductions.len() >= self.limits.introductions => return IntroductionPut::Full,
            Some(_) | None => {}
        }
        if let Err(error) = record.verify(self.network, now) {
            return IntroductionPut::Invalid(error);
        }
        self.introductions.insert(record.identity(), record.clone());
        IntroductionPut::Stored
    }

    /// The live introduction record of a person.
    pub fn introduction(&self, now: UnixTime, identity: &PublicKey) -> Option<&Introduction> {
        self.introductions.get(identity).filter(|record| record.not_after() > now)
    }

    /// Keeps a letter for somebody whose live introduction record is held here; for nobody else.
    pub fn put_letter(
        &mut self,
        now: UnixTime,
        source: Source,
        reader: PublicKey,
        letter: SealedLetter,
    ) -> Option<LetterPut> {
        self.introduction(now, &reader)?;
        Some(self.letters.put(now, &self.limits, reader, source, letter))
    }

    /// The letters that wait for somebody, without those that were taken.
    pub fn collect_letters(
        &mut self,
        now: UnixTime,
        reader: &PublicKey,
        taken: &[LetterMark],
    ) -> impl Iterator<Item = &SealedLetter> {
        self.letters.collect(now, reader, taken)
    }

    #[cfg(test)]
    pub(crate) fn all_letters(&self) -> impl Iterator<Item = &SealedLetter> {
        self.letters.all()
    }

    /// How many letters are kept.
    pub fn letters(&self) -> usize {
        self.letters.len()
    }

    /// Drops what has expired, of claims what nobody has to be kept from any more. Should there be too many of those,
    /// the ones free first go earlier.
    pub fn expire(&mut self, now: UnixTime) {
        self.introductions.retain(|_, record| record.not_after() > now);
        self.letters.expire(now);
        let expired = self.claims.iter().flat_map(|(skeleton, slot)| slot.iter().map(move |h| (skeleton, h)));
        let expired = expired.filter(|(_, held)| held.claim.not_after() <= now);
        let mut ends: Vec<(UnixTime, Skeleton)> =
            expired.map(|(skeleton, held)| (held.claim.free_from(), skeleton.clone())).collect();
        ends.sort_unstable();
        let too_many = ends.len().saturating_sub(self.limits.quarantined);
        for (nth, (free_from, skeleton)) in ends.into_iter().enumerate() {
            if nth < too_many || free_from <= now {
                self.remove(&skeleton, |held| {
                    held.claim.not_after() <= now && held.claim.free_from() == free_from
                });
            }
        }
    }

    /// Drops claims and gives their room back.
    fn remove(&mut self, skeleton: &Skeleton, which: impl Fn(&Held) -> bool) {
        let Some(slot) = self.claims.get_mut(skeleton) else { return };
        for held in slot.extract_if(.., |held| which(held)) {
            self.count -= 1;
            if let Some(count) = self.per_prefix.get_mut(&held.source) {
                *count -= 1;
                if *count == 0 {
                    self.per_prefix.remove(&held.source);
                }
            }
        }
        if slot.is_empty() {
            self.claims.remove(skeleton);
        }
    }
}

impl Held {
    fn new(claim: Claim, source: Source, title: Title) -> Self {
        Self { place: Key::of_name(claim.name()), claim, source, title }
    }

    /// Whether it is a claim of the same key to the same name.
    fn is_of(&self, claim: &Claim) -> bool {
        self.claim.identity() == claim.identity() && self.claim.name() == claim.name()
    }

    /// Whether a claim of the same key to the same name is no renewal of it. When the lease is over, the key may begin
    /// anew.
    fn is_newer_than(&self, claim: &Claim, now: UnixTime) -> bool {
        let live = self.claim.not_after() > now;
        claim.seq() <= self.claim.seq()
            || (live && claim.claimed_at() < self.claim.claimed_at())
            || (live && claim.standing() < self.claim.standing())
    }

    /// Whether it waits because of a recovery key its old key no longer has.
    fn is_objected_to_by(&self, claim: &Claim) -> bool {
        self.title == Title::Pending
            && self.claim.is_heir_of(claim)
            && self.claim.recovered_from(claim).is_some_and(|word| word.by_recovery() != claim.recovery())
    }

    /// Whether it keeps another key's claim from being granted here. An old key does not keep it from whom it gave it to.
    fn stands_before(&self, claim: &Claim, now: UnixTime) -> bool {
        self.title == Title::Granted
            && self.claim.identity() != claim.identity()
            && self.claim.free_from() > now
            && self.claim.standing() >= claim.standing()
            && (claim.recovered_from(&self.claim).is_some() || !claim.is_heir_of(&self.claim))
    }

    fn contender(&self, now: UnixTime, known: &Witnesses) -> Contender {
        Contender::new(&self.claim, &Evidence::of(&self.claim, self.claim.receipts(), now, known))
    }
}

#[cfg(test)]
mod tests;
