//! Bytes as cameras give them, and what becomes of them.

use super::*;
use crate::video::fixture::origin;
use crate::video::frame::Plane;

const ANY: Taken = Taken::Media(0);
/// Red, then blue from the 16th column on, 4:2:2.
const HALVES: &[u8] = include_bytes!("samples/halves_422.jpg");
const GREY: &[u8] = include_bytes!("samples/grey.jpg");

fn size(width: u32, height: u32) -> Size {
    Size::new(width, height).unwrap()
}

fn developer(format: PixelFormat, size: Size, stride: usize, range: Range) -> Developer {
    Developer::new(Layout { format, size, stride, range })
}

fn develop(format: PixelFormat, size: Size, stride: usize, bytes: &[u8]) -> Result<I420, PixelError> {
    developer(format, size, stride, Range::Limited).develop(bytes, ANY)
}

/// Planes one after another.
fn planes(frame: &I420) -> [&[u8]; 3] {
    frame.planes().map(|Plane { data, .. }| data)
}

/// A JPEG without its Huffman tables, as webcams give them.
fn without_tables(jpeg: &[u8]) -> Vec<u8> {
    let (mut bare, mut at) = (jpeg[..2].to_vec(), 2);
    loop {
        let length = 2 + usize::from(u16::from_be_bytes([jpeg[at + 2], jpeg[at + 3]]));
        match jpeg[at + 1] {
            0xda => break bare.extend_from_slice(&jpeg[at..]),
            0xc4 => {}
            _ => bare.extend_from_slice(&jpeg[at..at + length]),
        }
        at += length;
    }
    bare
}

#[test]
fn the_colours_of_two_rows_of_yuyv_become_one() {
    #[rustfmt::skip]
    let bytes = [
        1, 10, 2, 20,  3, 30, 4, 40,  99, 99,
        5, 20, 6, 31,  7, 50, 8, 40,
    ];
    let frame = develop(PixelFormat::Yuyv, size(4, 2), 10, &bytes).unwrap();
    assert_eq!(planes(&frame), [&[1, 2, 3, 4, 5, 6, 7, 8][..], &[15, 40], &[26, 40]]);
}

#[test]
fn odd_sides_of_yuyv_stand_for_two() {
    #[rustfmt::skip]
    let bytes = [
        1, 10, 2, 20,  3, 30, 0, 40,
        4, 20, 5, 30,  6, 50, 0, 40,
        7, 60, 8, 70,  9, 80, 0, 90,
        // Buffers are larger than pictures.
        99, 99, 99, 99, 99, 99, 99, 99, 99,
    ];
    let frame = develop(PixelFormat::Yuyv, size(3, 3), 8, &bytes).unwrap();
    assert_eq!(planes(&frame), [&[1, 2, 3, 4, 5, 6, 7, 8, 9][..], &[15, 40, 60, 80], &[25, 40, 70, 90]]);
}

#[test]
fn the_colours_of_nv12_are_told_apart_in_every_size() {
    #[rustfmt::skip]
    let bytes = [
        1, 2, 3, 0, 0,
        4, 5, 6, 0, 0,
        7, 8, 9, 0, 0,
        10, 20, 11, 21, 0,
        12, 22, 13, 23,
    ];
    let frame = develop(PixelFormat::Nv12, size(3, 3), 5, &bytes).unwrap();
    assert_eq!(planes(&frame), [&[1, 2, 3, 4, 5, 6, 7, 8, 9][..], &[10, 11, 12, 13], &[20, 21, 22, 23]]);
}

#[test]
fn too_few_bytes_and_too_narrow_rows_are_refused() {
    for (format, stride, needed, narrow) in [(PixelFormat::Yuyv, 10, 38, 7), (PixelFormat::Nv12, 10, 54, 3)] {
        let exact = vec![0; needed];
        assert!(develop(format, size(4, 4), stride, &exact).is_ok(), "{format:?}");
        let short = develop(format, size(4, 4), stride, &exact[1..]).unwrap_err();
        assert_eq!(short, FrameError::Length { needed, found: needed - 1 }.into(), "{format:?}");
        let bytes = [0; 1000];
        let refused = develop(format, size(4, 4), narrow, &bytes).unwrap_err();
        assert!(matches!(refused, PixelError::Frame(FrameError::Stride { .. })), "{refused:?}");
        assert!(develop(format, size(4, 4), usize::MAX, &bytes).is_err(), "{format:?}");
        assert!(develop(format, size(4, 4), stride, &[]).is_err(), "{format:?}");
    }
}

#[test]
fn a_full_range_becomes_that_of_video() {
    let bytes = [0, 0, 255, 255, 128, 128, 0, 255];
    let full = |range| {
        let mut developer = developer(PixelFormat::Yuyv, size(4, 1), 8, range);
        developer.develop(&bytes, ANY).unwrap()
    };
    assert_eq!(planes(&full(Range::Limited)), [&[0, 255, 128, 0][..], &[0, 128], &[255, 255]]);
    assert_eq!(planes(&full(Range::Full)), [&[16, 235, 126, 16][..], &[16, 128], &[240, 240]]);
}

