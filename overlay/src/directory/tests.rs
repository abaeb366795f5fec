//! What is held, for whom, and what is refused.

use super::{checks::WRONG_PROOF_PENALTY, *};
use crate::{
    claim::{CLAIM_LIFETIME, PROVISIONAL_LIFETIME, QUARANTINE},
    identity::{Identity, LinkKey},
    record::{EnvelopeKey, RecordError, SealingKeys},
    routing::Key,
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
        SealingKeys::both(EnvelopeKey::from_bytes([1; 32])),
        [],
        NOW,
        lifetime,
    )
}

fn directory(limits: &Limits) -> Directory {
    Directory::new(Network::Lab, holder(100), limits)
}

fn holder(n: u8) -> LinkSecret {
    LinkSecret::from_secret([n; 32])
}

/// Supernodes 1 to 9, each somewhere else.
fn subnet(key: &LinkKey) -> Option<Subnet> {
    (1..10).find(|n| holder(*n).public_key() == *key).map(|n| Subnet::V4([9, 9, n]))
}

fn known() -> Witnesses {
    let keys = (1..10).map(|n| holder(n).public_key());
    let around = keys.filter_map(|key| Some((key, subnet(&key)?)));
    Witnesses::new(Key::of_name(&Username::parse("ada").unwrap()), around, 9).needing(3)
}

impl Directory {
    fn put(&mut self, now: UnixTime, source: Source, claim: &Claim) -> Put {
        match self.put_claim(now, source, claim, &known()) {
            ClaimPut::Stored(_) => Put::Stored,
            ClaimPut::Held(_) => Put::Held,
            ClaimPut::Taken { by, kept } => Put::Taken(by.identity(), kept.is_some()),
            ClaimPut::Invalid(error) => Put::Invalid(error),
            ClaimPut::Stale => Put::Stale,
            ClaimPut::Full => Put::Full,
        }
    }

    fn owners(&self, now: UnixTime, name: &str) -> Vec<PublicKey> {
        self.claims(now, &Username::parse(name).unwrap()).map(Claim::identity).collect()
    }
}

/// A [`ClaimPut`] without the claims.
#[derive(Debug, PartialEq)]
enum Put {
    Stored,
    Held,
    /// By whom, and whether the new one is kept beside it.
    Taken(PublicKey, bool),
    Invalid(RecordError),
    Stale,
    Full,
}

/// A claim with receipts of the first supernodes.
fn granted_elsewhere(secret: u8, name: &str, seq: u64, receipts: u8, since: UnixTime) -> Claim {
    let claim = claim(secret, name, NOW, seq);
    let receipts = (1..=receipts).map(|n| Receipt::sign(&holder(n), Network::Lab, claim.id(), since, NOW));
    let receipts: Vec<Receipt> = receipts.collect();
    claim.with_receipts(&person(secret), receipts)
}

#[test]
fn the_first_valid_claim_wins_until_its_quarantine_is_over_and_its_key_may_return_before() {
    let mut held = directory(&Limits::default());
    let (first, second) =
        (claim(1, "ada", NOW, 1), claim(2, "ada", NOW.saturating_sub(CLAIM_LIFETIME / 2), 9));
    assert_eq!(held.put(NOW, Source::Own, &first), Put::Stored);
    assert_eq!(held.put(NOW, Source::Own, &first), Put::Held);
    assert_eq!(held.put(NOW, Source::Own, &second), Put::Taken(first.identity(), false));

    let expired = NOW.saturating_add(CLAIM_LIFETIME);
    let at = |secret, seq, now| {
        let claim = Claim::proven(&person(secret), Username::parse("ada").unwrap(), NOW, seq, now);
        claim.with_receipts(&person(secret), [])
    };
    held.expire(expired);
    assert!(held.owners(expired, "ada").is_empty());
    assert_eq!(held.put(expired, Source::Own, &at(2, 9, expired)), Put::Taken(first.identity(), false));
    assert_eq!(held.put(expired, Source::Own, &at(1, 1, expired)), Put::Stale);
    let mut returned = directory(&Limits::default());
    returned.restore_claim(expired, &first);
    for held in [&mut held, &mut returned] {
        let late = expired.saturating_add(QUARANTINE / 2);
        assert_eq!(held.put(late, Source::Own, &at(1, 2, late)), Put::Stored);
        let free = late.saturating_add(CLAIM_LIFETIME + QUARANTINE);
        held.expire(free);
        assert_eq!(held.put(free, Source::Own, &at(2, 10, free)), Put::Stored);
    }
}

