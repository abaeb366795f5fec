//! Presence: handing our contacts the secret under which they see us, and seeing which of them are there.
//!
//! ```text
//!   a contact is new, or our secret is ─▶ untold ─Note::Presence, by envelope or letter─▶ told
//!   Note::Presence of a contact ─▶ watched ─▶ here / gone          (and answered, if they do not know ours)
//!   a contact is removed or blocked ─▶ our secret is another one, and everybody left is untold
//! ```
//! Whoever is no contact of ours, or is blocked, is told nothing, and heard about nothing.

use super::{
    OwnName,
    actor::{Actor, Done},
    event::EventBody,
};
use crate::{note::Note, storage::Setting};
use overlay::{PresenceSecret, PublicKey, SendError};
use relay::UnixTime;
use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};
use tokio::time::sleep_until;

/// What the engine knows of telling and watching.
#[derive(Debug, Default)]
pub(super) struct Presence {
    /// Ours.
    secret: Option<PresenceSecret>,
    /// Who is being told now: one after the other.
    telling: Option<PublicKey>,
    /// Who could not be told; tried again when they are heard of, or at the next start.
    tried: BTreeSet<PublicKey>,
    /// What the node was given last, and whether it is being given something.
    given: Given,
    giving: bool,
    /// Nobody is told earlier.
    tell_from: Option<Instant>,
}

/// After coming online contacts are told this much later: by then our presence lies where they will look.
const TELL_AFTER: Duration = Duration::from_millis(1_500);
/// They are told one after the other, with this pause.
const BETWEEN: Duration = Duration::from_millis(200);

/// Our secret, and whom to watch by theirs.
type Given = (Option<PresenceSecret>, Vec<(PublicKey, PresenceSecret)>);

impl Actor {
    /// Contacts, or our secret, may have changed: the node and those contacts must know.
    pub(super) fn follow_contacts(&mut self) {
        if self.config.own_name == OwnName::Leave {
            // Gone again in a moment.
            return;
        }
        self.read_secret();
        self.give();
        self.tell_next();
    }

    /// The network is there.
    pub(super) fn appear(&mut self) {
        self.presence.tell_from = Some(self.now().instant + TELL_AFTER);
        self.follow_contacts();
    }

    /// A contact handed its secret over.
    pub(super) fn presence_handed(&mut self, from: PublicKey, secret: PresenceSecret, knows_ours: bool) {
        if self.contacts.iter().all(|contact| contact.key != from) {
            return;
        }
        let kept = self.storage.set_presence_secret(from, secret);
        self.kept(kept);
        if !knows_ours {
            let kept = self.storage.forget_told(from);
            self.kept(kept);
        }
        self.presence.tried.remove(&from);
        self.read_lists();
    }

    /// A contact was told, or not.
    pub(super) fn told(&mut self, who: PublicKey, secret: PresenceSecret, result: Result<(), SendError>) {
        self.presence.telling = None;
        match result {
            Ok(()) => {
                let kept = self.storage.set_told(who, secret);
                self.kept(kept);
                self.read_lists();
            }
            Err(error) => {
                tracing::debug!(%error, "a contact was not told how to see us");
                self.presence.tried.insert(who);
                self.tell_next();
            }
        }
    }

    /// The node was given what it was to be given.
    pub(super) fn given(&mut self) {
        self.presence.giving = false;
        self.give();
    }

    /// What a contact said, or that it says nothing any more.
    pub(super) fn contact_seen(&mut self, who: PublicKey, seen: Option<UnixTime>) {
        if self.is_blocked(who) {
            // Found before the node knew that nobody asks any more.
            return;
        }
        let kept = self.storage.set_seen(who, seen);
        self.kept(kept);
        self.read_lists();
        let last_seen = self.contacts.iter().find(|contact| contact.key == who).and_then(|c| c.seen);
        if seen.is_some() && self.presence.tried.remove(&who) {
            self.tell_next();
        }
        let body = EventBody::Presence { person: self.person(who, ""), here: seen.is_some(), last_seen };
        self.tell(None, body);
    }

    /// Ours; a new one when there is none, which is so after a contact was removed or blocked.
    fn read_secret(&mut self) {
        let kept = match self.storage.setting(Setting::PresenceSecret) {
            Ok(kept) => kept,
            Err(error) => return self.complain(None, error.into()),
        };
        let bytes = kept.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok()).unwrap_or_else(|| {
            let fresh: [u8; 32] = rand::random();
            let kept = self.storage.set(Setting::PresenceSecret, &fresh);
            self.kept(kept);
            fresh
        });
        let secret = Some(PresenceSecret::from_bytes(bytes));
        if self.presence.secret != secret {
            self.presence.secret = secret;
            self.presence.tried.clear();
        }
    }

    /// Gives the node our secret and those of contacts, if they are others than before; one job at a time keeps the order.
    fn give(&mut self) {
        let heard = self.contacts.iter().filter(|contact| !self.is_blocked(contact.key));
        let watched = heard.filter_map(|contact| Some((contact.key, contact.presence?)));
        let new: Given = (self.presence.secret, watched.collect());
        if self.presence.giving || self.presence.given == new {
            return;
        }
        self.presence.giving = true;
        self.presence.given = new.clone();
        let overlay = self.overlay.clone();
        self.jobs.spawn(async move {
            overlay.set_presence_secret(new.0).await;
            overlay.watch(new.1).await;
            Done::PresenceGiven
        });
    }

    /// Tells the next contact that does not know our secret.
    fn tell_next(&mut self) {
        let Some(secret) = self.presence.secret.filter(|_| self.online && self.presence.telling.is_none())
        else {
            return;
        };
        let untold = self.contacts.iter().find(|contact| {
            contact.told != Some(secret)
                && !self.presence.tried.contains(&contact.key)
                && !self.is_blocked(contact.key)
        });
        let Some(contact) = untold else { return };
        let who = contact.key;
        let note = Note::Presence { secret, knows_yours: contact.presence.is_some() }.encode();
        self.presence.telling = Some(who);
        let overlay = self.overlay.clone();
        let soon = self.now().instant + BETWEEN;
        let from = self.presence.tell_from.map_or(soon, |from| from.max(soon));
        self.jobs.spawn(async move {
            sleep_until(from.into()).await;
            let result = match overlay.send(who, note.clone()).await {
                Err(SendError::NotReachable) => overlay.leave(who, note).await,
                result => result,
            };
            Done::Told(who, secret, result)
        });
    }
}
