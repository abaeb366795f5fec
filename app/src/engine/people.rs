//! People: finding them by name, pinning their keys, and strangers who called.

use super::{
    actor::{Actor, Done, Wait, since},
    command::{Command, Who},
    event::{EventBody, Person},
    picture::claim_rows,
    view::{ContactId, Search},
};
use crate::{
    call::CallId,
    reason::Reason,
    storage::{Contact, Nickname, Storage, Verified},
};
use overlay::{FoundClaim, Lookup, LookupError, PublicKey, Username, identity::safety::SafetyNumber};
use relay::UnixTime;
use std::time::Duration;

/// What a lookup is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To show it.
    Search,
    /// To add the one who has the name.
    Add,
    /// To call the one who has the name.
    Dial(CallId),
    /// To see whether contacts of that name have it still.
    Watch,
}

impl Actor {
    /// Looks somebody up, adds them, and calls.
    pub(super) fn dial(&mut self, who: Who) -> Result<(), Reason> {
        let id = CallId(rand::random());
        match &who {
            Who::Echo => {
                self.tell(Some(id), EventBody::Calling { who: who.to_string() });
                self.line.place(self.now(), id, ContactId::Echo, self.config.ring_timeout)
            }
            Who::Key(key) if *key == self.own => Err(Reason::Yourself),
            Who::Key(key) if self.is_blocked(*key) => refuse_blocked(&self.storage, *key),
            Who::Key(_) | Who::Name(_) if self.dialling.is_some() => Err(Reason::AlreadyInCall),
            Who::Key(_) | Who::Name(_) => {
                if self.wait_for_network(Command::Dial(who.clone()))? == Wait::Later {
                    return Ok(());
                }
                self.tell(Some(id), EventBody::Calling { who: who.to_string() });
                self.fetch_relays();
                match who {
                    Who::Key(key) => {
                        self.ask_for_name_of(key);
                        self.dial_key(id, key, &key.fingerprint())
                    }
                    Who::Name(name) => {
                        self.dialling = Some(id);
                        self.look_up(name, Purpose::Dial(id));
                        Ok(())
                    }
                    Who::Echo => Ok(()),
                }
            }
        }
    }

    /// Stops a call whose callee is still being looked up; says whether there was one.
    pub(super) fn stop_dialling(&mut self) -> bool {
        let Some(call) = self.dialling.take() else { return false };
        self.tell(Some(call), EventBody::Refused(Reason::Cancelled));
        true
    }

    /// Adds somebody to the contacts.
    pub(super) fn add(&mut self, who: Who) -> Result<(), Reason> {
        match who {
            Who::Echo => Err(Reason::Usage("Echo is always among the contacts.".into())),
            Who::Key(key) => self.add_contact(&key.fingerprint(), key),
            Who::Name(name) => {
                if self.wait_for_network(Command::Add(Who::Name(name.clone())))? == Wait::NoNeed {
                    self.look_up(name, Purpose::Add);
                }
                Ok(())
            }
        }
    }

    /// Shows who claims a name.
    pub(super) fn search(&mut self, text: &str) -> Result<(), Reason> {
        let name = match Username::parse(text) {
            Ok(name) => name,
            Err(_) => {
                let reason = Reason::BadName(text.to_owned());
                self.picture.view.search = Search::Failed { name: text.to_owned(), why: reason.clone() };
                // The page says what is wrong.
                self.tell(None, EventBody::Refused(reason));
                return Ok(());
            }
        };
        self.picture.view.search = Search::Searching { name: name.to_string() };
        if self.wait_for_network(Command::Search(text.to_owned()))? == Wait::NoNeed {
            self.look_up(name, Purpose::Search);
        }
        Ok(())
    }

