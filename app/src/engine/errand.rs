//! Errands: what a command asks once and is answered at once, also by an engine that somebody else started.

use super::{
    accept_request,
    actor::since,
    blocking, decline_request,
    diagnosis::Diagnosis,
    event::{EventBody, Person, Relation},
    invites, key_change,
    people::{choose, refuse_blocked, refuse_other_key},
    reasons,
    view::ContactId,
};
use crate::{
    reason::Reason,
    storage::{Contact, Request, Storage, Verified},
};
use overlay::{
    FoundClaim, Identity, Invite, Network, PublicKey, RegisterError, Registration, RelayWish, Report,
    Username, driver, identity::safety::SafetyNumber, outcome::UdpState,
};
use relay::UnixTime;
use std::time::Duration;
use tokio::{
    sync::{mpsc, oneshot},
    time::sleep,
};

/// Errands that may wait for the engine; whoever brings one more waits.
pub(super) const ERRAND_QUEUE: usize = 16;
/// A diagnosis is made when nothing has changed for so long, or when patience ends; the whole command stays below 10 s.
const DIAGNOSIS_SETTLES: Duration = Duration::from_millis(1_500);
const DIAGNOSIS_PATIENCE: Duration = Duration::from_secs(6);
const DIAGNOSIS_LOOKS: Duration = Duration::from_millis(100);
/// Most past calls told.
const HISTORY: u32 = 1000;

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Errand {
    /// Something about what the profile keeps.
    Kept(Kept),
    /// Who claims a name.
    Lookup(Username),
    /// Look somebody up and add them to the contacts.
    Add(Username),
    /// Claim a name for this profile.
    Register(Username),
    /// Find out whether people can call.
    Diagnose,
    /// Bring the window up, and show an invite.
    Show(Option<String>),
}

/// What is asked of the profile alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// Make an invite for this network.
    Invite(Network),
    /// Add whoever invites to the contacts.
    AddInvite(Box<Invite>),
    /// Add a key to the contacts.
    AddKey(PublicKey),
    /// List the contacts.
    Contacts,
    /// Remove a contact, by name or key.
    RemoveContact(String),
    /// Never hear from a contact or a stranger again, by name or key.
    Block(String),
    /// Hear from somebody again, by name or key.
    Unblock(String),
    /// Tell the safety number of a contact, by name or key, and note that it was compared, or was not.
    Verify(String, Option<Verified>),
    /// List the requests.
    Requests,
    /// Make a stranger a contact, by name or key.
    Accept(String),
    /// Forget a stranger, by name or key.
    Decline(String),
    /// List past calls.
    History,
}

/// An errand's answer: what is to be told, and why it failed if it did.
pub type Answer = (Vec<EventBody>, Option<Reason>);

/// What the engine itself does of an errand.
#[derive(Debug)]
pub(super) enum Task {
    Kept(Kept),
    Pin(Username, Vec<FoundClaim>),
    Watch(Username, Vec<FoundClaim>),
    Registered(Username, Result<Registration, RegisterError>),
    Show(Option<String>),
}

/// An engine's task, and where its answer goes.
pub(super) type Tasked = (Task, oneshot::Sender<Result<Vec<EventBody>, Reason>>);

/// Where errands are brought to a running engine.
#[derive(Debug, Clone)]
pub struct Desk {
    pub(super) tasks: mpsc::Sender<Tasked>,
    pub(super) overlay: driver::Handle,
}

impl Desk {
    /// Runs an errand; the window and the events of the engine's owner show its effects, not its answer.
    pub async fn run(&self, errand: Errand) -> Answer {
        let answer = match errand {
            Errand::Kept(kept) => {
                let hints =
                    if let Kept::AddInvite(invite) = &kept { invite.hints().to_vec() } else { Vec::new() };
                let answer = self.task(Task::Kept(kept)).await;
                if answer.is_ok() && !hints.is_empty() {
                    self.overlay.add_hints(hints).await;
                }
                answer
            }
            Errand::Lookup(name) => return self.lookup(name).await,
            Errand::Show(link) => self.task(Task::Show(link)).await,
            Errand::Diagnose => return self.diagnose().await,
            Errand::Add(name) => match self.overlay.lookup(name.clone()).await {
                Ok(found) => self.task(Task::Pin(name, found.claims)).await,
                Err(error) => Err(error.into()),
            },
            Errand::Register(name) => {
                let result = self.overlay.register(name.clone()).await;
                self.task(Task::Registered(name, result)).await
            }
        };
        match answer {
            Ok(told) => (told, None),
            Err(reason) => (Vec::new(), Some(reason)),
        }
    }

