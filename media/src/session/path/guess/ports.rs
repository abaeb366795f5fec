//! In which order ports of the hard side are tried.

use std::collections::BTreeSet;

use rand::rngs::StdRng;
use rand::seq::index;

/// Translators give no port below this for one above it (RFC 4787 §4.2.2), and whoever lives there is left in peace.
const LOWEST: u16 = 1024;
/// Ports that lie further apart were not counted one after the other.
const NEIGHBOURS: u16 = 64;
/// Steps ahead of the highest port seen, and behind the lowest.
const AHEAD: u16 = 32;
const BEHIND: u16 = 8;

/// Up to `most` different ports: those that follow from the ones seen, then others by lot.
pub(super) fn plan(random: &mut StdRng, seen: &[u16], most: usize) -> Vec<u16> {
    let mut plan = predicted(seen);
    plan.truncate(most);
    let first: BTreeSet<u16> = plan.iter().copied().collect();
    let all = usize::from(u16::MAX - LOWEST) + 1;
    let drawn = index::sample(random, all, most.min(all)).into_iter();
    let drawn = drawn.filter_map(|nth| u16::try_from(nth).ok()).map(|nth| LOWEST + nth);
    plan.extend(drawn.filter(|port| !first.contains(port)).take(most - first.len()));
    plan
}

/// What a translator that counts, by ones or by more, takes next: it may have served others meanwhile, and may count down.
fn predicted(seen: &[u16]) -> Vec<u16> {
    let seen: Vec<u16> = seen.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
    let steps: Vec<u16> = seen.windows(2).map(|two| two[1] - two[0]).collect();
    let (Some(step), Some(widest)) = (steps.iter().min(), steps.iter().max()) else { return Vec::new() };
    let (Some(lowest), Some(highest)) = (seen.first(), seen.last()) else { return Vec::new() };
    if *widest > NEIGHBOURS {
        return Vec::new();
    }
    let ahead = (1..=AHEAD).filter_map(|nth| highest.checked_add(step.checked_mul(nth)?));
    let behind = (1..=BEHIND).filter_map(|nth| lowest.checked_sub(step.checked_mul(nth)?));
    let near = (1..=NEIGHBOURS).filter_map(|nth| highest.checked_add(nth));
    let mut told = BTreeSet::new();
    ahead.chain(behind).chain(near).filter(|port| *port >= LOWEST && told.insert(*port)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::SeedableRng as _;

    #[test]
    fn ports_that_are_counted_are_followed_first() {
        assert_eq!(predicted(&[20_007, 20_014])[..3], [20_021, 20_028, 20_035]);
        assert_eq!(predicted(&[40_003, 40_001, 40_002])[..2], [40_004, 40_005]);
        let plan = plan(&mut StdRng::seed_from_u64(1), &[40_001, 40_002], 1500);
        assert_eq!((plan[0], plan.len()), (40_003, 1500));
    }

    #[test]
    fn ports_far_apart_and_a_single_one_predict_nothing() {
        for seen in [&[][..], &[40_000], &[1024, 1024], &[2000, 60_000], &[2000, 2001, 2100]] {
            assert_eq!(predicted(seen), [0; 0], "{seen:?}");
        }
    }

    proptest! {
        #[test]
        fn no_port_is_tried_twice_and_none_that_is_nobodys(
            seed: u64,
            seen in proptest::collection::vec(any::<u16>(), 0..6),
            near in 0..u16::MAX - 200,
        ) {
            for seen in [seen, vec![near, near + 3, near + 60]] {
                let plan = plan(&mut StdRng::seed_from_u64(seed), &seen, 1500);
                let different: BTreeSet<u16> = plan.iter().copied().collect();
                prop_assert_eq!((plan.len(), different.len()), (1500, 1500));
                prop_assert!(different.first() >= Some(&LOWEST));
            }
        }
    }
}
