//! The threads against the clock of this machine: what arrives, not when.

use std::collections::BTreeSet;
use std::io::Cursor;

use tokio::time::timeout;

use super::*;
use crate::video::frame::Taken;
use crate::video::pattern;

/// Nothing takes longer, however slow the machine.
const PATIENCE: Duration = Duration::from_secs(30);
/// Some pictures would have been taken meanwhile.
const QUIET: Duration = Duration::from_millis(150);

fn started(source: VideoSource, sink: VideoSink) -> (VideoEngine, VideoIo) {
    VideoEngine::start(&VideoConfig { source, sink }).unwrap()
}

/// Carries pictures from one engine to the other until so many were shown; the timestamp of the last.
async fn carry(sent: &mut VideoIo, to: &VideoEngine, shown: u64) -> u32 {
    carry_on(sent, to, &mut 0, shown).await
}

/// The same, where so many packets were carried before.
async fn carry_on(sent: &mut VideoIo, to: &VideoEngine, sequence: &mut u16, shown: u64) -> u32 {
    let mut last = 0;
    while to.stats().shown < shown {
        let picture = timeout(PATIENCE, sent.pictures.recv()).await;
        for VideoPacket { payload, timestamp, marker } in picture.unwrap().unwrap() {
            let (codec, arrival, payload) = (Codec::Vp8, Instant::now(), payload.into());
            let sequence = std::mem::replace(sequence, sequence.wrapping_add(1));
            to.insert(Incoming::Packet { codec, arrival, sequence, timestamp, marker, payload });
            last = timestamp;
        }
    }
    last
}

#[tokio::test]
async fn the_pattern_is_seen_and_written_at_the_other_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("seen.y4m");
    let (from, mut sent) = started(VideoSource::Pattern, VideoSink::Null);
    let (to, mut seen) = started(VideoSource::None, VideoSink::File(path.clone()));
    from.set_budget(Bitrate::from_kbps(300), Backlog::Clear);
    from.set_camera(Camera::On, Codec::Vp8);
    carry(&mut sent, &to, 20).await;
    let (number, latest) = to.screen().latest().unwrap();
    assert!(number >= 20 && pattern::read_counter(&latest).is_some());
    assert!(matches!(seen.events.try_recv(), Ok(VideoEvent::FirstShown)));
    drop((from, to));
    let mut reader = Y4mReader::open(Cursor::new(std::fs::read(path).unwrap())).unwrap();
    let mut numbers = BTreeSet::new();
    while let Some(frame) = reader.next_frame(Taken::Media(0)).unwrap() {
        numbers.extend(pattern::read_counter(&frame));
    }
    assert!(numbers.len() >= 20, "{numbers:?}");
}

#[tokio::test]
async fn pictures_that_are_over_are_seen_no_more_and_those_after_them_are() {
    let (from, mut sent) = started(VideoSource::Pattern, VideoSink::Null);
    let (to, mut seen) = started(VideoSource::None, VideoSink::Null);
    from.set_budget(Bitrate::from_kbps(300), Backlog::Clear);
    from.set_camera(Camera::On, Codec::Vp8);
    let mut sequence = 0;
    let last = carry_on(&mut sent, &to, &mut sequence, 5).await;
    assert!(matches!(seen.events.recv().await, Some(VideoEvent::FirstShown)));
    let screen = to.screen();
    assert!(to.end_pictures(Instant::now(), last));
    assert!(screen.latest().is_none() && to.stats().size.is_none(), "what was shown stays");
    assert!(!to.end_pictures(Instant::now(), last), "there is nothing left to see");
    // What was still on its way, as the threads see it: nothing of it is shown.
    assert!(timeout(QUIET, seen.events.recv()).await.is_err(), "a picture came late");
    assert!(screen.latest().is_none());
    let shown = to.stats().shown;
    carry_on(&mut sent, &to, &mut sequence, shown + 1).await;
    assert!(screen.latest().is_some() && to.stats().size.is_some());
    assert!(matches!(seen.events.recv().await, Some(VideoEvent::FirstShown)), "they are back");
}

#[tokio::test]
async fn who_looks_sees_what_is_sent_until_the_camera_is_off() {
    let (engine, mut io) = started(VideoSource::Pattern, VideoSink::Null);
    let finder = engine.viewfinder();
    engine.set_budget(Bitrate::from_kbps(300), Backlog::Clear);
    assert!(finder.latest().is_none());
    engine.set_camera(Camera::On, Codec::Vp8);
    assert!(timeout(PATIENCE, io.pictures.recv()).await.unwrap().is_some());
    let (_, own) = finder.latest().unwrap();
    assert!(own.size().height() == 180 && pattern::read_counter(&own).is_some());
    engine.set_camera(Camera::Off, Codec::Vp8);
    let dark = async {
        while finder.latest().is_some() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, dark).await.unwrap();
}

