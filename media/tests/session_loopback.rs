//! Two sessions, real sockets, real time, one machine: everything between `offer` and the last sample in a sound file.
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]
#![expect(
    clippy::disallowed_types,
    reason = "a relay that is silent over UDP is a socket nobody reads, and its connections are to break"
)]

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use media::device::{AudioSink, AudioSource};
use media::process::Processing;
use media::session::driver::{Session, echo, offer, prepare};
use media::session::{
    AddressScope, CertificateHash, Description, MediaDirection, PathPolicy, PathProtocol, PathReport,
    RelayServer, RelayStreams, RelaysWanted, SessionConfig, SessionEnd, SessionEvent,
};
use media::video::driver::VideoConfig;
use media::voice::driver::VoiceConfig;
use relay::server::{PeerPolicy, ServerConfig};
use relay::{CredentialIssuer, Credentials, driver};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Generous: these tests share two cores with others; nothing here measures time.
const LIMIT: Duration = Duration::from_secs(30);

fn voice(source: AudioSource, sink: AudioSink) -> VoiceConfig {
    VoiceConfig {
        source,
        sink,
        processing: Processing::Off,
        frames: media::voice::Frames::default(),
        trace: None,
    }
}

fn config(policy: PathPolicy, relays: Vec<RelayServer>, voice: VoiceConfig) -> SessionConfig {
    SessionConfig { policy, relays, addresses: AddressScope::Lab, voice, video: VideoConfig::default() }
}

struct End {
    session: Session,
    events: mpsc::Receiver<SessionEvent>,
    path: Option<PathReport>,
    connected: bool,
    /// Whether sound of its own has left.
    speaks: bool,
    flowing: bool,
    messages: Vec<Vec<u8>>,
    wanted: Vec<RelaysWanted>,
    /// Packets of sound so far.
    received: u64,
    end: Option<SessionEnd>,
}

impl End {
    fn new(session: Session, events: mpsc::Receiver<SessionEvent>) -> Self {
        Self {
            session,
            events,
            path: None,
            connected: false,
            speaks: false,
            flowing: false,
            messages: vec![],
            wanted: vec![],
            received: 0,
            end: None,
        }
    }

    /// Takes one event; candidates go to the other end.
    fn take(&mut self, event: SessionEvent, other: &Session) {
        match event {
            SessionEvent::Candidate(candidate) => other.add_candidate(candidate).unwrap(),
            SessionEvent::Connected => self.connected = true,
            SessionEvent::Path(path) => self.path = Some(path),
            SessionEvent::MediaFlowing { direction: MediaDirection::Both, speaker_t0, .. } => {
                assert!(speaker_t0.is_some(), "the speaker file has begun");
                self.flowing = true;
            }
            SessionEvent::MediaFlowing { direction: MediaDirection::Send, .. } => self.speaks = true,
            SessionEvent::Relay(..) => {}
            SessionEvent::RelaysWanted(wanted) => self.wanted.push(wanted),
            SessionEvent::Stats(stats) => self.received = stats.packets_received,
            SessionEvent::Message(message) => self.messages.push(message),
            SessionEvent::Ended(end) => self.end = Some(end),
            _ => {}
        }
    }
}

/// Carries candidates until `done`.
async fn run(ends: &mut [End; 2], done: impl Fn(&[End; 2]) -> bool) {
    let run = async {
        while !done(ends) {
            let [a, b] = ends;
            tokio::select! {
                Some(event) = a.events.recv() => a.take(event, &b.session),
                Some(event) = b.events.recv() => b.take(event, &a.session),
                else => panic!("both sessions went silent"),
            }
        }
    };
    timeout(LIMIT, run).await.expect("in time");
}

