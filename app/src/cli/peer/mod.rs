//! `silbo peer`: one end of a call with any WebRTC implementation, its signalling on standard input and output.
//!
//! ```text
//!   offer:  Ready ── at once, or with --wait at {"t":"call"} ──▶ Calling ── bye, or end of input ──▶ Over
//!   answer: Ready ── {"t":"offer"} ───────────────────────────▶ Calling
//! ```
//!
//! No profile, no supernode: what the product's media do between two ends, and nothing else.

mod wire;

use super::{args, inbox, print, serve, stop::Stop};
use crate::reason::Reason;
use media::{
    frame::BLOCK,
    session::{
        AddressScope, CallStats, Candidate, PathPolicy, PathReport, RelayServer, Sdp, SessionConfig,
        SessionEnd, SessionError, SessionEvent,
        driver::{Session, answer_sdp, offer_sdp},
    },
    voice::driver::{HandOvers, Hold, Trace},
};
use relay::Credentials;
use serde_json::{Value, json};
use std::{fs, future::pending, path::Path};
use tokio::{net::lookup_host, sync::mpsc};
use wire::{Heard, Server};

/// Candidates kept until there is a session; later ones are dropped.
const EARLY_CANDIDATES: usize = 24;

/// `silbo peer offer|answer`
pub(super) fn peer(lab: bool, arguments: &args::Peer) -> Result<u8, Reason> {
    serve::check_files(&arguments.media)?;
    let runtime = serve::runtime()?;
    let status = runtime.block_on(Peer::new(lab, arguments).run());
    runtime.shutdown_background();
    status
}

struct Peer<'a> {
    arguments: &'a args::Peer,
    config: SessionConfig,
    trace: Trace,
    call: Option<Call>,
    early: Vec<Candidate>,
}

/// A session and what it said.
struct Call {
    session: Session,
    events: mpsc::Receiver<SessionEvent>,
    said: Said,
}

/// What a session said of itself last.
#[derive(Debug, Clone, Default)]
struct Said {
    path: Option<PathReport>,
    stats: CallStats,
    messages: u64,
}

/// Whether it goes on.
enum Next {
    More,
    Over(Option<Reason>),
}

impl<'a> Peer<'a> {
    fn new(lab: bool, arguments: &'a args::Peer) -> Self {
        let trace = Trace::new(if arguments.hold_mic { Hold::On } else { Hold::Off });
        let mut voice = arguments.media.voice();
        if arguments.media.processing.is_none() {
            voice.processing = media::process::Processing::Off;
        }
        voice.trace = Some(trace.clone());
        let config = SessionConfig {
            policy: PathPolicy::Any,
            relays: Vec::new(),
            addresses: if lab { AddressScope::Lab } else { AddressScope::Public },
            voice,
            video: arguments.media.video(),
        };
        Self { arguments, config, trace, call: None, early: Vec::new() }
    }

    async fn run(mut self) -> Result<u8, Reason> {
        let mut stop = Stop::listen();
        let mut lines = inbox::lines(wire::parse);
        say(&json!({ "t": "ready" }));
        if self.arguments.role == args::PeerRole::Offer && !self.arguments.wait {
            self.offer().await?;
        }
        let failed = loop {
            let next = tokio::select! {
                biased;
                // Priority 1: whoever started us wants us to end.
                () = stop.asked() => Next::Over(None),
                // Priority 2: what the session reports.
                event = next_event(&mut self.call) => self.handle_event(event),
                // Priority 3: what is asked for.
                line = lines.recv() => match line {
                    None => Next::Over(None),
                    Some(Ok(heard)) => self.handle(heard).await?,
                    Some(Err(why)) => {
                        say(&wire::error(&why));
                        Next::More
                    }
                },
            };
            if let Next::Over(failed) = next {
                break failed;
            }
        };
        self.close().await?;
        failed.map_or(Ok(0), Err)
    }

