//! What is read off a link's journal and a receiver's counters.

use std::time::Duration;

use anyhow::{Context as _, Result};
use serde::Serialize;
use serde_json::Value;

use super::{Stretch, Trace};
use crate::link::{Carried, Passage};

/// What a link must be used for at least, and what must not happen more.
#[derive(Debug, Clone, Copy)]
pub struct Bars {
    /// Share of what it could carry.
    pub used: Option<f64>,
    /// Until as much as 85 % of its last rate is used.
    pub until_85: Option<Duration>,
    /// 95 of 100 frames wait no longer.
    pub queue_p95: Option<Duration>,
    /// Frames that found the queue full after the first five seconds.
    pub overflowed: Option<usize>,
    /// Until no more than 1.2 times the rate is sent, after it fell.
    pub gave_way: Option<Duration>,
    /// Share of the time in which the picture stood still.
    pub frozen: Option<f64>,
    /// It never stands still longer.
    pub longest_still: Option<Duration>,
}

impl Bars {
    /// Nothing is asked.
    pub const NONE: Self = Self {
        used: None,
        until_85: None,
        queue_p95: None,
        overflowed: None,
        gave_way: None,
        frozen: None,
        longest_still: None,
    };
}

/// How one sender fared on one link.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Figures {
    /// Share of what the link could carry that arrived, after the first five seconds.
    pub used: f64,
    /// Seconds from when the link had its last rate until within one second 85 % of it arrived; all that were left if never.
    pub until_85: f64,
    /// In milliseconds, of frames after the first five seconds.
    pub queue_p95: f64,
    /// Frames that found the queue full after the first five seconds.
    pub overflowed: f64,
    /// Seconds from when the rate fell until within half a second no more than 1.2 times of it were sent; the longest of
    /// all falls.
    pub gave_way: f64,
    /// Pictures decoded at the other end.
    pub pictures: f64,
    /// Times the picture stood still there, as Chromium counts them.
    pub freezes: f64,
    /// Share of the time it did.
    pub frozen: f64,
    /// The longest time without a new picture after the first, in seconds.
    pub longest_still: f64,
}

/// What a receiver had counted at some time after the start.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    at: Duration,
    pictures: f64,
    freezes: f64,
    /// Seconds.
    frozen: f64,
}

impl Look {
    /// From Chromium's statistics of incoming video, of which there are none before its first packet.
    pub(super) fn read(at: Duration, counted: &Value) -> Result<Self> {
        if counted.is_null() {
            return Ok(Self { at, pictures: 0.0, freezes: 0.0, frozen: 0.0 });
        }
        let number = |name: &str| {
            counted[name].as_f64().with_context(|| format!("Chromium tells no {name}: {counted}"))
        };
        Ok(Self {
            at,
            pictures: number("framesDecoded")?,
            freezes: number("freezeCount")?,
            frozen: number("totalFreezesDuration")?,
        })
    }
}

/// What comes before is the beginning.
const BEGINNING: Duration = Duration::from_secs(5);
/// A frame so long is no voice.
const PICTURE: usize = 500;
/// What counts as using a link.
const WELL_USED: f64 = 0.85;
/// Sending so many times the rate counts as having given way.
const GAVE_WAY: f64 = 1.2;
/// Time between two moments at which a rate is judged.
const STEP: Duration = Duration::from_millis(100);

