//! What is kept of calls: of the one that goes on, of those missed, and of strangers who asked.

use super::{
    actor::Actor,
    event::EventBody,
    picture::{ECHO, shown_name},
    view::{CallPhase, ContactId, HistoryOutcome},
};
use crate::{
    call::{CallId, Direction, Ended, Side, receipt::Meter},
    reason::Reason,
    storage::PastCall,
};
use overlay::PublicKey;
use relay::UnixTime;
use std::time::{Duration, Instant};

/// How often it is written down that somebody still talks: so much of a call is lost by a crash.
const WRITTEN_EVERY: Duration = Duration::from_secs(30);

/// What history will say about the call of this moment.
pub(super) struct CallRecord {
    with: ContactId,
    name: String,
    began: UnixTime,
    direction: Direction,
    meter: Meter,
    talk: Option<Talk>,
}

/// Sound flows since then, and that it did was written down at that moment.
struct Talk {
    since: Instant,
    written: Instant,
}

impl Actor {
    pub(super) fn begin_record(&mut self, with: ContactId, claimed: &str, phase: CallPhase) {
        let name = self.name_of(with, claimed);
        // A call may need it.
        self.stop_preview();
        self.stop_scanning();
        let shown = shown_name(&self.contacts, with, name.clone());
        let direction = match phase {
            CallPhase::Incoming => Direction::Received,
            _ => Direction::Placed,
        };
        self.picture.show_call(with, shown, phase);
        let volume = self.volume_of(with);
        self.picture.view.call.iter_mut().for_each(|call| call.volume = volume);
        let (began, meter) = (self.now().unix, Meter::default());
        self.record = Some(CallRecord { with, name, began, direction, meter, talk: None });
    }

    /// Sound flows from now on.
    pub(super) fn begin_talk(&mut self, now: Instant) {
        if let Some(record) = &mut self.record {
            record.talk = Some(Talk { since: now, written: now });
            self.write_down_talk(Duration::ZERO);
        }
    }

    /// Somebody still talks.
    pub(super) fn go_on_talking(&mut self, now: Instant) {
        let Some(talk) = self.record.as_mut().and_then(|record| record.talk.as_mut()) else { return };
        if now.saturating_duration_since(talk.written) < WRITTEN_EVERY {
            return;
        }
        talk.written = now;
        let lasted = now.saturating_duration_since(talk.since);
        self.write_down_talk(lasted);
    }

    /// For a crash that may come: whoever talks has not closed anything properly yet.
    fn write_down_talk(&mut self, lasted: Duration) {
        let Some(record) = &self.record else { return };
        let outcome = match record.direction {
            Direction::Placed => HistoryOutcome::Placed,
            Direction::Received => HistoryOutcome::Received,
        };
        let so_far = PastCall::unmeasured(record.with, record.name.clone(), outcome, record.began);
        let kept = self.storage.add_call(&PastCall { lasted: Some(lasted), ..so_far });
        self.kept(kept);
    }

    /// Something to be told of the call when it is over.
    pub(super) fn measure(&mut self, tell: impl FnOnce(&mut Meter)) {
        if let Some(record) = &mut self.record {
            tell(&mut record.meter);
        }
    }

    /// The name shown for somebody: the contact's, else what they say, else the key's fingerprint.
    pub(super) fn name_of(&self, with: ContactId, claimed: &str) -> String {
        let ContactId::Person(key) = with else { return ECHO.into() };
        let person = self.person(key, claimed);
        if person.name.is_empty() { key.fingerprint() } else { person.name }
    }

    pub(super) fn missed(&mut self, call: Option<CallId>, key: PublicKey, began: UnixTime) {
        self.note_missed(key, began);
        self.read_lists();
        self.tell(call, EventBody::Missed { from: self.person(key, "") });
    }

    pub(super) fn note_missed(&mut self, key: PublicKey, began: UnixTime) {
        let with = ContactId::Person(key);
        let name = self.name_of(with, "");
        let outcome = HistoryOutcome::Missed;
        let kept = self.storage.add_call(&PastCall::unmeasured(with, name, outcome, began));
        self.kept(kept);
    }

    pub(super) fn request(&mut self, call: Option<CallId>, key: PublicKey, name: &str, at: UnixTime) {
        let kept = self.storage.add_request(key, name, at);
        self.kept(kept);
        self.read_lists();
        self.tell(call, EventBody::Request { state: "new", person: self.person(key, name) });
    }

    pub(super) fn call_ended(&mut self, call: CallId, ended: Ended) {
        self.seen = None;
        let with = self.record.as_ref().map(|record| record.with);
        let mut receipt = None;
        if let Some(CallRecord { with, name, began, meter, .. }) = self.record.take() {
            receipt = meter.receipt();
            let outcome = HistoryOutcome::of(&ended);
            let reply = ended.reason.reply().cloned();
            let past = PastCall { with, name, outcome, began, lasted: ended.talked, receipt, reply };
            let kept = self.storage.add_call(&past);
            self.kept(kept);
            self.read_lists();
        }
        if let (Some(ContactId::Person(key)), Reason::NoReaction) = (with, &ended.reason) {
            self.leave_word(key);
        }
        self.picture.over(&ended, receipt);
        let failed = ended.reason.exit_status() != 0 && ended.by != Side::Local
            || matches!(ended.reason, Reason::Device { .. } | Reason::Camera { .. } | Reason::Internal(_));
        if failed && ended.direction == Direction::Placed {
            self.tell(Some(call), EventBody::Error(ended.reason.clone()));
        }
        self.tell(Some(call), EventBody::Ended { ended, receipt });
    }

    /// They could not reach us then: a missed call of a contact, a request of anybody else.
    pub(super) fn called_in_vain(&mut self, from: PublicKey, sent: UnixTime, name: &str) {
        if self.contacts.iter().all(|contact| contact.key != from) {
            return self.request(None, from, name, sent);
        }
        match self.storage.has_call(from, sent) {
            // The same letter may come again after a restart.
            Ok(true) => {}
            Ok(false) => self.missed(None, from, sent),
            Err(error) => self.complain(None, error.into()),
        }
    }
}
