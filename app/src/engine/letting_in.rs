//! Letting in: a stranger's call rings as soon as they are a contact, however they became one.

use super::{actor::Actor, view::Attempt};

impl Actor {
    /// Who is a contact now rings; who is blocked waits no more.
    pub(super) fn let_in(&mut self) {
        let now = self.now();
        for key in self.line.waiting().collect::<Vec<_>>() {
            if self.is_blocked(key) {
                self.line.send_away(key);
            } else if self.contacts.iter().any(|contact| contact.key == key) {
                let welcome = self.welcome(key);
                self.line.admit(now, key, welcome);
            }
        }
    }

    /// Shows which of the strangers who called are still calling.
    pub(super) fn show_who_waits(&mut self) {
        let now = self.now();
        for row in &mut self.picture.view.requests {
            let waits = self.line.is_waiting(now, row.key);
            row.attempt = if waits { Attempt::Now } else { Attempt::Past };
        }
    }
}
