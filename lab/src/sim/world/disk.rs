//! What a supernode of the world has on its disk: claims as bytes, for there are twenty copies of each.

use std::collections::BTreeMap;

use overlay::{PublicKey, claim::Claim, wire};

/// The last of each claim written.
#[derive(Default)]
pub(super) struct Disk(BTreeMap<(Box<str>, PublicKey), Box<[u8]>>);

impl Disk {
    pub(super) fn write(&mut self, claim: &Claim) {
        self.0.insert((claim.name().as_str().into(), claim.identity()), wire::to_bytes(claim).into());
    }

    pub(super) fn read(&self, of: &(Box<str>, PublicKey)) -> Option<Claim> {
        wire::from_bytes(self.0.get(of)?).ok()
    }

    pub(super) fn claims(&self) -> impl Iterator<Item = Claim> {
        self.0.values().filter_map(|bytes| wire::from_bytes(bytes).ok())
    }
}