impl Figures {
    /// Of a call that stood from `began` (since 1970) on.
    pub(super) fn of(trace: &Trace, began: Duration, journal: &[Carried], seen: &[Look]) -> Result<Self> {
        let first = journal.iter().find(|frame| frame.at >= began && frame.length > PICTURE);
        let start = first.context("no picture was sent")?.at;
        let since = |from: Duration, until: Duration| {
            let (from, until) = (start + from, start + until);
            let begin = journal.partition_point(|frame| frame.at < from);
            journal[begin..].iter().take_while(move |frame| frame.at < until)
        };
        let bits = |from, until, counts: fn(&Carried) -> bool| {
            since(from, until)
                .filter(|frame| counts(frame))
                .map(|frame| frame.length as f64 * 8.0)
                .sum::<f64>()
        };
        let arrived = |frame: &Carried| matches!(frame.passage, Passage::After(_));

        let last = trace.stretches.last().context("a trace without a link")?;
        let well_used = |end: &Duration| {
            let second = Duration::from_secs(1);
            bits(end.saturating_sub(second), *end, arrived) >= WELL_USED * last.rate
        };
        let until_85 = steps(last.from + Duration::from_secs(1), trace.length).find(well_used);

        let falls = trace.stretches.windows(2).filter(|two| two[1].rate < two[0].rate).map(|two| two[1]);
        let gave_way = falls.map(|Stretch { from, rate, .. }| {
            let half = Duration::from_millis(500);
            let gives_way = |end: &Duration| {
                bits(end.saturating_sub(half), *end, |_| true) <= GAVE_WAY * rate * half.as_secs_f64()
            };
            steps(from + half, trace.length).find(gives_way).unwrap_or(trace.length) - from
        });

        let mut waits: Vec<Duration> = since(BEGINNING, trace.length)
            .filter_map(|frame| match frame.passage {
                Passage::After(waited) => Some(waited),
                Passage::Overflowed | Passage::Lost => None,
            })
            .collect();
        waits.sort_unstable();
        let p95 =
            waits.get(waits.len() * 95 / 100).copied().context("nothing was sent after the beginning")?;
        let full = |frame: &&Carried| frame.passage == Passage::Overflowed;
        let end = seen.last().context("nobody looked")?;
        Ok(Self {
            used: bits(BEGINNING, trace.length, arrived) / trace.capacity(BEGINNING),
            until_85: (until_85.unwrap_or(trace.length) - last.from).as_secs_f64(),
            queue_p95: p95.as_secs_f64() * 1000.0,
            overflowed: since(BEGINNING, trace.length).filter(full).count() as f64,
            gave_way: gave_way.max().unwrap_or_default().as_secs_f64(),
            pictures: end.pictures,
            freezes: end.freezes,
            frozen: end.frozen / trace.length.as_secs_f64(),
            longest_still: longest_still(seen).as_secs_f64(),
        })
    }

    /// Of each figure the median.
    pub fn median(runs: &[Self]) -> Option<Self> {
        let of = |figure: fn(&Self) -> f64| {
            let mut all: Vec<f64> = runs.iter().map(figure).collect();
            all.sort_by(f64::total_cmp);
            all.get(all.len() / 2).copied()
        };
        Some(Self {
            used: of(|run| run.used)?,
            until_85: of(|run| run.until_85)?,
            queue_p95: of(|run| run.queue_p95)?,
            overflowed: of(|run| run.overflowed)?,
            gave_way: of(|run| run.gave_way)?,
            pictures: of(|run| run.pictures)?,
            freezes: of(|run| run.freezes)?,
            frozen: of(|run| run.frozen)?,
            longest_still: of(|run| run.longest_still)?,
        })
    }

    /// What falls short of what is asked, and of Chromium.
    pub fn misses(&self, bars: &Bars, chromium: &Self) -> Vec<&'static str> {
        let ms = |time: Duration| time.as_secs_f64() * 1000.0;
        let checks = [
            ("used", bars.used.is_none_or(|bar| self.used >= bar)),
            ("until_85", bars.until_85.is_none_or(|bar| self.until_85 <= bar.as_secs_f64())),
            ("queue_p95", bars.queue_p95.is_none_or(|bar| self.queue_p95 <= ms(bar))),
            ("overflowed", bars.overflowed.is_none_or(|bar| self.overflowed <= bar as f64)),
            ("gave_way", bars.gave_way.is_none_or(|bar| self.gave_way <= bar.as_secs_f64())),
            ("frozen", bars.frozen.is_none_or(|bar| self.frozen <= bar)),
            ("longest_still", bars.longest_still.is_none_or(|bar| self.longest_still <= bar.as_secs_f64())),
            ("used less than Chromium", self.used >= chromium.used),
            ("queue longer than Chromium's", self.queue_p95 <= chromium.queue_p95),
            ("frozen more than Chromium", self.frozen <= chromium.frozen),
        ];
        checks.into_iter().filter(|(_, holds)| !holds).map(|(what, _)| what).collect()
    }
}

impl Trace {
    /// Bits that it could carry from then on.
    fn capacity(&self, from: Duration) -> f64 {
        let ends = self.stretches.iter().skip(1).map(|next| next.from).chain([self.length]);
        let of = |(stretch, end): (&Stretch, Duration)| {
            stretch.rate * end.saturating_sub(stretch.from.max(from)).as_secs_f64()
        };
        self.stretches.iter().zip(ends).map(of).sum()
    }
}

