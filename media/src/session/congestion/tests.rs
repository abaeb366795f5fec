use std::collections::VecDeque;

use super::*;
use crate::session::fixture::origin;

const MS: Duration = Duration::from_millis(1);
const DELAY: Duration = Duration::from_millis(25);
/// Packets of 1000 bytes, so that 1 Mbit/s takes 8 ms for each.
const SIZE: usize = 1000;

/// A controller, what is sent as it says, and a link that is a number.
struct Bench {
    controller: Controller,
    now: Instant,
    origin: Instant,
    number: u16,
    free: Instant,
    delay: Duration,
    next: Instant,
    report: Instant,
    on_the_way: VecDeque<(u16, Instant)>,
    probes: VecDeque<Probe>,
}

impl Bench {
    fn new(settings: Settings) -> Self {
        let now = origin();
        Self {
            controller: Controller::new(now, settings),
            now,
            origin: now,
            number: 65_500,
            free: now,
            delay: DELAY,
            next: now,
            report: now,
            on_the_way: VecDeque::new(),
            probes: VecDeque::new(),
        }
    }

    /// Time passes over a link of so many kbit/s; what is sent is at most `most`.
    fn run(&mut self, seconds: u64, kbps: u64, most: u64) {
        let end = self.now + Duration::from_secs(seconds);
        while self.now < end {
            self.now += MS;
            self.controller.handle_timeout(self.now);
            while let Some(probe) = self.controller.poll_probe() {
                self.probes.push_back(probe);
            }
            if let Some(probe) = self.probes.pop_front() {
                for nth in 0..probe.packets.max(probe.bytes.div_ceil(SIZE)) {
                    let at = self.now + probe.rate.time_for(SIZE * nth);
                    self.send(at, kbps, PacketKind::Padding, Some(probe.id));
                }
            }
            let rate = self.controller.target().min(Bitrate::from_kbps(most));
            while self.next <= self.now {
                self.send(self.now, kbps, PacketKind::Video, None);
                self.next += rate.time_for(SIZE);
            }
            if self.now >= self.report {
                self.report += 50 * MS;
                let results = self.results();
                self.controller.handle_feedback(self.now, &results);
            }
        }
    }

    fn send(&mut self, at: Instant, kbps: u64, kind: PacketKind, probe: Option<ProbeId>) {
        self.number = self.number.wrapping_add(1);
        self.controller.handle_sent(at, PacketSent { number: self.number, size: SIZE, kind, probe });
        self.free = self.free.max(at) + Bitrate::from_kbps(kbps).time_for(SIZE);
        self.on_the_way.push_back((self.number, self.free + self.delay));
    }

    fn results(&mut self) -> Vec<PacketResult> {
        let (origin, heard) = (self.origin, self.now.checked_sub(DELAY).unwrap());
        std::iter::from_fn(|| self.on_the_way.pop_front_if(|(_, at)| *at <= heard))
            .map(|(number, at)| PacketResult { number, arrival: Some(at - origin) })
            .collect()
    }

    fn kbps(&self) -> u64 {
        self.controller.target().bps() / 1000
    }
}

fn settled() -> Bench {
    let mut bench = Bench::new(Settings::default());
    bench.run(5, 1000, 10_000);
    assert!((850..1100).contains(&bench.kbps()), "{}", bench.kbps());
    bench
}

#[test]
fn the_rate_finds_the_capacity_within_seconds_and_follows_it_down_and_up() {
    let mut bench = settled();
    bench.run(3, 500, 10_000);
    assert!(bench.kbps() < 550, "{}", bench.kbps());
    bench.run(10, 2000, 10_000);
    assert!(bench.kbps() > 1700, "{}", bench.kbps());
    assert!(bench.controller.outlook().queue < 50 * MS);
}

#[test]
fn the_demand_is_never_exceeded_and_probed_for_when_it_grows() {
    let mut bench = Bench::new(Settings { demand: Bitrate::from_kbps(400), ..Settings::default() });
    bench.run(5, 5000, 10_000);
    assert_eq!(bench.kbps(), 400);
    bench.controller.handle_demand(bench.now, Bitrate::from_kbps(3000));
    bench.run(2, 5000, 10_000);
    assert_eq!(bench.kbps(), 3000);
    bench.controller.handle_demand(bench.now, Bitrate::from_kbps(100));
    assert_eq!(bench.kbps(), 100);
}

#[test]
fn an_application_that_sends_little_keeps_its_rate_and_probes_beyond_it() {
    let mut bench = settled();
    bench.run(4, 3000, 100);
    assert!(bench.kbps() > 800, "{}", bench.kbps());
    bench.run(8, 3000, 100);
    assert!(bench.kbps() > 1500, "{}", bench.kbps());
}

#[test]
fn a_longer_way_costs_little_whether_much_is_sent_or_not() {
    for most in [100, 10_000] {
        let mut bench = settled();
        bench.run(4, 1000, most);
        bench.delay += 60 * MS;
        bench.run(15, 1000, most);
        assert!((600..1300).contains(&bench.kbps()), "{} of {most}", bench.kbps());
    }
}

