use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::*;
use crate::video::fixture::origin;
use crate::video::vpx::{Encoded, Kind};

const MS: Duration = Duration::from_millis(1);

/// A packet of the stream below.
#[derive(Clone)]
struct Sent {
    sequence: u16,
    timestamp: u32,
    payload: Payload,
}

/// The layers of three, in the order of the encoder.
const PATTERN: [(u8, bool); 4] = [(0, false), (2, true), (1, true), (2, false)];

/// Pictures of `pieces` packets each; those in `keys` stand alone. The data of a picture begins with its number.
fn stream(layers: bool, pictures: u32, pieces: usize, keys: &[u32]) -> Vec<Sent> {
    let mut packetiser = Packetiser::new(Codec::Vp8, 0x7ffa);
    let (mut sent, mut sequence) = (Vec::new(), 65_500u16);
    for number in 0..pictures {
        let key = keys.contains(&number);
        let kind = if key { Kind::Key } else { Kind::Delta };
        let (id, sync) = PATTERN[number as usize % 4];
        let data = [vec![u8::from(!key)], number.to_be_bytes().to_vec(), vec![9; pieces * 100 - 5]].concat();
        let coded = Encoded { data, kind, layer: layers.then_some(Layer { id, sync }) };
        for payload in packetiser.packetise(&coded, 106) {
            sent.push(Sent { sequence, timestamp: number * 3000, payload });
            sequence = sequence.wrapping_add(1);
        }
    }
    sent
}

fn insert(assembler: &mut Assembler, now: Instant, sent: &Sent) {
    let (payload, last) = (&sent.payload.data, sent.payload.last);
    assembler.insert(now, sent.sequence, sent.timestamp, last, payload).unwrap();
}

fn number(picture: &Assembled) -> u32 {
    u32::from_be_bytes(picture.data[1..5].try_into().unwrap())
}

fn drain(assembler: &mut Assembler, now: Instant) -> Vec<u32> {
    std::iter::from_fn(|| assembler.poll(now)).map(|picture| number(&picture)).collect()
}

/// What comes out at once of packets 5 ms apart, without those of the pictures `lost`.
fn played(sent: &[Sent], lost: &[u32]) -> Vec<u32> {
    let (start, mut assembler, mut out) = (origin(), Assembler::new(Codec::Vp8), Vec::new());
    for (at, packet) in sent.iter().enumerate() {
        let now = start + 5 * MS * at as u32;
        if !lost.contains(&(packet.timestamp / 3000)) {
            insert(&mut assembler, now, packet);
        }
        out.extend(drain(&mut assembler, now));
    }
    out
}

#[test]
fn descriptors_are_read_as_they_were_written() {
    let pictures = [None, Some(PictureId::Short(5)), Some(PictureId::Long(0x7fff)), Some(PictureId::Long(3))];
    let layers = [None, Some(Layer { id: 2, sync: true }), Some(Layer { id: 1, sync: false })];
    for picture in pictures {
        for layer in layers {
            for (base, keyframe, begins) in [(None, None, true), (Some(255), Some(31), false)] {
                let descriptor = vp8::Descriptor {
                    discardable: !begins,
                    begins,
                    partition: 3,
                    picture,
                    base,
                    layer,
                    keyframe,
                };
                let mut bytes = Vec::new();
                descriptor.write(&mut bytes);
                (0..=bytes.len()).for_each(|end| assert!(vp8::Descriptor::parse(&bytes[..end]).is_err()));
                bytes.push(7);
                assert_eq!(vp8::Descriptor::parse(&bytes), Ok((descriptor, &[7][..])));
            }
            let base = layer.map(|_| 9);
            let descriptor = vp9::Descriptor {
                picture,
                predicted: true,
                begins: true,
                ends: false,
                layer,
                spatial: 0,
                base,
            };
            let mut bytes = Vec::new();
            descriptor.write(&mut bytes);
            bytes.push(7);
            assert_eq!(vp9::Descriptor::parse(&bytes), Ok((descriptor, &[7][..])));
        }
    }
}

