//! Passing envelopes on, within limits: nobody is flooded because somebody knows how to ring them.
//!
//! ```text
//!   contacts   ─Deliver(mailbox)──────────▶ ┐ per link, per prefix, per mailbox   ┌─Ring─▶ the leaf
//!   strangers  ─Introduce(door, token)────▶ ┘ of the caller         of the callee └─────── or our own person
//! ```
//! A *door* is what the public record names: the hash of a mailbox, from which nobody finds the mailbox itself. Its budget
//! is another one, so that a flood of strangers does not keep contacts out. The caller's identity is sealed: a caller is
//! a link, and the prefix it comes from.

use std::collections::BTreeMap;

use rand::RngExt as _;
use relay::Now;

use super::{
    Node,
    bucket::Bucket,
    serve::{MailboxOwner, ReplyTo},
};
use crate::{
    directory::Source,
    envelope::{ENVELOPE_SIZE, TOKEN_USES, Token},
    record::MailboxId,
    wire::{Message, Refusal, Response},
};

/// Who was rung, by whom, and what was paid for it.
#[derive(Debug, Default)]
pub(super) struct Ringing {
    /// The mailbox behind each door.
    doors: BTreeMap<MailboxId, MailboxId>,
    /// By mailbox or door; only of those that were rung lately.
    callees: BTreeMap<MailboxId, Bucket>,
    /// By where callers come from; only of those that called lately.
    callers: BTreeMap<Source, Bucket>,
    /// How often each token was used here.
    used: BTreeMap<(MailboxId, Token), u8>,
    /// Tokens of ours, by door, and how often we may use each.
    paid: BTreeMap<MailboxId, (Token, u8)>,
}

/// Envelopes for one mailbox, and through one door, a second and at once.
const MAILBOX: (u32, u32) = (10, 120);
const DOOR: (u32, u32) = (2, 60);

/// Envelopes from one prefix a second and at once. Many people may share one.
const CALLERS: (u32, u32) = (20, 300);

/// Prefixes watched at a time; when full, callers of others are answered "busy".
const MAX_CALLERS: usize = 4_096;

/// Tokens remembered as used; when full, further ones are answered "busy".
const MAX_USED: usize = 16_384;

/// Tokens of ours kept; when full, all are forgotten, and worked for again.
const MAX_PAID: usize = 256;

impl Node {
    /// A mailbox was opened: there is a door to it.
    pub(super) fn open_door(&mut self, mailbox: MailboxId) {
        self.ringing.doors.insert(mailbox.door(), mailbox);
    }

    pub(super) fn close_door(&mut self, mailbox: &MailboxId) {
        self.ringing.doors.remove(&mailbox.door());
    }

    /// An envelope from somebody who was told the mailbox.
    pub(super) fn deliver(&mut self, now: Now, to: ReplyTo, mailbox: MailboxId, sealed: Vec<u8>) -> Response {
        if !self.link_may_ring(now, to) {
            return self.busy();
        }
        if sealed.len() != ENVELOPE_SIZE {
            return self.invalid();
        }
        let Some(owner) = self.mailboxes.get(&mailbox).copied() else {
            return Response::Refused(Refusal::UnknownMailbox);
        };
        let source = self.source(to);
        if !self.ringing.may_ring(now, source, mailbox, MAILBOX) {
            return self.busy();
        }
        self.pass_on(now, mailbox, owner, sealed)
    }

    /// An envelope from somebody who read the public record.
    pub(super) fn introduce(
        &mut self,
        now: Now,
        to: ReplyTo,
        door: MailboxId,
        token: Token,
        sealed: Vec<u8>,
    ) -> Response {
        if !self.link_may_ring(now, to) {
            return self.busy();
        }
        if sealed.len() != ENVELOPE_SIZE {
            return self.invalid();
        }
        let mailbox = self.ringing.doors.get(&door).copied();
        let Some((mailbox, owner)) = mailbox.and_then(|m| Some((m, *self.mailboxes.get(&m)?))) else {
            return Response::Refused(Refusal::UnknownMailbox);
        };
        if !token.verify(self.config.network, &door, now.unix) {
            return self.invalid();
        }
        let source = self.source(to);
        if !self.ringing.use_up(door, token) || !self.ringing.may_ring(now, source, door, DOOR) {
            return self.busy();
        }
        self.pass_on(now, mailbox, owner, sealed)
    }

    /// Notes one use of a token for `door`; whether it was paid for.
    pub(super) fn token_may_be_used(&mut self, door: MailboxId, token: Token) -> bool {
        self.ringing.use_up(door, token)
    }

    pub(super) fn link_may_ring(&mut self, now: Now, to: ReplyTo) -> bool {
        match to {
            ReplyTo::Link { link, .. } => {
                self.links.get_mut(&link).is_some_and(|link| link.envelopes.take(now.instant))
            }
            ReplyTo::Own(_) => true,
        }
    }

    fn pass_on(&mut self, now: Now, mailbox: MailboxId, owner: MailboxOwner, sealed: Vec<u8>) -> Response {
        match owner {
            MailboxOwner::Own => self.open_envelope(now, &sealed),
            MailboxOwner::Link(leaf) => {
                self.stats.envelopes_forwarded += 1;
                self.transmit(leaf, &Message::Ring { mailbox, sealed });
            }
        }
        Response::Done
    }

