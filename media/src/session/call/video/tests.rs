use super::*;
use crate::session::fixture::origin;

const MS: Duration = Duration::from_millis(1);
const VP8: Format = Format { payload_type: 96, codec: Codec::Vp8, repeats: Some(97) };
/// Descriptors of the first packet of a picture (RFC 7741 §4.2), and the first byte of what it holds (RFC 6386 §9.1).
const KEY: [u8; 2] = [0x10, 0x00];
const DELTA: [u8; 2] = [0x10, 0x01];
const MORE: [u8; 2] = [0x00, 0x00];

fn filming(now: Instant) -> Video {
    let mut video = Video::new(now, Beginning { ssrc: 1, repeats: 2, sequence: u16::MAX - 3 });
    video.agree(Agreed { formats: vec![VP8], extension: Some(3) });
    video.set_camera(Camera::On);
    video
}

/// A picture of so many packets of 1000 bytes.
fn picture(first: [u8; 2], packets: usize, timestamp: u32) -> Vec<VideoPacket> {
    let payload = |nth| [&(if nth == 0 { first } else { MORE })[..], &[7; 998]].concat();
    (0..packets)
        .map(|nth| VideoPacket { payload: payload(nth), timestamp, marker: nth + 1 == packets })
        .collect()
}

/// Sequence numbers and timestamps of what leaves until then.
fn leaves(video: &mut Video, from: Instant, ms: u32) -> Vec<(u16, u32)> {
    let mut left = Vec::new();
    for now in (0..ms).map(|at| from + MS * at) {
        video.handle_timeout(now);
        while let Some(packet) = video.poll_transmit(now) {
            if packet.header.ssrc == 1 {
                left.push((packet.header.sequence_number, packet.header.timestamp));
            }
        }
    }
    left
}

#[test]
fn a_keyframe_takes_the_place_of_what_waits_and_leaves_no_gap() {
    let (start, mut video) = (origin(), filming(origin()));
    video.send(start, picture(DELTA, 20, 100));
    let mut left = leaves(&mut video, start, 50);
    assert!((1..10).contains(&left.len()), "{left:?}");
    let later = start + MS * 50;
    video.send(later, picture(KEY, 5, 200));
    left.extend(leaves(&mut video, later, 1_000));
    let before = left.iter().take_while(|(_, timestamp)| *timestamp == 100).count();
    assert_eq!(left.len(), before + 5, "{left:?}");
    assert!(left.windows(2).all(|pair| pair[1].0 == pair[0].0.wrapping_add(1)), "{left:?}");
}

#[test]
fn a_keyframe_never_takes_the_place_of_another() {
    let (start, mut video) = (origin(), filming(origin()));
    for nth in 0..20 {
        let now = start + MS * 100 * nth;
        video.send(now, picture(KEY, 20, nth));
        leaves(&mut video, now, 100);
    }
    let left = leaves(&mut video, start + MS * 2_000, 20_000);
    let next =
        left.iter().map(|(_, timestamp)| *timestamp).find(|timestamp| *timestamp != left[0].1).unwrap();
    let whole = left.iter().filter(|(_, timestamp)| *timestamp == next).count();
    assert_eq!(whole, 20, "{left:?}");
}

#[test]
fn a_picture_that_builds_on_others_waits_for_its_turn() {
    let (start, mut video) = (origin(), filming(origin()));
    video.send(start, picture(DELTA, 5, 100));
    video.send(start, picture(DELTA, 5, 200));
    assert_eq!(leaves(&mut video, start, 1_000).len(), 10);
}
