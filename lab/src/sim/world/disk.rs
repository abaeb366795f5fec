//! What a supernode of the world has on its disk: claims as bytes, for there are twenty copies of each.

use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use overlay::{PublicKey, Username, claim::Claim, wire};

/// The last of each claim written, by a hash of its name and key.
#[derive(Default)]
pub(super) struct Disk(BTreeMap<u64, Box<[u8]>>);

impl Disk {
    pub(super) fn write(&mut self, claim: &Claim) {
        self.0.insert(hash(claim.name(), &claim.identity()), wire::to_bytes(claim).into());
    }

    pub(super) fn read(&self, name: &Username, owner: &PublicKey) -> Option<Claim> {
        wire::from_bytes(self.0.get(&hash(name, owner))?).ok()
    }

    pub(super) fn claims(&self) -> impl Iterator<Item = Claim> {
        self.0.values().filter_map(|bytes| wire::from_bytes(bytes).ok())
    }
}

fn hash(name: &Username, owner: &PublicKey) -> u64 {
    let mut hasher = DefaultHasher::new();
    (name.as_str(), owner.bytes()).hash(&mut hasher);
    hasher.finish()
}
