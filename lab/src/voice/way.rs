//! One direction of a link, in numbers: when each packet arrives, if it does.
//!
//! ```text
//!   lost? ── queue full? ──▶ its turn at the rate ──▶ stalled? ──▶ delay + jitter ──▶ in order
//! ```
//!
//! The same as the emulator of the rig that Chromium was measured on, so that figures compare.

use media::bitrate::Bitrate;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use std::f64::consts::TAU;
use std::time::Duration;

/// What a link does to packets, in either direction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Way {
    /// How long it takes one way.
    pub delay: Duration,
    /// By how much that varies: standard deviation of a normal distribution. Packets keep their order, so that a late one
    /// holds up those behind it.
    pub jitter: Duration,
    /// Which packets are lost.
    pub loss: Loss,
    /// It stops now and then, and then gives everything at once.
    pub stall: Option<Stall>,
    /// What it carries, and how long a packet may wait for its turn.
    pub rate: Option<(Bitrate, Duration)>,
    /// Others begin to use it now and then: so often.
    pub downloads: Option<Duration>,
}

/// Which packets are lost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Loss {
    /// None.
    Never,
    /// Each by itself with this chance.
    Alone(f64),
    /// This share, so many one after the other on average: good or bad, and everything is lost while it is bad (Gilbert).
    Bursts(f64, f64),
}

/// A link that stops.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stall {
    /// For how long.
    pub lasts: Duration,
    /// How often; when first is a matter of chance.
    pub every: Duration,
}

impl Way {
    /// Nothing but a delay.
    pub const fn after(delay: Duration) -> Self {
        Self { delay, jitter: Duration::ZERO, loss: Loss::Never, stall: None, rate: None, downloads: None }
    }
}

/// A [`Way`] that is used; the same seed does the same to the same packets.
#[derive(Debug)]
pub(super) struct Lane {
    way: Way,
    random: StdRng,
    bad: bool,
    first_stall: Duration,
    /// When the last bit of the packet before has left.
    free: Duration,
    last: Duration,
}

impl Lane {
    pub(super) fn new(way: Way, seed: u64) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let every = way.stall.map_or(Duration::ZERO, |stall| stall.every);
        let first_stall = every.mul_f64(random.random());
        Self { way, random, bad: false, first_stall, free: Duration::ZERO, last: Duration::ZERO }
    }

    /// When a packet of so many bytes (IP) that is sent now arrives; none: it is lost.
    pub(super) fn carry(&mut self, now: Duration, bytes: usize) -> Option<Duration> {
        // As many draws for each packet, whatever becomes of it.
        let [chance, radius, angle]: [f64; 3] = self.random.random();
        if self.loses(chance) {
            return None;
        }
        let mut at = now;
        if let Some((rate, queue)) = self.way.rate {
            if self.free > now + queue {
                return None;
            }
            at = self.free.max(now) + rate.time_for(bytes);
            self.free = at;
        }
        if let Some(Stall { lasts, every }) = self.way.stall
            && let Some(since) = now.checked_sub(self.first_stall)
        {
            let into = Duration::from_nanos((since.as_nanos() % every.as_nanos()) as u64);
            at += lasts.saturating_sub(into);
        }
        if let Some(every) = self.way.downloads {
            at += queue_of_a_download(now, every);
        }
        let normal = (-2.0 * radius.max(f64::MIN_POSITIVE).ln()).sqrt() * (TAU * angle).cos();
        let moved = (at + self.way.delay).as_secs_f64() + normal * self.way.jitter.as_secs_f64();
        self.last = self.last.max(now).max(Duration::from_secs_f64(moved.max(0.0)));
        Some(self.last)
    }

    fn loses(&mut self, chance: f64) -> bool {
        match self.way.loss {
            Loss::Never => false,
            Loss::Alone(share) => chance < share,
            Loss::Bursts(share, length) => {
                let ends = 1.0 / length;
                // As often bad as the share says: begins / (begins + ends).
                let begins = ends * share / (1.0 - share);
                self.bad = if self.bad { chance >= ends } else { chance < begins };
                self.bad
            }
        }
    }
}

