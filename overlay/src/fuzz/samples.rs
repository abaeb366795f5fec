//! Values that mean something: what honest nodes would send, signed by keys that only this folder knows.

use std::{net::SocketAddr, time::Duration};

use rand::{SeedableRng as _, rngs::StdRng};
use relay::fuzz::origin;

use super::Records;
use crate::{
    claim::{Claim, Inheritance, Receipt, RecoveryHash, Seen},
    config::{Network, Role},
    credit::{Service, Voucher},
    directory::letters::SealedLetter,
    envelope::{ENVELOPE_SIZE, MAX_PAYLOAD, Sealer, Stamp, Token},
    hint::{Hint, Invite, Roster},
    identity::{Identity, LinkKey, LinkSecret},
    outcome::{Carrier, Ends},
    record::{
        CertificateHash, Collection, EnvelopeKey, Epoch, Introducer, Introduction, MailboxId, PresenceSecret,
        Saying, SealedPresence, SealingKeys, SupernodeRecord,
    },
    routing::Key,
    username::Username,
    wire::{
        self, Alive, Bounded, DialBack, Hello, Later, Load, Message, Need, Nonce, Refusal, RefuseReason,
        RelayGrant, RelayUsage, Request, Response, Summary, Timestamp, VersionRange,
    },
    work::Puzzle,
};

const DAY: Duration = Duration::from_secs(24 * 3600);

pub(super) fn person(which: u8) -> Identity {
    Identity::from_secret([which; 32])
}

pub(super) fn node(which: u8) -> LinkSecret {
    LinkSecret::from_secret([100 + which % 100; 32])
}

pub(super) fn address(which: u8) -> SocketAddr {
    ([10, 0, which, 1], 7600).into()
}

pub(super) fn mailbox(which: u8) -> MailboxId {
    MailboxId::from_bytes([which; 32])
}

fn name(text: &str) -> Option<Username> {
    Username::parse(text).ok()
}

fn claim_of(text: &str, which: u8, seq: u64, worked: bool) -> Option<Claim> {
    let (me, now, name) = (person(which), origin().unix, name(text)?);
    let mut search = Puzzle::of(Network::Lab, &name, me.public_key(), now).begin();
    let proof = worked.then(|| std::iter::repeat_with(|| search.step()).take(64).flatten().next())?;
    Some(Claim::sign(&me, Network::Lab, name, now, proof, seq, now))
}

fn some_claims() -> Vec<Claim> {
    [("ada", 1, 1, true), ("ada", 1, 2, true), ("grace.hopper", 2, 7, true)]
        .into_iter()
        .filter_map(|(name, who, seq, worked)| claim_of(name, who, seq, worked))
        .chain(
            name("bob").map(|name| {
                Claim::sign(&person(3), Network::Lab, name, origin().unix, None, 1, origin().unix)
            }),
        )
        .chain(claims_with_a_history())
        .collect()
}

/// One that holders vouch for and that names a recovery key, the same with a holder's receipt on it, and the two it was
/// passed on to, by its key and by the recovery key.
fn claims_with_a_history() -> Vec<Claim> {
    let (ada, grace, recovery, now) = (person(1), person(2), person(8), origin().unix);
    let Some(claim) = claim_of("ada", 1, 3, true) else { return Vec::new() };
    let receipt = |which| Receipt::sign(&node(which), Network::Lab, claim.id(), now, now);
    let vouched = claim.clone().with_receipts(&ada, (1..4).map(receipt));
    let hash = RecoveryHash::of(&recovery.public_key());
    let recoverable = vouched.with_recovery(&ada, Some(hash));
    let inherited = [
        Inheritance::rotate(recoverable.clone(), &ada, &grace),
        Inheritance::recover(recoverable.clone(), &recovery, &grace),
    ];
    let inherited = inherited
        .into_iter()
        .filter_map(|Inheritance { claim, succession }| claim.inherited(&grace, succession, 4, None, now));
    let witnessed = recoverable.witnessed(Some(receipt(5)));
    [recoverable, witnessed].into_iter().chain(inherited).collect()
}

fn dial_back() -> DialBack {
    DialBack::new(address(7), Nonce::from_bytes([7; 16]))
}

pub(super) fn supernode(which: u8) -> SupernodeRecord {
    let relay = which.is_multiple_of(2).then(|| address(which));
    let certificate = relay.map(|_| CertificateHash::from_bytes([which; 32]));
    SupernodeRecord::sign(&node(which), Network::Lab, address(which), relay, None, origin().unix, DAY)
        .certified(certificate, &node(which))
}

