//! The one task of a session: commands, sound, sockets and time in; packets and events out.
#![expect(clippy::disallowed_methods, reason = "the task reads the clock for the state machines it drives")]

use std::future::poll_fn;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};
use tokio::time::{sleep_until, timeout};

use super::flow::{Flow, Meter};
use super::pictures::{PictureNews, Pictures};
use super::sound::{Sound, SoundNews};
use crate::device::{AudioSink, AudioSource};
use crate::mix::Volume;
use crate::session::far::Far;
use crate::session::line::{Line, LineEvent};
use crate::session::network::driver::{LOOK_EVERY, Network};
use crate::session::path::streams::Wish;
use crate::session::sockets::driver::{Received, Sockets};
use crate::session::{
    Camera, Candidate, Description, Mute, RelayServer, Relayed, Sdp, SessionEnd, SessionError, SessionEvent,
};
use crate::video::driver::{VideoEvent, VideoSource};
use crate::video::viewing::Viewing;
use crate::voice::VoicePacket;
use crate::voice::driver::{ReceivedPacket, VoiceEvent};

/// How often statistics are told.
const STATS_EVERY: Duration = Duration::from_secs(1);

/// How long the last event waits for an owner whose queue is full.
const FAREWELL: Duration = Duration::from_secs(1);

/// How long relays that are reached over streams have to take what is said last.
const LAST_WORDS: Duration = Duration::from_millis(300);

/// The task sleeps no longer than this, whatever its state machines say.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// What a session's owner asks for.
#[derive(Debug)]
pub(in crate::session) enum Command {
    /// What the other end answers with, while it rings there.
    Prepare(Description),
    Accept(Description),
    PickUp,
    AcceptSdp(String),
    OfferSdp(String),
    Restart,
    Candidate(Candidate),
    Relays(Vec<RelayServer>),
    Mapping {
        inside: SocketAddr,
        outside: SocketAddr,
    },
    NetworkChanged,
    Mute(Mute),
    Microphone(AudioSource),
    Loudspeaker(AudioSink),
    Volume(Volume),
    Camera(Camera),
    Source(VideoSource),
    Viewing(Viewing),
    Message(Vec<u8>),
    Close,
}

/// What ties a session to its owner.
pub(in crate::session) struct Owner {
    pub(in crate::session) commands: mpsc::Receiver<Command>,
    pub(in crate::session) events: mpsc::Sender<SessionEvent>,
    /// What went through relays, told in the end.
    pub(in crate::session) bill: oneshot::Sender<Vec<Relayed>>,
}

/// Everything one session owns.
pub(in crate::session) struct Task {
    far: Far,
    sockets: Sockets,
    network: Network,
    sound: Sound,
    pictures: Pictures,
    commands: mpsc::Receiver<Command>,
    events: mpsc::Sender<SessionEvent>,
    flow: Flow,
    meter: Meter,
    next_stats: Option<Instant>,
    next_look: Option<Instant>,
    end: Option<SessionEnd>,
    bill: oneshot::Sender<Vec<Relayed>>,
}

impl Task {
    pub(in crate::session) fn new(
        far: Far,
        sockets: Sockets,
        network: Network,
        (sound, pictures): (Sound, Pictures),
        owner: Owner,
    ) -> Self {
        let Owner { commands, events, bill } = owner;
        Self {
            far,
            sockets,
            network,
            sound,
            pictures,
            commands,
            events,
            flow: Flow::default(),
            meter: Meter::default(),
            next_stats: None,
            next_look: None,
            end: None,
            bill,
        }
    }

