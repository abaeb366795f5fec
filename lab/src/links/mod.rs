//! The congestion control that ships, on links that are made of numbers.
//!
//! ```text
//!  voice, encoder ─▶ Pacer ─▶ │ rate, queue │ ─▶ delay, jitter ─▶ the other end ─▶ pictures
//!                     ▲       ▲ bulk transfer                         │
//!                 Controller ◀──────────────────────────── feedback, NACK, PLI
//! ```
//!
//! [`TRACES`] name what the link does; [`play`] plays one with a seed, in virtual time and always the same, and
//! [`judge`] holds the medians of several seeds against the bars. The whole is a model: real machines are late, real
//! encoders overshoot otherwise, real networks share a queue with more than one transfer.

mod bulk;
mod figures;
mod flow;
mod pipe;
mod source;
mod traces;
mod viewer;
mod world;

#[cfg(test)]
mod tests;

use std::time::Duration;

use media::bitrate::Bitrate;
use serde::Serialize;

pub use bulk::Bulk;
pub use flow::Video;
pub use pipe::Way;
pub use source::Manner;
pub use traces::{Bar, Limit, Measure, TRACES};

use figures::{STEP, ms, quantile};
use flow::Flow;
use world::World;

/// A link, what uses it, and what is asked of it.
#[derive(Debug, Clone, Copy)]
pub struct Trace {
    /// What it is called.
    pub name: &'static str,
    /// What happens to packets.
    pub way: Way,
    /// What the calls send beside the voice.
    pub video: Video,
    /// When each call begins.
    pub starts: &'static [Duration],
    /// A transfer beside them, from a time on.
    pub bulk: Option<(Duration, Bulk)>,
    /// When that ends.
    pub bulk_ends: Duration,
    /// What the machines are like.
    pub ends: Ends,
    /// How long it goes on.
    pub length: Duration,
    /// When the capacity, or what shares it, changes for good: figures of what is used begin here.
    pub changes: Duration,
    /// What must hold.
    pub bars: &'static [Bar],
}

/// The machines at both ends of a call.
#[derive(Debug, Clone, Copy)]
pub struct Ends {
    /// How often one tells what arrived.
    pub feedback: Duration,
    /// By how much the other is late at most with whatever it does.
    pub late: Duration,
    /// By how many in a million the clock of the one runs faster than that of the other.
    pub drift: i32,
}

/// What one play of a trace came to. Rates in kbit/s, times in s, delays in ms.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Figures {
    /// Share of the link that sound and video used, from 5 s after the last change on.
    pub used: f64,
    /// From the last change until 85 % of the link, or of the demand if that is less, were used for a second.
    pub until_85: f64,
    /// From the first fall of the link's rate until half a second with less than 600 kbit/s sent had passed.
    pub until_600k: f64,
    /// How long packets waited in the queue: median.
    pub queue_p50: f64,
    /// The same: 95th percentile.
    pub queue_p95: f64,
    /// Packets the queue dropped of the calls after the first 5 s.
    pub dropped_after_5s: f64,
    /// One-way delay of the voice: 95th percentile.
    pub voice_p95: f64,
    /// The same over that of the voice alone on this link.
    pub voice_over_alone: f64,
    /// Share of the voice that was lost.
    pub voice_lost: f64,
    /// The same without video.
    pub voice_lost_alone: f64,
    /// From the camera until a frame can be decoded: 95th percentile.
    pub frame_p95: f64,
    /// Mean rate of the video from 5 s after the last change on.
    pub video: f64,
    /// The longest time a picture stood still.
    pub longest_freeze: f64,
    /// Share of the time pictures stood still too long.
    pub frozen: f64,
    /// Frames shown a second.
    pub frames: f64,
    /// What the call with the least got of what the one with the most got.
    pub fairness: f64,
}

/// What a trace came to with several seeds.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    /// [`Trace::name`].
    pub trace: &'static str,
    /// The median of every figure.
    pub median: Figures,
    /// Every bar.
    pub bars: Vec<Judged>,
    /// Whether all hold.
    pub passed: bool,
}

/// A bar and whether it holds.
#[derive(Debug, Clone, Serialize)]
pub struct Judged {
    /// What is measured.
    pub measure: Measure,
    /// What is asked for.
    pub limit: Limit,
    /// What came of it: the median.
    pub value: f64,
    /// Whether that holds.
    pub passed: bool,
    /// With how many of the seeds it holds.
    pub seeds: usize,
}

/// Plays one trace; the same seed plays the same.
pub fn play(trace: Trace, seed: u64) -> Figures {
    let mut alone = World::new(trace, Video::Off, seed);
    alone.play();
    let mut world = World::new(trace, trace.video, seed);
    world.play();
    let mut figures = measure(&trace, &world.flows);
    let over = |world: &World| {
        let delays = world.flows.iter().map(|flow| world::voice_delay(flow, Duration::ZERO));
        delays.fold(0.0, f64::max)
    };
    figures.voice_p95 = over(&world);
    figures.voice_lost_alone = alone.flows.iter().map(Flow::voice_lost).fold(0.0, f64::max);
    figures.voice_over_alone = figures.voice_p95 - over(&alone);
    figures
}

/// Plays a trace with each seed and judges the medians.
pub fn judge(trace: Trace, seeds: &[u64]) -> Outcome {
    let plays: Vec<Figures> = seeds.iter().map(|seed| play(trace, *seed)).collect();
    let median = median(&plays);
    let bars: Vec<Judged> = trace
        .bars
        .iter()
        .map(|bar| {
            let value = bar.measure.of(&median);
            let seeds = plays.iter().filter(|play| bar.limit.holds(bar.measure.of(play))).count();
            Judged { measure: bar.measure, limit: bar.limit, value, passed: bar.limit.holds(value), seeds }
        })
        .collect();
    let passed = bars.iter().all(|bar| bar.passed);
    Outcome { trace: trace.name, median, bars, passed }
}

