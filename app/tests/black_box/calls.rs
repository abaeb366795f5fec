//! Whole calls between real processes.

use crate::harness::{Silbo, World};
use crate::sound::{loudest, loudest_in_the_end, write_tone};
use serde_json::Value;

const SILENT: [&str; 4] = ["--mic", "silence", "--speaker", "null"];

/// Bob is online under his name.
fn bob_is_online(world: &World, words: &[&str]) -> Silbo {
    world.run("b", &["register", "bob"]).with(0);
    let mut bob = world.silbo("b", &[&["online"], words].concat());
    bob.expect("registered");
    bob
}

/// Nothing on standard error but where a new key was put.
fn quiet(stderr: &str) -> bool {
    stderr.lines().all(|line| line.starts_with("A new key was made."))
}

fn ada_calls_bob(world: &World, words: &[&str]) -> Silbo {
    world.silbo("a", &[&["call", "bob"], words].concat())
}

#[test]
fn echo_works_without_any_network() {
    let world = World::empty();
    let words = ["call", "echo", "--duration", "4", "--mic", "tone:440", "--speaker", "file:echo.wav"];
    let ended = world.run("a", &words).with(0);
    for event in ["calling", "media_flowing", "stats"] {
        assert!(ended.has(event), "{event}: {ended:#?}");
    }
    assert_eq!(ended.event("ended")["reason"], "hung_up");
    assert!(loudest(&world.path("echo.wav")) > 0.05, "the own voice came back");
    let history = world.run("a", &["history"]).with(0);
    assert_eq!(history.event("history")["outcome"], "placed");
}

#[test]
fn a_call_by_name_connects_directly_and_both_hear_each_other() {
    let world = World::new();
    write_tone(&world.path("speech.wav"), 330.0, 2.0);
    let answering = ["--auto-answer", "--calls", "1", "--mic", "tone:440", "--speaker", "file:bob.wav"];
    let mut bob = bob_is_online(&world, &answering);
    let calling = ["--duration", "3", "--mic", "file:speech.wav", "--speaker", "file:ada.wav"];
    let ada = ada_calls_bob(&world, &calling).end().with(0);
    let ended = bob.expect("ended");
    assert_eq!((&ended["reason"], &ended["by"]), (&Value::from("hung_up"), &Value::from("remote")));
    let bob = bob.end().with(0);
    let order = ["calling", "answered", "media_flowing", "ended"];
    let places = order.map(|name| ada.events.iter().position(|event| event["event"] == name).unwrap());
    assert!(places.is_sorted(), "{:#?}", ada.events);
    assert_eq!(ada.event("path")["direct"], true);
    assert_eq!(ada.event("path")["protocol"], "udp");
    assert_eq!(ada.event("ended")["by"], "local");
    assert!(ada.event("ended")["duration_ms"].as_u64().unwrap() > 0);
    assert!(ada.events.iter().any(|event| event["speaker_t0_ms"].is_u64()), "{:#?}", ada.events);
    assert!(ada.events.iter().any(|event| event["mic_t0_ms"].is_u64()), "{:#?}", ada.events);
    let calls = |events: &[Value]| events.iter().find_map(|event| event["call"].as_str().map(str::to_owned));
    assert_eq!(calls(&ada.events), calls(&bob.events), "both name the call alike");
    assert_eq!(bob.event("incoming")["stranger"], true);
    assert!(bob.stderr.is_empty() && quiet(&ada.stderr), "nothing to say: {} {}", ada.stderr, bob.stderr);
    for file in ["ada.wav", "bob.wav"] {
        assert!(loudest(&world.path(file)) > 0.05, "{file} is silent");
    }
    assert!(world.run("a", &["contact", "list"]).has("contact"), "calling somebody adds them");
    assert_eq!(world.run("b", &["history"]).event("history")["outcome"], "received");
}