    /// Runs until the far end is over.
    pub(in crate::session) async fn run(mut self) {
        let mut inbox = Vec::new();
        loop {
            self.settle(Instant::now());
            if let Some(end) = self.end.take() {
                return self.finish(end).await;
            }
            let deadline = self.deadline(Instant::now());
            let Self { far, sockets, sound, pictures, commands, .. } = &mut self;
            tokio::select! {
                biased;
                // 1: the owner is served first, and is rarely there.
                command = commands.recv() => self.handle_command(Instant::now(), command.unwrap_or(Command::Close)),
                // 2: fifty packets a second of our own sound, and what is rare.
                news = sound.next() => self.handle_sound(Instant::now(), news),
                // 3: thirty pictures a second of our own.
                news = pictures.next() => self.handle_pictures(Instant::now(), news),
                // 4: the network, in bounded batches.
                () = poll_fn(|cx| {
                    let now = Instant::now();
                    sockets.poll(cx, &mut inbox, |socket| far.poll_stream(now, socket))
                }) => {
                    let now = Instant::now();
                    for received in inbox.drain(..) {
                        match received {
                            Received::Datagram { socket, source, payload } => {
                                self.far.handle_datagram(now, socket, source, &payload);
                            }
                            Received::Stream { socket, event } => self.far.handle_stream(now, socket, event),
                        }
                    }
                }
                // 5: time; what is due is also done after each of the others.
                () = sleep_until(deadline.into()) => {}
            }
        }
    }

    fn deadline(&mut self, now: Instant) -> Instant {
        let far = self.far.poll_timeout().map(|(due, _)| due);
        [far, self.next_stats, self.next_look].into_iter().flatten().fold(now + LONGEST_SLEEP, Instant::min)
    }

    /// Does what is due and moves everything that waits.
    fn settle(&mut self, now: Instant) {
        if self.next_look.is_none_or(|due| due <= now) {
            self.look(now);
        }
        if self.far.poll_timeout().is_some_and(|(due, _)| due <= now) {
            self.far.handle_timeout(now);
        }
        while let Some(event) = self.far.poll_event() {
            if let LineEvent::PicturesEnd(last) = event
                && self.pictures.end(now, last)
            {
                self.tell(SessionEvent::PicturesEnded);
            }
            if let Some(event) = self.pictures.handle_far(now, event) {
                self.handle_far(now, event);
            }
        }
        self.pictures.follow(now, &mut self.far);
        // First, for what is opened has something to send.
        while let Some(wish) = self.far.poll_wish() {
            self.grant(now, wish);
        }
        while let Some(transmit) = self.far.poll_transmit() {
            self.sockets.send(transmit);
        }
        if let Some(latest) = self.far.line().and_then(Line::poll_round_trip) {
            self.sound.handle_round_trip(latest);
        }
        if self.next_stats.is_some_and(|due| due <= now) {
            self.next_stats = Some(now + STATS_EVERY);
            let measured = self.far.measure(now);
            self.sound.handle_report(measured.supported, measured.reported());
            self.pictures.set_round_trip(measured.rtt);
            let stats = self.meter.read(now, measured, &self.sound.playout(), self.pictures.measure());
            self.tell(SessionEvent::Stats(stats));
        }
    }

    /// Lets the sockets follow the addresses of this machine.
    fn look(&mut self, now: Instant) {
        self.next_look = Some(now + LOOK_EVERY);
        let Some(line) = self.far.line() else { return };
        if let Err(error) = self.network.look(now, line, &mut self.sockets) {
            tracing::debug!(%error, "the addresses of this machine are not told");
        }
    }

    fn grant(&mut self, now: Instant, wish: Wish) {
        match (wish, self.far.line()) {
            (Wish::Dial(dial), Some(line)) => {
                let socket = self.sockets.dial(&dial);
                line.add_stream(now, socket, &dial);
            }
            (Wish::Allocate(relay), Some(line)) => {
                self.network.open_towards(now, line, &mut self.sockets, relay);
            }
            (Wish::OpenBeside(base), Some(line)) => match self.sockets.open_beside(base) {
                Ok((socket, local)) => line.add_beside(now, socket, local),
                Err(error) => {
                    tracing::debug!(%error, "no more sockets to guess with");
                    line.refuse_beside(now);
                }
            },
            (Wish::Dial(_) | Wish::Allocate(_) | Wish::OpenBeside(_), None) => {}
            (Wish::HangUp(socket), _) => self.sockets.close(socket),
            (Wish::Release(relay), _) => self.network.release(&mut self.sockets, relay),
        }
    }

