//! Names, keys and invites that do not lead to the one who is meant.

use crate::{
    harness::{Ended, World},
    told::told,
};
use app::reason::Reason;
use overlay::{InviteError, PublicKey};

#[test]
fn a_name_that_is_taken_or_looks_like_one_that_is_is_refused_and_another_is_had() {
    let world = World::new();
    world.run("b", &["register", "paul"]).with(0);
    told(
        world.run("a", &["register", "paul"]).failed("name_taken", 6).event("error"),
        &Reason::NameTaken("paul".into()),
        ["Somebody else holds the name \"paul\".", "Choose another name."],
        ["Somebody else holds the name “paul”.", "Choose another name."],
    );
    told(
        world.run("a", &["register", "pau1"]).failed("name_looks_taken", 6).event("error"),
        &Reason::NameLooksTaken { name: "pau1".into(), theirs: "paul".into() },
        ["Somebody else holds the name \"paul\", which looks like \"pau1\".", "Choose another name."],
        ["Somebody else holds the name “paul”, which looks like “pau1”.", "Choose another name."],
    );
    assert_eq!(world.run("a", &["register", "ada"]).with(0).event("registered")["name"], "ada");
}

#[test]
fn a_name_nobody_has_is_no_such_name_until_somebody_has_it() {
    let world = World::new();
    let call = |who: &str| world.run("a", &["call", who, "--mic", "silence", "--speaker", "null"]);
    let unknown = call("bob").failed("no_such_name", 3);
    told(
        unknown.event("error"),
        &Reason::NoSuchName("bob".into()),
        ["Nobody has claimed the name \"bob\".", "Check the spelling, or ask for the exact username."],
        ["Nobody has claimed the name “bob”.", "Check the spelling, or ask for the exact username."],
    );
    world.run("a", &["lookup", "bob"]).failed("no_such_name", 3);
    world.run("a", &["contact", "add", "bob"]).failed("no_such_name", 3);
    world.run("b", &["register", "bob"]).with(0);
    // They are known now, and no longer there.
    call("bob").failed("not_online", 4);
}

#[test]
fn a_name_that_moved_to_another_key_is_refused_and_the_contact_stays() {
    let mut world = World::new();
    world.run("bob", &["register", "bob"]).with(0);
    world.run("a", &["contact", "add", "bob"]).with(0);
    // Another network, where somebody else was first.
    world.kill_supernode();
    world.start_supernode("other supernode");
    world.run("mallory", &["register", "bob"]).with(0);
    let words = ["call", "bob", "--mic", "silence", "--speaker", "null"];
    let refused = world.run("a", &words).failed("key_changed", 6);
    assert!(!refused.has("ringing"));
    let fingerprint = |profile: &str| world.key(profile).parse::<PublicKey>().unwrap().fingerprint();
    let (pinned, found) = (fingerprint("bob"), fingerprint("mallory"));
    let moved = |open: &str, close: &str| {
        format!("{open}bob{close} now belongs to another key ({found}) than your contact ({pinned}).")
    };
    told(
        refused.event("error"),
        &Reason::KeyChanged { name: "bob".into(), pinned: pinned.clone(), found: found.clone() },
        [
            &moved("\"", "\""),
            "Ask them over another channel; only if they changed it, remove the contact and add it again.",
        ],
        [&moved("“", "”"), "Look at the contact: there you decide which key you trust."],
    );
    world.run("a", &["contact", "add", "bob"]).failed("key_changed", 6);
    let listed = world.run("a", &["contact", "list"]);
    assert_eq!(listed.event("contact")["key"], world.key("bob").as_str());
    // The advice, followed.
    world.run("a", &["contact", "remove", "bob"]).with(0);
    world.run("a", &["contact", "add", "bob"]).with(0);
    assert_eq!(world.run("a", &["contact", "list"]).event("contact")["key"], world.key("mallory").as_str());
}

#[test]
fn an_invite_that_was_cut_or_changed_or_is_none_says_which_and_a_good_one_is_taken() {
    let world = World::empty();
    let link = world.run("b", &["invite"]).with(0).event("invite")["link"].as_str().unwrap().to_owned();
    let add = |link: &str| -> Ended { world.run("a", &["contact", "add", link]) };
    let again = "Copy the link once more, all of it and nothing else.";
    told(
        add(&link[..link.len() - 3]).failed("bad_invite", 2).event("error"),
        &Reason::BadInvite(InviteError::Malformed),
        ["This invite is not complete, or a character of it is wrong.", again],
        [
            "This invite is not complete, or a character of it is wrong.",
            "Copy the link once more, all of it.",
        ],
    );
    told(
        add(&changed(&link)).failed("bad_invite", 2).event("error"),
        &Reason::BadInvite(InviteError::Signature),
        [
            "This invite was changed by somebody who did not make it.",
            "Ask for a new one, over another channel.",
        ],
        [
            "This invite was changed by somebody who did not make it.",
            "Ask your friend for a new one, over another channel.",
        ],
    );
    let long = format!("silbo:{}", "a".repeat(10_000));
    told(
        add(&long).failed("bad_invite", 2).event("error"),
        &Reason::BadInvite(InviteError::TooLong),
        ["This is longer than any invite.", again],
        ["This is longer than any invite.", "Copy the link once more, and nothing else."],
    );
    told(
        world.run("b", &["contact", "add", &link]).failed("yourself", 2).event("error"),
        &Reason::Yourself,
        ["That is you.", "Call `echo` to hear yourself."],
        ["That is you.", "Call Echo to hear yourself."],
    );
    assert_eq!(add(&link).with(0).event("contact")["key"], world.key("b").as_str());
}

/// The same invite, signed by another hand.
fn changed(link: &str) -> String {
    let bytes = link.strip_prefix("silbo:").unwrap();
    let mut bytes = data_encoding::BASE64URL_NOPAD.decode(bytes.as_bytes()).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    format!("silbo:{}", data_encoding::BASE64URL_NOPAD.encode(&bytes))
}
