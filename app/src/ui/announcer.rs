//! What the desktop says while nobody looks at the window: who calls, who called, who would like to.
//!
//! ```text
//!   snapshot ──follow──▶ standing announcements ──▶ notifications ──▶ desktop
//!   pressed  ──acted───▶ what to do ──▶ a command of the window's own buttons, or a page
//! ```
//! An announcement stands until it is acted on or closed, until what it is about is over, or until somebody looks at the
//! window, where all of it is to be seen.

use super::command::UiCommand;
use super::state::Page;
use super::text;
use super::text::announce as words;
use crate::call::CallKind;
use crate::desktop::{Action, Notification, NotificationId, Urgency, short_name};
use crate::engine::command::Command;
use crate::engine::view::{
    CallPhase, ContactId, HistoryOutcome, HistoryRow, Notifications, RequestRow, View,
};
use crate::storage::When;
use media::session::Camera;
use overlay::PublicKey;
use std::sync::Arc;

/// Most announcements that stand; the oldest gives way.
const MOST: usize = 5;

/// Whether somebody looks at the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attention {
    /// It has the keyboard.
    Here,
    /// It is behind others, minimised or hidden.
    Elsewhere,
}

/// What follows from something pressed on a notification.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Deed {
    /// What the button of the window does.
    Wish(Command),
    /// That, and the window comes up.
    WishAndRaise(Command),
    /// The window comes up as it is.
    Raise,
    /// The window comes up and shows this.
    Open(Page),
    /// The window comes up and asks what to say to whoever calls.
    Reply,
}

/// What the desktop says at this moment.
#[derive(Debug)]
pub(super) struct Announcer {
    standing: Vec<Announcement>,
    next: u64,
    /// The snapshot followed last.
    seen: Arc<View>,
}

#[derive(Debug)]
struct Announcement {
    about: Subject,
    notification: Notification,
}

/// What an announcement is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Subject {
    /// The call that rings here.
    Ringing(ContactId, CallKind),
    /// A call that nobody answered.
    Missed(ContactId),
    /// Somebody who is no contact.
    Request(PublicKey),
}

impl Announcer {
    /// Nothing in `seen` is news.
    pub(super) fn new(seen: Arc<View>) -> Self {
        Self { standing: Vec::new(), next: 0, seen }
    }

    /// What is to be seen outside the window, now that this is so.
    pub(super) fn follow(&mut self, view: &Arc<View>, attention: Attention) -> Vec<Notification> {
        let before = std::mem::replace(&mut self.seen, Arc::clone(view));
        let ringing = ringing(view);
        self.standing
            .retain(|standing| !matches!(standing.about, Subject::Ringing(who, _) if Some(who) != ringing));
        if attention == Attention::Here || view.settings.notifications == Notifications::Off {
            self.standing.clear();
        } else if !Arc::ptr_eq(&before, view) {
            if let (Some(who), Some(call)) = (ringing, &view.call)
                && self::ringing(&before) != ringing
            {
                self.announce(Subject::Ringing(who, call.kind), &call.name, None);
            }
            for row in missed_since(&before, view) {
                self.announce(Subject::Missed(row.with), &row.name, Some(&row.when));
            }
            for row in requests_since(&before, view) {
                self.announce(Subject::Request(row.key), &row.name, None);
            }
        }
        self.standing.iter().map(|standing| standing.notification.clone()).collect()
    }

    /// What follows from something pressed; nothing when what it was about is over.
    pub(super) fn acted(&mut self, id: NotificationId, action: Action) -> Option<Deed> {
        let about = self.take(id)?;
        Some(match (about, action) {
            (Subject::Ringing(_, CallKind::Voice), Action::Accept) => Deed::WishAndRaise(Command::Answer),
            (Subject::Ringing(_, CallKind::Video), Action::Accept) => {
                Deed::WishAndRaise(Command::AnswerWith(Camera::On))
            }
            (Subject::Ringing(..), Action::AcceptWithoutVideo) => {
                Deed::WishAndRaise(Command::AnswerWith(Camera::Off))
            }
            (Subject::Ringing(..), Action::Decline) => Deed::Wish(Command::Decline),
            (Subject::Ringing(..), Action::DeclineWith) => Deed::Reply,
            (Subject::Ringing(..), _) => Deed::Raise,
            (Subject::Missed(who), _) => Deed::Open(Page::Contact(who)),
            (Subject::Request(key), _) => Deed::Open(Page::Request(key)),
        })
    }

