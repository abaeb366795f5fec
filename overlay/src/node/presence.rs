//! Sealed presence: telling our contacts that we are there, and seeing which of them are.
//!
//! ```text
//!   we      ─SpreadPresence─▶ a home ─PutPresence─▶ the PRESENCE_HOLDERS closest to our blinded key of the hour
//!   we      ─GatherPresences(keys of all contacts)─▶ a home ─GetPresences─▶ the ASKED closest to each
//!           ◀─Presences─────────────────────────────        ◀─Presences──
//! ```
//! All goes through one warm link: nobody has to open twenty links to say that they are there, and holders do not see
//! who asks. What a home and a holder do is in `keep`.

mod keep;

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use rand::{RngExt as _, seq::IteratorRandom as _};
use relay::Now;

pub(super) use self::keep::{Gathers, Kept};
use super::{
    Node, NodeEvent, Timer,
    ask::{AskError, Peer, Purpose},
};
use crate::{
    identity::PublicKey,
    record::{BlindedKey, Epoch, PresenceSecret, Saying, SealedPresence, Seen},
    wire::{Bounded, MAX_PRESENCES, Request, Response},
};

/// What we tell and see.
#[derive(Debug, Default)]
pub(super) struct Sight {
    secret: Option<PresenceSecret>,
    last_seq: u64,
    watched: BTreeMap<PublicKey, Watched>,
    /// Whom the keys asked for belong to, and of which hour they are.
    asked: BTreeMap<BlindedKey, (PublicKey, Epoch)>,
    pub(super) kept: Kept,
    pub(super) gathers: Gathers,
}

#[derive(Debug)]
struct Watched {
    secret: PresenceSecret,
    seen: Option<Seen>,
    looked: Option<Instant>,
}

/// Contacts watched; further ones are not.
const MAX_WATCHED: usize = 1_024;

/// A record lasts this long and is renewed this often.
const LIFETIME: Duration = Duration::from_secs(55 * 60);
const RENEWAL: Duration = Duration::from_secs(25 * 60);

/// The record of the next hour is there this long before it begins, give or take: clocks differ.
const AHEAD: Duration = Duration::from_secs(5 * 60);

/// All contacts are looked for this often, give or take; after a failure, this much later.
const LOOK: Duration = Duration::from_secs(30 * 60);
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// Before what somebody said counts no more, they are looked for once more: earlier than the sweep that would find it over
/// when the one before did not look.
const SOON_OVER: Duration = super::sweep::INTERVAL.saturating_add(Duration::from_secs(60));

/// One contact is not looked for twice within this time.
const LOOK_PAUSE: Duration = Duration::from_secs(10);

/// Changes of homes within this time are told together.
const APPEAR_DELAY: Duration = Duration::from_millis(500);

impl Node {
    /// The secret under which contacts find us; none: nobody does. A new one is for whoever is told it from now on.
    pub fn set_presence_secret(&mut self, now: Now, secret: Option<PresenceSecret>) {
        if self.sight.secret != secret {
            self.sight.secret = secret;
            self.timers.cancel(Timer::Appear);
            self.appear(now);
        }
        self.settle(now);
    }

    /// The contacts to watch, with their presence secrets; replaces what was watched before.
    pub fn watch(&mut self, now: Now, contacts: impl IntoIterator<Item = (PublicKey, PresenceSecret)>) {
        let mut before = std::mem::take(&mut self.sight.watched);
        for (who, secret) in contacts.into_iter().take(MAX_WATCHED) {
            let known = before.remove(&who).filter(|watched| watched.secret == secret);
            let watched = known.unwrap_or(Watched { secret, seen: None, looked: None });
            self.sight.watched.insert(who, watched);
        }
        let new: Vec<PublicKey> = self.watched_where(|watched| watched.looked.is_none());
        self.look_for(now, &new);
        self.settle(now);
    }

    /// Looks for one of those watched now: they are on the screen, or to be called.
    pub fn look(&mut self, now: Now, who: PublicKey) {
        let due = |watched: &Watched| watched.looked.is_none_or(|at| now.instant >= at + LOOK_PAUSE);
        if self.sight.watched.get(&who).is_some_and(due) {
            self.look_for(now, &[who]);
        }
        self.settle(now);
    }

    /// Where a contact was last seen, while that counts.
    pub(super) fn seen(&self, now: Now, who: &PublicKey) -> Option<&Seen> {
        let seen = self.sight.watched.get(who)?.seen.as_ref()?;
        (seen.not_after > now.unix && !seen.introducers.is_empty()).then_some(seen)
    }

    /// They were not where they said.
    pub(super) fn not_there(&mut self, who: &PublicKey) {
        if let Some(watched) = self.sight.watched.get_mut(who) {
            watched.seen = None;
        }
    }

    /// Homes changed: those who may must know soon.
    pub(super) fn appear_soon(&mut self, now: Now) {
        if self.sight.secret.is_some() {
            self.timers.set_earlier(Timer::Appear, now.instant + APPEAR_DELAY);
        }
        if !self.sight.watched.is_empty() && !self.timers.is_set(Timer::Look) {
            self.timers.set(Timer::Look, now.instant);
        }
    }

