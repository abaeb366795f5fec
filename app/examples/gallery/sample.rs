//! Invented snapshots, one per state of the window; the tests of the window show them too.

use app::call::receipt::{PathTaken, PicturesSeen, Receipt};
use app::engine::diagnosis::{Bearing, ClockError, Fact, Finding, Ipv6, Verdict};
use app::engine::view::{
    Attempt, CallPhase, CallView, ClaimRow, ClaimState, ContactId, ContactRow, HistoryOutcome, HistoryRow,
    NetworkCheck, NetworkFound, NetworkState, Notice, PathView, Presence, Quality, RequestRow, Search,
    Second, TREND, View,
};
use app::reason::{Fault, Reason, Word};
use app::storage::{Verified, When};
use media::device::{AudioSink, AudioSource, DeviceInfo, Direction};
use media::session::Camera;
use media::video::driver::{Screen, Viewfinder};
use media::video::frame::{Size, Taken};
use media::video::pattern;
use overlay::outcome::{Carrier, Linked, OnRing, Ring, Ties};
use overlay::routing::Place;
use overlay::{Identity, LinkKey, NatKind, OfflineReason, PublicKey, Role};
use relay::UnixTime;
use std::time::{Duration, Instant};

/// The key of an invented person.
pub(crate) fn key(seed: u8) -> PublicKey {
    Identity::from_secret([seed; 32]).public_key()
}

/// The contact of an invented person.
pub(crate) fn person(seed: u8) -> ContactId {
    ContactId::Person(key(seed))
}

/// A profile on its very first start.
pub(crate) fn first_run() -> View {
    let mut view = View::new(key(7));
    view.contacts = vec![contact(ContactId::Echo, "Echo", None)];
    view
}

/// A profile that has been in use for a while.
pub(crate) fn contacts() -> View {
    let mut view = first_run();
    view.own.name = Some("alice".to_owned());
    view.own.claim = ClaimState::Held { held_by: 5, of: 5 };
    view.network = NetworkState::Online { homes: 3 };
    view.contacts.extend([
        contact(person(1), "bob", Some(today("14:05"))),
        contact(person(2), "carmen.santana", Some(yesterday("19:30"))),
        contact(person(3), "dilip", None),
        contact(person(4), "the-longest-username-ever-seen-1", Some(on("2026-11-12", "18:40"))),
    ]);
    view.history = vec![
        past(person(1), "bob", HistoryOutcome::Placed, today("14:05"), Some(247)),
        past(person(2), "carmen.santana", HistoryOutcome::Missed, today("09:12"), None),
        past(person(2), "carmen.santana", HistoryOutcome::Received, yesterday("19:30"), Some(3765)),
        past(ContactId::Echo, "Echo", HistoryOutcome::Placed, yesterday("19:02"), Some(34)),
        past(person(3), "dilip", HistoryOutcome::Declined, on("2026-11-20", "11:40"), None),
    ];
    view
}

/// The same, with a name that another key has now.
pub(crate) fn key_changed() -> View {
    let mut view = contacts();
    for row in view.contacts.iter_mut().filter(|row| [person(1), person(4)].contains(&row.id)) {
        row.changed = Some(key(9));
    }
    view
}

/// A call with `with` in `phase`.
pub(crate) fn call(with: ContactId, name: &str, phase: CallPhase) -> View {
    let mut view = contacts();
    view.call = Some(CallView::new(with, name.to_owned(), phase));
    view
}

/// A running call that began at `since`.
pub(crate) fn active(since: Instant) -> View {
    let mut view = call(person(2), "carmen.santana", CallPhase::Active { since });
    if let Some(call) = &mut view.call {
        call.path = Some(PathView::Direct);
        call.quality = Some(Quality { bars: 4, mouth_to_ear: Duration::from_millis(84), lost: 0.002 });
        call.trend = trend();
        call.mic_level = 0.55;
        call.speaker_level = 0.4;
        call.camera = Some(Camera::Off);
    }
    view
}

