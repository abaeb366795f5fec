//! "Can people call me?", asked from the window.

use super::actor::{Actor, Done};
use super::errand::diagnose;
use super::view::{NetworkCheck, NetworkFound};
use crate::reason::Reason;

impl Actor {
    /// Finds out how this computer stands; it takes seconds, and a question meanwhile changes nothing.
    pub(super) fn check_network(&mut self) {
        if self.picture.view.network_check == NetworkCheck::Looking {
            return;
        }
        self.picture.view.network_check = NetworkCheck::Looking;
        let overlay = self.overlay.clone();
        self.jobs.spawn(async move {
            let found = diagnose(&overlay).await;
            Done::NetworkChecked(found.map(|diagnosis| Box::new(diagnosis.found())))
        });
    }

    pub(super) fn network_checked(&mut self, found: Option<Box<NetworkFound>>) {
        self.picture.view.network_check = match found {
            Some(found) => NetworkCheck::Found(found),
            None => {
                self.refuse(None, Reason::Internal("the node stopped".into()));
                NetworkCheck::Idle
            }
        };
    }
}
