//! What a supernode holds for others: claims to usernames (kept across restarts) and introduction records (not).

use std::{collections::BTreeMap, net::IpAddr, ops::Bound};

use relay::UnixTime;

use crate::{
    claim::Claim,
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
    limits: Limits,
}

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
            limits: limits.clone(),
        }
    }

    /// Takes a claim, after verifying it.
    pub fn put_claim(&mut self, now: UnixTime, source: Source, claim: &Claim) -> ClaimPut {
        match self.claims.get(claim.name()) {
            Some(held) if held.claim == *claim => return ClaimPut::Held,
            Some(held) if held.claim.not_after() > now => {
                if held.claim.identity() != claim.identity() {
                    return ClaimPut::Taken(Box::new(held.claim.clone()));
                }
                if claim.seq() <= held.claim.seq() || claim.claimed_at() < held.claim.claimed_at() {
                    return ClaimPut::Stale;
                }
            }
            Some(_) | None => {}
        }
        if let Err(error) = claim.verify(self.network, now) {
            return ClaimPut::Invalid(error);
        }
        let renewal = self.claims.contains_key(claim.name());
        let from_source = self.per_prefix.get(&source).copied().unwrap_or(0);
        let prefix_full = source != Source::Own && from_source >= self.limits.claims_per_prefix;
        if !renewal && (self.claims.len() >= self.limits.claims || prefix_full) {
            return ClaimPut::Full;
        }
        if let Some(old) = self.claims.insert(claim.name().clone(), Held { claim: claim.clone(), source }) {
            self.release(old.source);
        }
        *self.per_prefix.entry(source).or_insert(0) += 1;
        ClaimPut::Stored
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

    fn release(&mut self, source: Source) {
        if let Some(count) = self.per_prefix.get_mut(&source) {
            *count -= 1;
            if *count == 0 {
                self.per_prefix.remove(&source);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        claim::CLAIM_LIFETIME,
        identity::Identity,
        record::{EnvelopeKey, RecordError},
    };

    const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

    fn person(secret: u8) -> Identity {
        Identity::from_secret([secret; 32])
    }

    fn claim(secret: u8, name: &str, since: UnixTime, seq: u64) -> Claim {
        Claim::sign(&person(secret), Network::Lab, Username::parse(name).unwrap(), since, seq, NOW)
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
        let third = Claim::sign(&person(2), Network::Lab, Username::parse("ada").unwrap(), later, 1, later);
        assert_eq!(held.put_claim(later, Source::Own, &third), ClaimPut::Stored);
    }

    #[test]
    fn a_renewal_needs_a_higher_number_and_no_older_date() {
        let mut held = directory(&Limits::default());
        assert_eq!(held.put_claim(NOW, Source::Own, &claim(1, "ada", NOW, 5)), ClaimPut::Stored);
        let earlier = NOW.saturating_sub(Duration::from_secs(1));
        assert_eq!(held.put_claim(NOW, Source::Own, &claim(1, "ada", earlier, 6)), ClaimPut::Stale);
        let other = Claim::sign(&person(1), Network::Lab, Username::parse("ada").unwrap(), NOW, 4, earlier);
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