/// The same with pictures both ways.
pub(crate) fn filmed(since: Instant) -> View {
    let mut view = active(since);
    let picture = Size::new(640, 360).map(|size| pattern::draw(size, Taken::Media(0), 1234));
    if let (Some(call), Ok(picture)) = (&mut view.call, picture) {
        call.camera = Some(Camera::On);
        call.viewfinder = Some(Viewfinder::still(picture.clone()));
        call.screen = Some(Screen::still(picture));
    }
    view
}

/// The answer to a search for `eva`, with these claims.
pub(crate) fn found(claims: &[(u8, usize, bool)]) -> View {
    let claims = claims.iter().map(|(seed, holders, contact)| ClaimRow {
        key: key(*seed),
        fingerprint: key(*seed).fingerprint(),
        holders: *holders,
        contact: *contact,
    });
    search(Search::Found { name: "eva".to_owned(), claims: claims.collect() })
}

/// Calls of strangers are waiting.
pub(crate) fn requests() -> View {
    let mut view = contacts();
    view.requests = vec![request(5, "eva", Attempt::Now), request(6, "frank", Attempt::Past)];
    view
}

/// A stranger who called.
pub(crate) fn request(seed: u8, name: &str, attempt: Attempt) -> RequestRow {
    RequestRow { key: key(seed), name: name.to_owned(), fingerprint: key(seed).fingerprint(), attempt }
}

/// Something has to be told.
pub(crate) fn notices() -> View {
    let mut view = contacts();
    view.notices = vec![
        Notice {
            id: 1,
            why: Reason::Device { why: "unplugged".to_owned(), fault: Fault::Gone(Direction::Capture) },
        },
        Notice { id: 2, why: Reason::NameTaken("alice".to_owned()) },
    ];
    view
}

/// Microphones and loudspeakers are plugged in, and those named by these ids were chosen.
pub(crate) fn devices(microphone: &str, loudspeaker: &str) -> View {
    let mut view = contacts();
    let device = |id: &str, name: &str, direction, is_default| DeviceInfo {
        id: id.to_owned(),
        name: name.to_owned(),
        direction,
        is_default,
    };
    view.settings.devices = Some(vec![
        device("built-in", "Built-in microphone", Direction::Capture, true),
        device("usb-1", "Headset", Direction::Capture, false),
        device("usb-2", "Headset", Direction::Capture, false),
        device("hdmi.monitor", "Monitor of HDMI", Direction::Capture, false),
        device("built-in", "Built-in speakers", Direction::Playback, true),
        device("hdmi", "HDMI", Direction::Playback, false),
    ]);
    view.settings.microphone = AudioSource::Preferred(microphone.to_owned());
    view.settings.loudspeaker = AudioSink::Preferred(loudspeaker.to_owned());
    view
}

/// It was found out whether people can call, with everything there is to say.
pub(crate) fn checked(verdict: Verdict) -> View {
    let finding = |bearing, fact| Finding { topic: "any", bearing, fact };
    let home = ([203, 0, 113, 5], 443).into();
    let udp = match verdict {
        Verdict::Callable => finding(Bearing::Good, Fact::UdpWorks),
        Verdict::OverTcp => finding(Bearing::Note, Fact::CallsOverTcp),
        Verdict::NoSound | Verdict::Unreachable => finding(Bearing::Bad, Fact::NoWayForSound),
    };
    let mut view = contacts();
    view.network_check = NetworkCheck::Found(Box::new(NetworkFound {
        verdict,
        findings: vec![
            finding(Bearing::Good, Fact::RungThrough(vec![(home, Carrier::Quic), (home, Carrier::Tcp)])),
            finding(Bearing::Good, Fact::SeenAt(vec![home.ip()])),
            finding(Bearing::Note, Fact::Nat(NatKind::AddressDependent)),
            udp,
            finding(Bearing::Note, Fact::Ipv6(Ipv6::None)),
            finding(Bearing::Note, Fact::PortFiltered(Role::Leaf)),
            finding(Bearing::Note, Fact::OffersNothing),
            finding(Bearing::Note, Fact::ClockCorrected(ClockError::Ahead(90))),
        ],
        lines: "all of it".to_owned(),
    }));
    view
}