#[test]
fn the_bytes_are_those_of_the_rfc() {
    let layer = Some(Layer { id: 1, sync: true });
    let picture = Some(PictureId::Long(0x1234));
    let (base, keyframe) = (Some(0x56), Some(0x07));
    let mut bytes = Vec::new();
    vp8::Descriptor { discardable: false, begins: true, partition: 0, picture, base, layer, keyframe }
        .write(&mut bytes);
    assert_eq!(bytes, [0x90, 0xf0, 0x92, 0x34, 0x56, 0x67]);
}

#[test]
fn malformed_descriptors_are_refused() {
    assert_eq!(vp8::Descriptor::parse(&[0x90, 0x80, 0x80]), Err(DescriptorError::Truncated));
    assert_eq!(vp8::Descriptor::parse(&[0x10]), Err(DescriptorError::Empty));
    assert_eq!(vp9::Descriptor::parse(&[0x10, 0, 0]), Err(DescriptorError::Flexible));
    assert_eq!(vp9::Descriptor::parse(&[0x02, 0xf0, 1, 2]), Err(DescriptorError::Truncated));
    // A scalability structure of one size and a pattern of two pictures.
    let structured = [0x0a, 0x18, 1, 64, 0, 180, 2, 0x04, 1, 0x10, 99];
    assert_eq!(vp9::Descriptor::parse(&structured).map(|(_, data)| data), Ok(&[99][..]));
}

#[test]
fn pieces_are_even_and_fit() {
    let data = vec![1; 2500];
    let coded = Encoded { data: data.clone(), kind: Kind::Delta, layer: None };
    for codec in [Codec::Vp8, Codec::Vp9] {
        let payloads = Packetiser::new(codec, 0).packetise(&coded, 1200);
        let lengths: BTreeSet<usize> = payloads.iter().map(|payload| payload.data.len()).collect();
        assert!(lengths.last().unwrap() - lengths.first().unwrap() <= 1 && *lengths.last().unwrap() <= 1200);
        let whole: Vec<u8> =
            payloads.iter().flat_map(|payload| parse(codec, &payload.data).unwrap().1.to_vec()).collect();
        assert_eq!(whole, data);
        let lasts: Vec<bool> = payloads.iter().map(|payload| payload.last).collect();
        assert_eq!(lasts, [false, false, true]);
    }
}

#[test]
fn pictures_come_out_in_order_across_all_wraps() {
    assert_eq!(played(&stream(false, 40, 3, &[0]), &[]), (0..40).collect::<Vec<u32>>());
}

#[test]
fn reordered_and_doubled_packets_change_nothing() {
    let (start, mut assembler, mut out) = (origin(), Assembler::new(Codec::Vp8), Vec::new());
    let sent = stream(false, 40, 4, &[0]);
    for window in sent.chunks(8) {
        for packet in window.iter().rev().chain(window) {
            insert(&mut assembler, start, packet);
        }
        out.extend(drain(&mut assembler, start));
    }
    assert_eq!(out, (0..40).collect::<Vec<u32>>());
    assert_eq!(assembler.stats().dropped, 0);
}

#[test]
fn nothing_comes_before_the_first_keyframe() {
    assert_eq!(played(&stream(false, 30, 2, &[12]), &[]), (12..30).collect::<Vec<u32>>());
}

#[test]
fn without_layers_a_loss_waits_for_the_next_keyframe() {
    let rest = (20..30).collect::<Vec<u32>>();
    assert_eq!(played(&stream(false, 30, 2, &[0, 20]), &[5]), [vec![0, 1, 2, 3, 4], rest].concat());
}

#[test]
fn a_lost_upper_layer_costs_what_may_need_it_until_its_next_sync() {
    let sent = stream(true, 16, 8, &[0]);
    let all_but = |lost: &[u32]| (0..16).filter(|number| !lost.contains(number)).collect::<Vec<u32>>();
    // Picture 7 is of the same layer as 5 and not synchronised: it might need it.
    assert_eq!(played(&sent, &[5]), all_but(&[5, 7]));
    assert_eq!(played(&sent, &[7]), all_but(&[7]));
    assert_eq!(played(&sent, &[6]), all_but(&[6, 7]));
    assert_eq!(played(&sent, &[5, 6]), all_but(&[5, 6, 7]));
    // Layer 0 carries all.
    assert_eq!(played(&sent, &[4]), [0, 1, 2, 3]);
}

