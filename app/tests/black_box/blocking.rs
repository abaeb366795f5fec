//! Whoever is blocked is never heard from, and cannot tell.

use crate::harness::{Ended, Silbo, World};
use app::storage::{Contact, Storage};
use relay::UnixTime;

const SILENT: [&str; 4] = ["--mic", "silence", "--speaker", "null"];

/// Nobody of whom anything could be heard.
const HEARD: [&str; 4] = ["incoming", "request", "missed", "ended"];

fn named(world: &World, profile: &str, name: &str) {
    world.run(profile, &["register", name]).with(0);
}

fn online(world: &World, words: &[&str]) -> Silbo {
    let mut bob = world.silbo("b", &[&["online"], &SILENT[..], words].concat());
    bob.expect("registered");
    bob
}

fn call(world: &World, caller: &str) -> Ended {
    world.run(caller, &[&["call", "bob", "--ring-timeout", "5"], &SILENT[..]].concat())
}

fn heard_nothing(bob: &Ended) {
    assert!(HEARD.iter().all(|event| !bob.has(event)), "{bob:#?}");
}

#[test]
fn a_blocked_contact_does_not_ring_and_meets_what_a_stranger_meets() {
    let world = World::new();
    for (profile, name) in [("a", "ada"), ("b", "bob"), ("s", "sue")] {
        named(&world, profile, name);
    }
    world.run("b", &["contact", "add", "ada"]).with(0);
    let bob = online(&world, &[]);
    assert_eq!(world.run("b", &["contact", "block", "ada"]).with(0).event("contact")["state"], "blocked");

    let blocked = call(&world, "a").failed("no_reaction", 4);
    bob.terminate();
    heard_nothing(&bob.end().with(0));
    assert!(world.run("b", &["history"]).with(0).events.is_empty());

    let mut bob = online(&world, &[]);
    let stranger = call(&world, "s").failed("no_reaction", 4);
    assert_eq!(bob.expect("request")["name"], "sue", "others are heard from");
    let names = |ended: &Ended| -> Vec<String> {
        ended.events.iter().filter_map(|event| event["event"].as_str().map(str::to_owned)).collect()
    };
    assert_eq!(names(&blocked), names(&stranger), "they cannot tell that they are blocked");
    drop(bob);
}

#[test]
fn not_even_who_answers_everybody_answers_the_blocked() {
    let world = World::new();
    named(&world, "a", "ada");
    named(&world, "b", "bob");
    let ada = world.key("a");
    world.run("b", &["contact", "block", &ada]).with(0);
    let bob = online(&world, &["--auto-answer"]);
    call(&world, "a").failed("no_reaction", 4);
    bob.terminate();
    heard_nothing(&bob.end().with(0));
}

#[test]
fn nobody_is_called_or_added_who_is_blocked_until_they_are_unblocked() {
    let world = World::new();
    named(&world, "a", "ada");
    named(&world, "b", "bob");
    let (ada, link) = (world.key("a"), world.run("a", &["invite"]).with(0));
    let link = link.event("invite")["link"].as_str().unwrap();
    world.run("b", &["contact", "add", "ada"]).with(0);
    world.run("b", &["contact", "block", "ada"]).with(0);
    for words in [["call", "ada"], ["call", &ada], ["call", link]] {
        let ended = world.run("b", &[&words[..], &SILENT].concat()).failed("blocked", 6);
        assert!(ended.event("error")["message"].as_str().unwrap().contains("ada"), "{ended:#?}");
    }
    for who in ["ada", &ada, link] {
        world.run("b", &["contact", "add", who]).failed("blocked", 6);
    }
    assert_eq!(world.run("b", &["contact", "list"]).event("contact")["blocked"], true);
    world.run("b", &["contact", "unblock", "ada"]).with(0);
    assert_eq!(world.run("b", &["contact", "list"]).event("contact")["blocked"], false);
    world.run("b", &["contact", "unblock", "ada"]).failed("no_such_contact", 3);
    let ended = world.run("b", &[&["call", "ada"], &SILENT[..]].concat());
    assert_eq!(ended.event("error")["code"], "not_online");
}

