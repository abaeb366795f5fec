use std::path::Path;
use std::time::Duration;

use super::*;
use crate::device::wav;

const PATIENCE: Duration = Duration::from_secs(20);

fn open(source: &str, sink: &str) -> (VoiceEngine, VoiceIo) {
    let config = VoiceConfig {
        source: source.parse().unwrap(),
        sink: sink.parse().unwrap(),
        processing: Processing::Off,
        frames: Frames::default(),
        trace: None,
    };
    VoiceEngine::open(config).unwrap()
}

/// Feeds the engine's own packets back into it until `enough` came.
async fn loop_back(engine: &VoiceEngine, io: &mut VoiceIo, enough: u16) {
    for sequence in 0..enough {
        let packet = tokio::time::timeout(PATIENCE, io.packets.recv()).await.unwrap().unwrap();
        let VoicePacket { payload, timestamp, copies, transmission } = packet;
        let arrival = Instant::now();
        let number = FrameNumber::OfPacket(sequence);
        engine.insert(ReceivedPacket { arrival, number, timestamp, payload, copies, transmission });
    }
}

fn events(io: &mut VoiceIo) -> Vec<VoiceEvent> {
    std::iter::from_fn(|| io.events.try_recv().ok()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_near_way_a_packet_holds_one_block() {
    let (engine, mut io) = open("silence", "null");
    engine.start();
    let jitter = Some(Duration::ZERO);
    let near = Reported { round_trip: jitter, jitter, ..Reported::default() };
    let mut holds = Duration::MAX;
    for _ in 0..100 {
        // Each is seen before the next packet leaves.
        engine.handle_report(Supported::Repeats, near);
        let packet = tokio::time::timeout(PATIENCE, io.packets.recv()).await.unwrap().unwrap();
        holds = crate::codec::duration_in(&packet.payload);
    }
    assert_eq!(holds, Duration::from_millis(10));
}

fn write_tone(path: &Path, blocks: usize) {
    let mut sink = wav::WavSink::create(path).unwrap();
    for block in 0..blocks {
        let sound = std::array::from_fn(|at| {
            ((block * 480 + at) as f32 * 440.0 * std::f32::consts::TAU / 48_000.0).sin() * 0.3
        });
        sink.write(&sound).unwrap();
    }
    sink.finish().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_spoken_once_and_heard_in_a_file_on_the_real_time_clock() {
    let directory = tempfile::tempdir().unwrap();
    let (spoken, heard) = (directory.path().join("in.wav"), directory.path().join("out.wav"));
    write_tone(&spoken, 50);
    let (engine, mut io) = open(&format!("file:{}", spoken.display()), &format!("file:{}", heard.display()));
    let began = Instant::now();
    engine.start();
    loop_back(&engine, &mut io, 50).await;
    assert!(engine.stats().sent >= 49);
    let stats = engine.stats().playout;
    engine.close();
    let lasted = began.elapsed();
    let sound = wav::read(&heard).unwrap();
    let expected = crate::frame::samples_in(lasted);
    assert!((sound.len() as u64).abs_diff(expected) <= 4_800, "{} samples in {lasted:?}", sound.len());
    assert!(sound.iter().any(|sample| sample.abs() > 0.2), "nothing was heard: {stats:?}");
    let told = events(&mut io);
    assert!(told.contains(&VoiceEvent::SourceEnded), "{told:?}");
    assert!(told.contains(&VoiceEvent::FirstDecoded), "{told:?}");
    let [captured, played] = [0, 1].map(|which| {
        told.iter()
            .find_map(|event| match event {
                VoiceEvent::FirstCaptured { t0_unix_ms } if which == 0 => Some(*t0_unix_ms),
                VoiceEvent::FirstPlayed { t0_unix_ms } if which == 1 => Some(*t0_unix_ms),
                _ => None,
            })
            .unwrap()
    });
    assert_eq!(captured, played, "both files begin with the media");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_muted_microphone_sends_silence_and_goes_on_sending() {
    let (engine, mut io) = open("tone:440", "null");
    engine.set_muted(Mute::On);
    engine.start();
    loop_back(&engine, &mut io, 20).await;
    let levels = engine.levels();
    assert_eq!(levels.microphone, 0.0);
    assert!(levels.speaker < 0.001, "{levels:?}");
    assert!(levels.loudest > 0.2, "that it works is known all the same: {levels:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_microphone_has_to_be_heard_anew() {
    let (engine, mut io) = open("tone:440", "null");
    engine.start();
    loop_back(&engine, &mut io, 5).await;
    assert!(engine.levels().loudest > 0.2);
    engine.choose_source(AudioSource::Silence);
    let deadline = Instant::now() + PATIENCE;
    while engine.levels().loudest > 0.0 && Instant::now() < deadline {
        loop_back(&engine, &mut io, 1).await;
    }
    assert_eq!(engine.levels().loudest, 0.0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_not_to_be_heard_is_not_while_packets_go_on() {
    let (engine, mut io) = open("tone:440", "null");
    engine.set_volume(Volume::from_percent(0));
    engine.start();
    loop_back(&engine, &mut io, 20).await;
    let levels = engine.levels();
    assert!(levels.microphone > 0.1 && levels.speaker < 0.001, "{levels:?}");
    assert!(engine.stats().playout.received > 0);
}

#[tokio::test]
async fn an_engine_that_is_never_started_ends() {
    let (engine, _io) = open("silence", "null");
    drop(engine);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn packets_that_nobody_takes_are_dropped_and_counted() {
    let (engine, io) = open("tone:440", "null");
    engine.start();
    let deadline = Instant::now() + PATIENCE;
    while engine.stats().send_dropped == 0 && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(engine.stats().send_dropped > 0);
    assert_eq!(io.packets.len(), PACKET_QUEUE);
}

#[tokio::test]
async fn received_packets_that_nobody_takes_are_bounded() {
    let (engine, _io) = open("silence", "null");
    for sequence in 0..300 {
        let packet = ReceivedPacket {
            arrival: Instant::now(),
            number: FrameNumber::OfPacket(sequence),
            timestamp: 0,
            payload: vec![1],
            copies: Vec::new(),
            transmission: Transmission::First,
        };
        engine.insert(packet);
    }
    assert_eq!(engine.stats().receive_dropped, 300 - INSERT_QUEUE as u64);
}

#[test]
fn a_file_that_cannot_be_opened_is_said_before_anything_starts() {
    let config = |source: &str, sink: &str| VoiceConfig {
        source: source.parse().unwrap(),
        sink: sink.parse().unwrap(),
        processing: Processing::Off,
        frames: Frames::default(),
        trace: None,
    };
    let missing = VoiceEngine::open(config("file:/no/such/file.wav", "null"));
    assert!(matches!(missing, Err(DeviceError::Unreadable { .. })));
    let unwritable = VoiceEngine::open(config("silence", "file:/no/such/folder/out.wav"));
    assert!(matches!(unwritable, Err(DeviceError::Unwritable { .. })));
}