async fn call(configs: [SessionConfig; 2]) -> [End; 2] {
    let [caller, callee] = configs;
    let (a, described, a_events) = offer(caller).await.unwrap();
    let described = Description::decode(&described.encode()).unwrap();
    let (b, described, b_events) = prepare(callee, described).unwrap();
    b.pick_up().unwrap();
    a.accept_answer(Description::decode(&described.encode()).unwrap()).unwrap();
    [End::new(a, a_events), End::new(b, b_events)]
}

/// How the call ended for one whose other end is gone.
async fn ended(end: &mut End) -> SessionEnd {
    let ended = async {
        loop {
            if let SessionEvent::Ended(how) = end.events.recv().await.expect("an end") {
                return how;
            }
        }
    };
    timeout(LIMIT, ended).await.expect("in time")
}

/// A relay on loopback and what lets somebody use it.
async fn relay_server() -> (driver::RelayServer, Credentials) {
    let listen = "127.0.0.1:0".parse().unwrap();
    let server = ServerConfig { peers: PeerPolicy::Lab, ..ServerConfig::new(listen, SECRET, [4; 32]) };
    (driver::RelayServer::start(server).await.unwrap(), credentials(Duration::from_secs(600)))
}

const SECRET: [u8; 32] = [3; 32];

fn credentials(lifetime: Duration) -> Credentials {
    CredentialIssuer::new(SECRET).issue(driver::now().unix, "lab", lifetime)
}

/// Passes connections on to `to`, and breaks them all whenever told to.
async fn passage(to: SocketAddr) -> (SocketAddr, mpsc::Sender<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, (cut, mut cuts)) = (listener.local_addr().unwrap(), mpsc::channel(1));
    tokio::spawn(async move {
        let mut passing = JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => {
                    let (mut near, _) = accepted.unwrap();
                    passing.spawn(async move {
                        let mut far = TcpStream::connect(to).await.unwrap();
                        copy_bidirectional(&mut near, &mut far).await
                    });
                }
                told = cuts.recv() => match told {
                    Some(()) => passing.shutdown().await,
                    None => return,
                }
            }
        }
    });
    (address, cut)
}

