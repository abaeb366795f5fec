//! The links, and what must be heard over them.

use media::bitrate::Bitrate;
use media::voice::Frames;
use std::time::Duration;

use super::way::{Loss, Stall, Way};

/// A link and its bars.
#[derive(Debug, Clone, Copy)]
pub struct Profile {
    /// What it is called.
    pub name: &'static str,
    /// What it does, in both directions.
    pub way: Way,
    /// How short frames may be.
    pub frames: Frames,
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
/// last link it was not measured on: the bars there only see that it gets no worse. On `clean10`, which is `clean`, somebody says
/// that the link is wide enough for short frames; on `lan` the program finds out.
pub const PROFILES: [Profile; 12] = [
    over("clean", NEAR, bars(4.24, 80.0, WHOLE)),
    Profile { frames: Frames::Quickest, ..over("clean10", NEAR, bars(4.2, 70.0, SHORT)) },
    over("lan", Way { jitter: Duration::from_micros(500), ..Way::after(ms(2)) }, bars(4.2, 45.0, SHORT)),
    over("jitter20", Way { jitter: ms(20), ..NEAR }, bars(4.22, 138.0, WHOLE)),
    over("loss5", lossy(0.05), bars(3.75, 99.0, LOSSY)),
    over("loss10", lossy(0.10), bars(3.93, 118.0, LOSSY)),
    over("loss20", lossy(0.20), bars(3.0, 95.0, LOSSY)),
    over("burst", Way { loss: Loss::Bursts(0.06, 4.0), ..NEAR }, bars(3.47, 140.0, LOSSY)),
    over(
        "spikes",
        Way { stall: Some(Stall { lasts: ms(240), every: ms(10_000) }), ..NEAR },
        bars(3.0, 200.0, LOSSY),
    ),
    over(
        "mobile",
        Way { jitter: ms(25), loss: Loss::Alone(0.05), ..Way::after(ms(100)) },
        bars(3.6, 190.0, LOSSY),
    ),
    over("narrow", Way { rate: Some((Bitrate::from_kbps(64), ms(300))), ..NEAR }, bars(4.22, 160.0, WHOLE)),
    over("download", Way { downloads: Some(ms(11_000)), ..NEAR }, bars(3.5, 280.0, WHOLE)),
];

const NEAR: Way = Way::after(ms(30));
/// kbit/s where nothing is lost.
const WHOLE: f64 = 62.0;
/// The same with short frames.
const SHORT: f64 = 90.0;
/// kbit/s elsewhere.
const LOSSY: f64 = 110.0;

const fn over(name: &'static str, way: Way, bars: Bars) -> Profile {
    Profile { name, way, frames: Frames::Near, bars }
}

const fn bars(pesq: f64, mouth_to_ear: f64, wire: f64) -> Bars {
    Bars { pesq, mouth_to_ear, wire }
}

const fn lossy(share: f64) -> Way {
    Way { loss: Loss::Alone(share), ..NEAR }
}

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}
