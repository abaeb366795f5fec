//! The loop of the media thread.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::ends::{Pending, SILENT_DEATH, SinkEnd, SourceEnd};
use super::standing::Standing;
use super::{Chosen, Moment, ReceivedPacket, Shared, Trace, VoiceConfig, VoiceEvent, lock, this_moment};
use crate::codec::FrameLength;
use crate::device::{AudioSink, AudioSource, ClockedSink, DeviceError, Direction, Progress};
use crate::frame::{BLOCK, BLOCK_TIME, Block, duration_of};
use crate::mix::{Fader, Mixer};
use crate::process::Processor;
use crate::voice::{Mute, Transmission, VoicePacket, VoiceReceiver, VoiceSender};

/// How often devices are looked at: twice a block.
const DEVICE_POLL: Duration = Duration::from_millis(5);

pub(super) struct MediaThread {
    shared: Arc<Shared>,
    source: SourceEnd,
    sink: SinkEnd,
    config: VoiceConfig,
    processor: Box<dyn Processor>,
    sender: VoiceSender,
    receiver: VoiceReceiver,
    mixer: Mixer,
    /// How loud the other end is heard.
    fader: Fader,
    packets: mpsc::Sender<VoicePacket>,
    events: mpsc::Sender<VoiceEvent>,
    /// Blocks captured and played on the media clock.
    captured: u32,
    played: u32,
    /// A block that waits for the other half of its frame.
    half: Option<Block>,
    /// Of the microphone and of the loudspeaker.
    heartbeats: [Heartbeat; 2],
    standings: [Standing; 2],
    told: Told,
    choosing_source: Option<Choosing<AudioSource, SourceEnd>>,
    choosing_sink: Option<Choosing<AudioSink, SinkEnd>>,
}

/// What was chosen, and is being opened; what was there before goes on until it is.
struct Choosing<Name, End> {
    chosen: Name,
    opening: Pending<Result<End, DeviceError>>,
}

/// When a device last gave a sign of life.
#[derive(Debug, Clone, Copy)]
struct Heartbeat {
    callbacks: u64,
    at: Instant,
}

/// What was said already, since it is said once.
#[derive(Debug, Default)]
struct Told {
    captured: bool,
    played: bool,
    decoded: bool,
}

impl MediaThread {
    pub(super) fn new(
        shared: Arc<Shared>,
        (source, sink): (SourceEnd, SinkEnd),
        config: VoiceConfig,
        (sender, receiver): (VoiceSender, VoiceReceiver),
        (packets, events): (mpsc::Sender<VoicePacket>, mpsc::Sender<VoiceEvent>),
    ) -> Self {
        let heartbeat = Heartbeat { callbacks: 0, at: this_moment().instant };
        Self {
            shared,
            source,
            sink,
            processor: config.processing.processor(),
            config,
            sender,
            receiver,
            mixer: Mixer::default(),
            fader: Fader::default(),
            packets,
            events,
            captured: 0,
            played: 0,
            half: None,
            heartbeats: [heartbeat; 2],
            standings: [Standing::default(); 2],
            told: Told::default(),
            choosing_source: None,
            choosing_sink: None,
        }
    }

    /// Waits for the start, then moves sound until the engine is closed.
    pub(super) fn run(mut self) {
        self.wait();
        if !self.closing() {
            lock(&self.shared.inserted).clear();
            self.start_devices();
            let start = this_moment();
            self.heartbeats = [Heartbeat { callbacks: 0, at: start.instant }; 2];
            while !self.closing() {
                self.step(start, this_moment());
                let now = this_moment().instant;
                let due = self.next_wake(start.instant, now);
                thread::park_timeout(due.saturating_duration_since(now));
            }
        }
        if let SinkEnd::Clocked(sink) = self.sink
            && let Err(error) = sink.finish()
        {
            tracing::warn!(%error, "the sound file may be incomplete");
        }
    }

    /// Until media starts.
    fn wait(&mut self) {
        let mut listens = false;
        while !self.started() && !self.closing() {
            if !self.shared.listening.load(Ordering::Acquire) {
                thread::park();
                continue;
            }
            let now = this_moment();
            if !std::mem::replace(&mut listens, true) {
                self.start_microphone();
                self.heartbeats[0] = Heartbeat { callbacks: 0, at: now.instant };
            }
            self.listen(now);
            thread::park_timeout(DEVICE_POLL);
        }
        if let SourceEnd::Card(microphone) = &mut self.source {
            microphone.forget();
        }
    }

    /// Nobody is there yet to be heard: what a microphone gives is measured and dropped.
    fn listen(&mut self, now: Moment) {
        self.take_choices();
        self.take_chosen(now, now);
        self.take_reopened(now, now);
        let mut block = [0.0; BLOCK];
        while let SourceEnd::Card(microphone) = &mut self.source
            && microphone.read(&mut block)
        {
            self.shared.loudest.measure(&block);
            self.measure(&block);
        }
        self.watch(now.instant);
    }