#[tokio::test]
async fn nothing_is_taken_before_it_is_wanted_nor_without_room() {
    let (engine, mut io) = started(VideoSource::Pattern, VideoSink::Null);
    engine.set_budget(Bitrate::from_kbps(300), Backlog::Clear);
    assert!(timeout(QUIET, io.pictures.recv()).await.is_err());
    engine.set_budget(Bitrate::from_kbps(300), Backlog::Full);
    engine.set_camera(Camera::On, Codec::Vp8);
    assert!(timeout(QUIET, io.pictures.recv()).await.is_err());
    engine.set_budget(Bitrate::from_kbps(300), Backlog::Clear);
    assert!(timeout(PATIENCE, io.pictures.recv()).await.unwrap().is_some());
}

#[tokio::test]
async fn what_cannot_be_opened_is_told_when_it_is_wanted_and_another_source_serves() {
    let folder = tempfile::tempdir().unwrap();
    let (absent, unwritten) = (folder.path().join("absent.y4m"), folder.path().join("unwritten.y4m"));
    let (engine, mut io) = started(VideoSource::File(absent), VideoSink::File(unwritten.clone()));
    engine.set_budget(Bitrate::from_kbps(300), Backlog::Clear);
    assert!(timeout(QUIET, io.events.recv()).await.is_err(), "nobody wanted pictures yet");
    engine.set_camera(Camera::On, Codec::Vp8);
    let lost = timeout(PATIENCE, io.events.recv()).await.unwrap();
    assert!(matches!(lost, Some(VideoEvent::Lost(VideoError::Unreadable { .. }))), "{lost:?}");
    engine.set_source(VideoSource::Pattern);
    assert!(timeout(PATIENCE, io.pictures.recv()).await.unwrap().is_some());
    drop(engine);
    assert!(!unwritten.exists(), "there was no picture to write");
}

#[tokio::test]
async fn a_camera_that_fails_is_tried_again_when_it_is_switched_on_again() {
    let (engine, mut io) = started(VideoSource::Device("/dev/null".into()), VideoSink::Null);
    engine.set_budget(Bitrate::from_kbps(300), Backlog::Clear);
    for _ in 0..2 {
        engine.set_camera(Camera::On, Codec::Vp8);
        let lost = timeout(PATIENCE, io.events.recv()).await.unwrap();
        assert!(matches!(lost, Some(VideoEvent::Lost(VideoError::Camera(_)))), "{lost:?}");
        engine.set_camera(Camera::Off, Codec::Vp8);
        // The thread has seen that it is off.
        tokio::time::sleep(QUIET).await;
    }
    engine.set_source(VideoSource::Pattern);
    engine.set_camera(Camera::On, Codec::Vp8);
    assert!(timeout(PATIENCE, io.pictures.recv()).await.unwrap().is_some());
    assert!(io.events.try_recv().is_err(), "nobody asked for the camera again");
}

#[tokio::test]
async fn a_camera_that_fails_leaves_what_was_taken_before() {
    let (engine, mut io) = started(VideoSource::Pattern, VideoSink::Null);
    engine.set_budget(Bitrate::from_kbps(300), Backlog::Clear);
    engine.set_camera(Camera::On, Codec::Vp8);
    assert!(timeout(PATIENCE, io.pictures.recv()).await.unwrap().is_some());
    engine.set_source(VideoSource::Device("/dev/null".into()));
    let lost = timeout(PATIENCE, io.events.recv()).await.unwrap();
    assert!(matches!(lost, Some(VideoEvent::Lost(VideoError::Camera(_)))), "{lost:?}");
    // More than were waiting.
    for _ in 0..2 * PICTURE_QUEUE {
        assert!(timeout(PATIENCE, io.pictures.recv()).await.unwrap().is_some());
    }
}

#[test]
fn files_that_are_none_are_refused_by_who_is_asked_before() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("text.y4m");
    std::fs::write(&text, "no pictures here\n").unwrap();
    for path in [text, folder.path().join("absent.y4m")] {
        let config = VideoConfig { source: VideoSource::File(path), sink: VideoSink::Null };
        assert!(matches!(check(&config), Err(VideoError::Unreadable { .. })));
    }
    let nowhere = VideoSink::File(folder.path().join("no/such/folder.y4m"));
    let config = VideoConfig { source: VideoSource::None, sink: nowhere };
    assert!(matches!(check(&config), Err(VideoError::Unwritable { .. })));
}
