//! Letters: what we leave for somebody who cannot be rung, and what was left for us.
//!
//! ```text
//!   leave:  Fetching (their record) ─▶ Leaving: to the LEFT_AT holders of it closest to them ─one keeps it─▶ done
//!   ours:   a holder took our record ─Collect─▶ it ◀─Letters── opened, told ─Collect(taken)─▶ it ...
//! ```
//! A letter never rings: it says that somebody called. It is sealed to the letter key of the record, which a person has
//! again after a restart.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use rand::RngExt as _;
use relay::Now;

use super::{
    Answer, Node, NodeEvent, QueryId,
    ask::{AskError, Peer, Purpose},
    query::{Command, Next, Query},
    serve::ReplyTo,
};
use crate::{
    directory::letters::{LetterMark, LetterPut, SealedLetter},
    envelope::{Stamp, Token},
    error::SendError,
    identity::{LinkKey, PublicKey},
    record::{Collection, Introduction, MailboxId},
    routing::Key,
    wire::{Bounded, Refusal, Request, Response},
};

/// What was collected, and from whom.
#[derive(Debug, Default)]
pub(super) struct Post {
    /// When each holder of our record was asked last.
    asked: BTreeMap<LinkKey, Instant>,
    /// Letters told already: the same one lies at several holders.
    told: BTreeSet<(PublicKey, [u8; 16])>,
}

/// Holders that are left a letter: the nearest ones, so that the reader's view and ours agree on some.
const LEFT_AT: usize = 4;

/// Holders that are asked, the nearest ones, as whoever leaves a letter may know of others.
const ASKED_FOR_LETTERS: usize = 2 * LEFT_AT;

/// A holder is asked again after this time, when we are about to tell it where we are anyway.
const COLLECT_AGAIN: Duration = Duration::from_secs(30 * 60);

/// Holders remembered as asked; when full, all are asked again.
const MAX_ASKED: usize = 256;

/// Letters remembered as told; when full, all are forgotten, and the application sees some of them twice.
const MAX_TOLD: usize = 4_096;

impl Node {
    /// Leaves word for somebody who cannot be rung now, to be read when they are back, within a week. Ends in
    /// [`Answer::Sent`].
    pub fn leave_word(&mut self, now: Now, to: PublicKey, payload: Vec<u8>) -> QueryId {
        self.command(now, Command::Leave(to, payload))
    }

    /// Their record is here.
    pub(super) fn begin_leaving(
        &mut self,
        now: Now,
        id: QueryId,
        record: &Introduction,
        payload: &[u8],
    ) -> Next {
        let to = record.identity();
        let stamp = Stamp { id: self.rng.random(), sent: now.unix };
        let sealed =
            self.sealer.seal(now.unix, stamp, &to, &record.letter_key(), (payload, &[]), &mut self.rng);
        let Some(sealed) = sealed else { return Next::Done(Answer::Sent(Err(SendError::NotReachable))) };
        let holders = self.holders_now(now, &Key::of_person(&to));
        let mut waiting = 0;
        for peer in holders.into_iter().take(LEFT_AT) {
            let token = self.token_for(now, MailboxId::of_letters(&to));
            let sealed = sealed.clone();
            waiting += 1;
            self.ask(now, peer, Request::Leave { reader: to, token, sealed }, Purpose::Query(id));
        }
        if waiting == 0 {
            return Next::Done(Answer::Sent(Err(SendError::Offline)));
        }
        Next::Continue(Query::Leaving { waiting, kept: 0 })
    }

    /// A holder answered.
    pub(super) fn left(waiting: usize, kept: usize, result: &Result<Response, AskError>) -> Next {
        let kept = kept + usize::from(*result == Ok(Response::Done));
        match waiting.saturating_sub(1) {
            0 => Self::left_at(kept),
            waiting => Next::Continue(Query::Leaving { waiting, kept }),
        }
    }

    /// All have answered, or had their time.
    pub(super) fn left_at(kept: usize) -> Next {
        let result = if kept > 0 { Ok(()) } else { Err(SendError::NotReachable) };
        Next::Done(Answer::Sent(result))
    }

