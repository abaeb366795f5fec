//! Records and messages that nobody should have sent: each is refused in words that name the blame, counted, and leaves
//! nothing behind.

use std::time::Duration;

use overlay::{
    Network, Role,
    claim::Claim,
    credit::{Between, CreditError, Service, Voucher, suffices},
    node::LinkId,
    outcome::Stats,
    record::{Introduction, RecordError, SealedPresence, SupernodeRecord},
    wire::{
        self, Bounded, Hello, MAX_FRAME, Message, Refusal, RefuseReason, RelayUsage, Request, Response,
        VersionRange,
    },
};
use relay::{UnixTime, fuzz::origin};

use crate::{
    bench::{
        Bench, DAY, HOUR, Heard, LEAF, STRANGER, STRANGER_KEY, SUPERNODE, address, claim, hello,
        introduction, link_secret, mailbox, person, presence, proof, supernode,
    },
    memory::held,
};

/// What a bad message meets with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Met {
    /// The request is refused.
    Refused(Refusal),
    /// The name is somebody else's, and theirs is shown.
    Taken,
    /// The link ends, and why.
    Ended(RefuseReason),
    /// Nothing is said: it was no question.
    Silence,
}

/// One bad message.
struct Case {
    name: &'static str,
    link: LinkId,
    bytes: Vec<u8>,
    met: Met,
    counter: fn(&Stats) -> u64,
}

fn refused_records(stats: &Stats) -> u64 {
    stats.refused_records
}

fn malformed(stats: &Stats) -> u64 {
    stats.malformed
}

fn incompatible(stats: &Stats) -> u64 {
    stats.incompatible
}

fn messages(stats: &Stats) -> u64 {
    stats.messages
}

const NOW: fn() -> UnixTime = || origin().unix;

fn ago(time: Duration) -> UnixTime {
    NOW().saturating_sub(time)
}

fn ahead(time: Duration) -> UnixTime {
    NOW().saturating_add(time)
}

/// The same record with the last byte of its signature bent.
fn wrongly_signed<T: for<'b> minicbor::Decode<'b, ()> + minicbor::Encode<()>>(record: &T) -> T {
    let mut bytes = wire::to_bytes(record);
    *bytes.last_mut().unwrap() ^= 1;
    wire::from_bytes(&bytes).unwrap()
}

fn request(body: Request) -> Vec<u8> {
    wire::to_bytes(&Message::Request { id: 7, body })
}

fn put(claim: Claim) -> Vec<u8> {
    request(Request::PutClaim(Box::new(claim)))
}

fn introduce(record: Introduction) -> Vec<u8> {
    request(Request::PutIntroduction(Box::new(record)))
}

fn gossip(record: SupernodeRecord) -> Vec<u8> {
    wire::to_bytes(&Message::Supernodes(Bounded::take([record])))
}

fn bad_claims() -> Vec<(&'static str, Claim, RecordError)> {
    let with = |network, claimed_at, proof, now| {
        Claim::sign(&person(1), network, "ada".parse().unwrap(), claimed_at, proof, 1, now)
    };
    let another = proof("bob", 1, NOW());
    vec![
        ("a claim wrongly signed", wrongly_signed(&claim("ada", 1, 1, NOW())), RecordError::Signature),
        ("a claim that expired", claim("ada", 1, 1, ago(36 * DAY)), RecordError::Expired),
        ("a claim from the future", claim("ada", 1, 1, ahead(HOUR)), RecordError::Dates),
        ("a claim to another network's name", with(Network::Main, NOW(), None, NOW()), RecordError::Network),
        (
            "a provisional claim past its time",
            with(Network::Lab, ago(HOUR), None, NOW()),
            RecordError::Expired,
        ),
        ("a claim with another's proof", with(Network::Lab, NOW(), Some(another), NOW()), RecordError::Work),
    ]
}