#[test]
fn names_that_look_alike_are_one_name() {
    let mut held = directory(&Limits::default());
    assert_eq!(held.put(NOW, Source::Own, &claim(1, "alice", NOW, 1)), Put::Stored);
    for other in ["al1ce", "a.l.i.c.e", "aiice", "alice"] {
        let taken = Put::Taken(person(1).public_key(), false);
        assert_eq!(held.put(NOW, Source::Own, &claim(2, other, NOW, 1)), taken, "{other}");
    }
    // Whoever has a name may have those that look like it, too.
    assert_eq!(held.put(NOW, Source::Own, &claim(1, "al1ce", NOW, 1)), Put::Stored);
    assert_eq!(held.owners(NOW, "a-lice").len(), 2);
}

#[test]
fn what_was_granted_elsewhere_is_shown_beside_what_is_granted_here_and_follows_it() {
    let mut held = directory(&Limits::default());
    let first = claim(1, "ada", NOW, 1);
    assert_eq!(held.put(NOW, Source::Own, &first), Put::Stored);
    let taken = |kept| Put::Taken(person(1).public_key(), kept);
    assert_eq!(held.put(NOW, Source::Own, &granted_elsewhere(2, "ada", 1, 0, NOW)), taken(false));
    let second = granted_elsewhere(2, "ada", 2, 3, NOW);
    assert_eq!(held.put(NOW, Source::Own, &second), taken(true));
    assert_eq!(held.put(NOW, Source::Own, &second), taken(false));
    assert_eq!(held.owners(NOW, "ada"), [1, 2].map(|n| person(n).public_key()));

    // The first one leaves; who comes now finds the second in the way.
    let free = NOW.saturating_add(CLAIM_LIFETIME + QUARANTINE);
    let renewed = Claim::proven(&person(2), Username::parse("ada").unwrap(), NOW, 3, free);
    held.expire(free);
    assert_eq!(held.put(free, Source::Own, &renewed), Put::Stored);
    let third = Claim::proven(&person(3), Username::parse("ada").unwrap(), NOW, 1, free);
    assert_eq!(held.put(free, Source::Own, &third), Put::Taken(person(2).public_key(), false));
}

#[test]
fn what_a_single_known_holder_granted_is_shown_to_all_and_what_strangers_granted_to_nobody() {
    let mut held = directory(&Limits::default());
    assert_eq!(held.put(NOW, Source::Own, &claim(1, "ada", NOW, 1)), Put::Stored);
    let taken = |kept| Put::Taken(person(1).public_key(), kept);
    let invented = claim(2, "ada", NOW, 1);
    let stranger = Receipt::sign(&holder(200), Network::Lab, invented.id(), NOW, NOW);
    let invented = invented.with_receipts(&person(2), [stranger]);
    assert_eq!(held.put(NOW, Source::Own, &invented), taken(false));
    assert_eq!(held.put(NOW, Source::Own, &granted_elsewhere(3, "ada", 1, 1, NOW)), taken(true));
    assert_eq!(held.owners(NOW, "ada"), [1, 3].map(|n| person(n).public_key()));
}

#[test]
fn no_more_than_eight_claims_stand_against_each_other_and_the_last_ones_go() {
    let mut held = directory(&Limits::default());
    assert_eq!(held.put(NOW, Source::Own, &claim(1, "ada", NOW, 1)), Put::Stored);
    for n in 2..=20 {
        held.put(NOW, Source::Own, &granted_elsewhere(n, "ada", 1, 2, NOW));
    }
    assert_eq!(held.owners(NOW, "ada").len(), MAX_CLAIMS);
    // Better vouched for than they.
    let better = granted_elsewhere(30, "ada", 1, 3, NOW);
    assert_eq!(held.put(NOW, Source::Own, &better), Put::Taken(person(1).public_key(), true));
    let owners = held.owners(NOW, "ada");
    assert!(owners.len() == MAX_CLAIMS && owners.contains(&person(30).public_key()));
    let worse = granted_elsewhere(31, "ada", 1, 1, NOW);
    assert_eq!(held.put(NOW, Source::Own, &worse), Put::Taken(person(1).public_key(), false));
}

