use super::*;
use crate::session::fixture::origin;

const MS: Duration = Duration::from_millis(1);

/// Nothing special, while `kbps` get through.
fn calm(kbps: u64) -> Seen {
    Seen {
        usage: Usage::Normal,
        standing: Duration::ZERO,
        contention: Contention::Alone,
        acknowledged: Some(Bitrate::from_kbps(kbps)),
        recent: Some(Bitrate::from_kbps(kbps)),
        round_trip: 60 * MS,
        growth: Growth::Allowed,
        used: Use::Full,
    }
}

fn queue(kbps: u64) -> Seen {
    Seen { usage: Usage::Over, standing: 60 * MS, ..calm(kbps) }
}

struct Bench {
    rate: Rate,
    now: Instant,
}

impl Bench {
    fn new(kbps: u64) -> Self {
        let rate = Rate::new(Bitrate::from_kbps(kbps), Bitrate::from_kbps(50));
        let mut bench = Self { rate, now: origin() };
        bench.sees(calm(kbps), 50);
        bench
    }

    /// The same every 50 ms for so long; what became of the rate at the end.
    fn sees(&mut self, seen: Seen, ms: u32) -> Change {
        let mut change = Change::Usual;
        for _ in 0..ms / 50 {
            self.now += 50 * MS;
            change = self.rate.update(self.now, seen);
        }
        change
    }

    fn kbps(&self) -> u64 {
        self.rate.target().bps() / 1000
    }
}

#[test]
fn far_from_any_capacity_it_grows_by_a_share_and_searches() {
    let mut bench = Bench::new(1000);
    assert_eq!(bench.sees(calm(1000), 1000), Change::Searching);
    assert!((1070..1090).contains(&bench.kbps()), "{}", bench.kbps());
}

#[test]
fn it_falls_below_what_gets_through_and_grows_slowly_near_that() {
    let mut bench = Bench::new(1000);
    assert_eq!(bench.sees(queue(800), 50), Change::Backed);
    assert_eq!(bench.kbps(), 680);
    assert_eq!(bench.sees(calm(680), 1000), Change::Usual);
    assert!((720..750).contains(&bench.kbps()), "{}", bench.kbps());
}

#[test]
fn one_queue_is_answered_once_a_round_trip() {
    let mut bench = Bench::new(1000);
    bench.sees(queue(1000), 50);
    let before = bench.kbps();
    let slower = Seen { round_trip: 200 * MS, ..queue(600) };
    assert_eq!(bench.sees(slower, 100), Change::Usual);
    assert_eq!(bench.kbps(), before);
    assert_eq!(bench.sees(slower, 100), Change::Backed);
    assert_eq!(bench.kbps(), 510);
}

#[test]
fn passing_the_capacity_without_a_queue_is_noticed_once() {
    let mut bench = Bench::new(1000);
    bench.sees(queue(500), 50);
    bench.sees(calm(500), 100);
    assert_eq!(bench.sees(calm(700), 50), Change::Passed);
    assert_eq!(bench.sees(calm(700), 50), Change::Searching);
}

#[test]
fn a_trend_without_a_queue_is_no_overuse_and_a_queue_without_a_trend_is_drained() {
    let mut bench = Bench::new(1000);
    bench.sees(Seen { standing: MS, ..queue(1000) }, 1000);
    assert!(bench.kbps() > 1000);
    let before = bench.kbps();
    bench.sees(Seen { usage: Usage::Normal, standing: 30 * MS, ..calm(1000) }, 1100);
    assert!(bench.kbps() < before, "{} after {before}", bench.kbps());
}

#[test]
fn a_queue_stops_growth_unless_it_is_somebody_elses() {
    let mut bench = Bench::new(1000);
    let stands = Seen { standing: 30 * MS, ..calm(1000) };
    bench.sees(stands, 500);
    assert_eq!(bench.kbps(), 1000);
    bench.sees(Seen { contention: Contention::Contended, ..stands }, 500);
    assert!((1010..1060).contains(&bench.kbps()), "{}", bench.kbps());
}

#[test]
fn who_sends_little_neither_grows_nor_falls_to_it() {
    let mut bench = Bench::new(1000);
    let limited = Seen { used: Use::Limited, ..calm(100) };
    bench.sees(limited, 1000);
    assert_eq!(bench.kbps(), 1000);
    bench.sees(Seen { used: Use::Limited, ..queue(100) }, 50);
    assert!((800..900).contains(&bench.kbps()), "{}", bench.kbps());
}

#[test]
fn the_rate_is_never_far_above_what_gets_through_nor_below_the_least() {
    let mut bench = Bench::new(1000);
    bench.sees(calm(750), 10_000);
    assert!(bench.kbps() <= 750 * 3 / 2 + 10, "{}", bench.kbps());
    for _ in 0..100 {
        bench.sees(queue(1), 500);
        bench.rate.brake(f64::NAN);
        bench.rate.brake(-1.0);
    }
    assert_eq!(bench.kbps(), 50);
}