fn steps(from: Duration, until: Duration) -> impl Iterator<Item = Duration> {
    (0..).map(move |nth| from + STEP * nth).take_while(move |at| *at <= until)
}

/// Between two looks that found a new picture there was none for less than what lies between the look before the first of
/// them and the second; what is counted is what is sure.
fn longest_still(seen: &[Look]) -> Duration {
    let (mut longest, mut since) = (Duration::ZERO, None);
    for look in seen.iter().filter(|look| look.pictures > 0.0) {
        let (at, pictures) = *since.get_or_insert((look.at, look.pictures));
        if look.pictures > pictures {
            since = Some((look.at, look.pictures));
        } else {
            longest = longest.max(look.at - at);
        }
    }
    longest
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);
    const SECOND: Duration = Duration::from_secs(1);

    /// 1 Mbit/s, and from the tenth second on 500 kbit/s.
    const TRACE: Trace = Trace {
        name: "test",
        stretches: &[
            Stretch { from: Duration::ZERO, link: "", rate: 1e6 },
            Stretch { from: Duration::from_secs(10), link: "", rate: 5e5 },
        ],
        length: Duration::from_secs(20),
        bars: Bars::NONE,
    };

    /// A frame of 1250 bytes every so often, from one time to another.
    fn frames(from: Duration, until: Duration, every: Duration, passage: Passage) -> Vec<Carried> {
        let mut at = from;
        let mut frames = Vec::new();
        while at < until {
            frames.push(Carried { at, length: 1250, passage });
            at += every;
        }
        frames
    }

    fn look(at: Duration, pictures: f64) -> Look {
        Look { at, pictures, freezes: 0.0, frozen: 0.0 }
    }

    #[test]
    fn a_link_that_is_filled_and_left_in_time_shows_it() {
        let waits = Passage::After(20 * MS);
        // 900 kbit/s, 600 too many for a second after the fall, then 450.
        let journal = [
            frames(Duration::ZERO, 10 * SECOND, 1250 * 8 * SECOND / 900_000, waits),
            frames(10 * SECOND, 11 * SECOND, 10 * MS, Passage::Overflowed),
            frames(11 * SECOND, 20 * SECOND, 1250 * 8 * SECOND / 450_000, waits),
        ]
        .concat();
        let seen = [look(SECOND, 0.0), look(2 * SECOND, 1.0), look(3 * SECOND, 1.0), look(4 * SECOND, 9.0)];
        let figures = Figures::of(&TRACE, Duration::ZERO, &journal, &seen).unwrap();
        // 4.5 of 5 Mbit, nothing of half a Mbit, 4.05 of 4.5.
        assert!((figures.used - 0.855).abs() < 0.01, "{figures:?}");
        assert!((1.8..2.1).contains(&figures.until_85), "{figures:?}");
        assert!((1.3..1.6).contains(&figures.gave_way), "{figures:?}");
        assert_eq!((figures.queue_p95, figures.overflowed), (20.0, 100.0));
        assert_eq!((figures.pictures, figures.longest_still), (9.0, 1.0));
    }

    #[test]
    fn a_link_that_is_never_filled_shows_it() {
        let journal = frames(Duration::ZERO, 20 * SECOND, 100 * MS, Passage::After(Duration::ZERO));
        let figures = Figures::of(&TRACE, Duration::ZERO, &journal, &[look(SECOND, 0.0)]).unwrap();
        assert_eq!((figures.until_85, figures.longest_still), (10.0, 0.0));
        let bars = Bars { until_85: Some(5 * SECOND), used: Some(0.75), ..Bars::NONE };
        let better = Figures { used: figures.used + 0.1, ..figures };
        assert_eq!(figures.misses(&bars, &better), ["used", "until_85", "used less than Chromium"]);
        assert!(figures.misses(&Bars::NONE, &figures).is_empty());
    }

    #[test]
    fn where_no_picture_came_there_are_no_figures() {
        let voice = Carried { at: SECOND, length: 120, passage: Passage::After(MS) };
        assert!(Figures::of(&TRACE, Duration::ZERO, &[voice], &[look(SECOND, 0.0)]).is_err());
        assert!(Look::read(SECOND, &serde_json::json!({ "framesDecoded": 3 })).is_err());
    }
}
