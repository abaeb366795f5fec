//! Calls: does what the line says, and tells it what the session and the post report.

use super::{
    AutoAnswer,
    actor::{Actor, Done, Undelivered},
    call_words::Certificates,
    event::{EventBody, Person},
    microphone::MicrophoneWatch,
    picture::shown_name,
    pictures::Filming,
    power, reasons,
    view::{CallPhase, ContactId},
};
use crate::{
    call::{
        CallEvent, CallId, CallKind, Output, Side, Start, Welcome,
        message::{Body, Signal},
    },
    note::Note,
    reason::Reason,
};
use media::session::{
    AddressScope, Camera, Candidate, Description, Mute, SessionConfig, SessionError, SessionEvent, driver,
};
use media::video::driver::{VideoConfig, VideoError, VideoSource};
use media::video::viewing::Viewing;
use overlay::{LinkKey, Network, PublicKey, SendError, driver::Handle};
use relay::UnixTime;
use std::{
    collections::BTreeMap,
    future,
    net::SocketAddr,
    time::{Duration, Instant},
};
use tokio::sync::mpsc;

/// How often the level meters of the window move during a call.
const LEVELS_EVERY: Duration = Duration::from_millis(100);

/// The media session of the call.
pub(super) struct MediaSession {
    pub(super) call: CallId,
    pub(super) session: driver::Session,
    pub(super) filming: Filming,
    pub(super) certificates: Certificates,
    events: mpsc::Receiver<SessionEvent>,
    levels_at: Instant,
    pub(super) microphone: MicrophoneWatch,
    /// Until when the microphone is open for somebody who holds a key.
    pub(super) lent_until: Option<Instant>,
}

/// A session that runs.
pub(super) struct SessionStart {
    session: driver::Session,
    /// How it describes itself, unless it is an echo.
    description: Option<Description>,
    /// What it takes pictures of.
    source: VideoSource,
    /// What a caller will show in the handshake.
    theirs: Option<[u8; 32]>,
    events: mpsc::Receiver<SessionEvent>,
    /// Why it takes no pictures, where it was to.
    unseen: Option<Box<VideoError>>,
}

impl MediaSession {
    /// The next event of the session, or never when there is none. Cancel safe.
    pub(super) async fn next_event(session: &mut Option<Self>) -> (CallId, Option<SessionEvent>) {
        match session {
            Some(running) => (running.call, running.events.recv().await),
            None => future::pending().await,
        }
    }
}

impl Actor {
    /// Does everything the line asks for.
    pub(super) fn do_what_the_line_says(&mut self) {
        while let Some(output) = self.line.poll_output() {
            match output {
                Output::Send { to, signal } => self.send(to, &signal),
                Output::SendOnSession(signal) => self.send_on_session(&signal),
                Output::Start { call, start } => self.start_session(call, start),
                Output::PrepareAnswer(description) => {
                    self.give_answer(&description, driver::Session::prepare_answer);
                }
                Output::AcceptAnswer(description) => {
                    self.give_answer(&description, driver::Session::accept_answer);
                }
                Output::PickUp => self.pick_up(),
                Output::AddCandidates(candidates) => self.add_candidates(&candidates),
                Output::Stop => self.stop_session(),
                Output::Event { call, with, event } => self.handle_call_event(call, with, event),
            }
        }
    }

    /// Somebody's envelope.
    pub(super) fn handle_envelope(&mut self, from: PublicKey, sent: UnixTime, payload: &[u8]) {
        if self.is_blocked(from) {
            return tracing::debug!("an envelope of somebody blocked was dropped");
        }
        match Note::decode(payload) {
            Some(Ok(Note::Presence { secret, knows_yours })) => {
                return self.presence_handed(from, secret, knows_yours);
            }
            Some(Ok(Note::Called { .. })) => return tracing::debug!("a note was out of place"),
            Some(Err(error)) => return tracing::debug!(%error, "a note was dropped"),
            None => {}
        }
        match Signal::decode(payload) {
            Ok(signal) => {
                let welcome = self.welcome(from);
                self.line.handle_signal(self.now(), from, sent, welcome, signal);
            }
            Err(error) => tracing::debug!(%error, "an envelope was dropped"),
        }
    }

