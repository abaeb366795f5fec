//! Errands written on the command line, and those that only read and change the profile.

use super::{
    Opened,
    args::{ContactVerb, Gui, RequestVerb, Verb, username, who},
    print::Printer,
};
use crate::{
    engine::{
        command::Who,
        errand::{Errand, Kept, of_the_profile},
        invites,
    },
    reason::Reason,
    storage::Verified,
};
use overlay::{Network, hint::INVITE_SCHEME};

/// The errand a command is, if it is one.
pub(super) fn errand(verb: Option<&Verb>, network: Network) -> Result<Option<Errand>, Reason> {
    let Some(verb) = verb else { return Ok(Some(Errand::Show(None))) };
    Ok(Some(match verb {
        Verb::Gui(Gui { link, .. }) => Errand::Show(link.clone()),
        Verb::Register { name } => Errand::Register(username(name)?),
        Verb::Lookup { name } => Errand::Lookup(username(name)?),
        Verb::Doctor => Errand::Diagnose,
        Verb::History => Errand::Kept(Kept::History),
        Verb::Invite => Errand::Kept(Kept::Invite(network)),
        Verb::Contact { verb: ContactVerb::Add { who } } if who.trim().starts_with(INVITE_SCHEME) => {
            Errand::Kept(Kept::AddInvite(Box::new(invites::read(who, network)?)))
        }
        Verb::Contact { verb: ContactVerb::Add { who: text } } => match who(text)? {
            Who::Echo => return Err(Reason::Usage("Echo is always among the contacts.".into())),
            Who::Name(name) => Errand::Add(name),
            Who::Key(key) => Errand::Kept(Kept::AddKey(key)),
        },
        Verb::Contact { verb: ContactVerb::List } => Errand::Kept(Kept::Contacts),
        Verb::Contact { verb: ContactVerb::Remove { who } } => Errand::Kept(Kept::RemoveContact(who.clone())),
        Verb::Contact { verb: ContactVerb::Block { who } } => Errand::Kept(Kept::Block(who.clone())),
        Verb::Contact { verb: ContactVerb::Unblock { who } } => Errand::Kept(Kept::Unblock(who.clone())),
        Verb::Contact { verb: ContactVerb::Verify { who, matches, forget } } => {
            let verdict = match (matches, forget) {
                (true, _) => Some(Verified::Yes),
                (_, true) => Some(Verified::No),
                _ => None,
            };
            Errand::Kept(Kept::Verify(who.clone(), verdict))
        }
        Verb::Request { verb: RequestVerb::List } => Errand::Kept(Kept::Requests),
        Verb::Request { verb: RequestVerb::Accept { who } } => Errand::Kept(Kept::Accept(who.clone())),
        Verb::Request { verb: RequestVerb::Decline { who } } => Errand::Kept(Kept::Decline(who.clone())),
        _ => return Ok(None),
    }))
}

/// Does what needs the profile alone.
pub(super) fn kept(mut opened: Opened, kept: &Kept, printer: &Printer) -> Result<u8, Reason> {
    let now = relay::driver::now().unix;
    for body in of_the_profile(kept, &mut opened.storage, &opened.identity, now)? {
        printer.body(body);
    }
    Ok(0)
}
