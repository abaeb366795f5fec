use super::super::probing::LEAST_PACKETS;
use super::*;
use crate::session::fixture::origin;

const MS: Duration = Duration::from_millis(1);
const TARGET: Bitrate = Bitrate::from_kbps(800);

fn probe(kbps: u64) -> Probe {
    Probe { id: ProbeId(1), rate: Bitrate::from_kbps(kbps), bytes: 3000, packets: LEAST_PACKETS }
}

/// What leaves until `end`, and when, in order.
fn departures(pacer: &mut Pacer<u32>, from: Instant, end: Instant) -> Vec<(Duration, Departure<u32>)> {
    let (mut now, mut departures) = (from, Vec::new());
    for _ in 0..100_000 {
        while let Some(departure) = pacer.poll_transmit(now) {
            departures.push((now - from, departure));
        }
        let Some((due, _)) = pacer.poll_timeout().filter(|(due, _)| *due <= end) else { return departures };
        // Time never stands still, or the pacer would be polled for ever.
        now = due.max(now + Duration::from_micros(1));
    }
    panic!("the pacer spins");
}

fn kinds(departures: &[(Duration, Departure<u32>)]) -> Vec<PacketKind> {
    departures
        .iter()
        .map(|(_, departure)| match departure {
            Departure::Packet { kind, .. } => *kind,
            Departure::Padding { .. } => PacketKind::Padding,
        })
        .collect()
}

#[test]
fn sound_and_rtcp_overtake_everything_at_once() {
    let (mut pacer, now) = (Pacer::new(TARGET), origin());
    for nth in 0..40 {
        pacer.push(now, nth, 1200, PacketKind::Video).unwrap();
    }
    assert!(pacer.poll_transmit(now).is_some(), "one packet of video leaves");
    assert!(pacer.poll_transmit(now).is_none());
    pacer.push(now, 100, 1200, PacketKind::Retransmission).unwrap();
    pacer.push(now, 101, 100, PacketKind::Audio).unwrap();
    pacer.push(now, 102, 100, PacketKind::Control).unwrap();
    assert_eq!(pacer.poll_timeout().map(|(due, _)| due), Some(now));
    let left = departures(&mut pacer, now, now + 20 * MS);
    let expected = [PacketKind::Audio, PacketKind::Control, PacketKind::Retransmission];
    assert_eq!(kinds(&left)[..3], expected);
    assert!(left[..2].iter().all(|(at, _)| at.is_zero()) && left[2].0 > 10 * MS, "{left:?}");
}

#[test]
fn video_leaves_evenly_a_little_faster_than_the_target() {
    let (mut pacer, now) = (Pacer::new(TARGET), origin());
    for nth in 0..50 {
        pacer.push(now, nth, 1000, PacketKind::Video).unwrap();
    }
    let left = departures(&mut pacer, now, now + 1000 * MS);
    let between = TARGET.scaled(FACTOR).time_for(1000);
    for (nth, (at, _)) in left.iter().enumerate() {
        let due = between * nth as u32;
        assert!(*at >= due && *at < due + MS, "{nth}: {at:?}, not {due:?}");
    }
    assert_eq!(left.len(), 50);
}

#[test]
fn a_timer_that_is_late_costs_no_rate_and_idle_time_is_not_saved() {
    let (mut pacer, start) = (Pacer::new(TARGET), origin());
    for nth in 0..100 {
        pacer.push(start, nth, 1000, PacketKind::Video).unwrap();
    }
    let mut left = 0;
    for nth in 0..50 {
        let now = start + 10 * MS * nth;
        left += std::iter::from_fn(|| pacer.poll_transmit(now)).count();
    }
    let expected = TARGET.scaled(FACTOR).bytes_in(490 * MS) / 1000.0;
    assert!((left as f64 - expected).abs() <= 2.0, "{left}, not {expected}");
    pacer.clear_video();
    let later = start + 5000 * MS;
    (0..10).for_each(|nth| pacer.push(later, nth, 1000, PacketKind::Video).unwrap());
    assert_eq!(std::iter::from_fn(|| pacer.poll_transmit(later)).count(), 1);
}

#[test]
fn sound_that_leaves_counts() {
    let (mut pacer, now) = (Pacer::new(TARGET), origin());
    pacer.push(now, 0, 1000, PacketKind::Audio).unwrap();
    pacer.push(now, 1, 1000, PacketKind::Video).unwrap();
    let left = departures(&mut pacer, now, now + 1000 * MS);
    assert!(left[1].0 >= TARGET.scaled(FACTOR).time_for(1000), "{left:?}");
}

#[test]
fn retransmissions_take_their_share_and_no_more() {
    let (mut pacer, now) = (Pacer::new(TARGET), origin());
    for nth in 0..60 {
        pacer.push(now, nth, 1000, PacketKind::Video).unwrap();
        pacer.push(now, nth, 1000, PacketKind::Retransmission).unwrap();
    }
    let left = kinds(&departures(&mut pacer, now, now + 400 * MS));
    let again = left.iter().filter(|kind| **kind == PacketKind::Retransmission).count();
    let most = TARGET.scaled(RETRANSMISSIONS).bytes_in(400 * MS).max(0.0) / 1000.0
        + LEAST_SAVED.max(6250.0) / 1000.0;
    assert!(again as f64 <= most && again >= 10, "{again} of {}", left.len());
    let video = left.iter().filter(|kind| **kind == PacketKind::Video).count();
    assert!(video > again, "{video} and {again}");
}