    fn started(&self) -> bool {
        self.shared.started.load(Ordering::Acquire)
    }

    fn closing(&self) -> bool {
        self.shared.closing.load(Ordering::Acquire)
    }

    fn start_microphone(&mut self) {
        if let SourceEnd::Card(microphone) = &self.source
            && let Err(error) = microphone.start()
        {
            self.lose(Direction::Capture, error);
        }
    }

    fn start_devices(&mut self) {
        self.start_microphone();
        if let SinkEnd::Card(loudspeaker) = &self.sink
            && let Err(error) = loudspeaker.start()
        {
            self.lose(Direction::Playback, error);
        }
    }

    /// Does everything that is due now, however late it is.
    fn step(&mut self, start: Moment, now: Moment) {
        self.take_settings();
        self.take_packets();
        self.take_choices();
        self.take_chosen(start, now);
        self.take_reopened(start, now);
        let due = blocks_between(start.instant, now.instant);
        self.play_on_device(now);
        while self.plays_on_clock() && self.played <= due {
            self.play_on_clock(start);
            // Playing comes before hearing: the echo of a block cannot precede it.
            if self.captures_on_clock() && self.captured < self.played - 1 {
                self.capture_on_clock(start);
            }
        }
        while self.captures_on_clock() && self.captured < due {
            self.capture_on_clock(start);
        }
        self.capture_on_device(now);
        self.watch(now.instant);
        self.publish();
        if !self.told.decoded && self.receiver.has_decoded() {
            self.told.decoded = true;
            self.tell(VoiceEvent::FirstDecoded);
        }
    }

    fn publish(&self) {
        let mut stats = lock(&self.shared.stats);
        stats.playout = self.receiver.stats();
        if let SourceEnd::Card(microphone) = &self.source {
            stats.overrun = microphone.pulse().missed() + microphone.dropped();
        }
        if let SinkEnd::Card(loudspeaker) = &self.sink {
            stats.underrun = loudspeaker.pulse().missed();
        }
    }

    fn next_wake(&self, start: Instant, now: Instant) -> Instant {
        let tick = start + BLOCK_TIME * (blocks_between(start, now) + 1);
        match self.plays_on_clock() && self.captures_on_clock() {
            true => tick,
            false => tick.min(now + DEVICE_POLL),
        }
    }

    fn take_settings(&mut self) {
        let muted = self.shared.muted.load(Ordering::Relaxed);
        self.sender.set_muted(if muted { Mute::On } else { Mute::Off });
        let super::Told { supported, reported, round_trip, new_way } = {
            let mut told = lock(&self.shared.told);
            let seen = super::Told { supported: told.supported, ..super::Told::default() };
            std::mem::replace(&mut *told, seen)
        };
        if new_way {
            self.sender.handle_new_way();
        }
        if let Some(latest) = round_trip {
            self.sender.handle_round_trip(latest);
        }
        if let Some(reported) = reported {
            self.sender.set_supported(supported);
            self.sender.handle_report(reported);
            self.receiver.handle_report(reported);
        }
    }

    fn take_packets(&mut self) {
        let packets = std::mem::take(&mut *lock(&self.shared.inserted));
        for packet in packets {
            let ReceivedPacket { arrival, number, timestamp, payload, copies, transmission } = packet;
            match transmission {
                Transmission::First => self.receiver.insert(arrival, number, timestamp, &payload),
                Transmission::Repeat => self.receiver.insert_repeat(arrival, number, timestamp, &payload),
            }
            self.receiver.insert_copies(arrival, number, timestamp, &copies);
        }
    }

    fn plays_on_clock(&self) -> bool {
        !matches!(self.sink, SinkEnd::Card(_))
    }

    fn captures_on_clock(&self) -> bool {
        !matches!(self.source, SourceEnd::Card(_))
    }

    fn play_on_clock(&mut self, start: Moment) {
        let block = self.next_played(start.instant + BLOCK_TIME * self.played, start.unix_ms);
        self.played += 1;
        if let Some(trace) = &self.config.trace {
            trace.played(this_moment().unix_us);
        }
        let SinkEnd::Clocked(sink) = &mut self.sink else { return };
        if let Err(error) = sink.write(&block) {
            self.sink = SinkEnd::Clocked(ClockedSink::Null);
            let news = self.standing(Direction::Playback).die(error);
            self.tell_news(news);
        }
    }

    fn play_on_device(&mut self, now: Moment) {
        while let SinkEnd::Card(loudspeaker) = &self.sink
            && loudspeaker.wants_more()
        {
            // This block is heard when those before it have been.
            let wait = duration_of(loudspeaker.waiting() as u64).as_millis() as u64;
            let block = self.next_played(now.instant, now.unix_ms + wait);
            if let SinkEnd::Card(loudspeaker) = &mut self.sink {
                loudspeaker.write(&block);
            }
        }
    }