/// How much of the sound in a file is a sine of `hz` (Goertzel), 0 to 1, leaving out silence.
fn share_of_tone(path: &Path, hz: f32) -> f32 {
    let samples: Vec<f32> = hound::WavReader::open(path)
        .unwrap()
        .samples::<i16>()
        .map(|s| f32::from(s.unwrap()) / 32768.0)
        .collect();
    let mut shares: Vec<f32> = samples
        .chunks_exact(4800)
        .filter_map(|window| {
            let energy: f32 = window.iter().map(|x| x * x).sum();
            let step = std::f32::consts::TAU * hz / 48_000.0;
            let (re, im) = window.iter().enumerate().fold((0.0, 0.0), |(re, im), (n, x)| {
                let (sin, cos) = (step * n as f32).sin_cos();
                (re + x * cos, im + x * sin)
            });
            (energy > 1.0).then_some((re * re + im * im) * 2.0 / 4800.0 / energy)
        })
        .collect();
    shares.sort_by(f32::total_cmp);
    assert!(shares.len() >= 2, "hardly any sound in {}", path.display());
    shares[shares.len() / 2]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_over_loopback_records_what_the_other_end_said() {
    let folder = tempfile::tempdir().unwrap();
    let [at_a, at_b] = ["a.wav", "b.wav"].map(|name| folder.path().join(name));
    let ends = [
        config(PathPolicy::Any, vec![], voice(AudioSource::Tone(440.0), AudioSink::File(at_a.clone()))),
        config(PathPolicy::Any, vec![], voice(AudioSource::Tone(660.0), AudioSink::File(at_b.clone()))),
    ];
    let mut ends = call(ends).await;
    run(&mut ends, |ends| ends.iter().all(|end| end.connected && end.flowing)).await;
    for end in &ends {
        let path = end.path.as_ref().unwrap();
        assert!(path.direct && path.relay.is_none(), "{path:?}");
    }
    ends[0].session.send_message(b"hello".to_vec()).unwrap();
    run(&mut ends, |ends| ends[1].messages == [b"hello"]).await;
    tokio::time::sleep(Duration::from_millis(1200)).await;
    let [a, mut b] = ends;
    a.session.close().await;
    assert!(matches!(ended(&mut b).await, SessionEnd::PeerClosed));
    b.session.close().await;
    assert!(share_of_tone(&at_a, 660.0) > 0.8, "{}", share_of_tone(&at_a, 660.0));
    assert!(share_of_tone(&at_b, 440.0) > 0.8, "{}", share_of_tone(&at_b, 440.0));
}

/// It rings, until a word has passed over the control channel: the way is proven and secured.
async fn ringing(caller: SessionConfig, callee: SessionConfig) -> [End; 2] {
    let (a, described, a_events) = offer(caller).await.unwrap();
    let (b, described, b_events) = prepare(callee, described).unwrap();
    a.prepare_answer(described.clone()).unwrap();
    b.send_message(b"here".to_vec()).unwrap();
    let mut ends = [End::new(a, a_events), End::new(b, b_events)];
    run(&mut ends, |ends| ends[0].messages == [b"here"]).await;
    ends
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_device_is_open_before_somebody_picks_up() {
    let folder = tempfile::tempdir().unwrap();
    let heard = folder.path().join("heard.wav");
    let caller = config(PathPolicy::Any, vec![], voice(AudioSource::Tone(440.0), AudioSink::Null));
    let callee =
        config(PathPolicy::Any, vec![], voice(AudioSource::Tone(660.0), AudioSink::File(heard.clone())));
    let mut ends = ringing(caller, callee).await;
    assert!(!heard.exists() && !ends[0].connected && !ends[1].connected);
    ends[1].session.pick_up().unwrap();
    run(&mut ends, |ends| ends[1].speaks).await;
    assert!(heard.exists() && !ends[0].connected, "the answer has not been given to the caller");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_that_cannot_be_opened_when_somebody_picks_up_ends_the_call() {
    let silent = || voice(AudioSource::Tone(440.0), AudioSink::Null);
    let broken = voice(AudioSource::File("/no/such/file.wav".into()), AudioSink::Null);
    let callee = config(PathPolicy::Any, vec![], broken);
    let mut ends = ringing(config(PathPolicy::Any, vec![], silent()), callee).await;
    ends[1].session.pick_up().unwrap();
    assert!(matches!(ended(&mut ends[1]).await, SessionEnd::Device(_)));
    assert!(matches!(ended(&mut ends[0]).await, SessionEnd::PeerClosed));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relayed_call_over_loopback_learns_of_the_relay_late() {
    let (server, credentials) = relay_server().await;
    let udp = server.local_addr();
    let relay = RelayServer { udp, streams: None, credentials: Some(credentials), until: None };
    let silent = || voice(AudioSource::Tone(300.0), AudioSink::Null);
    let mut ends = call([
        config(PathPolicy::Relay, vec![], silent()),
        config(PathPolicy::Relay, vec![relay.clone()], silent()),
    ])
    .await;
    ends[0].session.add_relays(vec![relay]).unwrap();
    run(&mut ends, |ends| ends.iter().all(|end| end.path.is_some() && end.connected)).await;
    let path = ends[0].path.clone().unwrap();
    assert!(!path.direct && path.relay == Some(server.local_addr()), "{path:?}");
    let [a, b] = ends;
    drop(a.session);
    b.session.close().await;
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_whose_relay_is_silent_over_udp_goes_over_tcp_and_says_good_bye() {
    let (server, credentials) = relay_server().await;
    let silent = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let streams = RelayStreams { address: server.local_addr(), certificate: CertificateHash([0; 32]) };
    let relay = RelayServer {
        udp: silent.local_addr().unwrap(),
        streams: Some(streams),
        credentials: Some(credentials),
        until: None,
    };
    let config = |hz| {
        let voice = voice(AudioSource::Tone(hz), AudioSink::Null);
        config(PathPolicy::Relay, vec![relay.clone()], voice)
    };
    let mut ends = call([config(300.0), config(500.0)]).await;
    run(&mut ends, |ends| ends.iter().all(|end| end.path.is_some() && end.connected && end.flowing)).await;
    for end in &ends {
        let path = end.path.as_ref().unwrap();
        assert_eq!((path.protocol, path.direct, path.relay), (PathProtocol::Tcp, false, Some(relay.udp)));
    }
    let [a, mut b] = ends;
    let carried = a.session.close().await;
    assert!(carried.iter().any(|relayed| relayed.relay == relay.udp && relayed.bytes > 1000), "{carried:?}");
    assert!(matches!(ended(&mut b).await, SessionEnd::PeerClosed));
    b.session.close().await;
    let given_back = async {
        while server.stats().allocations > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(LIMIT, given_back).await.expect("allocations are given back");
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn credentials_are_renewed_in_time_for_a_relay_that_is_reached_anew_after_the_first_have_ended() {
    let first = Duration::from_secs(4);
    let until = driver::now().instant + first;
    let (server, _) = relay_server().await;
    let (address, cut) = passage(server.local_addr()).await;
    let silent = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let streams = RelayStreams { address, certificate: CertificateHash([0; 32]) };
    let relay = |lifetime| RelayServer {
        udp: silent.local_addr().unwrap(),
        streams: Some(streams),
        credentials: Some(credentials(lifetime)),
        until: Some(driver::now().instant + lifetime),
    };
    let config = |hz| {
        let voice = voice(AudioSource::Tone(hz), AudioSink::Null);
        config(PathPolicy::Relay, vec![relay(first)], voice)
    };
    let mut ends = call([config(300.0), config(500.0)]).await;
    let udp = silent.local_addr().unwrap();
    let renewal = |wanted: &RelaysWanted| wanted.renew == [udp];
    run(&mut ends, |ends| ends.iter().all(|end| end.flowing && end.wanted.iter().any(renewal))).await;
    for end in &ends {
        end.session.add_relays(vec![relay(Duration::from_secs(600))]).unwrap();
    }
    // The relay knows time by the second.
    run(&mut ends, |_| driver::now().instant > until + Duration::from_secs(2)).await;
    // An allocation ends with its connection: the next takes credentials.
    cut.send(()).await.unwrap();
    let before = ends.each_ref().map(|end| end.received);
    run(&mut ends, |ends| ends.iter().zip(before).all(|(end, before)| end.received > before + 200)).await;
    assert_eq!(server.stats().allocations, 2);
    let [a, b] = ends;
    a.session.close().await;
    b.session.close().await;
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn echo_needs_no_network() {
    let (session, mut events) = echo(voice(AudioSource::Tone(440.0), AudioSink::Null)).await.unwrap();
    let both = async {
        while let Some(event) = events.recv().await {
            if matches!(event, SessionEvent::MediaFlowing { direction: MediaDirection::Both, .. }) {
                return;
            }
        }
        panic!("the echo was never heard");
    };
    timeout(LIMIT, both).await.unwrap();
    session.close().await;
    let last = async {
        while let Some(event) = events.recv().await {
            if let SessionEvent::Ended(end) = event {
                return end;
            }
        }
        panic!("no end");
    };
    assert!(matches!(timeout(LIMIT, last).await.unwrap(), SessionEnd::Closed));
}

#[tokio::test]
async fn a_missing_sound_file_is_an_error_before_anything_is_sent() {
    let missing = voice(AudioSource::File("/nowhere/speech.wav".into()), AudioSink::Null);
    let error = offer(config(PathPolicy::Any, vec![], missing)).await.unwrap_err();
    assert!(error.to_string().contains("/nowhere/speech.wav"), "{error}");
}
