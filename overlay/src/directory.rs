//! What a supernode holds for others: claims to usernames (kept across restarts) and introduction records (not).

use std::{collections::BTreeMap, net::IpAddr, ops::Bound, time::Duration};

use relay::UnixTime;

use crate::{
    claim::{Claim, Standing},
    config::{Limits, Network},
    identity::PublicKey,
    record::{Introduction, RecordError},
    username::Username,
};

/// The store of one supernode. Bounded in total and per address prefix; full means "busy", never dropping a claim.
#[derive(Debug)]
pub struct Directory {
    network: Network,
    claims: BTreeMap<Username, Held>,
    per_prefix: BTreeMap<Source, usize>,
    introductions: BTreeMap<PublicKey, Introduction>,
    checks: Checks,
    limits: Limits,
}

/// How much proof of work was worked out, and whose was wrong.
#[derive(Debug, Default)]
struct Checks {
    second: u64,
    in_second: u32,
    wrong: BTreeMap<Source, UnixTime>,
}

/// A prefix that sent a wrong proof with a right signature has its proofs ignored this long: no honest node passes
/// one on.
const WRONG_PROOF_PENALTY: Duration = Duration::from_secs(60);

/// Prefixes punished at a time; when full, the one punished longest ago is forgiven.
const MAX_PUNISHED: usize = 1_024;

#[derive(Debug)]
struct Held {
    claim: Claim,
    source: Source,
}

/// Where a claim came from, for the quota: /24 or /48.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// The first three bytes of an IPv4 address.
    V4([u8; 3]),
    /// The first three groups of an IPv6 address.
    V6([u16; 3]),
    /// From our own disk or ourselves: not limited.
    Own,
}

impl From<IpAddr> for Source {
    fn from(ip: IpAddr) -> Self {
        match ip.to_canonical() {
            IpAddr::V4(ip) => {
                let [a, b, c, _] = ip.octets();
                Self::V4([a, b, c])
            }
            IpAddr::V6(ip) => {
                let [a, b, c, ..] = ip.segments();
                Self::V6([a, b, c])
            }
        }
    }
}

