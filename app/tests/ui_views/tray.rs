//! The icon in the tray: a real message bus, with a tray on it that the test plays.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use super::desktop::{PATIENCE, PrivateBus, Silbo};
use super::{Window, sample};
use app::desktop::{Desktop, Report, TrayAction, TrayPresence};
use app::engine::EngineHandle;
use app::engine::command::Command;
use app::engine::gate::Door;
use app::engine::view::{CallPhase, OnClose, View};
use egui::{ViewportCommand, ViewportEvent, ViewportId};
use std::collections::HashMap;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Instant;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use zbus::zvariant::{DynamicType, OwnedValue, Structure, Value};
use zbus::{Connection, Message};

const ITEM: &str = "org.kde.StatusNotifierItem";
const ITEM_PATH: &str = "/StatusNotifierItem";
const MENU: &str = "com.canonical.dbusmenu";

struct Watcher(Sender<String>);

#[zbus::interface(name = "org.kde.StatusNotifierWatcher")]
impl Watcher {
    fn register_status_notifier_item(&self, service: String) {
        self.0.send(service).unwrap();
    }
}

/// A tray, and the hand that presses what is in it.
struct TrayOfTest {
    registered: Receiver<String>,
    connection: Connection,
    runtime: Runtime,
}

impl TrayOfTest {
    fn on(bus: &PrivateBus) -> Self {
        let (told, registered) = channel();
        let runtime = Runtime::new().unwrap();
        let builder = zbus::connection::Builder::address(bus.address.as_str()).unwrap();
        let builder = builder.serve_at("/StatusNotifierWatcher", Watcher(told)).unwrap();
        let builder = builder.name("org.kde.StatusNotifierWatcher").unwrap();
        let connection = runtime.block_on(builder.build()).unwrap();
        Self { registered, connection, runtime }
    }

    /// Whoever came into the tray.
    fn newcomer(&self) -> String {
        self.registered.recv_timeout(PATIENCE).unwrap()
    }

    fn call(
        &self,
        item: &str,
        path: &str,
        interface: &str,
        method: &str,
        arguments: &(impl serde::Serialize + DynamicType),
    ) -> zbus::Result<Message> {
        self.runtime.block_on(self.connection.call_method(
            Some(item),
            path,
            Some(interface),
            method,
            arguments,
        ))
    }

    fn property(&self, item: &str, name: &str) -> OwnedValue {
        let properties = "org.freedesktop.DBus.Properties";
        self.call(item, ITEM_PATH, properties, "Get", &(ITEM, name)).unwrap().body().deserialize().unwrap()
    }

    fn title(&self, item: &str) -> String {
        self.property(item, "Title").try_into().unwrap()
    }

    /// The pixels of the icon.
    fn icon(&self, item: &str) -> Vec<u8> {
        let pictures: Vec<(i32, i32, Vec<u8>)> = self.property(item, "IconPixmap").try_into().unwrap();
        let [(width, height, argb)] = pictures.as_slice() else { panic!("{} pictures", pictures.len()) };
        assert_eq!((*width * *height * 4) as usize, argb.len());
        argb.clone()
    }

    /// The menu: numbers and labels.
    fn menu(&self, item: &str) -> Vec<(i32, String)> {
        let names: [&str; 0] = [];
        let reply = self.call(item, "/MenuBar", MENU, "GetLayout", &(0, -1, &names[..])).unwrap();
        type Part = (i32, HashMap<String, OwnedValue>, Vec<OwnedValue>);
        let (_, (root, _, children)): (u32, Part) = reply.body().deserialize().unwrap();
        assert_eq!(root, 0);
        let entry = |child: OwnedValue| {
            let part: Structure<'_> = child.try_into().unwrap();
            let (id, mut said, _) = Part::try_from(part).unwrap();
            (id, String::try_from(said.remove("label").unwrap()).unwrap())
        };
        children.into_iter().map(entry).collect()
    }

    fn click(&self, item: &str, id: i32) {
        self.call(item, "/MenuBar", MENU, "Event", &(id, "clicked", Value::from(0), 0u32)).unwrap();
    }

    /// Clicks what is called so.
    fn press(&self, item: &str, label: &str) {
        let (id, _) = self.menu(item).into_iter().find(|(_, entry)| entry == label).unwrap();
        self.click(item, id);
    }
}

