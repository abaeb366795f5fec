//! What only the window knows: text being typed, what is selected. Everything else is in the engine's snapshot.

mod custody;
mod echo_test;

pub(super) use custody::{GateState, Keeping, KeepingForm, ReturnForm, ReturnWish, Returning};
pub(super) use echo_test::{EchoTest, EchoVerdict};

use super::corner::Corner;
use super::gauge::Gauge;
use super::passing::Passing;
use super::talking::Talking;
use super::widgets::{Picture, Qr};
use crate::desktop::{
    Autostart, AutostartError, ChooserPresence, MuteKey, MuteKeyError, Order, Purpose, TrayPresence,
};
use crate::engine::helping::hours::End;
use crate::engine::view::{CallPhase, ContactId, Language, View};
use egui::{Pos2, Rect};
use overlay::{PublicKey, identity::safety::SafetyNumber};
use relay::UnixTime;
use std::time::Instant;

/// The window's own state.
#[derive(Debug)]
pub(super) struct UiState {
    /// The moment this frame is drawn for.
    pub(super) now: Instant,
    /// Whether the first-run card is up.
    pub(super) first_run: FirstRun,
    /// How far it is.
    pub(super) step: Step,
    /// The name being typed on the first-run card.
    pub(super) own_name: String,
    /// The one the person wanted last: what is said of it does not concern another one.
    pub(super) claimed: Option<String>,
    /// What who was here before types.
    pub(super) returning: Returning,
    /// What is typed about keeping one's key.
    pub(super) keeping: Keeping,
    /// Recovery words that are typed to check them.
    pub(super) typed_words: String,
    /// Since when they are typed, and hidden meanwhile.
    pub(super) checking: Option<Since>,
    /// The text of the field that searches and adds.
    pub(super) search: String,
    /// Asks the search field to take the keyboard.
    pub(super) focus_search: bool,
    /// What the main area shows while there is no call.
    pub(super) page: Page,
    /// The contact whose page was shown last.
    pub(super) last_contact: ContactId,
    /// Whether somebody typed in the last frame.
    pub(super) typing: bool,
    /// The page that the last frame showed.
    pub(super) arrived: Option<Page>,
    /// What is done if the person confirms it, and since when that is asked.
    asked: Option<(Question, Since)>,
    /// Whether what the network page says to experts is shown.
    pub(super) details: Disclosure,
    /// The nickname being typed.
    pub(super) naming: Option<Naming>,
    /// Whether the other ways of being sure of a contact are shown.
    pub(super) other_ways: Disclosure,
    /// The new key of a contact that may be trusted.
    pub(super) trusting: Option<Trusting>,
    /// What the last frame showed of the call, to notice that a new one rings.
    pub(super) rang: bool,
    /// The engine did not take a command, which the person has not dismissed yet.
    pub(super) refused: Option<Refused>,
    /// Those who want to call and of whom the person knows.
    pub(super) met: Vec<PublicKey>,
    /// For how long notices that pass were seen.
    pub(super) passing: Passing,
    /// What is drawn in this frame and must not be covered.
    pub(super) occupied: Occupied,
    /// What the other end shows.
    pub(super) picture: Option<Picture>,
    /// How large it is drawn.
    pub(super) gauge: Gauge,
    /// What our camera sees.
    pub(super) own: Option<Picture>,
    /// In which corner it lies.
    pub(super) own_corner: Corner,
    /// Where the other end's picture is shown.
    pub(super) stage: Stage,
    /// Where on the desktop the small window came up, once it is.
    pub(super) apart_at: Option<Pos2>,
    /// Whether somebody who is muted talks with Space.
    pub(super) talking: Talking,
    /// When mouse or keyboard were last used over a full screen.
    pub(super) touched: Instant,
    /// What is said to whoever calls, as it is typed.
    pub(super) reply: String,
    /// The card above everything else of a call, and whether this is its first frame.
    pub(super) card: Option<(Card, Since)>,
    /// Whether the figures of a call are shown.
    pub(super) trend_shown: bool,
    /// What came of comparing the words of this call.
    pub(super) compared: Compared,
    /// Whether the window may close.
    pub(super) closing: Closing,
    /// The file of a picture with a code, as it is typed.
    pub(super) scan_file: String,
    /// The invite was copied since its page came up.
    pub(super) copied: Option<Copied>,
    /// The code shown last.
    pub(super) qr: Option<Box<Qr>>,
    /// The safety number shown last, and with whom it is: it takes a while to compute.
    pub(super) safety: Option<(PublicKey, SafetyNumber)>,
    /// What came of trying the devices with Echo.
    pub(super) tried: EchoTest,
    /// When the engine was last asked which devices there are.
    pub(super) listed: Option<Instant>,
    /// When it was last asked whom this computer helps.
    pub(super) counted: Option<Instant>,
    /// When it was last asked which supernodes it knows.
    pub(super) ring_asked: Option<Instant>,
    /// Whether the engine is to start anew.
    pub(super) restart: Restart,
    /// In which language the settings were drawn last, and where they let one choose another one.
    pub(super) language_at: Option<(Language, f32)>,
    /// An hour of helping, as far as it is typed.
    pub(super) typed_hour: Option<TypedHour>,
    /// What is known of the desktop around the window.
    pub(super) surroundings: Surroundings,
}

