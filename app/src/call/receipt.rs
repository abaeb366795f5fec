//! What a call was like, told when it is over and kept with it.
//!
//! ```text
//!   the way, at every change ─┐
//!   figures, each second ─────┴▶ Meter ──▶ Receipt ──▶ `ended`, history, the page of a call that is over
//! ```
//! Kept and told as one JSON object:
//!
//! ```text
//!   {"path": "local" | "direct" | "relayed" | "mixed", "seconds": 247, "mos": 4.31, "worst_mos": 3.9,
//!    "mouth_to_ear_ms": 92, "made_up_ms": 180, "loss": 0.0042,
//!    "pictures": null | {"height": 720, "fps": 29.4, "frozen_ms": 0}}
//! ```

use media::session::{CallStats, PathReport};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How a call sounds is judged by so many seconds in a row, as a person notices it.
pub const NOTICED: usize = 5;

/// What a call was like for who heard and saw it here.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Receipt {
    /// The way its sound took.
    pub path: PathTaken,
    /// Seconds that were judged.
    pub seconds: u32,
    /// Expected opinion of a listener, mean: 1 (bad) to 4.5 (ITU-T G.107).
    pub mos: f64,
    /// The same of the worst five seconds in a row, or fewer where the call began: the least that was shown.
    pub worst_mos: f64,
    /// From mouth to ear, mean.
    #[serde(rename = "mouth_to_ear_ms", with = "milliseconds")]
    pub mouth_to_ear: Duration,
    /// Sound that was made up because it came too late or never.
    #[serde(rename = "made_up_ms", with = "milliseconds")]
    pub made_up: Duration,
    /// Share of the packets that never came, 0 to 1.
    pub loss: f64,
    /// What was seen; nothing where nothing was.
    pub pictures: Option<PicturesSeen>,
}

/// The way the sound of a call took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PathTaken {
    /// None: Echo is at home.
    Local,
    /// Straight from computer to computer.
    Direct,
    /// Through a relay.
    Relayed,
    /// Now this, now that.
    Mixed,
}

/// What was seen of the other end.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PicturesSeen {
    /// Lines of the largest pictures.
    pub height: u32,
    /// Pictures a second, mean.
    #[serde(rename = "fps")]
    pub frame_rate: f64,
    /// For how long they stood still.
    #[serde(rename = "frozen_ms", with = "milliseconds")]
    pub frozen: Duration,
}

impl Receipt {
    /// As it is kept.
    pub fn to_json(self) -> String {
        // Numbers and words: nothing of it can fail.
        serde_json::to_string(&self).unwrap_or_default()
    }

    /// What [`Receipt::to_json`] wrote; nothing for anything else.
    pub fn from_json(json: &str) -> Option<Self> {
        serde_json::from_str(json).ok().filter(Self::is_possible)
    }

    /// Share of the sound that never came, or came too late and was made up: the larger of the two, 0 to 1.
    pub fn lost_or_late(&self) -> f64 {
        self.loss.max(self.made_up.as_secs_f64() / f64::from(self.seconds.max(1))).min(1.0)
    }

    fn is_possible(&self) -> bool {
        let opinions = [self.mos, self.worst_mos].iter().all(|mos| (0.0..=5.0).contains(mos));
        let motion = self.pictures.is_none_or(|seen| (0.0..=1000.0).contains(&seen.frame_rate));
        opinions && motion && (0.0..=1.0).contains(&self.loss)
    }
}

/// What a running call has been like so far. It stays as small as it is, however long the call lasts.
#[derive(Debug, Clone, Default)]
pub struct Meter {
    path: Option<PathTaken>,
    seconds: u32,
    mos: f64,
    /// Of the last seconds (zero where there was none yet), and their least mean so far.
    latest: [f64; NOTICED],
    worst: Option<f64>,
    mouth_to_ear: Duration,
    made_up: Duration,
    loss: f64,
    pictures: Option<PicturesSeen>,
    seconds_seen: u32,
}

impl Meter {
    /// The sound of a call with somebody goes this way from now on.
    pub fn path(&mut self, report: &PathReport) {
        let now = if report.direct { PathTaken::Direct } else { PathTaken::Relayed };
        self.path = Some(match self.path {
            Some(before) if before != now => PathTaken::Mixed,
            _ => now,
        });
    }

    /// One more second of it.
    pub fn second(&mut self, stats: &CallStats) {
        let nth = self.seconds as usize % NOTICED;
        self.latest[nth] = f64::from(stats.mos);
        self.seconds = self.seconds.saturating_add(1);
        self.mos += f64::from(stats.mos);
        let known = (self.seconds as usize).min(NOTICED);
        let mean = self.latest.iter().sum::<f64>() / known as f64;
        self.worst = Some(self.worst.map_or(mean, |worst| worst.min(mean)));
        self.mouth_to_ear += stats.mouth_to_ear;
        self.made_up += Duration::from_secs_f32(stats.concealed_ratio.clamp(0.0, 1.0));
        self.loss += f64::from(stats.loss);
        if let Some(pictures) = stats.pictures {
            self.seconds_seen += 1;
            let seen = self.pictures.get_or_insert(PicturesSeen {
                height: 0,
                frame_rate: 0.0,
                frozen: Duration::ZERO,
            });
            seen.height = seen.height.max(pictures.height);
            seen.frame_rate +=
                (f64::from(pictures.frame_rate) - seen.frame_rate) / f64::from(self.seconds_seen);
            seen.frozen = pictures.frozen;
        }
    }