/// Lets the window draw until the tray has taken it in.
fn settle(silbo: &mut Silbo, tray: &TrayOfTest, item: &str, title: &str) {
    let deadline = Instant::now() + PATIENCE;
    while tray.title(item) != title {
        assert!(Instant::now() < deadline, "{} is not {title}", tray.title(item));
        silbo.window.harness.step();
    }
}

fn labels(menu: &[(i32, String)]) -> Vec<&str> {
    menu.iter().map(|(_, label)| label.as_str()).collect()
}

#[test]
fn the_tray_shows_what_is_heard_of_us_and_mutes_and_hangs_up() {
    let bus = PrivateBus::start();
    let tray = TrayOfTest::on(&bus);
    let mut silbo = Silbo::on(&bus, sample::contacts());
    let item = tray.newcomer();
    settle(&mut silbo, &tray, &item, "Silbo — alice");
    let idle = tray.icon(&item);
    assert_eq!(labels(&tray.menu(&item)), ["Open Silbo", "Quit Silbo"]);
    assert_eq!(String::try_from(tray.property(&item, "Status")).unwrap(), "Active");

    let mut view = sample::active(Instant::now());
    silbo.show(view.clone());
    let title = "Silbo — alice — in a call with carmen.santana — your microphone is on";
    settle(&mut silbo, &tray, &item, title);
    let live = tray.icon(&item);
    assert_ne!(live, idle);
    tray.press(&item, "Mute");
    assert_eq!(silbo.wish(), Command::SetMuted(true));

    let mute = tray.menu(&item).into_iter().find(|(_, label)| label == "Mute").unwrap().0;
    view.call.as_mut().unwrap().muted = true;
    silbo.show(view);
    settle(&mut silbo, &tray, &item, "Silbo — alice — in a call with carmen.santana — you are muted");
    assert_ne!(tray.icon(&item), live);
    tray.click(&item, mute);
    tray.click(&item, 99);
    tray.press(&item, "Unmute");
    assert_eq!(silbo.wish(), Command::SetMuted(false), "a click on an old menu does nothing else");
    tray.press(&item, "Hang up");
    assert_eq!(silbo.wish(), Command::HangUp);
}

#[test]
fn a_tray_that_comes_later_or_again_is_entered() {
    let bus = PrivateBus::start();
    let mut silbo = Silbo::on(&bus, sample::contacts());
    for _ in 0..2 {
        let tray = TrayOfTest::on(&bus);
        let item = tray.newcomer();
        settle(&mut silbo, &tray, &item, "Silbo — alice");
        tray.call(&item, ITEM_PATH, ITEM, "Activate", &(1, 1)).unwrap();
    }
}

#[test]
fn what_makes_no_sense_to_the_menu_is_refused() {
    let bus = PrivateBus::start();
    let tray = TrayOfTest::on(&bus);
    let mut silbo = Silbo::on(&bus, sample::contacts());
    let item = tray.newcomer();
    settle(&mut silbo, &tray, &item, "Silbo — alice");
    let names: [&str; 0] = [];
    tray.call(&item, "/MenuBar", MENU, "GetLayout", &(77, -1, &names[..])).unwrap_err();
    tray.call(&item, "/MenuBar", MENU, "GetProperty", &(1, "colour")).unwrap_err();
    tray.call(&item, "/MenuBar", MENU, "GetProperty", &(i32::MIN, "label")).unwrap_err();
    tray.call(&item, "/MenuBar", MENU, "Event", &(1, "hovered", Value::from(0), 0u32)).unwrap();
    let clicks = [(99, "clicked", Value::from(0), 0u32), (-1, "clicked", Value::from(0), 0u32)];
    let reply = tray.call(&item, "/MenuBar", MENU, "EventGroup", &(&clicks[..],)).unwrap();
    assert_eq!(reply.body().deserialize::<Vec<i32>>().unwrap(), [99, -1]);
}

/// A window whose tray the test plays without a bus.
fn with_tray(view: View) -> (Silbo, mpsc::Sender<Report>) {
    let (desktop, _wants, _orders, reports) = Desktop::fake();
    let mut silbo = Silbo::with(view, |_| desktop);
    reports.try_send(Report::Tray(TrayPresence::There)).unwrap();
    silbo.window.harness.step();
    (silbo, reports)
}

