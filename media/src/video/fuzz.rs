//! What a fuzzer calls: files of pictures, what the other end sends as video, and what windows are called. How it is run is told in [`relay::fuzz`].

use std::io::Cursor;
use std::time::Duration;

use relay::fuzz::{SMALL, Script, Target, origin};

use super::camera::{Developer, Layout, PixelFormat, Range};
use super::frame::{I420, Size, Taken};
use super::rtp::{Assembler, Packetiser, vp8, vp9};
use super::vpx::{Codec, Encoded, Kind, Layer};
use super::window::{MOST_TITLE, WindowName, title};
use super::y4m::{FrameRate, Y4mReader, Y4mWriter};

/// The targets of pictures.
pub const TARGETS: &[Target] = &[
    Target { name: "video_file", check: y4m, seeds: y4ms, memory: SMALL },
    // The decoder of JPEGs has tables of its own.
    Target { name: "camera_picture", check: picture, seeds: some_pictures, memory: 1 << 20 },
    Target { name: "video_payload", check: payload, seeds: some_payloads, memory: SMALL },
    Target { name: "window_title", check: window_title, seeds: some_titles, memory: SMALL },
    // A jump of the sequence number makes a thousand packets missing.
    Target { name: "video_packets", check: packets, seeds: some_packets, memory: 1 << 20 },
];

const ANY: Taken = Taken::Media(0);

fn y4m(input: &[u8]) {
    let Ok(mut reader) = Y4mReader::open(Cursor::new(input)) else { return };
    while let Ok(Some(frame)) = reader.next_frame(ANY) {
        let Ok(mut writer) = Y4mWriter::create(Vec::new(), reader.size(), reader.rate()) else { return };
        let again = writer.write(&frame).and_then(|()| writer.finish()).and_then(|written| {
            Y4mReader::open(Cursor::new(written)).and_then(|mut again| again.next_frame(ANY))
        });
        let again = again.ok().flatten();
        assert!(again.is_some_and(|again| again.data() == frame.data()), "what is written is read again");
    }
}

/// Four bytes say how a picture is laid out: format and range, width, height, stride. The rest is the picture.
fn picture(input: &[u8]) {
    let [kind, width, height, stride, bytes @ ..] = input else { return };
    let Ok(size) = Size::new(u32::from(*width), u32::from(*height)) else { return };
    let format = match kind & 3 {
        0 => PixelFormat::Yuyv,
        1 => PixelFormat::Nv12,
        _ => PixelFormat::Mjpeg,
    };
    let range = if kind & 4 == 0 { Range::Limited } else { Range::Full };
    let mut developer = Developer::new(Layout { format, size, stride: usize::from(*stride), range });
    let Ok(frame) = developer.develop(bytes, ANY) else { return };
    let within = frame.size().width() <= size.width() && frame.size().height() <= size.height();
    assert!(within, "a picture is no larger than agreed");
    if range == Range::Full || format == PixelFormat::Mjpeg {
        assert!(frame.data().iter().all(|value| (16..=240).contains(value)), "video has a range of its own");
    }
    let again = developer.develop(bytes, ANY);
    assert!(again.is_ok_and(|again| again.data() == frame.data()), "nothing is left of the picture before");
}

/// The first byte says how much of the rest is UTF-8; what follows it is Latin-1.
fn window_title(input: &[u8]) {
    let [utf8, bytes @ ..] = input else { return };
    let (utf8, latin1) = bytes.split_at(bytes.len().min(usize::from(*utf8)));
    let Some(shown) = title(utf8, latin1) else { return };
    assert!(shown.chars().count() <= MOST_TITLE && !shown.chars().any(char::is_control), "it is a line");
    assert_eq!(title(shown.as_bytes(), &[]), Some(shown.clone()), "nothing is left to take out");
    if let Ok(name) = shown.parse::<WindowName>() {
        assert_eq!(name.to_string().parse(), Ok(name), "a name is said again the same");
    }
}

fn payload(input: &[u8]) {
    vp8_payload(input);
    vp9_payload(input);
}

fn vp8_payload(input: &[u8]) {
    let Ok((read, rest)) = vp8::Descriptor::parse(input) else { return };
    let mut written = Vec::new();
    read.write(&mut written);
    written.extend_from_slice(rest);
    assert_eq!(vp8::Descriptor::parse(&written), Ok((read, rest)));
}

fn vp9_payload(input: &[u8]) {
    let Ok((read, rest)) = vp9::Descriptor::parse(input) else { return };
    let mut written = Vec::new();
    read.write(&mut written);
    written.extend_from_slice(rest);
    assert_eq!(vp9::Descriptor::parse(&written), Ok((read, rest)));
}

