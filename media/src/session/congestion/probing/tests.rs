use super::*;
use crate::session::fixture::origin;

const MS: Duration = Duration::from_millis(1);
const MOST: Bitrate = Bitrate::from_kbps(10_000);

fn kbps(rate: u64) -> Bitrate {
    Bitrate::from_kbps(rate)
}

/// So many packets of 1000 bytes arrive that left at the probe's rate, at another rate.
fn come(probing: &mut Probing, probe: Probe, packets: usize, arrive: Bitrate) {
    for nth in 0..packets {
        let micros = |rate: Bitrate| rate.time_for(1000 * nth).as_micros() as i64;
        let packet = Arrived { sent: micros(probe.rate), arrival: micros(arrive), size: 1000, probe: None };
        probing.arrived(probe.id, packet);
    }
}

fn about(found: &[Found], expected: Found) -> bool {
    let bps = |found: Found| match found {
        Found::AtLeast(rate) => (0, rate.bps() as f64),
        Found::Capacity(rate) => (1, rate.bps() as f64),
    };
    let [found] = found else { return false };
    let ((kind, rate), (other, wanted)) = (bps(*found), bps(expected));
    kind == other && (rate / wanted - 1.0).abs() < 0.01
}

#[test]
fn it_begins_with_three_and_six_times_the_start_and_no_more_than_is_wanted() {
    let (mut probing, now) = (Probing::default(), origin());
    probing.start(now, kbps(300), kbps(1000));
    let rates: Vec<Bitrate> = std::iter::from_fn(|| probing.poll()).map(|probe| probe.rate).collect();
    assert_eq!(rates, [kbps(900), kbps(1000)]);
}

#[test]
fn what_comes_through_leads_further_until_it_does_not() {
    let (mut probing, mut now) = (Probing::default(), origin());
    probing.reach(now, kbps(500), MOST);
    let first = probing.poll().unwrap();
    come(&mut probing, first, 5, first.rate);
    now += 100 * MS;
    assert!(about(&probing.found(now, MOST), Found::AtLeast(kbps(1000))));
    let second = probing.poll().unwrap();
    assert!(second.rate > kbps(1990) && second.rate < kbps(2010), "{}", second.rate);
    come(&mut probing, second, 5, kbps(1200));
    assert!(about(&probing.found(now + 100 * MS, MOST), Found::Capacity(kbps(1200))));
    assert_eq!(probing.poll(), None);
    assert_eq!(probing.found(now + 200 * MS, MOST), []);
}

#[test]
fn too_few_packets_or_impossibly_fast_ones_say_nothing() {
    let (mut probing, now) = (Probing::default(), origin());
    probing.reach(now, kbps(500), MOST);
    let probe = probing.poll().unwrap();
    come(&mut probing, probe, 3, probe.rate);
    assert_eq!(probing.found(now, MOST), []);
    probing.reach(now + 2 * PATIENCE, kbps(500), MOST);
    let probe = probing.poll().unwrap();
    come(&mut probing, probe, 5, probe.rate.scaled(3.0));
    assert_eq!(probing.found(now + 2 * PATIENCE, MOST), []);
    // Arrivals at one instant, or before each other: no time, no rate.
    probing.reach(now + 4 * PATIENCE, kbps(500), MOST);
    let probe = probing.poll().unwrap();
    for nth in 0..5 {
        let packet = Arrived { sent: nth * 8000, arrival: 7, size: usize::MAX / 3, probe: None };
        probing.arrived(probe.id, packet);
    }
    assert_eq!(probing.found(now + 4 * PATIENCE, MOST), []);
}

#[test]
fn one_probe_at_a_time_and_none_for_nothing() {
    let (mut probing, now) = (Probing::default(), origin());
    probing.reach(now, kbps(500), kbps(540));
    assert_eq!(probing.poll(), None);
    probing.reach(now, kbps(500), MOST);
    probing.reach(now + 10 * MS, kbps(500), MOST);
    assert!(probing.poll().is_some() && probing.poll().is_none());
    probing.refresh(now + PATIENCE, kbps(500), MOST);
    assert_eq!(probing.poll(), None, "the last one was just now");
    probing.refresh(now + PERIOD, kbps(500), MOST);
    assert!(probing.poll().is_some());
}

#[test]
fn a_way_that_is_full_is_not_probed_and_memory_is_bounded() {
    let (mut probing, now) = (Probing::default(), origin());
    probing.start(now, kbps(300), MOST);
    probing.give_up();
    assert_eq!(probing.poll(), None);
    for nth in 0..1000 {
        probing.reach(now + 2 * PATIENCE * nth, kbps(500), MOST);
        let probe = Probe { id: ProbeId(nth * 7), rate: MOST, bytes: 0, packets: 0 };
        come(&mut probing, probe, 2, MOST);
        probing.found(now, MOST);
    }
    assert!(probing.clusters.len() <= CLUSTERS && probing.ready.len() <= CLUSTERS);
}