/// Every tenth of a second: when, the target of the first call, and what its packets waited at most; to look at.
pub fn course(trace: Trace, seed: u64) -> Vec<(f64, f64, f64, f64)> {
    let mut world = World::new(trace, trace.video, seed);
    world.play();
    let Some(flow) = world.flows.first() else { return Vec::new() };
    (0..(trace.length.as_millis() / STEP.as_millis()) as u32)
        .map(|step| {
            let (from, to) = (STEP * step, STEP * (step + 1));
            let waits = flow.log.waits.iter().filter(|(at, _)| (from..to).contains(at));
            let wait = waits.map(|(_, wait)| ms(*wait)).fold(0.0, f64::max);
            (from.as_secs_f64(), kbps(flow.log.target_at(to)), kbps(flow.log.sent_rate(from, to)), wait)
        })
        .collect()
}

/// After this a trace has settled.
const SETTLED: Duration = Duration::from_secs(5);
const ENOUGH: f64 = 0.85;
/// What is used is looked at over this.
const SECOND: Duration = Duration::from_secs(1);
const LOW: Bitrate = Bitrate::from_kbps(600);

fn measure(trace: &Trace, flows: &[Flow]) -> Figures {
    let (settled, end) = (trace.changes + SETTLED, trace.length);
    let delivered = |from, to| flows.iter().map(|flow| flow.log.delivered(from, to)).sum::<f64>();
    let waits = || flows.iter().flat_map(|flow| flow.log.waits.iter().map(|(_, wait)| ms(*wait)));
    let starts = |nth: u32| trace.changes + STEP * nth;
    let seconds = (0..).map(starts).take_while(|from| *from + SECOND <= end);
    let enough = seconds.clone().find(|from| {
        let most = trace.way.carries(*from, *from + SECOND).min(trace.demand(*from).bytes_in(SECOND));
        delivered(*from, *from + SECOND) >= ENOUGH * most
    });
    let since =
        |at: Option<Duration>, from: Duration| at.map_or(f64::INFINITY, |at| (at - from).as_secs_f64());
    let fell =
        trace.way.rates.windows(2).find(|pair| matches!(pair, [a, b] if b.1 < a.1)).map(|pair| pair[1].0);
    let until_600k = fell.map_or(0.0, |fell| {
        let low = (0..).map(|nth| fell + STEP * nth).take_while(|from| *from < end).find(|from| {
            let sent: u64 =
                flows.iter().map(|flow| flow.log.sent_rate(*from, *from + SECOND / 2).bps()).sum();
            Bitrate::from_bps(sent) < LOW
        });
        since(low.map(|from| from + SECOND / 2), fell)
    });
    let shares = flows.iter().map(|flow| flow.log.delivered(settled, end));
    let (least, most) = (shares.clone().fold(f64::INFINITY, f64::min), shares.fold(0.0, f64::max));
    let (longest, frozen) =
        flows.iter().map(|flow| flow.viewer().frozen(Duration::ZERO)).max().unwrap_or_default();
    let late = |at: &&Duration| **at >= SETTLED;
    Figures {
        used: delivered(settled, end) / trace.way.carries(settled, end),
        until_85: since(enough.map(|from| from + SECOND), trace.changes),
        until_600k,
        queue_p50: quantile(waits(), 0.5),
        queue_p95: quantile(waits(), 0.95),
        dropped_after_5s: flows.iter().map(|flow| flow.log.dropped.iter().filter(late).count()).sum::<usize>()
            as f64,
        video: flows.iter().map(|flow| kbps(flow.log.video_rate(settled, end))).fold(f64::INFINITY, f64::min),
        longest_freeze: ms(longest),
        frozen: frozen.as_secs_f64() / end.as_secs_f64(),
        frames: flows.iter().map(|flow| flow.viewer().shown).sum::<u64>() as f64
            / end.as_secs_f64()
            / flows.len() as f64,
        fairness: least / most,
        voice_lost: flows.iter().map(Flow::voice_lost).fold(0.0, f64::max),
        frame_p95: quantile(
            flows.iter().flat_map(|flow| flow.viewer().delays.iter().map(|delay| ms(*delay))),
            0.95,
        ),
        ..Figures::default()
    }
}

fn median(plays: &[Figures]) -> Figures {
    let of = |figure: fn(&Figures) -> f64| quantile(plays.iter().map(figure), 0.5);
    Figures {
        used: of(|f| f.used),
        until_85: of(|f| f.until_85),
        until_600k: of(|f| f.until_600k),
        queue_p50: of(|f| f.queue_p50),
        queue_p95: of(|f| f.queue_p95),
        dropped_after_5s: of(|f| f.dropped_after_5s),
        voice_p95: of(|f| f.voice_p95),
        voice_over_alone: of(|f| f.voice_over_alone),
        voice_lost: of(|f| f.voice_lost),
        voice_lost_alone: of(|f| f.voice_lost_alone),
        frame_p95: of(|f| f.frame_p95),
        video: of(|f| f.video),
        longest_freeze: of(|f| f.longest_freeze),
        frozen: of(|f| f.frozen),
        frames: of(|f| f.frames),
        fairness: of(|f| f.fairness),
    }
}

fn kbps(rate: Bitrate) -> f64 {
    rate.bps() as f64 / 1000.0
}
