//! Keeping who we are: locked profiles, backups and recovery words.

use crate::harness::{Ended, Silbo, World};
use serde_json::Value;
use std::{fs, process::Command};

const PHRASE: &str = "five words that nobody guesses";
const OTHER: &str = "another five words of mine";

/// A world with files of passphrases: `right`, `wrong` and `weak`.
fn world() -> World {
    let world = World::empty();
    for (name, text) in [("right", PHRASE), ("wrong", OTHER), ("weak", "secret")] {
        fs::write(world.path(name), format!("{text}\n")).unwrap();
    }
    world
}

fn sealed(world: &World, profile: &str) -> bool {
    world.run(profile, &["lock", "--state"]).with(0).event("lock")["sealed"] == true
}

#[test]
fn a_profile_started_with_a_passphrase_is_locked_from_then_on() {
    let world = world();
    world.run("a", &["history"]).with(0);
    let key = world.key("a");
    assert!(!sealed(&world, "a"));
    let ended = world.run("a", &["history", "--passphrase-file", "right"]).with(0);
    assert!(ended.stderr.contains("sealed with your passphrase"), "{}", ended.stderr);
    assert!(sealed(&world, "a"));
    let ended = world.run("a", &["history"]).failed("profile_sealed", 7);
    assert!(ended.event("error")["next_step"].as_str().unwrap().contains("--passphrase-file"));
    world.run("a", &["history", "--passphrase-file", "wrong"]).failed("wrong_passphrase", 7);
    world.run("a", &["history", "--passphrase-file", "missing"]).failed("passphrase_file", 2);
    let again = world.run("a", &["history", "--passphrase-file", "right"]).with(0);
    assert!(again.stderr.is_empty(), "said once: {}", again.stderr);
    world.run("a", &["lock", "--off", "--passphrase-file", "right"]).with(0);
    world.run("a", &["history"]).with(0);
    assert_eq!(world.key("a"), key);
}

#[test]
fn a_weak_passphrase_seals_nothing() {
    let world = world();
    world.run("a", &["history"]).with(0);
    world.run("a", &["history", "--passphrase-file", "weak"]).failed("passphrase", 2);
    world.run("a", &["lock", "--passphrase-file", "weak"]).failed("passphrase", 2);
    assert!(!sealed(&world, "a"));
    world.run("b", &["history", "--passphrase-file", "weak"]).failed("passphrase", 2);
    assert!(!world.path("b").join("identity.key").exists());
}

#[test]
fn a_passphrase_is_set_changed_and_taken_away() {
    let world = world();
    world.run("a", &["lock", "--passphrase-file", "right"]).failed("no_profile", 7);
    world.run("a", &["history"]).with(0);
    world.run("a", &["lock"]).failed("no_passphrase", 2);
    for _ in 0..2 {
        let told = world.run("a", &["lock", "--passphrase-file", "right"]).with(0);
        assert_eq!(told.event("lock")["sealed"], true);
    }
    world.run("a", &["lock", "--off", "--passphrase-file", "wrong"]).failed("wrong_passphrase", 7);
    world.run("a", &["lock", "--change", "wrong", "--passphrase-file", "right"]).with(0);
    world.run("a", &["history", "--passphrase-file", "right"]).failed("wrong_passphrase", 7);
    let mut owner = world.silbo("a", &["online", "--passphrase-file", "wrong"]);
    owner.expect("role");
    world.run("a", &["history"]).with(0);
    world.run("a", &["lock", "--off", "--passphrase-file", "wrong"]).failed("profile_locked", 7);
    owner.terminate();
    owner.end().with(0);
    world.run("a", &["lock", "--off", "--passphrase-file", "wrong"]).with(0);
    world.run("a", &["history"]).with(0);
}

#[test]
fn a_sealed_key_that_is_damaged_is_reported_and_left_alone() {
    let world = world();
    world.run("a", &["history", "--passphrase-file", "right"]).with(0);
    let path = world.path("a").join("identity.key");
    let whole = fs::read(&path).unwrap();
    let mut costly = whole.clone();
    costly[14..18].fill(0xff);
    for damaged in [&whole[..40], &costly] {
        fs::write(&path, damaged).unwrap();
        world.run("a", &["history", "--passphrase-file", "right"]).failed("unreadable", 7);
        assert_eq!(fs::read(&path).unwrap(), damaged);
    }
}

