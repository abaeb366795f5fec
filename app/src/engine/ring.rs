//! The ring of supernodes, as this computer knows it: asked for while somebody looks at it.

use super::actor::{Actor, Done};
use overlay::outcome::Ring;
use std::sync::Arc;

impl Actor {
    pub(super) fn look_at_ring(&mut self) {
        let overlay = self.overlay.clone();
        self.jobs.spawn(async move { Done::RingSeen(overlay.ring().await) });
    }

    pub(super) fn ring_seen(&mut self, ring: Option<Ring>) {
        self.picture.view.ring = ring.map(Arc::new);
    }
}
