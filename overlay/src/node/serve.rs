//! What a supernode answers others, and itself.

use std::{collections::BTreeSet, net::IpAddr, time::Duration};

use relay::Now;

use super::{
    LinkId, Node, Timer,
    ask::{Peer, Purpose},
    credit::relay_name,
    writes::Promise,
};
use crate::{
    claim::{Claim, Witnesses},
    directory::{ClaimPut, IntroductionPut, Source},
    identity::{LinkKey, PublicKey},
    record::{Introduction, MailboxId},
    routing::Key,
    username::Skeleton,
    wire::{Bounded, Message, Need, Refusal, RelayGrant, Request, Response},
};

/// Whom an answer goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ReplyTo {
    Link {
        link: LinkId,
        request: u32,
    },
    /// We asked ourselves.
    Own(u32),
}

/// Whose mailbox it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MailboxOwner {
    /// The leaf at the end of this link.
    Link(LinkId),
    /// The person of this very node.
    Own,
}

/// Mailboxes one link may open; the next is answered "busy".
const MAILBOXES_PER_LINK: usize = 4;

/// How long relay credentials last.
const CREDENTIAL_LIFETIME: Duration = Duration::from_secs(600);

/// After a supernode came or went, claims are put where they belong this much later.
const REPLICATE_DELAY: Duration = Duration::from_secs(1);

/// A claim is replicated by this many of its closest holders: one may be dead, another new.
const REPLICATORS: usize = 3;

/// Claims, and introduction records, replicated in one go: with some twenty requests each, they stay below the bounds of a link.
const REPLICATE_AT_ONCE: usize = 40;

impl Node {
    pub(super) fn serve(&mut self, now: Now, link: LinkId, request: u32, body: Request) {
        self.serve_to(now, ReplyTo::Link { link, request }, body);
    }

    pub(super) fn serve_to(&mut self, now: Now, to: ReplyTo, body: Request) {
        let answer = match body {
            body if !self.offers(&body) => Response::Refused(Refusal::NotOffered),
            Request::Ping => self.alive(),
            Request::OpenMailbox { mailbox, need } => self.open_mailbox(now, to, mailbox, need),
            Request::PutClaim(claim) => match self.put_claim(now, to, *claim) {
                Some(answer) => answer,
                // The answer follows when the claim is on disk.
                None => return,
            },
            Request::GetClaims(name) => {
                Response::Claims(Bounded::take(self.directory.claims(now.unix, &name).cloned()))
            }
            Request::PutIntroduction(record) => match self.directory.put_introduction(now.unix, &record) {
                IntroductionPut::Stored => Response::Done,
                IntroductionPut::Invalid(_) => self.invalid(),
                IntroductionPut::Stale => Response::Refused(Refusal::Stale),
                IntroductionPut::Full => self.busy(),
            },
            Request::GetIntroduction(key) => {
                let record = self.directory.introduction(now.unix, &key);
                Response::Introduction(record.cloned().map(Box::new))
            }
            Request::Deliver { mailbox, sealed } => self.deliver(now, to, mailbox, sealed),
            Request::Introduce { door, token, sealed } => self.introduce(now, to, door, token, sealed),
            Request::Leave { reader, token, sealed } => self.keep_letter(now, to, reader, token, sealed),
            Request::Collect(word) => self.give_letters(now, &word),
            Request::RelayCredentials => self.grant_relay(now, to),
            Request::Reconcile(summary) => self.unlisted(&summary),
            Request::PutPresence(record) => self.put_presence(now, *record),
            Request::SpreadPresence(record) => self.spread_presence(now, to, *record),
            Request::GetPresences(keys) => self.get_presences(now, &keys),
            Request::GatherPresences(keys) => match self.gather_presences(now, to, keys.into_vec()) {
                Some(answer) => answer,
                // The answer follows when holders have answered.
                None => return,
            },
            Request::ShowCredit(shown) => self.take_credit(now, to, &shown),
            Request::DialBack(request) => self.serve_dial_back(now, to, &request),
            Request::DialBackFor(request) => self.serve_dial_back_for(now, to, &request),
            Request::Find { key, most } => self.closest_known(now, &key, most),
        };
        self.reply(now, to, answer);
    }

