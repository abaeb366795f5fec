//! Calls with pictures between real processes: what one camera took is seen at the other end.

use crate::harness::{Silbo, World};
use media::video::{frame::Taken, pattern, y4m::Y4mReader};
use std::{collections::BTreeSet, fs, io::Cursor, path::Path};

/// The numbers of the pictures in a file, in their order.
fn numbers(path: &Path) -> Vec<u32> {
    let mut reader = Y4mReader::open(Cursor::new(fs::read(path).unwrap())).unwrap();
    let mut numbers = Vec::new();
    while let Some(frame) = reader.next_frame(Taken::Media(0)).unwrap() {
        numbers.extend(pattern::read_counter(&frame));
    }
    numbers
}

fn bob_answers(world: &World, words: &[&str]) -> Silbo {
    world.run("b", &["register", "bob"]).with(0);
    let answering = ["online", "--auto-answer", "--calls", "1", "--mic", "silence", "--speaker", "null"];
    let mut bob = world.silbo("b", &[&answering, words].concat());
    bob.expect("registered");
    bob
}

#[test]
fn pictures_flow_both_ways_and_a_camera_can_be_switched_off_and_on() {
    let world = World::new();
    let mut bob = bob_answers(&world, &["--camera", "pattern", "--display", "file:bob.y4m"]);
    let calling = ["call", "bob", "--video", "--camera", "pattern", "--display", "file:ada.y4m"];
    let mut ada = world.silbo("a", &[&calling[..], &["--mic", "tone:440", "--speaker", "null"]].concat());
    ada.expect("first_picture");
    bob.expect("first_picture");
    let seen = loop {
        let stats = bob.expect("stats");
        if stats["pictures_shown"].as_u64() > Some(10) {
            break stats;
        }
    };
    assert!(seen["width"].as_u64().is_some_and(|width| width >= 320), "{seen}");
    assert!(seen["video_kbps"].as_f64().is_some_and(|rate| rate > 10.0), "{seen}");
    ada.tell(r#"{"do":"camera","on":false}"#);
    let still = loop {
        let (before, after) = (bob.expect("stats"), bob.expect("stats"));
        if before["pictures_shown"] == after["pictures_shown"] {
            break after;
        }
    };
    assert!(still["fps"].is_null(), "nothing is shown: {still}");
    ada.tell(r#"{"do":"camera","on":true}"#);
    while bob.expect("stats")["pictures_shown"] == still["pictures_shown"] {}
    ada.tell(r#"{"do":"hangup"}"#);
    ada.end().with(0);
    bob.end().with(0);
    for file in ["ada.y4m", "bob.y4m"] {
        let numbers = numbers(&world.path(file));
        assert!(numbers.len() > 10 && numbers.is_sorted(), "{file}: {numbers:?}");
        assert_eq!(numbers.iter().collect::<BTreeSet<_>>().len(), numbers.len(), "{file}: {numbers:?}");
    }
}

#[test]
fn whoever_has_no_camera_sees_the_other_end_all_the_same() {
    let world = World::new();
    let mut bob = bob_answers(&world, &[]);
    let calling = ["call", "bob", "--camera", "pattern", "--mic", "silence", "--speaker", "null"];
    let mut ada = world.silbo("a", &calling);
    bob.expect("first_picture");
    ada.tell(r#"{"do":"hangup"}"#);
    let ada = ada.end().with(0);
    assert!(!ada.has("first_picture"));
    bob.end().with(0);
}

#[test]
fn a_call_goes_on_when_the_camera_of_who_is_called_does_not_work() {
    let world = World::new();
    let mut bob = bob_answers(&world, &["--camera", "device:/dev/null"]);
    let calling = ["call", "bob", "--camera", "pattern", "--mic", "silence", "--speaker", "null"];
    let mut ada = world.silbo("a", &calling);
    let lost = bob.expect("device_lost");
    assert_eq!(lost["message"], "The camera cannot be used: /dev/null is not a camera.");
    assert!(lost["next_step"].as_str().is_some_and(|step| step.contains("/dev/video")), "{lost}");
    bob.expect("first_picture");
    // Whoever switches it on tries again.
    bob.tell(r#"{"do":"camera","on":true}"#);
    assert_eq!(bob.expect("device_lost")["message"], lost["message"]);
    let seen = bob.expect("stats")["pictures_shown"].as_u64();
    while bob.expect("stats")["pictures_shown"].as_u64() == seen {}
    ada.tell(r#"{"do":"hangup"}"#);
    ada.end().with(0);
    bob.end().with(0);
}

#[test]
fn who_never_spoke_of_a_camera_takes_the_first_one_in_the_middle_of_a_call() {
    let world = World::new();
    let mut bob = bob_answers(&world, &[]);
    let mut ada = world.silbo("a", &["call", "bob", "--mic", "silence", "--speaker", "null"]);
    bob.expect("media_flowing");
    bob.tell(r#"{"do":"camera","on":true}"#);
    if has_camera() {
        ada.expect("first_picture");
    } else {
        let lost = bob.expect("device_lost");
        assert_eq!(lost["message"], "The camera cannot be used: no camera was found on this computer.");
    }
    ada.tell(r#"{"do":"hangup"}"#);
    ada.end().with(0);
    bob.end().with(0);
}

/// Whether this computer may have one.
fn has_camera() -> bool {
    (0..64).any(|number| Path::new(&format!("/dev/video{number}")).exists())
}

#[test]
fn a_file_that_holds_no_pictures_is_refused_before_anybody_rings() {
    let world = World::new();
    let _bob = bob_answers(&world, &[]);
    fs::write(world.path("text.y4m"), "no pictures here").unwrap();
    let calling = ["call", "bob", "--camera", "file:text.y4m", "--mic", "silence", "--speaker", "null"];
    let ended = world.run("a", &calling);
    assert_ne!(ended.status, 0);
    let error = ended.events.iter().find(|event| event["event"] == "error" || event["event"] == "ended");
    assert!(error.is_some_and(|error| error.to_string().contains("device")), "{ended:#?}");
}

#[test]
fn who_answers_without_video_is_not_seen_before_they_say_so() {
    let world = World::new();
    world.run("a", &["register", "ada"]).with(0);
    world.run("b", &["contact", "add", "ada"]).with(0);
    world.run("b", &["register", "bob"]).with(0);
    let sound = ["--mic", "silence", "--speaker", "null"];
    let online = ["online", "--calls", "1", "--camera", "pattern"];
    let mut bob = world.silbo("b", &[&online[..], &sound].concat());
    bob.expect("registered");
    let call = ["call", "bob", "--video", "--camera", "pattern"];
    let mut ada = world.silbo("a", &[&call[..], &sound].concat());
    bob.expect("incoming");
    bob.tell(r#"{"do":"answer","camera":false}"#);
    bob.expect("first_picture");
    for _ in 0..2 {
        let stats = ada.expect("stats");
        assert!(stats["pictures_shown"].as_u64().unwrap_or_default() == 0, "{stats}");
    }
    // And is gone when they say so, as often as they do.
    for _ in 0..2 {
        bob.tell(r#"{"do":"camera","on":true}"#);
        ada.expect("first_picture");
        bob.tell(r#"{"do":"camera","on":false}"#);
        ada.expect("pictures_ended");
    }
    ada.expect("stats");
    let stats = ada.expect("stats");
    assert!(stats["width"].is_null(), "something is shown: {stats}");
    ada.tell(r#"{"do":"hangup"}"#);
    ada.end().with(0);
    bob.end().with(0);
}