    async fn lookup(&self, name: Username) -> Answer {
        let began = relay::driver::now().instant;
        match self.overlay.lookup(name.clone()).await {
            Ok(found) => {
                // What it says of contacts is for the owner's window; the answer is the same.
                let _ = self.task(Task::Watch(name.clone(), found.claims.clone())).await;
                let nobody = found.claims.is_empty().then(|| Reason::NoSuchName(name.to_string()));
                let took = since(began, relay::driver::now());
                let (claims, lookalikes) = (found.claims, found.lookalikes);
                (vec![EventBody::Lookup { name: name.to_string(), claims, lookalikes, took }], nobody)
            }
            Err(error) => (Vec::new(), Some(error.into())),
        }
    }

    /// Everything the node can say about itself; nothing when it has stopped.
    pub async fn report(&self) -> Option<Report> {
        self.overlay.report().await
    }

    async fn diagnose(&self) -> Answer {
        match diagnose(&self.overlay).await {
            None => (Vec::new(), Some(Reason::Internal("the engine stopped".into()))),
            Some(diagnosis) => {
                let obstacle = diagnosis.obstacle().map(Reason::CannotBeCalled);
                (vec![EventBody::Doctor(Box::new(diagnosis))], obstacle)
            }
        }
    }

    async fn task(&self, task: Task) -> Result<Vec<EventBody>, Reason> {
        let stopped = || Reason::Internal("the engine stopped".into());
        let (reply, answer) = oneshot::channel();
        self.tasks.send((task, reply)).await.map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }
}

/// Waits until the node has found out how it stands, and judges that; nothing when the node has stopped.
pub(super) async fn diagnose(overlay: &driver::Handle) -> Option<Diagnosis> {
    let began = relay::driver::now().instant;
    let (mut last, mut changed) = (None, began);
    loop {
        let report = overlay.report().await?;
        let now = relay::driver::now();
        let seen = (report.status.homes, report.status.nat, report.udp, report.supernodes.len());
        if last != Some(seen) {
            (last, changed) = (Some(seen), now.instant);
        }
        let settled = report.status.homes > 0 && since(changed, now) >= DIAGNOSIS_SETTLES;
        if settled || since(began, now) >= DIAGNOSIS_PATIENCE {
            let relays = match report.udp {
                // What calls would go through; who can do without is not lent any.
                UdpState::Blocked => overlay.relays(RelayWish::Any).await.unwrap_or_default(),
                UdpState::Works | UdpState::Unknown => Vec::new(),
            };
            return Some(Diagnosis::of(report, &relays));
        }
        sleep(DIAGNOSIS_LOOKS).await;
    }
}

/// Does what needs the profile alone; what changes, changes now.
pub(crate) fn of_the_profile(
    kept: &Kept,
    storage: &mut Storage,
    identity: &Identity,
    now: UnixTime,
) -> Result<Vec<EventBody>, Reason> {
    let own = identity.public_key();
    match kept {
        Kept::Invite(network) => Ok(vec![invites::make(storage, identity, *network)?]),
        Kept::AddInvite(invite) => Ok(vec![invites::accept(invite, storage, own, now)?]),
        Kept::AddKey(key) if *key == own => Err(Reason::Yourself),
        Kept::AddKey(key) => {
            refuse_blocked(storage, *key)?;
            let name = key.fingerprint();
            storage.add_contact(*key, &name, now)?;
            Ok(vec![contact("added", *key, &name)])
        }
        Kept::Contacts => list(storage),
        Kept::RemoveContact(who) => {
            let listed = find_contact(storage, who)?;
            storage.remove_contact(listed.key)?;
            Ok(vec![contact("removed", listed.key, &listed.name)])
        }
        Kept::Block(who) => blocking::block(storage, own, who, now),
        Kept::Unblock(who) => blocking::unblock(storage, who),
        Kept::Verify(who, verdict) => {
            let listed = find_contact(storage, who)?;
            if let Some(verified) = verdict {
                storage.set_verified(listed.key, *verified)?;
            }
            let verified = verdict.unwrap_or(listed.verified);
            let number = SafetyNumber::of(&own, &listed.key);
            Ok(vec![EventBody::Safety { person: named(listed.key, &listed.name), number, verified }])
        }
        Kept::Requests => {
            let listed = |Request { key, name, .. }| EventBody::Request {
                state: "listed",
                person: Person { shown: PublicKey::to_string(&key), key, name },
            };
            Ok(storage.requests()?.into_iter().map(listed).collect())
        }
        Kept::Accept(who) => {
            let key = find_request(&storage.requests()?, who)?;
            let person = accept_request(storage, key, now)?;
            Ok(vec![EventBody::Request { state: "accepted", person }])
        }
        Kept::Decline(who) => {
            let key = find_request(&storage.requests()?, who)?;
            let person = decline_request(storage, key)?;
            Ok(vec![EventBody::Request { state: "declined", person }])
        }
        Kept::History => history(storage, now),
    }
}