    pub(super) fn reply(&mut self, _: Now, to: ReplyTo, body: Response) {
        match to {
            ReplyTo::Link { link, request } if self.links.contains_key(&link) => {
                self.transmit(link, &Message::Response { id: request, body });
            }
            // The asker is gone.
            ReplyTo::Link { .. } => {}
            ReplyTo::Own(request) => self.answered_by_own(request, body),
        }
    }

    fn open_mailbox(&mut self, now: Now, to: ReplyTo, mailbox: MailboxId, need: Need) -> Response {
        let ReplyTo::Link { link: id, .. } = to else { return Response::Refused(Refusal::NotOffered) };
        let Some(link) = self.links.get(&id) else { return Response::Busy };
        match self.mailboxes.get(&mailbox) {
            Some(owner) if *owner == MailboxOwner::Link(id) => {
                self.keep_place(id, mailbox, need);
                Response::Done
            }
            // Somebody else's random number: not a thing that happens by chance.
            Some(_) => self.invalid(),
            None if link.mailboxes.len() >= MAILBOXES_PER_LINK => self.busy(),
            None => match self.open_place(now, id, mailbox, need) {
                Some(refusal) => refusal,
                None => {
                    self.mailboxes.insert(mailbox, MailboxOwner::Link(id));
                    self.open_door(mailbox);
                    Response::Done
                }
            },
        }
    }

    fn put_claim(&mut self, now: Now, to: ReplyTo, claim: Claim) -> Option<Response> {
        if self.writes.is_full() {
            return Some(self.busy());
        }
        if let Some(held) = self.directory.vouched_lately(now.unix, &claim)
            && self.writes.is_on_disk(held)
        {
            return Some(acknowledgement(held));
        }
        let source = self.source(to);
        // Nobody needs to be known where nothing is to be weighed.
        let weighs = !claim.receipts().is_empty();
        let known = if weighs { self.witnesses(now, claim.name()) } else { Witnesses::nobody() };
        match self.directory.put_claim(now.unix, source, &claim, &known) {
            ClaimPut::Stored(claim) => {
                let answer = acknowledgement(&claim);
                self.persist(claim, Some(Promise { to, answer }));
                None
            }
            ClaimPut::Held(claim) => {
                let answer = acknowledgement(&claim);
                self.acknowledge(claim, Promise { to, answer })
            }
            ClaimPut::Taken { by, kept } => {
                if let Some(kept) = kept {
                    self.persist(kept, None);
                }
                Some(Response::Taken(by))
            }
            ClaimPut::Invalid(_) => Some(self.invalid()),
            ClaimPut::Stale => Some(Response::Refused(Refusal::Stale)),
            ClaimPut::Full => Some(self.busy()),
        }
    }

    #[cfg(test)]
    pub(crate) fn forget_claims(&mut self) {
        self.directory = crate::directory::Directory::new(
            self.config.network,
            self.link_secret.clone(),
            &self.config.limits,
        );
    }

    pub(super) fn source(&self, to: ReplyTo) -> Source {
        let address: Option<IpAddr> = match to {
            ReplyTo::Link { link, .. } => self.links.get(&link).map(|link| link.address.ip()),
            ReplyTo::Own(_) => None,
        };
        match (self.config.network, address) {
            (crate::Network::Lab, _) | (_, None) => Source::Own,
            (crate::Network::Main, Some(ip)) => ip.into(),
        }
    }

    fn grant_relay(&self, now: Now, to: ReplyTo) -> Response {
        let relay = self.config.supernode.as_ref().and_then(|s| s.relay.as_ref());
        // Whoever goes relays for nobody new.
        let Some(relay) = relay.filter(|_| !self.is_draining()) else {
            return Response::Refused(Refusal::NotOffered);
        };
        let peer = match to {
            ReplyTo::Link { link, .. } => self
                .links
                .get(&link)
                .and_then(|link| Some((link.peer?, relay.address_for(link.address.ip())))),
            ReplyTo::Own(_) => Some((self.own_key(), relay.address)),
        };
        let Some((peer, udp)) = peer else { return Response::Busy };
        let id = self.priority(to).mark(&relay_name(&peer));
        let credentials = relay.issuer.issue(now.unix, &id, CREDENTIAL_LIFETIME);
        Response::Relay(RelayGrant {
            udp,
            username: credentials.username,
            password: credentials.password,
            expires: now.unix.saturating_add(CREDENTIAL_LIFETIME),
        })
    }

