//! Links with names, and what is asked of each.

use std::time::Duration;

use media::bitrate::Bitrate;
use serde::Serialize;

use super::{Bulk, Ends, Figures, Manner, Trace, Video, Way};

/// A figure that must reach a limit.
#[derive(Debug, Clone, Copy)]
pub struct Bar {
    /// Which.
    pub measure: Measure,
    /// The limit.
    pub limit: Limit,
}

/// Which figure a bar is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// [`Figures::used`].
    Used,
    /// [`Figures::until_85`].
    Until85,
    /// [`Figures::until_600k`].
    Until600k,
    /// [`Figures::queue_p95`].
    QueueP95,
    /// [`Figures::dropped_after_5s`].
    DroppedAfter5s,
    /// [`Figures::voice_over_alone`].
    VoiceOverAlone,
    /// [`Figures::video`].
    Video,
    /// [`Figures::longest_freeze`].
    LongestFreeze,
    /// [`Figures::frozen`].
    Frozen,
    /// [`Figures::fairness`].
    Fairness,
}

impl Measure {
    /// The figure.
    pub fn of(self, figures: &Figures) -> f64 {
        match self {
            Self::Used => figures.used,
            Self::Until85 => figures.until_85,
            Self::Until600k => figures.until_600k,
            Self::QueueP95 => figures.queue_p95,
            Self::DroppedAfter5s => figures.dropped_after_5s,
            Self::VoiceOverAlone => figures.voice_over_alone,
            Self::Video => figures.video,
            Self::LongestFreeze => figures.longest_freeze,
            Self::Frozen => figures.frozen,
            Self::Fairness => figures.fairness,
        }
    }
}

/// What a figure must not cross.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// It is this or more.
    AtLeast(f64),
    /// It is this or less.
    AtMost(f64),
}

impl Limit {
    /// Whether a value holds.
    pub fn holds(self, value: f64) -> bool {
        match self {
            Self::AtLeast(least) => value >= least,
            Self::AtMost(most) => value <= most,
        }
    }
}

impl Trace {
    /// What the calls together could use at a time since the beginning.
    pub(super) fn demand(&self, at: Duration) -> Bitrate {
        let Video::On { demand, .. } = self.video else { return Bitrate::ZERO };
        let now = demand.iter().rev().find(|(from, _)| *from <= at);
        now.map_or(Bitrate::ZERO, |(_, rate)| rate.scaled(self.starts.len() as f64))
    }
}

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

const fn k(kilobits: u64) -> Bitrate {
    Bitrate::from_kbps(kilobits)
}

const fn at_least(measure: Measure, least: f64) -> Bar {
    Bar { measure, limit: Limit::AtLeast(least) }
}

const fn at_most(measure: Measure, most: f64) -> Bar {
    Bar { measure, limit: Limit::AtMost(most) }
}

/// More than any of the links below carries but the last.
const HUNGRY: Video = Video::On { manner: Manner::Even, demand: &[(Duration::ZERO, k(5_000))] };
const BURSTY: Video = Video::On { manner: Manner::Bursty, demand: &[(Duration::ZERO, k(5_000))] };

const fn way(rates: &'static [(Duration, Bitrate)]) -> Way {
    Way {
        rates,
        delay: Duration::from_millis(25),
        jitter: Duration::ZERO,
        queue: Duration::from_millis(300),
        loss: 0.0,
        burst: 1.0,
        detour: None,
    }
}

/// One call with hungry video for a minute.
const fn call(name: &'static str, way: Way, bars: &'static [Bar]) -> Trace {
    Trace {
        name,
        way,
        video: HUNGRY,
        starts: &[Duration::ZERO],
        bulk: None,
        bulk_ends: Duration::MAX,
        ends: Ends { feedback: Duration::from_millis(50), late: Duration::ZERO, drift: 0 },
        length: s(60),
        changes: Duration::ZERO,
        bars,
    }
}

/// What is asked of a link of 1 Mbit/s.
const STEADY: &[Bar] = &[
    at_most(Measure::Until85, 5.0),
    at_least(Measure::Used, 0.85),
    at_most(Measure::QueueP95, 100.0),
    at_most(Measure::DroppedAfter5s, 0.0),
    at_most(Measure::VoiceOverAlone, 50.0),
];