#[test]
fn what_is_missing_is_waited_for_until_only_a_keyframe_helps() {
    let (start, mut assembler) = (origin(), Assembler::new(Codec::Vp8));
    let sent = stream(false, 10, 2, &[0]);
    sent.iter()
        .filter(|packet| packet.sequence != 65_505)
        .for_each(|packet| insert(&mut assembler, start, packet));
    assert_eq!(drain(&mut assembler, start), [0, 1]);
    assert_eq!(assembler.timeout(start), Some(start + SKIPPED));
    assert!(!assembler.needs_keyframe(start + 149 * MS));
    assert!(assembler.needs_keyframe(start + 150 * MS));
    // It comes after all.
    let found = sent.iter().find(|packet| packet.sequence == 65_505).unwrap();
    insert(&mut assembler, start + 900 * MS, found);
    assert_eq!(drain(&mut assembler, start + 900 * MS), (2..10).collect::<Vec<u32>>());
    assert!(!assembler.needs_keyframe(start + 900 * MS));
    assert_eq!(assembler.timeout(start + 900 * MS), None);
}

/// Reordering and a usual round trip.
const SKIPPED: Duration = Duration::from_millis(60);

#[test]
fn what_is_too_old_is_dropped_and_a_keyframe_wished() {
    let (start, mut assembler) = (origin(), Assembler::new(Codec::Vp8));
    let sent = stream(false, 10, 2, &[0]);
    sent.iter()
        .filter(|packet| packet.sequence != 65_505)
        .for_each(|packet| insert(&mut assembler, start, packet));
    drain(&mut assembler, start);
    assert_eq!(drain(&mut assembler, start + 2001 * MS), [0u32; 0]);
    assert_eq!(assembler.stats().dropped, 15);
    assert!(assembler.needs_keyframe(start + 2001 * MS));
}

#[test]
fn packets_and_bytes_stay_bounded() {
    let (start, mut assembler) = (origin(), Assembler::new(Codec::Vp8));
    let payload = [&[0x00][..], &[1; 4000]].concat();
    for sequence in 0..10_000u16 {
        assembler.insert(start, sequence, 0, false, &payload).unwrap();
    }
    assert!(assembler.stats().dropped >= (10_000 - MAX_BYTES / 4000) as u64);
    assert!(assembler.needs_keyframe(start));
}

#[test]
fn another_stream_is_followed_and_a_stray_packet_is_not() {
    let (start, mut assembler) = (origin(), Assembler::new(Codec::Vp8));
    let sent = stream(false, 4, 2, &[0]);
    sent.iter().for_each(|packet| insert(&mut assembler, start, packet));
    insert(&mut assembler, start, &Sent { sequence: 30_000, ..sent[0].clone() });
    assert_eq!(drain(&mut assembler, start), [0, 1, 2, 3]);
    for (at, packet) in stream(false, 4, 2, &[0, 1]).into_iter().enumerate() {
        insert(&mut assembler, start, &Sent { sequence: 20_000 + at as u16, ..packet });
    }
    // The first packet was doubtful, so the first picture lacks it.
    assert_eq!(drain(&mut assembler, start), [1, 2, 3]);
}

#[test]
fn padding_between_pictures_is_passed_over() {
    let (start, mut assembler) = (origin(), Assembler::new(Codec::Vp8));
    for (at, packet) in stream(false, 6, 1, &[0]).into_iter().enumerate() {
        let sequence = 2 * at as u16;
        insert(&mut assembler, start, &Sent { sequence, ..packet });
        assembler.insert(start, sequence + 1, 0, false, &[]).unwrap();
    }
    assert_eq!(drain(&mut assembler, start), [0, 1, 2, 3, 4, 5]);
}