/// The same, and the helpers this computer knows: three homes among so many.
pub(crate) fn ringed(verdict: Verdict, known: u16) -> View {
    let linked = |carrier, seconds, round_trip| Linked {
        carrier,
        lasted: Duration::from_secs(seconds),
        round_trip: Option::map(round_trip, Duration::from_micros),
    };
    let supernode = |n: u16| {
        let ties = match n {
            0 => Ties::Home(linked(Carrier::Quic, 4_021, Some(23_400))),
            1 => Ties::Home(linked(Carrier::Quic, 4_019, Some(8_240))),
            2 => Ties::Home(linked(Carrier::Tcp, 312, None)),
            3 => Ties::Linked(linked(Carrier::Quic, 9, Some(161_000))),
            n if n % 9 == 5 => Ties::Silent,
            n if n % 5 == 1 => Ties::Answered,
            _ => Ties::HeardOf,
        };
        let [low, high] = n.to_le_bytes();
        let mut node = [low; 32];
        node[1] = high;
        // As even and as uneven as hashes are.
        let bits = (u32::from(n) + 1).wrapping_mul(2_654_435_769) ^ ((u32::from(n) * 97_531) << 9);
        let address = ([203, 0, 113, low], 7600).into();
        OnRing { node: LinkKey::from_bytes(node), place: Place::from_bits(bits), address, ties }
    };
    let mut supernodes: Vec<OnRing> = (0..known.min(200)).map(supernode).collect();
    supernodes.sort_by_key(|shown| shown.place);
    let ring = Ring { own: Place::from_bits(0x2c00_0000), known: known.into(), supernodes };
    View { ring: Some(ring.into()), ..checked(verdict) }
}

/// Not linked to the network.
pub(crate) fn offline() -> View {
    let mut view = contacts();
    view.network = NetworkState::Offline(OfflineReason::NobodyAnswers);
    view
}

/// A claim of a name in this state.
pub(crate) fn claim(claim: ClaimState) -> View {
    let mut view = first_run();
    view.own.name =
        matches!(claim, ClaimState::Claiming | ClaimState::Held { .. }).then(|| "alice".to_owned());
    view.own.claim = claim;
    view
}

/// A search for `eva` in this state.
pub(crate) fn search(search: Search) -> View {
    let mut view = contacts();
    view.search = search;
    view
}

