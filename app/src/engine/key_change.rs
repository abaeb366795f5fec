//! Names of contacts that other keys have now: noticed with every lookup, decided by the person alone.
//!
//! ```text
//!   a lookup of a contact's name finds   the pinned key, perhaps among others   nothing changed
//!                                        nobody                                 nothing is known
//!                                        others alone                           changed ──▶ kept | trusted
//! ```
//! Until it is decided, and after it was kept, calls of the contact go to the pinned key, and the name stands for nobody.

use super::{
    actor::Actor,
    errand,
    people::{Purpose, refuse_blocked},
};
use crate::{
    reason::Reason,
    storage::{Contact, KeyChange, Storage, StorageError},
};
use overlay::{FoundClaim, PublicKey, Username};

impl Actor {
    /// Asks the network who has the name of a contact now, beside a call of it; names that were never claimed are nobody's.
    pub(super) fn ask_for_name_of(&mut self, key: PublicKey) {
        let contact = self.contacts.iter().find(|contact| contact.key == key);
        if let Some(name) = contact.and_then(|contact| Username::parse(&contact.name).ok()) {
            self.look_up(name, Purpose::Watch);
        }
    }

    /// A lookup is back: whether contacts of that name have another key. What is new is told at once; who asked for the name
    /// is told by what became of their wish.
    pub(super) fn watch_name(&mut self, name: &Username, claims: &[FoundClaim], purpose: Purpose) {
        let noted = watch(name, claims, &mut self.storage).unwrap_or_else(|error| {
            self.complain(None, error.into());
            Vec::new()
        });
        for KeyChange { pinned, found } in noted {
            let (pinned, found) = (pinned.fingerprint(), found.fingerprint());
            let changed = Reason::KeyChanged { name: name.to_string(), pinned, found };
            match purpose {
                Purpose::Watch => self.complain(None, changed),
                Purpose::Search | Purpose::Add | Purpose::Dial(_) => self.picture.notice(&changed),
            }
        }
        self.read_lists();
    }

    pub(super) fn keep_key(&mut self, pinned: PublicKey) -> Result<(), Reason> {
        self.storage.keep_key(pinned)?;
        self.read_lists();
        Ok(())
    }

    pub(super) fn trust_key(&mut self, change: KeyChange) -> Result<(), Reason> {
        let KeyChange { pinned, found } = change;
        if found == self.own {
            return Err(Reason::Yourself);
        }
        refuse_blocked(&self.storage, found)?;
        let person = self.person(pinned, "");
        if !self.storage.trust_key(change, self.now().unix)? {
            return Err(Reason::NoSuchContact(pinned.to_string()));
        }
        self.read_lists();
        self.tell(None, errand::contact("removed", pinned, &person.name));
        self.tell(None, errand::contact("added", found, &person.name));
        Ok(())
    }
}

