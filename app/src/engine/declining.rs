//! Declining with a reply. Contacts say something to each other so, and nobody else does: neither is a stranger told
//! anything, nor is what one says shown.

use super::actor::Actor;
use super::view::ContactId;
use crate::call::{Ended, Reply};
use crate::reason::Reason;

impl Actor {
    /// Declines the call that rings here, and says this to whoever calls, if they are a contact.
    pub(super) fn decline_with(&mut self, reply: Reply) -> Result<(), Reason> {
        let with = self.line.current().map(|(_, with)| with);
        let reply = with.is_some_and(|with| self.knows(with)).then_some(reply);
        self.line.decline(self.now(), reply)
    }

    /// What ended with somebody, without what they said if they are no contact.
    pub(super) fn said_by_contact(&self, with: ContactId, mut ended: Ended) -> Ended {
        if let Reason::Declined(reply) = &mut ended.reason
            && !self.knows(with)
        {
            *reply = None;
        }
        ended
    }

    fn knows(&self, who: ContactId) -> bool {
        self.contacts.iter().any(|contact| ContactId::Person(contact.key) == who)
    }
}