    fn handle_far(&mut self, now: Instant, event: LineEvent) {
        match event {
            LineEvent::Candidate(candidate) => self.tell(SessionEvent::Candidate(candidate)),
            LineEvent::Connected => {
                self.sound.start();
                self.pictures.start(now, &mut self.far);
                self.meter.start(now);
                self.next_stats = Some(now + STATS_EVERY);
                self.tell(SessionEvent::Connected);
            }
            LineEvent::Path(report) => {
                self.sound.handle_new_way();
                self.tell(SessionEvent::Path(report));
            }
            LineEvent::RelaysWanted(wanted) => self.tell(SessionEvent::RelaysWanted(wanted)),
            LineEvent::Relay(relay, health) => self.tell(SessionEvent::Relay(relay, health)),
            LineEvent::Voice { number, timestamp, payload, copies, transmission } => {
                self.meter.received(payload.len());
                self.sound.insert(ReceivedPacket {
                    arrival: now,
                    number,
                    timestamp,
                    payload: payload.into(),
                    copies,
                    transmission,
                });
                if self.pictures.are_seen() {
                    self.pictures.follow_voice(self.sound.playout().playing);
                }
            }
            LineEvent::Message(message) => self.tell(SessionEvent::Message(message)),
            LineEvent::Mute(mute) => self.tell(SessionEvent::Mute(mute)),
            LineEvent::Reception(reception) => self.tell(SessionEvent::Reception(reception)),
            LineEvent::Ended(end) => self.end = Some(end),
            LineEvent::Video { .. }
            | LineEvent::KeyframeWanted
            | LineEvent::Camera(_)
            | LineEvent::PicturesEnd(_)
            | LineEvent::Clock { .. }
            | LineEvent::Viewing(_) => {}
        }
    }

    fn handle_command(&mut self, now: Instant, command: Command) {
        match (command, self.far.line()) {
            (Command::Close, _) => self.far.hang_up(now),
            (Command::Mute(mute), line) => {
                self.sound.set_muted(mute);
                line.into_iter().for_each(|line| line.set_muted(now, mute));
            }
            (Command::Volume(volume), _) => self.sound.set_volume(volume),
            (Command::Microphone(source), _) => self.sound.set_microphone(source),
            (Command::Loudspeaker(sink), _) => self.sound.set_loudspeaker(sink),
            (Command::Source(source), _) => self.pictures.set_source(now, &mut self.far, source),
            (Command::Camera(camera), _) => self.pictures.set_camera(now, &mut self.far, camera),
            (Command::Prepare(answer), Some(line)) => {
                let prepared = line.prepare(now, &answer);
                self.end_if_refused(now, prepared);
            }
            (Command::PickUp, Some(line)) => {
                line.pick_up(now);
                self.sound.open();
            }
            (Command::Accept(answer), Some(line)) => {
                let accepted = line.accept(now, &answer);
                self.end_if_refused(now, accepted);
            }
            (Command::AcceptSdp(answer), Some(line)) => {
                if let Err(error) = line.accept_sdp(now, &answer) {
                    self.tell(SessionEvent::SdpRefused(error));
                }
            }
            (Command::OfferSdp(offer), Some(line)) => {
                let answer = line.reanswer(now, &offer).map(Sdp::Answer);
                self.tell(answer.map_or_else(SessionEvent::SdpRefused, SessionEvent::Sdp));
            }
            (Command::Restart, Some(line)) => {
                let offer = line.restart(now).map(Sdp::Offer);
                self.tell(offer.map_or_else(SessionEvent::SdpRefused, SessionEvent::Sdp));
            }
            (Command::Candidate(candidate), Some(line)) => line.add_candidate(now, candidate),
            (Command::Relays(relays), Some(line)) => line.offer_relays(now, &relays),
            (Command::Mapping { inside, outside }, Some(line)) => line.add_mapping(now, inside, outside),
            (Command::NetworkChanged, _) => self.look(now),
            (Command::Viewing(viewing), Some(line)) => line.send_viewing(now, viewing),
            (Command::Message(message), Some(line)) => line.send_message(now, message),
            // Echo repeats messages as it repeats everything.
            (Command::Message(message), None) => self.tell(SessionEvent::Message(message)),
            (
                Command::Prepare(_)
                | Command::Accept(_)
                | Command::PickUp
                | Command::AcceptSdp(_)
                | Command::OfferSdp(_)
                | Command::Restart
                | Command::Candidate(_)
                | Command::Mapping { .. }
                | Command::Viewing(_)
                | Command::Relays(_),
                None,
            ) => {}
        }
    }

