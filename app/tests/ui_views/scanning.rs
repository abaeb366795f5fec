//! A friend's code: through the camera, and off a picture.

use super::{Window, sample};
use app::engine::command::Command;
use app::engine::scan::Scan;
use app::engine::view::{CallPhase, Search, View};
use app::reason::{Reason, Remedy};
use media::video::driver::Viewfinder;
use media::video::frame::{I420, Size, Taken};
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn scanning(scan: Scan) -> View {
    View { scan, ..sample::contacts() }
}

fn looking() -> Scan {
    let picture = Size::new(320, 180).map(|size| I420::plain(size, Taken::Media(0), [120, 128, 128]));
    picture.map_or(Scan::Idle, |picture| Scan::Looking(Viewfinder::still(picture)))
}

fn opened() -> Window {
    let mut window = Window::open(sample::contacts());
    window.click("Scan a friend's code");
    window
}

#[test]
fn a_code_is_held_before_the_camera_and_whoever_it_invites_to_is_asked_about() {
    let mut window = opened();
    window.click("Use the camera");
    assert_eq!(window.wished(), [Command::ScanCamera]);
    window.show(scanning(looking()));
    assert!(window.says("What the camera sees") && window.mentions("Hold the code before the camera"));
    let link = "silbo:x".to_owned();
    let offered = Search::Offered { key: sample::key(9), name: "nora".to_owned(), link };
    window.show(View { search: offered, ..sample::contacts() });
    assert!(window.says("nora invites you"));
    assert_eq!(window.wished(), []);
}

#[test]
fn the_camera_is_closed_by_its_button_and_by_whoever_goes_elsewhere() {
    let mut window = opened();
    window.show(scanning(looking()));
    window.click("Close the camera");
    assert!(window.wished().contains(&Command::StopScanning));
    window.click("Settings");
    assert!(window.wished().contains(&Command::StopScanning));
    let mut view = scanning(looking());
    view.call = sample::call(sample::person(1), "bob", CallPhase::Incoming).call;
    let mut window = opened();
    window.show(view);
    assert!(window.wished().contains(&Command::StopScanning));
}

#[test]
fn a_picture_is_read_where_it_is_said_to_be_or_when_it_is_dropped() {
    let mut window = opened();
    window.type_into("File of the picture", "/tmp/code.png");
    window.click("Read the picture");
    assert_eq!(window.wished(), [Command::ScanPicture("/tmp/code.png".into())]);
    let mut window = Window::open(sample::contacts());
    window.harness.input_mut().dropped_files.push(Arc::new(Dropped("/tmp/photo.jpg".into())));
    window.harness.step();
    assert_eq!(window.wished(), [Command::ScanPicture("/tmp/photo.jpg".into())]);
    window.harness.run();
    assert!(window.says("Scan a friend's code"));
}

#[test]
fn what_went_wrong_says_what_to_do() {
    let camera = Reason::Camera { why: "none".to_owned(), remedy: Remedy::Connect };
    for (scan, said) in [
        (Scan::NoInvite, "There was no invite to be seen. Hold the code straight and nearer"),
        (Scan::NoPicture, "This is no picture that can be read. Choose a PNG or JPEG file."),
        (Scan::NoFile, "There is no such file, or you may not read it. Look at its name once more."),
        (Scan::Failed(camera), "No camera was found. Plug one in, then start video."),
    ] {
        let mut window = opened();
        window.show(scanning(scan));
        assert!(window.mentions(said), "{said}");
        assert!(window.says("Use the camera"));
    }
}

/// A file that was dropped.
#[derive(Debug)]
struct Dropped(PathBuf);

impl egui::DroppedFile for Dropped {
    fn path(&self) -> &Path {
        &self.0
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        Ok(Vec::new())
    }
}
