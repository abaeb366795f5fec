//! A long call between two of us in virtual time, for whoever watches what it costs to hold: see `hour`, the program.
//!
//! ```text
//!   speech ─┬▶ Processor ─▶ VoiceSender ─▶ Lane ─▶ VoiceReceiver ─▶ Mixer ─▶ loudspeaker
//!           │                                                                    │
//!           └─────────────────── 60 ms later, and quieter ◀──────────────────────┘
//! ```
//!
//! Both ends talk all the time, over a link that loses, varies and stalls ([`LINK`]), and the clock of one is faster
//! ([`DRIFT`]). RTP timestamps wrap after half an hour, sequence numbers three times.

use anyhow::Result;
use media::frame::{BLOCK, BLOCK_TIME, Block};
use media::mix::{Fader, Mixer};
use media::process::{Processing, Processor};
use media::voice::{
    FrameNumber, PlayoutStats, Reported, Supported, Transmission, VoicePacket, VoiceReceiver,
    VoiceReceiverConfig, VoiceSender, VoiceSenderConfig,
};
use serde::Serialize;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::call::{HEADERS, REPORT, Reporter, size};
use super::way::{Lane, Loss, Stall, Way};

/// What lies between the ends, either way.
pub const LINK: Way = Way {
    jitter: Duration::from_millis(20),
    loss: Loss::Bursts(0.08, 2.0),
    stall: Some(Stall { lasts: Duration::from_millis(240), every: Duration::from_secs(10) }),
    ..Way::after(Duration::from_millis(40))
};

/// By how much one clock is faster than the other.
pub const DRIFT: f64 = 100e-6;

/// How much more of the heap may be held later: what the packets weigh that wait at both ends in the worst moment of a minute
/// varies with what the link does, and a queue of 240 ms with copies is 4 KiB.
pub const BOUND: isize = 8 * 1024;

/// The longest that a word may wait at either end, whenever it is asked: the target is below, and stalls are caught up.
pub const LONGEST_WAIT: Duration = Duration::from_millis(500);

/// Both ends, and what is between them.
pub struct LongCall {
    origin: Instant,
    now: Duration,
    ends: [End; 2],
}

/// How both ends are.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Minute {
    /// The longer of the times that packets wait, in ms.
    pub waits: u128,
    /// Packets that were thrown away because there were too many, at both ends.
    pub dropped: u64,
    /// Share of what was played that was invented, so far; the greater one.
    pub invented: f32,
}

/// When a packet arrives, and its RTP sequence number.
type Underway = (Duration, u16, VoicePacket);

struct End {
    speech: Vec<f32>,
    spoken: usize,
    /// What the loudspeaker played lately.
    echo: VecDeque<Block>,
    processor: Box<dyn Processor>,
    sender: VoiceSender,
    sequence: u16,
    lane: Lane,
    receiver: VoiceReceiver,
    mixer: Mixer,
    fader: Fader,
    reporter: Reporter,
    /// On their way to this end.
    packets: VecDeque<Underway>,
    reports: VecDeque<(Duration, Reported)>,
    tick: Duration,
    next: Duration,
}

impl LongCall {
    /// Two ends that have not said anything yet, and say these samples (48 kHz mono) over and over.
    pub fn new(speech: [Vec<f32>; 2]) -> Result<Self> {
        // Any instant will do: only differences count.
        let origin = Instant::now();
        let ticks = [BLOCK_TIME, BLOCK_TIME.div_f64(1.0 + DRIFT)];
        let [one, other] = speech;
        let ends = [End::new(one, origin, ticks[0], 1)?, End::new(other, origin, ticks[1], 2)?];
        Ok(Self { origin, now: Duration::ZERO, ends })
    }

