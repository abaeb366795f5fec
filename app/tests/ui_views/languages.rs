//! The window in other languages: nothing is cut off, and nothing lies on something else.
//!
//! Every text of a frame is looked at where it is painted. In the language of tests, each is two fifths longer than in
//! English; whoever adds a text sees here whether there is room for it.

use super::{Window, blocked, camera, in_call, sample};
use app::desktop::{
    Autostart, AutostartError, ChooserPresence, Desktop, MUTE_KEYS, MuteKey, Report, TrayPresence,
};
use app::engine::call_words::{CallEnd, CallWords};
use app::engine::custody::{Export, Sealing, WordsCheck};
use app::engine::diagnosis::Verdict;
use app::engine::gate::{Door, Trial};
use app::engine::helping::Agreed;
use app::engine::helping::hours::{HelpHours, Span};
use app::engine::scan::Scan;
use app::engine::view::{
    CallPhase, ClaimState, ContactId, Counts, HelpView, Helped, InviteView, Totals, View,
};
use app::engine::words::{RecoveryWords, WordsError};
use app::reason::{Custody, Reason};
use app::storage::{Lock, Nickname};
use app::ui::{Hiding, Locale};
use egui::accesskit::Role;
use egui::epaint::{ClippedShape, Shape, TextShape};
use egui::{Key, Modifiers, Rect, Vec2, ViewportEvent, ViewportId, vec2};
use egui_kittest::Node;
use egui_kittest::kittest::{NodeT, Queryable};
use media::video::driver::Viewfinder;
use media::video::frame::{Size, Taken};
use media::video::pattern;
use media::video::window::{OpenWindow, WindowId};
use overlay::Identity;
use overlay::record::Offers;
use overlay::volunteer::{Candidacy, Unfit};
use std::time::{Duration, Instant};

const SIZE: Vec2 = vec2(1000.0, 640.0);

/// The side panel ends here.
const SIDE: f32 = 300.0;

const LONGEST_NAME: &str = "the-longest-username-ever-seen-1";

/// What people are called may be shortened, and the beginning of a key; sentences of the window may not.
fn is_name(text: &str) -> bool {
    text == LONGEST_NAME || sample::key(7).fingerprint().starts_with(text)
}

/// A text of a frame, and the part of the screen it may be painted on.
struct Painted {
    text: TextShape,
    clip: Rect,
}

impl Painted {
    fn rect(&self) -> Rect {
        self.text.visual_bounding_rect()
    }

    /// What of it is to be seen.
    fn seen(&self) -> Rect {
        self.rect().intersect(self.clip)
    }

    fn says(&self) -> &str {
        self.text.galley.text()
    }

    /// Icons are letters of a private alphabet.
    fn is_words(&self) -> bool {
        self.says()
            .chars()
            .any(|letter| !letter.is_whitespace() && !('\u{e000}'..='\u{f8ff}').contains(&letter))
    }
}