    /// Something somebody left while we were away; nothing of it rings.
    pub(super) fn handle_letter(&mut self, from: PublicKey, sent: UnixTime, payload: &[u8]) {
        if self.is_blocked(from) {
            return tracing::debug!("a letter of somebody blocked was dropped");
        }
        match Note::decode(payload) {
            Some(Ok(Note::Called { name })) => self.called_in_vain(from, sent, &name),
            Some(Ok(Note::Presence { secret, knows_yours })) => {
                self.presence_handed(from, secret, knows_yours);
            }
            Some(Err(error)) => tracing::debug!(%error, "a letter was dropped"),
            None => tracing::debug!("a letter was out of place"),
        }
    }

    /// What the running session says; `None` when it broke.
    pub(super) fn handle_session(&mut self, (call, event): (CallId, Option<SessionEvent>)) {
        let now = self.now();
        match event {
            Some(SessionEvent::Candidate(candidate)) => {
                self.map_call(call, std::slice::from_ref(&candidate));
                self.line.handle_candidate(now, call, candidate.encode());
            }
            Some(SessionEvent::Connected) => self.begin_filming(),
            Some(SessionEvent::Path(path)) => {
                self.picture.path(&path);
                self.measure(|meter| meter.path(&path));
                self.tell(Some(call), EventBody::Path(path));
            }
            Some(SessionEvent::MediaFlowing { direction, mic_t0, speaker_t0 }) => {
                self.tell(Some(call), EventBody::MediaFlowing { direction, mic_t0, speaker_t0 });
                self.line.handle_flowing(now, call);
            }
            Some(SessionEvent::Stats(stats)) => {
                self.picture.quality(&stats);
                self.measure(|meter| meter.second(&stats));
                self.go_on_talking(now.instant);
                self.tell(Some(call), EventBody::Stats(stats));
            }
            Some(SessionEvent::RelaysWanted(wanted)) => self.relays_wanted(&wanted),
            Some(SessionEvent::Relay(relay, health)) => self.relay_found(relay, health),
            Some(SessionEvent::DeviceLost(error)) => self.device_lost(call, error),
            Some(SessionEvent::DeviceRefused(error)) => self.device_refused(call, &error),
            Some(SessionEvent::DeviceRestored(direction)) => self.device_restored(call, direction),
            Some(SessionEvent::FirstPicture) => {
                let screen = self.session.as_ref().map(|running| running.session.screen());
                if let Some(shown) = &mut self.picture.view.call {
                    shown.screen = screen;
                }
                self.tell(Some(call), EventBody::FirstPicture);
            }
            Some(SessionEvent::PicturesEnded) => {
                if let Some(shown) = &mut self.picture.view.call {
                    shown.screen = None;
                }
                self.tell(Some(call), EventBody::PicturesEnded);
            }
            Some(SessionEvent::PicturesLost(error)) => self.pictures_lost(call, &error),
            Some(SessionEvent::Message(message)) => self.handle_message(&message),
            Some(SessionEvent::Mute(mute)) => self.other_end_muted(call, mute),
            Some(SessionEvent::Reception(reception)) => {
                if let Some(shown) = &mut self.picture.view.call {
                    shown.reception = reception;
                }
                self.tell(Some(call), EventBody::Reception(reception));
            }
            // Nobody speaks SDP here.
            Some(SessionEvent::Sdp(_) | SessionEvent::SdpRefused(_)) => {}
            Some(SessionEvent::Ended(end)) => {
                self.stop_session();
                let (reason, by) = reasons::of_session_end(end);
                self.line.handle_session_over(now, call, reason, by);
            }
            None => {
                self.stop_session();
                let broken = Reason::Internal("the media session stopped".into());
                self.line.handle_session_over(now, call, broken, Side::Local);
            }
        }
    }

