//! What a fuzzer calls, over the decoders of this crate and over whole nodes; how it is run is told in [`relay::fuzz`].
//!
//! ```text
//!   bytes ─decode─▶ value ─encode─▶ bytes, not longer ─decode─▶ the same value
//!                     └─verify─▶ believed only if it is one of the samples: nobody else signs here
//! ```
//! A record added to the wire gets a sample in `samples` and a line in [`TARGETS`].

mod nodes;
mod samples;

use std::fmt::Debug;

use minicbor::{Decode, Encode};
use relay::fuzz::{SMALL, Target, origin};

use crate::{
    claim::Claim,
    config::Network,
    credit::{Between, Voucher, suffices},
    driver::read_log,
    hint::{Invite, Roster},
    identity::PublicKey,
    record::{Introduction, SealedPresence, SupernodeRecord},
    username::Username,
    wire::{self, Bounded, Message},
};

/// A node's tables, queues and Argon2's memory in the lab.
const NODE: usize = 8 << 20;

/// The targets of this crate.
pub const TARGETS: &[Target] = &[
    Target { name: "message", check: message, seeds: samples::messages, memory: SMALL },
    Target { name: "claim", check: claim, seeds: samples::claims, memory: 64 * 1024 },
    Target { name: "supernode", check: supernode, seeds: samples::supernodes, memory: SMALL },
    Target { name: "introduction", check: introduction, seeds: samples::introductions, memory: SMALL },
    Target { name: "presence", check: presence, seeds: samples::presences, memory: SMALL },
    Target { name: "voucher", check: voucher, seeds: samples::vouchers, memory: SMALL },
    Target { name: "username", check: username, seeds: samples::usernames, memory: SMALL },
    Target { name: "public_key", check: public_key, seeds: samples::public_keys, memory: SMALL },
    Target { name: "envelope", check: samples::open_envelope, seeds: samples::envelopes, memory: SMALL },
    Target { name: "letter", check: samples::open_letter, seeds: samples::letters, memory: SMALL },
    Target { name: "invite", check: invite, seeds: samples::invites, memory: SMALL },
    Target { name: "roster", check: roster, seeds: samples::rosters, memory: SMALL },
    Target { name: "claims_log", check: claims_log, seeds: samples::claims_logs, memory: SMALL },
    Target { name: "cache", check: nodes::cache, seeds: samples::caches, memory: NODE },
    Target { name: "serving_node", check: nodes::serving, seeds: nodes::serving_seeds, memory: NODE },
    Target { name: "asking_node", check: nodes::asking, seeds: nodes::asking_seeds, memory: NODE },
];

/// What was read is written, not longer than it was, and read again as the same.
fn round_trip<T>(input: &[u8]) -> Option<T>
where
    T: for<'b> Decode<'b, ()> + Encode<()> + PartialEq + Debug,
{
    let value: T = wire::from_bytes(input).ok()?;
    let written = wire::to_bytes(&value);
    assert!(written.len() <= input.len(), "the shortest encoding is not longer than another");
    assert_eq!(wire::from_bytes::<T>(&written).as_ref(), Ok(&value));
    Some(value)
}

/// What is believed is a sample, byte for byte.
fn nobody_signed<T: Encode<()>>(value: &T, samples: fn() -> Vec<Vec<u8>>) {
    assert!(samples().contains(&wire::to_bytes(value)), "believed, and nobody signed it");
}

fn message(input: &[u8]) {
    if input.len() > wire::MAX_FRAME {
        return;
    }
    if let Some(Message::Request { body: wire::Request::Reconcile(summary), .. }) = round_trip(input) {
        // Out of order or of an odd length it may miss marks, and nothing else.
        let _ = summary.lists(7);
    }
}

fn claim(input: &[u8]) {
    let Some(claim) = round_trip::<Claim>(input) else { return };
    if claim.verify(Network::Lab, origin().unix).is_ok() {
        // What a holder says of itself beside it is not the owner's word, and is judged for itself.
        nobody_signed(&claim.witnessed(None), samples::claims);
    }
}

