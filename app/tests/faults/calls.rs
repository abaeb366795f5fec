//! People who cannot be talked to.

use crate::{
    harness::{Ended, Silbo, World},
    told::told_alike,
};
use app::reason::{Reason, Word};

const SILENT: [&str; 4] = ["--mic", "silence", "--speaker", "null"];

/// A network in which ada, bob and cleo have names, and bob knows both.
fn three_people() -> World {
    let world = World::new();
    for (profile, name) in [("a", "ada"), ("b", "bob"), ("c", "cleo")] {
        world.run(profile, &["register", name]).with(0);
    }
    for friend in ["ada", "cleo"] {
        world.run("b", &["contact", "add", friend]).with(0);
    }
    world
}

fn bob_is_online(world: &World) -> Silbo {
    let mut bob = world.silbo("b", &[&["online"], &SILENT[..]].concat());
    bob.expect("registered");
    bob
}

fn calls_bob(world: &World, caller: &str, words: &[&str]) -> Silbo {
    world.silbo(caller, &[&["call", "bob"], &SILENT[..], words].concat())
}

/// They talk, and hang up.
#[track_caller]
fn they_talk(world: &World, bob: &mut Silbo) {
    let mut ada = calls_bob(world, "a", &[]);
    bob.expect("incoming");
    bob.tell(r#"{"do":"answer"}"#);
    ada.expect("media_flowing");
    ada.tell(r#"{"do":"hangup"}"#);
    ada.end().with(0);
    bob.expect("ended");
}

fn stop(silbo: Silbo) -> Ended {
    silbo.terminate();
    silbo.end().with(0)
}

#[test]
fn who_is_not_there_says_no_or_does_not_pick_up_is_told_apart() {
    let world = three_people();
    let away = calls_bob(&world, "a", &[]).end().failed("not_online", 4);
    assert!(!away.has("ringing"));
    told_alike(
        away.event("error"),
        &Reason::NotOnline(Word::Left),
        ["They are not online.", "They will see that you called when they are back; or try again later."],
    );

    let mut bob = bob_is_online(&world);
    let ada = calls_bob(&world, "a", &[]);
    bob.expect("incoming");
    bob.tell(r#"{"do":"decline"}"#);
    let declined = ada.end().failed("declined", 4);
    assert_eq!(declined.event("ended")["by"], "remote");
    told_alike(
        declined.event("error"),
        &Reason::Declined(None),
        ["The call was declined.", "Try again later."],
    );
    bob.expect("ended");

    let rings = calls_bob(&world, "a", &["--ring-timeout", "2"]).end().failed("not_answered", 4);
    told_alike(
        rings.event("error"),
        &Reason::NotAnswered,
        ["It rang, but nobody answered.", "Try again later."],
    );
    bob.expect("ended");
    they_talk(&world, &mut bob);
    stop(bob);
}

#[test]
fn who_talks_already_is_busy_sees_who_called_and_can_be_called_afterwards() {
    let world = three_people();
    let mut bob = bob_is_online(&world);
    let mut cleo = calls_bob(&world, "c", &[]);
    bob.expect("incoming");
    bob.tell(r#"{"do":"answer"}"#);
    cleo.expect("media_flowing");
    let busy = calls_bob(&world, "a", &[]).end().failed("busy", 4);
    assert!(!busy.has("ringing"));
    told_alike(
        busy.event("error"),
        &Reason::Busy,
        ["They are in another call.", "Try again in a few minutes."],
    );
    assert_eq!(bob.expect("missed")["from"], "ada");

    // Nor can who talks call somebody else.
    cleo.tell(r#"{"do":"call","who":"ada"}"#);
    told_alike(
        &cleo.expect("error"),
        &Reason::AlreadyInCall,
        ["A call is already going on.", "Hang up first."],
    );
    cleo.tell(r#"{"do":"hangup"}"#);
    cleo.end();
    bob.expect("ended");
    they_talk(&world, &mut bob);
    stop(bob);
}

#[test]
fn who_is_blocked_hears_what_a_stranger_hears_and_is_heard_again_when_unblocked() {
    let world = three_people();
    let mut bob = bob_is_online(&world);
    world.run("b", &["contact", "block", "ada"]).with(0);
    let blocked = calls_bob(&world, "a", &["--ring-timeout", "3"]).end().failed("no_reaction", 4);
    told_alike(
        blocked.event("error"),
        &Reason::NoReaction,
        [
            "Nothing came back from the other side.",
            "They may be offline, or you may not be among their contacts yet: ask them to add you, or try later.",
        ],
    );
    let calls = format!(r#"{{"do":"call","who":"{}"}}"#, world.key("a"));
    bob.tell(&calls);
    told_alike(
        &bob.expect("error"),
        &Reason::Blocked("ada".into()),
        ["You have blocked ada.", "Unblock them first if you want to talk again."],
    );
    world.run("b", &["contact", "unblock", "ada"]).with(0);
    they_talk(&world, &mut bob);
    assert!(!stop(bob).has("request"));
}

#[test]
fn a_program_that_dies_in_mid_call_is_a_lost_connection_and_the_next_call_works() {
    let world = three_people();
    let mut bob = bob_is_online(&world);
    let mut ada = calls_bob(&world, "a", &[]);
    bob.expect("incoming");
    bob.tell(r#"{"do":"answer"}"#);
    ada.expect("media_flowing");
    bob.expect("media_flowing");
    drop(bob);
    assert_eq!(ada.expect("reception")["silent"], true, "said long before it is lost");
    let lost = ada.end().failed("connection_lost", 5);
    assert_eq!(lost.event("ended")["by"], "network", "nobody hung up");
    told_alike(
        lost.event("error"),
        &Reason::ConnectionLost,
        ["The connection was lost.", "It may be their network or yours. Call again in a moment."],
    );
    let mut bob = bob_is_online(&world);
    they_talk(&world, &mut bob);
    stop(bob);
}
