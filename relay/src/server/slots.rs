//! Where allocations live: a table of slots that are used again, found by index, so that the fast path does one hash
//! per packet and none for the second allocation of a call.

use super::AllocationId;
use super::allocation::Allocation;

/// Grows to the most allocations there ever were at one time, and no further.
#[derive(Debug, Default)]
pub(super) struct Slots {
    slots: Vec<Slot>,
    free: Vec<u32>,
    used: usize,
}

/// A slot's generation goes up each time it is freed: an old id never finds a new allocation.
#[derive(Debug)]
struct Slot {
    generation: u32,
    allocation: Option<Box<Allocation>>,
}

impl Slots {
    pub(super) const fn len(&self) -> usize {
        self.used
    }

    pub(super) fn insert(&mut self, allocation: Allocation) -> AllocationId {
        self.used += 1;
        let allocation = Some(Box::new(allocation));
        if let Some(index) = self.free.pop()
            && let Some(slot) = self.slots.get_mut(index as usize)
        {
            slot.allocation = allocation;
            return AllocationId::new(index, slot.generation);
        }
        let index = u32::try_from(self.slots.len()).unwrap_or(u32::MAX);
        self.slots.push(Slot { generation: 0, allocation });
        AllocationId::new(index, 0)
    }

    pub(super) fn get(&self, id: AllocationId) -> Option<&Allocation> {
        let slot = self.slots.get(id.slot()).filter(|slot| slot.generation == id.generation())?;
        slot.allocation.as_deref()
    }

    /// Whatever is in a slot, and its name.
    pub(super) fn at(&self, index: u32) -> Option<(AllocationId, &Allocation)> {
        let slot = self.slots.get(index as usize)?;
        let allocation = slot.allocation.as_deref()?;
        Some((AllocationId::new(index, slot.generation), allocation))
    }

    pub(super) fn get_mut(&mut self, id: AllocationId) -> Option<&mut Allocation> {
        let slot = self.slots.get_mut(id.slot()).filter(|slot| slot.generation == id.generation())?;
        slot.allocation.as_deref_mut()
    }

    pub(super) fn remove(&mut self, id: AllocationId) -> Option<Box<Allocation>> {
        let slot = self.slots.get_mut(id.slot()).filter(|slot| slot.generation == id.generation())?;
        let gone = slot.allocation.take()?;
        slot.generation = slot.generation.wrapping_add(1);
        self.free.push(id.index());
        self.used -= 1;
        Some(gone)
    }
}
