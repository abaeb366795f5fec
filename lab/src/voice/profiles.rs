//! The ten links, and what must be heard over them.

use media::bitrate::Bitrate;
use std::time::Duration;

use super::way::{Loss, Stall, Way};

/// A link and its bars.
#[derive(Debug, Clone, Copy)]
pub struct Profile {
    /// What it is called.
    pub name: &'static str,
    /// What it does, in both directions.
    pub way: Way,
    /// What is asked for.
    pub bars: Bars,
}

/// What must hold of the medians.
#[derive(Debug, Clone, Copy)]
pub struct Bars {
    /// PESQ-WB, at least.
    pub pesq: f64,
    /// Mouth to ear in ms, at most.
    pub mouth_to_ear: f64,
    /// IP on the wire in kbit/s, at most.
    pub wire: f64,
}

/// Of Chromium 156 on the same links: as good where nothing is lost, better by 0.2 where something is, and never later. The
/// last link it was not measured on: the bars there only see that it gets no worse.
pub const PROFILES: [Profile; 10] = [
    Profile { name: "clean", way: NEAR, bars: bars(4.24, 80.0, WHOLE) },
    Profile { name: "jitter20", way: Way { jitter: ms(20), ..NEAR }, bars: bars(4.22, 138.0, WHOLE) },
    Profile { name: "loss5", way: lossy(0.05), bars: bars(3.75, 99.0, LOSSY) },
    Profile { name: "loss10", way: lossy(0.10), bars: bars(3.93, 118.0, LOSSY) },
    Profile { name: "loss20", way: lossy(0.20), bars: bars(3.0, 95.0, LOSSY) },
    Profile {
        name: "burst",
        way: Way { loss: Loss::Bursts(0.06, 4.0), ..NEAR },
        bars: bars(3.47, 140.0, LOSSY),
    },
    Profile {
        name: "spikes",
        way: Way { stall: Some(Stall { lasts: ms(240), every: ms(10_000) }), ..NEAR },
        bars: bars(3.0, 200.0, LOSSY),
    },
    Profile {
        name: "mobile",
        way: Way { jitter: ms(25), loss: Loss::Alone(0.05), ..Way::after(ms(100)) },
        bars: bars(3.6, 190.0, LOSSY),
    },
    Profile {
        name: "narrow",
        way: Way { rate: Some((Bitrate::from_kbps(64), ms(300))), ..NEAR },
        bars: bars(4.22, 160.0, WHOLE),
    },
    Profile {
        name: "download",
        way: Way { downloads: Some(ms(11_000)), ..NEAR },
        bars: bars(3.5, 280.0, WHOLE),
    },
];

const NEAR: Way = Way::after(ms(30));
/// kbit/s where nothing is lost.
const WHOLE: f64 = 62.0;
/// kbit/s elsewhere.
const LOSSY: f64 = 110.0;

const fn bars(pesq: f64, mouth_to_ear: f64, wire: f64) -> Bars {
    Bars { pesq, mouth_to_ear, wire }
}

const fn lossy(share: f64) -> Way {
    Way { loss: Loss::Alone(share), ..NEAR }
}

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}