/// How long a voice waits behind a TCP connection that began a moment ago: measured on 3 Mbit/s with a queue of 300 ms, beside
/// pictures that give way. The connection ends before the next one begins.
fn queue_of_a_download(now: Duration, every: Duration) -> Duration {
    /// Milliseconds since it began, and how many it waits then.
    const GROWS: [(f64, f64); 9] = [
        (0.0, 0.0),
        (10.0, 40.0),
        (60.0, 40.0),
        (85.0, 85.0),
        (225.0, 150.0),
        (380.0, 195.0),
        (540.0, 130.0),
        (3000.0, 130.0),
        (3400.0, 0.0),
    ];
    let into = (now.as_nanos() % every.as_nanos()) as f64 / 1e6;
    let between = GROWS.windows(2).find(|pair| (pair[0].0..pair[1].0).contains(&into));
    let waits = between.map_or(0.0, |pair| {
        let ((began, from), (ended, to)) = (pair[0], pair[1]);
        from + (to - from) * (into - began) / (ended - began)
    });
    Duration::from_secs_f64(waits / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// How long each of so many packets takes that are sent every 20 ms.
    fn delays(way: Way, packets: u32) -> Vec<Option<Duration>> {
        let mut lane = Lane::new(way, 7);
        (0..packets).map(|nth| 20 * MS * nth).map(|sent| Some(lane.carry(sent, 150)? - sent)).collect()
    }

    #[test]
    fn a_way_takes_its_delay_and_no_more() {
        assert!(delays(Way::after(30 * MS), 50).iter().all(|delay| *delay == Some(30 * MS)));
    }

    #[test]
    fn jitter_spreads_as_it_is_asked_to_and_keeps_the_order() {
        let way = Way { jitter: 20 * MS, ..Way::after(30 * MS) };
        let mut delays: Vec<Duration> = delays(way, 5000).into_iter().flatten().collect();
        assert!(delays.windows(2).all(|pair| pair[1] + 20 * MS >= pair[0]));
        let mean = delays.iter().sum::<Duration>() / 5000;
        delays.sort_unstable();
        // What the rig had: mean 36 ms, 95 % within 64.
        assert!((34 * MS..39 * MS).contains(&mean), "{mean:?}");
        assert!((60 * MS..69 * MS).contains(&delays[4750]), "{:?}", delays[4750]);
    }

    #[test]
    fn losses_come_alone_or_in_bursts_as_often_as_is_asked_for() {
        let lost = |loss| -> Vec<bool> {
            let way = Way { loss, ..Way::after(MS) };
            delays(way, 50_000).iter().map(Option::is_none).collect()
        };
        let share = |lost: &[bool]| lost.iter().filter(|lost| **lost).count() as f64 / lost.len() as f64;
        let bursts = |lost: &[bool]| lost.windows(2).filter(|pair| !pair[0] && pair[1]).count() as f64;
        let (alone, burst) = (lost(Loss::Alone(0.1)), lost(Loss::Bursts(0.06, 4.0)));
        assert!((share(&alone) - 0.1).abs() < 0.005 && (share(&burst) - 0.06).abs() < 0.005);
        let length = share(&burst) * 50_000.0 / bursts(&burst);
        assert!((length - 4.0).abs() < 0.3, "{length}");
    }

    #[test]
    fn a_stall_holds_up_and_gives_everything_at_once() {
        let stall = Stall { lasts: 240 * MS, every: 2000 * MS };
        let delays = delays(Way { stall: Some(stall), ..Way::after(30 * MS) }, 100);
        let held = delays.iter().flatten().filter(|delay| **delay > 30 * MS).count();
        assert!((11..=13).contains(&held), "{held}");
        assert!(delays.iter().flatten().all(|delay| *delay <= 270 * MS));
    }

    #[test]
    fn a_rate_queues_and_drops_what_waits_too_long() {
        let rate = Some((Bitrate::from_kbps(30), 300 * MS));
        let delays = delays(Way { rate, ..Way::after(30 * MS) }, 200);
        let arrived: Vec<Duration> = delays.iter().copied().flatten().collect();
        // 60 kbit/s are offered: half arrives, after the whole queue.
        assert!((95..=110).contains(&arrived.len()), "{}", arrived.len());
        assert!(arrived.iter().all(|delay| *delay <= 371 * MS));
    }
}
