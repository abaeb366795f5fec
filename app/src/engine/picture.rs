//! The snapshot the window draws, kept up to date.

use super::{
    WakeSlot,
    view::{
        Attempt, BlockedRow, CallPhase, CallView, ClaimRow, ContactId, ContactRow, HISTORY_ROWS, HistoryRow,
        NOTICES, Notice, PathView, Presence, Quality, RequestRow, Second, TREND, View,
    },
};
use crate::{
    call::{Ended, Receipt, Side, Waiting},
    reason::{Reason, Weight},
    storage::{Contact, Storage, StorageError, Verified},
};
use media::session::{CallStats, PathReport};
use overlay::{FoundClaim, PublicKey};
use relay::UnixTime;
use std::sync::Arc;
use tokio::sync::watch;

/// The name of the built-in contact.
pub(super) const ECHO: &str = "Echo";

/// The snapshot being prepared; [`Picture::publish`] shows it.
pub(super) struct Picture {
    /// What will be shown next.
    pub(super) view: View,
    show: watch::Sender<Arc<View>>,
    wake: WakeSlot,
    next_notice: u64,
}

impl Picture {
    pub(super) fn new(own: PublicKey, show: watch::Sender<Arc<View>>, wake: WakeSlot) -> Self {
        Self { view: View::new(own), show, wake, next_notice: 1 }
    }

    /// Shows the snapshot, if it differs from the one shown.
    pub(super) fn publish(&self) {
        let differs = self.show.send_if_modified(|shown| {
            let differs = **shown != self.view;
            if differs {
                *shown = Arc::new(self.view.clone());
            }
            differs
        });
        if differs {
            self.wake.call();
        }
    }

    /// Whether there is a window that follows.
    pub(super) fn is_watched(&self) -> bool {
        self.wake.is_set()
    }

    /// Tells the person something, until dismissed; what says the same gives way, else the oldest notice.
    pub(super) fn notice(&mut self, reason: &Reason) {
        self.view.notices.retain(|notice| !notice.why.says_the_same(reason));
        if self.view.notices.len() == NOTICES {
            self.view.notices.remove(0);
        }
        self.view.notices.push(Notice { id: self.next_notice, why: reason.clone() });
        self.next_notice += 1;
    }

    /// The sound system has answered: what was told of it is over. What was refused passes by itself.
    pub(super) fn sound_works(&mut self) {
        self.view.notices.retain(|notice| {
            !matches!(notice.why, Reason::Device { .. }) || notice.why.weight() == Weight::Passing
        });
    }

    /// Reads contacts, the blocked, requests and history anew.
    pub(super) fn read(&mut self, storage: &Storage, now: UnixTime) -> Result<Vec<Contact>, StorageError> {
        let contacts = storage.contacts()?;
        let past = storage.history(HISTORY_ROWS as u32)?;
        let last_call = |id: ContactId| {
            let last = past.iter().find(|call| call.with == id && call.lasted.is_some())?;
            storage.when(last.began, now).ok()
        };
        let echo = ContactRow {
            id: ContactId::Echo,
            name: ECHO.into(),
            nickname: None,
            fingerprint: String::new(),
            last_call: last_call(ContactId::Echo),
            presence: Presence::Unknown,
            verified: Verified::No,
            changed: None,
        };
        let presence = |contact: &Contact| match contact.seen {
            Some(_) if contact.here => Presence::Here,
            Some(seen) => storage.when(seen, now).map_or(Presence::Unknown, Presence::Gone),
            None => Presence::Unknown,
        };
        let changes = storage.key_changes()?;
        let changed = |key| changes.iter().find(|change| change.pinned == key).map(|change| change.found);
        let people = contacts.iter().map(|contact| ContactRow {
            id: ContactId::Person(contact.key),
            name: contact.name.clone(),
            nickname: contact.nickname.clone(),
            fingerprint: contact.key.fingerprint(),
            last_call: last_call(ContactId::Person(contact.key)),
            presence: presence(contact),
            verified: contact.verified,
            changed: changed(contact.key),
        });
        let mut people: Vec<ContactRow> = people.collect();
        let blocked = storage.blocked()?;
        in_order(&mut people, |row| blocked.iter().any(|blocked| ContactId::Person(blocked.key) == row.id));
        self.view.contacts = std::iter::once(echo).chain(people).collect();
        let blocked = blocked.into_iter().map(|blocked| BlockedRow {
            fingerprint: blocked.key.fingerprint(),
            name: shown_name(&contacts, ContactId::Person(blocked.key), blocked.name),
            key: blocked.key,
        });
        self.view.blocked = blocked.collect();
        self.view.requests = storage
            .requests()?
            .into_iter()
            .map(|request| RequestRow {
                fingerprint: request.key.fingerprint(),
                key: request.key,
                name: request.name,
                // Found out when it is shown.
                attempt: Attempt::Past,
            })
            .collect();
        self.view.missed = storage.missed()?;
        self.view.history = past
            .into_iter()
            .map(|call| {
                Ok(HistoryRow {
                    with: call.with,
                    name: shown_name(&contacts, call.with, call.name),
                    outcome: call.outcome,
                    began: call.began,
                    when: storage.when(call.began, now)?,
                    lasted: call.lasted,
                    receipt: call.receipt,
                    reply: call.reply,
                })
            })
            .collect::<Result<_, StorageError>>()?;
        Ok(contacts)
    }

