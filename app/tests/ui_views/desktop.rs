//! What Silbo is outside its window: a real message bus, with a server of notifications on it that the test plays.
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use super::{Window, sample};
use app::desktop::{Autostart, AutostartEntry, AutostartError, Bus, Desktop, KeySource, Order, Report};
use app::engine::EngineHandle;
use app::engine::command::Command;
use app::engine::gate::{Door, GateHandle};
use app::engine::view::{Attempt, CallPhase, HistoryOutcome, HistoryRow, Notifications, View};
use app::storage::When;
use app::ui::{Front, Hiding, Locale};
use egui::accesskit::Toggled;
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use relay::UnixTime;
use std::cell::Cell;
use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command as Program, Stdio};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use zbus::object_server::SignalEmitter;
use zbus::zvariant::OwnedValue;

/// Longer than anything here takes; a test that waits so long has failed.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);
const SERVER: &str = "org.freedesktop.Notifications";
const PATH: &str = "/org/freedesktop/Notifications";

/// A message bus of its own, on which nothing is started by itself.
pub(super) struct PrivateBus {
    daemon: Child,
    pub(super) address: String,
    _folder: tempfile::TempDir,
}

impl PrivateBus {
    pub(super) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("bus.conf");
        let socket = folder.path().display();
        let text = format!(
            "<busconfig><type>session</type><listen>unix:dir={socket}</listen><policy context=\"default\">\
             <allow send_destination=\"*\" eavesdrop=\"true\"/><allow eavesdrop=\"true\"/><allow own=\"*\"/>\
             </policy></busconfig>"
        );
        std::fs::write(&config, text).unwrap();
        let mut daemon = Program::new("dbus-daemon")
            .arg(format!("--config-file={}", config.display()))
            .args(["--print-address", "--nofork"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("dbus-daemon runs (.ci/setup.sh test installs it)");
        let mut address = String::new();
        BufReader::new(daemon.stdout.take().unwrap()).read_line(&mut address).unwrap();
        Self { daemon, address: address.trim().to_owned(), _folder: folder }
    }
}

impl Drop for PrivateBus {
    fn drop(&mut self) {
        self.daemon.kill().unwrap();
        self.daemon.wait().unwrap();
    }
}

/// What a server of notifications was asked for.
#[derive(Debug, PartialEq, Eq)]
enum Asked {
    Notify { id: u32, summary: String, body: String, actions: Vec<String>, urgent: bool },
    Close(u32),
}

struct Server {
    told: Sender<Asked>,
    capabilities: Vec<String>,
    next: u32,
}

#[zbus::interface(name = "org.freedesktop.Notifications")]
impl Server {
    fn get_capabilities(&self) -> Vec<String> {
        self.capabilities.clone()
    }

    #[expect(clippy::too_many_arguments, reason = "the specification has so many")]
    fn notify(
        &mut self,
        app_name: String,
        replaces: u32,
        icon: String,
        summary: String,
        body: String,
        actions: Vec<String>,
        hints: HashMap<String, OwnedValue>,
        _expires: i32,
    ) -> u32 {
        assert_eq!((app_name.as_str(), replaces, icon.as_str()), ("Silbo", 0, "silbo"));
        self.next += 1;
        let urgent = hints.get("urgency").and_then(|urgency| u8::try_from(urgency).ok()) == Some(2);
        self.told.send(Asked::Notify { id: self.next, summary, body, actions, urgent }).unwrap();
        self.next
    }

    fn close_notification(&self, id: u32) {
        self.told.send(Asked::Close(id)).unwrap();
    }

