//! Forgetting past calls, because the person wants it. What the other end remembers is theirs.

use super::{actor::Actor, view::ContactId};
use crate::reason::Reason;
use relay::UnixTime;

impl Actor {
    /// One that is gone already, by another press or because the oldest gave way, is no mistake.
    pub(super) fn forget_call(&mut self, with: ContactId, began: UnixTime) -> Result<(), Reason> {
        let now = self.now().unix;
        self.storage.forget_call(with, began, now)?;
        self.read_lists();
        Ok(())
    }

    pub(super) fn forget_calls(&mut self) -> Result<(), Reason> {
        let now = self.now().unix;
        self.storage.forget_calls(now)?;
        self.read_lists();
        Ok(())
    }
}