#[test]
fn whoever_is_turned_down_is_heard_no_more_at_once_and_in_the_next_call_too() {
    let world = World::new();
    let answering = ["--auto-answer", "--calls", "2", "--mic", "tone:440", "--speaker", "null"];
    let bob = bob_is_online(&world, &answering);
    let calling = |file| ["--duration", "4", "--mic", "silence", "--speaker", file];
    let mut ada = ada_calls_bob(&world, &calling("file:first.wav"));
    ada.expect("stats");
    ada.tell(&format!(r#"{{"do":"volume","key":"{}","percent":0}}"#, world.key("b")));
    ada.end().with(0);
    assert!(loudest(&world.path("first.wav")) > 0.05);
    assert!(loudest_in_the_end(&world.path("first.wav")) < 0.001);
    ada_calls_bob(&world, &calling("file:second.wav")).end().with(0);
    bob.end().with(0);
    assert!(loudest(&world.path("second.wav")) < 0.001);
}

#[test]
fn a_call_that_must_be_relayed_is_relayed() {
    let world = World::new();
    let answering = ["--auto-answer", "--calls", "1", "--mic", "tone:440", "--speaker", "null"];
    let bob = bob_is_online(&world, &answering);
    let calling = ["--path", "relay", "--duration", "2", "--mic", "silence", "--speaker", "file:ada.wav"];
    let ada = ada_calls_bob(&world, &calling).end().with(0);
    bob.end().with(0);
    assert_eq!(ada.event("path")["direct"], false);
    assert_eq!(ada.event("path")["local"], "relay");
    assert!(loudest(&world.path("ada.wav")) > 0.05);
}

#[test]
fn a_contact_rings_and_is_answered_by_a_person() {
    let world = World::new();
    world.run("a", &["register", "ada"]).with(0);
    world.run("b", &["contact", "add", "ada"]).with(0);
    let mut bob = bob_is_online(&world, &SILENT);
    let mut ada = ada_calls_bob(&world, &SILENT);
    let incoming = bob.expect("incoming");
    assert_eq!((&incoming["from"], &incoming["stranger"]), (&Value::from("ada"), &Value::from(false)));
    ada.expect("ringing");
    bob.tell(r#"{"do":"answer"}"#);
    ada.expect("media_flowing");
    bob.expect("media_flowing");
    bob.tell(r#"{"do":"mute"}"#);
    bob.tell(r#"{"do":"unmute"}"#);
    bob.tell(r#"{"do":"device"}"#);
    assert_eq!(bob.expect("error")["code"], "usage");
    bob.tell(r#"{"do":"device","mic":"device:nowhere"}"#);
    assert_eq!(bob.expect("error")["code"], "device");
    bob.tell(r#"{"do":"device","mic":"tone:440"}"#);
    bob.terminate();
    let bob = bob.end().with(0);
    assert_eq!(bob.event("ended")["by"], "local");
    let ada = ada.end().with(0);
    assert_eq!(ada.event("ended")["by"], "remote");
}

#[test]
fn each_end_is_told_that_the_other_is_muted_and_that_it_is_no_more() {
    let world = World::new();
    world.run("a", &["register", "ada"]).with(0);
    world.run("b", &["contact", "add", "ada"]).with(0);
    let mut bob = bob_is_online(&world, &SILENT);
    let mut ada = ada_calls_bob(&world, &SILENT);
    bob.expect("incoming");
    ada.expect("ringing");
    // Nobody is told of it while it rings.
    ada.tell(r#"{"do":"mute"}"#);
    bob.tell(r#"{"do":"answer"}"#);
    let answered = bob.expect_one_of(&["answered", "their_microphone"]);
    assert_eq!(answered["event"], "answered");
    assert_eq!(bob.expect("their_microphone")["muted"], true);
    for (word, muted) in [("mute", true), ("unmute", false), ("mute", true)] {
        bob.tell(&format!(r#"{{"do":"{word}"}}"#));
        assert_eq!(ada.expect("their_microphone")["muted"], muted);
    }
    ada.tell(r#"{"do":"unmute"}"#);
    assert_eq!(bob.expect("their_microphone")["muted"], false);
    bob.tell(r#"{"do":"hangup"}"#);
    ada.end().with(0);
    bob.terminate();
    bob.end().with(0);
}

#[test]
fn what_is_said_in_declining_reaches_whoever_called_and_is_kept() {
    let world = World::new();
    world.run("a", &["register", "ada"]).with(0);
    world.run("b", &["contact", "add", "ada"]).with(0);
    let mut bob = bob_is_online(&world, &SILENT);
    let ada = ada_calls_bob(&world, &SILENT);
    bob.expect("incoming");
    bob.tell(r#"{"do":"decline","reply":"two\nlines"}"#);
    assert_eq!(bob.expect("error")["code"], "usage");
    bob.tell(r#"{"do":"decline","reply":"I will call you back."}"#);
    let ada = ada.end().failed("declined", 4);
    assert_eq!(ada.event("ended")["reply"], "I will call you back.");
    assert!(ada.event("error")["message"].as_str().unwrap().contains("“I will call you back.”"));
    assert_eq!(bob.expect("ended")["reply"], Value::Null, "it is not the caller who said something");
    bob.terminate();
    bob.end().with(0);
    let history = world.run("a", &["history"]).with(0);
    assert_eq!(history.event("history")["reply"], "I will call you back.");
    assert_eq!(history.event("history")["outcome"], "declined");
    let history = world.run("b", &["history"]);
    assert_eq!(history.event("history")["reply"], Value::Null);
    assert_eq!(history.event("history")["outcome"], "refused");
}

#[test]
fn whoever_is_no_contact_is_told_nothing_in_declining_and_what_they_say_is_not_heard() {
    let world = World::new();
    world.run("a", &["register", "ada"]).with(0);
    for who_forgets in ["b", "a"] {
        world.run("b", &["contact", "add", "ada"]).with(0);
        let mut bob = bob_is_online(&world, &SILENT);
        let mut ada = world.silbo("a", &[&["online"], &SILENT[..]].concat());
        ada.expect("online");
        ada.tell(r#"{"do":"call","who":"bob"}"#);
        bob.expect("incoming");
        ada.expect("ringing");
        let other = if who_forgets == "a" { "bob" } else { "ada" };
        world.run(who_forgets, &["contact", "remove", other]).with(0);
        bob.tell(r#"{"do":"decline","reply":"buy my pills"}"#);
        let ended = ada.expect("ended");
        assert_eq!((&ended["reason"], &ended["reply"]), (&Value::from("declined"), &Value::Null));
        for silbo in [ada, bob] {
            silbo.terminate();
            silbo.end().with(0);
        }
    }
    let history = world.run("a", &["history"]).with(0);
    assert!(history.events.iter().all(|event| event["reply"] == Value::Null), "{:#?}", history.events);
}

#[test]
fn a_call_is_in_the_list_of_past_calls_though_the_program_was_killed_in_the_middle_of_it() {
    let world = World::new();
    world.run("a", &["register", "ada"]).with(0);
    let mut bob = bob_is_online(&world, &[&["--auto-answer"], &SILENT[..]].concat());
    let mut ada = ada_calls_bob(&world, &SILENT);
    for side in [&mut ada, &mut bob] {
        side.expect("media_flowing");
        side.expect("stats");
    }
    // Both at once, without a word.
    drop((ada, bob));
    for (profile, outcome) in [("a", "placed"), ("b", "received")] {
        let past = world.run(profile, &["history"]);
        let past = past.event("history");
        assert_eq!((&past["outcome"], past["duration_ms"].is_u64()), (&outcome.into(), true));
    }
}

#[test]
fn strangers_become_requests_and_never_ring() {
    let world = World::new();
    world.run("a", &["register", "ada"]).with(0);
    let mut bob = bob_is_online(&world, &SILENT);
    let ada = ada_calls_bob(&world, &[&["--ring-timeout", "10"], &SILENT[..]].concat());
    let request = bob.expect("request");
    assert_eq!((&request["state"], &request["name"]), (&Value::from("new"), &Value::from("ada")));
    let ada = ada.end().failed("no_reaction", 4);
    assert!(!ada.has("ringing"));
    let waiting = ada.event("waiting");
    assert_eq!(waiting["for"], "reply");
    assert!(!waiting["next_step"].as_str().unwrap().is_empty());
    bob.tell(&format!(r#"{{"do":"accept_request","key":"{}"}}"#, world.key("a")));
    assert_eq!(bob.expect("request")["state"], "accepted");

    let ada = ada_calls_bob(&world, &SILENT);
    bob.expect("incoming");
    bob.tell(r#"{"do":"decline"}"#);
    ada.end().failed("declined", 4);
    bob.terminate();
    let bob = bob.end().with(0);
    assert_eq!(bob.events.iter().filter(|event| event["event"] == "incoming").count(), 1);
}

#[test]
fn a_stranger_who_is_accepted_while_they_call_rings_at_once_and_is_answered() {
    let world = World::new();
    world.run("a", &["register", "ada"]).with(0);
    let mut bob = bob_is_online(&world, &SILENT);
    let mut ada = ada_calls_bob(&world, &SILENT);
    bob.expect("request");
    // Only now does ada know that nobody reacts.
    ada.expect("waiting");
    bob.tell(&format!(r#"{{"do":"accept_request","key":"{}"}}"#, world.key("a")));
    assert_eq!(bob.expect("incoming")["stranger"], false);
    ada.expect("ringing");
    bob.tell(r#"{"do":"answer"}"#);
    ada.expect("media_flowing");
    ada.tell(r#"{"do":"hangup"}"#);
    ada.end().with(0);
    assert_eq!(bob.expect("ended")["by"], "remote");
    bob.terminate();
    bob.end().with(0);
    let calls = world.run("b", &["history"]).with(0);
    assert_eq!(calls.events.iter().filter(|event| event["event"] == "history").count(), 1);
}

#[test]
fn a_stranger_who_is_accepted_too_late_is_among_the_missed_calls() {
    let world = World::new();
    world.run("a", &["register", "ada"]).with(0);
    let mut bob = bob_is_online(&world, &SILENT);
    let ada = ada_calls_bob(&world, &[&["--ring-timeout", "2"], &SILENT[..]].concat());
    bob.expect("request");
    ada.end().failed("no_reaction", 4);
    bob.tell(&format!(r#"{{"do":"accept_request","key":"{}"}}"#, world.key("a")));
    assert_eq!(bob.expect("request")["state"], "accepted");
    bob.terminate();
    assert!(!bob.end().with(0).has("incoming"));
    assert_eq!(world.run("b", &["history"]).event("history")["outcome"], "missed");
}

#[test]
fn who_was_away_sees_who_called_when_they_are_back_and_nothing_rings() {
    let world = World::new();
    world.run("a", &["register", "ada"]).with(0);
    world.run("c", &["register", "cleo"]).with(0);
    world.run("b", &["contact", "add", "ada"]).with(0);
    let bob = bob_is_online(&world, &SILENT);
    bob.terminate();
    bob.end().with(0);
    for caller in ["a", "c"] {
        let words = [&["call", "bob"], &SILENT[..]].concat();
        let ended = world.run(caller, &words).failed("not_online", 4);
        let step = ended.event("error")["next_step"].as_str().unwrap();
        assert!(step.contains("They will see that you called"), "{step}");
    }
    let mut bob = world.silbo("b", &[&["online"], &SILENT[..]].concat());
    // A contact missed, and a stranger's request: in whichever order.
    let (mut missed, mut asked) = (None, None);
    while missed.is_none() || asked.is_none() {
        let event = bob.expect_one_of(&["missed", "request"]);
        let place = if event["event"] == "missed" { &mut missed } else { &mut asked };
        *place = Some(event);
    }
    assert_eq!(missed.unwrap()["from"], "ada");
    let request = asked.unwrap();
    assert_eq!((&request["state"], &request["name"]), (&Value::from("new"), &Value::from("cleo")));
    bob.terminate();
    assert!(!bob.end().with(0).has("incoming"));
    assert_eq!(world.run("b", &["history"]).event("history")["outcome"], "missed");
    assert_eq!(world.run("b", &["request", "list"]).event("request")["name"], "cleo");
}

#[test]
fn contacts_of_each_other_see_who_is_there() {
    let world = World::new();
    for (profile, name) in [("a", "ada"), ("b", "bob")] {
        world.run(profile, &["register", name]).with(0);
    }
    world.run("a", &["contact", "add", "bob"]).with(0);
    world.run("b", &["contact", "add", "ada"]).with(0);
    let mut ada = world.silbo("a", &[&["online"], &SILENT[..]].concat());
    let bob = world.silbo("b", &[&["online"], &SILENT[..]].concat());
    let seen = ada.expect("presence");
    assert_eq!((&seen["name"], &seen["here"]), (&Value::from("bob"), &Value::from(true)));
    let listed = world.run("a", &["contact", "list"]);
    let listed = listed.event("contact");
    assert_eq!(listed["here"], true);
    assert!(listed["last_seen_ms"].as_u64().is_some());
    for process in [ada, bob] {
        process.terminate();
        process.end().with(0);
    }
}

#[test]
fn hanging_up_before_it_is_answered_cancels_the_call_on_both_sides() {
    let world = World::new();
    world.run("a", &["register", "ada"]).with(0);
    world.run("b", &["contact", "add", "ada"]).with(0);
    let mut bob = bob_is_online(&world, &SILENT);
    let mut ada = ada_calls_bob(&world, &SILENT);
    ada.expect("ringing");
    ada.terminate();
    let ada = ada.end().with(0);
    assert_eq!(ada.event("ended")["reason"], "cancelled");
    assert_eq!(bob.expect("ended")["reason"], "missed");
    bob.terminate();
    bob.end().with(0);
    assert_eq!(world.run("b", &["history"]).event("history")["outcome"], "missed");
}

#[test]
fn both_ends_of_a_call_have_the_same_words_to_read_aloud_and_other_ones_in_the_next() {
    let world = World::new();
    let mut bob = bob_is_online(&world, &["--auto-answer", "--mic", "silence", "--speaker", "null"]);
    let mut words = Vec::new();
    for _ in 0..2 {
        let mut ada = ada_calls_bob(&world, &["--mic", "silence", "--speaker", "null"]);
        ada.expect("media_flowing");
        bob.expect("media_flowing");
        for end in [&mut ada, &mut bob] {
            end.tell(r#"{"do":"words"}"#);
            words.push(end.expect("call_words")["words"].clone());
        }
        ada.tell(r#"{"do":"hangup"}"#);
        bob.expect("ended");
        ada.end();
    }
    assert_eq!(words[0].as_array().unwrap().len(), 4);
    assert!(words[0] == words[1] && words[2] == words[3] && words[1] != words[2], "{words:?}");
}
