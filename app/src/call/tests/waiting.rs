//! Whoever waits is told so.

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn waits(end: &mut End) -> Vec<Waiting> {
    end.drain();
    let waiting = end.events.iter().filter_map(|event| match event {
        CallEvent::Waiting(waiting) => Some(*waiting),
        _ => None,
    });
    waiting.collect()
}

/// Lets time pass second by second.
fn wait(pair: &mut Pair, seconds: u32) {
    for _ in 0..seconds {
        pair.wait(SECOND);
    }
}

#[test]
fn a_caller_who_hears_nothing_is_told_so_every_few_seconds_until_it_is_given_up() {
    let mut pair = Pair::new();
    pair.ada_calls(1);
    pair.start_sessions();
    wait(&mut pair, 7);
    assert_eq!(waits(&mut pair.ada), []);
    wait(&mut pair, 37);
    assert_eq!(waits(&mut pair.ada), [Waiting::Reply; 5]);
    wait(&mut pair, 1);
    assert_eq!(pair.ada.ended().reason, Reason::NoReaction);
    wait(&mut pair, 20);
    assert_eq!(waits(&mut pair.ada).len(), 5, "nothing follows");
}

#[test]
fn while_it_rings_nobody_is_told_that_they_wait() {
    let mut pair = ringing();
    wait(&mut pair, 40);
    assert!(waits(&mut pair.ada).is_empty() && waits(&mut pair.bob).is_empty());
}

#[test]
fn both_are_told_that_no_path_is_found_yet() {
    let mut pair = ringing();
    wait(&mut pair, 30);
    pair.bob.line.answer(pair.now).unwrap();
    pair.deliver();
    wait(&mut pair, 7);
    assert!(waits(&mut pair.ada).is_empty() && waits(&mut pair.bob).is_empty());
    wait(&mut pair, 12);
    for end in [&mut pair.ada, &mut pair.bob] {
        assert_eq!(waits(end), [Waiting::Path; 2]);
    }
    pair.ada.line.handle_flowing(pair.now, CallId([1; 16]));
    wait(&mut pair, 20);
    assert_eq!(waits(&mut pair.ada).len(), 2);
}

#[test]
fn the_line_wakes_to_say_that_it_waits() {
    let mut pair = Pair::new();
    pair.ada_calls(1);
    let (at, why) = pair.ada.line.poll_timeout().unwrap();
    assert_eq!((at - pair.now.instant, why), (WAITING_EVERY, "still waiting"));
}