    /// A letter for somebody whose record we hold.
    pub(super) fn keep_letter(
        &mut self,
        now: Now,
        to: ReplyTo,
        reader: PublicKey,
        token: Token,
        sealed: Vec<u8>,
    ) -> Response {
        if !self.link_may_ring(now, to) {
            return self.busy();
        }
        let letterbox = MailboxId::of_letters(&reader);
        let Some(letter) = SealedLetter::new(sealed) else { return self.invalid() };
        if !token.verify(self.config.network, &letterbox, now.unix) {
            return self.invalid();
        }
        if !self.token_may_be_used(letterbox, token) {
            return self.busy();
        }
        let source = self.source(to);
        match self.directory.put_letter(now.unix, source, reader, letter) {
            Some(LetterPut::Kept) => Response::Done,
            Some(LetterPut::Full) => self.busy(),
            None => Response::Refused(Refusal::UnknownMailbox),
        }
    }

    /// Somebody comes for theirs.
    pub(super) fn give_letters(&mut self, now: Now, word: &Collection) -> Response {
        if word.verify(self.config.network, &self.own_key(), now.unix).is_err() {
            return self.invalid();
        }
        let reader = word.identity();
        let letters = self.directory.collect_letters(now.unix, &reader, word.taken());
        Response::Letters(Bounded::take(letters.cloned()))
    }

    /// A holder has our record now: it may have letters, too.
    pub(super) fn collect_from(&mut self, now: Now, holder: Peer) {
        let lately = |at: &Instant| now.instant < *at + COLLECT_AGAIN;
        if self.post.asked.get(&holder.node).is_some_and(lately) || self.is_far_holder(&holder.node) {
            return;
        }
        if self.post.asked.len() >= MAX_ASKED {
            self.post.asked.clear();
        }
        self.post.asked.insert(holder.node, now.instant);
        self.collect(now, holder, Vec::new(), Purpose::Collect);
    }

    /// Whether enough holders of our record stand nearer to it than this one.
    fn is_far_holder(&self, holder: &LinkKey) -> bool {
        let place = Key::of_person(&self.identity.public_key());
        let from = |node: &LinkKey| Key::of_node(node).distance(&place);
        let distance = from(holder);
        let nearer = self.held_at.get(&place).into_iter().flatten().filter(|node| from(node) < distance);
        nearer.take(ASKED_FOR_LETTERS).count() == ASKED_FOR_LETTERS
    }

    fn collect(&mut self, now: Now, holder: Peer, taken: Vec<LetterMark>, purpose: Purpose) {
        let word = Collection::sign(&self.identity, self.config.network, holder.node, now.unix, taken);
        self.ask(now, holder, Request::Collect(Box::new(word)), purpose);
    }

    /// A holder gave us what it has.
    pub(super) fn collected(&mut self, now: Now, holder: Peer, result: Result<Response, AskError>) {
        let Ok(Response::Letters(letters)) = result else { return };
        let taken: Vec<LetterMark> = letters.iter().map(SealedLetter::mark).collect();
        for letter in letters.iter() {
            self.open_letter(now, letter.bytes());
        }
        if !taken.is_empty() {
            // What cannot be opened may go as well. A box is given whole: nothing more is asked for.
            self.collect(now, holder, taken, Purpose::Background);
        }
    }

    fn open_letter(&mut self, now: Now, sealed: &[u8]) {
        let Ok(letter) = self.sealer.open_letter(now.unix, sealed) else {
            self.stats.envelopes_bad += 1;
            return;
        };
        if self.post.told.len() >= MAX_TOLD {
            self.post.told.clear();
        }
        if !self.post.told.insert((letter.from, letter.id)) {
            self.stats.envelopes_replayed += 1;
            return;
        }
        self.stats.envelopes += 1;
        let (from, sent, payload) = (letter.from, letter.sent, letter.payload);
        self.events.push_back(NodeEvent::Letter { from, sent, payload });
    }
}