/// Every state of the window that depends on the snapshot alone.
pub(crate) fn gallery(now: Instant) -> Vec<(&'static str, View)> {
    let bob = |phase| call(person(1), "bob", phase);
    let since = now.checked_sub(Duration::from_secs(247)).unwrap_or(now);
    let mut muted = active(since);
    if let Some(call) = &mut muted.call {
        call.muted = true;
        call.path = Some(PathView::Relayed);
        call.quality = Some(Quality { bars: 2, mouth_to_ear: Duration::from_millis(240), lost: 0.031 });
    }
    let mut muted_filmed = filmed(since);
    if let Some(call) = &mut muted_filmed.call {
        call.muted = true;
    }
    let mut echo = call(ContactId::Echo, "Echo", CallPhase::Active { since });
    if let Some(call) = &mut echo.call {
        call.path = Some(PathView::Local);
    }
    let mut ringing = bob(CallPhase::Ringing);
    ringing.call.iter_mut().for_each(|call| call.mic_level = 0.3);
    let ended = |why, seconds: Option<u64>| CallPhase::Ended {
        why,
        lasted: seconds.map(Duration::from_secs),
        receipt: seconds.map(|_| receipt()),
    };
    let name = || "eva".to_owned();
    Vec::from([
        ("first-run", first_run()),
        ("claiming", claim(ClaimState::Claiming)),
        ("taken", claim(ClaimState::Taken)),
        ("contacts", contacts()),
        ("key-changed", key_changed()),
        ("found", found(&[(5, 5, false)])),
        ("several", found(&[(5, 4, false), (6, 2, true)])),
        ("nobody", found(&[])),
        ("searching", search(Search::Searching { name: name() })),
        ("search-failed", search(Search::Failed { name: name(), why: Reason::NoNetwork })),
        ("requests", requests()),
        ("notices", notices()),
        ("offline", offline()),
        ("devices", devices("usb-1", "hdmi")),
        ("network", ringed(Verdict::OverTcp, 40)),
        ("no-sound", checked(Verdict::NoSound)),
        ("incoming", bob(CallPhase::Incoming)),
        ("calling", bob(CallPhase::Calling)),
        ("ringing", ringing),
        ("connecting", bob(CallPhase::Connecting)),
        ("active", active(since)),
        ("filmed", filmed(since)),
        ("muted", muted),
        ("muted-filmed", muted_filmed),
        ("echo", echo),
        ("ended", bob(ended(Reason::HungUp, Some(247)))),
        ("no-answer", bob(ended(Reason::NotOnline(Word::Left), None))),
    ])
}

/// What a call with pictures was like.
pub(crate) fn receipt() -> Receipt {
    Receipt {
        path: PathTaken::Mixed,
        seconds: 247,
        mos: 4.2,
        worst_mos: 3.7,
        mouth_to_ear: Duration::from_millis(92),
        made_up: Duration::from_millis(340),
        loss: 0.004,
        pictures: Some(PicturesSeen { height: 720, frame_rate: 29.4, frozen: Duration::from_millis(400) }),
    }
}

/// Two minutes of a call that got worse and better again.
fn trend() -> Vec<Second> {
    let second = |n: usize| {
        let bad = if (50..70).contains(&n) { (n % 10) as f32 / 10.0 } else { 0.0 };
        Second {
            mos: 4.3 - bad,
            mouth_to_ear: Duration::from_millis(80 + (bad * 90.0) as u64),
            lost: bad * 0.06,
            kbps: 900.0 - bad * 500.0 + (n % 7) as f32 * 12.0,
            frame_rate: Some(30.0 - bad * 12.0),
        }
    };
    (0..TREND).map(second).collect()
}

fn contact(id: ContactId, name: &str, last_call: Option<When>) -> ContactRow {
    let fingerprint = match id {
        ContactId::Echo => String::new(),
        ContactId::Person(key) => key.fingerprint(),
    };
    let presence = Presence::Unknown;
    ContactRow {
        id,
        name: name.to_owned(),
        nickname: None,
        fingerprint,
        last_call,
        presence,
        verified: if id == person(3) { Verified::Yes } else { Verified::No },
        changed: None,
    }
}

fn past(
    with: ContactId,
    name: &str,
    outcome: HistoryOutcome,
    when: When,
    seconds: Option<u64>,
) -> HistoryRow {
    let lasted = seconds.map(Duration::from_secs);
    // Each began at another time; they are told apart by it.
    let began = UnixTime::from_secs(1_700_000_000 + seconds.unwrap_or_default());
    HistoryRow {
        with,
        name: name.to_owned(),
        outcome,
        began,
        when,
        lasted,
        receipt: lasted.map(|_| receipt()),
        reply: None,
    }
}

fn today(time: &str) -> When {
    When::Today { time: time.to_owned() }
}

fn yesterday(time: &str) -> When {
    When::Yesterday { time: time.to_owned() }
}

fn on(date: &str, time: &str) -> When {
    When::On { date: date.to_owned(), time: time.to_owned() }
}
