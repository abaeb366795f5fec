//! Blocking: never hearing from somebody again.
//!
//! What somebody blocked sends is dropped unread: nothing rings, no request and no missed call is noted. Nothing is
//! answered either, so that they meet what every stranger meets (`Welcome::TurnAway`): a call that nobody reacts to, or,
//! while we are away, one who is not online. A decline would tell them that somebody is there and chose it, and silence
//! is also what a crash or a lost network looks like (product: a stranger learns nothing; contracts: both end with 4).
//! What they could see us by is changed (architecture: the presence secret is rotated on block), and they are not told
//! the new one. We do not watch them, and call them no more (contracts: 6) before they are unblocked.

use super::{
    actor::Actor,
    errand::{contact, find_contact, find_request},
    event::EventBody,
    view::ContactId,
};
use crate::{
    reason::Reason,
    storage::{Blocked, Storage},
};
use overlay::PublicKey;
use relay::UnixTime;

impl Actor {
    pub(super) fn block(&mut self, key: PublicKey) -> Result<(), Reason> {
        if key == self.own {
            return Err(Reason::Yourself);
        }
        let claimed = self.storage.requests()?.into_iter().find(|request| request.key == key);
        let person = self.person(key, &claimed.map(|request| request.name).unwrap_or_default());
        self.storage.block(key, &person.name, self.now().unix)?;
        self.read_lists();
        self.tell(None, EventBody::Contact { state: "blocked", person });
        Ok(())
    }

    pub(super) fn unblock(&mut self, key: PublicKey) -> Result<(), Reason> {
        if !self.storage.unblock(key)? {
            return Err(Reason::NoSuchContact(key.to_string()));
        }
        self.read_lists();
        self.tell(None, EventBody::Contact { state: "unblocked", person: self.person(key, "") });
        Ok(())
    }

    pub(super) fn is_blocked(&self, who: PublicKey) -> bool {
        self.blocked.contains(&who)
    }

    /// Nobody goes on talking, or ringing, who was blocked meanwhile, also by another process.
    pub(super) fn hang_up_on_blocked(&mut self) {
        if let Some((_, ContactId::Person(with))) = self.line.current()
            && self.is_blocked(with)
        {
            // Cannot fail: there is a call.
            let _ = self.line.hang_up(self.now());
        }
    }
}

/// Blocks a contact by name or key, a stranger who called by name or key, or whoever has a key.
pub(super) fn block(
    storage: &mut Storage,
    own: PublicKey,
    who: &str,
    now: UnixTime,
) -> Result<Vec<EventBody>, Reason> {
    let (key, name) = whom(storage, who)?;
    if key == own {
        return Err(Reason::Yourself);
    }
    storage.block(key, &name, now)?;
    Ok(vec![contact("blocked", key, &name)])
}

/// Unblocks somebody by key, or by a name that only one of the blocked goes by.
pub(super) fn unblock(storage: &mut Storage, who: &str) -> Result<Vec<EventBody>, Reason> {
    let named = |blocked: &Blocked| blocked.key.to_string() == who || blocked.name == who;
    let found: Vec<Blocked> = storage.blocked()?.into_iter().filter(named).collect();
    match found.as_slice() {
        [] => Err(Reason::NoSuchContact(who.to_owned())),
        [Blocked { key, name, .. }] => {
            storage.unblock(*key)?;
            Ok(vec![contact("unblocked", *key, name)])
        }
        several => Err(Reason::NameAmbiguous {
            name: who.to_owned(),
            fingerprints: several.iter().map(|blocked| blocked.key.fingerprint()).collect(),
        }),
    }
}

/// A contact's name goes before one that a stranger only says they have.
fn whom(storage: &Storage, who: &str) -> Result<(PublicKey, String), Reason> {
    if let Ok(contact) = find_contact(storage, who) {
        return Ok((contact.key, contact.name));
    }
    let requests = storage.requests()?;
    match find_request(&requests, who) {
        Ok(key) => {
            let request = requests.into_iter().find(|request| request.key == key);
            Ok((key, request.map(|request| request.name).unwrap_or_default()))
        }
        Err(Reason::NoSuchContact(_)) => {
            let key = who.parse().map_err(|_| Reason::NoSuchContact(who.to_owned()))?;
            Ok((key, String::new()))
        }
        Err(other) => Err(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

    fn key(seed: u8) -> PublicKey {
        PublicKey::from_bytes([seed; 32])
    }

    fn storage() -> (tempfile::TempDir, Storage) {
        let folder = tempfile::TempDir::new().unwrap();
        let storage = Storage::open(folder.path(), NOW).unwrap();
        (folder, storage)
    }

    fn blocked(storage: &Storage) -> Vec<(PublicKey, String)> {
        storage.blocked().unwrap().into_iter().map(|blocked| (blocked.key, blocked.name)).collect()
    }

    #[test]
    fn a_contact_goes_before_a_stranger_of_the_same_name() {
        let (_folder, mut storage) = storage();
        storage.add_contact(key(1), "ada", NOW).unwrap();
        storage.add_request(key(2), "ada", NOW).unwrap();
        block(&mut storage, key(9), "ada", NOW).unwrap();
        assert_eq!(blocked(&storage), [(key(1), "ada".into())]);
        assert_eq!(storage.requests().unwrap().len(), 1);
    }

    #[test]
    fn a_stranger_is_blocked_by_the_name_they_say_or_by_any_key() {
        let (_folder, mut storage) = storage();
        storage.add_request(key(2), "eve", NOW).unwrap();
        block(&mut storage, key(9), "eve", NOW).unwrap();
        block(&mut storage, key(9), &key(3).to_string(), NOW).unwrap();
        assert_eq!(blocked(&storage), [(key(3), String::new()), (key(2), "eve".into())]);
        assert_eq!(block(&mut storage, key(9), "nobody", NOW).unwrap_err().exit_status(), 3);
        assert_eq!(block(&mut storage, key(9), &key(9).to_string(), NOW).unwrap_err(), Reason::Yourself);
    }

    #[test]
    fn a_name_that_several_of_the_blocked_go_by_unblocks_none() {
        let (_folder, mut storage) = storage();
        storage.block(key(1), "eve", NOW).unwrap();
        storage.block(key(2), "eve", NOW).unwrap();
        assert!(matches!(unblock(&mut storage, "eve"), Err(Reason::NameAmbiguous { .. })));
        unblock(&mut storage, &key(1).to_string()).unwrap();
        unblock(&mut storage, "eve").unwrap();
        assert!(blocked(&storage).is_empty());
        assert_eq!(unblock(&mut storage, "eve").unwrap_err(), Reason::NoSuchContact("eve".into()));
    }
}
