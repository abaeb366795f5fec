//! Finds the slot of an allocation by a hash: eight bytes an entry, so that the whole table of thousands stays in the
//! processor's cache and a look-up waits for memory only once, for the allocation itself.
//!
//! ```text
//!   hash of a client ──► | tag, slot | tag, slot |  empty  | tag, slot |     at most half full; collisions go right
//!                             └──► does the allocation in that slot say the same?
//! ```

/// Places of an index that holds anything; doubled whenever half of them are taken.
const LEAST_PLACES: usize = 16;

/// Open addressing over keyed hashes. What is the same is decided by whoever asks.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// None or a power of two.
    places: Vec<Option<Place>>,
    used: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    /// The low half of the hash: where its search begins, and nearly always whether it is the one.
    tag: u32,
    /// One more than the slot, so that nothing needs no room.
    next_slot: std::num::NonZeroU32,
}

impl Index {
    /// The first slot with this hash that `is_it` says is the one.
    pub(super) fn find(&self, hash: u64, mut is_it: impl FnMut(u32) -> bool) -> Option<u32> {
        let tag = hash as u32;
        self.from(tag).map_while(|place| self.places[place]).find_map(|place| {
            let slot = place.next_slot.get() - 1;
            (place.tag == tag && is_it(slot)).then_some(slot)
        })
    }

    /// Adds a slot that is not there yet.
    pub(super) fn insert(&mut self, hash: u64, slot: u32) {
        if self.places.len() < 2 * (self.used + 1) {
            let room = (2 * self.places.len()).max(LEAST_PLACES);
            let old = std::mem::replace(&mut self.places, vec![None; room]);
            old.into_iter().flatten().for_each(|place| self.put(place));
        }
        if let Some(next_slot) = slot.checked_add(1).and_then(std::num::NonZeroU32::new) {
            self.put(Place { tag: hash as u32, next_slot });
            self.used += 1;
        }
    }

    /// Removes a slot, and moves those behind it so that every search still finds its own.
    pub(super) fn remove(&mut self, hash: u64, slot: u32) {
        let (tag, mask) = (hash as u32, self.places.len().wrapping_sub(1));
        let is_it = |place: &Place| place.tag == tag && place.next_slot.get() - 1 == slot;
        let found = self.from(tag).take_while(|at| self.places[*at].is_some());
        let Some(mut hole) = found.into_iter().find(|at| self.places[*at].as_ref().is_some_and(is_it)) else {
            return;
        };
        self.places[hole] = None;
        self.used -= 1;
        let mut at = (hole + 1) & mask;
        while let Some(place) = self.places[at] {
            let (home, far) = (place.tag as usize & mask, |from: usize| at.wrapping_sub(from) & mask);
            // It may move into the hole if its search passes there.
            if far(home) >= far(hole) {
                self.places[hole] = Some(place);
                self.places[at] = None;
                hole = at;
            }
            at = (at + 1) & mask;
        }
    }

    #[cfg(test)]
    pub(super) const fn len(&self) -> usize {
        self.used
    }

    fn put(&mut self, place: Place) {
        let free = self.from(place.tag).find(|at| self.places[*at].is_none());
        if let Some(at) = free {
            self.places[at] = Some(place);
        }
    }

    /// All places in the order a search visits them.
    fn from(&self, tag: u32) -> impl Iterator<Item = usize> + use<> {
        let count = self.places.len();
        (0..count).map(move |step| (tag as usize + step) & (count - 1))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_index_holds_what_a_map_holds(steps in prop::collection::vec((0..40u32, 0..8u64, any::<bool>()), 1..300)) {
            // Few different hashes, so that they collide, and wrap around the end of the table.
            let hash = |of: u64| of * 3 + 0xFFFF_FFF0;
            let (mut index, mut map) = (Index::default(), BTreeMap::new());
            for (slot, of, adds) in steps {
                match map.get(&slot).copied() {
                    None if adds => {
                        index.insert(hash(of), slot);
                        map.insert(slot, hash(of));
                    }
                    Some(hash) if !adds => {
                        index.remove(hash, slot);
                        map.remove(&slot);
                    }
                    None | Some(_) => {}
                }
                prop_assert_eq!(index.len(), map.len());
                for slot in 0..40 {
                    for of in 0..8 {
                        let found = index.find(hash(of), |it| it == slot);
                        prop_assert_eq!(found.is_some(), map.get(&slot) == Some(&hash(of)));
                    }
                }
            }
        }
    }

    #[test]
    fn nothing_is_found_in_an_empty_index_and_removing_from_it_is_nothing() {
        let mut index = Index::default();
        index.remove(7, 7);
        assert_eq!(index.find(7, |_| true), None);
    }
}
