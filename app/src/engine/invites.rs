//! Invites: who this profile is and where its network is, in one link; and those that others gave us.

use super::{
    errand,
    event::EventBody,
    people::{refuse_blocked, refuse_other_key},
};
use crate::{
    reason::Reason,
    storage::{Setting, Storage},
};
use overlay::{Hint, Identity, Invite, InviteError, Network, PublicKey, Username};
use relay::UnixTime;

/// Invites whose hints are kept for later starts; a further one takes the place of the oldest.
const MAX_KEPT: usize = 8;

/// Makes one from what the profile remembers of its network.
pub(crate) fn make(storage: &Storage, identity: &Identity, network: Network) -> Result<EventBody, Reason> {
    let name = storage.setting(Setting::Name)?.and_then(|name| String::from_utf8(name).ok());
    let name = name.and_then(|name| Username::parse(&name).ok());
    let cache = storage.setting(Setting::OverlayCache)?.unwrap_or_default();
    let invite = Invite::sign(identity, network, name, Hint::from_cache(network, &cache));
    Ok(EventBody::Invite { link: invite.to_string(), supernodes: invite.hints().len() })
}

/// Reads one, and believes it if it is whole and for this network.
pub(crate) fn read(text: &str, network: Network) -> Result<Invite, InviteError> {
    text.parse::<Invite>().and_then(|invite| invite.verify(network).map(|()| invite))
}

/// Pins who invites, and remembers where their network is.
pub(crate) fn accept(
    invite: &Invite,
    storage: &mut Storage,
    own: PublicKey,
    now: UnixTime,
) -> Result<EventBody, Reason> {
    let key = invite.identity();
    if key == own {
        return Err(Reason::Yourself);
    }
    let name = invite.name().map_or_else(|| key.fingerprint(), ToString::to_string);
    refuse_blocked(storage, key)?;
    let contacts = storage.contacts()?;
    refuse_other_key(&name, key, &contacts)?;
    let known = contacts.iter().any(|contact| contact.key == key);
    storage.add_contact(key, &name, now)?;
    let kept = kept(storage)?;
    let others =
        kept.lines().filter(|line| line.parse::<Invite>().is_ok_and(|other| other.identity() != key));
    let lines: Vec<String> =
        std::iter::once(invite.to_string()).chain(others.map(str::to_owned)).take(MAX_KEPT).collect();
    storage.set(Setting::Invites, lines.join("\n").as_bytes())?;
    Ok(errand::contact(if known { "known" } else { "added" }, key, &name))
}

/// Supernodes that the invites name which this profile was given.
pub(crate) fn hints(storage: &Storage, network: Network) -> Result<Vec<Hint>, Reason> {
    let kept = kept(storage)?;
    let invites = kept.lines().filter_map(|line| read(line, network).ok());
    Ok(invites.flat_map(|invite| invite.hints().to_vec()).collect())
}

fn kept(storage: &Storage) -> Result<String, Reason> {
    let kept = storage.setting(Setting::Invites)?.unwrap_or_default();
    Ok(String::from_utf8(kept).unwrap_or_default())
}
