//! What a fuzzer calls: a message of the other end, or what pretends to be one.

use relay::wire::{self, TransactionId};

use super::{Mark, Probe, Secret, Secrets};
use crate::session::description::CandidateKind;
use crate::session::path::guess::{Behaviour, Claim, LocalPreference, Round};

/// Reads the bytes; what is believed is what the other end would have said.
pub(in crate::session) fn check(input: &[u8]) {
    let [own, peer] = ends();
    let Ok(message) = wire::parse(input) else { return };
    let Some(probe) = own.verify(&message) else { return };
    let said = match probe {
        Probe::Request { transaction, counter, base, claim, mark } => {
            peer.request(transaction, counter, base, claim, mark)
        }
        Probe::Answer { transaction } => {
            peer.answer(transaction, std::net::SocketAddr::from(([192, 0, 2, 1], 9)))
        }
        Probe::KeepAlive { counter, mark } => peer.keep_alive(message.transaction(), counter, mark),
    };
    let said = said.unwrap_or_default();
    assert_eq!(wire::parse(&said).ok().and_then(|said| own.verify(&said)), Some(probe));
}

/// One of each.
pub(in crate::session) fn seeds() -> Vec<Vec<u8>> {
    let [_, peer] = ends();
    let transaction = TransactionId([7; 12]);
    let claim = |behaviour| Some(Claim { behaviour, base: LocalPreference(u16::MAX) });
    let hard = claim(Behaviour::Dependent { round: Round(1) });
    let seeds = [
        peer.request(transaction, 1, CandidateKind::Host, None, Mark::None),
        peer.request(transaction, 2, CandidateKind::Relay, None, Mark::Use),
        peer.answer(transaction, std::net::SocketAddr::from(([192, 0, 2, 1], 9))),
        peer.keep_alive(transaction, u64::MAX, Mark::Use),
        peer.request(transaction, 3, CandidateKind::Relay, claim(Behaviour::Independent), Mark::None),
        peer.request(transaction, 4, CandidateKind::Relay, hard, Mark::Use),
    ];
    seeds.into_iter().flatten().collect()
}

fn ends() -> [Secrets; 2] {
    let secret = |name: &str| Secret { ufrag: name.to_owned(), password: name.repeat(6) };
    let (a, b) = (secret("aaaa"), secret("bbbb"));
    [Secrets { own: Some(a.clone()), peer: Some(b.clone()) }, Secrets { own: Some(b), peer: Some(a) }]
}