    fn next_played(&mut self, now: Instant, heard_unix_ms: u64) -> Block {
        let mut block = [0.0; BLOCK];
        self.receiver.play(now, &mut block);
        self.mixer.add(&block, &mut self.fader);
        self.mixer.mix(&mut block);
        // What is taken for echo later is what is played, as loud as it is played.
        self.processor.render(&block);
        self.shared.speaker.measure(&block);
        if !self.told.played {
            self.told.played = true;
            self.tell(VoiceEvent::FirstPlayed { t0_unix_ms: heard_unix_ms });
        }
        block
    }

    fn capture_on_clock(&mut self, start: Moment) {
        let mut block = [0.0; BLOCK];
        let held = self.config.trace.as_ref().is_some_and(Trace::holds);
        let progress = match &mut self.source {
            SourceEnd::Clocked(source) if !held => source.read(&mut block),
            SourceEnd::Clocked(_) | SourceEnd::Card(_) | SourceEnd::Lost(_) => Progress::More,
        };
        if let Some(trace) = self.config.trace.as_ref().filter(|_| !held) {
            trace.captured(this_moment().unix_us);
        }
        self.captured += 1;
        self.captured(block, start.unix_ms);
        if progress == Progress::Ended {
            self.tell(VoiceEvent::SourceEnded);
        }
    }

    fn capture_on_device(&mut self, now: Moment) {
        let mut block = [0.0; BLOCK];
        while let SourceEnd::Card(microphone) = &mut self.source
            && microphone.read(&mut block)
        {
            self.captured(block, now.unix_ms.saturating_sub(BLOCK_TIME.as_millis() as u64));
        }
    }

    /// Blocks wait for their frame, which cannot leave without both, unless it is a short one: what the processor knows has gone cold whenever it is
    /// needed, and warming it once for two blocks saves a fifth of its time.
    fn captured(&mut self, block: Block, spoken_unix_ms: u64) {
        if !self.told.captured {
            self.told.captured = true;
            self.tell(VoiceEvent::FirstCaptured { t0_unix_ms: spoken_unix_ms });
        }
        self.shared.loudest.measure(&block);
        match self.half.take() {
            None if self.sender.length() == FrameLength::Ms10 => self.send(block),
            None => {
                self.half = Some(block);
                // What was sent half a frame ago does not wait for the rest of this one.
                let repeat = self.sender.repeat();
                repeat.into_iter().for_each(|packet| self.queue(packet));
            }
            Some(half) => [half, block].into_iter().for_each(|block| self.send(block)),
        }
    }

    fn send(&mut self, mut block: Block) {
        self.processor.capture(&mut block);
        self.measure(&block);
        let packet = self.sender.capture(&block);
        packet.into_iter().for_each(|packet| self.queue(packet));
    }

    /// Moves the meter of the microphone.
    fn measure(&self, block: &Block) {
        match self.shared.muted.load(Ordering::Relaxed) {
            true => self.shared.microphone.measure(&[0.0; BLOCK]),
            false => self.shared.microphone.measure(block),
        }
    }

    fn queue(&self, packet: VoicePacket) {
        let outcome = self.packets.try_send(packet);
        let mut stats = lock(&self.shared.stats);
        match outcome {
            Ok(()) => stats.sent += 1,
            Err(_) => stats.send_dropped += 1,
        }
    }

    /// Notices devices that died, with or without saying so.
    fn watch(&mut self, now: Instant) {
        let capture = match &self.source {
            SourceEnd::Card(microphone) => {
                Some((microphone.pulse().callbacks(), microphone.pulse().is_broken()))
            }
            SourceEnd::Clocked(_) | SourceEnd::Lost(_) => None,
        };
        let playback = match &self.sink {
            SinkEnd::Card(speaker) if self.started() => {
                Some((speaker.pulse().callbacks(), speaker.pulse().is_broken()))
            }
            SinkEnd::Card(_) | SinkEnd::Clocked(_) | SinkEnd::Lost(_) => None,
        };
        let ends = [(Direction::Capture, capture), (Direction::Playback, playback)];
        for (at, (direction, signs)) in ends.into_iter().enumerate() {
            let Some((callbacks, broken)) = signs else { continue };
            let heartbeat = &mut self.heartbeats[at];
            if callbacks != heartbeat.callbacks {
                *heartbeat = Heartbeat { callbacks, at: now };
                let news = self.standing(direction).sign(direction);
                self.tell_news(news);
            }
            if broken || now.saturating_duration_since(self.heartbeats[at].at) > SILENT_DEATH {
                let error = self.standing(direction).epitaph(direction);
                self.lose(direction, error);
            }
        }
    }