/// What is drawn in a frame of a call and must not be covered.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Occupied {
    /// Where the figures of the call are.
    pub(super) figures: Option<Rect>,
    /// Where controls begin, from the top of the window.
    pub(super) controls: Option<f32>,
    /// Where they began in the frame before, for what is drawn before them.
    pub(super) controls_before: Option<f32>,
}

/// What is known of the desktop around the window, and asked of it.
#[derive(Debug, Default)]
pub(super) struct Surroundings {
    /// Whether this profile starts at login, as last reported.
    pub(super) autostart: Option<Autostart>,
    /// Why that could not be changed or found out.
    pub(super) trouble: Option<AutostartError>,
    /// What the person has just asked for.
    pub(super) order: Option<Order>,
    /// Whether there is a tray from which a hidden window comes back.
    pub(super) tray: TrayPresence,
    /// Whether it lets files be chosen.
    pub(super) chooser: ChooserPresence,
    /// Whether a key mutes from any window.
    pub(super) mute_key: MuteKey,
    /// Why it does not although it should, until the person has dismissed it.
    pub(super) mute_key_refused: Option<MuteKeyError>,
}

impl Surroundings {
    /// Takes in what the desktop says of autostart.
    pub(super) fn heard(&mut self, autostart: Result<Autostart, AutostartError>) {
        match autostart {
            Ok(autostart) => (self.autostart, self.trouble) = (Some(autostart), None),
            Err(error) => {
                self.autostart.get_or_insert(Autostart::Off);
                self.trouble = Some(error);
            }
        }
    }

    /// Takes in what the desktop says of the key that mutes.
    pub(super) fn heard_of_mute_key(&mut self, mute_key: Result<MuteKey, MuteKeyError>) {
        match mute_key {
            Ok(mute_key) => {
                self.mute_key = mute_key;
                if mute_key == MuteKey::Held {
                    self.mute_key_refused = None;
                }
            }
            Err(error) => {
                tracing::info!(%error, "no key mutes from other windows");
                self.mute_key_refused = Some(error);
            }
        }
    }
}

/// A new key that may be trusted, once it was compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Trusting {
    /// Which.
    pub(super) found: PublicKey,
    /// Whether the person says so.
    pub(super) compared: bool,
}

/// Where the other end's picture is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// In the window, above the controls.
    Window,
    /// On the whole screen; the controls come and go.
    FullScreen,
    /// In a small window of its own, above all others.
    Apart,
}

/// A card above everything else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Card {
    /// What to say to whoever calls.
    Decline,
    /// What to show of our screen.
    Sharing,
    /// Microphone and loudspeaker.
    Devices,
    /// Words to read aloud.
    Verify,
    /// What to do where they are not the same.
    Differ,
    /// Whether to close the window.
    Quit,
    /// What the call was like that began then.
    Receipt(UnixTime),
}

/// What is asked on a page before it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Question {
    /// Whether to remove a contact.
    Remove(ContactId),
    /// Whether to forget all past calls.
    ForgetCalls,
    /// Whether a compared key counts as compared no longer.
    Unverify(PublicKey),
}