    /// A call begins.
    pub(super) fn show_call(&mut self, with: ContactId, name: String, phase: CallPhase) {
        self.view.call = Some(CallView::new(with, name, phase));
    }

    /// The call moved on.
    pub(super) fn phase(&mut self, phase: CallPhase) {
        if let Some(call) = &mut self.view.call {
            if matches!(phase, CallPhase::Ended { .. }) {
                (call.mic_level, call.speaker_level) = (0.0, 0.0);
            }
            call.phase = phase;
            call.waiting = None;
        }
    }

    /// The call is over. Whoever declined it knows what they did.
    pub(super) fn over(&mut self, ended: &Ended, receipt: Option<Receipt>) {
        if let (Reason::Declined(_), Side::Local) = (&ended.reason, ended.by) {
            self.view.call = None;
        }
        self.phase(CallPhase::Ended { why: ended.reason.clone(), lasted: ended.talked, receipt });
    }

    /// The call makes no progress.
    pub(super) fn waiting(&mut self, waiting: Waiting) {
        if let Some(call) = &mut self.view.call {
            call.waiting = Some(waiting);
        }
    }

    /// The way the sound takes.
    pub(super) fn path(&mut self, path: &PathReport) {
        if let Some(call) = &mut self.view.call {
            call.path = Some(match (call.with, path.direct) {
                (ContactId::Echo, _) => PathView::Local,
                (ContactId::Person(_), true) => PathView::Direct,
                (ContactId::Person(_), false) => PathView::Relayed,
            });
        }
    }

    /// How the call sounds.
    pub(super) fn quality(&mut self, stats: &CallStats) {
        if let Some(call) = &mut self.view.call {
            if call.trend.len() == TREND {
                call.trend.remove(0);
            }
            call.trend.push(Second {
                mos: stats.mos,
                mouth_to_ear: stats.mouth_to_ear,
                lost: stats.loss.max(stats.concealed_ratio),
                kbps: stats.audio_kbps + stats.pictures.map_or(0.0, |pictures| pictures.kbps),
                frame_rate: stats.pictures.map(|pictures| pictures.frame_rate),
            });
            call.quality = Some(Quality::of(&call.trend));
        }
    }
}

/// By the names shown; whoever is blocked comes last.
fn in_order(people: &mut [ContactRow], is_blocked: impl Fn(&ContactRow) -> bool) {
    people.sort_by_cached_key(|row| (is_blocked(row), row.shown().to_lowercase(), row.id));
}

/// What the person calls somebody, or the name they go by.
pub(super) fn shown_name(contacts: &[Contact], who: ContactId, name: String) -> String {
    let contact = contacts.iter().find(|contact| ContactId::Person(contact.key) == who);
    contact.and_then(|contact| contact.nickname.as_ref()).map_or(name, ToString::to_string)
}