fn bad_introductions() -> Vec<(&'static str, Introduction, RecordError)> {
    let lab = |issued| introduction(1, Network::Lab, 1, issued);
    vec![
        ("an introduction wrongly signed", wrongly_signed(&lab(NOW())), RecordError::Signature),
        ("an introduction that expired", lab(ago(2 * HOUR)), RecordError::Expired),
        ("an introduction from the future", lab(ahead(HOUR)), RecordError::Dates),
        ("another network's introduction", introduction(1, Network::Main, 1, NOW()), RecordError::Network),
    ]
}

fn bad_presences() -> Vec<(&'static str, SealedPresence, RecordError)> {
    let lab = |at| presence(Network::Lab, 1, at);
    vec![
        ("presence wrongly signed", wrongly_signed(&lab(NOW())), RecordError::Signature),
        ("presence that expired", lab(ago(2 * HOUR)), RecordError::Expired),
        ("presence from the future", lab(ahead(HOUR)), RecordError::Dates),
        ("another network's presence", presence(Network::Main, 1, NOW()), RecordError::Network),
    ]
}

/// Of an hour of service that ended then, given by `helped`.
fn voucher(helper: u8, helped: u8, network: Network, until: UnixTime) -> Voucher {
    let service = Service { home: HOUR, ..Service::default() };
    let period = (until.saturating_sub(HOUR), until);
    Voucher::sign(&link_secret(helped), network, link_secret(helper).public_key(), period, service)
}

/// What the leaf of the bench might show, as if the node had been helped by it.
fn bad_credit() -> Vec<(&'static str, Vec<Voucher>, CreditError)> {
    let (helper, node) = (104, 101);
    let good = || voucher(helper, node, Network::Lab, NOW());
    let too_little = Voucher::sign(
        &link_secret(node),
        Network::Lab,
        link_secret(helper).public_key(),
        (ago(HOUR), NOW()),
        Service { answers: 2, ..Service::default() },
    );
    vec![
        (
            "credit forged by its helper",
            vec![voucher(helper, helper, Network::Lab, NOW())],
            CreditError::NotTheHelped,
        ),
        ("credit wrongly signed", vec![wrongly_signed(&good())], CreditError::Signature),
        (
            "credit of another helper",
            vec![voucher(102, node, Network::Lab, NOW())],
            CreditError::NotTheHelper,
        ),
        (
            "credit at another supernode",
            vec![voucher(helper, 102, Network::Lab, NOW())],
            CreditError::NotTheHelped,
        ),
        (
            "credit that expired",
            vec![voucher(helper, node, Network::Lab, ago(5 * DAY))],
            CreditError::Expired,
        ),
        (
            "credit from the future",
            vec![voucher(helper, node, Network::Lab, ahead(HOUR))],
            CreditError::Dates,
        ),
        ("another network's credit", vec![voucher(helper, node, Network::Main, NOW())], CreditError::Network),
        ("credit shown twice at once", vec![good(), good()], CreditError::Repeated),
        ("no credit at all", vec![], CreditError::TooLittle),
        ("credit for next to nothing", vec![too_little], CreditError::TooLittle),
    ]
}

/// What the supernode of the bench might say that the node did for it.
fn bad_thanks() -> Vec<(&'static str, Voucher)> {
    vec![
        ("thanks wrongly signed", wrongly_signed(&voucher(101, 102, Network::Lab, NOW()))),
        ("thanks of another supernode", voucher(101, 103, Network::Lab, NOW())),
        ("thanks for another helper", voucher(103, 102, Network::Lab, NOW())),
        ("thanks that expired", voucher(101, 102, Network::Lab, ago(5 * DAY))),
        ("thanks from the future", voucher(101, 102, Network::Lab, ahead(HOUR))),
        ("another network's thanks", voucher(101, 102, Network::Main, NOW())),
    ]
}