    #[zbus(signal)]
    async fn action_invoked(emitter: &SignalEmitter<'_>, id: u32, key: &str) -> zbus::Result<()>;

    #[zbus(signal)]
    async fn notification_closed(emitter: &SignalEmitter<'_>, id: u32, why: u32) -> zbus::Result<()>;
}

/// A server of notifications, and the hand that presses them.
struct Screen {
    asked: Receiver<Asked>,
    connection: zbus::Connection,
    runtime: Runtime,
}

impl Screen {
    fn on(bus: &PrivateBus, capabilities: &[&str]) -> Self {
        let (told, asked) = channel();
        let capabilities = capabilities.iter().map(|one| (*one).to_owned()).collect();
        let server = Server { told, capabilities, next: 0 };
        let runtime = Runtime::new().unwrap();
        let builder = zbus::connection::Builder::address(bus.address.as_str()).unwrap();
        let builder = builder.serve_at(PATH, server).unwrap().name(SERVER).unwrap();
        let connection = runtime.block_on(builder.build()).unwrap();
        Self { asked, connection, runtime }
    }

    fn next(&self) -> Asked {
        self.asked.recv_timeout(PATIENCE).unwrap()
    }

    fn notified(&self) -> (u32, String, Vec<String>) {
        match self.next() {
            Asked::Notify { id, body, actions, .. } => (id, body, actions),
            other => panic!("{other:?}"),
        }
    }

    fn press(&self, id: u32, key: &str) {
        let emitter = SignalEmitter::new(&self.connection, PATH).unwrap();
        self.runtime.block_on(Server::action_invoked(&emitter, id, key)).unwrap();
    }

    fn dismiss(&self, id: u32) {
        let emitter = SignalEmitter::new(&self.connection, PATH).unwrap();
        self.runtime.block_on(Server::notification_closed(&emitter, id, 2)).unwrap();
    }
}

/// A window that speaks to a desktop, and what wakes it.
pub(super) struct Silbo {
    pub(super) window: Window,
    woken: Receiver<()>,
}

impl Silbo {
    pub(super) fn on(bus: &PrivateBus, view: View) -> Self {
        Self::at(&bus.address, view)
    }

    fn at(address: &str, view: View) -> Self {
        let bus = Bus::At(address.to_owned());
        Self::with(view, |wake| Desktop::start(bus, None, KeySource::None, wake))
    }

    pub(super) fn with(view: View, desktop: impl FnOnce(app::desktop::Wake) -> Desktop + 'static) -> Self {
        let (engine, wishes, shown) = EngineHandle::fake();
        shown.send_replace(Arc::new(view));
        let (handle, gate_wishes, gate) = GateHandle::fake(Door::Open(engine));
        let clock = Rc::new(Cell::new(Instant::now()));
        let now = Rc::clone(&clock);
        let (wake, woken): (SyncSender<()>, _) = sync_channel(1);
        let harness = Harness::builder().with_size(egui::vec2(1000.0, 640.0)).build_eframe(move |cc| {
            // One wake-up that waits is as good as many.
            let wake = Arc::new(move || {
                let _ = wake.try_send(());
            });
            let clock = Rc::new(move || now.get());
            let mut front = Front::new(&cc.egui_ctx, handle, None, Locale::English, clock);
            front.set_desktop(desktop(wake), Hiding::Possible);
            front
        });
        let mut silbo = Self { window: Window { harness, wishes, gate_wishes, gate, shown, clock }, woken };
        silbo.look_away();
        silbo
    }

    pub(super) fn look_away(&mut self) {
        self.window.harness.input_mut().focused = false;
        self.window.harness.step();
    }

    pub(super) fn look(&mut self) {
        self.window.harness.input_mut().focused = true;
        self.window.harness.step();
    }

    pub(super) fn show(&mut self, view: View) {
        self.window.shown.send_replace(Arc::new(view));
        self.window.harness.step();
    }

    /// Lets the window sleep and wake until this is so.
    pub(super) fn until(&mut self, mut so: impl FnMut(&mut Window) -> bool) {
        loop {
            self.window.harness.step();
            if so(&mut self.window) {
                return;
            }
            self.woken.recv_timeout(PATIENCE).unwrap();
        }
    }

    /// Waits for a command of the person.
    pub(super) fn wish(&mut self) -> Command {
        let mut wished = None;
        self.until(|window| {
            wished = window.wished().pop();
            wished.is_some()
        });
        wished.unwrap()
    }
}

fn ringing() -> View {
    sample::call(sample::person(1), "bob", CallPhase::Incoming)
}

fn with_request(name: &str) -> View {
    let row = sample::request(9, name, Attempt::Past);
    View { requests: vec![row], ..sample::contacts() }
}

#[test]
fn a_call_rings_on_the_desktop_and_is_declined_from_there() {
    let bus = PrivateBus::start();
    let screen = Screen::on(&bus, &["actions", "body", "body-markup"]);
    let mut silbo = Silbo::on(&bus, sample::contacts());
    silbo.show(ringing());
    let asked = screen.next();
    let Asked::Notify { id, summary, body, actions, urgent } = asked else { panic!("{asked:?}") };
    assert_eq!((summary.as_str(), body), ("Incoming call", "bob is calling you.".to_owned()));
    let without = ["default", "Open Silbo", "accept", "Accept", "decline", "Decline"];
    let with = ["decline-with", "Decline with a message"];
    assert_eq!(actions, [&without[..], &with[..]].concat());
    assert!(urgent, "it stays until somebody acts");
    screen.press(id, "decline");
    assert_eq!(silbo.wish(), Command::Decline);
    assert_eq!(screen.next(), Asked::Close(id));
}

#[test]
fn what_to_say_in_declining_is_asked_in_the_window() {
    let bus = PrivateBus::start();
    let screen = Screen::on(&bus, &["actions"]);
    let mut silbo = Silbo::on(&bus, sample::contacts());
    silbo.show(ringing());
    let (id, ..) = screen.notified();
    screen.press(id, "decline-with");
    silbo.until(|window| {
        // A card is seen in its second frame.
        window.harness.step();
        window.says("What should bob read?")
    });
    assert!(silbo.window.wished().is_empty(), "nothing is declined yet");
}

#[test]
fn a_call_is_answered_from_the_desktop_and_nothing_but_our_own_buttons_counts() {
    let bus = PrivateBus::start();
    let screen = Screen::on(&bus, &["actions"]);
    let mut silbo = Silbo::on(&bus, sample::contacts());
    silbo.show(ringing());
    let (id, ..) = screen.notified();
    screen.press(id + 1, "decline");
    screen.press(id, "format-the-disk");
    screen.press(id, "accept");
    assert_eq!(silbo.wish(), Command::Answer);
}

#[test]
fn a_call_that_is_over_disappears_from_the_desktop() {
    let bus = PrivateBus::start();
    let screen = Screen::on(&bus, &["actions"]);
    let mut silbo = Silbo::on(&bus, sample::contacts());
    silbo.show(ringing());
    let (id, ..) = screen.notified();
    silbo.show(sample::contacts());
    assert_eq!(screen.next(), Asked::Close(id));
    silbo.show(ringing());
    let (id, ..) = screen.notified();
    silbo.look();
    assert_eq!(screen.next(), Asked::Close(id), "the window says it itself");
    silbo.look_away();
    silbo.show(sample::contacts());
    silbo.show(ringing());
    let (id, ..) = screen.notified();
    drop(silbo);
    assert_eq!(screen.next(), Asked::Close(id), "nothing outlives the window");
}

#[test]
fn a_missed_call_leads_to_its_page_and_dials_nobody() {
    let bus = PrivateBus::start();
    let screen = Screen::on(&bus, &["actions"]);
    let mut silbo = Silbo::on(&bus, sample::contacts());
    let mut view = sample::contacts();
    let bob = view.contacts.iter().find(|row| row.name == "bob").unwrap().id;
    let when = When::Today { time: "23:59".to_owned() };
    let missed = HistoryRow {
        with: bob,
        name: "bob".to_owned(),
        outcome: HistoryOutcome::Missed,
        began: UnixTime::from_secs(1),
        when,
        lasted: None,
        receipt: None,
        reply: None,
    };
    view.history.insert(0, missed);
    silbo.show(view);
    let (id, body, actions) = screen.notified();
    assert_eq!(body, "bob called you: today 23:59.");
    assert_eq!(actions, ["default", "Open Silbo", "call-back", "Call back"]);
    assert!(!silbo.window.says("Call bob"));
    screen.press(id, "call-back");
    silbo.until(|window| window.says("Call bob"));
    assert_eq!(silbo.window.wished(), []);
}

#[test]
fn a_strangers_name_is_no_markup_where_a_server_reads_it() {
    for (capabilities, body) in [
        (&["actions", "body-markup"][..], "“&lt;b&gt;eva&lt;/b&gt;&amp;co”"),
        (&["actions"][..], "“<b>eva</b>&co”"),
    ] {
        let bus = PrivateBus::start();
        let screen = Screen::on(&bus, capabilities);
        let mut silbo = Silbo::on(&bus, sample::contacts());
        silbo.show(with_request("<b>eva</b>\n\u{202e}&co"));
        let (id, said, _) = screen.notified();
        assert!(said.contains(body), "{said}");
        screen.press(id, "show");
        silbo.until(|window| window.mentions("eva"));
    }
}

#[test]
fn what_somebody_closed_on_the_desktop_stays_closed() {
    let bus = PrivateBus::start();
    let screen = Screen::on(&bus, &["actions"]);
    let mut silbo = Silbo::on(&bus, sample::contacts());
    silbo.show(with_request("eva"));
    let (id, ..) = screen.notified();
    screen.dismiss(id);
    silbo.woken.recv_timeout(PATIENCE).unwrap();
    silbo.show(View { call: ringing().call, ..with_request("eva") });
    let (_, body, _) = screen.notified();
    assert!(body.contains("is calling you"), "{body}");
    screen.asked.try_recv().unwrap_err();
}

#[test]
fn nothing_is_said_to_those_who_look_or_do_not_want_it() {
    let bus = PrivateBus::start();
    let screen = Screen::on(&bus, &["actions"]);
    let mut silbo = Silbo::on(&bus, sample::contacts());
    silbo.look();
    silbo.show(with_request("eva"));
    silbo.show(sample::contacts());
    silbo.look_away();
    let mut off = with_request("eva");
    off.settings.notifications = Notifications::Off;
    silbo.show(off);
    silbo.show(sample::contacts());
    silbo.show(with_request("ana"));
    let (_, body, _) = screen.notified();
    assert!(body.contains("ana"), "the first thing that is said: {body}");
}

#[test]
fn without_a_server_or_a_bus_there_is_only_the_window() {
    let bus = PrivateBus::start();
    for address in [bus.address.as_str(), "unix:path=/nowhere", "nonsense"] {
        let mut silbo = Silbo::at(address, sample::contacts());
        silbo.show(ringing());
        assert!(silbo.window.says("Accept"));
        silbo.show(sample::contacts());
        assert!(silbo.window.says("bob"));
    }
    let mut silbo = Silbo::on(&bus, sample::contacts());
    silbo.show(ringing());
    drop(bus);
    silbo.show(sample::contacts());
    assert!(silbo.window.says("bob"));
}

#[test]
fn a_server_that_comes_late_is_used() {
    let bus = PrivateBus::start();
    let mut silbo = Silbo::on(&bus, sample::contacts());
    let screen = Screen::on(&bus, &["actions"]);
    silbo.show(with_request("eva"));
    assert!(screen.notified().1.contains("eva"));
}

#[test]
fn silbo_starts_at_login_when_the_switch_is_on() {
    let config = tempfile::tempdir().unwrap();
    let entry = AutostartEntry::new(config.path(), "/usr/bin/silbo".into(), None);
    let nowhere = Bus::At("unix:path=/nowhere".to_owned());
    let mut silbo = Silbo::with(sample::devices("usb-1", "hdmi"), {
        let entry = entry.clone();
        move |wake| Desktop::start(nowhere, Some(entry), KeySource::None, wake)
    });
    silbo.window.click("Settings");
    silbo.until(|window| window.says("Start when you log in"));
    let is_on = |window: &mut Window| {
        let switch = window.harness.get_by_label("Start when you log in");
        switch.accesskit_node().toggled() == Some(Toggled::True)
    };
    assert!(!is_on(&mut silbo.window));
    silbo.window.click("Start when you log in");
    silbo.until(is_on);
    assert_eq!(entry.read(), Ok(Autostart::On));
    silbo.window.click("Start when you log in");
    silbo.until(|window| !is_on(window));
    assert_eq!(entry.read(), Ok(Autostart::Off));
}

#[test]
fn what_cannot_be_switched_is_told_with_what_to_do() {
    let (desktop, _wants, mut orders, reports) = Desktop::fake();
    let mut silbo = Silbo::with(sample::devices("usb-1", "hdmi"), |_| desktop);
    silbo.window.click("Settings");
    assert!(!silbo.window.says("Start when you log in"), "nobody knows yet");
    let error = AutostartError::Unwritable { path: "/x".to_owned(), why: "read-only".to_owned() };
    reports.try_send(Report::Autostart(Ok(Autostart::Other))).unwrap();
    silbo.window.harness.run();
    assert!(silbo.window.mentions("Another profile starts"));
    silbo.window.click("Start when you log in");
    assert_eq!(orders.try_recv(), Ok(Order::SetAutostart(Autostart::On)));
    reports.try_send(Report::Autostart(Err(error))).unwrap();
    silbo.window.harness.run();
    assert!(silbo.window.mentions("could not be changed in /x: read-only"));
    reports.try_send(Report::Autostart(Ok(Autostart::On))).unwrap();
    silbo.window.harness.run();
    assert!(!silbo.window.mentions("could not be changed"));
}

#[test]
fn notifications_are_switched_off_and_on() {
    let mut view = sample::devices("usb-1", "hdmi");
    let mut window = Window::open(view.clone());
    window.click("Settings");
    window.wished();
    window.click("Notifications");
    assert_eq!(window.wished(), [Command::SetNotifications(Notifications::Off)]);
    view.settings.notifications = Notifications::Off;
    window.show(view);
    window.click("Notifications");
    assert_eq!(window.wished(), [Command::SetNotifications(Notifications::On)]);
}
