//! Commands that only read and change the profile: contacts, requests, history.

use super::{
    Opened,
    args::{ContactVerb, Global, RequestVerb, who},
    open,
    print::Printer,
};
use crate::{
    engine::{
        accept_request,
        command::Who,
        decline_request,
        event::{EventBody, Person},
        view::{ContactId, HistoryOutcome},
    },
    reason::Reason,
    storage::Request,
};
use overlay::PublicKey;

/// Most past calls printed.
const HISTORY: u32 = 1000;

/// Whether a command could be done without the network.
pub(super) enum Outcome {
    /// Done.
    Done,
    /// Somebody has to be looked up.
    NeedsNetwork(Who),
}

/// `silbo contact ...`
pub(super) fn contact(global: &Global, verb: &ContactVerb, printer: &Printer) -> Result<Outcome, Reason> {
    match verb {
        ContactVerb::Add { who: text } => match who(text)? {
            Who::Echo => Err(Reason::Usage("Echo is always among the contacts.".into())),
            Who::Name(name) => Ok(Outcome::NeedsNetwork(Who::Name(name))),
            Who::Key(key) => {
                let mut opened = open(global)?;
                if key == opened.identity.public_key() {
                    return Err(Reason::Yourself);
                }
                let name = key.fingerprint();
                opened.storage.add_contact(key, &name, relay::driver::now().unix)?;
                print_contact(printer, "added", key, &name);
                Ok(Outcome::Done)
            }
        },
        ContactVerb::List => {
            for contact in open(global)?.storage.contacts()? {
                print_contact(printer, "listed", contact.key, &contact.name);
            }
            Ok(Outcome::Done)
        }
        ContactVerb::Remove { who } => {
            let mut opened = open(global)?;
            let contacts = opened.storage.contacts()?;
            let named =
                contacts.iter().find(|contact| contact.key.to_string() == *who || contact.name == *who);
            let contact = named.ok_or_else(|| Reason::NoSuchContact(who.clone()))?;
            opened.storage.remove_contact(contact.key)?;
            print_contact(printer, "removed", contact.key, &contact.name);
            Ok(Outcome::Done)
        }
        // `check_built` has refused these.
        ContactVerb::Verify(_) | ContactVerb::Block(_) => Err(Reason::NotBuilt("This command".into())),
    }
}

/// `silbo request ...`
pub(super) fn request(opened: &mut Opened, verb: &RequestVerb, printer: &Printer) -> Result<u8, Reason> {
    let storage = &mut opened.storage;
    let (state, person) = match verb {
        RequestVerb::List => {
            for Request { key, name, .. } in storage.requests()? {
                let person = Person { shown: key.to_string(), key, name };
                printer.body(EventBody::Request { state: "listed", person });
            }
            return Ok(0);
        }
        RequestVerb::Accept { who } => {
            let key = find_request(&storage.requests()?, who)?;
            ("accepted", accept_request(storage, key, relay::driver::now().unix)?)
        }
        RequestVerb::Decline { who } => {
            let key = find_request(&storage.requests()?, who)?;
            ("declined", decline_request(storage, key)?)
        }
    };
    printer.body(EventBody::Request { state, person });
    Ok(0)
}

/// `silbo history`
pub(super) fn history(opened: &Opened, printer: &Printer) -> Result<u8, Reason> {
    let now = relay::driver::now().unix;
    for call in opened.storage.history(HISTORY)? {
        printer.body(EventBody::History {
            with: match call.with {
                ContactId::Echo => "echo".into(),
                ContactId::Person(key) => key.to_string(),
            },
            name: call.name,
            outcome: match call.outcome {
                HistoryOutcome::Received => "received",
                HistoryOutcome::Missed => "missed",
                HistoryOutcome::Placed => "placed",
                HistoryOutcome::Unanswered => "unanswered",
            },
            began: call.began,
            when: opened.storage.in_words(call.began, now)?,
            lasted: call.lasted,
        });
    }
    Ok(0)
}

/// A request by key, or by a name that only one of them goes by: names of strangers prove nothing.
fn find_request(requests: &[Request], who: &str) -> Result<PublicKey, Reason> {
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

fn print_contact(printer: &Printer, state: &'static str, key: PublicKey, name: &str) {
    let person = Person { shown: name.to_owned(), key, name: name.to_owned() };
    printer.body(EventBody::Contact { state, person });
}