/// What came of comparing the words of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Compared {
    /// Nothing that would be a warning.
    #[default]
    Fine,
    /// They were not the same: somebody may be in between, for as long as the call lasts.
    Differ,
}

/// The nickname of a contact, being typed.
#[derive(Debug)]
pub(super) struct Naming {
    /// Whose.
    pub(super) of: PublicKey,
    /// As far as it is typed.
    pub(super) text: String,
    /// Since when.
    pub(super) since: Since,
}

/// Whether the engine is to start anew; another one brings another state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Restart {
    /// Nobody said so.
    #[default]
    No,
    /// The person has just said so.
    Wished,
    /// It does.
    Running,
}

/// One end of the hours of helping, being typed.
#[derive(Debug)]
pub(super) struct TypedHour {
    /// Which.
    pub(super) end: End,
    /// As far as it is typed.
    pub(super) text: String,
}

/// Whether what few need is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Disclosure {
    /// It is not.
    #[default]
    Folded,
    /// It is.
    Open,
}

impl Disclosure {
    /// The other one.
    pub(super) const fn turned(self) -> Self {
        match self {
            Self::Folded => Self::Open,
            Self::Open => Self::Folded,
        }
    }
}

/// Since when a card or a form is up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Since {
    /// This frame: one of its controls takes the keyboard.
    #[default]
    Now,
    /// An earlier one.
    Earlier,
}

/// The engine did not take a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Refused;

/// The invite was copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Copied;

/// Whether the window may close.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Closing {
    /// In a call it asks first; where the person wants Silbo to go on, it only hides.
    Asks,
    /// The person wants to quit; in a call it still asks first.
    Quits,
    /// The person has said so.
    Agreed,
}

/// Whether the first-run card is up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FirstRun {
    /// No snapshot seen yet.
    Undecided,
    /// Up.
    Open,
    /// Done, put off, or never needed.
    Closed,
}

/// How far the first run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Choosing a name; devices and network follow.
    Name,
    /// Choosing a name, and nothing follows: somebody came back for it.
    NameAlone,
    /// Trying microphone and loudspeaker.
    Devices,
    /// Finding out about the network.
    Network,
    /// Keeping the key.
    Keeping,
}

/// What the main area shows while there is no call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Page {
    /// One contact.
    Contact(ContactId),
    /// The answer to the search.
    Search,
    /// One request.
    Request(PublicKey),
    /// Past calls.
    History,
    /// What a friend needs to find us.
    Invite,
    /// Reading what a friend gives us.
    Scan,
    /// Whether people can call.
    Network,
    /// What this computer does for others.
    Help,
    /// What the person can choose.
    Settings,
}

impl UiState {
    /// The state of a window that just opened.
    pub(super) fn new(now: Instant) -> Self {
        Self {
            now,
            first_run: FirstRun::Undecided,
            step: Step::Name,
            own_name: String::new(),
            claimed: None,
            returning: Returning::default(),
            keeping: Keeping::default(),
            typed_words: String::new(),
            checking: None,
            search: String::new(),
            focus_search: false,
            page: Page::Contact(ContactId::Echo),
            last_contact: ContactId::Echo,
            typing: false,
            arrived: None,
            asked: None,
            details: Disclosure::Folded,
            naming: None,
            other_ways: Disclosure::Folded,
            trusting: None,
            rang: false,
            refused: None,
            met: Vec::new(),
            passing: Passing::default(),
            occupied: Occupied::default(),
            picture: None,
            own: None,
            own_corner: Corner::default(),
            gauge: Gauge::default(),
            stage: Stage::Window,
            apart_at: None,
            talking: Talking::default(),
            touched: now,
            reply: String::new(),
            card: None,
            trend_shown: false,
            compared: Compared::default(),
            closing: Closing::Asks,
            scan_file: String::new(),
            copied: None,
            qr: None,
            safety: None,
            tried: EchoTest::default(),
            listed: None,
            counted: None,
            ring_asked: None,
            restart: Restart::No,
            language_at: None,
            typed_hour: None,
            surroundings: Surroundings::default(),
        }
    }

