//! What is written down while a trace plays, and what is made of it.

use std::collections::VecDeque;
use std::time::Duration;

use media::bitrate::Bitrate;

/// Rates are taken over steps of this.
pub(super) const STEP: Duration = Duration::from_millis(100);

/// What happened to one flow, by when it happened since the beginning.
#[derive(Debug, Default)]
pub(super) struct Log {
    sent: Steps,
    delivered: Steps,
    video: Steps,
    targets: Vec<(Duration, Bitrate)>,
    /// How long packets waited in the queue.
    pub(super) waits: Vec<(Duration, Duration)>,
    /// Packets the queue had no room for.
    pub(super) dropped: Vec<Duration>,
    /// How long the voice was under way.
    pub(super) voice: Vec<(Duration, Duration)>,
}

impl Log {
    pub(super) fn sent(&mut self, at: Duration, size: usize) {
        self.sent.add(at, size);
    }

    pub(super) fn voice(&mut self, at: Duration, took: Duration, size: usize) {
        self.delivered.add(at, size);
        self.voice.push((at, took));
    }

    pub(super) fn video(&mut self, at: Duration, size: usize) {
        self.delivered.add(at, size);
        self.video.add(at, size);
    }

    pub(super) fn target(&mut self, at: Duration, target: Bitrate) {
        if self.targets.last().is_none_or(|(last, _)| at - *last >= STEP) {
            self.targets.push((at, target));
        }
    }

    /// Sound and video that arrived between two times, in bytes.
    pub(super) fn delivered(&self, from: Duration, to: Duration) -> f64 {
        self.delivered.between(from, to)
    }

    /// The mean rate of the video.
    pub(super) fn video_rate(&self, from: Duration, to: Duration) -> Bitrate {
        Bitrate::of(self.video.between(from, to) as usize, to - from).unwrap_or(Bitrate::ZERO)
    }

    /// The rate of everything that left.
    pub(super) fn sent_rate(&self, from: Duration, to: Duration) -> Bitrate {
        Bitrate::of(self.sent.between(from, to) as usize, to - from).unwrap_or(Bitrate::ZERO)
    }

    /// The target at a time.
    pub(super) fn target_at(&self, at: Duration) -> Bitrate {
        self.targets.iter().rev().find(|(when, _)| *when <= at).map_or(Bitrate::ZERO, |(_, target)| *target)
    }
}

/// Bytes in each step.
#[derive(Debug, Default)]
struct Steps(Vec<usize>);

impl Steps {
    fn add(&mut self, at: Duration, size: usize) {
        let step = step(at);
        if self.0.len() <= step {
            self.0.resize(step + 1, 0);
        }
        if let Some(bytes) = self.0.get_mut(step) {
            *bytes += size;
        }
    }

    fn between(&self, from: Duration, to: Duration) -> f64 {
        self.0.iter().take(step(to)).skip(step(from)).sum::<usize>() as f64
    }
}

fn step(at: Duration) -> usize {
    (at.as_micros() / STEP.as_micros()) as usize
}

/// The rate over the last second.
#[derive(Debug, Default)]
pub(super) struct Window(VecDeque<(Duration, usize)>);

impl Window {
    const LENGTH: Duration = Duration::from_secs(1);

    pub(super) fn add(&mut self, at: Duration, size: usize) {
        self.0.push_back((at, size));
    }

    pub(super) fn rate(&mut self, now: Duration) -> Bitrate {
        while self.0.pop_front_if(|(at, _)| now - *at > Self::LENGTH).is_some() {}
        Bitrate::of(self.0.iter().map(|(_, size)| size).sum(), Self::LENGTH).unwrap_or(Bitrate::ZERO)
    }
}

/// What this share of the values does not exceed; zero of none.
pub(super) fn quantile(values: impl Iterator<Item = f64>, share: f64) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let place = (share * values.len() as f64).ceil() as usize;
    values.get(place.saturating_sub(1)).copied().unwrap_or_default()
}

pub(super) fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_one_of_the_values() {
        let values = || (1..=100).map(f64::from);
        assert_eq!(quantile(values(), 0.95), 95.0);
        assert_eq!(quantile(values(), 0.5), 50.0);
        assert_eq!(quantile([].into_iter(), 0.5), 0.0);
    }
}