    /// Pins a key under a name.
    pub(super) fn add_contact(&mut self, name: &str, key: PublicKey) -> Result<(), Reason> {
        if key == self.own {
            return Err(Reason::Yourself);
        }
        refuse_blocked(&self.storage, key)?;
        refuse_other_key(name, key, &self.contacts)?;
        let known = self.contacts.iter().any(|contact| contact.key == key);
        self.storage.add_contact(key, name, self.now().unix)?;
        self.read_lists();
        if let Search::Found { claims, .. } = &mut self.picture.view.search {
            claims.iter_mut().filter(|claim| claim.key == key).for_each(|claim| claim.contact = true);
        }
        let state = if known { "known" } else { "added" };
        self.tell(None, EventBody::Contact { state, person: self.person(key, name) });
        Ok(())
    }

    pub(super) fn remove_contact(&mut self, key: PublicKey) -> Result<(), Reason> {
        let person = self.person(key, "");
        if !self.storage.remove_contact(key)? {
            return Err(Reason::NoSuchContact(key.to_string()));
        }
        self.read_lists();
        if let Search::Found { claims, .. } = &mut self.picture.view.search {
            claims.iter_mut().filter(|claim| claim.key == key).for_each(|claim| claim.contact = false);
        }
        self.tell(None, EventBody::Contact { state: "removed", person });
        Ok(())
    }

    pub(super) fn set_verified(&mut self, key: PublicKey, verified: Verified) -> Result<(), Reason> {
        if !self.storage.set_verified(key, verified)? {
            return Err(Reason::NoSuchContact(key.to_string()));
        }
        self.read_lists();
        let (person, number) = (self.person(key, ""), SafetyNumber::of(&self.own, &key));
        self.tell(None, EventBody::Safety { person, number, verified });
        Ok(())
    }

    /// Calls a contact so here, and nowhere else.
    pub(super) fn set_nickname(&mut self, key: PublicKey, nickname: Option<&Nickname>) -> Result<(), Reason> {
        if !self.storage.set_nickname(key, nickname)? {
            return Err(Reason::NoSuchContact(key.to_string()));
        }
        self.read_lists();
        Ok(())
    }

    pub(super) fn accept_request(&mut self, key: PublicKey) -> Result<(), Reason> {
        let now = self.now().unix;
        let last = self.storage.requests()?.into_iter().find(|request| request.key == key);
        let calling = self.line.is_waiting(self.now(), key);
        let person = accept_request(&mut self.storage, key, now)?;
        if let (Some(request), false) = (last, calling) {
            // Whoever asks what there was with them sees that they called.
            self.note_missed(key, request.last);
        }
        self.read_lists();
        self.tell(None, EventBody::Request { state: "accepted", person });
        Ok(())
    }

    pub(super) fn decline_request(&mut self, key: PublicKey) -> Result<(), Reason> {
        let person = decline_request(&mut self.storage, key)?;
        self.line.send_away(key);
        self.read_lists();
        self.tell(None, EventBody::Request { state: "declined", person });
        Ok(())
    }

    /// A lookup is back.
    pub(super) fn looked_up(
        &mut self,
        name: &Username,
        purpose: Purpose,
        took: Duration,
        result: Result<Lookup, LookupError>,
    ) {
        if let Ok(found) = &result {
            self.watch_name(name, &found.claims, purpose);
        }
        if purpose == Purpose::Search {
            return self.show_search(name, took, result);
        }
        let call = match purpose {
            Purpose::Dial(call) if self.dialling == Some(call) => Some(call),
            // Hung up in the meantime.
            Purpose::Dial(_) => return,
            // All of it was noted.
            Purpose::Watch => return,
            Purpose::Add | Purpose::Search => None,
        };
        if call.is_some() {
            self.dialling = None;
        }
        let outcome = result.map_err(Reason::from).and_then(|found| {
            let key = choose(name, &found.claims, &self.contacts)?;
            match call {
                Some(call) => self.dial_key(call, key, name.as_str()),
                None => self.add_contact(name.as_str(), key),
            }
        });
        if let Err(reason) = outcome {
            self.refuse(call, reason);
        }
    }

    /// Pins the key and dials it.
    fn dial_key(&mut self, id: CallId, key: PublicKey, name: &str) -> Result<(), Reason> {
        refuse_blocked(&self.storage, key)?;
        self.add_contact_if_new(name, key)?;
        self.line.place(self.now(), id, ContactId::Person(key), self.config.ring_timeout)
    }

