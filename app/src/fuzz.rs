//! What a fuzzer calls: the signals of a call, which come out of sealed envelopes and over the control channel. How it
//! is run is told in [`relay::fuzz`].

use crate::call::message::{Body, CallId, HangUp, Signal};
use relay::fuzz::{SMALL, Target};

/// The targets of this crate.
pub const TARGETS: &[Target] = &[Target { name: "signal", check: signal, seeds: signals, memory: SMALL }];

fn signal(input: &[u8]) {
    let Ok(read) = Signal::decode(input) else { return };
    let written = read.encode();
    assert!(written.len() <= input.len(), "the shortest encoding is not longer than another");
    assert_eq!(Signal::decode(&written), Ok(read));
}

fn signals() -> Vec<Vec<u8>> {
    let bodies = [
        Body::Offer { description: vec![1; 300], name: "ada".into() },
        Body::Ringing,
        Body::Answer { description: vec![2; 40] },
        Body::Candidates { candidates: vec![vec![3; 30], vec![4; 12]] },
        Body::HangUp { why: HangUp::NoPath },
        Body::Busy,
        Body::Decline,
    ];
    bodies.into_iter().map(|body| Signal { call: CallId([9; 16]), body }.encode()).collect()
}
