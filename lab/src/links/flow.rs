//! One call over the way: voice, video, and the congestion control that ships between them.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use media::bitrate::Bitrate;
use media::session::congestion::nack::{Answerer, Asker, Request};
use media::session::congestion::pacer::{Departure, Pacer, Room};
use media::session::congestion::{Controller, PacketKind, PacketResult, PacketSent, ProbeId, Settings};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use super::Ends;
use super::figures::{Log, Window};
use super::source::{Encoder, FRAME, Kind, Manner};
use super::viewer::Viewer;

/// The voice: 40 kbit/s on the wire.
const VOICE: Duration = Duration::from_millis(20);
pub(super) const VOICE_BYTES: usize = 100;
const VOICE_RATE: Bitrate = Bitrate::from_kbps(40);
/// The largest packet of video on the wire, and what of it is not video.
const PACKET: usize = 1200;
const HEADERS: usize = 70;
/// The other end's clock began long before the call.
const EPOCH: Duration = Duration::from_secs(54_321);
/// What its clock tells apart (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1.5).
const TICK: u128 = 250;
/// Before it is measured.
const ROUND_TRIP: Duration = Duration::from_millis(50);

/// A packet of a flow under way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Packet {
    pub(super) number: u16,
    pub(super) sent: Instant,
    pub(super) content: Content,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Content {
    Voice,
    Video(Piece),
    Padding,
}

/// A packet of a frame.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece {
    pub(super) sequence: u16,
    pub(super) frame: u64,
    pub(super) pieces: usize,
    pub(super) first: u16,
    pub(super) key: Kind,
    /// When the camera took it, since the beginning.
    pub(super) taken: Duration,
}

/// What the other end sends back.
#[derive(Debug)]
pub(super) struct Report {
    results: Vec<PacketResult>,
    requests: Vec<Request>,
}

/// Whether there is video beside the voice, and how much of it could be used from when on.
#[derive(Debug, Clone, Copy)]
pub enum Video {
    /// None.
    Off,
    /// At most so much, from a time since the beginning on.
    On {
        /// How frames differ.
        manner: Manner,
        /// What is useful; the encoder makes no more.
        demand: &'static [(Duration, Bitrate)],
    },
}

pub(super) struct Flow {
    origin: Instant,
    ends: Ends,
    random: StdRng,
    /// By how much what is due next is late.
    late: Duration,
    controller: Controller,
    pacer: Pacer<Content>,
    number: u16,
    voice: Instant,
    /// Packets of voice.
    spoken: u32,
    video: Option<Camera>,
    answerer: Answerer<Piece>,
    resent: Window,
    far: Far,
    pub(super) log: Log,
}

struct Camera {
    encoder: Encoder,
    demand: VecDeque<(Instant, Bitrate)>,
    most: Bitrate,
    next: Instant,
    sequence: u16,
    frame: u64,
}

/// The other end.
struct Far {
    origin: Instant,
    drift: i32,
    report: Instant,
    arrived: Vec<(u16, Instant)>,
    expected: u16,
    asker: Asker,
    viewer: Viewer,
}

impl Flow {
    pub(super) fn new(begins: Instant, origin: Instant, ends: Ends, video: Video, seed: u64) -> Self {
        let (camera, demand) = match video {
            Video::Off => (None, Bitrate::from_kbps(60)),
            Video::On { manner, demand } => {
                let changes: VecDeque<_> =
                    demand.iter().map(|(from, rate)| (begins + *from, *rate)).collect();
                let most = demand.first().map_or(Bitrate::ZERO, |(_, rate)| *rate);
                let encoder = Encoder::new(manner, seed);
                let next = begins + FRAME.mul_f64((seed % 7) as f64 / 7.0);
                (
                    Some(Camera { encoder, demand: changes, most, next, sequence: 0, frame: 0 }),
                    most + VOICE_RATE,
                )
            }
        };
        let controller = Controller::new(begins, Settings { demand, ..Settings::default() });
        let pacer = Pacer::new(controller.target());
        let phase = Duration::from_millis(seed * 13 % 50);
        Self {
            origin,
            ends,
            random: StdRng::seed_from_u64(seed),
            late: Duration::ZERO,
            controller,
            pacer,
            // Near the end of all numbers, so that they wrap.
            number: u16::MAX - 100,
            voice: begins + Duration::from_micros(seed * 1700 % 20_000),
            spoken: 0,
            video: camera,
            answerer: Answerer::new(ROUND_TRIP),
            resent: Window::default(),
            far: Far {
                origin,
                drift: ends.drift,
                report: begins + phase,
                arrived: Vec::new(),
                expected: u16::MAX - 99,
                asker: Asker::new(ROUND_TRIP),
                viewer: Viewer::default(),
            },
            log: Log::default(),
        }
    }