    /// Somebody closed it.
    pub(super) fn gone(&mut self, id: NotificationId) {
        self.take(id);
    }

    fn take(&mut self, id: NotificationId) -> Option<Subject> {
        let at = self.standing.iter().position(|standing| standing.notification.id == id)?;
        Some(self.standing.remove(at).about)
    }

    fn announce(&mut self, about: Subject, name: &str, when: Option<&When>) {
        let name = short_name(name);
        let (summary, body) = match about {
            Subject::Ringing(_, CallKind::Voice) => (words::ringing(), words::calls(&name)),
            Subject::Ringing(_, CallKind::Video) => (words::ringing(), words::calls_with_video(&name)),
            Subject::Missed(_) => {
                let when = when.map(text::told::when).unwrap_or_default();
                (words::missed(), words::called(&name, &when))
            }
            Subject::Request(_) => (words::request(), words::wants(&name)),
        };
        let (urgency, actions) = match about {
            Subject::Ringing(_, kind) => {
                let without = (Action::AcceptWithoutVideo, text::call::answer_without_video());
                let actions = [
                    Some((Action::Default, words::open())),
                    Some((Action::Accept, text::call::answer())),
                    (kind == CallKind::Video).then_some(without),
                    Some((Action::Decline, text::call::decline())),
                    self.is_answered_to().then(|| (Action::DeclineWith, text::reply::open())),
                ];
                (Urgency::Ringing, actions.into_iter().flatten().collect())
            }
            Subject::Missed(_) => (
                Urgency::Normal,
                vec![(Action::Default, words::open()), (Action::CallBack, words::call_back())],
            ),
            Subject::Request(_) => {
                (Urgency::Normal, vec![(Action::Default, words::open()), (Action::Show, words::show())])
            }
        };
        if self.standing.len() == MOST {
            self.standing.remove(0);
        }
        self.next += 1;
        self.standing.push(Announcement {
            about,
            notification: Notification {
                id: NotificationId(self.next),
                summary: summary.to_owned(),
                body,
                urgency,
                actions: actions.into_iter().map(|(action, label)| (action, label.to_owned())).collect(),
            },
        });
    }

    /// Whether whoever calls may be said something to.
    fn is_answered_to(&self) -> bool {
        let call = self.seen.call.as_ref();
        call.is_some_and(|call| UiCommand::receiving(&self.seen, call).contains(&UiCommand::DeclineWith))
    }
}

fn ringing(view: &View) -> Option<ContactId> {
    view.call.as_ref().filter(|call| call.phase == CallPhase::Incoming).map(|call| call.with)
}

/// Calls that nobody answered and that are in the history only now.
fn missed_since<'a>(before: &View, view: &'a View) -> Vec<&'a HistoryRow> {
    // How a day is called changes at midnight.
    fn time(when: &When) -> &str {
        match when {
            When::Today { time } | When::Yesterday { time } | When::On { time, .. } => time,
        }
    }
    let mut known: Vec<_> = missed(before).map(|row| (row.with, time(&row.when))).collect();
    missed(view)
        .filter(|row| match known.iter().position(|known| *known == (row.with, time(&row.when))) {
            Some(at) => {
                known.swap_remove(at);
                false
            }
            None => true,
        })
        .collect()
}

fn missed(view: &View) -> impl Iterator<Item = &HistoryRow> {
    view.history.iter().filter(|row| row.outcome == HistoryOutcome::Missed)
}