fn texts(shapes: &[ClippedShape]) -> Vec<Painted> {
    fn collect(shape: &Shape, clip: Rect, found: &mut Vec<Painted>) {
        match shape {
            Shape::Text(text) => found.push(Painted { text: text.clone(), clip }),
            Shape::Vec(shapes) => shapes.iter().for_each(|shape| collect(shape, clip, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    shapes.iter().for_each(|shape| collect(&shape.shape, shape.clip_rect, &mut found));
    found.retain(|text| text.is_words() && text.seen().is_positive());
    found
}

/// Fails where a text does not fit into its place.
fn inspect(window: &Window, screen: &str) {
    let in_window = Rect::from_min_size(egui::Pos2::ZERO, SIZE);
    let texts = texts(&window.harness.output().shapes);
    let in_call = window.shown.borrow().call.is_some();
    assert!(!texts.is_empty(), "{screen} is empty");
    for text in &texts {
        let (rect, says) = (text.rect(), text.says());
        let within = |outer: Rect| rect.left() >= outer.left() - 1.0 && rect.right() <= outer.right() + 1.0;
        assert!(within(text.clip) && within(in_window), "{screen}: {says:?} at {rect} is cut off");
        // Pages scroll, calls must not need to.
        assert!(!in_call || rect.bottom() <= in_window.bottom(), "{screen}: {says:?} is below the window");
        let whole = &text.text.galley.job.text;
        assert!(!text.text.galley.elided || is_name(whole), "{screen}: {whole:?} is shortened");
    }
    for (at, text) in texts.iter().enumerate() {
        for other in &texts[at + 1..] {
            let both = text.seen().intersect(other.seen()).shrink(0.5);
            let covered = both.is_positive() && !lies_above(screen);
            assert!(!covered, "{screen}: {:?} lies on {:?}", other.says(), text.says());
        }
    }
    for button in window.harness.query_all_by_role(Role::Button) {
        let room = button.rect();
        for text in texts.iter().filter(|text| room.contains(text.rect().center()) && !lies_above(screen)) {
            let rect = text.rect();
            let fits = rect.left() >= room.left() - 1.0 && rect.right() <= room.right() + 1.0;
            assert!(fits, "{screen}: {:?} is wider than its button", text.says());
        }
    }
    for role in [
        Role::Button,
        Role::TextInput,
        Role::PasswordInput,
        Role::Image,
        Role::Meter,
        Role::Slider,
        Role::Status,
    ] {
        for control in window.harness.query_all_by_role(role) {
            let name = control.accesskit_node().label().unwrap_or_default();
            assert!(!name.is_empty(), "{screen}: {control:?} has no name");
        }
    }
}

/// Cards and notices lie above the rest on purpose.
fn lies_above(screen: &str) -> bool {
    screen.contains("card of") || screen.ends_with("notices")
}

/// Every screen: those of the gallery, and those one has to go to.
pub(super) fn every_screen(
    open: impl Fn(View) -> Window,
    now: Instant,
    mut look: impl FnMut(&mut Window, &str),
) {
    for (name, view) in sample::gallery(now) {
        look(&mut open(view), name);
    }
    let mut window = open(sample::contacts());
    window.show(sample::requests());
    look(&mut window, "request among notices");
    // A profile that was never in a call.
    look(&mut open(View { history: Vec::new(), ..sample::contacts() }), "first call");
    search_screens(&open, &mut look);
    let held = || sample::claim(ClaimState::Held { held_by: 4, of: 5 });
    let mut window = open(sample::first_run());
    window.show(View { settings: full().settings, ..held() });
    look(&mut window, "name held");
    window.press(Modifiers::NONE, Key::Enter);
    look(&mut window, "first devices");
    let settings = full().settings;
    window.show(camera::open(View { settings: settings.clone(), ..held() }));
    look(&mut window, "first devices with a camera");
    window.show(View { settings, ..held() });
    window.press(Modifiers::NONE, Key::Enter);
    look(&mut window, "first network looking");
    window.show(View { network_check: full().network_check, ..held() });
    look(&mut window, "first network");
    window.press(Modifiers::NONE, Key::Enter);
    look(&mut window, "first keeping");
    echo_screens(&open, now, &mut look);
    let mut window = open(full());
    press(&mut window, |buttons| buttons.iter().filter(|it| it.rect().right() <= SIDE).nth_back(TABS));
    look(&mut window, "invite");
    press(&mut window, |buttons| buttons.iter().find(|it| it.rect().left() > SIDE));
    look(&mut window, "invite copied");
    // In the search field, below the own card.
    press(&mut window, |buttons| buttons.iter().filter(|it| it.rect().right() <= SIDE).nth(1));
    look(&mut window, "scan");
    let picture = Size::new(640, 360).map(|size| pattern::draw(size, Taken::Media(0), 77));
    let finder = picture.map(Viewfinder::still);
    for (scan, name) in [
        (Scan::NoInvite, "scan of nothing"),
        (Scan::NoFile, "scan of no file"),
        (finder.map_or(Scan::Idle, Scan::Looking), "scan through a camera"),
    ] {
        window.show(View { scan, ..full() });
        look(&mut window, name);
    }
    window.show(full());
    desktop_with(&mut window, &[Report::Chooser(ChooserPresence::There)]);
    look(&mut window, "scan where files can be chosen");
    desktop_with(&mut window, &[Report::Chooser(ChooserPresence::Failed)]);
    look(&mut window, "scan where files cannot be chosen");
    tab(&mut window, 1);
    ring_screens(&mut window, &mut look);
    // What copies, what looks again, and then the details.
    press(&mut window, |buttons| buttons.iter().filter(|it| it.rect().left() > SIDE).nth(2));
    look(&mut window, "details of the network");
    for (page, name) in ["recent calls", "network not looked at", "help", "settings"].into_iter().enumerate()
    {
        tab(&mut window, page);
        look(&mut window, name);
        if name == "help" {
            let hour = |window: &mut Window, nth: usize| {
                let fields = window.harness.query_all_by_role(Role::TextInput);
                let field = fields.filter(|field| field.rect().left() > SIDE).nth(nth);
                if let Some(field) = field {
                    field.scroll_to_me();
                    field.focus();
                }
                window.harness.run();
            };
            hour(&mut window, 1);
            look(&mut window, "hours of helping");
            window.press(Modifiers::COMMAND, Key::A);
            window.harness.event(egui::Event::Text("22:30".to_owned()));
            window.harness.run();
            window.press(Modifiers::NONE, Key::Enter);
            look(&mut window, "no hour of helping");
        }
    }
    let mut view = full();
    let recovery = RecoveryWords::of(&Identity::from_secret([7; 32]));
    let last = format!("24 {}", recovery.words()[23]);
    view.custody.words = Some(recovery);
    view.custody.check = WordsCheck::Wrong(WordsError::Checksum);
    window.show(view);
    window.harness.get_by_label(&last).scroll_to_me();
    window.harness.run();
    look(&mut window, "recovery words");
    // After the buttons of Echo, of the ringtone and of the camera: what hides the words to check them, and what it leaves.
    let is_last =
        |button: &Node<'_>| button.accesskit_node().label().is_some_and(|label| label.contains("HDMI"));
    press(&mut window, |buttons| buttons.iter().skip_while(|button| !is_last(button)).nth(3 + RING));
    look(&mut window, "recovery words being checked");
    window.show(full());
    outside(&mut window, &mut look);
    window.harness.get_by_label_contains("MIT OR Apache-2.0").scroll_to_me();
    window.harness.run();
    look(&mut window, "what silbo is");
    for (typed, name) in
        [("x", "too little typed to find somebody"), ("josé", "what is no name typed to find somebody")]
    {
        let mut window = open(full());
        window.press(Modifiers::COMMAND, Key::F);
        window.harness.event(egui::Event::Text(typed.to_owned()));
        window.harness.run();
        look(&mut window, name);
    }
    for row in ["bob", LONGEST_NAME] {
        press(&mut window, |buttons| buttons.iter().find(|button| is_row_of(button, row)));
        look(&mut window, row);
    }
    sure_screens(&open, &mut look);
    let mut window = open(View { missed: 12, ..full() });
    look(&mut window, "missed calls");
    let carmen = |it: &&Node<'_>| {
        let label = it.accesskit_node().label().unwrap_or_default();
        it.rect().left() > SIDE && label.contains("carmen") && label.contains("09:12")
    };
    tab(&mut window, 0);
    press(&mut window, |buttons| buttons.iter().find(carmen));
    look(&mut window, "card of a missed call");
    let mut window = open(full());
    tab(&mut window, 0);
    press(&mut window, |buttons| buttons.iter().find(|it| it.rect().left() > SIDE));
    look(&mut window, "whether to forget all calls");
    // After what asks, and the two answers.
    press(&mut window, |buttons| buttons.iter().filter(|it| it.rect().left() > SIDE).nth(3));
    look(&mut window, "card of a receipt");
    let mut window = open(View { call: None, ..in_call::declined("I will call you back.") });
    tab(&mut window, 0);
    look(&mut window, "past call that was declined with a message");
    let is_dilip = |it: &&Node<'_>| {
        it.rect().left() > SIDE && it.accesskit_node().label().is_some_and(|label| label.contains("dilip"))
    };
    press(&mut window, |buttons| buttons.iter().find(is_dilip));
    look(&mut window, "card of a call that was declined with a message");
    key_change_screens(&open, &mut look);
    custody_screens(&open, &mut look);
    in_call::screens(&open, now, &mut look);
    let mut call = sample::active(now).call;
    if let Some(call) = &mut call {
        let window = |(number, title): (u32, &str)| {
            Some(OpenWindow { id: WindowId::new(number)?, title: title.to_owned() })
        };
        call.windows = [(1, "Editor"), (2, "A window with a title that goes on and on and on and on")]
            .into_iter()
            .map(window)
            .collect();
    }
    let mut window = open(sample::filmed(now));
    window.press(Modifiers::NONE, Key::F11);
    look(&mut window, "full screen");
    if let Some(call) = &mut call {
        let end = |seed| CallEnd { identity: sample::key(seed), certificate: [seed; 32] };
        call.words = CallWords::of(&end(1), &end(7));
    }
    for (key, name) in [
        (Key::D, "card of what to share"),
        (Key::I, "card of devices"),
        (Key::K, "card of words"),
        (Key::T, "card of statistics"),
    ] {
        let mut window = open(View { call: call.clone(), ..full() });
        window.press(Modifiers::COMMAND, key);
        look(&mut window, name);
        if key == Key::K {
            // Last come mute and hanging up; before the one that leaves stands that they do not match.
            press(&mut window, |buttons| buttons.iter().nth_back(3));
            look(&mut window, "card of words that differ");
            window.press(Modifiers::NONE, Key::Escape);
            look(&mut window, "words that differ");
        }
    }
    let mut window = open(View { call, ..full() });
    window
        .harness
        .input_mut()
        .viewports
        .entry(ViewportId::ROOT)
        .or_default()
        .events
        .push(ViewportEvent::Close);
    window.harness.run();
    look(&mut window, "card of the closing question");
}

/// Buttons about the ringtone.
const RING: usize = 5;

/// Tabs of the side panel.
const TABS: usize = 4;

/// What comes of looking for somebody.
fn search_screens(open: impl Fn(View) -> Window, look: &mut impl FnMut(&mut Window, &str)) {
    for (name, view) in [
        ("page of one found", sample::found(&[(5, 1, false)])),
        ("page of several found", sample::found(&[(5, 4, false), (6, 2, true)])),
        ("page of nobody found", sample::found(&[])),
    ] {
        let mut window = open(full());
        window.press(Modifiers::COMMAND, Key::F);
        window.harness.event(egui::Event::Text("eva".to_owned()));
        window.harness.run();
        window.press(Modifiers::NONE, Key::Enter);
        window.show(view);
        look(&mut window, name);
    }
    let mut window = open(sample::requests());
    press(&mut window, |buttons| buttons.iter().find(|button| is_row_of(button, "eva")));
    look(&mut window, "page of a request");
}

/// What a call with Echo has shown, at its end and on the first run.
fn echo_screens(open: impl Fn(View) -> Window, now: Instant, look: &mut impl FnMut(&mut Window, &str)) {
    let since = now.checked_sub(Duration::from_secs(5)).unwrap_or(now);
    let ended = CallPhase::Ended { why: Reason::HungUp, lasted: Some(Duration::from_secs(5)), receipt: None };
    let mut window = open(sample::first_run());
    let held = View { settings: full().settings, ..sample::claim(ClaimState::Held { held_by: 4, of: 5 }) };
    window.show(held.clone());
    window.press(Modifiers::NONE, Key::Enter);
    window.show(sample::call(ContactId::Echo, "Echo", CallPhase::Active { since }));
    window.show(sample::call(ContactId::Echo, "Echo", ended));
    look(&mut window, "echo silent");
    window.show(held);
    look(&mut window, "first devices tried");
}

/// A contact whose name another key has now.
fn key_change_screens(open: impl Fn(View) -> Window, look: &mut impl FnMut(&mut Window, &str)) {
    let mut window = open(sample::key_changed());
    press(&mut window, |buttons| buttons.iter().find(|button| is_row_of(button, LONGEST_NAME)));
    look(&mut window, "changed key");
    // Keep, trust, and then the others.
    press(&mut window, |buttons| buttons.iter().filter(|button| button.rect().left() > SIDE).nth(1));
    look(&mut window, "changed key to be compared");
}

/// The ways of being sure of somebody, and no longer being so.
fn sure_screens(open: impl Fn(View) -> Window, look: &mut impl FnMut(&mut Window, &str)) {
    let mut window = open(full());
    press(&mut window, |buttons| buttons.iter().find(|button| is_row_of(button, "dilip")));
    // What calls, with and without video, what takes back, and what folds.
    press(&mut window, |buttons| buttons.iter().filter(|button| button.rect().left() > SIDE).nth(3));
    look(&mut window, "ways to be sure");
    press(&mut window, |buttons| buttons.iter().filter(|button| button.rect().left() > SIDE).nth(2));
    look(&mut window, "whether to be sure no longer");
    let mut view = full();
    for row in view.contacts.iter_mut().filter(|row| row.name == "bob") {
        row.nickname = Nickname::parse("Grandmother").ok();
    }
    let mut window = open(view);
    press(&mut window, |buttons| buttons.iter().find(|button| is_row_of(button, "Grandmother")));
    // What calls, with and without video, what folds, and then the nickname.
    press(&mut window, |buttons| buttons.iter().filter(|button| button.rect().left() > SIDE).nth(3));
    look(&mut window, "a nickname being typed");
}

/// A sealed key, who comes back, and the forms about keys in the settings.
fn custody_screens(open: impl Fn(View) -> Window, look: &mut impl FnMut(&mut Window, &str)) {
    let wrong = Reason::Custody(Custody::WrongPassphrase("/profile/identity.key".into()));
    let mut window = open(sample::first_run());
    // The last of the three.
    press(&mut window, |buttons| buttons.last());
    look(&mut window, "coming back");
    window.at_the_gate(|view| view.trial = Trial::Failed(wrong.clone()));
    look(&mut window, "coming back in vain");
    for (name, trial) in [
        ("sealed key", Trial::Idle),
        ("sealed key being opened", Trial::Running),
        ("sealed key that stays sealed", Trial::Failed(wrong.clone())),
    ] {
        window.at_the_gate(|view| {
            (view.door, view.trial, view.name) = (Door::Sealed, trial, Some(LONGEST_NAME.to_owned()));
        });
        look(&mut window, name);
    }
    window.at_the_gate(|view| view.door = Door::Broken(wrong.clone()));
    look(&mut window, "no engine");
    for (name, lock, nth) in [
        ("form that seals", Lock::Open, 0),
        ("form of a backup", Lock::Open, 1),
        ("form of another passphrase", Lock::Sealed, 0),
        ("form that unseals", Lock::Sealed, 1),
    ] {
        let mut view = full();
        view.custody.lock = lock;
        view.custody.sealing = Sealing::Failed(wrong.clone());
        view.custody.export = Export::Failed(wrong.clone());
        let mut window = open(view);
        tab(&mut window, 3);
        // Below the last loudspeaker stand the call to Echo, the ringtone, the camera and the recovery words, then what is meant here.
        let is_last =
            |button: &Node<'_>| button.accesskit_node().label().is_some_and(|label| label.contains("HDMI"));
        press(&mut window, |buttons| {
            buttons.iter().skip_while(|button| !is_last(button)).nth(4 + RING + nth)
        });
        look(&mut window, name);
        if name == "form of a backup" {
            desktop_with(&mut window, &[Report::Chooser(ChooserPresence::There)]);
            look(&mut window, "form of a backup where files can be chosen");
        }
    }
}

/// Whether it is the row of a contact, whatever is said of them in this language.
fn is_row_of(button: &Node<'_>, name: &str) -> bool {
    let label = button.accesskit_node().label();
    button.rect().right() <= SIDE && label.is_some_and(|label| label.contains(name))
}

/// Presses one of the buttons, whatever it is called in this language.
fn press(window: &mut Window, which: impl for<'a, 'b> Fn(&'a [Node<'b>]) -> Option<&'a Node<'b>>) {
    let label = {
        let buttons: Vec<_> = window.harness.query_all_by_role(Role::Button).collect();
        which(&buttons).and_then(|button| button.accesskit_node().label())
    };
    match label {
        Some(label) => window.click(&label),
        None => panic!("there is no such button"),
    }
}

/// The lower part of the page about the network: what the router does, the helpers that are known, and how far they are.
fn ring_screens(window: &mut Window, look: &mut impl FnMut(&mut Window, &str)) {
    for (nth, name) in ["router", "ring"].into_iter().enumerate() {
        let mut pictures = window.harness.query_all_by_role(Role::Image);
        if let Some(picture) = pictures.nth(nth) {
            picture.scroll_to_me();
        }
        drop(pictures);
        window.harness.run();
        look(window, &format!("{name} of the network"));
    }
    window.show(View { ring: sample::ringed(Verdict::Callable, 2_000).ring, ..full() });
    // What unfolds the details is last.
    if let Some(last) = window.harness.query_all_by_role(Role::Button).last() {
        last.scroll_to_me();
    }
    window.harness.run();
    look(window, "helpers of the network");
    window.show(View { ring: sample::ringed(Verdict::Callable, 1).ring, ..full() });
    if let Some(last) = window.harness.query_all_by_role(Role::Button).last() {
        last.scroll_to_me();
    }
    window.harness.run();
    look(window, "one helper of the network");
    window.show(full());
}

/// The part of the settings that only a desktop brings, with the longest it has to say.
fn outside(window: &mut Window, look: &mut impl FnMut(&mut Window, &str)) {
    let error = AutostartError::Unwritable { path: "/home/eva/.config".to_owned(), why: "full".to_owned() };
    let autostart = [Ok(Autostart::Other), Err(error)].map(Report::Autostart);
    desktop_with(window, &[&autostart[..], &[Report::Tray(TrayPresence::There)]].concat());
    window.harness.get_by_label_contains("/home/eva/.config").scroll_to_me();
    window.harness.run();
    look(window, "settings of the desktop");
    let keys = [Report::MuteKey(Ok(MuteKey::Free))];
    desktop_with(window, &[&autostart[..], &[Report::Tray(TrayPresence::There)], &keys].concat());
    let row = |node: &Node<'_>| node.accesskit_node().label().is_some_and(|label| label.contains(MUTE_KEYS));
    match window.harness.query_all_by_role(Role::Button).find(row) {
        Some(row) => row.scroll_to_me(),
        None => panic!("no key mutes from any window"),
    }
    window.harness.run();
    look(window, "key that mutes from any window");
}

/// The window speaks to another desktop, which has this to say.
fn desktop_with(window: &mut Window, says: &[Report]) {
    let (desktop, _wants, _orders, reports) = Desktop::fake();
    window.harness.state_mut().set_desktop(desktop, Hiding::Possible);
    for report in says {
        assert!(reports.try_send(report.clone()).is_ok());
    }
    window.harness.run();
}

/// A profile with something on every page.
fn full() -> View {
    let mut view = sample::devices("usb-7", "hdmi");
    let agreed = Agreed { roles: Offers::ALL, hours: HelpHours::Daily(Span::NIGHT), ..Agreed::default() };
    view.help = HelpView {
        agreed,
        counts: Counts::NextStart,
        standing: Some(Candidacy::Unfit(Unfit::Upload)),
        helped: Helped { leaves: 12, relayed: 34_500_000, connections: 3, kbps: Some(412) },
        totals: Totals { connections: 14, bytes: 320_500_000 },
    };
    let network = sample::ringed(Verdict::NoSound, 40);
    (view.network_check, view.ring) = (network.network_check, network.ring);
    view.blocked = vec![blocked(4, LONGEST_NAME), blocked(8, "")];
    view.invite = Some(InviteView { link: format!("silbo:{}", "ab7".repeat(100)), supernodes: 3 });
    view
}

/// Goes to a page by what stands lowest at the left.
fn tab(window: &mut Window, number: usize) {
    let mut tabs: Vec<_> = window.harness.query_all_by_role(Role::Button).collect();
    tabs.retain(|tab| tab.rect().right() <= SIDE);
    let lowest = tabs.iter().map(|tab| tab.rect().bottom()).fold(0.0, f32::max);
    tabs.retain(|tab| tab.rect().bottom() >= lowest - 1.0);
    tabs.sort_by(|a, b| a.rect().left().total_cmp(&b.rect().left()));
    tabs[number].click();
    window.harness.run();
}

#[test]
fn nothing_is_cut_off_in_any_language() {
    for locale in [Locale::English, Locale::Spanish, Locale::Pseudo] {
        let open = |view: View| Window::speaking(locale, view, egui::Theme::Dark, SIZE);
        every_screen(open, Instant::now(), |window, screen| inspect(window, &format!("{locale:?} {screen}")));
    }
}

#[test]
fn round_buttons_stand_in_one_line_however_long_their_captions_are() {
    let window = Window::speaking(Locale::Pseudo, sample::filmed(Instant::now()), egui::Theme::Dark, SIZE);
    let buttons = window.harness.query_all_by_role(Role::Button).map(|button| button.rect());
    let tops: Vec<f32> = buttons.filter(|rect| rect.height() > 60.0).map(|rect| rect.top()).collect();
    assert_eq!(tops.len(), 4);
    assert!(tops.iter().all(|top| *top == tops[0]), "{tops:?}");
}
