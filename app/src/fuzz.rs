//! What a fuzzer calls: the signals of a call and notes beside it, which come out of sealed envelopes and over the control channel; and
//! files that somebody may have handed to us: sealed ones, and the backup in one. How it is run is told in [`relay::fuzz`].

use crate::{
    call::{
        Reply,
        message::{Body, CallId, CallKind, HangUp, Signal},
    },
    note::Note,
    storage::{
        self, Backup, Passphrase,
        seal::{self, Content, Cost, SEAL_OVERHEAD, Sealed},
    },
};
use overlay::PresenceSecret;
use relay::fuzz::{SMALL, Target};

/// The targets of this crate.
pub const TARGETS: &[Target] = &[
    Target { name: "signal", check: signal, seeds: signals, memory: SMALL },
    Target { name: "note", check: note, seeds: notes, memory: SMALL },
    Target { name: "sealed", check: sealed, seeds: seals, memory: 2 * SMALL },
    Target { name: "backup", check: backup, seeds: backups, memory: 2 * SMALL },
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

fn sealed(input: &[u8]) {
    let Ok(read) = Sealed::read(input) else { return };
    assert!(seal::is_sealed(input) && input.len() >= SEAL_OVERHEAD);
    let Ok(wrong) = Passphrase::new("wrong") else { return };
    // Others cost what they say, which the harness would count.
    if read.cost() == Cost::LEAST {
        assert!(
            read.open(Content::IdentityKey, &wrong).is_err() && read.open(Content::Backup, &wrong).is_err()
        );
    }
}

fn seals() -> Vec<Vec<u8>> {
    let Ok(right) = Passphrase::new("right") else { return Vec::new() };
    let kinds = [(Content::IdentityKey, Cost::LEAST), (Content::Backup, Cost::LEAST)];
    let seal = |(content, cost)| seal::seal(content, &[7; 32], &right, cost, [9; 40]).ok();
    kinds.into_iter().filter_map(seal).collect()
}

fn backup(input: &[u8]) {
    let Ok(read) = Backup::decode(input) else { return };
    match read.encode() {
        Ok(written) => {
            assert!(written.len() <= input.len(), "the shortest encoding is not longer than another");
            let again = Backup::decode(&written).and_then(|again| again.encode());
            assert_eq!(again, Ok(written));
        }
        Err(error) => panic!("what was read cannot be written: {error}"),
    }
}

fn backups() -> Vec<Vec<u8>> {
    let bare = Backup::bare(overlay::Identity::from_secret([7; 32]));
    [bare, storage::sample()]
        .iter()
        .filter_map(|backup| backup.encode().ok().map(|bytes| bytes.to_vec()))
        .collect()
}

fn signal(input: &[u8]) {
    let Ok(read) = Signal::decode(input) else { return };
    let written = read.encode();
    assert!(written.len() <= input.len(), "the shortest encoding is not longer than another");
    assert_eq!(Signal::decode(&written), Ok(read));
}

fn signals() -> Vec<Vec<u8>> {
    let bodies = [
        Body::Offer { description: vec![1; 300], name: "ada".into(), kind: CallKind::Voice },
        Body::Offer { description: vec![1; 300], name: "ada".into(), kind: CallKind::Video },
        Body::Ringing { description: None },
        Body::Ringing { description: Some(vec![4; 300]) },
        Body::Answer { description: vec![2; 40] },
        Body::Candidates { candidates: vec![vec![3; 30], vec![4; 12]] },
        Body::HangUp { why: HangUp::NoPath },
        Body::Busy,
        Body::Decline { reply: None },
        Body::Decline { reply: Reply::parse("I will call you back").ok() },
    ];
    bodies.into_iter().map(|body| Signal { call: CallId([9; 16]), body }.encode()).collect()
}
