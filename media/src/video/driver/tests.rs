//! The threads against the clock of this machine: what arrives, not when.

use std::collections::BTreeSet;
use std::io::Cursor;

use super::*;
use crate::video::frame::Taken;
use crate::video::pattern;

const PATIENCE: Duration = Duration::from_secs(30);

/// Carries pictures from one engine to the other until `done`.
fn carry(sender: &mut VideoIo, from: &VideoEngine, to: &VideoEngine, done: impl Fn() -> bool) {
    let (begin, mut sequence) = (Instant::now(), 0u16);
    while !done() {
        assert!(begin.elapsed() < PATIENCE, "{:?} {:?}", from.stats(), to.stats());
        let Ok(packets) = sender.pictures.try_recv() else {
            thread::sleep(Duration::from_millis(2));
            continue;
        };
        for VideoPacket { payload, timestamp, marker } in packets {
            let (codec, arrival, payload) = (Codec::Vp8, Instant::now(), payload.into());
            to.insert(Incoming::Packet { codec, arrival, sequence, timestamp, marker, payload });
            sequence = sequence.wrapping_add(1);
        }
    }
}

#[test]
fn the_pattern_is_seen_and_written_at_the_other_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("seen.y4m");
    let pattern = VideoConfig { source: VideoSource::Pattern, sink: VideoSink::Null };
    let file = VideoConfig { source: VideoSource::None, sink: VideoSink::File(path.clone()) };
    let (from, mut sent) = VideoEngine::open(&pattern).unwrap();
    let (to, mut seen) = VideoEngine::open(&file).unwrap();
    from.set_budget(Bitrate::from_kbps(300), Backlog::Clear);
    from.set_taking(Taking::On, Codec::Vp8);
    carry(&mut sent, &from, &to, || to.stats().shown >= 20);
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

#[test]
fn nothing_is_taken_before_it_is_wanted_nor_without_room() {
    let pattern = VideoConfig { source: VideoSource::Pattern, sink: VideoSink::Null };
    let (engine, mut io) = VideoEngine::open(&pattern).unwrap();
    assert!(io.pictures.try_recv().is_err());
    engine.set_budget(Bitrate::from_kbps(300), Backlog::Full);
    engine.set_taking(Taking::On, Codec::Vp8);
    thread::sleep(Duration::from_millis(150));
    assert!(io.pictures.try_recv().is_err());
    engine.set_budget(Bitrate::from_kbps(300), Backlog::Clear);
    assert!(io.pictures.blocking_recv().is_some());
}

#[test]
fn files_that_are_none_are_refused_before_anything_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("text.y4m");
    std::fs::write(&text, "no pictures here\n").unwrap();
    for path in [text, folder.path().join("absent.y4m")] {
        let config = VideoConfig { source: VideoSource::File(path), sink: VideoSink::Null };
        assert!(matches!(VideoEngine::open(&config), Err(VideoError::Unreadable { .. })));
    }
    let nowhere = VideoSink::File(folder.path().join("no/such/folder.y4m"));
    let config = VideoConfig { source: VideoSource::None, sink: nowhere };
    assert!(matches!(VideoEngine::open(&config), Err(VideoError::Unwritable { .. })));
}