fn bad_supernodes() -> Vec<(&'static str, SupernodeRecord, RecordError)> {
    let sign = |network, address, issued| {
        SupernodeRecord::sign(&link_secret(STRANGER_KEY), network, address, None, None, issued, HOUR)
    };
    let nowhere = "10.0.0.1:0".parse().unwrap();
    vec![
        (
            "a supernode wrongly signed",
            wrongly_signed(&supernode(STRANGER_KEY, NOW())),
            RecordError::Signature,
        ),
        ("a supernode that expired", supernode(STRANGER_KEY, ago(2 * HOUR)), RecordError::Expired),
        ("a supernode from the future", supernode(STRANGER_KEY, ahead(HOUR)), RecordError::Dates),
        ("a supernode of another network", sign(Network::Main, address(3), NOW()), RecordError::Network),
        ("a supernode at no port", sign(Network::Lab, nowhere, NOW()), RecordError::Address),
    ]
}

#[test]
fn records_nobody_should_sign_are_refused_for_what_is_wrong_with_them() {
    for (name, claim, error) in bad_claims() {
        let verdict = claim.verify(Network::Lab, NOW()).and_then(|()| claim.verify_work());
        assert_eq!(verdict, Err(error), "{name}");
    }
    for (name, record, error) in bad_introductions() {
        assert_eq!(record.verify(Network::Lab, NOW()), Err(error), "{name}");
    }
    for (name, record, error) in bad_presences() {
        assert_eq!(record.verify(Network::Lab, NOW()), Err(error), "{name}");
    }
    for (name, record, error) in bad_supernodes() {
        assert_eq!(record.verify(Network::Lab, NOW()), Err(error), "{name}");
    }
    let between = Between { helper: link_secret(104).public_key(), helped: link_secret(101).public_key() };
    for (name, shown, error) in bad_credit() {
        assert_eq!(suffices(&shown, Network::Lab, between, NOW()), Err(error), "{name}");
    }
}

fn records() -> Vec<Case> {
    let refused = |name, bytes| Case {
        name,
        link: LEAF,
        bytes,
        met: Met::Refused(Refusal::Invalid),
        counter: refused_records,
    };
    let unheard =
        |name, bytes| Case { name, link: SUPERNODE, bytes, met: Met::Silence, counter: refused_records };
    let claims = bad_claims().into_iter().map(|(name, claim, _)| refused(name, put(claim)));
    let introductions =
        bad_introductions().into_iter().map(|(name, record, _)| refused(name, introduce(record)));
    let supernodes = bad_supernodes().into_iter().map(|(name, record, _)| unheard(name, gossip(record)));
    let presences = bad_presences()
        .into_iter()
        .map(|(name, record, _)| refused(name, request(Request::PutPresence(Box::new(record)))));
    let credit = bad_credit()
        .into_iter()
        .map(|(name, shown, _)| refused(name, request(Request::ShowCredit(Bounded::take(shown)))));
    let thanks = bad_thanks()
        .into_iter()
        .map(|(name, voucher)| unheard(name, wire::to_bytes(&Message::Thanks(Box::new(voucher)))));
    let all = claims.chain(introductions).chain(presences).chain(supernodes);
    all.chain(credit).chain(thanks).collect()
}