fn supernode(input: &[u8]) {
    let Some(record) = round_trip::<SupernodeRecord>(input) else { return };
    let _ = (record.mark(), record.relay());
    if record.verify(Network::Lab, origin().unix).is_ok() {
        nobody_signed(&record, samples::supernodes);
    }
}

fn introduction(input: &[u8]) {
    let Some(record) = round_trip::<Introduction>(input) else { return };
    if record.verify(Network::Lab, origin().unix).is_ok() {
        nobody_signed(&record, samples::introductions);
    }
}

fn presence(input: &[u8]) {
    let Some(record) = round_trip::<SealedPresence>(input) else { return };
    if record.verify(Network::Lab, origin().unix).is_ok() {
        nobody_signed(&record, samples::presences);
        samples::open_presence(&record);
    }
}

fn voucher(input: &[u8]) {
    let Some(voucher) = round_trip::<Voucher>(input) else { return };
    let between = Between { helper: voucher.helper(), helped: voucher.helped() };
    let shown = [voucher];
    if suffices(&shown, Network::Lab, between, origin().unix).is_ok() {
        nobody_signed(&shown[0], samples::vouchers);
    }
}

fn username(input: &[u8]) {
    round_trip::<Username>(input);
    let Ok(text) = std::str::from_utf8(input) else { return };
    let Ok(name) = Username::parse(text) else { return };
    assert_eq!(Username::parse(name.as_str()).as_ref(), Ok(&name), "the normal form is its own");
    assert_eq!(wire::from_bytes(&wire::to_bytes(&name)), Ok(name));
}

fn public_key(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let Ok(key) = text.parse::<PublicKey>() else { return };
    assert_eq!(key.to_string(), text.trim().to_ascii_lowercase(), "one key has one spelling");
    let _ = key.fingerprint();
}

fn invite(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let Ok(read) = text.parse::<Invite>() else { return };
    assert_eq!(read.to_string().parse::<Invite>().as_ref(), Ok(&read));
    if read.verify(Network::Lab).is_ok() {
        let links = samples::invites();
        assert!(links.contains(&read.to_string().into_bytes()), "believed, and nobody signed it");
    }
}

fn roster(input: &[u8]) {
    let release = samples::person(9).public_key();
    let read = Roster::read(input, Some(&release), Network::Lab);
    if read.is_ok() && !input.is_empty() {
        nobody_signed(&wire::from_bytes::<Roster>(input).ok(), samples::rosters);
    }
}

fn claims_log(input: &[u8]) {
    let (claims, intact) = read_log(input);
    let least = claims.iter().map(|claim| 4 + wire::to_bytes(claim).len()).sum::<usize>();
    assert!(least <= input.len() && (!intact || input.is_empty() || !claims.is_empty()));
}

/// Supernode records as a list, which is what caches and gossip are.
type Records = Bounded<SupernodeRecord, { wire::MAX_GOSSIP }>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_has_seeds_and_stands_them() {
        for target in TARGETS {
            let seeds = (target.seeds)();
            assert!(!seeds.is_empty(), "{}", target.name);
            for seed in &seeds {
                (target.check)(seed);
                (target.check)(&seed[..seed.len() / 2]);
            }
        }
    }

    #[test]
    fn samples_are_believed() {
        let now = origin().unix;
        for claim in samples::claims() {
            assert_eq!(wire::from_bytes::<Claim>(&claim).unwrap().verify(Network::Lab, now), Ok(()));
        }
        for record in samples::supernodes() {
            assert_eq!(
                wire::from_bytes::<SupernodeRecord>(&record).unwrap().verify(Network::Lab, now),
                Ok(())
            );
        }
        for record in samples::introductions() {
            assert_eq!(wire::from_bytes::<Introduction>(&record).unwrap().verify(Network::Lab, now), Ok(()));
        }
    }
}
