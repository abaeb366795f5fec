//! That nothing comes from the other end, in virtual time.

use std::time::Duration;

use super::whole_call::{connect, end_of};
use super::world::{End, MS, Plan};
use crate::session::line::LineEvent;
use crate::session::{Reception, SessionEnd};

fn told(end: &End) -> Vec<(Duration, Reception)> {
    let told = end.log.iter().filter_map(|(at, event)| match event {
        LineEvent::Reception(reception) => Some((*at, *reception)),
        _ => None,
    });
    told.collect()
}

#[test]
fn silence_is_told_after_two_and_a_half_seconds_and_its_end_at_once() {
    let mut world = connect(Plan { speech: 20, ..Plan::default() });
    world.run_for(3000 * MS);
    // Too short to be worth a word.
    world.dark = true;
    world.run_for(2000 * MS);
    world.dark = false;
    world.run_for(2000 * MS);
    assert!(world.ends.iter().all(|end| told(end).is_empty()), "{:?}", told(&world.ends[0]));
    let gone = world.now - world.start;
    world.dark = true;
    world.run_for(6000 * MS);
    world.dark = false;
    let back = world.now - world.start;
    world.run_for(4000 * MS);
    for end in &world.ends {
        let told = told(end);
        let [(silent, Reception::Silence), (heard, Reception::Fine)] = told[..] else { panic!("{told:?}") };
        assert!((gone + 2400 * MS..gone + 2700 * MS).contains(&silent), "{gone:?} {silent:?}");
        assert!((back..back + 1500 * MS).contains(&heard), "{back:?} {heard:?}");
    }
}

#[test]
fn an_end_that_is_gone_is_told_to_be_silent_long_before_the_call_is_lost_and_never_again() {
    let mut world = connect(Plan { speech: 25, ..Plan::default() });
    world.run_for(2000 * MS);
    world.dark = true;
    world.run_for(20_000 * MS);
    for who in 0..2 {
        let told = told(&world.ends[who]);
        let [(silent, Reception::Silence)] = told[..] else { panic!("{told:?}") };
        let (lost, end) = end_of(&world, who).unwrap();
        assert!(
            matches!(end, SessionEnd::Lost) && lost > silent + 12_000 * MS,
            "{silent:?} {lost:?} {end:?}"
        );
        assert!(matches!(world.ends[who].log.last(), Some((_, LineEvent::Ended(_)))), "nothing follows");
    }
}

#[test]
fn an_end_that_hears_badly_or_says_nothing_is_not_silent() {
    let mut world = connect(Plan { speech: 1, loss: 0.3, jitter: 60 * MS, ..Plan::default() });
    world.run_for(30_000 * MS);
    for end in &world.ends {
        assert_eq!(told(end), []);
    }
}
