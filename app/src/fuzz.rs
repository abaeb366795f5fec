//! What a fuzzer calls: the signals of a call and notes beside it, which come out of sealed envelopes and over the control channel. How it
//! is run is told in [`relay::fuzz`].

use crate::{
    call::message::{Body, CallId, HangUp, Signal},
    note::Note,
};
use overlay::PresenceSecret;
use relay::fuzz::{SMALL, Target};

/// The targets of this crate.
pub const TARGETS: &[Target] = &[
    Target { name: "signal", check: signal, seeds: signals, memory: SMALL },
    Target { name: "note", check: note, seeds: notes, memory: SMALL },
];

fn note(input: &[u8]) {
    let Some(Ok(read)) = Note::decode(input) else { return };
    let written = read.encode();
    assert!(written.len() <= input.len(), "the shortest encoding is not longer than another");
    assert_eq!(Note::decode(&written), Some(Ok(read)));
}

fn notes() -> Vec<Vec<u8>> {
    let secret = PresenceSecret::from_bytes([7; 32]);
    let notes = [
        Note::Called { name: String::new() },
        Note::Called { name: "ada".into() },
        Note::Presence { secret, knows_yours: false },
    ];
    notes.iter().map(Note::encode).collect()
}

fn signal(input: &[u8]) {
    let Ok(read) = Signal::decode(input) else { return };
    let written = read.encode();
    assert!(written.len() <= input.len(), "the shortest encoding is not longer than another");
    assert_eq!(Signal::decode(&written), Ok(read));
}

fn signals() -> Vec<Vec<u8>> {
    let bodies = [
        Body::Offer { description: vec![1; 300], name: "ada".into() },
        Body::Ringing { description: None },
        Body::Ringing { description: Some(vec![4; 300]) },
        Body::Answer { description: vec![2; 40] },
        Body::Candidates { candidates: vec![vec![3; 30], vec![4; 12]] },
        Body::HangUp { why: HangUp::NoPath },
        Body::Busy,
        Body::Decline,
    ];
    bodies.into_iter().map(|body| Signal { call: CallId([9; 16]), body }.encode()).collect()
}
