//! Usernames: claimed, found, taken, pinned.

use crate::harness::{Ended, Silbo, World};
use app::storage::Storage;

#[test]
fn a_name_is_claimed_found_and_taken() {
    let world = World::new();
    let registered = world.run("b", &["register", "Bob"]).with(0);
    assert_eq!(registered.event("registered")["name"], "bob");
    assert_eq!(registered.event("registered")["state"], "held");
    let found = world.run("a", &["lookup", "bob"]).with(0);
    let claims = found.event("lookup")["claims"].as_array().unwrap();
    assert_eq!(claims.len(), 1);
    assert_eq!(claims[0]["key"], world.key("b").as_str());
    world.run("a", &["register", "bob"]).failed("name_taken", 6);
    world.run("b", &["register", "bob"]).with(0);
}

#[test]
fn who_calls_a_contact_hears_that_its_name_moved_to_another_key_and_it_stays_noted() {
    let mut world = World::new();
    world.run("bob", &["register", "bob"]).with(0);
    world.run("a", &["contact", "add", "bob"]).with(0);
    world.kill_supernode();
    world.start_supernode("other supernode");
    world.run("mallory", &["register", "bob"]).with(0);
    let (bob, mallory) = (world.key("bob"), world.key("mallory"));
    let mut ada = world.silbo("a", &["online", "--mic", "silence", "--speaker", "null"]);
    ada.expect("online");
    ada.tell(&format!(r#"{{"do":"call","who":"{bob}"}}"#));
    // That nobody is there is told, too.
    while ada.expect("error")["code"] != "key_changed" {}
    drop(ada);
    let noted = Storage::beside(&world.path("a")).unwrap().key_changes().unwrap();
    let noted: Vec<_> =
        noted.iter().map(|change| (change.pinned.to_string(), change.found.to_string())).collect();
    assert_eq!(noted, [(bob, mallory)]);
}

#[test]
fn an_invite_is_all_that_a_friend_needs_and_later_starts_remember_it() {
    let world = World::new();
    let mut bob = world.silbo("bob", &["online"]);
    bob.expect("online");
    // The running process learns which supernodes are worth naming within a second.
    let named = |invite: &Ended| invite.event("invite")["supernodes"] == 1;
    let mut invites = std::iter::repeat_with(|| world.run("bob", &["invite"]).with(0));
    let invite = invites.find(named).unwrap();
    let link = invite.event("invite")["link"].as_str().unwrap();

    let alone = |words: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_silbo"));
        command.args(["--lab", "--no-mdns", "--json", "--profile"]).arg(world.path("ada"));
        Silbo::spawn(command.args(words)).end()
    };
    let added = alone(&["contact", "add", link]).with(0);
    assert_eq!(added.event("contact")["key"], world.key("bob").as_str());
    alone(&["register", "ada"]).with(0);

    for (bad, code) in [(&link[..link.len() - 3], "bad_invite"), ("silbo:", "bad_invite")] {
        alone(&["contact", "add", bad]).failed(code, 2);
    }
    world.run("bob", &["contact", "add", link]).failed("yourself", 2);
}
