#![expect(clippy::unwrap_used, reason = "helpers of a test may fail it")]

use super::*;
use crate::engine::lookout::Lookout;
use fast_qr::QRBuilder;
use image::codecs::jpeg::JpegEncoder;
use image::{GrayImage, Luma};
use media::video::frame::{Size, Taken};
use media::video::y4m::{FrameRate, Y4mWriter};
use std::fs::File;

/// Points of the picture to a module of the code.
const MODULE: u32 = 5;

/// A code on grey paper, with a quiet edge.
fn code_of(text: &str) -> GrayImage {
    let code = QRBuilder::new(text).build().unwrap();
    let side = (code.size as u32 + 12) * MODULE;
    GrayImage::from_fn(side, side, |x, y| {
        let module =
            |at: u32| (at / MODULE).checked_sub(6).map(|at| at as usize).filter(|at| *at < code.size);
        let dark = module(x).zip(module(y)).is_some_and(|(x, y)| code[y][x].value());
        Luma([if dark { 40 } else { 210 }])
    })
}

fn link() -> String {
    format!("silbo:{}", "Ab7".repeat(180))
}

#[test]
fn an_invite_is_read_off_a_picture() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["code.png", "code.jpg"] {
        let path = folder.path().join(name);
        code_of(&link()).save(&path).unwrap();
        assert!(matches!(read(&path), Scanned::Invite(read) if read == link()), "{name}");
    }
}

#[test]
fn an_invite_is_read_whatever_jpeg_leaves_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("code.jpg");
    for quality in (40..=100).step_by(5) {
        let file = File::create(&path).unwrap();
        code_of(&link()).write_with_encoder(JpegEncoder::new_with_quality(file, quality)).unwrap();
        assert!(matches!(read(&path), Scanned::Invite(read) if read == link()), "{quality}");
    }
}

#[test]
fn another_code_and_no_code_are_no_invite_and_something_else_is_no_picture() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.png");
    code_of("https://example.org/").save(&path).unwrap();
    assert!(matches!(read(&path), Scanned::NoInvite));
    GrayImage::from_pixel(64, 64, Luma([255])).save(&path).unwrap();
    assert!(matches!(read(&path), Scanned::NoInvite));
    std::fs::write(&path, b"\x89PNG\r\n\x1a\nand then nothing").unwrap();
    assert!(matches!(read(&path), Scanned::NoPicture));
    assert!(matches!(read(&folder.path().join("nowhere")), Scanned::NoFile));
    assert!(matches!(read(folder.path()), Scanned::NoPicture));
}

#[test]
fn a_picture_that_claims_to_be_enormous_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bomb.png");
    GrayImage::from_pixel(MOST_PIXELS + 1, 1, Luma([255])).save(&path).unwrap();
    assert!(matches!(read(&path), Scanned::NoPicture));
}

#[test]
fn an_invite_is_seen_through_a_camera() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("camera.y4m");
    let code = code_of(&link());
    let size = Size::new(1280, 720).unwrap();
    let mut data = vec![128; 1280 * 720 * 3 / 2];
    for (x, y, pixel) in code.enumerate_pixels().filter(|(_, y, _)| *y < 720) {
        data[y as usize * 1280 + x as usize] = pixel.0[0];
    }
    let frame = I420::packed(size, Taken::Media(0), data).unwrap();
    let plain = I420::plain(size, Taken::Media(0), [120, 128, 128]);
    let rate = FrameRate::new(30, 1).unwrap();
    let mut film = Y4mWriter::create(File::create(&path).unwrap(), size, rate).unwrap();
    for shown in [&plain, &plain, &frame, &frame] {
        film.write(shown).unwrap();
    }
    film.finish().unwrap();
    let mut lookout = Lookout::default();
    let (turn, finder) = (lookout.next(), Viewfinder::default());
    let seen = look(&turn, VideoSource::File(path.clone()), finder.clone());
    assert!(matches!(seen, Scanned::Invite(read) if read == link()));
    lookout.close();
    assert!(matches!(look(&turn, VideoSource::File(path), finder), Scanned::Stopped));
}

#[test]
fn a_camera_that_is_not_there_is_told() {
    let mut lookout = Lookout::default();
    let nowhere = VideoSource::Device("/nowhere/video".into());
    assert!(matches!(look(&lookout.next(), nowhere, Viewfinder::default()), Scanned::Lost(_)));
}