    /// Tells our contacts where to ring us.
    pub(super) fn appear(&mut self, now: Now) {
        let mailboxes = self.mailboxes_of_homes(now);
        if self.sight.secret.is_none() || mailboxes.is_empty() {
            return;
        }
        let this = Epoch::of(now.unix);
        let ahead = AHEAD.mul_f64(self.rng.random_range(0.5..1.0));
        let next = Epoch::of(now.unix.saturating_add(AHEAD));
        for epoch in [Some(this), Some(next).filter(|next| *next != this)].into_iter().flatten() {
            self.say(now, epoch, &mailboxes);
        }
        let renewal = self.jitter(RENEWAL);
        let turn = this.end().saturating_sub(ahead).saturating_duration_since(now.unix);
        let turn = if turn.is_zero() { renewal } else { turn };
        self.timers.set(Timer::Appear, now.instant + renewal.min(turn));
    }

    /// Tells our contacts that we are gone.
    pub(super) fn disappear(&mut self, now: Now) {
        if self.sight.last_seq > 0 {
            self.say(now, Epoch::of(now.unix), &[]);
        }
    }

    fn say(&mut self, now: Now, epoch: Epoch, introducers: &[crate::record::Introducer]) {
        let Some(secret) = self.sight.secret else { return };
        let seq = now.unix.as_millis().max(self.sight.last_seq + 1);
        self.sight.last_seq = seq;
        let saying = Saying {
            identity: &self.identity,
            network: self.config.network,
            seq,
            envelope_key: self.sealer.envelope_key(),
            introducers,
        };
        let Some(record) = SealedPresence::seal(&secret, epoch, saying, now.unix, LIFETIME) else { return };
        if let Some(home) = self.a_home() {
            self.ask(now, home, Request::SpreadPresence(Box::new(record)), Purpose::Background);
        }
    }

    /// Looks for all contacts.
    pub(super) fn look_around(&mut self, now: Now) {
        let all = self.watched_where(|_| true);
        let again = self.jitter(LOOK);
        self.timers.set(Timer::Look, now.instant + again);
        self.look_for(now, &all);
    }

    fn watched_where(&self, wanted: impl Fn(&Watched) -> bool) -> Vec<PublicKey> {
        self.sight.watched.iter().filter(|(_, watched)| wanted(watched)).map(|(who, _)| *who).collect()
    }

    fn look_for(&mut self, now: Now, whom: &[PublicKey]) {
        if whom.is_empty() {
            return;
        }
        let Some(home) = self.a_home() else {
            // Whoever becomes our home is asked.
            self.timers.cancel(Timer::Look);
            return;
        };
        let epoch = Epoch::of(now.unix);
        self.sight.asked.retain(|_, (_, of)| of.end() > now.unix);
        for some in whom.chunks(MAX_PRESENCES) {
            let mut keys = Vec::new();
            for who in some {
                let Some(watched) = self.sight.watched.get_mut(who) else { continue };
                watched.looked = Some(now.instant);
                let key = watched.secret.blinded_key(self.config.network, epoch);
                self.sight.asked.insert(key, (*who, epoch));
                keys.push(key);
            }
            let request = Request::GatherPresences(Bounded::take(keys));
            self.ask(now, home, request, Purpose::Look);
        }
        if !self.timers.is_set(Timer::Look) {
            let again = self.jitter(LOOK);
            self.timers.set(Timer::Look, now.instant + again);
        }
    }

    /// A home answered whom it found, or did not.
    pub(super) fn looked(&mut self, now: Now, result: Result<Response, AskError>) {
        let Ok(Response::Presences(records)) = result else {
            let again = self.jitter(LOOK_AGAIN);
            self.timers.set_earlier(Timer::Look, now.instant + again);
            return;
        };
        for record in records.into_vec() {
            let Some((who, epoch)) = self.sight.asked.get(&record.key()).copied() else { continue };
            let Some(watched) = self.sight.watched.get_mut(&who) else { continue };
            match record.open(&watched.secret, epoch, &who, now.unix) {
                Ok(seen) if watched.seen.as_ref().is_none_or(|before| before.at <= seen.at) => {
                    let at = (!seen.introducers.is_empty()).then_some(seen.at);
                    if watched.seen.replace(seen.clone()).as_ref() != Some(&seen) {
                        self.events.push_back(NodeEvent::Presence { who, seen: at });
                    }
                }
                Ok(_) => {}
                Err(_) => self.stats.refused_records += 1,
            }
        }
    }

    /// What counts no more is forgotten, and told.
    pub(super) fn expire_presence(&mut self, now: Now) {
        let soon = now.unix.saturating_add(SOON_OVER);
        let fading = self.watched_where(|watched| {
            watched.seen.as_ref().is_some_and(|seen| seen.not_after <= soon)
                && watched.looked.is_none_or(|at| now.instant > at + SOON_OVER)
        });
        self.look_for(now, &fading);
        self.sight.gathers.expire(now);
        let now = now.unix;
        self.sight.kept.expire(now);
        for (who, watched) in &mut self.sight.watched {
            if watched.seen.take_if(|seen| seen.not_after <= now).is_some() {
                self.events.push_back(NodeEvent::Presence { who: *who, seen: None });
            }
        }
    }

    /// Whom to ask on our behalf: one of our homes, or ourselves.
    fn a_home(&mut self) -> Option<Peer> {
        if let Some(own) = &self.own_record {
            return Some(Peer { node: own.node(), address: own.address() });
        }
        let homes: Vec<Peer> = self.homes_to_ask();
        homes.into_iter().choose(&mut self.rng)
    }
}
