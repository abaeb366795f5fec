//! The order of claims that stand against each other: the same for everybody who sees the same, and never a choice.
//!
//! ```text
//! 1. established before proven before provisional before pending
//! 2. both established: the one its holders have held longer (median of the receipts that count)
//! 3. receipts from more of the name's holders, most of them being as good as all
//! 4. the lower hash of the proof of work
//! 5. the smaller key, then the name first in the alphabet
//! ```

use std::{
    cmp::{Ordering, Reverse},
    fmt,
};

use relay::UnixTime;

use super::{Claim, Evidence, Standing};
use crate::{identity::PublicKey, username::Username};

/// What a claim is ranked by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contender {
    standing: Standing,
    since: Option<UnixTime>,
    holders: usize,
    work: [u8; 32],
    key: PublicKey,
    name: Username,
}

/// Why a claim stands where it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RankReason {
    /// Nobody else claims the name.
    Alone,
    /// It is the first, and differs so from the second.
    Ahead(Difference),
    /// It differs so from the one before it.
    Behind(Difference),
}

/// The first thing in which two claims differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Difference {
    /// One is established, proven or provisional, the other is less.
    Standing,
    /// One was held earlier.
    Age,
    /// One has receipts from more independent holders.
    Receipts,
    /// Nothing but the hashes of their proofs.
    Proof,
    /// Nothing but their keys.
    Key,
}

impl Contender {
    /// A claim and what its receipts are worth to us.
    pub fn new(claim: &Claim, evidence: &Evidence) -> Self {
        let standing = evidence.standing(claim);
        Self {
            standing,
            since: evidence.since.filter(|_| standing == Standing::Established),
            holders: evidence.holders.min(evidence.most),
            work: claim.work_id().unwrap_or([0xff; 32]),
            key: claim.identity(),
            name: claim.name().clone(),
        }
    }

    /// What it is worth.
    pub fn standing(&self) -> Standing {
        self.standing
    }

    /// How two claims are ordered, the first one first, and by what.
    pub fn compare(&self, other: &Self) -> (Ordering, Difference) {
        let steps = [
            (Reverse(self.standing).cmp(&Reverse(other.standing)), Difference::Standing),
            (self.since.cmp(&other.since), Difference::Age),
            (Reverse(self.holders).cmp(&Reverse(other.holders)), Difference::Receipts),
            (self.work.cmp(&other.work), Difference::Proof),
        ];
        let first = steps.into_iter().find(|(order, _)| order.is_ne());
        first.unwrap_or_else(|| ((self.key, &self.name).cmp(&(other.key, &other.name)), Difference::Key))
    }
}

/// Orders claims and says of each why it stands where it does: the positions of `contenders`, the first one first.
pub fn rank(contenders: &[Contender]) -> Vec<(usize, RankReason)> {
    let mut order: Vec<(usize, &Contender)> = contenders.iter().enumerate().collect();
    order.sort_by(|(_, a), (_, b)| a.compare(b).0);
    let reasons = order.iter().enumerate().map(|(place, (_, contender))| {
        let (next, before) = (order.get(place + 1), place.checked_sub(1).and_then(|at| order.get(at)));
        match (before, next) {
            (Some((_, before)), _) => RankReason::Behind(contender.compare(before).1),
            (None, Some((_, next))) => RankReason::Ahead(contender.compare(next).1),
            (None, None) => RankReason::Alone,
        }
    });
    let reasons: Vec<RankReason> = reasons.collect();
    order.into_iter().map(|(position, _)| position).zip(reasons).collect()
}

/// A sentence for people.
impl fmt::Display for RankReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Alone => "Nobody else claims this name.",
            Self::Ahead(Difference::Standing) => "It is better proven than the others.",
            Self::Ahead(Difference::Age) => "Independent computers have held it longest.",
            Self::Ahead(Difference::Receipts) => "More independent computers vouch for it.",
            Self::Ahead(Difference::Proof | Difference::Key) => {
                "Nothing that matters tells it from the next; the order is drawn by lot."
            }
            Self::Behind(Difference::Standing) => "It is less proven than the one above.",
            Self::Behind(Difference::Age) => "The one above has been held longer.",
            Self::Behind(Difference::Receipts) => "More independent computers vouch for the one above.",
            Self::Behind(Difference::Proof | Difference::Key) => {
                "Nothing that matters tells it from the one above; the order is drawn by lot."
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contender(standing: Standing, since: u64, holders: usize, work: u8, key: u8) -> Contender {
        Contender {
            standing,
            since: (standing == Established).then_some(UnixTime::from_secs(since)),
            holders,
            work: [work; 32],
            key: PublicKey::from_bytes([key; 32]),
            name: Username::parse("ada").unwrap(),
        }
    }

    use Standing::{Established, Proven, Provisional};

    #[test]
    fn each_rule_decides_only_what_those_before_it_leave_open() {
        let ordered = [
            contender(Established, 1, 3, 9, 9),
            contender(Established, 2, 8, 1, 1),
            contender(Proven, 0, 8, 9, 9),
            contender(Proven, 0, 3, 2, 9),
            contender(Proven, 0, 3, 3, 1),
            contender(Provisional, 0, 0, 255, 1),
            contender(Provisional, 0, 0, 255, 2),
        ];
        let reasons: Vec<RankReason> = rank(&ordered).into_iter().map(|(_, reason)| reason).collect();
        use Difference::{Age, Key, Proof, Receipts};
        assert_eq!(
            reasons,
            [
                RankReason::Ahead(Age),
                RankReason::Behind(Age),
                RankReason::Behind(Difference::Standing),
                RankReason::Behind(Receipts),
                RankReason::Behind(Proof),
                RankReason::Behind(Difference::Standing),
                RankReason::Behind(Key),
            ]
        );
        // Whatever the order in which they came.
        for turn in 0..ordered.len() {
            let mut turned = ordered.to_vec();
            turned.rotate_left(turn);
            turned.swap(0, 3);
            let ranked: Vec<Contender> =
                rank(&turned).into_iter().map(|(position, _)| turned[position].clone()).collect();
            assert_eq!(ranked, ordered);
        }
    }

    #[test]
    fn alone_is_alone_and_nobody_is_nobody() {
        assert_eq!(rank(&[contender(Proven, 0, 1, 1, 1)]), [(0, RankReason::Alone)]);
        assert_eq!(rank(&[]), []);
    }
}