fn requests_since<'a>(before: &'a View, view: &'a View) -> impl Iterator<Item = &'a RequestRow> {
    view.requests.iter().filter(|row| before.requests.iter().all(|known| known.key != row.key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::view::{Attempt, CallView, ContactRow, Presence};
    use crate::storage::Verified;
    use overlay::Identity;
    use relay::UnixTime;

    fn key(seed: u8) -> PublicKey {
        Identity::from_secret([seed; 32]).public_key()
    }

    fn who(seed: u8) -> ContactId {
        ContactId::Person(key(seed))
    }

    fn quiet() -> View {
        View::new(key(7))
    }

    fn called_by(seed: u8, phase: CallPhase) -> View {
        View { call: Some(CallView::new(who(seed), "bob".to_owned(), phase)), ..quiet() }
    }

    fn missed(seed: u8, when: When) -> HistoryRow {
        let (with, name) = (who(seed), "bob".to_owned());
        HistoryRow {
            with,
            name,
            outcome: HistoryOutcome::Missed,
            began: UnixTime::from_secs(1),
            when,
            lasted: None,
            receipt: None,
            reply: None,
        }
    }

    fn today(time: &str) -> When {
        When::Today { time: time.to_owned() }
    }

    fn announcer() -> Announcer {
        Announcer::new(Arc::new(quiet()))
    }

    fn unseen(announcer: &mut Announcer, view: View) -> Vec<Notification> {
        announcer.follow(&Arc::new(view), Attention::Elsewhere)
    }

    #[test]
    fn a_call_is_announced_while_it_rings_and_nobody_looks() {
        let mut announcer = announcer();
        let view = Arc::new(called_by(1, CallPhase::Incoming));
        let said = announcer.follow(&view, Attention::Elsewhere);
        assert_eq!(said.len(), 1);
        assert_eq!(announcer.follow(&view, Attention::Elsewhere), said, "once");
        assert_eq!(unseen(&mut announcer, called_by(1, CallPhase::Incoming)), said, "the same call");
        assert!(unseen(&mut announcer, called_by(1, CallPhase::Connecting)).is_empty());
        assert_eq!(announcer.acted(said[0].id, Action::Decline), None, "that call is over");

        let view = Arc::new(called_by(2, CallPhase::Incoming));
        assert_eq!(announcer.follow(&view, Attention::Elsewhere).len(), 1);
        assert!(announcer.follow(&view, Attention::Here).is_empty());
        assert!(announcer.follow(&view, Attention::Elsewhere).is_empty(), "they have seen it");
    }

    #[test]
    fn buttons_of_a_notification_do_what_those_of_the_window_do() {
        let deeds = [
            (Action::Accept, Deed::WishAndRaise(Command::Answer)),
            (Action::Decline, Deed::Wish(Command::Decline)),
            (Action::DeclineWith, Deed::Reply),
            (Action::Default, Deed::Raise),
            (Action::CallBack, Deed::Raise),
        ];
        for (action, deed) in deeds {
            let mut announcer = announcer();
            let said = unseen(&mut announcer, called_by(1, CallPhase::Incoming));
            assert_eq!(announcer.acted(said[0].id, action), Some(deed));
            assert_eq!(announcer.acted(said[0].id, action), None, "it counts once");
        }
    }

    #[test]
    fn only_contacts_are_said_something_to() {
        let offered = |view| {
            let said = unseen(&mut announcer(), view);
            said[0].actions.iter().any(|(action, _)| *action == Action::DeclineWith)
        };
        let mut view = called_by(1, CallPhase::Incoming);
        assert!(!offered(view.clone()));
        view.contacts.push(ContactRow {
            id: who(1),
            name: "bob".to_owned(),
            nickname: None,
            fingerprint: String::new(),
            last_call: None,
            presence: Presence::Unknown,
            verified: Verified::No,
            changed: None,
        });
        assert!(offered(view));
    }

    #[test]
    fn a_call_with_video_is_accepted_with_or_without() {
        for (action, camera) in [(Action::Accept, Camera::On), (Action::AcceptWithoutVideo, Camera::Off)] {
            let mut announcer = announcer();
            let mut view = called_by(1, CallPhase::Incoming);
            if let Some(call) = &mut view.call {
                call.kind = CallKind::Video;
            }
            let said = unseen(&mut announcer, view);
            let offered: Vec<Action> = said[0].actions.iter().map(|(action, _)| *action).collect();
            assert!(offered.contains(&action), "{offered:?}");
            let deed = Deed::WishAndRaise(Command::AnswerWith(camera));
            assert_eq!(announcer.acted(said[0].id, action), Some(deed));
        }
        let said = unseen(&mut announcer(), called_by(1, CallPhase::Incoming));
        assert!(said[0].actions.iter().all(|(action, _)| *action != Action::AcceptWithoutVideo));
    }

    #[test]
    fn a_button_of_an_earlier_call_says_nothing_to_a_later_one() {
        let mut announcer = announcer();
        let first = unseen(&mut announcer, called_by(1, CallPhase::Incoming));
        let second = unseen(&mut announcer, called_by(2, CallPhase::Incoming));
        assert_eq!(second.len(), 1);
        assert_eq!(announcer.acted(first[0].id, Action::Accept), None);
        assert!(announcer.acted(second[0].id, Action::Accept).is_some());
    }

    #[test]
    fn a_missed_call_leads_to_the_page_of_whoever_called_and_never_dials() {
        let mut announcer = announcer();
        let said = unseen(&mut announcer, View { history: vec![missed(1, today("14:05"))], ..quiet() });
        assert!(said[0].body.contains("14:05") && said[0].body.contains("bob"));
        assert_eq!(announcer.acted(said[0].id, Action::CallBack), Some(Deed::Open(Page::Contact(who(1)))));
    }

    #[test]
    fn what_was_missed_before_is_no_news_tomorrow() {
        let old = missed(1, today("14:05"));
        let mut announcer = Announcer::new(Arc::new(View { history: vec![old.clone()], ..quiet() }));
        let yesterday = missed(1, When::Yesterday { time: "14:05".to_owned() });
        assert!(unseen(&mut announcer, View { history: vec![yesterday.clone()], ..quiet() }).is_empty());
        let again = View { history: vec![old, yesterday], ..quiet() };
        assert_eq!(unseen(&mut announcer, again).len(), 1, "at the same time of another day");
    }

    #[test]
    fn a_declined_call_was_not_missed() {
        let mut announcer = announcer();
        unseen(&mut announcer, called_by(1, CallPhase::Incoming));
        let declined = HistoryRow { outcome: HistoryOutcome::Refused, ..missed(1, today("14:05")) };
        let mut view = View { history: vec![declined], ..quiet() };
        assert!(unseen(&mut announcer, view.clone()).is_empty());
        view.history.insert(0, missed(2, today("14:06")));
        assert_eq!(unseen(&mut announcer, view).len(), 1);
    }

    #[test]
    fn a_strangers_name_cannot_stretch_or_turn_what_is_said() {
        let mut announcer = announcer();
        let name = format!("\u{202e}eva\n{}", "x".repeat(5000));
        let attempt = Attempt::Past;
        let request = RequestRow { key: key(3), name, fingerprint: String::new(), attempt };
        let said = unseen(&mut announcer, View { requests: vec![request], ..quiet() });
        assert!(said[0].body.len() < 200 && !said[0].body.contains(['\n', '\u{202e}']));
        assert_eq!(announcer.acted(said[0].id, Action::Show), Some(Deed::Open(Page::Request(key(3)))));
    }

    #[test]
    fn announcements_do_not_pile_up_and_can_be_switched_off() {
        let mut announcer = announcer();
        let many: Vec<_> = (0..30).map(|minute| missed(1, today(&format!("14:{minute:02}")))).collect();
        let mut view = View { history: many, ..quiet() };
        let said = unseen(&mut announcer, view.clone());
        assert_eq!(said.len(), MOST);
        announcer.gone(said[0].id);
        view.settings.notifications = Notifications::Off;
        assert!(unseen(&mut announcer, view.clone()).is_empty());
        view.history.insert(0, missed(2, today("15:00")));
        assert!(unseen(&mut announcer, view).is_empty());
    }
}