fn staying() -> View {
    let mut view = sample::contacts();
    view.settings.on_close = OnClose::Hide;
    view
}

/// What closing the window asks of the desktop.
fn close(window: &mut Window) -> Vec<ViewportCommand> {
    let root = window.harness.input_mut().viewports.entry(ViewportId::ROOT).or_default();
    root.events.push(ViewportEvent::Close);
    let asked = window.asked_of_the_desktop();
    window.harness.input_mut().viewports.entry(ViewportId::ROOT).or_default().events.clear();
    asked
}

#[test]
fn a_closed_window_goes_and_comes_back_where_somebody_wants_to_stay_reachable() {
    let (mut silbo, reports) = with_tray(staying());
    let asked = close(&mut silbo.window);
    assert!(
        asked.contains(&ViewportCommand::CancelClose) && asked.contains(&ViewportCommand::Visible(false))
    );
    reports.try_send(Report::TrayPressed(TrayAction::Open)).unwrap();
    assert!(silbo.window.asked_of_the_desktop().contains(&ViewportCommand::Visible(true)));

    close(&mut silbo.window);
    let view = View { call: sample::call(sample::person(1), "bob", CallPhase::Incoming).call, ..staying() };
    silbo.window.shown.send_replace(view.into());
    assert!(silbo.window.asked_of_the_desktop().contains(&ViewportCommand::Visible(true)), "a call rings");
    silbo.show(staying());

    close(&mut silbo.window);
    reports.try_send(Report::Tray(TrayPresence::Absent)).unwrap();
    let asked = silbo.window.asked_of_the_desktop();
    assert!(asked.contains(&ViewportCommand::Visible(true)), "nothing else would bring it back");
    assert!(!close(&mut silbo.window).contains(&ViewportCommand::CancelClose), "there is no tray any more");
}

#[test]
fn quitting_in_the_tray_quits_and_asks_first_in_a_call() {
    let (mut silbo, reports) = with_tray(staying());
    reports.try_send(Report::TrayPressed(TrayAction::Quit)).unwrap();
    assert!(silbo.window.asked_of_the_desktop().contains(&ViewportCommand::Close));
    assert!(!close(&mut silbo.window).contains(&ViewportCommand::CancelClose));

    let mut view = staying();
    view.call = sample::active(Instant::now()).call;
    let (mut silbo, reports) = with_tray(view);
    reports.try_send(Report::TrayPressed(TrayAction::Quit)).unwrap();
    assert!(silbo.window.asked_of_the_desktop().contains(&ViewportCommand::Close));
    assert!(close(&mut silbo.window).contains(&ViewportCommand::CancelClose));
    silbo.window.harness.step();
    assert!(silbo.window.mentions("You are in a call with carmen.santana"), "it asks");
}

#[test]
fn closing_quits_unless_there_is_a_tray_and_a_wish() {
    let (mut silbo, _reports) = with_tray(sample::contacts());
    assert!(!close(&mut silbo.window).contains(&ViewportCommand::CancelClose));
    let mut window = Window::open(staying());
    assert!(!close(&mut window).contains(&ViewportCommand::CancelClose));
}

#[test]
fn whoever_has_a_tray_can_choose_to_stay_reachable() {
    let (mut silbo, reports) = with_tray(sample::devices("usb-1", "hdmi"));
    silbo.window.click("Settings");
    silbo.window.wished();
    silbo.window.click("Keep running when the window is closed");
    assert_eq!(silbo.window.wished(), [Command::SetOnClose(OnClose::Hide)]);
    reports.try_send(Report::Tray(TrayPresence::Absent)).unwrap();
    silbo.window.harness.run();
    assert!(!silbo.window.says("Keep running when the window is closed"));
}

#[test]
fn who_comes_back_finds_the_tray_that_was_there() {
    let (mut silbo, _reports) = with_tray(sample::first_run());
    let (another, _wishes, shown) = EngineHandle::fake();
    shown.send_replace(sample::contacts().into());
    silbo.window.at_the_gate(|view| view.door = Door::Open(another));
    silbo.window.click("Settings");
    assert!(silbo.window.says("Keep running when the window is closed"));
}