/// Pins the one a name stands for.
pub(super) fn pin(
    name: &Username,
    claims: &[FoundClaim],
    storage: &mut Storage,
    own: PublicKey,
    now: UnixTime,
) -> Result<Vec<EventBody>, Reason> {
    key_change::watch(name, claims, storage)?;
    let contacts = storage.contacts()?;
    let key = choose(name, claims, &contacts)?;
    if key == own {
        return Err(Reason::Yourself);
    }
    refuse_blocked(storage, key)?;
    refuse_other_key(name.as_str(), key, &contacts)?;
    let known = contacts.iter().any(|contact| contact.key == key);
    storage.add_contact(key, name.as_str(), now)?;
    Ok(vec![contact(if known { "known" } else { "added" }, key, name.as_str())])
}

/// What a claim came to.
pub(super) fn registered(
    name: &Username,
    result: &Result<Registration, RegisterError>,
) -> Result<Vec<EventBody>, Reason> {
    match result {
        Ok(Registration { state, held_by, of, .. }) => {
            let (state, held_by, of) = (*state, *held_by, *of);
            Ok(vec![EventBody::Registered { name: name.to_string(), state, held_by, of }])
        }
        Err(error) => Err(reasons::of_register(name, error.clone())),
    }
}

/// All contacts, and then the strangers who are blocked: whoever may be unblocked must be seen somewhere.
fn list(storage: &Storage) -> Result<Vec<EventBody>, Reason> {
    let (contacts, mut blocked) = (storage.contacts()?, storage.blocked()?);
    let mut told = Vec::new();
    for contact in contacts {
        let at = blocked.iter().position(|blocked| blocked.key == contact.key);
        let relation = match at.map(|at| blocked.remove(at)) {
            Some(_) => Relation::BlockedContact,
            None => Relation::Contact,
        };
        told.push(EventBody::Listed {
            person: named(contact.key, &contact.name),
            relation,
            here: contact.here,
            last_seen: contact.seen,
            verified: contact.verified,
        });
    }
    told.extend(blocked.into_iter().map(|stranger| EventBody::Listed {
        person: named(stranger.key, &stranger.name),
        relation: Relation::BlockedStranger,
        here: false,
        last_seen: None,
        verified: Verified::No,
    }));
    Ok(told)
}

fn history(storage: &Storage, now: UnixTime) -> Result<Vec<EventBody>, Reason> {
    let mut told = Vec::new();
    for call in storage.history(HISTORY)? {
        told.push(EventBody::History {
            with: match call.with {
                ContactId::Echo => "echo".into(),
                ContactId::Person(key) => key.to_string(),
            },
            name: call.name,
            outcome: call.outcome.word(),
            began: call.began,
            when: storage.when(call.began, now)?.to_string(),
            lasted: call.lasted,
            receipt: call.receipt,
            reply: call.reply,
        });
    }
    Ok(told)
}

/// A contact by name or key.
pub(super) fn find_contact(storage: &Storage, who: &str) -> Result<Contact, Reason> {
    let mut contacts = storage.contacts()?.into_iter();
    let found = contacts.find(|listed| listed.key.to_string() == who || listed.name == who);
    found.ok_or_else(|| Reason::NoSuchContact(who.to_owned()))
}

/// A request by key, or by a name that only one of them goes by: names of strangers prove nothing.
pub(super) fn find_request(requests: &[Request], who: &str) -> Result<PublicKey, Reason> {
    if let Some(request) = requests.iter().find(|request| request.key.to_string() == who) {
        return Ok(request.key);
    }
    let named: Vec<_> = requests.iter().filter(|request| request.name == who).collect();
    match named.as_slice() {
        [] => Err(Reason::NoSuchContact(who.to_owned())),
        [request] => Ok(request.key),
        several => Err(Reason::NameAmbiguous {
            name: who.to_owned(),
            fingerprints: several.iter().map(|request| request.key.fingerprint()).collect(),
        }),
    }
}

pub(super) fn contact(state: &'static str, key: PublicKey, name: &str) -> EventBody {
    EventBody::Contact { state, person: named(key, name) }
}

fn named(key: PublicKey, name: &str) -> Person {
    Person { shown: name.to_owned(), key, name: name.to_owned() }
}
