use std::time::Duration;

use super::*;
use crate::bitrate::Bitrate;
use crate::video::frame::{I420, Size, Taken};
use crate::video::pattern;

const ANY: Taken = Taken::Media(0);
const FRAME: Duration = Duration::from_millis(33);

fn size(width: u32, height: u32) -> Size {
    Size::new(width, height).unwrap()
}

fn config(codec: Codec, layers: Layers) -> EncoderConfig {
    let bitrate = Bitrate::from_kbps(300);
    EncoderConfig { codec, size: size(320, 180), bitrate, layers, content: Content::Camera }
}

fn picture(number: u32) -> I420 {
    pattern::draw(size(320, 180), ANY, number)
}

/// What comes of so many pictures, with their numbers.
fn encode(encoder: &mut Encoder, numbers: std::ops::Range<u32>) -> Vec<(u32, Encoded)> {
    let coded = numbers.filter_map(|number| {
        let coded = encoder.encode(&picture(number), FRAME * number, Wish::Any).unwrap();
        coded.map(|coded| (number, coded))
    });
    coded.collect()
}

fn counter(decoder: &mut Decoder, coded: &Encoded) -> Option<u32> {
    decoder.decode(&coded.data, ANY).unwrap().and_then(|frame| pattern::read_counter(&frame))
}

#[test]
fn both_codecs_give_the_picture_back() {
    for codec in [Codec::Vp8, Codec::Vp9] {
        let mut encoder = Encoder::new(config(codec, Layers::One)).unwrap();
        let mut decoder = Decoder::new(codec).unwrap();
        let coded = encode(&mut encoder, 0..30);
        assert!(coded.len() > 20, "{codec:?} left out {} of 30", 30 - coded.len());
        assert_eq!(coded[0].1.kind, Kind::Key);
        assert!(is_key(codec, &coded[0].1.data) && !is_key(codec, &coded[1].1.data));
        for (number, coded) in &coded {
            assert_eq!(counter(&mut decoder, coded), Some(*number), "{codec:?}");
        }
    }
}

#[test]
fn odd_sizes_survive() {
    for codec in [Codec::Vp8, Codec::Vp9] {
        let odd = size(163, 91);
        let mut encoder = Encoder::new(EncoderConfig { size: odd, ..config(codec, Layers::One) }).unwrap();
        let coded = encoder.encode(&picture(5), Duration::ZERO, Wish::Any).unwrap().unwrap();
        let frame = Decoder::new(codec).unwrap().decode(&coded.data, ANY).unwrap().unwrap();
        assert_eq!(frame.size(), odd);
        assert_eq!(pattern::read_counter(&frame), Some(5));
    }
}

#[test]
fn a_keyframe_comes_when_asked_for_and_not_otherwise() {
    let mut encoder = Encoder::new(config(Codec::Vp8, Layers::One)).unwrap();
    let coded = encode(&mut encoder, 0..60);
    assert_eq!(coded.iter().filter(|(_, coded)| coded.kind == Kind::Key).count(), 1);
    let asked =
        (60..70).find_map(|number| encoder.encode(&picture(number), FRAME * number, Wish::Keyframe).unwrap());
    assert_eq!(asked.unwrap().kind, Kind::Key);
}

#[test]
fn the_bitrate_follows_within_a_second() {
    for codec in [Codec::Vp8, Codec::Vp9] {
        let mut encoder = Encoder::new(config(codec, Layers::One)).unwrap();
        let bits = |coded: &[(u32, Encoded)], seconds: f64| {
            coded.iter().map(|(_, coded)| coded.data.len() as f64 * 8.0).sum::<f64>() / seconds
        };
        encode(&mut encoder, 0..60);
        encoder.set_bitrate(Bitrate::from_kbps(100)).unwrap();
        encode(&mut encoder, 60..90);
        let after = encode(&mut encoder, 90..150);
        let rate = bits(&after, 60.0 * 0.033);
        assert!(rate < 130_000.0, "{codec:?} sends {rate} instead of 100000");
    }
}

#[test]
fn another_size_begins_with_a_keyframe() {
    for codec in [Codec::Vp8, Codec::Vp9] {
        let mut encoder = Encoder::new(config(codec, Layers::One)).unwrap();
        let mut decoder = Decoder::new(codec).unwrap();
        for (wanted, first) in [(size(320, 180), 0), (size(160, 90), 10), (size(640, 360), 20)] {
            encoder.set_size(wanted).unwrap();
            let coded = encode(&mut encoder, first..first + 10);
            assert_eq!(coded[0].1.kind, Kind::Key);
            for (number, coded) in coded {
                let frame = decoder.decode(&coded.data, ANY).unwrap().unwrap();
                assert_eq!(frame.size(), wanted);
                assert_eq!(pattern::read_counter(&frame), Some(number));
            }
        }
    }
}

