//! The file chooser of the desktop: a real message bus, with a portal on it that the test plays.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use super::desktop::{PATIENCE, PrivateBus, Silbo};
use super::sample;
use app::engine::command::Command;
use std::collections::HashMap;
use std::sync::mpsc::{Receiver, Sender, channel};
use tokio::runtime::Runtime;
use zbus::Connection;
use zbus::zvariant::{OwnedObjectPath, OwnedValue, Value};

const PATH: &str = "/org/freedesktop/portal/desktop";

/// Where the answer goes, and what was asked.
type Asked = (OwnedObjectPath, &'static str, String, Option<String>);

struct Portal {
    told: Sender<Asked>,
    questions: u32,
    works: bool,
}

impl Portal {
    fn ask(
        &mut self,
        method: &'static str,
        title: String,
        options: &HashMap<String, OwnedValue>,
    ) -> zbus::fdo::Result<OwnedObjectPath> {
        if !self.works {
            return Err(zbus::fdo::Error::Failed("no dialogs here".to_owned()));
        }
        self.questions += 1;
        let request = format!("{PATH}/request/1_1/{}", self.questions);
        let request = OwnedObjectPath::try_from(request).unwrap();
        let name = options.get("current_name").map(|name| name.downcast_ref::<String>().unwrap());
        self.told.send((request.clone(), method, title, name)).unwrap();
        Ok(request)
    }
}

#[zbus::interface(name = "org.freedesktop.portal.FileChooser")]
impl Portal {
    fn open_file(
        &mut self,
        _parent: String,
        title: String,
        options: HashMap<String, OwnedValue>,
    ) -> zbus::fdo::Result<OwnedObjectPath> {
        self.ask("open", title, &options)
    }

    fn save_file(
        &mut self,
        _parent: String,
        title: String,
        options: HashMap<String, OwnedValue>,
    ) -> zbus::fdo::Result<OwnedObjectPath> {
        self.ask("save", title, &options)
    }
}

/// A desktop with a file chooser, and the hand that chooses.
struct Dialogs {
    asked: Receiver<Asked>,
    connection: Connection,
    runtime: Runtime,
}

impl Dialogs {
    fn on(bus: &PrivateBus, works: bool) -> Self {
        let (told, asked) = channel();
        let runtime = Runtime::new().unwrap();
        let builder = zbus::connection::Builder::address(bus.address.as_str()).unwrap();
        let builder = builder.serve_at(PATH, Portal { told, questions: 0, works }).unwrap();
        let builder = builder.name("org.freedesktop.portal.Desktop").unwrap();
        let connection = runtime.block_on(builder.build()).unwrap();
        Self { asked, connection, runtime }
    }

    fn next(&self) -> Asked {
        self.asked.recv_timeout(PATIENCE).unwrap()
    }

    fn choose(&self, request: &OwnedObjectPath, uri: &str) {
        self.respond(request, 0, HashMap::from([("uris", Value::from(vec![uri]))]));
    }

    fn cancel(&self, request: &OwnedObjectPath) {
        self.respond(request, 1, HashMap::new());
    }

    fn respond(&self, request: &OwnedObjectPath, outcome: u32, results: HashMap<&str, Value<'_>>) {
        let interface = "org.freedesktop.portal.Request";
        let answer = (outcome, results);
        let told = self.connection.emit_signal(None::<&str>, request, interface, "Response", &answer);
        self.runtime.block_on(told).unwrap();
    }
}

#[test]
fn a_picture_is_chosen_and_read() {
    let bus = PrivateBus::start();
    let dialogs = Dialogs::on(&bus, true);
    let mut silbo = Silbo::on(&bus, sample::contacts());
    silbo.window.click("Scan a friend's code");
    silbo.until(|window| window.says("Choose the picture"));
    silbo.window.click("Choose the picture");
    let (request, method, title, _) = dialogs.next();
    assert_eq!((method, title.as_str()), ("open", "Choose the picture"));
    // Whoever closes the dialog is asked anew the next time.
    dialogs.cancel(&request);
    silbo.window.click("Choose the picture");
    let (request, ..) = dialogs.next();
    dialogs.choose(&request, "file:///home/eva/my%20code.png");
    assert_eq!(silbo.wish(), Command::ScanPicture("/home/eva/my code.png".into()));
}

#[test]
fn only_the_answer_to_the_last_question_counts() {
    let bus = PrivateBus::start();
    let dialogs = Dialogs::on(&bus, true);
    let mut silbo = Silbo::on(&bus, sample::contacts());
    silbo.window.click("Scan a friend's code");
    silbo.until(|window| window.says("Choose the picture"));
    silbo.window.click("Choose the picture");
    let (earlier, ..) = dialogs.next();
    silbo.window.click("Choose the picture");
    let (last, ..) = dialogs.next();
    dialogs.choose(&earlier, "file:///home/eva/first.png");
    dialogs.choose(&last, "file:///home/eva/second.png");
    assert_eq!(silbo.wish(), Command::ScanPicture("/home/eva/second.png".into()));
}

#[test]
fn a_backup_goes_where_it_was_chosen_to_go() {
    let bus = PrivateBus::start();
    let dialogs = Dialogs::on(&bus, true);
    let mut view = sample::contacts();
    view.custody.backup_file = Some("/media/silbo-backup.silbo".into());
    let mut silbo = Silbo::on(&bus, view);
    silbo.window.click("Settings");
    silbo.window.click("Make a backup");
    silbo.until(|window| window.says("Choose where it goes"));
    silbo.window.click("Choose where it goes");
    let (request, method, _, name) = dialogs.next();
    assert_eq!((method, name.as_deref()), ("save", Some("silbo-backup.silbo")));
    dialogs.choose(&request, "file:///media/stick/mine.silbo");
    silbo.until(|window| window.field_holds("File of the backup", "/media/stick/mine.silbo"));
}

#[test]
fn a_desktop_that_shows_no_files_says_so_and_the_path_is_typed() {
    let bus = PrivateBus::start();
    let _dialogs = Dialogs::on(&bus, false);
    let mut silbo = Silbo::on(&bus, sample::contacts());
    silbo.window.click("Scan a friend's code");
    silbo.until(|window| window.says("Choose the picture"));
    silbo.window.click("Choose the picture");
    silbo.until(|window| window.mentions("Type where it is."));
    silbo.window.type_into("File of the picture", "/tmp/code.png");
    silbo.window.click("Read the picture");
    assert!(silbo.window.wished().contains(&Command::ScanPicture("/tmp/code.png".into())));
}

#[test]
fn what_is_no_file_of_this_computer_is_not_read() {
    let bus = PrivateBus::start();
    let dialogs = Dialogs::on(&bus, true);
    let mut silbo = Silbo::on(&bus, sample::contacts());
    silbo.window.click("Scan a friend's code");
    silbo.until(|window| window.says("Choose the picture"));
    silbo.window.click("Choose the picture");
    let (request, ..) = dialogs.next();
    dialogs.choose(&request, "smb://nas/code.png");
    silbo.until(|window| window.mentions("Type where it is."));
    assert!(!silbo.window.wished().iter().any(|wish| matches!(wish, Command::ScanPicture(_))));
}

#[test]
fn without_a_portal_there_is_nothing_to_press() {
    let bus = PrivateBus::start();
    let mut silbo = Silbo::on(&bus, sample::contacts());
    silbo.window.click("Scan a friend's code");
    assert!(silbo.window.says("File of the picture") && !silbo.window.says("Choose the picture"));
}