/// What became of a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClaimPut {
    /// Held now; must be persisted before it is acknowledged.
    Stored,
    /// Held already.
    Held,
    /// Somebody else's live claim is held.
    Taken(Box<Claim>),
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
    /// An empty store.
    pub fn new(network: Network, limits: &Limits) -> Self {
        Self {
            network,
            claims: BTreeMap::new(),
            per_prefix: BTreeMap::new(),
            introductions: BTreeMap::new(),
            checks: Checks::default(),
            limits: limits.clone(),
        }
    }

    /// Takes a claim, after verifying it. What costs most comes last: signature, seal, quotas, and only then the
    /// proof of work, at most [`Limits::proofs_per_second`] times a second.
    pub fn put_claim(&mut self, now: UnixTime, source: Source, claim: &Claim) -> ClaimPut {
        if let Some(answer) = self.standing_in_the_way(now, claim) {
            return answer;
        }
        if let Err(error) = claim.verify(self.network, now) {
            return ClaimPut::Invalid(error);
        }
        let held = self.claims.get(claim.name());
        let from_source = self.per_prefix.get(&source).copied().unwrap_or(0);
        let prefix_full = source != Source::Own && from_source >= self.limits.claims_per_prefix;
        if held.is_none() && (self.claims.len() >= self.limits.claims || prefix_full) {
            return ClaimPut::Full;
        }
        let proof_known = held.is_some_and(|held| held.claim.work_id() == claim.work_id());
        if claim.standing() == Standing::Proven && !proof_known {
            if !self.checks.begin(now, source, self.limits.proofs_per_second) {
                return ClaimPut::Full;
            }
            if let Err(error) = claim.verify_work() {
                self.checks.punish(now, source);
                return ClaimPut::Invalid(error);
            }
        }
        self.store(source, claim);
        ClaimPut::Stored
    }

    /// Takes a claim we had accepted before we were restarted: its proof is not worked out again.
    pub fn restore_claim(&mut self, now: UnixTime, claim: &Claim) {
        let free = self.standing_in_the_way(now, claim).is_none() && self.claims.len() < self.limits.claims;
        if free && claim.verify(self.network, now).is_ok() {
            self.store(Source::Own, claim);
        }
    }

    /// What we hold already and why this claim cannot replace it.
    fn standing_in_the_way(&self, now: UnixTime, claim: &Claim) -> Option<ClaimPut> {
        let held = &self.claims.get(claim.name())?.claim;
        if held == claim {
            return Some(ClaimPut::Held);
        }
        if held.not_after() <= now {
            return None;
        }
        if held.identity() != claim.identity() {
            let overtaken = held.standing() < claim.standing();
            return (!overtaken).then(|| ClaimPut::Taken(Box::new(held.clone())));
        }
        let stale = claim.seq() <= held.seq()
            || claim.claimed_at() < held.claimed_at()
            || claim.standing() < held.standing();
        stale.then_some(ClaimPut::Stale)
    }

    fn store(&mut self, source: Source, claim: &Claim) {
        if let Some(old) = self.claims.insert(claim.name().clone(), Held { claim: claim.clone(), source }) {
            self.release(old.source);
        }
        *self.per_prefix.entry(source).or_insert(0) += 1;
    }

    /// The live claims to a name. One today: the first valid one wins here.
    pub fn claims(&self, now: UnixTime, name: &Username) -> Option<&Claim> {
        self.claims.get(name).map(|held| &held.claim).filter(|claim| claim.not_after() > now)
    }

    /// Claims held, by name, beginning after one of them.
    pub fn claims_after(&self, name: Option<&Username>, most: usize) -> impl Iterator<Item = &Claim> {
        let from = name.map_or(Bound::Unbounded, Bound::Excluded);
        self.claims.range((from, Bound::Unbounded)).take(most).map(|(_, held)| &held.claim)
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

    /// Drops what has expired.
    pub fn expire(&mut self, now: UnixTime) {
        self.introductions.retain(|_, record| record.not_after() > now);
        let dead: Vec<Username> =
            self.claims.iter().filter(|(_, h)| h.claim.not_after() <= now).map(|(n, _)| n.clone()).collect();
        for name in dead {
            if let Some(held) = self.claims.remove(&name) {
                self.release(held.source);
            }
        }
    }

    /// Gives its room back.
    fn release(&mut self, source: Source) {
        if let Some(count) = self.per_prefix.get_mut(&source) {
            *count -= 1;
            if *count == 0 {
                self.per_prefix.remove(&source);
            }
        }
    }
}

impl Checks {
    /// Whether one more proof of this origin may be worked out now.
    fn begin(&mut self, now: UnixTime, source: Source, per_second: u32) -> bool {
        if source == Source::Own {
            return true;
        }
        if self.wrong.get(&source).is_some_and(|until| *until > now) {
            return false;
        }
        if self.second != now.as_secs() {
            (self.second, self.in_second) = (now.as_secs(), 0);
        }
        let room = self.in_second < per_second;
        self.in_second += u32::from(room);
        room
    }