#[test]
fn without_feedback_the_rate_decays_and_comes_back_with_it() {
    let mut bench = settled();
    let start = bench.now;
    bench.send(start, 1000, PacketKind::Audio, None);
    let mut targets = vec![bench.kbps()];
    let mut due = start;
    for _ in 0..40 {
        due = bench.controller.poll_timeout().unwrap().0.max(due);
        bench.controller.handle_timeout(due);
        targets.push(bench.kbps());
    }
    assert!(targets.is_sorted_by(|a, b| a >= b) && targets[1] < targets[0], "{targets:?}");
    assert_eq!(targets.last(), Some(&(Settings::default().least.bps() / 1000)));
    assert!(due - start < Duration::from_secs(25));
    bench.now = due;
    bench.next = due;
    bench.report = due;
    bench.on_the_way.clear();
    bench.run(5, 1000, 10_000);
    assert!(bench.kbps() > 850, "{}", bench.kbps());
}

#[test]
fn nothing_is_due_while_nothing_is_sent() {
    let mut bench = settled();
    let results = {
        bench.now += Duration::from_secs(5);
        bench.results()
    };
    bench.controller.handle_feedback(bench.now, &results);
    assert_eq!(bench.controller.poll_timeout(), None);
    let before = bench.kbps();
    bench.controller.handle_timeout(bench.now + Duration::from_secs(100));
    assert_eq!(bench.kbps(), before);
}

#[test]
fn a_way_that_is_replaced_is_learnt_anew_and_its_delay_is_no_queue() {
    let mut bench = settled();
    bench.controller.handle_new_way(bench.now);
    bench.free += 150 * MS;
    bench.run(4, 3000, 10_000);
    assert!(bench.kbps() > 1700, "{}", bench.kbps());
}

#[test]
fn everything_lost_brakes_to_the_least() {
    let mut bench = settled();
    for nth in 0..1200_u64 {
        let now = bench.now + 50 * MS * nth as u32;
        for _ in 0..5 {
            bench.send(now, 1000, PacketKind::Video, None);
            let lost = PacketResult { number: bench.number, arrival: None };
            bench.controller.handle_feedback(now + 40 * MS, &[lost]);
        }
    }
    assert!(bench.kbps() <= 60, "{}", bench.kbps());
}

/// What an end that lies, or a packet that was mangled, might say of `number`.
fn lies(number: u16, origin: Duration) -> [PacketResult; 10] {
    let says = |number, arrival| PacketResult { number, arrival };
    [
        says(number, Some(Duration::MAX)),
        says(number, Some(Duration::ZERO)),
        says(number, Some(origin)),
        says(number.wrapping_add(5), Some(origin)),
        says(number.wrapping_sub(1), Some(origin.saturating_sub(900 * MS))),
        says(number.wrapping_sub(1), None),
        says(number.wrapping_sub(2), Some(origin + Duration::from_secs(1 << 32))),
        says(number.wrapping_add(HALF), Some(origin)),
        says(number.wrapping_sub(3), Some(Duration::from_micros(u64::MAX / 2))),
        says(number.wrapping_sub(4), None),
    ]
}

const HALF: u16 = 0x8000;

#[test]
fn lies_do_no_harm() {
    let mut bench = settled();
    for nth in 0..20_000_u32 {
        bench.now += 3 * MS;
        bench.send(bench.now, 1000, PacketKind::Video, Some(ProbeId(nth % 50)));
        let mut lies = lies(bench.number, MS * nth);
        lies.rotate_left((nth as usize).wrapping_mul(2_654_435_761) % 10);
        bench.controller.handle_feedback(bench.now, &lies[..nth as usize % 11]);
        bench.controller.handle_timeout(bench.now);
        let Settings { least, demand, .. } = Settings::default();
        let target = bench.controller.target();
        assert!(target >= least && target <= demand, "{target}");
        while bench.controller.poll_probe().is_some() {}
    }
    assert!(bench.controller.history.len() <= history::CAPACITY);
    // And who tells the truth again is believed again.
    bench.on_the_way.clear();
    (bench.next, bench.report, bench.free) = (bench.now, bench.now, bench.now);
    bench.run(20, 1000, 10_000);
    assert!((800..1200).contains(&bench.kbps()), "{}", bench.kbps());
}

#[test]
fn what_was_never_sent_or_is_told_twice_is_no_news() {
    let mut bench = settled();
    bench.send(bench.now, 1000, PacketKind::Audio, None);
    let due = bench.controller.poll_timeout();
    assert!(due.is_some());
    let told =
        PacketResult { number: bench.number.wrapping_sub(200), arrival: Some(bench.now - bench.origin) };
    let never =
        PacketResult { number: bench.number.wrapping_add(1), arrival: Some(bench.now - bench.origin) };
    bench.controller.handle_feedback(bench.now, &[told, never, told, never]);
    assert_eq!(bench.controller.poll_timeout(), due, "it counts as silence");
}

#[test]
fn a_clock_that_is_set_by_an_hour_costs_no_rate() {
    for set in [3600, -3600] {
        let mut bench = settled();
        let before = bench.kbps();
        bench.origin = if set > 0 {
            bench.origin.checked_sub(Duration::from_secs(3600)).unwrap_or(bench.origin)
        } else {
            bench.origin + Duration::from_secs(4)
        };
        bench.run(3, 1000, 10_000);
        assert!(bench.kbps() * 10 > before * 8, "{} after {before}", bench.kbps());
    }
}