/// Every link.
pub const TRACES: &[Trace] = &[
    call("constant-1m", way(&[(s(0), k(1000))]), STEADY),
    Trace { video: BURSTY, ..call("bursty-1m", way(&[(s(0), k(1000))]), STEADY) },
    Trace {
        changes: s(40),
        ..call(
            "steps-1m-500k-2m",
            way(&[(s(0), k(1000)), (s(20), k(500)), (s(40), k(2000))]),
            &[
                at_most(Measure::Until600k, 2.0),
                at_most(Measure::Until85, 10.0),
                at_most(Measure::LongestFreeze, 1000.0),
            ],
        )
    },
    call(
        "constant-3m",
        way(&[(s(0), k(3000))]),
        &[at_least(Measure::Used, 0.85), at_most(Measure::VoiceOverAlone, 20.0)],
    ),
    Trace {
        video: BURSTY,
        ..call("bursty-3m", way(&[(s(0), k(3000))]), &[at_most(Measure::VoiceOverAlone, 20.0)])
    },
    call("loss-5-2m", Way { loss: 0.05, ..way(&[(s(0), k(2000))]) }, &[at_least(Measure::Used, 0.75)]),
    call("loss-10-2m", Way { loss: 0.1, ..way(&[(s(0), k(2000))]) }, &[at_most(Measure::Frozen, 0.02)]),
    Trace {
        bulk: Some((s(10), Bulk::Reno)),
        changes: s(10),
        ..call("reno-3m", way(&[(s(0), k(3000))]), &[at_least(Measure::Video, 300.0)])
    },
    Trace {
        bulk: Some((s(10), Bulk::Cubic)),
        changes: s(10),
        ..call("cubic-3m", way(&[(s(0), k(3000))]), &[at_least(Measure::Video, 300.0)])
    },
    call("wide-50m", way(&[(s(0), k(50_000))]), &[at_most(Measure::Until85, 5.0)]),
    call("narrow-200k", way(&[(s(0), k(200))]), &[]),
    call("jitter-2m", Way { jitter: Duration::from_millis(30), ..way(&[(s(0), k(2000))]) }, &[]),
    Trace {
        video: Video::On { manner: Manner::Even, demand: &[(Duration::ZERO, k(200)), (s(20), k(3000))] },
        changes: s(20),
        ..call("demand-grows-2m", way(&[(s(0), k(2000))]), &[at_most(Measure::Until85, 5.0)])
    },
    Trace {
        starts: &[Duration::ZERO, s(10)],
        changes: s(15),
        length: s(120),
        ..call(
            "two-calls-2m",
            way(&[(s(0), k(2000))]),
            &[at_least(Measure::Used, 0.85), at_least(Measure::Fairness, 0.8)],
        )
    },
    Trace {
        bulk: Some((s(10), Bulk::Reno)),
        bulk_ends: s(40),
        changes: s(40),
        ..call("reno-ends-3m", way(&[(s(0), k(3000))]), &[at_most(Measure::Until85, 10.0)])
    },
    Trace { changes: s(20), ..call("cliff-2m-150k", way(&[(s(0), k(2000)), (s(20), k(150))]), &[]) },
    // 30 kbit/s is as good as none: a packet of video takes a third of a second.
    Trace {
        changes: s(23),
        ..call("outage-2m", way(&[(s(0), k(2000)), (s(20), k(30)), (s(23), k(2000))]), &[])
    },
    Trace {
        changes: s(20),
        ..call(
            "detour-2m",
            Way { detour: Some((s(20), Duration::from_millis(60))), ..way(&[(s(0), k(2000))]) },
            &[],
        )
    },
    Trace {
        changes: s(20),
        ..call(
            "short-detour-3m",
            Way { detour: Some((s(20), Duration::from_millis(12))), ..way(&[(s(0), k(3000))]) },
            &[],
        )
    },
    call("shallow-2m", Way { queue: Duration::from_millis(30), ..way(&[(s(0), k(2000))]) }, &[]),
    call("policer-2m", Way { queue: Duration::from_millis(12), ..way(&[(s(0), k(2000))]) }, &[]),
    call("bursts-of-loss-2m", Way { loss: 0.03, burst: 5.0, ..way(&[(s(0), k(2000))]) }, &[]),
    call("loss-5-1m", Way { loss: 0.05, ..way(&[(s(0), k(1000))]) }, &[]),
    call("far-2m", Way { delay: Duration::from_millis(150), ..way(&[(s(0), k(2000))]) }, &[]),
    Trace { length: s(600), ..call("long-2m", way(&[(s(0), k(2000))]), &[]) },
    Trace {
        ends: Ends { feedback: Duration::from_millis(50), late: Duration::from_millis(10), drift: 0 },
        ..call(
            "busy-machines-1m",
            Way { jitter: Duration::from_millis(10), ..way(&[(s(0), k(1000))]) },
            &[at_least(Measure::Used, 0.85)],
        )
    },
    Trace {
        ends: Ends { feedback: Duration::from_millis(200), late: Duration::ZERO, drift: 0 },
        ..call("rare-feedback-1m", way(&[(s(0), k(1000))]), STEADY)
    },
    Trace {
        ends: Ends { feedback: Duration::from_millis(50), late: Duration::ZERO, drift: 100 },
        ..call("clock-fast-3m", way(&[(s(0), k(3000))]), STEADY)
    },
    Trace {
        ends: Ends { feedback: Duration::from_millis(50), late: Duration::ZERO, drift: -100 },
        ..call("clock-slow-3m", way(&[(s(0), k(3000))]), STEADY)
    },
    call("wandering", way(WANDERING), &[]),
];

/// As a radio link might, every three seconds.
const WANDERING: &[(Duration, Bitrate)] = &[
    (s(0), k(1800)),
    (s(3), k(2300)),
    (s(6), k(1500)),
    (s(9), k(900)),
    (s(12), k(1300)),
    (s(15), k(2100)),
    (s(18), k(2600)),
    (s(21), k(1900)),
    (s(24), k(1200)),
    (s(27), k(700)),
    (s(30), k(1100)),
    (s(33), k(1600)),
    (s(36), k(1400)),
    (s(39), k(2200)),
    (s(42), k(3000)),
    (s(45), k(2400)),
    (s(48), k(1700)),
    (s(51), k(1000)),
    (s(54), k(1500)),
    (s(57), k(2000)),
];