    /// What it was like; nothing where no second of it was judged.
    pub fn receipt(&self) -> Option<Receipt> {
        if self.seconds == 0 {
            return None;
        }
        let seconds = f64::from(self.seconds);
        let mos = self.mos / seconds;
        let pictures =
            self.pictures.map(|seen| PicturesSeen { frame_rate: rounded(seen.frame_rate, 1), ..seen });
        Some(Receipt {
            path: self.path.unwrap_or(PathTaken::Local),
            seconds: self.seconds,
            mos: rounded(mos, 2),
            worst_mos: rounded(self.worst.unwrap_or(mos), 2),
            mouth_to_ear: self.mouth_to_ear / self.seconds,
            made_up: self.made_up,
            loss: rounded(self.loss / seconds, 4),
            pictures,
        })
    }
}

/// No figure is better known than so many digits after the point.
fn rounded(value: f64, digits: i32) -> f64 {
    let scale = 10f64.powi(digits);
    (value * scale).round() / scale
}

/// Durations as whole milliseconds.
mod milliseconds {
    use serde::{Deserialize, Deserializer, Serializer};
    use std::time::Duration;

    pub(super) fn serialize<S: Serializer>(duration: &Duration, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_u64(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(read: D) -> Result<Duration, D::Error> {
        u64::deserialize(read).map(Duration::from_millis)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use media::session::{CandidateKind, PathProtocol, PictureStats};

    fn second(mos: f32) -> CallStats {
        CallStats { mos, mouth_to_ear: Duration::from_millis(80), ..CallStats::default() }
    }

    fn path(direct: bool) -> PathReport {
        PathReport {
            local: CandidateKind::Host,
            remote: CandidateKind::Host,
            protocol: PathProtocol::Udp,
            direct,
            relay: None,
            rtt: None,
        }
    }

    #[test]
    fn a_call_without_a_judged_second_has_no_receipt() {
        assert_eq!(Meter::default().receipt(), None);
    }

    #[test]
    fn the_worst_is_that_of_five_seconds_in_a_row() {
        let mut meter = Meter::default();
        [4.0, 4.0, 4.0, 4.0, 4.0, 1.0, 4.0, 2.0, 4.0, 4.0]
            .into_iter()
            .for_each(|mos| meter.second(&second(mos)));
        let receipt = meter.receipt().unwrap();
        assert_eq!(receipt.seconds, 10);
        assert!((receipt.mos - 3.5).abs() < 0.001, "{receipt:?}");
        assert!((receipt.worst_mos - 3.0).abs() < 0.001, "{receipt:?}");
        assert_eq!(receipt.mouth_to_ear, Duration::from_millis(80));
    }

    #[test]
    fn a_short_call_is_as_bad_as_its_mean() {
        let mut meter = Meter::default();
        meter.second(&second(2.0));
        assert_eq!(meter.receipt().unwrap().worst_mos, 2.0);
    }

    #[test]
    fn made_up_sound_adds_up_and_loss_is_a_mean() {
        let mut meter = Meter::default();
        for share in [0.0, 0.1, 0.2] {
            meter.second(&CallStats { concealed_ratio: share, loss: share, ..second(4.0) });
        }
        let receipt = meter.receipt().unwrap();
        assert_eq!(receipt.made_up.as_millis(), 300);
        assert!((receipt.loss - 0.1).abs() < 0.001);
    }

    #[test]
    fn sound_that_came_too_late_is_as_good_as_lost() {
        let mut meter = Meter::default();
        for late in [0.0, 0.2] {
            meter.second(&CallStats { concealed_ratio: late, ..second(4.0) });
        }
        let receipt = meter.receipt().unwrap();
        assert!(receipt.loss == 0.0 && (receipt.lost_or_late() - 0.1).abs() < 0.001, "{receipt:?}");
    }

    #[test]
    fn a_way_that_changed_is_mixed_and_one_that_stayed_is_not() {
        let mut meter = Meter::default();
        meter.second(&second(4.0));
        assert_eq!(meter.receipt().unwrap().path, PathTaken::Local);
        [false, false].into_iter().for_each(|direct| meter.path(&path(direct)));
        assert_eq!(meter.receipt().unwrap().path, PathTaken::Relayed);
        meter.path(&path(true));
        assert_eq!(meter.receipt().unwrap().path, PathTaken::Mixed);
        meter.path(&path(true));
        assert_eq!(meter.receipt().unwrap().path, PathTaken::Mixed);
    }

    #[test]
    fn pictures_are_told_by_their_largest_and_their_mean_rate() {
        let mut meter = Meter::default();
        meter.second(&second(4.0));
        for (height, frame_rate) in [(360, 20.0), (720, 30.0), (180, 10.0)] {
            let frozen = Duration::from_millis(u64::from(height));
            let pictures = PictureStats { kbps: 1.0, frame_rate, width: 1, height, freezes: 1, frozen };
            meter.second(&CallStats { pictures: Some(pictures), ..second(4.0) });
        }
        let seen = meter.receipt().unwrap().pictures.unwrap();
        assert_eq!((seen.height, seen.frame_rate, seen.frozen.as_millis()), (720, 20.0, 180));
    }

    #[test]
    fn a_receipt_is_read_back_and_nonsense_is_none() {
        let mut meter = Meter::default();
        meter.path(&path(true));
        meter.second(&second(4.25));
        let receipt = meter.receipt().unwrap();
        let json = receipt.to_json();
        assert_eq!(Receipt::from_json(&json), Some(receipt));
        assert!(json.contains(r#""path":"direct""#) && json.contains(r#""mouth_to_ear_ms":80"#), "{json}");
        for broken in ["", "{}", "null", &json[1..], &json.replace("4.25", "1e99"), &json.replace("80", "-1")]
        {
            assert_eq!(Receipt::from_json(broken), None, "{broken}");
        }
    }
}