    fn add_contact_if_new(&mut self, name: &str, key: PublicKey) -> Result<(), Reason> {
        if self.contacts.iter().any(|contact| contact.key == key) {
            return Ok(());
        }
        self.add_contact(name, key)
    }

    pub(super) fn look_up(&mut self, name: Username, purpose: Purpose) {
        let overlay = self.overlay.clone();
        let began = self.now().instant;
        self.jobs.spawn(async move {
            let result = overlay.lookup(name.clone()).await;
            Done::LookedUp { name, purpose, took: since(began, relay::driver::now()), result }
        });
    }

    fn show_search(&mut self, name: &Username, took: Duration, result: Result<Lookup, LookupError>) {
        let shown = match &self.picture.view.search {
            Search::Searching { name: shown } => shown == name.as_str(),
            Search::Idle
            | Search::Found { .. }
            | Search::Offered { .. }
            | Search::Invited { .. }
            | Search::NoInvite(_)
            | Search::Failed { .. } => false,
        };
        let name = name.to_string();
        match result {
            Ok(Lookup { claims, lookalikes, .. }) => {
                if shown {
                    let rows = claim_rows(&claims, &self.contacts);
                    self.picture.view.search = Search::Found { name: name.clone(), claims: rows };
                }
                self.tell(None, EventBody::Lookup { name, claims, lookalikes, took });
            }
            Err(error) => {
                let reason = Reason::from(error);
                if shown {
                    self.picture.view.search = Search::Failed { name, why: reason.clone() };
                }
                self.tell(None, EventBody::Refused(reason));
            }
        }
    }
}

/// Whose key a name stands for. A pin outweighs every claim; nothing is chosen silently.
pub(super) fn choose(
    name: &Username,
    claims: &[FoundClaim],
    contacts: &[Contact],
) -> Result<PublicKey, Reason> {
    let pinned: Vec<PublicKey> =
        contacts.iter().filter(|contact| contact.name == name.as_str()).map(|contact| contact.key).collect();
    let still = |key: &PublicKey| claims.is_empty() || claims.iter().any(|claim| claim.key == *key);
    if let Some(key) = pinned.iter().copied().find(still) {
        return Ok(key);
    }
    match (pinned.first(), claims) {
        (Some(pinned), [claim, ..]) => Err(Reason::KeyChanged {
            name: name.to_string(),
            pinned: pinned.fingerprint(),
            found: claim.key.fingerprint(),
        }),
        (_, []) => Err(Reason::NoSuchName(name.to_string())),
        (None, [claim]) => Ok(claim.key),
        (None, several) => Err(Reason::NameAmbiguous {
            name: name.to_string(),
            fingerprints: several.iter().map(|claim| claim.key.fingerprint()).collect(),
        }),
    }
}

/// A name that is pinned to one key cannot be given to another.
pub(super) fn refuse_other_key(name: &str, key: PublicKey, contacts: &[Contact]) -> Result<(), Reason> {
    match contacts.iter().find(|contact| contact.name == name && contact.key != key) {
        Some(pinned) => Err(Reason::KeyChanged {
            name: name.to_owned(),
            pinned: pinned.key.fingerprint(),
            found: key.fingerprint(),
        }),
        None => Ok(()),
    }
}

/// Whoever is blocked is neither added nor called: what somebody decided once is not undone by the way.
pub(super) fn refuse_blocked(storage: &Storage, key: PublicKey) -> Result<(), Reason> {
    if !storage.is_blocked(key)? {
        return Ok(());
    }
    let blocked = storage.blocked()?.into_iter().find(|blocked| blocked.key == key);
    let name = blocked.map(|blocked| blocked.name).filter(|name| !name.is_empty());
    Err(Reason::Blocked(name.unwrap_or_else(|| key.fingerprint())))
}