    async fn handle(&mut self, heard: Heard) -> Result<Next, Reason> {
        let offers = self.arguments.role == args::PeerRole::Offer;
        match (heard, &mut self.call) {
            (Heard::Bye, _) => return Ok(Next::Over(None)),
            (Heard::Start, _) => self.trace.release(),
            (Heard::OtherCandidate, _) => {}
            (Heard::Call, None) if offers => self.offer().await?,
            (Heard::Offer(offer), None) if !offers => self.answer(&offer).await?,
            (Heard::Ice(servers, policy), None) => self.use_servers(servers, policy).await,
            (Heard::Candidate(candidate), None) if self.early.len() < EARLY_CANDIDATES => {
                self.early.push(candidate);
            }
            (Heard::Offer(offer), Some(call)) => complain(call.session.accept_offer_sdp(&offer)),
            (Heard::Answer(answer), Some(call)) => complain(call.session.accept_answer_sdp(&answer)),
            (Heard::Candidate(candidate), Some(call)) => complain(call.session.add_candidate(candidate)),
            (Heard::Restart, Some(call)) => complain(call.session.restart_ice()),
            (Heard::Stats, call) => {
                let said = call.as_ref().map(|call| call.said.clone()).unwrap_or_default();
                let mut stats = said.figures();
                stats["t"] = "stats".into();
                say(&stats);
            }
            (Heard::Ice(..), Some(_)) => {
                say(&wire::error("servers come before the offer; who offers waits for them with --wait"));
            }
            (heard, _) => say(&wire::error(&format!("out of place: {}", heard.kind()))),
        }
        Ok(Next::More)
    }

    async fn use_servers(&mut self, servers: Vec<Server>, policy: PathPolicy) {
        self.config.policy = policy;
        for Server { address, credentials } in servers {
            let found = lookup_host(&address).await.ok().and_then(|mut found| found.next());
            let Some(udp) = found else {
                say(&wire::error(&format!("{address}: no such server")));
                continue;
            };
            let credentials = credentials.map(|(username, password)| Credentials { username, password });
            self.config.relays.push(RelayServer { udp, streams: None, credentials, until: None });
        }
    }

    async fn offer(&mut self) -> Result<(), Reason> {
        let (session, sdp, events) = offer_sdp(self.config.clone()).await?;
        say(&json!({ "t": "offer", "sdp": sdp }));
        self.begin(session, events);
        Ok(())
    }

