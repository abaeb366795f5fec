use super::*;
use crate::session::fixture::origin;

const MS: Duration = Duration::from_millis(1);
const ROUND_TRIP: Duration = Duration::from_millis(100);

fn requests(asker: &mut Asker, now: Instant) -> Vec<Request> {
    std::iter::from_fn(|| asker.poll_request(now)).collect()
}

fn asker(now: Instant, sequences: impl IntoIterator<Item = u16>) -> Asker {
    let mut asker = Asker::new(ROUND_TRIP);
    sequences.into_iter().for_each(|sequence| asker.handle_packet(now, sequence));
    asker
}

#[test]
fn what_is_missing_is_asked_for_once_a_round_trip() {
    let start = origin();
    let mut asker = asker(start, [65_533, 65_534, 1, 3]);
    assert_eq!(requests(&mut asker, start), []);
    assert_eq!(asker.poll_timeout(), Some((start + REORDERING, "missing packet")));
    assert_eq!(requests(&mut asker, start + 10 * MS), [Request::Again(vec![65_535, 0, 2])]);
    assert_eq!(requests(&mut asker, start + 109 * MS), []);
    asker.handle_packet(start + 109 * MS, 0);
    assert_eq!(requests(&mut asker, start + 110 * MS), [Request::Again(vec![65_535, 2])]);
    asker.handle_packet(start + 111 * MS, 65_535);
    asker.handle_packet(start + 111 * MS, 2);
    assert_eq!(asker.poll_timeout(), None);
}

#[test]
fn packets_that_merely_overtake_are_not_asked_for() {
    let start = origin();
    let mut asker = asker(start, [1, 3]);
    asker.handle_packet(start + 9 * MS, 2);
    assert_eq!(requests(&mut asker, start + 50 * MS), []);
}

#[test]
fn after_so_many_times_or_so_long_a_keyframe_is_asked_for() {
    for (round_trip, most) in [(20 * MS, usize::from(MOST_TIMES)), (250 * MS, 3)] {
        let start = origin();
        let mut asker = asker(start, [1, 3]);
        asker.handle_round_trip(round_trip);
        let mut asked = Vec::new();
        let mut last = start;
        while let Some((due, _)) = asker.poll_timeout().filter(|(due, _)| *due < start + 2000 * MS) {
            last = due.max(last + MS);
            asked.extend(requests(&mut asker, last));
            if asked.last() == Some(&Request::Keyframe) {
                break;
            }
        }
        let again = asked.iter().filter(|request| matches!(request, Request::Again(_))).count();
        assert_eq!((again, asked.last()), (most, Some(&Request::Keyframe)), "{round_trip:?}");
        assert!(last - start <= TOO_OLD + 10 * MS);
    }
}

#[test]
fn an_outage_is_a_keyframe_and_keyframes_are_asked_for_at_intervals() {
    let start = origin();
    let mut asker = asker(start, [0, 20_000]);
    assert!(asker.missing.is_empty());
    assert_eq!(requests(&mut asker, start), [Request::Keyframe]);
    asker.need_keyframe();
    assert_eq!(requests(&mut asker, start + 499 * MS), []);
    assert_eq!(asker.poll_timeout(), Some((start + KEYFRAME_PAUSE, "keyframe")));
    assert_eq!(requests(&mut asker, start + 500 * MS), [Request::Keyframe]);
    asker.handle_keyframe(20_000);
    assert_eq!(requests(&mut asker, start + 5000 * MS), []);
    assert_eq!(asker.poll_timeout(), None);
}

#[test]
fn a_keyframe_ends_the_search_for_what_is_before_it() {
    let start = origin();
    let mut asker = asker(start, [1, 4, 6, 8]);
    asker.handle_keyframe(6);
    assert_eq!(requests(&mut asker, start + 10 * MS), [Request::Again(vec![7])]);
}

#[test]
fn whatever_comes_memory_is_bounded_and_questions_end() {
    let start = origin();
    let mut asker = Asker::new(Duration::ZERO);
    let mut sequence = 0_u16;
    for nth in 0..100_000_u32 {
        sequence = sequence.wrapping_add((nth.wrapping_mul(40_503) >> 16) as u16);
        asker.handle_packet(start + MS * (nth / 10), sequence);
        asker.handle_packet(start, sequence.wrapping_sub(HALF));
        asker.handle_keyframe(sequence.wrapping_add(5));
        asker.poll_request(start + MS * (nth / 10));
        assert!(asker.missing.len() <= MOST_MISSING);
    }
    let (mut now, mut polls) = (start + 10_000 * MS, 0);
    asker.handle_keyframe(sequence);
    while let Some((due, _)) = asker.poll_timeout() {
        now = due.max(now);
        requests(&mut asker, now);
        asker.handle_keyframe(sequence);
        polls += 1;
        assert!(polls < 2 * usize::from(MOST_TIMES));
    }
}

fn answerer(now: Instant, sequences: impl IntoIterator<Item = u16>) -> Answerer<u16> {
    let mut answerer = Answerer::new(ROUND_TRIP);
    sequences.into_iter().for_each(|sequence| answerer.handle_sent(now, sequence, sequence, 1200));
    answerer
}