#[test]
fn a_receipt_says_since_when_a_claim_is_held_whoever_held_it_first() {
    let receipt = |put: ClaimPut| match put {
        ClaimPut::Stored(claim) | ClaimPut::Held(claim) => {
            assert_eq!(claim.verify(Network::Lab, NOW), Ok(()));
            claim.witness().map(|receipt| (receipt.since(), receipt.time()))
        }
        other => panic!("{other:?}"),
    };
    let hour = |n: u64| NOW.saturating_add(RECEIPT_RENEWAL * u32::try_from(n).unwrap());
    let (mut here, mut there) = (directory(&Limits::default()), directory(&Limits::default()));
    let young = claim(1, "ada", NOW, 1);
    assert_eq!(receipt(here.put_claim(NOW, Source::Own, &young, &known())), Some((NOW, NOW)));
    // Said anew when an hour has passed.
    let soon = NOW.saturating_add(RECEIPT_RENEWAL / 2);
    assert_eq!(receipt(here.put_claim(soon, Source::Own, &young, &known())), Some((NOW, NOW)));
    assert_eq!(receipt(here.put_claim(hour(1), Source::Own, &young, &known())), Some((NOW, hour(1))));
    // A new holder begins anew, unless enough others say since when they have held it.
    assert_eq!(receipt(there.put_claim(hour(2), Source::Own, &young, &known())), Some((hour(2), hour(2))));
    let mut third = directory(&Limits::default());
    let earlier = NOW.saturating_sub(CLAIM_LIFETIME / 5);
    let old = granted_elsewhere(1, "ada", 2, 3, earlier);
    assert_eq!(receipt(third.put_claim(hour(2), Source::Own, &old, &known())), Some((earlier, hour(2))));
    // And goes on from there after a restart.
    let kept = third.claims(hour(2), old.name()).next().unwrap().clone();
    let mut again = directory(&Limits::default());
    again.restore_claim(hour(3), &kept);
    let renewed = claim(1, "ada", NOW, 3);
    assert_eq!(receipt(again.put_claim(hour(3), Source::Own, &renewed, &known())), Some((earlier, hour(3))));
    // Nobody vouches for what is not proven.
    assert_eq!(receipt(here.put_claim(NOW, Source::Own, &provisional(5, "eve", 1), &known())), None);
}

#[test]
fn a_claim_signed_anew_gets_the_receipt_it_had_and_after_an_hour_another_of_the_same_age() {
    let mut held = directory(&Limits::default());
    let mut witness = |now, claim: &Claim| {
        assert_eq!(held.put(now, Source::Own, claim), Put::Stored);
        held.claims(now, claim.name()).next().and_then(Claim::witness).unwrap().clone()
    };
    let first = witness(NOW, &claim(1, "ada", NOW, 1));
    let (soon, late) = (NOW.saturating_add(RECEIPT_RENEWAL / 2), NOW.saturating_add(RECEIPT_RENEWAL));
    assert_eq!(witness(soon, &granted_elsewhere(1, "ada", 2, 3, NOW)), first);
    let anew = witness(late, &claim(1, "ada", NOW, 3));
    assert_eq!((anew.since(), anew.time()), (NOW, late));
}

#[test]
fn of_too_many_names_in_quarantine_those_free_first_go() {
    let mut held = directory(&Limits { quarantined: 1, ..Limits::default() });
    let later = NOW.saturating_add(Duration::from_secs(60));
    let bob = Claim::proven(&person(2), Username::parse("bob").unwrap(), NOW, 1, later);
    assert_eq!(held.put(NOW, Source::Own, &claim(1, "ada", NOW, 1)), Put::Stored);
    assert_eq!(held.put(later, Source::Own, &bob), Put::Stored);
    held.expire(later.saturating_add(CLAIM_LIFETIME));
    assert_eq!(held.claims.keys().map(Skeleton::as_str).collect::<Vec<_>>(), ["bob"]);
}

#[test]
fn a_proven_claim_replaces_anybodys_provisional_one_and_never_the_other_way_round() {
    let mut held = directory(&Limits::default());
    let first = provisional(1, "ada", 1);
    assert_eq!(held.put(NOW, Source::Own, &first), Put::Stored);
    let second = provisional(2, "ada", 9);
    assert_eq!(held.put(NOW, Source::Own, &second), Put::Taken(first.identity(), false));
    let proven = claim(2, "ada", NOW, 10);
    assert_eq!(held.put(NOW, Source::Own, &proven), Put::Stored);
    assert_eq!(held.put(NOW, Source::Own, &provisional(2, "ada", 11)), Put::Stale);
    let late = claim(1, "ada", NOW, 12);
    assert_eq!(held.put(NOW, Source::Own, &late), Put::Taken(proven.identity(), false));
    // Never proven: free again after its quarter of an hour.
    assert_eq!(held.put(NOW, Source::Own, &provisional(3, "eve", 1)), Put::Stored);
    let later = NOW.saturating_add(PROVISIONAL_LIFETIME);
    assert!(held.owners(later, "eve").is_empty());
}

#[test]
fn a_wrong_proof_is_refused_and_silences_its_prefix_for_a_minute() {
    let mut held = directory(&Limits::default());
    let near = Source::from("9.9.9.1".parse::<IpAddr>().unwrap());
    let name = Username::parse("bob").unwrap();
    // The proof of another claim: its seal is as good as any in the lab.
    let proof = claim(1, "ada", NOW, 1).proof();
    let wrong = Claim::sign(&person(1), Network::Lab, name, NOW, proof, 1, NOW);
    assert_eq!(held.put(NOW, near, &wrong), Put::Invalid(RecordError::Work));
    assert_eq!(held.put(NOW, near, &claim(1, "ada", NOW, 1)), Put::Full);
    assert_eq!(held.put(NOW, near, &provisional(1, "ada", 1)), Put::Stored);
    let far = Source::from("8.8.8.8".parse::<IpAddr>().unwrap());
    assert_eq!(held.put(NOW, far, &claim(1, "ada", NOW, 2)), Put::Stored);
    let later = NOW.saturating_add(WRONG_PROOF_PENALTY);
    assert_eq!(held.put(later, near, &claim(2, "eve", NOW, 1)), Put::Stored);
}