    /// A session asked for runs, or cannot.
    pub(super) fn session_started(&mut self, call: CallId, result: Result<SessionStart, SessionError>) {
        let now = self.now();
        match result {
            Ok(SessionStart { session, description, source, theirs, events, unseen }) => {
                if self.line.current().is_none_or(|(current, _)| current != call) {
                    // Over before it began.
                    self.farewells.spawn(close(session, self.overlay.clone(), self.relays.lenders()));
                    return;
                }
                if let Err(error) = session.add_relays(self.fresh_relays()) {
                    tracing::debug!(%error, "relays were not taken");
                }
                if let Some(shown) = &mut self.picture.view.call {
                    shown.viewfinder = Some(session.viewfinder());
                    if let Err(error) = session.set_volume(shown.volume) {
                        tracing::debug!(%error, "the volume was not taken");
                    }
                }
                let filming = Filming::new(self.config.video.source.clone(), source);
                let ours = description.as_ref().map(Description::certificate);
                let certificates = Certificates { ours, theirs };
                let levels_at = now.instant;
                let microphone = MicrophoneWatch::new(levels_at);
                self.session = Some(MediaSession {
                    call,
                    session,
                    filming,
                    certificates,
                    events,
                    levels_at,
                    microphone,
                    lent_until: None,
                });
                self.map_call(call, description.as_ref().map_or(&[], |ours| ours.candidates()));
                if let Some(error) = unseen {
                    self.goes_unseen(call, &error);
                }
                // Somebody may have answered meanwhile.
                if let Err(reason) = self.begin_as_wished() {
                    self.complain(Some(call), reason);
                }
                self.line.handle_started(now, call, description.map(|description| description.encode()));
            }
            Err(error) => self.line.handle_start_failed(now, call, error.into()),
        }
    }

    pub(super) fn hang_up(&mut self) -> Result<(), Reason> {
        if self.stop_dialling() {
            return Ok(());
        }
        self.line.hang_up(self.now())
    }

    /// No person asked for this, so that nobody is told what fails: the window may say so just when the call is over.
    pub(super) fn set_viewing(&self, viewing: Viewing) {
        let told = self.session.as_ref().map(|running| running.session.set_viewing(viewing));
        if let Some(Err(error)) = told {
            tracing::debug!(%error, "the other end was not told how large its pictures are shown");
        }
    }

    /// Without a call there is nothing to hurry.
    pub(super) fn network_changed(&self) -> Result<(), Reason> {
        if let Some(running) = &self.session {
            running.session.network_changed()?;
        }
        Ok(())
    }

    /// When the level meters move next, if a call is on.
    pub(super) fn next_levels(&self) -> Option<Instant> {
        self.session.as_ref().map(|running| running.levels_at)
    }

    /// Moves the level meters.
    pub(super) fn show_levels(&mut self, now: Instant) {
        let Some(running) = self.session.as_mut().filter(|running| running.levels_at <= now) else { return };
        running.levels_at = now + LEVELS_EVERY;
        let levels = running.session.levels();
        if let Some(call) = &mut self.picture.view.call {
            (call.mic_level, call.speaker_level) = (levels.microphone, levels.speaker);
            if matches!(call.phase, CallPhase::Active { .. }) {
                let mute = if call.muted { Mute::On } else { Mute::Off };
                call.microphone = running.microphone.look(now, levels.loudest, mute);
            } else {
                running.microphone.wait(now);
            }
        }
    }

    /// Somebody, as events and the window name them.
    pub(super) fn person(&self, key: PublicKey, claimed: &str) -> Person {
        match self.contacts.iter().find(|contact| contact.key == key) {
            Some(contact) => Person { shown: contact.name.clone(), key, name: contact.name.clone() },
            None => Person { shown: key.to_string(), key, name: claimed.to_owned() },
        }
    }

    /// How somebody who calls is received.
    pub(super) fn welcome(&self, from: PublicKey) -> Welcome {
        let contact = self.contacts.iter().any(|contact| contact.key == from);
        match (self.config.auto_answer, contact) {
            (AutoAnswer::All, _) | (AutoAnswer::Contacts, true) => Welcome::Answer,
            (AutoAnswer::Nobody, true) => Welcome::Ring,
            (AutoAnswer::Nobody | AutoAnswer::Contacts, false) => Welcome::TurnAway,
        }
    }

    fn send(&mut self, to: PublicKey, signal: &Signal) {
        let (overlay, payload, call) = (self.overlay.clone(), signal.encode(), signal.call);
        let Body::Offer { name, .. } = &signal.body else {
            self.farewells.spawn(async move { Done::Sent(overlay.send(to, payload).await) });
            return;
        };
        let word = Note::Called { name: name.clone() }.encode();
        self.farewells.spawn(async move {
            let result = match overlay.send(to, payload).await {
                Ok(()) => Ok(()),
                Err(SendError::NotReachable) => match overlay.leave(to, word).await {
                    Ok(()) => Err(Undelivered::WordLeft),
                    Err(_) => Err(Undelivered::Lost(SendError::NotReachable)),
                },
                Err(error) => Err(Undelivered::Lost(error)),
            };
            Done::OfferSent(call, result)
        });
    }