    /// A token for a door, worked for when the last one is used up or old.
    pub(super) fn token_for(&mut self, now: Now, door: MailboxId) -> Token {
        let paid =
            self.ringing.paid.get_mut(&door).filter(|(token, uses)| *uses > 0 && token.is_timely(now.unix));
        if let Some((token, uses)) = paid {
            *uses -= 1;
            return *token;
        }
        let token = Token::work(self.config.network, &door, now.unix, self.rng.random());
        if self.ringing.paid.len() >= MAX_PAID {
            self.ringing.paid.clear();
        }
        self.ringing.paid.insert(door, (token, TOKEN_USES - 1));
        token
    }

    pub(super) fn expire_ringing(&mut self, now: Now) {
        self.ringing.expire(now);
    }
}

impl Ringing {
    /// Takes one from the budgets of both sides.
    fn may_ring(&mut self, now: Now, source: Source, callee: MailboxId, limit: (u32, u32)) -> bool {
        let bucket = |(per_second, burst)| Bucket::new(per_second, burst, now.instant);
        if source != Source::Own {
            if self.callers.len() >= MAX_CALLERS && !self.callers.contains_key(&source) {
                self.callers.retain(|_, bucket| !bucket.is_full(now.instant));
                if self.callers.len() >= MAX_CALLERS {
                    return false;
                }
            }
            if !self.callers.entry(source).or_insert_with(|| bucket(CALLERS)).take(now.instant) {
                return false;
            }
        }
        self.callees.entry(callee).or_insert_with(|| bucket(limit)).take(now.instant)
    }

    fn use_up(&mut self, door: MailboxId, token: Token) -> bool {
        if self.used.len() >= MAX_USED && !self.used.contains_key(&(door, token)) {
            return false;
        }
        let uses = self.used.entry((door, token)).or_insert(0);
        *uses = uses.saturating_add(1);
        *uses <= TOKEN_USES
    }

    fn expire(&mut self, now: Now) {
        self.callees.retain(|_, bucket| !bucket.is_full(now.instant));
        self.callers.retain(|_, bucket| !bucket.is_full(now.instant));
        self.used.retain(|(_, token), _| token.is_timely(now.unix));
        self.paid.retain(|_, (token, _)| token.is_timely(now.unix));
    }

    #[cfg(test)]
    fn is_empty(&self) -> bool {
        self.callees.is_empty() && self.callers.is_empty() && self.used.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::{net::IpAddr, time::Duration};

    use relay::UnixTime;

    use super::*;
    use crate::{config::Network, sim::origin};

    fn now() -> Now {
        Now { instant: origin(), unix: UnixTime::from_secs(1_800_000_000) }
    }

    fn source(n: u32) -> Source {
        IpAddr::from((0x0900_0000 + (n << 8)).to_be_bytes()).into()
    }

    #[test]
    fn a_flood_to_one_callee_is_stopped_and_others_are_rung() {
        let (mut ringing, now) = (Ringing::default(), now());
        let (ada, bob) = (MailboxId::from_bytes([1; 32]), MailboxId::from_bytes([2; 32]));
        let passed = (0..1_000).filter(|n| ringing.may_ring(now, source(*n), ada, DOOR)).count();
        assert_eq!(passed, DOOR.1 as usize);
        assert!(ringing.may_ring(now, source(1), bob, DOOR));
        let later = now.after(Duration::from_secs(600));
        ringing.expire(later);
        assert!(ringing.is_empty());
        assert!(ringing.may_ring(later, source(1), ada, DOOR));
    }

    #[test]
    fn a_flood_from_one_prefix_is_stopped_and_others_may_call() {
        let (mut ringing, now) = (Ringing::default(), now());
        let mailbox = |n: u16| {
            let mut bytes = [0; 32];
            bytes[..2].copy_from_slice(&n.to_be_bytes());
            MailboxId::from_bytes(bytes)
        };
        let passed = (0..1_000).filter(|n| ringing.may_ring(now, source(1), mailbox(*n), DOOR)).count();
        assert_eq!(passed, CALLERS.1 as usize);
        assert!(ringing.may_ring(now, source(2), mailbox(1), DOOR));
    }

    #[test]
    fn what_is_remembered_of_callers_and_tokens_is_bounded() {
        let (mut ringing, now) = (Ringing::default(), now());
        let mailbox = MailboxId::from_bytes([1; 32]);
        for n in 0..10_000 {
            ringing.may_ring(now, source(n), mailbox, DOOR);
        }
        assert_eq!(ringing.callers.len(), MAX_CALLERS);
        for n in 0..20_000 {
            ringing.use_up(mailbox, Token::work(Network::Lab, &mailbox, now.unix, n * 1_000));
        }
        assert!(ringing.used.len() <= MAX_USED);
    }

    #[test]
    fn a_token_is_used_up() {
        let (mut ringing, now) = (Ringing::default(), now());
        let door = MailboxId::from_bytes([1; 32]);
        let token = Token::work(Network::Lab, &door, now.unix, 0);
        let uses = (0..100).filter(|_| ringing.use_up(door, token)).count();
        assert_eq!(uses, usize::from(TOKEN_USES));
    }
}
