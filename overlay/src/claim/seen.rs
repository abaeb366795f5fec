//! What a reader has seen: whoever shows an older claim than that is behind, or lies.

use std::collections::{BTreeMap, VecDeque};

use minicbor::{Decode, Encode};

use super::Claim;
use crate::{identity::PublicKey, username::Username, wire::Bounded};

/// Claims remembered; when full, the one seen first is forgotten.
pub const MAX_SEEN: usize = 1_024;

/// The highest number of a claim that was seen, per key and name.
#[derive(Debug, Default)]
pub struct Seen {
    highest: BTreeMap<(PublicKey, Username), u64>,
    order: VecDeque<(PublicKey, Username)>,
}

/// As it is kept across restarts.
pub type Kept = Bounded<Sighting, MAX_SEEN>;

/// One claim that was seen.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Sighting {
    #[n(0)]
    key: PublicKey,
    #[n(1)]
    name: Username,
    #[n(2)]
    seq: u64,
}

impl Seen {
    /// What was kept.
    pub fn restore(kept: Kept) -> Self {
        let mut seen = Self::default();
        for Sighting { key, name, seq } in kept.into_vec() {
            seen.remember((key, name), seq);
        }
        seen
    }

    /// What to keep.
    pub fn keep(&self) -> Kept {
        let seen = self.order.iter().filter_map(|of| {
            let seq = *self.highest.get(of)?;
            Some(Sighting { key: of.0, name: of.1.clone(), seq })
        });
        Bounded::take(seen)
    }

    /// Whether a newer one was seen.
    pub fn is_rolled_back(&self, claim: &Claim) -> bool {
        let highest = self.highest.get(&(claim.identity(), claim.name().clone()));
        highest.is_some_and(|seq| *seq > claim.seq())
    }

    /// Remembers a verified claim; whether that is news.
    pub fn note(&mut self, claim: &Claim) -> bool {
        let of = (claim.identity(), claim.name().clone());
        let news = self.highest.get(&of).is_none_or(|seq| *seq < claim.seq());
        if news {
            self.remember(of, claim.seq());
        }
        news
    }

    fn remember(&mut self, of: (PublicKey, Username), seq: u64) {
        if self.highest.insert(of.clone(), seq).is_some() {
            return;
        }
        self.order.push_back(of);
        if self.order.len() > MAX_SEEN
            && let Some(first) = self.order.pop_front()
        {
            self.highest.remove(&first);
        }
    }
}

#[cfg(test)]
mod tests {
    use relay::UnixTime;

    use super::*;
    use crate::{identity::Identity, wire};

    const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

    fn claim(name: &str, seq: u64) -> Claim {
        let name = Username::parse(name).unwrap();
        Claim::sign(&Identity::from_secret([1; 32]), crate::Network::Lab, name, NOW, None, seq, NOW)
    }

    #[test]
    fn older_claims_are_known_for_what_they_are_also_after_a_restart() {
        let mut seen = Seen::default();
        assert!(seen.note(&claim("ada", 5)));
        assert!(!seen.note(&claim("ada", 5)) && !seen.note(&claim("ada", 4)));
        let kept = wire::from_bytes::<Kept>(&wire::to_bytes(&seen.keep())).unwrap();
        for seen in [seen, Seen::restore(kept)] {
            assert!(seen.is_rolled_back(&claim("ada", 4)));
            assert!(!seen.is_rolled_back(&claim("ada", 5)) && !seen.is_rolled_back(&claim("bob", 1)));
        }
    }

    #[test]
    fn no_more_is_remembered_than_there_is_room_for() {
        let mut seen = Seen::default();
        for n in 0..MAX_SEEN + 10 {
            seen.note(&claim(&format!("user{n}"), 5));
        }
        assert_eq!((seen.highest.len(), seen.order.len(), seen.keep().len()), (MAX_SEEN, MAX_SEEN, MAX_SEEN));
        assert!(!seen.is_rolled_back(&claim("user9", 1)) && seen.is_rolled_back(&claim("user10", 1)));
    }
}
