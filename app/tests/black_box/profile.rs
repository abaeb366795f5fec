//! The profile: owned by one, readable or not, damaged, and what is kept in it.

use crate::harness::World;
use std::{fs, process::Command};

#[test]
fn a_profile_in_use_is_locked() {
    let world = World::empty();
    let mut first = world.silbo("a", &["online"]);
    first.expect("role");
    let ended = world.run("a", &["online"]).failed("profile_locked", 7);
    assert!(ended.event("error")["message"].as_str().unwrap().contains("in use"));
    first.terminate();
    first.end().with(0);
    world.run("a", &["history"]).with(0);
}

#[test]
fn a_profile_that_is_no_folder_is_unreadable() {
    let world = World::empty();
    fs::write(world.path("a"), "a file").unwrap();
    world.run("a", &["history"]).failed("profile_unreadable", 7);
    assert_eq!(fs::read_to_string(world.path("a")).unwrap(), "a file");
}

#[test]
fn a_damaged_database_is_set_aside_and_the_key_stays() {
    let world = World::empty();
    world.run("a", &["history"]).with(0);
    let key = world.key("a");
    let database = world.path("a").join("silbo.db");
    let damaged = "damaged beyond repair, but nobody deletes it ".repeat(100);
    fs::write(&database, &damaged).unwrap();
    world.run("a", &["history"]).failed("database_damaged", 7);
    let aside = fs::read_dir(world.path("a")).unwrap().map(|entry| entry.unwrap().path());
    let aside: Vec<_> = aside.filter(|path| path.to_string_lossy().contains("silbo.db.damaged-")).collect();
    assert_eq!(fs::read_to_string(&aside[0]).unwrap(), damaged);
    world.run("a", &["history"]).with(0);
    assert_eq!(world.key("a"), key);
}

#[test]
fn a_damaged_key_is_reported_and_left_alone() {
    let world = World::empty();
    fs::create_dir(world.path("a")).unwrap();
    let key = world.path("a").join("identity.key");
    fs::write(&key, "not a key").unwrap();
    world.run("a", &["history"]).failed("profile_unreadable", 7);
    assert_eq!(fs::read_to_string(key).unwrap(), "not a key");
}

#[test]
fn the_key_is_said_to_be_unsealed_once() {
    let world = World::empty();
    assert!(world.run("a", &["history"]).stderr.contains("unsealed"));
    assert!(!world.run("a", &["history"]).stderr.contains("unsealed"));
}

#[test]
fn contacts_are_added_listed_and_removed_without_a_network() {
    let world = World::empty();
    world.run("b", &["history"]).with(0);
    let bob = world.key("b");
    world.run("a", &["contact", "add", &bob]).with(0);
    let listed = world.run("a", &["contact", "list"]).with(0);
    assert_eq!(listed.event("contact")["key"], bob.as_str());
    world.run("a", &["contact", "remove", &bob]).with(0);
    assert!(!world.run("a", &["contact", "list"]).with(0).has("contact"));
    world.run("a", &["contact", "remove", &bob]).failed("no_such_contact", 3);
    world.run("a", &["request", "accept", &bob]).failed("no_such_contact", 3);
    let own = world.key("a");
    world.run("a", &["contact", "add", &own]).failed("yourself", 2);
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
fn a_full_disk_is_told_and_what_was_there_stays() {
    let world = World::empty();
    world.run("one", &["history"]).with(0);
    world.run("other", &["history"]).with(0);
    let script = format!(
        "silbo() {{ \"$SILBO\" --lab --no-mdns --no-portmap --profile \"$DISK/p\" \"$@\" 2>&1 || echo status $?; }}
         silbo contact add {one}
         dd if=/dev/zero of=\"$DISK/filler\" bs=1k 2>/dev/null || echo full
         silbo contact add {other}
         rm \"$DISK/filler\"
         silbo contact list",
        one = world.key("one"),
        other = world.key("other"),
    );
    let Some(said) = on_a_small_disk(&world, &script) else { return };
    let (before, after) = said.split_once("full\n").unwrap();
    assert!(!before.contains("status"), "{said}");
    assert!(after.contains("status 7") && after.contains("that the disk is not full."), "{said}");
    let (told, listed) = after.split_once("status 7\n").unwrap();
    assert!(!told.contains("panicked") && listed.contains(&world.key("one")), "{said}");
}