    pub(super) fn invalid(&mut self) -> Response {
        self.stats.refused_records += 1;
        Response::Refused(Refusal::Invalid)
    }

    pub(super) fn busy(&mut self) -> Response {
        self.stats.limited += 1;
        Response::Busy
    }

    /// A supernode came or went: what it should hold, or held, goes to those that should hold it now.
    pub(super) fn replicate_soon(&mut self, now: Now, changed: LinkKey) {
        self.replication.next.insert(changed);
        self.timers.set_earlier(Timer::Replicate, now.instant + REPLICATE_DELAY);
    }

    /// The next few claims and introduction records; the rest follows in a second. Each is looked after by its three
    /// closest holders.
    pub(super) fn replicate_some(&mut self, now: Now) {
        let (name, person) = (self.replication.after.take(), self.replication.after_person.take());
        let anew = name.is_none() && person.is_none();
        if anew {
            self.replication.changed = std::mem::take(&mut self.replication.next);
        }
        let (mut claims, mut people): (Vec<(Key, &Claim)>, Vec<&Introduction>) = (Vec::new(), Vec::new());
        if anew || name.is_some() {
            claims = self.directory.claims_after(now.unix, name.as_ref(), REPLICATE_AT_ONCE);
        }
        if anew || person.is_some() {
            people.extend(self.directory.introductions_after(person.as_ref(), REPLICATE_AT_ONCE));
        }
        if claims.len() >= REPLICATE_AT_ONCE {
            self.replication.after = claims.last().map(|(_, claim)| claim.name().skeleton());
        }
        if people.len() == REPLICATE_AT_ONCE {
            self.replication.after_person = people.last().map(|record| record.identity());
        }
        if self.replication.after.is_some()
            || self.replication.after_person.is_some()
            || !self.replication.next.is_empty()
        {
            self.timers.set(Timer::Replicate, now.instant + REPLICATE_DELAY);
        }
        let live = people.into_iter().filter(|record| record.not_after() > now.unix);
        let mut puts: Vec<(Peer, Request)> = Vec::new();
        for record in live {
            let holders = self.new_holders(now, &Key::of_person(&record.identity()));
            puts.extend(
                holders.into_iter().map(|peer| (peer, Request::PutIntroduction(Box::new(record.clone())))),
            );
        }
        for (key, claim) in claims {
            let holders = self.new_holders(now, &key);
            puts.extend(holders.into_iter().map(|peer| (peer, Request::PutClaim(Box::new(claim.clone())))));
        }
        for (peer, request) in puts {
            self.ask(now, peer, request, Purpose::Background);
        }
    }

    /// The supernodes that have to hold something at `key` because of what changed, if it is ours to tell them.
    fn new_holders(&self, now: Now, key: &Key) -> Vec<Peer> {
        let own = self.own_key();
        if self.table.closer_than(now.instant, key, &self.place, REPLICATORS) >= REPLICATORS {
            return Vec::new();
        }
        let closest = self.holders_known(now, key);
        let Some(last) = closest.last().map(|peer| Key::of_node(&peer.node).distance(key)) else {
            return Vec::new();
        };
        let holds = |node: &LinkKey| closest.iter().any(|peer| peer.node == *node);
        let changed = &self.replication.changed;
        let left = changed.iter().filter(|node| !holds(node) && Key::of_node(node).distance(key) < last);
        // As many as left moved up at the far end.
        let moved_up = closest.len() - left.count().min(closest.len());
        let due = closest.iter().enumerate();
        let due = due.filter(|(nth, peer)| *nth >= moved_up || changed.contains(&peer.node));
        due.map(|(_, peer)| *peer).filter(|peer| peer.node != own).collect()
    }
}

/// Who came or went since claims were last put where they belong.
#[derive(Debug, Default)]
pub(super) struct Replication {
    /// Looked after now, and where the next portion of claims begins.
    changed: BTreeSet<LinkKey>,
    after: Option<Skeleton>,
    after_person: Option<PublicKey>,
    /// Looked after when that is done.
    next: BTreeSet<LinkKey>,
}

/// What is said to whoever put a claim that is held.
fn acknowledgement(claim: &Claim) -> Response {
    claim.witness().map_or(Response::Done, |receipt| Response::Receipt(Box::new(receipt.clone())))
}