/// A profile with something in it: a name, a contact and a past call.
fn lived_in(world: &World, profile: &str) {
    world.run("friend", &["history"]).with(0);
    world.run(profile, &["contact", "add", &world.key("friend")]).with(0);
    let echo = ["call", "echo", "--duration", "1", "--mic", "silence", "--speaker", "null"];
    world.run(profile, &echo).with(0);
}

fn listed(world: &World, profile: &str, more: &[&str]) -> [Vec<Value>; 2] {
    ["contact list", "history"].map(|words| {
        let words: Vec<&str> = words.split(' ').chain(more.iter().copied()).collect();
        let mut events = world.run(profile, &words).with(0).events;
        for event in &mut events {
            let event = event.as_object_mut().unwrap();
            event.remove("t_ms");
            event.remove("unix_ms");
        }
        events
    })
}

#[test]
fn a_whole_profile_moves_to_another_computer_in_a_sealed_file() {
    let world = world();
    lived_in(&world, "a");
    let with = ["--passphrase-file", "right"];
    let exported = world.run("a", &[&["export", "file"], &with[..]].concat()).with(0);
    let exported = exported.event("exported");
    assert_eq!((&exported["contacts"], &exported["calls"]), (&1.into(), &1.into()));
    assert!(!sealed(&world, "a"), "the passphrase was for the file");
    let friend = world.key("friend");
    let bytes = fs::read(world.path("file")).unwrap();
    assert!(!bytes.windows(8).any(|bytes| bytes == &friend.as_bytes()[..8]), "nothing stands in clear");

    let imported = world.run("b", &[&["import", "file"], &with[..]].concat()).with(0);
    let imported = imported.event("imported");
    assert_eq!((&imported["sealed"], &imported["contacts"]), (&true.into(), &1.into()));
    assert_eq!(listed(&world, "a", &[]), listed(&world, "b", &with));
    assert!(listed(&world, "b", &with).iter().all(|list| list.len() == 1));
    world.run("b", &[&["lock", "--off"], &with[..]].concat()).with(0);
    assert_eq!(world.key("a"), world.key("b"));
}

#[test]
fn an_export_is_made_beside_the_owner_of_the_profile() {
    let world = world();
    lived_in(&world, "a");
    let mut owner = world.silbo("a", &["online"]);
    owner.expect("role");
    let with = ["--passphrase-file", "right"];
    world.run("a", &[&["export", "file"], &with[..]].concat()).with(0);
    let beside = world.run("a", &[&["import", "file"], &with[..]].concat()).failed("profile_locked", 7);
    assert!(!beside.has("imported"));
    drop(owner);
    assert_eq!(world.run("b", &[&["import", "file"], &with[..]].concat()).event("imported")["calls"], 1);
}

#[test]
fn a_sealed_profile_exports_with_its_own_passphrase() {
    let world = world();
    world.run("a", &["history", "--passphrase-file", "right"]).with(0);
    world.run("a", &["export", "file"]).failed("no_passphrase", 2);
    world.run("a", &["export", "file", "--passphrase-file", "wrong"]).failed("wrong_passphrase", 7);
    assert!(!world.path("file").exists());
    world.run("a", &["export", "file", "--passphrase-file", "right"]).with(0);
    world.run("b", &["import", "file", "--passphrase-file", "right"]).with(0);
}

#[test]
fn neither_a_file_nor_a_profile_is_overwritten() {
    let world = world();
    world.run("a", &["history"]).with(0);
    let key = world.key("a");
    fs::write(world.path("file"), "holiday pictures").unwrap();
    let export = ["export", "file", "--passphrase-file", "right"];
    world.run("a", &export).failed("file_exists", 6);
    assert_eq!(fs::read_to_string(world.path("file")).unwrap(), "holiday pictures");
    world.run("a", &[&export[..], &["--force"]].concat()).with(0);
    world.run("b", &["history"]).with(0);
    let import = ["import", "file", "--passphrase-file", "right"];
    world.run("b", &import).failed("profile_not_empty", 6);
    assert_ne!(world.key("b"), key);
    world.run("c", &import).with(0);
}