/// Notes what a lookup says about the contacts of that name; those of whom it was not known.
pub(super) fn watch(
    name: &Username,
    claims: &[FoundClaim],
    storage: &mut Storage,
) -> Result<Vec<KeyChange>, StorageError> {
    let (contacts, before) = (storage.contacts()?, storage.key_changes()?);
    let of_name = contacts.iter().filter(|contact| contact.name == name.as_str());
    for Contact { key: pinned, .. } in of_name {
        match claims {
            [] => {}
            claims if claims.iter().any(|claim| claim.key == *pinned) => {
                storage.forget_key_change(*pinned)?
            }
            [best, ..] => storage.note_key_change(KeyChange { pinned: *pinned, found: best.key })?,
        }
    }
    Ok(storage.key_changes()?.into_iter().filter(|change| !before.contains(change)).collect())
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            command::Command,
            custody::tests::{alone, seen},
            people::tests::claim,
            start,
            view::{ContactId, View},
        },
        *,
    };
    use crate::storage::Profile;
    use relay::UnixTime;

    const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

    fn key(seed: u8) -> PublicKey {
        PublicKey::from_bytes([seed; 32])
    }

    fn look_up(claims: &[u8], storage: &mut Storage) -> Vec<KeyChange> {
        let claims: Vec<_> = claims.iter().copied().map(claim).collect();
        watch(&Username::parse("bob").unwrap(), &claims, storage).unwrap();
        storage.key_changes().unwrap()
    }

    #[test]
    fn a_name_that_others_alone_have_has_changed_and_has_not_once_its_owner_is_back() {
        let folder = tempfile::TempDir::new().unwrap();
        let mut storage = Storage::open(folder.path(), NOW).unwrap();
        assert_eq!(look_up(&[2], &mut storage), [], "nobody is pinned");
        storage.add_contact(key(1), "bob", NOW).unwrap();
        storage.add_contact(key(4), "ada", NOW).unwrap();
        assert_eq!(look_up(&[], &mut storage), [], "nothing is known");
        assert_eq!(look_up(&[2, 1], &mut storage), [], "the pinned key has it, too");
        let changed = [KeyChange { pinned: key(1), found: key(3) }];
        assert_eq!(look_up(&[3, 2], &mut storage), changed);
        assert_eq!(look_up(&[], &mut storage), changed);
        assert_eq!(look_up(&[1], &mut storage), []);
    }

    #[test]
    fn a_change_is_new_once() {
        let folder = tempfile::TempDir::new().unwrap();
        let mut storage = Storage::open(folder.path(), NOW).unwrap();
        storage.add_contact(key(1), "bob", NOW).unwrap();
        let bob = Username::parse("bob").unwrap();
        let noted = watch(&bob, &[claim(2)], &mut storage).unwrap();
        assert_eq!(noted, [KeyChange { pinned: key(1), found: key(2) }]);
        assert_eq!(watch(&bob, &[claim(2)], &mut storage).unwrap(), []);
        storage.keep_key(key(1)).unwrap();
        assert_eq!(watch(&bob, &[claim(2)], &mut storage).unwrap(), [], "that was decided");
    }

    #[tokio::test]
    async fn a_window_is_told_keeps_the_old_key_or_trusts_the_new_one() {
        let folder = tempfile::TempDir::new().unwrap();
        let profile = Profile::take(folder.path()).unwrap();
        let (identity, _) = profile.identity([7; 32], None).unwrap();
        let mut storage = Storage::open(profile.folder(), relay::driver::now().unix).unwrap();
        for (seed, name) in [(1, "bob"), (4, "ada")] {
            storage.add_contact(key(seed), name, NOW).unwrap();
            storage.note_key_change(KeyChange { pinned: key(seed), found: key(seed + 1) }).unwrap();
        }
        let (mut engine, _events, running) = start(alone(), profile, storage, identity).await.unwrap();
        let commands = engine.commands.clone();
        let row = |view: &View, seed| {
            view.contacts.iter().find(|row| row.id == ContactId::Person(key(seed))).cloned()
        };
        let changed = |view: &View, seed| row(view, seed).and_then(|row| row.changed);
        let view = seen(&mut engine, |view| changed(view, 1).is_some()).await;
        assert_eq!((changed(&view, 1), changed(&view, 4)), (Some(key(2)), Some(key(5))));

        commands.send(Command::KeepKey(key(4))).await.unwrap();
        let view = seen(&mut engine, |view| changed(view, 4).is_none()).await;
        assert!(row(&view, 4).is_some());
        let trust = |found| Command::TrustKey(KeyChange { pinned: key(1), found: key(found) });
        commands.send(trust(3)).await.unwrap();
        let view = seen(&mut engine, |view| !view.notices.is_empty()).await;
        assert_eq!(changed(&view, 1), Some(key(2)), "that one was never found");
        commands.send(trust(2)).await.unwrap();
        let view = seen(&mut engine, |view| row(view, 2).is_some()).await;
        assert_eq!((row(&view, 1), changed(&view, 2)), (None, None));
        commands.send(Command::Quit).await.unwrap();
        running.finished().await;
    }
}