    /// When something is to be done.
    pub(super) fn due(&self) -> Instant {
        let pacer = self.pacer.poll_timeout().map(|(due, _)| due);
        let controller = self.controller.poll_timeout().map(|(due, _)| due);
        let camera = self.video.as_ref().map(|camera| camera.next);
        let rest = pacer.into_iter().chain(controller).chain(camera);
        let asker = self.far.asker.poll_timeout().map(|(due, _)| due);
        let due = rest.chain(asker).chain([self.far.report]).fold(self.voice, Instant::min);
        due + self.late
    }

    /// Time passes; what leaves, with its bytes.
    pub(super) fn advance(&mut self, now: Instant) -> Vec<(Packet, usize)> {
        self.late = self.ends.late.mul_f64(self.random.random());
        self.controller.handle_timeout(now);
        if now >= self.voice {
            self.voice += VOICE;
            self.spoken += 1;
            // The pacer takes all sound.
            let _ = self.pacer.push(now, Content::Voice, VOICE_BYTES, PacketKind::Audio);
        }
        self.film(now);
        self.pacer.handle_target(now, self.controller.target());
        while let Some(probe) = self.controller.poll_probe() {
            if self.video.is_some() {
                self.pacer.handle_probe(now, probe);
            }
        }
        let mut leaves = Vec::new();
        while let Some(departure) = self.pacer.poll_transmit(now) {
            leaves.push(self.leave(now, departure));
        }
        self.log.target(now - self.origin, self.controller.target());
        leaves
    }

    /// What the other end says now, if it is time.
    pub(super) fn report(&mut self, now: Instant) -> Option<Report> {
        let mut requests = Vec::new();
        while let Some(request) = self.far.asker.poll_request(now) {
            requests.push(request);
        }
        let mut results = Vec::new();
        if now >= self.far.report {
            self.far.report += self.ends.feedback;
            results = self.far.results();
        }
        (!results.is_empty() || !requests.is_empty()).then_some(Report { results, requests })
    }

    pub(super) fn reported(&mut self, now: Instant, report: Report) {
        self.controller.handle_feedback(now, &report.results);
        self.answerer.handle_round_trip(self.controller.outlook().round_trip);
        self.far.asker.handle_round_trip(self.controller.outlook().round_trip);
        let lost = self.controller.outlook().loss;
        let again = self.answerer.handle_results(now, &report.results, lost);
        self.send_again(now, again);
        for request in report.requests {
            match request {
                Request::Again(sequences) => {
                    let lost = self.controller.outlook().loss;
                    let again = self.answerer.handle_request(now, &sequences, lost);
                    self.send_again(now, again);
                }
                Request::Keyframe => {
                    if let Some(camera) = &mut self.video {
                        camera.encoder.want_keyframe();
                    }
                }
            }
        }
    }

    fn send_again(&mut self, now: Instant, pieces: Vec<(Piece, usize)>) {
        for (piece, size) in pieces {
            self.resent.add(now - self.origin, size);
            // The pacer drops what is too much.
            let _ = self.pacer.push(now, Content::Video(piece), size, PacketKind::Retransmission);
        }
    }