/// Each step is a packet: the lower six bits of its kind say how many ms later it comes, the upper two are marker and
/// codec; two bytes of sequence number, one of time, and the payload follow.
fn packets(input: &[u8]) {
    let mut now = origin().instant;
    let mut assemblers = [Assembler::new(Codec::Vp8), Assembler::new(Codec::Vp9)];
    let mut script = Script::new(input);
    let mut given = 0;
    while let Some((kind, chunk)) = script.step() {
        let [high, low, time, payload @ ..] = chunk else { continue };
        now += Duration::from_millis(u64::from(kind & 63));
        let (sequence, marker) = (u16::from_be_bytes([*high, *low]), kind & 64 != 0);
        let assembler = &mut assemblers[usize::from(kind >> 7)];
        given += payload.len();
        if assembler.insert(now, sequence, u32::from(*time) * 3000, marker, payload).is_err() {
            continue;
        }
        while let Some(picture) = assembler.poll(now) {
            assert!(picture.data.len() <= given, "a picture is made of what came");
        }
        assembler.needs_keyframe(now);
        assert!(assembler.timeout(now).is_none_or(|due| due > now), "nobody waits for what is past");
    }
}

fn y4ms() -> Vec<Vec<u8>> {
    let Some(rate) = FrameRate::new(30_000, 1001) else { return Vec::new() };
    let files = [(6, 4), (5, 3)].map(|(width, height)| {
        let size = Size::new(width, height).ok()?;
        let mut writer = Y4mWriter::create(Vec::new(), size, rate).ok()?;
        (0..2).try_for_each(|shade| writer.write(&I420::plain(size, ANY, [shade; 3]))).ok()?;
        writer.finish().ok()
    });
    files.into_iter().flatten().collect()
}

fn some_pictures() -> Vec<Vec<u8>> {
    let raw = |kind, bytes: usize| [&[kind, 5, 3, 13][..], &(0..).take(bytes).collect::<Vec<u8>>()].concat();
    let jpegs = [
        &include_bytes!("camera/samples/halves_422.jpg")[..],
        include_bytes!("camera/samples/halves_420.jpg"),
        include_bytes!("camera/samples/odd_444.jpg"),
        include_bytes!("camera/samples/grey.jpg"),
    ];
    let compressed = jpegs.map(|jpeg| [&[2, 32, 16, 0], jpeg].concat());
    [raw(0, 38), raw(4, 38), raw(1, 58), raw(1, 57)].into_iter().chain(compressed).collect()
}

/// Payloads of a keyframe and some pictures after it.
fn payloads(codec: Codec, layered: bool) -> Vec<(Vec<u8>, bool)> {
    let mut packetiser = Packetiser::new(codec, 0x7ffe);
    let pictures = (0..4u8).flat_map(|number| {
        let kind = if number == 0 { Kind::Key } else { Kind::Delta };
        let layer = layered.then_some(Layer { id: number % 2, sync: number == 1 });
        let data = [&[u8::from(number != 0)][..], &[number; 49]].concat();
        packetiser.packetise(&Encoded { data, kind, layer }, 31)
    });
    pictures.map(|payload| (payload.data, payload.last)).collect()
}

fn some_titles() -> Vec<Vec<u8>> {
    [("notes.txt — Editor", ""), ("", "Gr\u{fc}\u{df}e"), ("safe\u{202e}txt.exe", "x"), ("0x3a00007", "")]
        .map(|(utf8, latin1)| {
            let latin1 = latin1.chars().map(|letter| letter as u8).collect();
            [vec![utf8.len() as u8], utf8.as_bytes().to_vec(), latin1].concat()
        })
        .to_vec()
}

fn some_payloads() -> Vec<Vec<u8>> {
    let kinds = [(Codec::Vp8, false), (Codec::Vp8, true), (Codec::Vp9, false), (Codec::Vp9, true)];
    let all = kinds.into_iter().flat_map(|(codec, layered)| payloads(codec, layered).into_iter().take(3));
    // A scalability structure of one size and a pattern of two pictures.
    let structured = vec![0x0a, 0x18, 1, 64, 0, 180, 2, 0x04, 1, 0x10, 99];
    all.map(|(data, _)| data).chain([structured]).collect()
}

/// A stream in order, one backwards, one with a hole.
fn some_packets() -> Vec<Vec<u8>> {
    let story = |codec: Codec, layered: bool| {
        let steps = payloads(codec, layered).into_iter().zip(65_500u16..).map(|((data, last), sequence)| {
            let kind = if last { 64 } else { 0 } | if codec == Codec::Vp9 { 128 } else { 0 } | 8;
            let [high, low] = sequence.to_be_bytes();
            Script::write(kind, &[&[high, low, (sequence / 2) as u8][..], &data].concat())
        });
        steps.collect::<Vec<_>>()
    };
    let mut backwards = story(Codec::Vp8, false);
    backwards.reverse();
    let mut holed = story(Codec::Vp8, true);
    holed.remove(2);
    [story(Codec::Vp9, true), backwards, holed].map(|steps| steps.concat()).to_vec()
}
