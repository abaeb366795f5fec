//! Commands beside the instance that owns their profile.

use crate::harness::{Silbo, World};
use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    os::unix::{fs::PermissionsExt, net::UnixStream},
    path::PathBuf,
    process::Command,
};

/// More than the owner serves at once.
const MANY: usize = 9;

fn socket(world: &World, profile: &str) -> PathBuf {
    world.path(profile).join("control.sock")
}

fn owner(world: &World) -> Silbo {
    let mut owner = world.silbo("a", &["online"]);
    owner.expect("online");
    owner
}

/// Sends one line and reads the whole answer.
fn ask(world: &World, line: &[u8]) -> String {
    let mut stream = UnixStream::connect(socket(world, "a")).unwrap();
    stream.write_all(line).unwrap();
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn names_are_looked_up_claimed_and_added_beside_the_owner() {
    let world = World::new();
    world.run("b", &["register", "bob"]).with(0);
    let owner = owner(&world);
    let found = world.run("a", &["lookup", "bob"]).with(0);
    assert_eq!(found.event("lookup")["claims"][0]["key"], world.key("b").as_str());
    world.run("a", &["lookup", "nobody"]).failed("no_such_name", 3);
    world.run("a", &["register", "bob"]).failed("name_taken", 6);
    assert_eq!(world.run("a", &["register", "ada"]).with(0).event("registered")["name"], "ada");
    assert_eq!(world.run("a", &["contact", "add", "bob"]).with(0).event("contact")["state"], "added");
    assert_eq!(world.run("a", &["contact", "add", "bob"]).with(0).event("contact")["state"], "known");
    world.run("a", &["contact", "add", "nobody"]).failed("no_such_name", 3);
    world.run("a", &["contact", "add", "ada"]).failed("yourself", 2);
    owner.terminate();
    assert!(!owner.end().with(0).has("error"), "what others ask does not fail here");
    assert!(!socket(&world, "a").exists());
    assert_eq!(world.run("a", &["contact", "list"]).with(0).event("contact")["name"], "bob");
}

#[test]
fn lists_are_read_and_changed_beside_the_owner() {
    let world = World::new();
    world.run("b", &["history"]).with(0);
    let (owner, bob) = (owner(&world), world.key("b"));
    assert_eq!(fs::metadata(socket(&world, "a")).unwrap().permissions().mode() & 0o777, 0o600);
    world.run("a", &["contact", "add", &bob]).with(0);
    let mut person = Command::new(env!("CARGO_BIN_EXE_silbo"));
    person.args(["--lab", "contact", "list", "--profile"]).arg(world.path("a"));
    let read = Silbo::spawn(&mut person).end().with(0);
    assert!(read.events[0].as_str().is_some_and(|line| line.ends_with(&bob)), "{read:?}");
    world.run("a", &["contact", "remove", &bob]).with(0);
    world.run("a", &["contact", "remove", &bob]).failed("no_such_contact", 3);
    assert!(!world.run("a", &["contact", "list"]).with(0).has("contact"));
    assert!(world.run("a", &["request", "list"]).with(0).events.is_empty());
    world.run("a", &["request", "decline", &bob]).failed("no_such_contact", 3);
    assert!(world.run("a", &["history"]).with(0).events.is_empty());
    drop(owner);
}

#[test]
fn a_contact_is_verified_by_a_number_that_both_see() {
    let world = World::new();
    world.run("b", &["history"]).with(0);
    let (owner, bob) = (owner(&world), world.key("b"));
    let ada = world.key("a");
    world.run("a", &["contact", "add", &bob]).with(0);
    world.run("b", &["contact", "add", &ada]).with(0);
    let seen = |profile: &str, who: &str, more: &[&str]| {
        let words = [&["contact", "verify", who], more].concat();
        world.run(profile, &words).with(0).event("safety").clone()
    };
    let ours = seen("a", &bob, &[]);
    assert_eq!(ours["number"], seen("b", &ada, &[])["number"]);
    assert_eq!((ours["number"].as_str().unwrap().len(), &ours["verified"]), (71, &false.into()));
    assert_eq!(seen("a", &bob, &["--matches"])["verified"], true);
    assert_eq!(world.run("a", &["contact", "list"]).with(0).event("contact")["verified"], true);
    assert_eq!(seen("a", &bob, &["--forget"])["verified"], false);
    world.run("a", &["contact", "verify", "nobody"]).failed("no_such_contact", 3);
    drop(owner);
}

#[test]
fn without_its_owner_a_profile_is_used_alone_again() {
    let world = World::new();
    drop(owner(&world));
    assert!(socket(&world, "a").exists(), "killed, it could not clean up");
    world.run("a", &["history"]).with(0);
    let next = owner(&world);
    world.run("a", &["history"]).with(0);
    drop(next);
}

#[test]
fn the_other_network_is_not_mixed_in() {
    let world = World::new();
    let owner = owner(&world);
    let mut real = Command::new(env!("CARGO_BIN_EXE_silbo"));
    real.args(["--json", "lookup", "bob", "--profile"]).arg(world.path("a"));
    Silbo::spawn(&mut real).end().failed("usage", 2);
    drop(owner);
}

#[test]
fn garbage_is_answered_and_harms_nobody() {
    let world = World::new();
    let owner = owner(&world);
    let long = vec![b'x'; 20_000];
    let lines: [&[u8]; 7] = [
        b"hello\n",
        b"\xff\xfe\n",
        b"{\"argv\":[\"dance\"]}\n",
        b"{\"argv\":[\"call\",\"echo\"]}\n",
        b"{\"argv\":[\"gui\",\"a\",\"b\"]}\n",
        b"{\"argv\":[\"--lab\",\"online\"]}\n",
        b"",
    ];
    for line in lines {
        let answer = ask(&world, line);
        assert!(answer.contains("err") && answer.ends_with("{\"exit\":2}\n"), "{line:?}: {answer}");
    }
    let mut stream = UnixStream::connect(socket(&world, "a")).unwrap();
    let _ = stream.write_all(&long);
    drop(stream);
    world.run("a", &["history"]).with(0);
    drop(owner);
}

#[test]
fn who_has_no_window_brings_none_up() {
    let world = World::new();
    let owner = owner(&world);
    for words in [&[][..], &["gui"], &["gui", "silbo:x"]] {
        world.run("a", words).failed("profile_locked", 7);
    }
    drop(owner);
}

#[test]
fn too_many_at_once_are_told_so() {
    let world = World::new();
    let owner = owner(&world);
    let mut waiting: Vec<_> = (0..MANY).map(|_| UnixStream::connect(socket(&world, "a")).unwrap()).collect();
    let mut line = String::new();
    BufReader::new(waiting.pop().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "{\"busy\":true}\n");
    world.run("a", &["history"]).failed("too_many_attached", 1);
    drop(waiting);
    drop(owner);
}