    pub(super) fn arrived(&mut self, now: Instant, packet: Packet, size: usize) {
        self.far.arrived.push((packet.number, now));
        let at = now - self.origin;
        match packet.content {
            Content::Voice => self.log.voice(at, now - packet.sent, size),
            Content::Padding => {}
            Content::Video(piece) => {
                self.log.video(at, size);
                self.far.asker.handle_packet(now, piece.sequence);
                if let Some(key) = self.far.viewer.arrived(at, piece) {
                    self.far.asker.handle_keyframe(key);
                }
            }
        }
    }

    /// Pictures shown so far.
    pub(super) fn viewer(&self) -> &Viewer {
        &self.far.viewer
    }

    /// Share of the voice that never arrived.
    pub(super) fn voice_lost(&self) -> f64 {
        1.0 - self.log.voice.len() as f64 / f64::from(self.spoken.max(1))
    }

    /// The camera takes a frame, which is encoded if there is room.
    fn film(&mut self, now: Instant) {
        let Some(camera) = &mut self.video else { return };
        while let Some((_, rate)) = camera.demand.pop_front_if(|(from, _)| *from <= now) {
            camera.most = rate;
            self.controller.handle_demand(now, rate + VOICE_RATE);
        }
        if now < camera.next {
            return;
        }
        camera.next += FRAME;
        let resent = self.resent.rate(now - self.origin);
        let rate = self.controller.target().less(VOICE_RATE + resent).min(camera.most);
        if self.pacer.room() == Room::Skip {
            camera.encoder.skip(rate);
            return;
        }
        let payload = rate.scaled((PACKET - HEADERS) as f64 / PACKET as f64);
        let (key, bytes) = camera.encoder.frame(payload);
        let pieces = bytes.div_ceil(PACKET - HEADERS).max(1);
        let (first, taken) = (camera.sequence, now - self.origin);
        for _ in 0..pieces {
            let piece = Piece { sequence: camera.sequence, frame: camera.frame, pieces, first, key, taken };
            camera.sequence = camera.sequence.wrapping_add(1);
            let size = bytes / pieces + HEADERS;
            // There is room: it was asked for.
            let _ = self.pacer.push(now, Content::Video(piece), size, PacketKind::Video);
        }
        camera.frame += 1;
    }

    fn leave(&mut self, now: Instant, departure: Departure<Content>) -> (Packet, usize) {
        let (content, size, kind, probe): (_, _, _, Option<ProbeId>) = match departure {
            Departure::Packet { packet, size, kind, probe } => (packet, size, kind, probe),
            Departure::Padding { size, probe } => (Content::Padding, size, PacketKind::Padding, Some(probe)),
        };
        if let (Content::Video(piece), PacketKind::Video) = (content, kind) {
            self.answerer.handle_sent(now, piece.sequence, piece, size);
        }
        self.number = self.number.wrapping_add(1);
        self.controller.handle_sent(now, PacketSent { number: self.number, size, kind, probe });
        if let Content::Video(piece) = content {
            self.answerer.handle_departure(self.number, piece.sequence);
        }
        self.log.sent(now - self.origin, size);
        (Packet { number: self.number, sent: now, content }, size)
    }
}

impl Far {
    /// All numbers from the first that was not told of to the newest.
    fn results(&mut self) -> Vec<PacketResult> {
        let arrived = std::mem::take(&mut self.arrived);
        let ahead = |number: u16| number.wrapping_sub(self.expected);
        let Some(newest) = arrived.iter().map(|(number, _)| *number).max_by_key(|number| ahead(*number))
        else {
            return Vec::new();
        };
        let mut results: Vec<PacketResult> = (0..=ahead(newest))
            .map(|nth| PacketResult { number: self.expected.wrapping_add(nth), arrival: None })
            .collect();
        for (number, at) in arrived {
            if let Some(result) = results.get_mut(usize::from(ahead(number))) {
                result.arrival = Some(self.clock(at));
            }
        }
        self.expected = newest.wrapping_add(1);
        results
    }

    fn clock(&self, at: Instant) -> Duration {
        let passed = (at - self.origin).mul_f64(1.0 + f64::from(self.drift) / 1e6);
        let micros = (EPOCH + passed).as_micros() / TICK * TICK;
        Duration::from_micros(micros as u64)
    }
}