    /// The offer was taken by somebody, and nothing came back: they may have gone in that moment.
    pub(super) fn leave_word(&mut self, to: PublicKey) {
        let word = Note::Called { name: self.picture.view.own.name.clone().unwrap_or_default() }.encode();
        let overlay = self.overlay.clone();
        self.farewells.spawn(async move { Done::Left(overlay.leave(to, word).await) });
    }

    fn send_on_session(&self, signal: &Signal) {
        let Some(running) = &self.session else { return };
        if let Err(error) = running.session.send_message(signal.encode()) {
            tracing::debug!(%error, "the control channel took no message");
        }
    }

    /// The other side spoke on the control channel: what answers or ends the call is said there, and new ways, which so
    /// need no supernode to come through.
    fn handle_message(&mut self, message: &[u8]) {
        let now = self.now();
        let Some((_, ContactId::Person(with))) = self.line.current() else { return };
        match Signal::decode(message) {
            Ok(signal)
                if matches!(
                    signal.body,
                    Body::Answer { .. }
                        | Body::Decline { .. }
                        | Body::HangUp { .. }
                        | Body::Candidates { .. }
                ) =>
            {
                self.line.handle_signal(now, with, now.unix, Welcome::TurnAway, signal);
            }
            Ok(_) => tracing::debug!("a message on the control channel was out of place"),
            Err(error) => tracing::debug!(%error, "a message on the control channel was dropped"),
        }
    }

    fn start_session(&mut self, call: CallId, start: Start) {
        let mut voice = self.config.voice.clone();
        voice.frames = power::affordable(voice.frames);
        let source = self.first_source();
        self.line.set_kind(if source == VideoSource::None { CallKind::Voice } else { CallKind::Video });
        let config = SessionConfig {
            policy: self.config.path,
            relays: self.fresh_relays(),
            addresses: match self.config.network {
                Network::Lab => AddressScope::Lab,
                Network::Main => AddressScope::Public,
            },
            voice: voice.clone(),
            video: VideoConfig { source: source.clone(), ..self.config.video.clone() },
        };
        let seen = self.seen;
        self.jobs.spawn(async move {
            let result = match start {
                Start::Echo => driver::echo(voice).await.map(|(session, events)| SessionStart {
                    session,
                    description: None,
                    source,
                    theirs: None,
                    events,
                    unseen: None,
                }),
                Start::Offer => offer(config, seen).await,
                Start::Prepare { offer } => prepare(config, &offer, source),
            };
            Done::Session(call, result)
        });
    }

    /// The callee's description, for what the session is to do with it.
    fn give_answer(
        &mut self,
        description: &[u8],
        give: fn(&driver::Session, Description) -> Result<(), SessionError>,
    ) {
        let Some(running) = &mut self.session else { return };
        let accepted = Description::decode(description)
            .map_err(|error| SessionError::Description(error.to_string()))
            .and_then(|description| {
                running.certificates.theirs.get_or_insert(description.certificate());
                give(&running.session, description)
            });
        if let Err(error) = accepted {
            let call = running.call;
            self.line.handle_session_over(self.now(), call, error.into(), Side::Remote);
        }
    }

    fn pick_up(&mut self) {
        let Some(running) = &self.session else { return };
        if let Err(error) = running.session.pick_up() {
            let call = running.call;
            self.line.handle_session_over(self.now(), call, error.into(), Side::Local);
        }
    }

    fn add_candidates(&self, candidates: &[Vec<u8>]) {
        let Some(running) = &self.session else { return };
        for candidate in candidates {
            let added = Candidate::decode(candidate)
                .map_err(|error| SessionError::Description(error.to_string()))
                .and_then(|candidate| running.session.add_candidate(candidate));
            if let Err(error) = added {
                tracing::debug!(%error, "a candidate was dropped");
            }
        }
    }

    fn stop_session(&mut self) {
        self.unmap_call();
        if let Some(running) = self.session.take() {
            let (overlay, lenders) = (self.overlay.clone(), self.relays.lenders());
            self.farewells.spawn(close(running.session, overlay, lenders));
        }
    }

