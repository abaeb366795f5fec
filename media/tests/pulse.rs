//! Sound really goes through a sound server: a PulseAudio of our own with two null sinks.
//!
//! Needs the Debian package `pulseaudio` (`make setup`). No claim about timing or quality is made here.
#![cfg(target_os = "linux")]
#![expect(clippy::disallowed_methods, reason = "waits for a real sound server, bounded by a deadline")]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of a test may fail it")]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use media::device::{DeviceError, Direction, list};
use media::process::Processing;
use media::voice::VoicePacket;
use media::voice::driver::{ReceivedPacket, VoiceConfig, VoiceEngine, VoiceEvent, VoiceIo};

const PATIENCE: Duration = Duration::from_secs(20);

/// A sound server that lives as long as this.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn serve(directory: &Path) -> Server {
    std::fs::set_permissions(directory, std::fs::Permissions::from_mode(0o700)).unwrap();
    let socket = directory.join("native");
    let script = directory.join("silbo.pa");
    let lines = format!(
        // The socket comes last: whoever reaches it finds everything else.
        "load-module module-null-sink norewinds=1 sink_name=loop rate=48000 channels=2\n\
         load-module module-null-sink norewinds=1 sink_name=other rate=48000 channels=2\n\
         set-default-sink loop\nset-default-source loop.monitor\n\
         load-module module-native-protocol-unix socket={} auth-anonymous=1\n",
        socket.display()
    );
    std::fs::write(&script, lines).unwrap();
    let child = Command::new("pulseaudio")
        .args(["-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no"])
        .args(["--disable-shm=yes", "--realtime=no", "--high-priority=no", "-F"])
        .arg(&script)
        .env("XDG_RUNTIME_DIR", directory)
        .env("PULSE_RUNTIME_PATH", directory)
        .env("PULSE_STATE_PATH", directory)
        .env("HOME", directory)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("no pulseaudio here: install the package `pulseaudio` (make setup does)");
    let server = Server(child);
    let deadline = Instant::now() + PATIENCE;
    while std::os::unix::net::UnixStream::connect(&socket).is_err() {
        assert!(Instant::now() < deadline, "pulseaudio does not come up");
        std::thread::sleep(Duration::from_millis(20));
    }
    server
}

fn open(source: &str, sink: &str) -> Result<(VoiceEngine, VoiceIo), DeviceError> {
    let config = VoiceConfig {
        source: source.parse().unwrap(),
        sink: sink.parse().unwrap(),
        processing: Processing::Off,
        trace: None,
    };
    VoiceEngine::open(config)
}

/// Gives the packets that one engine made to another until something holds.
fn until(from: &mut VoiceIo, to: &VoiceEngine, holds: impl Fn() -> bool) -> bool {
    let deadline = Instant::now() + PATIENCE;
    let mut sequence = 0u16;
    while Instant::now() < deadline {
        while let Ok(packet) = from.packets.try_recv() {
            let VoicePacket { payload, timestamp, copies } = packet;
            to.insert(ReceivedPacket { arrival: Instant::now(), sequence, timestamp, payload, copies });
            sequence = sequence.wrapping_add(1);
        }
        if holds() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    false
}

#[test]
fn a_tone_goes_through_the_loudspeaker_and_comes_back_through_the_microphone() {
    let directory = tempfile::tempdir().unwrap();
    let pulse = format!("unix:{}", directory.path().join("native").display());
    // The test process is told by its environment; a child of its own keeps that away from other tests.
    if std::env::var_os("SILBO_PULSE_CHILD").is_none() {
        let _server = serve(directory.path());
        // The server hangs up on whoever shows no cookie, although it lets everybody in; the one in our home may be missing.
        let cookie = directory.path().join("any-cookie");
        std::fs::write(&cookie, [7; 256]).unwrap();
        let test = std::env::current_exe().unwrap();
        let name = "a_tone_goes_through_the_loudspeaker_and_comes_back_through_the_microphone";
        let status = Command::new(test)
            .args([name, "--exact", "--nocapture"])
            .env("SILBO_PULSE_CHILD", "1")
            .env("PULSE_SERVER", pulse)
            .env("PULSE_COOKIE", cookie)
            .env("XDG_RUNTIME_DIR", directory.path())
            .status()
            .unwrap();
        assert!(status.success());
        return;
    }
    let found = list().unwrap();
    let default = found.iter().find(|device| device.direction == Direction::Capture && device.is_default);
    assert_eq!(default.map(|device| device.id.as_str()), Some("loop.monitor"));

    let refused = open("device:nowhere", "null").unwrap_err();
    assert!(matches!(&refused, DeviceError::NotFound { available, .. } if available.len() == 2), "{refused}");

    // far: a tone -> packets -> loudspeaker `loop`; near: default microphone = what `loop` plays.
    let (far, mut far_io) = open("tone:440", "null").unwrap();
    let (near, mut near_io) = open("default", "device:loop").unwrap();
    far.start();
    near.start();
    let heard = until(&mut far_io, &near, || near.levels().microphone > 0.1);
    assert!(heard, "no sound arrived: {:?}", near.stats());
    let told: Vec<VoiceEvent> = std::iter::from_fn(|| near_io.events.try_recv().ok()).collect();
    assert!(told.iter().any(|event| matches!(event, VoiceEvent::FirstCaptured { .. })), "{told:?}");
    assert!(!told.iter().any(|event| matches!(event, VoiceEvent::DeviceLost(_))), "{told:?}");
}