    /// Talks on for a minute.
    pub fn minute(&mut self) -> Minute {
        self.now += Duration::from_secs(60);
        loop {
            let who = usize::from(self.ends[1].next < self.ends[0].next);
            if self.ends[who].next >= self.now {
                break;
            }
            let (packet, report) = self.ends[who].step(self.origin);
            self.ends[1 - who].packets.extend(packet);
            self.ends[1 - who].reports.extend(report);
        }
        let stats = [0, 1].map(|who: usize| self.ends[who].receiver.stats());
        Minute {
            waits: stats.iter().map(|stats| stats.playout_delay.as_millis()).max().unwrap_or_default(),
            dropped: stats.iter().map(|stats| stats.discarded).sum(),
            invented: stats.iter().map(PlayoutStats::concealed_ratio).fold(0.0, f32::max),
        }
    }
}

impl End {
    fn new(speech: Vec<f32>, origin: Instant, tick: Duration, seed: u64) -> Result<Self> {
        let mut sender = VoiceSender::new(VoiceSenderConfig::default())?;
        sender.set_supported(Supported::Repeats);
        Ok(Self {
            speech,
            spoken: 0,
            echo: VecDeque::from(vec![[0.0; BLOCK]; ECHO_BLOCKS]),
            processor: Processing::On.processor(),
            sender,
            sequence: 0,
            lane: Lane::new(LINK, seed),
            receiver: VoiceReceiver::new(VoiceReceiverConfig::default(), origin)?,
            mixer: Mixer::default(),
            fader: Fader::default(),
            reporter: Reporter::default(),
            packets: VecDeque::new(),
            reports: VecDeque::new(),
            tick,
            next: Duration::ZERO,
        })
    }

    /// Hears and speaks a block; what leaves, and when it will arrive.
    fn step(&mut self, origin: Instant) -> (Option<Underway>, Option<(Duration, Reported)>) {
        let now = self.next;
        self.next += self.tick;
        while let Some((_, reported)) = self.reports.pop_front_if(|(at, _)| *at <= now) {
            self.sender.handle_report(reported);
            self.receiver.handle_report(reported);
        }
        while let Some((at, sequence, packet)) = self.packets.pop_front_if(|(at, ..)| *at <= now) {
            self.reporter.arrived(at, sequence, packet.timestamp);
            let VoicePacket { payload, timestamp, copies, transmission } = packet;
            let frame = FrameNumber::OfTime((timestamp / BLOCK as u32) as u16);
            let timestamp = timestamp.wrapping_add(FIRST);
            match transmission {
                Transmission::First => self.receiver.insert(origin + at, frame, timestamp, &payload),
                Transmission::Repeat => self.receiver.insert_repeat(origin + at, frame, timestamp, &payload),
            }
            self.receiver.insert_copies(origin + at, frame, timestamp, &copies);
        }
        let mut block = [0.0; BLOCK];
        self.receiver.play(origin + now, &mut block);
        self.mixer.add(&block, &mut self.fader);
        self.mixer.mix(&mut block);
        self.processor.render(&block);
        self.echo.push_back(block);
        let mut heard = self.heard();
        self.processor.capture(&mut heard);
        let packet = self.sender.capture(&heard).or_else(|| self.sender.repeat());
        let packet = packet.and_then(|packet| {
            let sequence = self.sequence;
            self.sequence = sequence.wrapping_add(1);
            let arrival = self.lane.carry(now, HEADERS + size(&packet))?;
            Some((arrival, sequence, packet))
        });
        let report =
            self.reporter.poll(now).and_then(|reported| Some((self.lane.carry(now, REPORT)?, reported)));
        (packet, report)
    }

    /// What the microphone hears: somebody, and the loudspeaker.
    fn heard(&mut self) -> Block {
        let echo = self.echo.pop_front().unwrap_or([0.0; BLOCK]);
        let begin = self.spoken;
        self.spoken = (begin + BLOCK) % self.speech.len().max(1);
        std::array::from_fn(|at| {
            let own = self.speech.get((begin + at) % self.speech.len().max(1)).copied().unwrap_or_default();
            own + 0.2 * echo[at]
        })
    }
}

/// How long the loudspeaker's sound takes to the microphone: 60 ms.
const ECHO_BLOCKS: usize = 6;

/// The first RTP timestamp: half an hour later they wrap.
const FIRST: u32 = u32::MAX - 30 * 60 * 48_000;