    fn handle_call_event(&mut self, call: CallId, with: ContactId, event: CallEvent) {
        match event {
            CallEvent::Placed => {
                let phase = match with {
                    ContactId::Echo => CallPhase::Connecting,
                    ContactId::Person(_) => CallPhase::Calling,
                };
                self.begin_record(with, "", phase);
            }
            CallEvent::Incoming { name, kind } => {
                self.fetch_relays();
                self.begin_record(with, &name, CallPhase::Incoming);
                if let Some(shown) = &mut self.picture.view.call {
                    shown.kind = kind;
                }
                if let ContactId::Person(key) = with {
                    let from = self.person(key, &name);
                    let stranger = self.contacts.iter().all(|contact| contact.key != key);
                    self.tell(Some(call), EventBody::Incoming { from, stranger });
                }
            }
            CallEvent::Ringing => {
                self.picture.phase(CallPhase::Ringing);
                self.tell(Some(call), EventBody::Ringing);
            }
            CallEvent::Answered => {
                self.picture.phase(CallPhase::Connecting);
                self.tell(Some(call), EventBody::Answered);
            }
            CallEvent::Waiting(waiting) => {
                self.picture.waiting(waiting);
                self.tell(Some(call), EventBody::Waiting(waiting));
            }
            CallEvent::Active => {
                let since = self.now().instant;
                self.picture.phase(CallPhase::Active { since });
                self.begin_talk(since);
            }
            CallEvent::Missed => {
                if let ContactId::Person(key) = with {
                    if self.line.current().is_some() {
                        let name = shown_name(&self.contacts, with, self.name_of(with, ""));
                        self.picture.notice(&Reason::CalledMeanwhile(name));
                    }
                    self.missed(Some(call), key, self.now().unix);
                }
            }
            CallEvent::TurnedAway { name } => {
                if let ContactId::Person(key) = with {
                    self.request(Some(call), key, &name, self.now().unix);
                }
            }
            CallEvent::Ended(ended) => self.call_ended(call, self.said_by_contact(with, ended)),
        }
    }
}

/// Whoever only wished to be seen calls unseen where their camera cannot be had; one that a program was told to use is needed.
async fn offer(mut config: SessionConfig, seen: Option<Camera>) -> Result<SessionStart, SessionError> {
    let mut unseen = None;
    let (session, description, events) = loop {
        match driver::offer(config.clone()).await {
            Err(SessionError::Video(error @ VideoError::Camera(_)))
                if seen == Some(Camera::On) && unseen.is_none() =>
            {
                config.video.source = VideoSource::None;
                unseen = Some(Box::new(error));
            }
            offered => break offered?,
        }
    };
    let (source, description) = (config.video.source, Some(description));
    Ok(SessionStart { session, description, source, theirs: None, events, unseen })
}

fn prepare(config: SessionConfig, offer: &[u8], source: VideoSource) -> Result<SessionStart, SessionError> {
    let offer = Description::decode(offer).map_err(|error| SessionError::Description(error.to_string()))?;
    let theirs = Some(offer.certificate());
    let (session, description, events) = driver::prepare(config, offer)?;
    Ok(SessionStart { session, description: Some(description), source, theirs, events, unseen: None })
}

/// Closes a session and tells the overlay what went through whose relay.
async fn close(session: driver::Session, overlay: Handle, lenders: BTreeMap<SocketAddr, LinkKey>) -> Done {
    for relayed in session.close().await {
        if let Some(node) = lenders.get(&relayed.relay) {
            overlay.relayed(*node, relayed.lasted, relayed.bytes).await;
        }
    }
    Done::Closed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::custody::tests::alone;
    use media::session::PathPolicy;

    fn config(camera: &str) -> SessionConfig {
        SessionConfig {
            policy: PathPolicy::Any,
            relays: Vec::new(),
            addresses: AddressScope::Lab,
            voice: alone().voice,
            video: VideoConfig { source: VideoSource::Device(camera.into()), ..VideoConfig::default() },
        }
    }

    #[tokio::test]
    async fn whoever_only_wishes_to_be_seen_calls_without_a_camera_too() {
        let start = offer(config("/dev/absent"), Some(Camera::On)).await.unwrap();
        assert!(matches!(start.unseen.as_deref(), Some(VideoError::Camera(_))));
        assert_eq!(start.source, VideoSource::None);
        let needed = offer(config("/dev/absent"), None).await;
        assert!(matches!(needed, Err(SessionError::Video(VideoError::Camera(_)))));
    }
}