fn strange_messages() -> Vec<Case> {
    let nonsense = |name, link, bytes| Case { name, link, bytes, met: Met::Silence, counter: malformed };
    let whole = put(claim("ada", 1, 1, NOW()));
    let ring = wire::to_bytes(&Message::Ring { mailbox: mailbox(1), sealed: vec![7; 1_200] });
    let pushed = gossip(supernode(STRANGER_KEY, NOW()));
    let refused = |name, body, refusal, counter| Case {
        name,
        link: LEAF,
        bytes: request(body),
        met: Met::Refused(refusal),
        counter,
    };
    let short = Request::Deliver { mailbox: mailbox(1), sealed: vec![7; 1_199] };
    let unknown = Request::Deliver { mailbox: mailbox(9), sealed: vec![7; 1_200] };
    let response = wire::to_bytes(&Message::Response { id: 77, body: Response::Done });
    vec![
        nonsense("an empty frame", LEAF, Vec::new()),
        nonsense("an oversized frame", LEAF, vec![0x83; MAX_FRAME + 1]),
        nonsense("a truncated request", LEAF, whole[..whole.len() / 2].to_vec()),
        nonsense("bytes after a request", LEAF, [whole, vec![0]].concat()),
        nonsense("a second greeting", LEAF, wire::to_bytes(&hello(Role::Leaf, None))),
        nonsense("ringing that a leaf sends", LEAF, ring.clone()),
        nonsense("gossip that a leaf sends", LEAF, pushed),
        nonsense(
            "a relay's count that a leaf sends",
            LEAF,
            wire::to_bytes(&Message::Relayed(RelayUsage { seconds: 1, bytes: 1 })),
        ),
        nonsense("ringing for a mailbox that is not ours", SUPERNODE, ring),
        refused("an envelope of another size", short, Refusal::Invalid, refused_records),
        refused("an envelope for nobody", unknown, Refusal::UnknownMailbox, messages),
        Case {
            name: "an answer to no question",
            link: LEAF,
            bytes: response,
            met: Met::Silence,
            counter: messages,
        },
    ]
}

#[test]
fn bad_messages_are_refused_and_counted_and_leave_nothing() {
    for case in records().into_iter().chain(strange_messages()) {
        let mut bench = Bench::new();
        // What a node needs once for whatever it is told, such as room in queues, is there after the first.
        bench.say_bytes(case.link, &case.bytes);
        bench.pass(Duration::from_secs(1));
        let (before, counted) = (held(), (case.counter)(&bench.stats()));
        for nth in 1..=3 {
            let heard = bench.say_bytes(case.link, &case.bytes);
            assert_eq!(met(&heard), case.met, "{}: {heard:?}", case.name);
            drop(heard);
            assert_eq!((case.counter)(&bench.stats()), counted + nth, "{} is counted", case.name);
        }
        assert_eq!(held(), before, "{} leaves nothing", case.name);
    }
}

fn met(heard: &[Heard]) -> Met {
    match heard {
        [] => Met::Silence,
        [Heard::Message(Message::Response { body: Response::Refused(refusal), .. })] => {
            Met::Refused(*refusal)
        }
        [Heard::Message(Message::Response { body: Response::Taken { .. }, .. })] => Met::Taken,
        [Heard::Message(Message::Refuse(reason)), Heard::Closed] => Met::Ended(*reason),
        _ => panic!("neither refused nor ignored: {heard:?}"),
    }
}

