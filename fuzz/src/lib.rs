//! Finds a target by its name, and counts what it holds.

#[path = "../../lab/tests/hostile/counting.rs"]
mod counting;

use std::sync::Once;

use relay::fuzz::{PER_BYTE, Target};

/// What a process sets up once, whatever it reads, belongs to no input.
static SET_UP: Once = Once::new();

/// Gives `input` to the target of that name; panics when it panics or holds more than it may.
pub fn check(name: &str, input: &[u8]) {
    let target = named(name);
    SET_UP.call_once(|| (target.seeds)().iter().for_each(|seed| (target.check)(seed)));
    let most = counting::most_during(|| (target.check)(input));
    assert!(most <= target.memory + PER_BYTE * input.len(), "{name} holds {most} bytes for {}", input.len());
}

fn named(name: &str) -> &'static Target {
    let mut all = relay::fuzz::TARGETS
        .iter()
        .chain(overlay::fuzz::TARGETS)
        .chain(media::session::fuzz::TARGETS)
        .chain(media::video::fuzz::TARGETS)
        .chain(app::fuzz::TARGETS);
    all.find(|target| target.name == name).expect("a target of this name")
}