#[test]
fn retransmissions_alone_wait_for_their_budget_and_old_ones_are_dropped() {
    let (mut pacer, now) = (Pacer::new(Bitrate::from_kbps(80)), origin());
    for nth in 0..300 {
        pacer.push(now, nth, 1500, PacketKind::Retransmission).unwrap();
    }
    let left = departures(&mut pacer, now, now + 5000 * MS);
    assert!((2..=4).contains(&left.len()), "{left:?}");
    assert!(left.iter().all(|(at, _)| *at <= STALE));
    assert_eq!(pacer.poll_timeout(), None);
    let huge = usize::MAX / 2;
    pacer.push(now + 6000 * MS, 1, huge, PacketKind::Retransmission).unwrap();
    assert_eq!(
        departures(&mut pacer, now + 6000 * MS, now + 7000 * MS).len(),
        1,
        "it fits whatever its size"
    );
}

#[test]
fn who_encodes_is_told_to_skip_before_anything_is_refused() {
    let (mut pacer, now) = (Pacer::<u32>::new(TARGET), origin());
    assert_eq!(pacer.room(), Room::Encode);
    let mut refused = false;
    for nth in 0..400 {
        // Frames of one packet each, in no time.
        let now = now + Duration::from_nanos(nth.into());
        match pacer.push(now, nth, 1000, PacketKind::Video) {
            Ok(()) => assert!(!refused),
            Err(error) => {
                assert_eq!(error, Refused::TooMuchWaits);
                refused = true;
            }
        }
        if pacer.queueing_time() > ROOM {
            assert_eq!(pacer.room(), Room::Skip);
        }
    }
    assert!(refused && pacer.queueing_time() < LONGEST + 50 * MS);
}

#[test]
fn a_frame_that_has_begun_is_taken_whole_and_the_next_one_is_not() {
    let (mut pacer, now) = (Pacer::<u32>::new(TARGET), origin());
    for nth in 0..400 {
        assert_eq!(pacer.push(now, nth, 1000, PacketKind::Video), Ok(()));
    }
    assert!(pacer.queueing_time() > LONGEST);
    for nth in 0..3 {
        assert_eq!(pacer.push(now + MS, nth, 1000, PacketKind::Video), Err(Refused::TooMuchWaits));
    }
    assert_eq!(pacer.push(now, 0, 1000, PacketKind::Padding), Err(Refused::Padding));
    pacer.clear_video();
    assert_eq!(pacer.room(), Room::Encode);
    assert_eq!(pacer.poll_transmit(now), None);
}

#[test]
fn a_probe_leaves_at_its_rate_filled_with_padding() {
    let (mut pacer, now) = (Pacer::new(TARGET), origin());
    pacer.push(now, 0, 1200, PacketKind::Video).unwrap();
    pacer.handle_probe(now, probe(4800));
    assert_eq!(pacer.poll_timeout().map(|(due, _)| due), Some(now));
    let left = departures(&mut pacer, now, now + 1000 * MS);
    let mut expected = vec![PacketKind::Video];
    expected.extend([PacketKind::Padding; 4]);
    assert_eq!(kinds(&left), expected);
    for (nth, (at, departure)) in left.iter().enumerate() {
        let due = 2 * MS * nth as u32;
        assert!(*at >= due && *at < due + MS, "{nth}: {at:?}");
        let (Departure::Packet { probe: Some(id), .. } | Departure::Padding { probe: id, .. }) = departure
        else {
            panic!("{departure:?} is of no probe")
        };
        assert_eq!(*id, ProbeId(1));
    }
}

#[test]
fn a_target_of_nothing_and_a_clock_that_goes_back_do_no_harm() {
    let (mut pacer, now) = (Pacer::new(Bitrate::ZERO), origin() + 1000 * MS);
    pacer.handle_target(now, Bitrate::ZERO);
    pacer.handle_probe(now, Probe { rate: Bitrate::ZERO, ..probe(1) });
    for nth in 0..1000 {
        let now = now + Duration::from_nanos(u64::from(nth));
        let _ = pacer.push(now, nth, 1200, PacketKind::Video);
        let _ = pacer.push(now, nth, 1200, PacketKind::Audio);
        pacer.handle_probe(now, probe(100));
        pacer.poll_transmit(now - 500 * MS);
    }
    assert!(pacer.urgent.len() <= MOST_URGENT && pacer.probes.len() <= MOST_PROBES);
    assert!(pacer.video.len() < 100);
    pacer.handle_target(now, Bitrate::from_bps(u64::MAX));
    departures(&mut pacer, now, now + 1000 * MS);
}

#[test]
fn a_probe_has_its_bytes_whatever_its_padding_weighs() {
    for size in [1, 300, 860, 1200] {
        let (mut pacer, now) = (Pacer::<u32>::new(TARGET), origin());
        pacer.handle_padding(size);
        pacer.handle_probe(now, probe(4800));
        let mut bytes = 0;
        for ms in 0..200u32 {
            while let Some(departure) = pacer.poll_transmit(now + ms * MS) {
                let Departure::Padding { size: padded, .. } = departure else { panic!("{departure:?}") };
                assert_eq!(padded, size.max(LEAST_PADDING));
                bytes += padded;
            }
        }
        let size = size.max(LEAST_PADDING);
        let wished = probe(4800).bytes.max(LEAST_PACKETS * size);
        assert!((wished..wished + size).contains(&bytes), "{size}: {bytes}");
    }
}