    fn punish(&mut self, now: UnixTime, source: Source) {
        self.wrong.retain(|_, until| *until > now);
        if self.wrong.len() >= MAX_PUNISHED
            && let Some(first) = self.wrong.iter().min_by_key(|(_, until)| **until).map(|(source, _)| *source)
        {
            self.wrong.remove(&first);
        }
        if source != Source::Own {
            self.wrong.insert(source, now.saturating_add(WRONG_PROOF_PENALTY));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        claim::{CLAIM_LIFETIME, PROVISIONAL_LIFETIME},
        identity::Identity,
        record::{EnvelopeKey, RecordError},
    };

    const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

    fn person(secret: u8) -> Identity {
        Identity::from_secret([secret; 32])
    }

    fn claim(secret: u8, name: &str, since: UnixTime, seq: u64) -> Claim {
        Claim::proven(&person(secret), Username::parse(name).unwrap(), since, seq, NOW)
    }

    fn provisional(secret: u8, name: &str, seq: u64) -> Claim {
        let name = Username::parse(name).unwrap();
        Claim::sign(&person(secret), Network::Lab, name, NOW, None, seq, NOW)
    }

    fn introduction(secret: u8, seq: u64) -> Introduction {
        let lifetime = Duration::from_secs(60);
        Introduction::sign(
            &person(secret),
            Network::Lab,
            seq,
            EnvelopeKey::from_bytes([1; 32]),
            [],
            NOW,
            lifetime,
        )
    }

    fn directory(limits: &Limits) -> Directory {
        Directory::new(Network::Lab, limits)
    }

    #[test]
    fn the_first_valid_claim_wins_until_it_expires() {
        let mut held = directory(&Limits::default());
        let (first, second) =
            (claim(1, "ada", NOW, 1), claim(2, "ada", NOW.saturating_sub(CLAIM_LIFETIME / 2), 9));
        assert_eq!(held.put_claim(NOW, Source::Own, &first), ClaimPut::Stored);
        assert_eq!(held.put_claim(NOW, Source::Own, &first), ClaimPut::Held);
        assert_eq!(held.put_claim(NOW, Source::Own, &second), ClaimPut::Taken(Box::new(first)));
        let later = NOW.saturating_add(CLAIM_LIFETIME);
        let third = Claim::proven(&person(2), Username::parse("ada").unwrap(), later, 1, later);
        assert_eq!(held.put_claim(later, Source::Own, &third), ClaimPut::Stored);
    }

    #[test]
    fn a_proven_claim_replaces_anybodys_provisional_one_and_never_the_other_way_round() {
        let mut held = directory(&Limits::default());
        let first = provisional(1, "ada", 1);
        assert_eq!(held.put_claim(NOW, Source::Own, &first), ClaimPut::Stored);
        let second = provisional(2, "ada", 9);
        assert_eq!(held.put_claim(NOW, Source::Own, &second), ClaimPut::Taken(Box::new(first)));
        let proven = claim(2, "ada", NOW, 10);
        assert_eq!(held.put_claim(NOW, Source::Own, &proven), ClaimPut::Stored);
        assert_eq!(held.put_claim(NOW, Source::Own, &provisional(2, "ada", 11)), ClaimPut::Stale);
        let late = claim(1, "ada", NOW, 12);
        assert_eq!(held.put_claim(NOW, Source::Own, &late), ClaimPut::Taken(Box::new(proven)));
        // Never proven: free again after its quarter of an hour.
        assert_eq!(held.put_claim(NOW, Source::Own, &provisional(3, "eve", 1)), ClaimPut::Stored);
        let later = NOW.saturating_add(PROVISIONAL_LIFETIME);
        assert!(held.claims(later, &Username::parse("eve").unwrap()).is_none());
    }

    #[test]
    fn a_wrong_proof_is_refused_and_silences_its_prefix_for_a_minute() {
        let mut held = directory(&Limits::default());
        let near = Source::from("9.9.9.1".parse::<IpAddr>().unwrap());
        let name = Username::parse("bob").unwrap();
        // The proof of another claim: its seal is as good as any in the lab.
        let proof = claim(1, "ada", NOW, 1).proof();
        let wrong = Claim::sign(&person(1), Network::Lab, name, NOW, proof, 1, NOW);
        assert_eq!(held.put_claim(NOW, near, &wrong), ClaimPut::Invalid(RecordError::Work));
        assert_eq!(held.put_claim(NOW, near, &claim(1, "ada", NOW, 1)), ClaimPut::Full);
        assert_eq!(held.put_claim(NOW, near, &provisional(1, "ada", 1)), ClaimPut::Stored);
        let far = Source::from("8.8.8.8".parse::<IpAddr>().unwrap());
        assert_eq!(held.put_claim(NOW, far, &claim(1, "ada", NOW, 2)), ClaimPut::Stored);
        let later = NOW.saturating_add(WRONG_PROOF_PENALTY);
        assert_eq!(held.put_claim(later, near, &claim(2, "eve", NOW, 1)), ClaimPut::Stored);
    }

    #[test]
    fn only_so_many_proofs_are_worked_out_in_a_second_and_known_ones_cost_nothing() {
        let mut held = directory(&Limits { proofs_per_second: 1, ..Limits::default() });
        let near = Source::from("9.9.9.1".parse::<IpAddr>().unwrap());
        let (first, renewal) = (claim(1, "ada", NOW, 1), claim(1, "ada", NOW, 2));
        assert_eq!(held.put_claim(NOW, near, &first), ClaimPut::Stored);
        assert_eq!(held.put_claim(NOW, near, &claim(2, "bob", NOW, 1)), ClaimPut::Full);
        assert_eq!(held.put_claim(NOW, near, &renewal), ClaimPut::Stored);
        held.restore_claim(NOW, &claim(3, "eve", NOW, 1));
        assert!(held.claims(NOW, &Username::parse("eve").unwrap()).is_some());
        let later = NOW.saturating_add(Duration::from_secs(1));
        assert_eq!(held.put_claim(later, near, &claim(2, "bob", NOW, 1)), ClaimPut::Stored);
    }

    #[test]
    fn a_renewal_needs_a_higher_number_and_no_older_date() {
        let mut held = directory(&Limits::default());
        assert_eq!(held.put_claim(NOW, Source::Own, &claim(1, "ada", NOW, 5)), ClaimPut::Stored);
        let earlier = NOW.saturating_sub(Duration::from_secs(1));
        assert_eq!(held.put_claim(NOW, Source::Own, &claim(1, "ada", earlier, 6)), ClaimPut::Stale);
        let other = Claim::proven(&person(1), Username::parse("ada").unwrap(), NOW, 4, earlier);
        assert_eq!(held.put_claim(NOW, Source::Own, &other), ClaimPut::Stale);
        assert_eq!(held.put_claim(NOW, Source::Own, &claim(1, "ada", NOW, 6)), ClaimPut::Stored);
    }

    #[test]
    fn full_means_busy_in_total_and_per_prefix_and_renewals_still_fit() {
        let limits = Limits { claims: 2, claims_per_prefix: 1, introductions: 1, ..Limits::default() };
        let mut held = directory(&limits);
        let near = Source::from("9.9.9.1".parse::<IpAddr>().unwrap());
        assert_eq!(held.put_claim(NOW, near, &claim(1, "ada", NOW, 1)), ClaimPut::Stored);
        assert_eq!(held.put_claim(NOW, near, &claim(2, "bob", NOW, 1)), ClaimPut::Full);
        assert_eq!(held.put_claim(NOW, near, &claim(1, "ada", NOW, 2)), ClaimPut::Stored);
        assert_eq!(held.put_claim(NOW, Source::Own, &claim(2, "bob", NOW, 1)), ClaimPut::Stored);
        assert_eq!(held.put_claim(NOW, Source::Own, &claim(3, "eve", NOW, 1)), ClaimPut::Full);

        assert_eq!(held.put_introduction(NOW, &introduction(1, 1)), IntroductionPut::Stored);
        assert_eq!(held.put_introduction(NOW, &introduction(2, 1)), IntroductionPut::Full);
        assert_eq!(held.put_introduction(NOW, &introduction(1, 2)), IntroductionPut::Stored);
        assert_eq!(held.put_introduction(NOW, &introduction(1, 1)), IntroductionPut::Stale);
    }

    #[test]
    fn what_expired_or_belongs_elsewhere_is_neither_taken_nor_given() {
        let mut held = Directory::new(Network::Main, &Limits::default());
        let stranger = claim(1, "ada", NOW, 1);
        assert_eq!(held.put_claim(NOW, Source::Own, &stranger), ClaimPut::Invalid(RecordError::Network));
        assert_eq!(
            held.put_introduction(NOW, &introduction(1, 1)),
            IntroductionPut::Invalid(RecordError::Network)
        );
        let mut held = directory(&Limits::default());
        assert_eq!(held.put_introduction(NOW, &introduction(1, 1)), IntroductionPut::Stored);
        assert_eq!(held.put_claim(NOW, Source::Own, &stranger), ClaimPut::Stored);
        let later = NOW.saturating_add(CLAIM_LIFETIME);
        assert!(held.introduction(later, &person(1).public_key()).is_none());
        assert!(held.claims(later, stranger.name()).is_none());
        held.expire(later);
        assert!(held.claims.is_empty() && held.introductions.is_empty() && held.per_prefix.is_empty());
    }
}