#[test]
fn a_call_with_somebody_who_is_blocked_meanwhile_ends() {
    let world = World::new();
    named(&world, "a", "ada");
    named(&world, "b", "bob");
    let mut bob = online(&world, &["--auto-answer"]);
    let mut ada = world.silbo("a", &[&["call", "bob"], &SILENT[..]].concat());
    ada.expect("media_flowing");
    bob.expect("media_flowing");
    bob.tell(&format!(r#"{{"do":"block","key":"{}"}}"#, world.key("a")));
    assert_eq!(bob.expect("ended")["by"], "local");
    assert_eq!(ada.end().with(0).event("ended")["by"], "remote");
    bob.tell(&format!(r#"{{"do":"unblock","key":"{}"}}"#, world.key("a")));
    let unblocked = bob.expect("contact");
    assert_eq!((&unblocked["state"], &unblocked["key"]), (&"unblocked".into(), &world.key("a").into()));
}

#[test]
fn a_blocked_strangers_request_goes_and_comes_no_more() {
    let world = World::new();
    named(&world, "a", "ada");
    named(&world, "b", "bob");
    let mut bob = online(&world, &[]);
    call(&world, "a").failed("no_reaction", 4);
    bob.expect("request");
    assert_eq!(world.run("b", &["contact", "block", "ada"]).with(0).event("contact")["key"], world.key("a"));
    call(&world, "a").failed("no_reaction", 4);
    assert!(world.run("b", &["request", "list"]).with(0).events.is_empty());
    let listed = world.run("b", &["contact", "list"]).with(0);
    let listed = listed.event("contact");
    assert_eq!((&listed["blocked"], &listed["stranger"]), (&true.into(), &true.into()));
    drop(bob);
}

#[test]
fn word_left_by_somebody_blocked_is_not_read() {
    let world = World::new();
    for (profile, name) in [("a", "ada"), ("b", "bob"), ("s", "sue")] {
        named(&world, profile, name);
    }
    world.run("b", &["contact", "block", &world.key("a")]).with(0);
    let bob = online(&world, &[]);
    bob.terminate();
    bob.end().with(0);
    for caller in ["a", "s"] {
        let ended = call(&world, caller).failed("not_online", 4);
        let step = ended.event("error")["next_step"].as_str().unwrap();
        assert!(step.contains("They will see that you called"), "both are told alike: {step}");
    }
    let mut bob = world.silbo("b", &[&["online"], &SILENT[..]].concat());
    assert_eq!(bob.expect("request")["name"], "sue");
    bob.terminate();
    bob.end().with(0);
    let requests = world.run("b", &["request", "list"]).with(0);
    assert_eq!(requests.events.len(), 1, "{requests:#?}");
}

#[test]
fn who_is_blocked_is_told_nothing_of_our_presence_any_more() {
    let world = World::new();
    for (profile, name) in [("a", "ada"), ("b", "bob"), ("s", "sue")] {
        named(&world, profile, name);
    }
    for (profile, contact) in [("a", "bob"), ("s", "bob"), ("b", "ada"), ("b", "sue")] {
        world.run(profile, &["contact", "add", contact]).with(0);
    }
    let mut ada = world.silbo("a", &[&["online"], &SILENT[..]].concat());
    let mut sue = world.silbo("s", &[&["online"], &SILENT[..]].concat());
    let bob = online(&world, &[]);
    for contact in [&mut ada, &mut sue] {
        assert_eq!(contact.expect("presence")["here"], true);
    }
    world.run("b", &["contact", "block", "ada"]).with(0);
    assert_eq!(sue.expect("presence")["here"], true, "handed another secret, sue finds him by it");
    for process in [bob, ada, sue] {
        process.terminate();
        process.end().with(0);
    }
    let (old, new) = (contact(&world, "a", "bob").presence, contact(&world, "s", "bob").presence);
    assert!(old.is_some() && new.is_some() && old != new);
    assert_eq!((contact(&world, "b", "ada").told, contact(&world, "b", "sue").told), (None, new));
}

/// What a profile keeps of a contact.
fn contact(world: &World, profile: &str, name: &str) -> Contact {
    let storage = Storage::open(&world.path(profile), UnixTime::from_secs(1)).unwrap();
    storage.contacts().unwrap().into_iter().find(|contact| contact.name == name).unwrap()
}