    /// Decides what follows from the first snapshot: a profile without a name sees the first-run card.
    pub(super) fn settle(&mut self, view: &View) {
        self.met.retain(|met| view.requests.iter().any(|request| request.key == *met));
        if self.first_run == FirstRun::Undecided {
            self.meet(view);
            self.first_run = if view.own.name.is_none() { FirstRun::Open } else { FirstRun::Closed };
        }
    }

    /// The person knows of all who want to call, or was told.
    pub(super) fn meet(&mut self, view: &View) {
        self.met = view.requests.iter().map(|request| request.key).collect();
    }

    /// The name is chosen, or put off; what comes next is for those who have not used Silbo yet.
    pub(super) fn named(&mut self, view: &View) {
        let new = view.history.is_empty() && view.contacts.iter().all(|row| row.id == ContactId::Echo);
        if self.step == Step::Name && new {
            self.step = Step::Devices;
        } else {
            self.first_run = FirstRun::Closed;
        }
    }

    /// Whether the form is on the screen that says below its field why a name is not ours.
    pub(super) fn says_of_name(&self, view: &View) -> bool {
        self.first_run == FirstRun::Open
            && matches!(self.step, Step::Name | Step::NameAlone)
            && self.returning.form == ReturnForm::Offered
            && view.call.is_none()
    }

    /// Goes to the contact that was shown last, who may be gone by now.
    pub(super) fn go_back(&mut self, view: &View) {
        let known = view.contacts.iter().any(|row| row.id == self.last_contact);
        self.go(Page::Contact(if known { self.last_contact } else { ContactId::Echo }));
    }

    /// Where the other end's picture is shown; none while there is none.
    pub(super) fn staged(&self, view: &View) -> Option<Stage> {
        let active = view.call.as_ref().is_some_and(|call| matches!(call.phase, CallPhase::Active { .. }));
        self.picture.as_ref().filter(|_| active).map(|_| self.stage)
    }

    /// The number that we and somebody else both see.
    pub(super) fn safety_number(&mut self, own: &PublicKey, theirs: PublicKey) -> SafetyNumber {
        match self.safety {
            Some((key, number)) if key == theirs => number,
            _ => {
                let number = SafetyNumber::of(own, &theirs);
                self.safety = Some((theirs, number));
                number
            }
        }
    }

    /// Whether a nickname of this contact is being typed.
    pub(super) fn is_naming(&self, key: PublicKey) -> bool {
        self.naming.as_ref().is_some_and(|naming| naming.of == key)
    }

    /// Asks before something is done; another question gives way.
    pub(super) fn ask(&mut self, question: Question) {
        self.asked = Some((question, Since::Now));
    }

    /// Since when this is asked, if it is.
    pub(super) fn is_asked(&mut self, question: Question) -> Option<Since> {
        let (asked, since) = self.asked.as_mut()?;
        (*asked == question).then(|| std::mem::replace(since, Since::Earlier))
    }

    /// Whether anything is asked.
    pub(super) const fn asks(&self) -> bool {
        self.asked.is_some()
    }

    /// Nothing is asked any more.
    pub(super) fn answered(&mut self) {
        self.asked = None;
    }

    /// The file that was chosen stands where its path would have been typed, if that is still on the screen.
    pub(super) fn chose(&mut self, purpose: Purpose, path: String) {
        match purpose {
            Purpose::Picture => self.scan_file = path,
            Purpose::Backup => self.returning.file = path,
            Purpose::NewBackup if self.keeping.form == KeepingForm::Export => self.keeping.file = Some(path),
            Purpose::NewBackup => {}
        }
    }

    /// Recovery words are typed no more.
    pub(super) fn forget_words(&mut self) {
        self.typed_words.clear();
        self.checking = None;
    }

    /// Shows a card; another one gives way.
    pub(super) fn raise(&mut self, card: Card) {
        self.card = Some((card, Since::Now));
    }

    /// Goes to another page.
    pub(super) fn go(&mut self, page: Page) {
        self.page = page;
        self.asked = None;
        self.details = Disclosure::Folded;
        self.naming = None;
        self.other_ways = Disclosure::Folded;
        self.trusting = None;
        self.typed_hour = None;
        self.copied = None;
    }
}
