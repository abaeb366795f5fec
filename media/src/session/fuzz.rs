//! What a fuzzer calls: descriptions and candidates, from the other end (CBOR) and from stock peers (SDP text), probes,
//! what comes on the control channel, and how large pictures are shown. How it is run is told in [`relay::fuzz`].

use relay::fuzz::{SMALL, Target};

use super::{
    control::fuzz as control,
    description::{Candidate, CandidateKind, Description, Fingerprint, Setup, Token},
    path::probe::fuzz as probe,
    sdp::{self, Role},
};
use crate::video::viewing::Viewing;
use crate::voice::red::fuzz as red;

/// The targets of this crate.
pub const TARGETS: &[Target] = &[
    Target { name: "description", check: description, seeds: descriptions, memory: SMALL },
    Target { name: "candidate", check: candidate, seeds: candidates, memory: SMALL },
    Target { name: "sdp", check: from_sdp, seeds: sdps, memory: SMALL },
    Target { name: "probe", check: probe::check, seeds: probe::seeds, memory: SMALL },
    Target { name: "red", check: red::check, seeds: red::seeds, memory: SMALL },
    Target { name: "viewing", check: viewing, seeds: viewings, memory: SMALL },
    Target { name: "control", check: control::check, seeds: control::seeds, memory: SMALL },
];

fn description(input: &[u8]) {
    let Ok(read) = Description::decode(input) else { return };
    assert_eq!(read.encode(), input, "one value has one encoding");
    let shown = sdp::local(&sdp::remote(&read, Role::Answer));
    let shown = shown.map(|shown| (shown.ufrag, shown.password, shown.fingerprint));
    assert!(shown == Ok((read.ufrag, read.password, read.fingerprint)), "SDP says what the description says");
}

fn candidate(input: &[u8]) {
    let Ok(read) = Candidate::decode(input) else { return };
    assert_eq!(read.encode(), input, "one value has one encoding");
    assert_eq!(Candidate::from_sdp(&read.to_sdp()), Ok(read));
}

fn from_sdp(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    if let Ok(read) = Candidate::from_sdp(text) {
        assert_eq!(Candidate::decode(&read.encode()), Ok(read));
    }
    if let Ok(read) = sdp::local(text) {
        assert_eq!(Description::decode(&read.encode()), Ok(read));
    }
}

fn viewing(input: &[u8]) {
    let Some(read) = Viewing::decode(input) else { return };
    assert_eq!(Viewing::decode(&read.encode()), Some(read), "what is understood is said again the same");
}

fn some_candidates() -> Vec<Candidate> {
    let addresses = ["192.0.2.1:5000", "203.0.113.9:46154", "[2001:db8::1]:49152"];
    let kinds = [CandidateKind::Host, CandidateKind::ServerReflexive, CandidateKind::Relay];
    let pairs = addresses.iter().zip(kinds).zip(1u32..);
    pairs
        .filter_map(|((address, kind), priority)| {
            Candidate::new(kind, address.parse().ok()?, priority << 20).ok()
        })
        .collect()
}

fn some_descriptions() -> Vec<Description> {
    let described = |setup, candidates, hello| {
        Some(Description {
            ufrag: Token::parse("abcd").ok()?,
            password: Token::parse("p+/9p+/9p+/9p+/9p+/9p+/9").ok()?,
            fingerprint: Fingerprint([0xab; 32]),
            setup,
            candidates,
            hello,
        })
    };
    let all = [
        described(Setup::ActPass, some_candidates(), Vec::new()),
        described(Setup::Active, Vec::new(), vec![22; 40]),
    ];
    all.into_iter().flatten().collect()
}

fn descriptions() -> Vec<Vec<u8>> {
    some_descriptions().iter().map(Description::encode).collect()
}

fn candidates() -> Vec<Vec<u8>> {
    some_candidates().iter().map(Candidate::encode).collect()
}

fn viewings() -> Vec<Vec<u8>> {
    [Viewing::Hidden, Viewing::of(1280, 720)].map(Viewing::encode).into()
}

fn sdps() -> Vec<Vec<u8>> {
    let whole = some_descriptions().into_iter().map(|description| sdp::remote(&description, Role::Offer));
    whole.chain(some_candidates().iter().map(Candidate::to_sdp)).map(String::into_bytes).collect()
}