#[test]
fn lower_layers_are_decoded_without_the_upper_ones() {
    for (layers, highest) in [(Layers::Two, 1), (Layers::Three, 2)] {
        for kept in 0..=highest {
            let mut encoder = Encoder::new(config(Codec::Vp8, layers)).unwrap();
            let mut decoder = Decoder::new(Codec::Vp8).unwrap();
            let coded = encode(&mut encoder, 0..60);
            let below: Vec<_> = coded.iter().filter(|(_, coded)| coded.layer.unwrap().id <= kept).collect();
            assert!(below.len() * 4 >= coded.len());
            for (number, coded) in below {
                assert_eq!(counter(&mut decoder, coded), Some(*number), "{layers:?} up to {kept}");
            }
        }
    }
    assert_eq!(Encoder::new(config(Codec::Vp9, Layers::Two)).err(), Some(VpxError::Layers));
}

#[test]
fn a_sync_picture_is_decoded_from_the_base_alone() {
    let mut encoder = Encoder::new(config(Codec::Vp8, Layers::Three)).unwrap();
    let layers: Vec<Layer> =
        encode(&mut encoder, 0..5).into_iter().filter_map(|(_, coded)| coded.layer).collect();
    let shape: Vec<(u8, bool)> = layers.iter().map(|layer| (layer.id, layer.sync)).collect();
    assert_eq!(shape, [(0, true), (2, true), (1, true), (2, false), (0, false)]);
}

#[test]
fn a_screen_is_encoded_sharply() {
    let screen = |codec| EncoderConfig { content: Content::Screen, ..config(codec, Layers::One) };
    for codec in [Codec::Vp8, Codec::Vp9] {
        let mut encoder = Encoder::new(screen(codec)).unwrap();
        let mut decoder = Decoder::new(codec).unwrap();
        for (number, coded) in encode(&mut encoder, 0..5) {
            assert_eq!(counter(&mut decoder, &coded), Some(number));
        }
    }
}

/// A VP8 keyframe header of that size, and nothing behind it.
fn announced(width: u16, height: u16) -> Vec<u8> {
    let [w, h] = [width.to_le_bytes(), height.to_le_bytes()];
    [&[0x10, 0, 0, 0x9d, 0x01, 0x2a][..], &w, &h, &[0; 64]].concat()
}

#[test]
fn a_picture_larger_than_full_hd_is_refused_by_its_header() {
    let mut decoder = Decoder::new(Codec::Vp8).unwrap();
    for (width, height) in [(16383, 16383), (1921, 1088), (4096, 511), (4097, 1)] {
        let refused = decoder.decode(&announced(width, height), ANY).unwrap_err();
        assert!(matches!(refused, VpxError::TooLarge(_)), "{width}x{height}: {refused}");
    }
    assert!(matches!(decoder.decode(&announced(0, 9), ANY), Err(VpxError::Corrupt(_))));
    let mut encoder =
        Encoder::new(EncoderConfig { size: size(2048, 1100), ..config(Codec::Vp9, Layers::One) }).unwrap();
    let coded = encoder.encode(&picture(0), Duration::ZERO, Wish::Any).unwrap().unwrap();
    let refused = Decoder::new(Codec::Vp9).unwrap().decode(&coded.data, ANY).unwrap_err();
    assert!(matches!(refused, VpxError::TooLarge(_)), "{refused}");
}

#[test]
fn nonsense_is_an_error_and_a_keyframe_helps() {
    for codec in [Codec::Vp8, Codec::Vp9] {
        let mut encoder = Encoder::new(config(codec, Layers::One)).unwrap();
        let mut decoder = Decoder::new(codec).unwrap();
        let coded = encode(&mut encoder, 0..3);
        assert!(decoder.decode(&[], ANY).is_err());
        assert!(decoder.decode(&[0xff; 40], ANY).is_err());
        // Without a keyframe there is nothing to predict from.
        assert!(decoder.decode(&coded[1].1.data, ANY).is_err(), "{codec:?}");
        assert_eq!(counter(&mut decoder, &coded[0].1), Some(0));
    }
}

#[test]
fn bent_pictures_never_harm() {
    let mut state = 1u64;
    let mut dice = move |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    for codec in [Codec::Vp8, Codec::Vp9] {
        let mut encoder = Encoder::new(config(codec, Layers::One)).unwrap();
        let mut decoder = Decoder::new(codec).unwrap();
        for (_, coded) in encode(&mut encoder, 0..200) {
            let mut bent = coded.data.clone();
            (0..1 + dice(4)).for_each(|_| bent[dice(coded.data.len())] ^= 1 << dice(8));
            bent.truncate(1 + dice(bent.len()));
            let _ = decoder.decode(&bent, ANY);
        }
    }
}