/// Of a link that is up.
pub(super) fn ends(peer: LinkKey, remote: SocketAddr) -> Ends {
    Ends { peer, remote, carrier: Carrier::Quic }
}

fn some_introductions() -> Vec<Introduction> {
    let introducer = |which| Introducer {
        node: node(which).public_key(),
        address: address(which),
        mailbox: mailbox(which),
    };
    let sign = |which: u8, introducers: &[u8]| {
        let key = SealingKeys::both(EnvelopeKey::from_bytes([which; 32]));
        let introducers = introducers.iter().map(|which| introducer(*which));
        let hour = Duration::from_secs(3600);
        Introduction::sign(&person(which), Network::Lab, 1, key, introducers, origin().unix, hour)
    };
    vec![sign(1, &[1, 2, 3]), sign(2, &[1]), sign(3, &[])]
}

pub(super) const SECRET: PresenceSecret = PresenceSecret::from_bytes([7; 32]);

fn some_presences() -> Vec<SealedPresence> {
    let (now, identity) = (origin().unix, person(1));
    let introducers = [1, 2, 3].map(|n| Introducer {
        node: node(n).public_key(),
        address: address(n),
        mailbox: mailbox(n),
    });
    let saying = |seq, introducers| Saying {
        identity: &identity,
        network: Network::Lab,
        seq,
        envelope_key: EnvelopeKey::from_bytes([1; 32]),
        introducers,
    };
    let seal =
        |saying| SealedPresence::seal(&SECRET, Epoch::of(now), saying, now, Duration::from_secs(2_400));
    [seal(saying(1, &introducers)), seal(saying(2, &[]))].into_iter().flatten().collect()
}

/// Whoever has the secret opens what is believed.
pub(super) fn open_presence(record: &SealedPresence) {
    let now = origin().unix;
    let seen = record.open(&SECRET, Epoch::of(now), &person(1).public_key(), now);
    assert!(seen.is_ok(), "believed, and sealed by nobody");
}

pub(super) fn presences() -> Vec<Vec<u8>> {
    some_presences().iter().map(wire::to_bytes).collect()
}

/// What the node of a fuzzer owes whoever has linked to it first, in the order of time.
fn some_vouchers() -> Vec<Voucher> {
    let (helped, helper, hour) = (LinkSecret::from_secret([50; 32]), node(0).public_key(), 3_600);
    let voucher = |ago: u64| {
        let until = origin().unix.saturating_sub(Duration::from_secs(ago * hour));
        let since = until.saturating_sub(Duration::from_secs(hour));
        let home = Duration::from_secs(hour);
        let service = Service { home, answers: 7, relay: home, relayed: 1 << 20 };
        Voucher::sign(&helped, Network::Lab, helper, (since, until), service)
    };
    vec![voucher(2), voucher(0)]
}

/// Thanks of a supernode to the node of a fuzzer.
fn thanks() -> Voucher {
    let (helper, now) = (LinkSecret::from_secret([50; 32]).public_key(), origin().unix);
    let service = Service { answers: 70, ..Service::default() };
    Voucher::sign(&node(1), Network::Lab, helper, (now, now), service)
}

pub(super) fn vouchers() -> Vec<Vec<u8>> {
    some_vouchers().iter().chain([&thanks()]).map(wire::to_bytes).collect()
}

pub(super) fn hello(role: Role, record: Option<SupernodeRecord>) -> Message {
    let observed = address(9);
    Message::Hello(Box::new(Hello {
        versions: VersionRange::OURS,
        network: Network::Lab,
        role,
        observed,
        load: record.as_ref().map(|_| Load::HALF),
        record,
        time: Some(Timestamp::from(origin().unix)),
    }))
}

