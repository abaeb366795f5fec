//! How loud people are heard: a contact as it was chosen once, anybody else for this call.

use super::actor::Actor;
use super::view::ContactId;
use crate::reason::Reason;
use media::mix::Volume;

impl Actor {
    /// Counts at once where it is them we talk to.
    pub(super) fn set_volume(&mut self, of: ContactId, volume: Volume) -> Result<(), Reason> {
        if let ContactId::Person(key) = of {
            // Of a stranger nothing is kept.
            self.storage.set_volume(key, volume)?;
        }
        if let Some(call) = self.picture.view.call.as_mut().filter(|call| call.with == of) {
            call.volume = volume;
            if let Some(running) = &self.session {
                running.session.set_volume(volume)?;
            }
        }
        Ok(())
    }

    /// How loud they are heard when a call with them begins.
    pub(super) fn volume_of(&self, with: ContactId) -> Volume {
        let ContactId::Person(key) = with else { return Volume::AS_SENT };
        self.storage.volume(key).unwrap_or_else(|error| {
            tracing::warn!(%error, "how loud a contact is heard could not be read");
            Volume::AS_SENT
        })
    }
}
