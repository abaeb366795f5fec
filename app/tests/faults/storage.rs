//! Profiles, keys and files that do not serve.

use crate::{
    harness::{Ended, World},
    told::{told, told_alike},
};
use app::{
    engine::words::WordsError,
    reason::{Custody, Reason},
    storage::{Setting, Storage},
};
use relay::UnixTime;
use serde_json::Value;
use std::{fs, process::Command};

/// A world with files of passphrases, `right` and `wrong`, and a profile that has begun.
fn world() -> World {
    let world = World::empty();
    for (name, text) in [("right", "five words that nobody guesses"), ("wrong", "another five words of mine")]
    {
        fs::write(world.path(name), format!("{text}\n")).unwrap();
    }
    world.run("a", &["history"]).with(0);
    world
}

#[test]
fn a_profile_in_use_is_locked_until_the_other_program_ends() {
    let world = world();
    let mut first = world.silbo("a", &["online"]);
    first.expect("role");
    let message = format!("The profile {} is in use by another Silbo.", world.path("a").display());
    told(
        world.run("a", &["online"]).failed("profile_locked", 7).event("error"),
        &Reason::ProfileLocked(world.path("a").display().to_string()),
        [&message, "Close the other one, or choose another profile with --profile."],
        [&message, "Close the other one, or choose another profile."],
    );
    first.terminate();
    first.end().with(0);
    let mut second = world.silbo("a", &["online"]);
    second.expect("role");
}

#[test]
fn a_folder_that_is_a_file_is_named_and_left_alone() {
    let world = world();
    fs::write(world.path("b"), "a file").unwrap();
    let ended = world.run("b", &["history"]).failed("profile_unreadable", 7);
    let (path, why) = (world.path("b").display().to_string(), "it is a file, not a folder".to_owned());
    let message = format!("The profile {path} cannot be used: {why}.");
    told_alike(
        ended.event("error"),
        &Reason::ProfileUnreadable { path, why },
        [&message, "Check that the folder exists, belongs to you and that the disk is not full."],
    );
    assert_eq!(fs::read_to_string(world.path("b")).unwrap(), "a file");
    fs::remove_file(world.path("b")).unwrap();
    world.run("b", &["history"]).with(0);
}

#[test]
fn a_damaged_database_is_set_aside_and_the_key_stays() {
    let world = world();
    let key = world.key("a");
    let damaged = "damaged beyond repair, but nobody deletes it ".repeat(100);
    fs::write(world.path("a").join("silbo.db"), &damaged).unwrap();
    let ended = world.run("a", &["history"]).failed("database_damaged", 7);
    let aside = fs::read_dir(world.path("a")).unwrap().map(|entry| entry.unwrap().path());
    let aside: Vec<_> = aside.filter(|path| path.to_string_lossy().contains("silbo.db.damaged-")).collect();
    assert_eq!(fs::read_to_string(&aside[0]).unwrap(), damaged);
    let moved_to = aside[0].display().to_string();
    let message =
        format!("The profile's database is damaged; it was set aside as {moved_to}, nothing was deleted.");
    told(
        ended.event("error"),
        &Reason::DatabaseDamaged { moved_to },
        [
            &message,
            "Start again to go on with an empty database (your key is kept), or put a backup in its place.",
        ],
        [&message, "Go on with an empty database (your key is kept), or put a backup in its place."],
    );
    world.run("a", &["history"]).with(0);
    assert_eq!(world.key("a"), key);
}

#[test]
fn settings_that_make_no_sense_count_as_none_and_nothing_else_is_lost() {
    let world = World::new();
    world.run("a", &["register", "ada"]).with(0);
    let mut storage = Storage::open(&world.path("a"), UnixTime::from_secs(1)).unwrap();
    for setting in [
        Setting::OverlayCache,
        Setting::Invites,
        Setting::PresenceSecret,
        Setting::Helping,
        Setting::Microphone,
        Setting::Loudspeaker,
        Setting::Appearance,
        Setting::Language,
        Setting::Notifications,
        Setting::OnClose,
        Setting::MuteKey,
        Setting::Past,
    ] {
        storage.set(setting, b"\xff{ nonsense").unwrap();
    }
    drop(storage);
    let mut ada = world.silbo("a", &["online"]);
    assert_eq!(ada.expect("registered")["name"], "ada");
    ada.terminate();
    assert!(!ada.end().with(0).has("error"), "nobody is asked to do anything about it");
}