    fn end_if_refused(&mut self, now: Instant, accepted: Result<(), SessionError>) {
        if let Err(error) = accepted {
            self.far.hang_up(now);
            self.settle(now);
            self.end = Some(SessionEnd::Internal(error.to_string()));
        }
    }

    fn handle_packet(&mut self, now: Instant, packet: VoicePacket) {
        if self.far.send_voice(now, packet) {
            self.meter.sent();
            let flowing = self.flow.sent();
            self.tell_all(flowing);
        }
    }

    fn handle_sound(&mut self, now: Instant, news: SoundNews) {
        match news {
            SoundNews::Packet(packet) => self.handle_packet(now, packet),
            SoundNews::Event(VoiceEvent::FirstCaptured { t0_unix_ms }) => self.flow.captured(t0_unix_ms),
            SoundNews::Event(VoiceEvent::FirstPlayed { t0_unix_ms }) => self.flow.played(t0_unix_ms),
            SoundNews::Event(VoiceEvent::FirstDecoded) => {
                let flowing = self.flow.decoded();
                self.tell_all(flowing);
            }
            SoundNews::Event(VoiceEvent::DeviceLost(error)) => self.tell(SessionEvent::DeviceLost(error)),
            SoundNews::Event(VoiceEvent::DeviceRefused(error)) => {
                self.tell(SessionEvent::DeviceRefused(error))
            }
            SoundNews::Event(VoiceEvent::DeviceRestored(direction)) => {
                self.tell(SessionEvent::DeviceRestored(direction));
            }
            SoundNews::Event(VoiceEvent::SourceEnded) => {}
            SoundNews::Refused(error) => {
                self.far.hang_up(now);
                self.settle(now);
                self.end = Some(SessionEnd::Device(error));
            }
        }
    }

    fn handle_pictures(&mut self, now: Instant, news: PictureNews) {
        match (news, self.far.line()) {
            (PictureNews::Picture(packets), Some(line)) => {
                self.pictures.sent(packets.len());
                line.send_video(now, packets);
            }
            (PictureNews::Event(VideoEvent::KeyframeNeeded), Some(line)) => line.need_keyframe(now),
            (PictureNews::Event(VideoEvent::FirstShown), _) => self.tell(SessionEvent::FirstPicture),
            (PictureNews::Event(VideoEvent::Lost(error)), _) => {
                self.pictures.handle_lost(now, &mut self.far, &error);
                self.tell(SessionEvent::PicturesLost(error));
            }
            (PictureNews::Picture(_) | PictureNews::Event(VideoEvent::KeyframeNeeded), None) => {}
        }
    }

    fn tell_all(&self, events: Vec<SessionEvent>) {
        for event in events {
            self.tell(event);
        }
    }

    fn tell(&self, event: SessionEvent) {
        if let Err(mpsc::error::TrySendError::Full(_)) = self.events.try_send(event) {
            tracing::warn!("an event was dropped: the session's owner does not read them");
        }
    }

    /// Sends what is left, finishes sound files, and says why.
    async fn finish(mut self, end: SessionEnd) {
        while let Some(transmit) = self.far.poll_transmit() {
            self.sockets.send(transmit);
        }
        let Self { far, sockets, .. } = &mut self;
        let said = poll_fn(|cx| {
            let now = Instant::now();
            sockets.poll_finish(cx, |socket| far.poll_stream(now, socket))
        });
        if timeout(LAST_WORDS, said).await.is_err() {
            tracing::debug!("a relay did not take the last words of a call");
        }
        let mut relayed = Vec::new();
        if let Some(line) = self.far.line() {
            tracing::debug!(dropped = ?line.dropped(), ?end, "the call is over");
            relayed = line.relayed(Instant::now());
        }
        let Self { sound, pictures, events, commands, bill, .. } = self;
        // Whoever drops a session does not want to know.
        let _ = bill.send(relayed);
        sound.close().await;
        pictures.close().await;
        if timeout(FAREWELL, events.send(SessionEvent::Ended(end))).await.is_err() {
            tracing::warn!("nobody took the last event of a session");
        }
        drop(commands);
    }
}