#[test]
fn only_so_many_proofs_are_worked_out_in_a_second_and_known_ones_cost_nothing() {
    let mut held = directory(&Limits { proofs_per_second: 1, ..Limits::default() });
    let near = Source::from("9.9.9.1".parse::<IpAddr>().unwrap());
    let (first, renewal) = (claim(1, "ada", NOW, 1), claim(1, "ada", NOW, 2));
    assert_eq!(held.put(NOW, near, &first), Put::Stored);
    assert_eq!(held.put(NOW, near, &claim(2, "bob", NOW, 1)), Put::Full);
    assert_eq!(held.put(NOW, near, &renewal), Put::Stored);
    held.restore_claim(NOW, &claim(3, "eve", NOW, 1));
    assert!(held.owners(NOW, "eve") == [person(3).public_key()]);
    let later = NOW.saturating_add(Duration::from_secs(1));
    assert_eq!(held.put(later, near, &claim(2, "bob", NOW, 1)), Put::Stored);
}

#[test]
fn a_renewal_needs_a_higher_number_and_no_older_date() {
    let mut held = directory(&Limits::default());
    assert_eq!(held.put(NOW, Source::Own, &claim(1, "ada", NOW, 5)), Put::Stored);
    let earlier = NOW.saturating_sub(Duration::from_secs(1));
    assert_eq!(held.put(NOW, Source::Own, &claim(1, "ada", earlier, 6)), Put::Stale);
    let other = Claim::proven(&person(1), Username::parse("ada").unwrap(), NOW, 4, earlier);
    assert_eq!(held.put(NOW, Source::Own, &other), Put::Stale);
    assert_eq!(held.put(NOW, Source::Own, &claim(1, "ada", NOW, 6)), Put::Stored);
}

#[test]
fn full_means_busy_in_total_and_per_prefix_and_renewals_still_fit() {
    let limits = Limits { claims: 2, claims_per_prefix: 1, introductions: 1, ..Limits::default() };
    let mut held = directory(&limits);
    let near = Source::from("9.9.9.1".parse::<IpAddr>().unwrap());
    assert_eq!(held.put(NOW, near, &claim(1, "ada", NOW, 1)), Put::Stored);
    assert_eq!(held.put(NOW, near, &claim(2, "bob", NOW, 1)), Put::Full);
    assert_eq!(held.put(NOW, near, &claim(1, "ada", NOW, 2)), Put::Stored);
    assert_eq!(held.put(NOW, Source::Own, &claim(2, "bob", NOW, 1)), Put::Stored);
    assert_eq!(held.put(NOW, Source::Own, &claim(3, "eve", NOW, 1)), Put::Full);

    assert_eq!(held.put_introduction(NOW, &introduction(1, 1)), IntroductionPut::Stored);
    assert_eq!(held.put_introduction(NOW, &introduction(2, 1)), IntroductionPut::Full);
    assert_eq!(held.put_introduction(NOW, &introduction(1, 2)), IntroductionPut::Stored);
    assert_eq!(held.put_introduction(NOW, &introduction(1, 1)), IntroductionPut::Stale);
}

#[test]
fn what_expired_or_belongs_elsewhere_is_neither_taken_nor_given() {
    let mut held = Directory::new(Network::Main, holder(100), &Limits::default());
    let stranger = claim(1, "ada", NOW, 1);
    assert_eq!(held.put(NOW, Source::Own, &stranger), Put::Invalid(RecordError::Network));
    assert_eq!(
        held.put_introduction(NOW, &introduction(1, 1)),
        IntroductionPut::Invalid(RecordError::Network)
    );
    let mut held = directory(&Limits::default());
    assert_eq!(held.put_introduction(NOW, &introduction(1, 1)), IntroductionPut::Stored);
    assert_eq!(held.put(NOW, Source::Own, &stranger), Put::Stored);
    let later = NOW.saturating_add(CLAIM_LIFETIME);
    assert!(held.introduction(later, &person(1).public_key()).is_none());
    assert!(held.owners(later, "ada").is_empty());
    held.expire(later.saturating_add(QUARANTINE));
    assert!(
        held.claims.is_empty()
            && held.count == 0
            && held.introductions.is_empty()
            && held.per_prefix.is_empty()
    );
}