#[test]
fn a_damaged_key_is_reported_and_left_alone() {
    let world = world();
    let path = world.path("a").join("identity.key");
    let whole = fs::read(&path).unwrap();
    fs::write(&path, "not a key").unwrap();
    let ended = world.run("a", &["history"]).failed("unreadable", 7);
    let why = "it is not what it should be, or damaged".to_owned();
    let message = format!("{} cannot be read: {why}.", path.display());
    told_alike(
        ended.event("error"),
        &Reason::Custody(Custody::Unreadable { path: path.display().to_string(), why }),
        [&message, "Use another copy of the file."],
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), "not a key");
    fs::write(&path, whole).unwrap();
    world.run("a", &["history"]).with(0);
}

#[test]
fn a_wrong_passphrase_opens_nothing_and_the_right_one_still_does() {
    let world = world();
    let history = |phrase: &[&str]| world.run("a", &[&["history"], phrase].concat());
    history(&["--passphrase-file", "right"]).with(0);
    let message = format!("The profile {} is locked with a passphrase.", world.path("a").display());
    told(
        history(&[]).failed("profile_sealed", 7).event("error"),
        &Reason::Custody(Custody::Sealed(world.path("a").display().to_string())),
        [&message, "Give the passphrase: its file with --passphrase-file FILE, or in SILBO_PASSPHRASE_FILE."],
        [&message, "Start Silbo with the passphrase."],
    );
    let key = world.path("a").join("identity.key").display().to_string();
    let message = format!("{key} does not open with this passphrase, or was altered.");
    told_alike(
        history(&["--passphrase-file", "wrong"]).failed("wrong_passphrase", 7).event("error"),
        &Reason::Custody(Custody::WrongPassphrase(key)),
        [
            &message,
            "Try the passphrase it was sealed with; if that is the one, use another copy of the file.",
        ],
    );
    history(&["--passphrase-file", "right"]).with(0);
}

/// Runs a command with words on its standard input.
fn with_words(world: &World, profile: &str, typed: &str) -> Ended {
    let mut silbo = world.silbo(profile, &["import", "--words"]);
    silbo.tell(typed);
    silbo.close_input();
    silbo.end()
}

#[test]
fn wrong_recovery_words_say_how_they_are_wrong_and_the_right_ones_bring_one_back() {
    let world = world();
    let shown = world.run("a", &["words"]).with(0);
    let words: Vec<&str> =
        shown.event("words")["words"].as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
    let compare = "Compare them with what you wrote down.";
    let mut misspelt = words.clone();
    misspelt[6] = "silbo";
    let mut swapped = words.clone();
    let other = (1..24).find(|n| words[*n] != words[0]).unwrap();
    swapped.swap(0, other);
    for (typed, why, line, window) in [
        (
            words[..23].join(" "),
            WordsError::Number(23),
            "The recovery words do not serve: there are 24 words, and these are 23.",
            ["There are 24 recovery words, and these are 23.", compare],
        ),
        (
            misspelt.join(" "),
            WordsError::Unknown(vec![7]),
            "The recovery words do not serve: word 7 is not in the list of words.",
            [
                "These are not in the list of words: 7.",
                "Look at how they are spelt where you wrote them down.",
            ],
        ),
        (
            swapped.join(" "),
            WordsError::Checksum,
            "The recovery words do not serve: each word is in the list, but one of them is another than it was, or they stand in another order.",
            [
                "Each word is in the list, but one of them is another than it was, or they stand in another order.",
                compare,
            ],
        ),
    ] {
        let ended = with_words(&world, "b", &typed).failed("wrong_words", 1);
        told(ended.event("error"), &Reason::Custody(Custody::Words(why)), [line, compare], window);
        assert!(!world.path("b").join("identity.key").exists());
    }
    with_words(&world, "b", &words.join(" ")).with(0);
    assert_eq!(world.key("a"), world.key("b"));
}