#[test]
fn what_was_good_once_is_stale_later_and_leaves_nothing() {
    let mut bench = Bench::new();
    for (first, second, old) in [
        (
            put(claim("ada", 1, 1, ago(HOUR))),
            put(claim("ada", 1, 2, ago(HOUR))),
            put(claim("ada", 1, 1, ago(HOUR))),
        ),
        (
            introduce(introduction(1, Network::Lab, 1, ago(Duration::from_secs(60)))),
            introduce(introduction(1, Network::Lab, 2, NOW())),
            introduce(introduction(1, Network::Lab, 1, ago(Duration::from_secs(60)))),
        ),
        (
            request(Request::PutPresence(Box::new(presence(Network::Lab, 1, NOW())))),
            request(Request::PutPresence(Box::new(presence(Network::Lab, 2, NOW())))),
            request(Request::PutPresence(Box::new(presence(Network::Lab, 1, NOW())))),
        ),
    ] {
        for good in [first, second] {
            let heard = bench.say_bytes(LEAF, &good);
            let taken = matches!(&heard[..], [Heard::Message(Message::Response { body, .. })] if !matches!(body, Response::Refused(_) | Response::Busy));
            assert!(taken, "{heard:?}");
        }
        bench.say_bytes(LEAF, &old);
        let before = held();
        let heard = bench.say_bytes(LEAF, &old);
        assert_eq!(met(&heard), Met::Refused(Refusal::Stale));
        drop(heard);
        assert_eq!(held(), before, "what is replayed leaves nothing");
    }

    // Thanks for a time that was vouched for.
    let thanks = Message::Thanks(Box::new(voucher(101, 102, Network::Lab, NOW())));
    bench.say(SUPERNODE, &thanks);
    assert_eq!(bench.node.kept().vouchers, 1);
    bench.say(SUPERNODE, &thanks);
    let (before, counted) = (held(), bench.stats().refused_records);
    bench.say(SUPERNODE, &thanks);
    assert_eq!((bench.stats().refused_records, held()), (counted + 1, before), "a replay is refused");
    assert_eq!(bench.node.kept().vouchers, 1);

    // Somebody else's claim to a name that is held.
    let theirs = put(claim("ada", 2, 1, NOW()));
    bench.say_bytes(LEAF, &theirs);
    let before = held();
    let heard = bench.say_bytes(LEAF, &theirs);
    assert_eq!(met(&heard), Met::Taken);
    drop(heard);
    assert_eq!(held(), before);
}

#[test]
fn bad_greetings_end_the_link_and_leave_nothing() {
    let greeting = |change: fn(&mut Hello)| {
        let Message::Hello(mut hello) = hello(Role::Leaf, None) else { unreachable!() };
        change(&mut hello);
        wire::to_bytes(&Message::Hello(hello))
    };
    let as_supernode = |record| wire::to_bytes(&hello(Role::Supernode, Some(record)));
    let protocol = Met::Ended(RefuseReason::Protocol);
    let mut cases = vec![
        (
            "another network",
            greeting(|h| h.network = Network::Main),
            Met::Ended(RefuseReason::Network),
            incompatible as fn(&Stats) -> u64,
        ),
        (
            "another version",
            greeting(|h| h.versions = VersionRange { min: 2, max: 9 }),
            Met::Ended(RefuseReason::Version),
            incompatible,
        ),
        ("a supernode without a record", wire::to_bytes(&hello(Role::Supernode, None)), protocol, messages),
        ("another supernode's record", as_supernode(supernode(102, NOW())), protocol, messages),
        ("a question before the greeting", request(Request::Ping), protocol, malformed),
        ("bytes that are no greeting", b"GET / HTTP/1.1\r\n\r\n".to_vec(), protocol, malformed),
    ];
    let of_bad_records = bad_supernodes().into_iter().map(|(name, record, error)| {
        let counter = refused_records as fn(&Stats) -> u64;
        assert_ne!(error, RecordError::Version);
        (name, as_supernode(record), protocol, counter)
    });
    cases.extend(of_bad_records);
    for (name, bytes, expected, counter) in cases {
        let mut bench = Bench::new();
        let attempt = |bench: &mut Bench| {
            bench.up(STRANGER, STRANGER_KEY);
            let counted = counter(&bench.stats());
            let heard = bench.say_bytes(STRANGER, &bytes);
            assert_eq!(met(&heard), expected, "{name}");
            assert_eq!(counter(&bench.stats()), counted + 1, "{name} is counted");
            drop(heard);
            bench.down(STRANGER);
        };
        attempt(&mut bench);
        let before = held();
        attempt(&mut bench);
        assert_eq!(held(), before, "{name} leaves nothing");
    }
}

#[test]
fn who_only_talks_nonsense_is_cut_off() {
    let mut bench = Bench::new();
    let ended = (0..100).find(|_| !bench.say_bytes(LEAF, b"nonsense").is_empty());
    assert_eq!(ended, Some(15), "the sixteenth malformed message ends the link");
    assert!(bench.ask(LEAF, Request::Ping).is_empty(), "nobody is there any more");
}
