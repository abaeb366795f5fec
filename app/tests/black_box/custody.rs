//! Keeping a key: locked profiles.

use crate::harness::World;
use std::fs;

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