/// The rows of a search.
pub(super) fn claim_rows(claims: &[FoundClaim], contacts: &[Contact]) -> Vec<ClaimRow> {
    let row = |claim: &FoundClaim| ClaimRow {
        key: claim.key,
        fingerprint: claim.key.fingerprint(),
        holders: claim.holders,
        contact: contacts.iter().any(|contact| contact.key == claim.key),
    };
    claims.iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        call,
        engine::view::HistoryOutcome,
        reason::Fault,
        storage::{Nickname, PastCall},
    };
    use media::device::Direction;

    #[test]
    fn what_is_told_again_takes_the_place_of_what_was_told() {
        let dead = |why: &str| Reason::Device { why: why.to_owned(), fault: Fault::Dead(Direction::Capture) };
        let (show, _) = watch::channel(Arc::new(View::new(key(1))));
        let mut picture = Picture::new(key(1), show, WakeSlot::default());
        for why in [dead("it hung up"), Reason::DiskFull, dead("no such node")] {
            picture.notice(&why);
        }
        let told: Vec<(u64, &Reason)> = picture.view.notices.iter().map(|it| (it.id, &it.why)).collect();
        assert_eq!(told, [(2, &Reason::DiskFull), (3, &dead("no such node"))]);
    }

    const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

    fn key(seed: u8) -> PublicKey {
        PublicKey::from_bytes([seed; 32])
    }

    fn picture() -> Picture {
        let (show, _) = watch::channel(Arc::new(View::new(key(9))));
        Picture::new(key(9), show, WakeSlot::default())
    }

    fn names(picture: &Picture) -> Vec<&str> {
        picture.view.contacts.iter().map(|row| row.name.as_str()).collect()
    }

    #[test]
    fn who_is_blocked_comes_last_among_the_contacts() {
        let folder = tempfile::tempdir().unwrap();
        let mut storage = Storage::open(folder.path(), NOW).unwrap();
        for (seed, name) in [(1, "ada"), (2, "bob"), (3, "Zoe"), (4, "carl")] {
            storage.add_contact(key(seed), name, NOW).unwrap();
        }
        storage.block(key(2), "bob", NOW).unwrap();
        storage.block(key(1), "ada", NOW).unwrap();
        let mut picture = picture();
        picture.read(&storage, NOW).unwrap();
        assert_eq!(names(&picture), [ECHO, "carl", "Zoe", "ada", "bob"]);
    }

    #[test]
    fn whoever_declines_a_call_is_back_where_they_were_and_whoever_called_reads_of_it() {
        for (by, direction) in
            [(Side::Local, call::Direction::Received), (Side::Remote, call::Direction::Placed)]
        {
            let mut picture = picture();
            picture.show_call(ContactId::Person(key(1)), "ada".into(), CallPhase::Incoming);
            picture.over(&Ended { reason: Reason::Declined(None), by, direction, talked: None }, None);
            assert_eq!(picture.view.call.is_some(), by == Side::Remote);
        }
    }

    #[test]
    fn a_nickname_is_shown_in_the_place_of_the_username_also_of_past_calls_and_sorts_the_contacts() {
        let folder = tempfile::tempdir().unwrap();
        let mut storage = Storage::open(folder.path(), NOW).unwrap();
        for (seed, name) in [(1, "ada"), (2, "bob")] {
            storage.add_contact(key(seed), name, NOW).unwrap();
            let (with, outcome) = (ContactId::Person(key(seed)), HistoryOutcome::Missed);
            storage.add_call(&PastCall::unmeasured(with, name.into(), outcome, NOW)).unwrap();
        }
        storage.set_nickname(key(1), Nickname::parse("Sister").ok().as_ref()).unwrap();
        let mut picture = picture();
        picture.read(&storage, NOW).unwrap();
        assert_eq!(names(&picture), [ECHO, "bob", "ada"]);
        assert_eq!(picture.view.contacts[2].shown(), "Sister");
        let called: Vec<_> = picture.view.history.iter().map(|row| row.name.as_str()).collect();
        assert_eq!(called, ["bob", "Sister"]);
    }
}