#[test]
fn a_jpeg_has_the_colours_of_video_however_it_is_sampled() {
    let samples = [
        ("4:2:2", size(32, 16), HALVES),
        ("4:2:0", size(32, 16), include_bytes!("samples/halves_420.jpg")),
        ("4:2:2 odd", size(31, 15), include_bytes!("samples/odd_422.jpg")),
        ("4:4:4 odd", size(31, 15), include_bytes!("samples/odd_444.jpg")),
    ];
    for (case, size, jpeg) in samples {
        for jpeg in [jpeg.to_vec(), without_tables(jpeg), [jpeg, &[0; 50]].concat()] {
            let frame = develop(PixelFormat::Mjpeg, size, 0, &jpeg).unwrap();
            assert_eq!(frame.size(), size, "{case}");
            let [luma, blues, reds] = frame.planes();
            // Away from the edge between the halves, which is blurred.
            for row in 0..size.chroma().height() as usize {
                for (column, [y, u, v]) in [(2, [82, 90, 240]), (13, [41, 240, 110])] {
                    let found = [
                        luma.data[2 * row * luma.stride + 2 * column],
                        blues.data[row * blues.stride + column],
                        reds.data[row * reds.stride + column],
                    ];
                    let near = found.iter().zip([y, u, v]).all(|(found, wanted)| found.abs_diff(wanted) <= 3);
                    assert!(near, "{case}, row {row}, column {column}: {found:?} is not {:?}", [y, u, v]);
                }
            }
        }
    }
}

#[test]
fn tables_that_are_left_out_are_those_of_the_standard() {
    let bare = without_tables(HALVES);
    assert_eq!(bare.len(), HALVES.len() - 4 * 4 - (huffman::STANDARD_TABLES.len() - 4));
    let [whole, completed] = [HALVES, &bare].map(|jpeg| develop(PixelFormat::Mjpeg, size(32, 16), 0, jpeg));
    assert_eq!(whole.unwrap().data(), completed.unwrap().data());
}

#[test]
fn damaged_jpegs_are_refused_and_the_next_one_is_read() {
    let mut developer = developer(PixelFormat::Mjpeg, size(32, 16), 0, Range::Limited);
    let mut damaged: Vec<Vec<u8>> = (0..HALVES.len() - 8).map(|length| HALVES[..length].to_vec()).collect();
    damaged.extend([b"no picture".to_vec(), [&[0xff], HALVES].concat(), vec![0xff; 4096]]);
    for jpeg in damaged {
        let refused = developer.develop(&jpeg, ANY);
        assert!(matches!(refused, Err(PixelError::Jpeg(_))), "{} bytes: {refused:?}", jpeg.len());
    }
    assert_eq!(developer.develop(GREY, ANY).unwrap_err(), PixelError::Colours);
    assert!(developer.develop(HALVES, ANY).is_ok());
}

#[test]
fn a_jpeg_larger_than_agreed_is_refused_before_memory_is_taken() {
    for largest in [size(31, 16), size(32, 15)] {
        assert!(matches!(develop(PixelFormat::Mjpeg, largest, 0, HALVES), Err(PixelError::Jpeg(_))));
    }
}

#[test]
fn codes_name_what_is_read_and_nothing_else() {
    let read = |code: &[u8; 4]| PixelFormat::of_code(FourCc(*code));
    assert_eq!(
        [b"YUYV", b"NV12", b"MJPG"].map(read),
        [PixelFormat::Yuyv, PixelFormat::Nv12, PixelFormat::Mjpeg].map(Some)
    );
    assert_eq!([b"H264", b"GREY", b"yuyv", &[0; 4]].map(read), [None; 4]);
}

#[test]
fn a_stamp_is_believed_unless_it_is_of_another_clock() {
    let (now, clock) = (origin() + Duration::from_secs(50), Duration::from_secs(1000));
    let taken = |stamp| now - taken_at(now, clock, stamp);
    assert_eq!(taken(clock - Duration::from_millis(40)), Duration::from_millis(40));
    assert_eq!(taken(clock), Duration::ZERO);
    for other in [Duration::ZERO, clock - 2 * OLDEST, clock + Duration::from_millis(1)] {
        assert_eq!(taken(other), Duration::ZERO, "{other:?}");
    }
}

#[test]
fn the_first_camera_that_works_is_taken_and_else_the_most_telling_reason() {
    let path = || PathBuf::from("/dev/video0");
    let failed = [CameraError::NotCamera, CameraError::Busy, CameraError::NoFormat, CameraError::Denied];
    let failing = || failed.map(|error| Err(error(path())));
    assert!(matches!(first(failing().into_iter().chain([Ok(2), Ok(3)])), Ok(2)));
    assert!(matches!(first::<()>(failed.map(|error| Err(error(path())))), Err(CameraError::Busy(_))));
    let none = [Err(CameraError::Absent(path())), Err(CameraError::NotCamera(path()))];
    assert!(matches!(first::<()>(none), Err(CameraError::NoneFound)));
    // Nothing is opened after the one that works.
    let tried = std::iter::once(Ok(1)).chain(std::iter::once_with(|| panic!("opened in vain")));
    assert!(matches!(first(tried), Ok(1)));
}