pub(super) fn requests() -> Vec<Request> {
    let mut requests = vec![
        Request::Ping,
        Request::OpenMailbox { mailbox: mailbox(1), need: Need::Homeless },
        Request::OpenMailbox { mailbox: mailbox(2), need: Need::Spare },
        Request::GetIntroduction(person(1).public_key()),
        Request::Deliver { mailbox: mailbox(1), sealed: vec![7; ENVELOPE_SIZE] },
        Request::RelayCredentials,
        Request::Reconcile(Summary::of((0..40).map(|which| supernode(which).mark()))),
    ];
    requests.extend(some_claims().into_iter().map(|claim| Request::PutClaim(Box::new(claim))));
    requests
        .extend(some_introductions().into_iter().map(|record| Request::PutIntroduction(Box::new(record))));
    requests.extend(name("ada").map(Request::GetClaims));
    let presences = || some_presences().into_iter().map(Box::new);
    let keys = || Bounded::take(some_presences().iter().map(SealedPresence::key));
    requests.extend(presences().map(Request::PutPresence));
    requests.extend(presences().map(Request::SpreadPresence));
    requests.extend([Request::GetPresences(keys()), Request::GatherPresences(keys())]);
    requests.push(Request::ShowCredit(Bounded::take(some_vouchers())));
    let door = mailbox(1).door();
    let token = Token::work(Network::Lab, &door, origin().unix, 0);
    requests.push(Request::Introduce { door, token, sealed: vec![7; ENVELOPE_SIZE] });
    let reader = person(1).public_key();
    let token = Token::work(Network::Lab, &MailboxId::of_letters(&reader), origin().unix, 0);
    requests.push(Request::Leave { reader, token, sealed: vec![7; ENVELOPE_SIZE] });
    // What the fuzzed supernode keeps, and what another one would.
    for keeper in [50, 7].map(|secret| LinkSecret::from_secret([secret; 32]).public_key()) {
        let marks = some_letters().iter().map(SealedLetter::mark).collect::<Vec<_>>();
        let word = Collection::sign(&person(1), Network::Lab, keeper, origin().unix, marks);
        requests.push(Request::Collect(Box::new(word)));
    }
    requests.push(Request::DialBack(Box::new(dial_back())));
    requests.push(Request::DialBackFor(Box::new(dial_back().pass_on(node(7).public_key()))));
    requests.push(Request::Find { key: Key::of_person(&person(1).public_key()), most: 20 });
    requests
}

pub(super) fn responses() -> Vec<Response> {
    let grant = RelayGrant {
        udp: address(4),
        username: "1800000600:ada".into(),
        password: "secret".into(),
        expires: origin().unix.saturating_add(DAY),
    };
    let mut responses = vec![
        Response::Done,
        Response::Claims(Bounded::take([])),
        Response::Claims(Bounded::take(some_claims())),
        Response::Introduction(None),
        Response::Introduction(some_introductions().pop().map(Box::new)),
        Response::Relay(grant),
        Response::Busy,
        Response::Refused(Refusal::Invalid),
        Response::Refused(Refusal::Stale),
        Response::Refused(Refusal::UnknownMailbox),
        Response::Refused(Refusal::NotOffered),
        Response::Closest { known: 3, records: Bounded::take((0..3).map(supernode)) },
        Response::Supernodes(Bounded::take((0..3).map(supernode))),
        Response::Presences(Bounded::take(some_presences())),
        Response::Letters(Bounded::take(some_letters())),
        Response::Later(Later::after(Duration::from_secs(7), Load::HALF)),
        Response::Alive(Alive { load: Load::HALF, around: Some(Load::FULL) }),
    ];
    responses.extend(some_claims().pop().map(|claim| Response::Taken(Box::new(claim))));
    responses.extend(some_claims().pop().map(|claim| {
        let (holder, now) = (LinkSecret::from_secret([4; 32]), origin().unix);
        Response::Receipt(Box::new(Receipt::sign(&holder, Network::Lab, claim.id(), now, now)))
    }));
    responses
}

pub(super) fn messages() -> Vec<Vec<u8>> {
    let mut messages = vec![
        hello(Role::Leaf, None),
        hello(Role::Supernode, Some(supernode(1))),
        Message::Refuse(RefuseReason::Busy),
        Message::Supernodes(Bounded::take((0..3).map(supernode))),
        Message::Ring { mailbox: mailbox(1), sealed: vec![7; ENVELOPE_SIZE] },
        Message::MakeRoom(mailbox(1)),
        Message::Leaving,
        Message::Serving(Box::new(supernode(2))),
        Message::DialBack(Nonce::from_bytes([7; 16])),
        Message::Relayed(RelayUsage { seconds: 60, bytes: 1 << 20 }),
        Message::Thanks(Box::new(thanks())),
    ];
    messages.extend((1..).zip(requests()).map(|(id, body)| Message::Request { id, body }));
    messages.extend((1..).zip(responses()).map(|(id, body)| Message::Response { id, body }));
    messages.iter().map(wire::to_bytes).collect()
}

pub(super) fn claims() -> Vec<Vec<u8>> {
    some_claims().iter().map(wire::to_bytes).collect()
}

pub(super) fn supernodes() -> Vec<Vec<u8>> {
    (0..3).map(supernode).map(|record| wire::to_bytes(&record)).collect()
}

pub(super) fn introductions() -> Vec<Vec<u8>> {
    some_introductions().iter().map(wire::to_bytes).collect()
}