    fn lose(&mut self, direction: Direction, error: DeviceError) {
        tracing::debug!(%error, "a sound device is lost; trying to open it again");
        match direction {
            Direction::Capture => {
                self.source = SourceEnd::reopen(self.config.source.clone());
                self.shared.loudest.restart();
                self.captured = u32::MAX;
            }
            Direction::Playback => {
                self.sink = SinkEnd::reopen(self.config.sink.clone());
                self.played = u32::MAX;
            }
        }
        if let Some(news) = self.standing(direction).die(error) {
            tracing::warn!(%direction, "a sound device does not work");
            self.tell(news);
        }
    }

    const fn standing(&mut self, direction: Direction) -> &mut Standing {
        match direction {
            Direction::Capture => &mut self.standings[0],
            Direction::Playback => &mut self.standings[1],
        }
    }

    /// Begins to open what was chosen; an earlier choice that is not open yet is forgotten.
    fn take_choices(&mut self) {
        let Chosen { source, sink, volume } = std::mem::take(&mut *lock(&self.shared.chosen));
        match volume {
            Some(volume) if self.told.played => self.fader.set(volume),
            // Nobody has heard anything that it would have to begin from.
            Some(volume) => self.fader = Fader::at(volume),
            None => {}
        }
        if let Some(chosen) = source {
            self.choosing_source = Some(Choosing { opening: SourceEnd::choose(chosen.clone()), chosen });
        }
        if let Some(chosen) = sink {
            self.choosing_sink = Some(Choosing { opening: SinkEnd::choose(chosen.clone()), chosen });
        }
    }

    /// Puts what was chosen and is open into its place, which the media clock reaches now.
    fn take_chosen(&mut self, start: Moment, now: Moment) {
        let due = blocks_between(start.instant, now.instant);
        let heartbeat = Heartbeat { callbacks: 0, at: now.instant };
        if let Some(opened) = self.choosing_source.as_ref().and_then(|choosing| choosing.opening.take())
            && let Some(Choosing { chosen, .. }) = self.choosing_source.take()
        {
            match opened {
                Ok(end) => {
                    (self.source, self.config.source) = (end, chosen);
                    (self.captured, self.heartbeats[0]) = (due, heartbeat);
                    self.shared.loudest.restart();
                    self.put_in_place(Direction::Capture);
                }
                Err(error) => self.tell(VoiceEvent::DeviceRefused(error)),
            }
        }
        if let Some(opened) = self.choosing_sink.as_ref().and_then(|choosing| choosing.opening.take())
            && let Some(Choosing { chosen, .. }) = self.choosing_sink.take()
        {
            match opened {
                Ok(end) => {
                    (self.sink, self.config.sink) = (end, chosen);
                    (self.played, self.heartbeats[1]) = (due, heartbeat);
                    self.put_in_place(Direction::Playback);
                }
                Err(error) => self.tell(VoiceEvent::DeviceRefused(error)),
            }
        }
    }

    /// Puts devices that work again into their place, and the clock of lost ones to now.
    fn take_reopened(&mut self, start: Moment, now: Moment) {
        let due = blocks_between(start.instant, now.instant);
        if let SourceEnd::Lost(pending) = &self.source {
            if let Some(microphone) = pending.take() {
                self.heartbeats[0] = Heartbeat { callbacks: 0, at: now.instant };
                self.source = SourceEnd::Card(microphone);
            } else if self.captured == u32::MAX {
                self.captured = due;
            }
        }
        if let SinkEnd::Lost(pending) = &self.sink {
            if let Some(loudspeaker) = pending.take() {
                self.heartbeats[1] = Heartbeat { callbacks: 0, at: now.instant };
                self.sink = SinkEnd::Card(loudspeaker);
            } else if self.played == u32::MAX {
                self.played = due;
            }
        }
    }

    /// Something else was chosen: what the media clock moves works from the first.
    fn put_in_place(&mut self, direction: Direction) {
        let on_clock = match direction {
            Direction::Capture => self.captures_on_clock(),
            Direction::Playback => self.plays_on_clock(),
        };
        if on_clock {
            let news = self.standing(direction).sign(direction);
            self.tell_news(news);
        }
    }

    fn tell_news(&self, news: Option<VoiceEvent>) {
        if let Some(news) = news {
            self.tell(news);
        }
    }

    fn tell(&self, event: VoiceEvent) {
        if let Err(error) = self.events.try_send(event) {
            tracing::warn!(%error, "nobody takes the events of the voice engine");
        }
    }
}

/// Whole blocks from `start` to `now`.
fn blocks_between(start: Instant, now: Instant) -> u32 {
    (now.saturating_duration_since(start).as_nanos() / BLOCK_TIME.as_nanos()) as u32
}
