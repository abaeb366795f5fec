//! A call with a stock WebRTC end, the `webrtc` crate, in both roles: our SDP, ICE, DTLS, SRTP and data channel against
//! somebody else's driver, sockets and gathering. Nothing here measures time.
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::f32::consts::TAU;
use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use lab::tone;
use media::codec::{Decoder, MAX_DECODED};
use media::device::{AudioSink, AudioSource};
use media::frame::BLOCK;
use media::process::Processing;
use media::session::driver::{Session, answer_sdp, offer_sdp};
use media::session::{AddressScope, MediaDirection, PathPolicy, SessionConfig, SessionEvent};
use media::video::driver::VideoConfig;
use media::voice::driver::VoiceConfig;
use media::voice::{VoiceSender, VoiceSenderConfig};
use rtc::media_stream::MediaStreamTrack;
use rtc::peer_connection::configuration::media_engine::{MIME_TYPE_OPUS, MediaEngine};
use rtc::peer_connection::configuration::setting_engine::SettingEngineBuilder;
use rtc::peer_connection::sdp::RTCSessionDescription;
use rtc::peer_connection::transport::RTCIceCandidateInit;
use rtc::rtp_transceiver::rtp_sender::{
    RTCRtpCodec, RTCRtpCodingParameters, RTCRtpEncodingParameters, RtpCodecKind,
};
use tokio::sync::mpsc;
use tokio::time::{interval, timeout};
use webrtc::data_channel::{DataChannel, DataChannelEvent};
use webrtc::media_stream::track_local::TrackLocal;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use webrtc::media_stream::track_remote::{TrackRemote, TrackRemoteEvent};
use webrtc::peer_connection::{
    PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCIceGatheringState,
};

const LIMIT: Duration = Duration::from_secs(30);
const OUR_TONE: f32 = 440.0;
const THEIR_TONE: f32 = 660.0;
const THEIR_SSRC: u32 = 0x0102_0304;
const OPUS: u8 = 111;
/// Packets that prove a flow: one second and a bit.
const ENOUGH: usize = 55;

/// What the stock end reports.
enum Report {
    Gathered,
    Track(Arc<dyn TrackRemote>),
    Channel(Arc<dyn DataChannel>),
}

struct Reporter(mpsc::Sender<Report>);

type Later<'f> = Pin<Box<dyn Future<Output = ()> + Send + 'f>>;

impl Reporter {
    fn report(&self, report: Report) -> Later<'_> {
        Box::pin(async { self.0.send(report).await.unwrap_or_default() })
    }
}