    async fn answer(&mut self, offer: &str) -> Result<(), Reason> {
        match answer_sdp(self.config.clone(), offer).await {
            Ok((session, sdp, events)) => {
                say(&json!({ "t": "answer", "sdp": sdp }));
                self.begin(session, events);
                Ok(())
            }
            Err(error @ (SessionError::Description(_) | SessionError::Engine(_))) => {
                say(&wire::error(&error.to_string()));
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    fn begin(&mut self, session: Session, events: mpsc::Receiver<SessionEvent>) {
        for candidate in self.early.drain(..) {
            complain(session.add_candidate(candidate));
        }
        self.call = Some(Call { session, events, said: Said::default() });
    }

    fn handle_event(&mut self, event: Option<SessionEvent>) -> Next {
        let Some(call) = &mut self.call else { return Next::More };
        match event {
            Some(SessionEvent::Candidate(candidate)) => say(&wire::candidate(&candidate)),
            Some(SessionEvent::Connected) => say(&json!({ "t": "connected" })),
            Some(SessionEvent::Path(path)) => call.said.path = Some(path),
            Some(SessionEvent::Stats(stats)) => call.said.stats = stats,
            Some(SessionEvent::Sdp(Sdp::Offer(sdp))) => say(&json!({ "t": "offer", "sdp": sdp })),
            Some(SessionEvent::Sdp(Sdp::Answer(sdp))) => say(&json!({ "t": "answer", "sdp": sdp })),
            Some(SessionEvent::SdpRefused(error)) => say(&wire::error(&error.to_string())),
            Some(SessionEvent::DeviceLost(error) | SessionEvent::DeviceRefused(error)) => {
                say(&wire::error(&error.to_string()))
            }
            Some(SessionEvent::PicturesLost(error)) => say(&wire::error(&error.to_string())),
            Some(SessionEvent::Message(message)) => {
                call.said.messages += 1;
                if let Ok(text) = String::from_utf8(message) {
                    complain(call.session.send_message(format!("echo:{text}").into_bytes()));
                }
            }
            Some(
                SessionEvent::MediaFlowing { .. }
                | SessionEvent::DeviceRestored(_)
                | SessionEvent::FirstPicture
                | SessionEvent::PicturesEnded
                | SessionEvent::Mute(_)
                | SessionEvent::Reception(_)
                | SessionEvent::RelaysWanted(_)
                | SessionEvent::Relay(..),
            ) => {}
            Some(SessionEvent::Ended(end)) => return Next::Over(why(end)),
            None => return Next::Over(None),
        }
        Next::More
    }

    async fn close(self) -> Result<(), Reason> {
        let Some(call) = self.call else { return Ok(()) };
        let figures = call.said.figures();
        say(&json!({ "t": "bye" }));
        call.session.close().await;
        match &self.arguments.meta {
            Some(path) => write_meta(path, self.arguments.role, &self.trace.hand_overs(), &figures),
            None => Ok(()),
        }
    }
}

impl Said {
    fn figures(&self) -> Value {
        let Self { path, stats, messages } = self;
        json!({
            "audio_tx": stats.packets_sent,
            "audio_rx": stats.packets_received,
            "video_tx": stats.picture_packets_sent,
            "video_rx": stats.picture_packets_received,
            "video_frames": stats.pictures_shown,
            "dc_rx": messages,
            "local": path.as_ref().map(|path| path.local.as_str()),
            "remote": path.as_ref().map(|path| path.remote.as_str()),
            "rtt_ms": stats.rtt.map(|rtt| rtt.as_secs_f64() * 1000.0),
            "concealed_ratio": stats.concealed_ratio,
            "playout_delay_ms": stats.playout_delay.as_secs_f64() * 1000.0,
            "fps": stats.pictures.map(|pictures| pictures.frame_rate),
            "width": stats.pictures.map(|pictures| pictures.width),
            "height": stats.pictures.map(|pictures| pictures.height),
            "video_kbps": stats.pictures.map(|pictures| pictures.kbps),
            "freezes": stats.pictures.map(|pictures| pictures.freezes),
            "frozen_ms": stats.pictures.map(|pictures| pictures.frozen.as_secs_f64() * 1000.0),
        })
    }
}

async fn next_event(call: &mut Option<Call>) -> Option<SessionEvent> {
    match call {
        Some(call) => call.events.recv().await,
        None => pending().await,
    }
}

fn say(line: &Value) {
    print::line(&line.to_string());
}

fn complain(done: Result<(), SessionError>) {
    if let Err(error) = done {
        say(&wire::error(&error.to_string()));
    }
}

/// Why a session that nobody here ended is over; hanging up is no failure.
fn why(end: SessionEnd) -> Option<Reason> {
    match end {
        SessionEnd::Closed | SessionEnd::PeerClosed => None,
        SessionEnd::NoPath => Some(Reason::NoPath),
        SessionEnd::NotAuthentic => Some(Reason::NotAuthentic),
        SessionEnd::Lost => Some(Reason::ConnectionLost),
        SessionEnd::Device(error) => Some(error.into()),
        end => Some(Reason::Internal(format!("{end:?}"))),
    }
}

/// When every block was handed over: `[first sample, samples, microseconds of the wall clock]`.
fn write_meta(path: &Path, role: args::PeerRole, blocks: &HandOvers, stats: &Value) -> Result<(), Reason> {
    let listed = |times: &[u64]| -> Vec<(usize, usize, u64)> {
        times.iter().enumerate().map(|(nth, at)| (nth * BLOCK, BLOCK, *at)).collect()
    };
    let meta = json!({
        "kind": "peer",
        "name": role.as_str(),
        "cap": listed(&blocks.captured),
        "play": listed(&blocks.played),
        "stats": stats,
    });
    fs::write(path, meta.to_string()).map_err(|error| {
        Reason::Usage(format!("{} cannot be written: {error}. Give --meta another file.", path.display()))
    })
}