#[test]
fn a_damaged_backup_changes_nothing_and_another_copy_serves() {
    let world = world();
    let with = ["--passphrase-file", "right"];
    world.run("a", &[&["export", "file"], &with[..]].concat()).with(0);
    let whole = fs::read(world.path("file")).unwrap();
    let import = || world.run("b", &[&["import", "file"], &with[..]].concat());

    fs::write(world.path("file"), &whole[..12]).unwrap();
    let why = "it is not what it should be, or damaged".to_owned();
    let message = format!("file cannot be read: {why}.");
    told_alike(
        import().failed("unreadable", 7).event("error"),
        &Reason::Custody(Custody::Unreadable { path: "file".into(), why }),
        [&message, "Use another copy of the file."],
    );
    // One bit: it cannot be told from a wrong passphrase, and both are said.
    let mut altered = whole.clone();
    *altered.last_mut().unwrap() ^= 1;
    fs::write(world.path("file"), altered).unwrap();
    told_alike(
        import().failed("wrong_passphrase", 7).event("error"),
        &Reason::Custody(Custody::WrongPassphrase("file".into())),
        [
            "file does not open with this passphrase, or was altered.",
            "Try the passphrase it was sealed with; if that is the one, use another copy of the file.",
        ],
    );
    assert!(!world.path("b").join("identity.key").exists());
    fs::write(world.path("file"), whole).unwrap();
    assert_eq!(import().with(0).event("imported")["key"], world.key("a"));
}

/// Runs a shell script with `$DISK` a disk of two megabytes and `$SILBO` the program; none: this system lends nobody a disk.
fn on_a_small_disk(world: &World, script: &str) -> Option<String> {
    let unshare = || {
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--mount", "sh", "-euc"]);
        command
    };
    if !unshare().arg("true").status().is_ok_and(|status| status.success()) {
        eprintln!("NOT RUN: this system has no namespaces for people");
        return None;
    }
    let disk = world.path("disk");
    fs::create_dir(&disk).unwrap();
    let output = unshare()
        .arg(format!("mount -t tmpfs -o size=2m silbo \"$DISK\"; {script}"))
        .env("DISK", disk)
        .env("SILBO", env!("CARGO_BIN_EXE_silbo"))
        .output()
        .unwrap();
    Some(String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap())
}

#[test]
fn a_full_disk_is_told_what_was_there_stays_and_with_room_it_goes_on() {
    let world = world();
    world.run("one", &["history"]).with(0);
    world.run("other", &["history"]).with(0);
    let script = format!(
        "silbo() {{
            at=\"$DISK/$1\"; shift
            \"$SILBO\" --json --lab --no-mdns --no-portmap --profile \"$at\" \"$@\" || echo '\"failed\"'
         }}
         silbo p contact add {one}
         dd if=/dev/zero of=\"$DISK/filler\" bs=1k 2>/dev/null || echo '\"full\"'
         silbo p contact add {other}
         silbo q history
         rm \"$DISK/filler\"
         echo '\"room\"'
         silbo p contact add {other}
         silbo p contact list",
        one = world.key("one"),
        other = world.key("other"),
    );
    let Some(said) = on_a_small_disk(&world, &script) else { return };
    let (before, after) = said.split_once("\"full\"\n").unwrap();
    let (full, room) = after.split_once("\"room\"\n").unwrap();
    assert!(!before.contains("failed") && full.contains("failed"), "{said}");
    let events = full.lines().filter_map(|line| serde_json::from_str(line).ok());
    let errors: Vec<Value> = events.filter(|event: &Value| event.is_object()).collect();
    assert_eq!(errors.len(), 2, "of who was there, and of who would begin: {said}");
    for error in &errors {
        told_alike(
            error,
            &Reason::DiskFull,
            [
                "The disk is full, so that nothing new can be kept.",
                "Make room on the disk, then do it once more.",
            ],
        );
    }
    assert!(!room.contains("failed") && !said.contains("panicked"), "{said}");
    assert!(room.contains(&world.key("one")) && room.contains(&world.key("other")), "{said}");
}