// The trait is made by `async_trait`; these are its methods as that macro writes them.
impl PeerConnectionEventHandler for Reporter {
    fn on_ice_gathering_state_change<'s, 'f>(&'s self, state: RTCIceGatheringState) -> Later<'f>
    where
        's: 'f,
        Self: 'f,
    {
        match state {
            RTCIceGatheringState::Complete => self.report(Report::Gathered),
            _ => Box::pin(async {}),
        }
    }

    fn on_data_channel<'s, 'f>(&'s self, channel: Arc<dyn DataChannel>) -> Later<'f>
    where
        's: 'f,
        Self: 'f,
    {
        self.report(Report::Channel(channel))
    }

    fn on_track<'s, 'f>(&'s self, track: Arc<dyn TrackRemote>) -> Later<'f>
    where
        's: 'f,
        Self: 'f,
    {
        self.report(Report::Track(track))
    }
}

struct StockPeer {
    connection: Box<dyn PeerConnection>,
    voice: Arc<TrackLocalStaticRTP>,
    reports: mpsc::Receiver<Report>,
}

impl StockPeer {
    async fn new() -> Self {
        let (reporter, reports) = mpsc::channel(16);
        let mut media = MediaEngine::default();
        media.register_default_codecs().unwrap();
        let settings = SettingEngineBuilder::new()
            .with_multicast_dns_mode(rtc::ice::mdns::MulticastDnsMode::Disabled)
            .with_include_loopback_candidate(true);
        let connection = PeerConnectionBuilder::new()
            .with_media_engine(media)
            .with_setting_engine(settings.build())
            .with_handler(Arc::new(Reporter(reporter)))
            .with_udp_addrs(vec!["127.0.0.1:0".to_owned()])
            .build()
            .await
            .unwrap();
        let coding = RTCRtpCodingParameters { ssrc: Some(THEIR_SSRC), ..Default::default() };
        let codec = RTCRtpCodec {
            mime_type: MIME_TYPE_OPUS.to_owned(),
            clock_rate: 48_000,
            channels: 2,
            sdp_fmtp_line: "minptime=10;useinbandfec=1".to_owned(),
            rtcp_feedback: vec![],
        };
        let encoding =
            RTCRtpEncodingParameters { rtp_coding_parameters: coding, codec, ..Default::default() };
        let name = || "stock".to_owned();
        let track = MediaStreamTrack::new(name(), name(), name(), RtpCodecKind::Audio, vec![encoding]);
        let voice = Arc::new(TrackLocalStaticRTP::new(track));
        connection.add_track(Arc::clone(&voice) as Arc<dyn TrackLocal>).await.unwrap();
        Self { connection: Box::new(connection), voice, reports }
    }

    /// Its description with every candidate of its own inside.
    async fn gathered(&mut self) -> String {
        while !matches!(self.reports.recv().await, Some(Report::Gathered)) {}
        self.connection.local_description().await.unwrap().sdp
    }

    async fn take_candidates(&self, events: &mut mpsc::Receiver<SessionEvent>) {
        while let Ok(event) = events.try_recv() {
            if let SessionEvent::Candidate(candidate) = event {
                let candidate = RTCIceCandidateInit {
                    candidate: candidate.to_sdp(),
                    sdp_mid: Some("0".to_owned()),
                    sdp_mline_index: Some(0),
                    ..Default::default()
                };
                self.connection.add_ice_candidate(candidate).await.unwrap();
            }
        }
    }

    /// Says a tone for as long as somebody lets it.
    async fn speak(voice: Arc<TrackLocalStaticRTP>) {
        let mut sender = VoiceSender::new(VoiceSenderConfig::default()).unwrap();
        let mut clock = interval(Duration::from_millis(20));
        for sequence_number in 0u16.. {
            clock.tick().await;
            let packet = [0, 1].map(|half| {
                let first = (usize::from(sequence_number) * 2 + half) * BLOCK;
                let block: [f32; BLOCK] = std::array::from_fn(|n| {
                    0.3 * (TAU * THEIR_TONE * ((first + n) % 48_000) as f32 / 48_000.0).sin()
                });
                sender.capture(&block)
            });
            let Some(packet) = packet.into_iter().flatten().next() else { continue };
            let header = rtc::rtp::Header {
                version: 2,
                payload_type: OPUS,
                sequence_number,
                timestamp: packet.timestamp,
                ssrc: THEIR_SSRC,
                ..Default::default()
            };
            // Refused until the connection stands.
            let _ = voice.write_rtp(rtc::rtp::Packet { header, payload: packet.payload.into() }).await;
        }
    }

    /// Hears enough packets, and gives what they decode to.
    async fn listen(track: Arc<dyn TrackRemote>) -> Vec<f32> {
        let mut decoder = Decoder::new().unwrap();
        let mut heard = Vec::new();
        let mut packets = 0;
        while packets < ENOUGH {
            if let Some(TrackRemoteEvent::OnRtpPacket(packet)) = track.poll().await
                && !packet.payload.is_empty()
            {
                assert_eq!(packet.header.payload_type, OPUS);
                let mut decoded = [0.0; MAX_DECODED];
                let samples = decoder.decode(&packet.payload, &mut decoded).unwrap();
                heard.extend_from_slice(&decoded[..samples]);
                packets += 1;
            }
        }
        heard
    }

    /// Gives a text message back, with a prefix.
    async fn repeat(channel: Arc<dyn DataChannel>) {
        while let Some(event) = channel.poll().await {
            if let DataChannelEvent::OnMessage(message) = event {
                let text = String::from_utf8(message.data.to_vec()).unwrap();
                channel.send_text(&format!("echo:{text}")).await.unwrap();
                return;
            }
        }
    }
}

fn config(speaker: &Path) -> SessionConfig {
    let voice = VoiceConfig {
        source: AudioSource::Tone(OUR_TONE),
        sink: AudioSink::File(speaker.to_owned()),
        processing: Processing::Off,
        frames: media::voice::Frames::default(),
        trace: None,
    };
    SessionConfig {
        policy: PathPolicy::Any,
        relays: vec![],
        addresses: AddressScope::Lab,
        voice,
        video: VideoConfig::default(),
    }
}

/// Both ends are set up: everything that a call is must now happen.
async fn converse(
    session: Session,
    mut events: mpsc::Receiver<SessionEvent>,
    mut stock: StockPeer,
    channel: Option<Arc<dyn DataChannel>>,
    speaker: &Path,
) {
    session.send_message(b"hello".to_vec()).unwrap();
    let speaking = tokio::spawn(StockPeer::speak(Arc::clone(&stock.voice)));
    let mut listening = None;
    let mut repeating = channel.map(|channel| tokio::spawn(StockPeer::repeat(channel)));
    let (mut flowing, mut answered, mut received) = (false, false, 0);
    while !(flowing && answered && received > ENOUGH as u64) {
        tokio::select! {
            Some(report) = stock.reports.recv() => match report {
                Report::Track(track) => listening = Some(tokio::spawn(StockPeer::listen(track))),
                Report::Channel(channel) => repeating = Some(tokio::spawn(StockPeer::repeat(channel))),
                Report::Gathered => {}
            },
            event = events.recv() => match event.expect("the session goes on") {
                SessionEvent::MediaFlowing { direction: MediaDirection::Both, .. } => flowing = true,
                SessionEvent::Message(message) => {
                    assert_eq!(message, b"echo:hello");
                    answered = true;
                }
                SessionEvent::Stats(stats) => received = stats.packets_received,
                SessionEvent::Ended(end) => panic!("ended: {end:?}"),
                _ => {}
            },
        }
    }
    let heard_by_stock = listening.expect("a track was announced").await.unwrap();
    let share = tone::share(&heard_by_stock, f64::from(OUR_TONE)).unwrap();
    assert!(share > 0.9, "{share}");
    repeating.expect("a channel was announced").await.unwrap();
    session.close().await;
    speaking.abort();
    stock.connection.close().await.unwrap();
    let share = tone::share_in_file(speaker, f64::from(THEIR_TONE)).unwrap();
    assert!(share > 0.8, "{share}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn we_call_a_stock_peer() {
    let folder = tempfile::tempdir().unwrap();
    let speaker = folder.path().join("heard.wav");
    timeout(LIMIT, async {
        let (session, offer, mut events) = offer_sdp(config(&speaker)).await.unwrap();
        let mut stock = StockPeer::new().await;
        stock.connection.set_remote_description(RTCSessionDescription::offer(offer).unwrap()).await.unwrap();
        let answer = stock.connection.create_answer(None).await.unwrap();
        stock.connection.set_local_description(answer).await.unwrap();
        session.accept_answer_sdp(&stock.gathered().await).unwrap();
        stock.take_candidates(&mut events).await;
        converse(session, events, stock, None, &speaker).await;
    })
    .await
    .expect("in time");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stock_peer_calls_us() {
    let folder = tempfile::tempdir().unwrap();
    let speaker = folder.path().join("heard.wav");
    timeout(LIMIT, async {
        let mut stock = StockPeer::new().await;
        let channel = stock.connection.create_data_channel("chat", None).await.unwrap();
        let offer = stock.connection.create_offer(None).await.unwrap();
        stock.connection.set_local_description(offer).await.unwrap();
        let offer = stock.gathered().await;
        let (session, answer, mut events) = answer_sdp(config(&speaker), &offer).await.unwrap();
        stock
            .connection
            .set_remote_description(RTCSessionDescription::answer(answer).unwrap())
            .await
            .unwrap();
        stock.take_candidates(&mut events).await;
        converse(session, events, stock, Some(channel), &speaker).await;
    })
    .await
    .expect("in time");
}
