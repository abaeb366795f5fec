//! Keeping one's key, in the settings: its passphrase, and backups.

use super::{Window, phrase, sample};
use app::engine::command::Command;
use app::engine::custody::{Export, Kept, Sealing};
use app::engine::view::View;
use app::reason::{Custody, Reason};
use app::storage::{Lock, Overwrite};
use egui::{Key, Modifiers};

const GOOD: &str = "a long passphrase";

fn settings(view: View) -> Window {
    let mut window = Window::open(view);
    window.press(Modifiers::COMMAND, Key::Comma);
    window.wished();
    window
}

fn sealed() -> View {
    let mut view = sample::devices("usb-1", "hdmi");
    view.custody.lock = Lock::Sealed;
    view
}

#[test]
fn a_key_is_sealed_with_a_passphrase_that_is_typed_twice() {
    let mut window = settings(sample::devices("usb-1", "hdmi"));
    window.click("Seal with a passphrase");
    window.type_secret("New passphrase", "weak");
    assert!(window.mentions("too easy to guess"));
    window.click("Seal the key");
    window.type_secret("New passphrase", " no longer, surely");
    window.type_secret("New passphrase once more", GOOD);
    assert!(window.mentions("not the same"));
    window.click("Seal the key");
    assert_eq!(window.wished(), [], "neither serves");
    window.click("Cancel");
    window.click("Seal with a passphrase");
    window.type_secret("New passphrase", GOOD);
    window.type_secret("New passphrase once more", GOOD);
    window.click("Seal the key");
    assert_eq!(window.wished(), [Command::Seal { present: None, wanted: Some(phrase(GOOD)) }]);
    let mut view = sample::devices("usb-1", "hdmi");
    view.custody.sealing = Sealing::Working;
    window.show(view);
    assert!(window.mentions("being written") && !window.says("Seal with a passphrase"));
    let mut view = sealed();
    view.custody.sealing = Sealing::Done;
    window.show(view);
    assert!(window.mentions("The next start of Silbo asks for this passphrase"));
}

#[test]
fn a_passphrase_is_changed_and_taken_away_by_who_knows_it() {
    let mut window = settings(sealed());
    window.click("Change the passphrase");
    window.type_secret("New passphrase", "another long one");
    window.type_secret("New passphrase once more", "another long one");
    window.click("Seal the key");
    assert_eq!(window.wished(), [], "the present one is asked for");
    window.type_secret("Passphrase you have now", GOOD);
    window.click("Seal the key");
    window.click("Remove the passphrase");
    window.type_secret("Passphrase you have now", GOOD);
    window.click("Leave the key open");
    let change = |wanted| Command::Seal { present: Some(phrase(GOOD)), wanted };
    assert_eq!(window.wished(), [change(Some(phrase("another long one"))), change(None)]);
    let mut view = sealed();
    let wrong = Custody::WrongPassphrase("/profile/identity.key".into());
    view.custody.sealing = Sealing::Failed(Reason::Custody(wrong));
    window.show(view);
    assert!(window.mentions("does not open it. Try again"));
}

/// Types into whatever has the keyboard, and presses Enter.
fn type_and_enter(window: &mut Window, text: &str) {
    window.harness.event(egui::Event::Text(text.to_owned()));
    window.harness.run();
    window.press(Modifiers::NONE, Key::Enter);
}

#[test]
fn a_passphrase_is_changed_by_the_keyboard_alone() {
    let mut window = settings(sealed());
    window.click("Change the passphrase");
    type_and_enter(&mut window, GOOD);
    type_and_enter(&mut window, "another long one");
    type_and_enter(&mut window, "another long");
    assert_eq!(window.wished(), [], "the two are not the same");
    assert!(window.mentions("not the same"));
    // The keyboard is still there.
    type_and_enter(&mut window, " one");
    let (present, wanted) = (Some(phrase(GOOD)), Some(phrase("another long one")));
    assert_eq!(window.wished(), [Command::Seal { present, wanted }]);
    window.click("Remove the passphrase");
    window.press(Modifiers::NONE, Key::Escape);
    assert!(!window.says("Leave the key open") && window.says("Remove the passphrase"));
}

#[test]
fn a_backup_is_written_by_the_keyboard_alone() {
    let mut view = sample::devices("usb-1", "hdmi");
    view.custody.backup_file = Some("/media/stick/b.silbo".into());
    let mut window = settings(view);
    window.click("Make a backup");
    // The keyboard is where the passphrase goes: none shall become the name of a file.
    for text in [GOOD, GOOD] {
        type_and_enter(&mut window, text);
    }
    let sent = window.wished();
    let [Command::NameBackup, Command::Export { file, overwrite: Overwrite::Never, .. }] = sent.as_slice()
    else {
        panic!("{sent:?}")
    };
    assert_eq!(*file, std::path::Path::new("/media/stick/b.silbo"));
    window.click("Make a backup");
    window.press(Modifiers::NONE, Key::Escape);
    assert!(!window.says("Write the backup"));
}

#[test]
fn a_form_with_passphrases_goes_when_the_page_is_left() {
    let mut window = settings(sealed());
    window.click("Remove the passphrase");
    window.type_secret("Passphrase you have now", GOOD);
    window.click("bob");
    window.press(Modifiers::COMMAND, Key::Comma);
    assert!(window.says("Remove the passphrase") && !window.says("Leave the key open"));
}

#[test]
fn a_backup_goes_where_one_says_and_what_became_of_it_is_told() {
    let mut window = settings(sample::devices("usb-1", "hdmi"));
    window.click("Make a backup");
    assert_eq!(window.wished(), [Command::NameBackup]);
    let mut view = sample::devices("usb-1", "hdmi");
    let home = directories::BaseDirs::new().unwrap().home_dir().to_owned();
    view.custody.backup_file = Some(home.join("Documents/silbo-backup-2026-11-29.silbo"));
    window.show(view);
    assert!(window.field_holds("File of the backup", "~/Documents/silbo-backup-2026-11-29.silbo"));
    window.type_secret("Passphrase of the backup", GOOD);
    window.type_secret("Passphrase of the backup once more", GOOD);
    window.click("Write the backup");
    let sent = window.wished();
    let [Command::Export { file, passphrase, overwrite: Overwrite::Never }] = sent.as_slice() else {
        panic!("{sent:?}")
    };
    assert_eq!(*file, home.join("Documents/silbo-backup-2026-11-29.silbo"));
    assert_eq!(*passphrase, phrase(GOOD));
    let mut view = sample::devices("usb-1", "hdmi");
    view.custody.export = Export::Writing;
    window.show(view.clone());
    assert!(window.mentions("being written"));
    view.custody.export = Export::Failed(Reason::Custody(Custody::FileExists("/home/a/backup".into())));
    window.show(view.clone());
    assert!(window.mentions("/home/a/backup is there already") && window.says("Make a backup"));
    let kept = Kept { key: sample::key(7), name: Some("alice".into()), contacts: 4, calls: 1 };
    view.custody.export = Export::Done { file: "/home/a/other".into(), kept };
    window.show(view);
    assert!(window.mentions("/home/a/other, with 4 contacts and 1 call."));
}