pub(super) fn caches() -> Vec<Vec<u8>> {
    let mut seen = Seen::default();
    for claim in some_claims() {
        seen.note(&claim);
    }
    let cache = |most| wire::to_bytes(&(Records::take((0..most).map(supernode)), seen.keep()));
    let owed = (Records::take([supernode(1)]), seen.keep(), some_vouchers());
    vec![cache(0), cache(1), cache(5), wire::to_bytes(&owed)]
}

fn hint(which: u8) -> Hint {
    Hint { node: node(which).public_key(), address: address(which) }
}

pub(super) fn invites() -> Vec<Vec<u8>> {
    let invite = |name, hints| Invite::sign(&person(1), Network::Lab, name, (0..hints).map(hint)).to_string();
    [invite(None, 0), invite(name("ada"), 1), invite(name("grace.hopper"), 4)].map(String::into_bytes).into()
}

pub(super) fn rosters() -> Vec<Vec<u8>> {
    let roster = |hints| Roster::sign(&person(9), Network::Lab, (0..hints).map(hint)).encode();
    vec![roster(0), roster(1), roster(9)]
}

pub(super) fn claims_logs() -> Vec<Vec<u8>> {
    let entry = |claim: Vec<u8>| {
        let length = u32::try_from(claim.len()).unwrap_or(u32::MAX).to_be_bytes();
        [length.to_vec(), claim].concat()
    };
    let log: Vec<u8> = claims().into_iter().flat_map(entry).collect();
    vec![log[..log.len() / 2].to_vec(), log]
}

pub(super) fn usernames() -> Vec<Vec<u8>> {
    let texts = ["ada", "grace.hopper", "a-b_c.d0", " Ada ", "x", "1ada", "a..b", "ada.", "ädä"];
    let plain = texts.iter().map(|text| text.as_bytes().to_vec());
    plain.chain(texts.iter().map(wire::to_bytes)).collect()
}

pub(super) fn public_keys() -> Vec<Vec<u8>> {
    let key = person(1).public_key().to_string();
    vec![key.to_uppercase().into_bytes(), format!(" {key}\n").into_bytes(), b"not a key".to_vec()]
}

/// One that its reader opens, and one that nobody does.
fn some_letters() -> Vec<SealedLetter> {
    let ((ada, _), (bob, mut rng)) = (sealer(1), sealer(2));
    let key = ada.keys(origin().unix).letters;
    let sealed = bob.seal(origin().unix, stamp(), &person(1).public_key(), &key, (b"called", &[]), &mut rng);
    [sealed, Some(vec![7; ENVELOPE_SIZE])].into_iter().flatten().filter_map(SealedLetter::new).collect()
}

fn stamp() -> Stamp {
    Stamp { id: [5; 16], sent: origin().unix }
}

fn sealer(which: u8) -> (Sealer, StdRng) {
    let mut rng = StdRng::from_seed([which; 32]);
    (Sealer::new(Network::Lab, person(which), &mut rng), rng)
}

pub(super) fn open_envelope(input: &[u8]) {
    let (ada, _) = sealer(1);
    if ada.open(origin().unix, input).is_ok() || ada.open_letter(origin().unix, input).is_ok() {
        assert!(envelopes().iter().any(|sample| sample == input), "opened, and nobody sealed it");
    }
}

pub(super) fn envelopes() -> Vec<Vec<u8>> {
    let ((ada, _), (bob, mut rng)) = (sealer(1), sealer(2));
    let to = person(1).public_key();
    let mut seal =
        |payload: &[u8]| bob.seal(origin().unix, stamp(), &to, &ada.envelope_key(), (payload, &[]), &mut rng);
    let sealed = [seal(b""), seal(b"ring"), seal(&[9; MAX_PAYLOAD])];
    let letters = some_letters().into_iter().map(|letter| letter.bytes().to_vec());
    sealed.into_iter().flatten().chain(letters).collect()
}

/// Seals the input as it is: a letter only its reader sees.
pub(super) fn open_letter(input: &[u8]) {
    let ((ada, _), (bob, mut rng)) = (sealer(1), sealer(2));
    let to = person(1).public_key();
    let Some(sealed) = bob.seal_plain(&to, &ada.envelope_key(), input, &mut rng) else { return };
    if let Ok(letter) = ada.open(origin().unix, &sealed) {
        assert_eq!(
            letter.from,
            person(2).public_key(),
            "nobody else's certificate fits the key it came with"
        );
        assert!(letter.payload.len() <= MAX_PAYLOAD);
    }
}

pub(super) fn letters() -> Vec<Vec<u8>> {
    let (bob, _) = sealer(2);
    let letter = |payload: &[u8]| bob.plain_letter(origin().unix, stamp(), payload, &[]);
    [letter(b""), letter(b"ring"), letter(&[9; MAX_PAYLOAD])].into_iter().flatten().collect()
}