/// Makes a stranger who called a contact, under the name they say they have unless a contact has it already.
pub(crate) fn accept_request(storage: &mut Storage, key: PublicKey, now: UnixTime) -> Result<Person, Reason> {
    let request = storage.requests()?.into_iter().find(|request| request.key == key);
    let request = request.ok_or_else(|| Reason::NoSuchContact(key.to_string()))?;
    let taken = storage.contacts()?.iter().any(|contact| contact.name == request.name);
    let name = if request.name.is_empty() || taken { key.fingerprint() } else { request.name };
    storage.add_contact(key, &name, now)?;
    Ok(Person { shown: name.clone(), key, name })
}

/// Forgets a stranger who called.
pub(crate) fn decline_request(storage: &mut Storage, key: PublicKey) -> Result<Person, Reason> {
    let request = storage.requests()?.into_iter().find(|request| request.key == key);
    let request = request.ok_or_else(|| Reason::NoSuchContact(key.to_string()))?;
    storage.remove_request(key)?;
    Ok(Person { shown: key.to_string(), key, name: request.name })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    fn key(seed: u8) -> PublicKey {
        PublicKey::from_bytes([seed; 32])
    }

    pub(in crate::engine) fn claim(seed: u8) -> FoundClaim {
        FoundClaim {
            name: Username::parse("bob").unwrap(),
            key: key(seed),
            holders: 1,
            seq: 1,
            claimed_at: UnixTime::from_secs(1),
            since: None,
            standing: overlay::Standing::Proven,
            why: overlay::RankReason::Alone,
        }
    }

    fn contact(name: &str, seed: u8) -> Contact {
        Contact {
            key: key(seed),
            name: name.into(),
            added: UnixTime::from_secs(1),
            verified: Verified::No,
            presence: None,
            told: None,
            seen: None,
            here: false,
            nickname: None,
        }
    }

    fn choose_bob(claims: &[u8], contacts: &[Contact]) -> Result<PublicKey, Reason> {
        let claims: Vec<_> = claims.iter().copied().map(claim).collect();
        choose(&Username::parse("bob").unwrap(), &claims, contacts)
    }

    #[test]
    fn a_name_nobody_has_is_no_such_name() {
        assert_eq!(choose_bob(&[], &[]), Err(Reason::NoSuchName("bob".into())));
    }

    #[test]
    fn a_single_claim_is_taken() {
        assert_eq!(choose_bob(&[1], &[contact("ada", 2)]), Ok(key(1)));
    }

    #[test]
    fn several_claims_are_listed_never_chosen_from() {
        let Err(Reason::NameAmbiguous { fingerprints, .. }) = choose_bob(&[1, 2], &[]) else { panic!() };
        assert_eq!(fingerprints, [key(1).fingerprint(), key(2).fingerprint()]);
    }

    #[test]
    fn a_pin_decides_between_several_claims_and_when_there_is_none() {
        let bob = [contact("bob", 2)];
        assert_eq!(choose_bob(&[1, 2], &bob), Ok(key(2)));
        assert_eq!(choose_bob(&[], &bob), Ok(key(2)));
    }

    #[test]
    fn a_name_claimed_by_another_key_than_the_pinned_one_is_refused() {
        let refused = choose_bob(&[1], &[contact("bob", 2)]).unwrap_err();
        assert_eq!(refused.exit_status(), 6);
        assert!(matches!(refused, Reason::KeyChanged { .. }));
        assert!(refuse_other_key("bob", key(1), &[contact("bob", 2)]).is_err());
        assert!(refuse_other_key("bob", key(2), &[contact("bob", 2)]).is_ok());
    }

    #[test]
    fn an_accepted_stranger_does_not_take_a_contacts_name() {
        let folder = tempfile::TempDir::new().unwrap();
        let now = UnixTime::from_secs(1);
        let mut storage = Storage::open(folder.path(), now).unwrap();
        storage.add_contact(key(1), "ada", now).unwrap();
        storage.add_request(key(2), "ada", now).unwrap();
        let person = accept_request(&mut storage, key(2), now).unwrap();
        assert_eq!(person.name, key(2).fingerprint());
        assert!(storage.requests().unwrap().is_empty());
        assert!(matches!(decline_request(&mut storage, key(2)), Err(Reason::NoSuchContact(_))));
    }
}
