//! The profile, and what is kept in it.

use crate::harness::World;

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