#[test]
fn a_packet_is_given_out_again_though_not_twice_at_once() {
    let start = origin();
    let mut answerer = answerer(start, [65_534, 65_535, 0, 1]);
    let asked = [65_535, 0, 0, 7, 65_000];
    assert_eq!(answerer.handle_request(start + 60 * MS, &asked, 0.0), [(65_535, 1200), (0, 1200)]);
    assert_eq!(answerer.handle_request(start + 70 * MS, &asked, 0.0), []);
    let twice = [(65_535, 1200), (0, 1200), (65_535, 1200), (0, 1200)];
    assert_eq!(answerer.handle_request(start + 120 * MS, &asked, 0.0), twice, "the repetition was lost, too");
}

#[test]
fn where_many_are_lost_what_is_asked_for_is_given_out_several_times() {
    let start = origin();
    let mut answerer = answerer(start, 0..10);
    let all = answerer.handle_request(start, &[3, 4], 0.1);
    assert_eq!(all.iter().map(|(packet, _)| *packet).collect::<Vec<_>>(), [3, 4, 3, 3, 4, 4]);
    assert_eq!(answerer.handle_request(start, &[5], 0.0).len(), 1);
}

#[test]
fn what_is_given_out_again_never_takes_more_than_a_third_of_the_way() {
    for (lost, expected) in
        [(0.0, 1), (0.005, 1), (0.02, 2), (0.05, 2), (0.1, 3), (0.12, 2), (0.17, 2), (0.2, 1), (0.9, 1)]
    {
        assert_eq!(copies(lost), expected, "{lost}");
    }
}

#[test]
fn who_asks_for_ever_is_answered_so_many_times() {
    let start = origin();
    let mut answerer = answerer(start, 0..10);
    let answers = (0..1000).map(|nth| answerer.handle_request(start + 200 * MS * nth, &[3; 100], 0.0).len());
    assert_eq!(answers.sum::<usize>(), 2 * usize::from(MOST_TIMES) - 1, "from the second time on twice");
}

fn told(results: impl IntoIterator<Item = (u16, bool)>) -> Vec<PacketResult> {
    let told = results.into_iter();
    told.map(|(number, arrived)| PacketResult { number, arrival: arrived.then_some(MS) }).collect()
}

/// What goes out again at the telling of what became of these numbers.
fn again(answerer: &mut Answerer<u16>, now: Instant, results: &[(u16, bool)], lost: f64) -> Vec<u16> {
    let results = told(results.iter().copied());
    answerer.handle_results(now, &results, lost).into_iter().map(|(packet, _)| packet).collect()
}

#[test]
fn what_did_not_arrive_goes_out_again_though_the_request_was_lost() {
    let start = origin();
    let mut answerer = answerer(start, 0..3);
    (0..3).for_each(|nth| answerer.handle_departure(65_534u16.wrapping_add(nth), nth));
    let first = [(65_534, true), (65_535, false), (0, true)];
    assert_eq!(again(&mut answerer, start + 60 * MS, &first, 0.05), [1, 1]);
    (10..12).for_each(|number| answerer.handle_departure(number, 1));
    assert_eq!(
        again(&mut answerer, start + 170 * MS, &[(10, false)], 0.05),
        [0; 0],
        "the other copy may come"
    );
    assert_eq!(again(&mut answerer, start + 170 * MS, &[(10, false), (11, false)], 0.05), [1, 1]);
    (20..22).for_each(|number| answerer.handle_departure(number, 1));
    assert_eq!(again(&mut answerer, start + 280 * MS, &[(20, true), (21, false)], 0.05), [0; 0]);
    assert_eq!(answerer.handle_request(start + 400 * MS, &[0, 1, 2], 0.05), [], "all are known to be there");
}

#[test]
fn where_hardly_any_are_lost_or_it_is_too_late_nothing_goes_out_unasked() {
    let start = origin();
    let mut answerer = answerer(start, 0..2);
    (0..2).for_each(|nth| answerer.handle_departure(nth, nth));
    assert_eq!(again(&mut answerer, start + 60 * MS, &[(0, false)], 0.005), [0; 0]);
    assert_eq!(again(&mut answerer, start + TOO_OLD, &[(1, false)], 0.1), [0; 0]);
    assert_eq!(answerer.handle_request(start + TOO_OLD, &[0], 0.0).len(), 1, "who asks is answered");
}

#[test]
fn only_the_last_packets_are_kept() {
    let start = origin();
    let mut answerer = answerer(start, (0..200_000_u32).map(|nth| nth as u16));
    assert_eq!(answerer.kept.len(), KEPT);
    let newest = 199_999_u32 as u16;
    assert_eq!(answerer.handle_request(start, &[newest, newest.wrapping_sub(KEPT as u16)], 0.0).len(), 1);
    // Numbers that jump leave no two kept packets of one number.
    for nth in 0..100_000_u32 {
        answerer.handle_sent(start, (nth * 30_000) as u16, 0, 1200);
    }
    assert!(answerer.kept.len() <= 3, "{}", answerer.kept.len());
}