#[test]
fn what_cannot_be_exported_or_imported_says_why_and_changes_nothing() {
    let world = world();
    let export = |more: &[&str]| world.run("a", &[&["export", "file"], more].concat());
    export(&["--passphrase-file", "right"]).failed("no_profile", 7);
    world.run("a", &["history"]).with(0);
    export(&[]).failed("no_passphrase", 2);
    export(&["--passphrase-file", "weak"]).failed("passphrase", 2);
    assert!(!world.path("file").exists());
    export(&["--passphrase-file", "right"]).with(0);
    let whole = fs::read(world.path("file")).unwrap();
    let import = |phrase: &str| world.run("b", &["import", "file", "--passphrase-file", phrase]);
    import("wrong").failed("wrong_passphrase", 7);
    for cut in [0, 12, 40, whole.len() - 1] {
        fs::write(world.path("file"), &whole[..cut]).unwrap();
        let ended = import("right").with(7);
        assert!(["unreadable", "wrong_passphrase"].contains(&ended.event("error")["code"].as_str().unwrap()));
    }
    let mut costly = whole.clone();
    costly[14..18].fill(0xff);
    fs::write(world.path("file"), costly).unwrap();
    import("right").failed("unreadable", 7);
    world.run("b", &["import", "nowhere", "--passphrase-file", "right"]).failed("file", 1);
    assert!(!world.path("b").join("identity.key").exists());
}

/// Runs a command with words on its standard input.
fn with_words(world: &World, profile: &str, words: &[&str], typed: &str) -> Ended {
    let mut silbo = world.silbo(profile, words);
    silbo.tell(typed);
    silbo.close_input();
    silbo.end()
}

#[test]
fn an_identity_comes_back_from_its_recovery_words() {
    let world = world();
    world.run("a", &["words"]).failed("no_profile", 7);
    world.run("a", &["history"]).with(0);
    let shown = world.run("a", &["words"]).with(0);
    let words: Vec<&str> =
        shown.event("words")["words"].as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
    assert_eq!(words.len(), 24);
    let line = words.join(" ");
    assert!(with_words(&world, "a", &["words", "--check"], &line).with(0).has("words_right"));

    let imported = with_words(&world, "b", &["import", "--words"], &line).with(0);
    assert_eq!(imported.event("imported")["key"], world.key("a"));
    assert_eq!(world.key("a"), world.key("b"));
    let with = ["import", "--words", "--passphrase-file", "right"];
    with_words(&world, "c", &with, &words.join("\n")).with(0);
    assert!(sealed(&world, "c"));
    world.run("c", &["words"]).failed("no_passphrase", 2);
    let again = world.run("c", &["words", "--passphrase-file", "right"]).with(0);
    assert_eq!(again.event("words")["words"], shown.event("words")["words"]);

    world.run("d", &["history"]).with(0);
    with_words(&world, "d", &["import", "--words"], &line).failed("profile_not_empty", 6);
    with_words(&world, "d", &["words", "--check"], &line).failed("wrong_words", 1);
}

#[test]
fn a_person_reads_numbered_words_and_can_type_them_as_they_stand() {
    let world = world();
    world.run("a", &["history"]).with(0);
    let mut person = Command::new(env!("CARGO_BIN_EXE_silbo"));
    let shown = Silbo::spawn(person.args(["words", "--profile"]).arg(world.path("a"))).end().with(0);
    let rows: Vec<&str> = shown.events.iter().take(6).map(|line| line.as_str().unwrap()).collect();
    assert!(rows[5].contains("24. "), "{rows:?}");
    with_words(&world, "b", &["import", "--words"], &rows.join("\n")).with(0);
    assert_eq!(world.key("a"), world.key("b"));
}

/// Nobody could type a passphrase at a window that cannot be opened; nothing waits for them.
#[cfg(feature = "ui")]
#[test]
fn a_locked_profile_without_a_screen_says_what_is_missing_and_ends() {
    let world = world();
    world.run("a", &["history", "--passphrase-file", "right"]).with(0);
    let mut window = world.command("a", &["gui"]);
    window.env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY").env_remove("WAYLAND_SOCKET");
    Silbo::spawn(&mut window).end().failed("window", 1);
    assert!(sealed(&world, "a"));
    world.run("a", &["history", "--passphrase-file", "right"]).with(0);
}
