//! Sound really goes through a sound server: a PulseAudio of our own with two null sinks.
//!
//! Needs the Debian package `pulseaudio` (`make setup`). No claim about timing or quality is made here.
#![cfg(target_os = "linux")]
#![expect(clippy::disallowed_methods, reason = "waits for a real sound server, bounded by a deadline")]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of a test may fail it")]

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use media::device::{AudioSink, DeviceError, Direction, list};
use media::process::Processing;
use media::session::{AddressScope, Mute, PathPolicy, SessionConfig, driver};
use media::tones::{Tone, driver::Player};
use media::video::driver::VideoConfig;
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
    VoiceEngine::open(voice(source, sink))
}

fn voice(source: &str, sink: &str) -> VoiceConfig {
    VoiceConfig {
        source: source.parse().unwrap(),
        sink: sink.parse().unwrap(),
        processing: Processing::Off,
        frames: media::voice::Frames::default(),
        trace: None,
    }
}

/// Gives the packets that one engine makes to another.
struct Line<'a> {
    from: &'a mut VoiceIo,
    to: &'a VoiceEngine,
    sequence: u16,
}

impl<'a> Line<'a> {
    fn between(from: &'a mut VoiceIo, to: &'a VoiceEngine) -> Self {
        Self { from, to, sequence: 0 }
    }

    /// Carries packets until something holds; false if it never did.
    fn until(&mut self, holds: impl FnMut() -> bool) -> bool {
        self.until_or(PATIENCE, holds)
    }

    /// The same, for what may not come: so long.
    fn until_or(&mut self, patience: Duration, mut holds: impl FnMut() -> bool) -> bool {
        let deadline = Instant::now() + patience;
        while Instant::now() < deadline {
            while let Ok(packet) = self.from.packets.try_recv() {
                let VoicePacket { payload, timestamp, copies, transmission } = packet;
                let number = media::voice::FrameNumber::OfPacket(self.sequence);
                self.to.insert(ReceivedPacket {
                    arrival: Instant::now(),
                    number,
                    timestamp,
                    payload,
                    copies,
                    transmission,
                });
                self.sequence = self.sequence.wrapping_add(1);
            }
            if holds() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        false
    }
}

/// Runs a test of this file once more in a process of its own, which is told by its environment where sound goes: that keeps it
/// away from other tests. The folder of its sound server in that process, None in ours, where all is done.
fn in_a_process_of_its_own(name: &str) -> Option<PathBuf> {
    if let Some(directory) = std::env::var_os(CHILD) {
        return Some(directory.into());
    }
    let directory = tempfile::tempdir().unwrap();
    let home = directory.path().join("home");
    std::fs::create_dir(&home).unwrap();
    at_home(&home, name, &directory);
    None
}

/// The process of its own, of somebody who lives there and has never shown a cookie to a sound server.
fn at_home(home: &Path, name: &str, directory: &tempfile::TempDir) {
    let directory = directory.path();
    let status = Command::new(std::env::current_exe().unwrap())
        .args([name, "--exact", "--nocapture"])
        .env(CHILD, directory)
        .env("PULSE_SERVER", format!("unix:{}", directory.join("native").display()))
        .env("XDG_RUNTIME_DIR", directory)
        .env("ALSA_CONFIG_PATH", directory.join("alsa.conf"))
        .env("HOME", home)
        .env_remove("PULSE_COOKIE")
        .status()
        .unwrap();
    assert!(status.success());
}

/// Tells the process of its own where everything is.
const CHILD: &str = "SILBO_PULSE_CHILD";

#[test]
fn a_tone_goes_through_the_loudspeaker_and_comes_back_through_the_microphone() {
    let name = "a_tone_goes_through_the_loudspeaker_and_comes_back_through_the_microphone";
    let Some(directory) = in_a_process_of_its_own(name) else { return };
    let _server = serve(&directory);
    let found = list().unwrap();
    for direction in [Direction::Capture, Direction::Playback] {
        assert!(found.iter().any(|device| device.direction == direction && device.is_default), "{found:?}");
    }
    // Somebody far away whistles; near, what the loudspeaker plays into the first sink is what the microphone hears.
    let (far, mut far_io) = open("tone:440", "null").unwrap();
    let (near, mut near_io) = open("default", "device:loop").unwrap();
    let elsewhere = open("device:other.monitor", "device:other").unwrap();
    assert!(open("device:nowhere", "null").is_err() && open("tone:440", "device:nowhere").is_err());
    far.start();
    near.start();
    let heard = Line::between(&mut far_io, &near).until(|| near.levels().microphone > 0.1);
    drop(elsewhere);
    assert!(heard, "the loudspeaker was not heard: {:?} {:?}", near.levels(), near.stats());
    let told: Vec<VoiceEvent> = std::iter::from_fn(|| near_io.events.try_recv().ok()).collect();
    assert!(told.iter().any(|event| matches!(event, VoiceEvent::FirstCaptured { .. })), "{told:?}");
    assert!(!told.iter().any(|event| matches!(event, VoiceEvent::DeviceLost(_))), "{told:?}");
}

#[test]
fn a_sound_server_that_dies_and_comes_back_is_used_again() {
    let Some(directory) = in_a_process_of_its_own("a_sound_server_that_dies_and_comes_back_is_used_again")
    else {
        return;
    };
    let mut server = serve(&directory);
    let (far, mut far_io) = open("tone:440", "null").unwrap();
    let (near, mut near_io) = open("default", "device:loop").unwrap();
    let mut line = Line::between(&mut far_io, &near);
    far.start();
    near.start();
    for _ in 0..2 {
        assert!(line.until(|| near.levels().microphone > 0.1), "nothing is heard: {:?}", near.stats());
        drop(server);
        let mut lost = 0;
        let noticed = line.until(|| {
            lost += told(&mut near_io, |event| matches!(event, VoiceEvent::DeviceLost(_)));
            lost >= 2
        });
        assert!(noticed, "both ends are gone, {lost} were told of");
        assert!(line.until(|| near.levels().microphone < 0.01), "there is no microphone");
        server = serve(&directory);
        let mut back = 0;
        let restored = line.until(|| {
            back += told(&mut near_io, |event| matches!(event, VoiceEvent::DeviceRestored(_)));
            back >= 2
        });
        assert!(restored, "both ends are back, {back} were told of");
    }
    assert!(line.until(|| near.levels().microphone > 0.1), "nothing is heard: {:?}", near.stats());
}

#[test]
fn another_microphone_and_loudspeaker_are_chosen_in_mid_call() {
    let name = "another_microphone_and_loudspeaker_are_chosen_in_mid_call";
    let Some(directory) = in_a_process_of_its_own(name) else { return };
    let _server = serve(&directory);
    let (far, mut far_io) = open("tone:440", "null").unwrap();
    let (near, mut near_io) = open("default", "device:loop").unwrap();
    let mut line = Line::between(&mut far_io, &near);
    far.start();
    near.start();
    assert!(line.until(|| near.levels().microphone > 0.1), "nothing is heard: {:?}", near.stats());
    near.choose_sink("device:other".parse().unwrap());
    assert!(line.until(|| near.levels().microphone < 0.01), "it plays where it played");
    near.choose_source("device:other.monitor".parse().unwrap());
    assert!(line.until(|| near.levels().microphone > 0.1), "the other microphone hears nothing");
    // What is not there changes nothing, and is said.
    near.choose_sink("device:nowhere".parse().unwrap());
    let refused = |event: &VoiceEvent| matches!(event, VoiceEvent::DeviceRefused(_));
    assert!(line.until(|| told(&mut near_io, refused) == 1), "nothing was said");
    assert!(line.until(|| near.levels().microphone > 0.1), "what was used before is gone");
    // What is preferred gives way to the default where it is not there.
    near.choose_sink("preferred:nowhere".parse().unwrap());
    assert!(line.until(|| near.levels().microphone < 0.01), "it is not the default one");
    near.choose_source("preferred:nowhere".parse().unwrap());
    assert!(line.until(|| near.levels().microphone > 0.1), "it is not the default one");
    assert_eq!(told(&mut near_io, refused), 0);
}

#[test]
fn who_waits_to_be_heard_sees_how_loud_they_are_and_nothing_of_it_is_sent() {
    let name = "who_waits_to_be_heard_sees_how_loud_they_are_and_nothing_of_it_is_sent";
    let Some(directory) = in_a_process_of_its_own(name) else { return };
    let mut server = serve(&directory);
    let (far, mut far_io) = open("tone:440", "null").unwrap();
    let (played, _played_io) = open("silence", "device:loop").unwrap();
    let mut line = Line::between(&mut far_io, &played);
    far.start();
    played.start();
    let (waiting, mut io) = open("default", "default").unwrap();
    assert!(!line.until_or(Duration::from_millis(300), || waiting.levels().microphone > 0.0), "it is shut");
    waiting.listen();
    assert!(line.until(|| waiting.levels().microphone > 0.1), "the meter is dead");
    waiting.set_muted(Mute::On);
    assert!(line.until(|| waiting.levels().microphone < 0.01), "who is muted is shown to be loud");
    waiting.set_muted(Mute::Off);
    assert!(line.until(|| waiting.levels().microphone > 0.1));
    drop(server);
    let lost = |event: &VoiceEvent| matches!(event, VoiceEvent::DeviceLost(_));
    assert!(line.until(|| told(&mut io, lost) == 1), "a microphone that fails is told while it rings");
    server = serve(&directory);
    assert!(line.until(|| waiting.levels().microphone > 0.1), "it is not used again");
    assert!(io.packets.try_recv().is_err(), "something was sent");
    assert_eq!(waiting.stats().sent, 0);
    waiting.start();
    assert!(line.until(|| io.packets.try_recv().is_ok()), "nothing is sent when somebody is there");
    drop(server);
}

#[test]
fn while_it_rings_the_caller_has_a_meter_and_who_is_called_has_no_device_open() {
    let name = "while_it_rings_the_caller_has_a_meter_and_who_is_called_has_no_device_open";
    let Some(directory) = in_a_process_of_its_own(name) else { return };
    let _server = serve(&directory);
    let (far, mut far_io) = open("tone:440", "null").unwrap();
    let (played, _played_io) = open("silence", "device:loop").unwrap();
    let mut line = Line::between(&mut far_io, &played);
    far.start();
    played.start();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let _within = runtime.enter();
    let config = || SessionConfig {
        policy: PathPolicy::Any,
        relays: Vec::new(),
        addresses: AddressScope::Lab,
        voice: voice("default", "null"),
        video: VideoConfig::default(),
    };
    let (caller, offer, _events) = runtime.block_on(driver::offer(config())).unwrap();
    let (callee, answer, _events) = driver::prepare(config(), offer).unwrap();
    caller.prepare_answer(answer.clone()).unwrap();
    assert!(line.until(|| caller.levels().microphone > 0.1), "the meter is dead");
    assert!(!line.until_or(Duration::from_millis(300), || callee.levels().microphone > 0.0));
    callee.pick_up().unwrap();
    caller.accept_answer(answer).unwrap();
    assert!(line.until(|| callee.levels().microphone > 0.1), "they talk");
    runtime.block_on(async { (caller.close().await, callee.close().await) });
}

#[test]
fn it_rings_on_the_loudspeaker_until_somebody_picks_up() {
    let Some(directory) = in_a_process_of_its_own("it_rings_on_the_loudspeaker_until_somebody_picks_up")
    else {
        return;
    };
    let _server = serve(&directory);
    let (near, mut near_io) = open("default", "null").unwrap();
    let (deaf, _deaf_io) = open("silence", "null").unwrap();
    let mut line = Line::between(&mut near_io, &deaf);
    near.start();
    let loop_sink: AudioSink = "device:loop".parse().unwrap();
    for tone in [Tone::Incoming, Tone::Ringing, Tone::Over] {
        let player = Player::start(tone, &loop_sink).unwrap();
        assert!(line.until(|| near.levels().microphone > 0.02), "{tone:?} is not heard");
        drop(player);
        let mut quiet_since = None;
        let silent = line.until(|| {
            let since = *quiet_since.get_or_insert_with(Instant::now);
            if near.levels().microphone > 0.001 {
                quiet_since = None;
            }
            since.elapsed() > Duration::from_millis(3500)
        });
        assert!(silent, "{tone:?} does not stop");
    }
    assert!(Player::start(Tone::Incoming, &AudioSink::Null).is_none(), "only loudspeakers ring");
}

#[test]
fn looking_at_devices_and_using_them_again_and_again_opens_no_more_connections() {
    let Some(directory) = in_a_process_of_its_own(
        "looking_at_devices_and_using_them_again_and_again_opens_no_more_connections",
    ) else {
        return;
    };
    let _server = serve(&directory);
    let connections = || {
        let clients = Command::new("pactl").args(["list", "clients"]).output().unwrap();
        String::from_utf8(clients.stdout).unwrap().matches("application.name = \"cpal").count()
    };
    for _ in 0..12 {
        assert!(!list().unwrap().is_empty());
    }
    assert_eq!(connections(), 2, "one for each direction");
    for _ in 0..4 {
        let (engine, mut io) = open("device:loop.monitor", "device:loop").unwrap();
        engine.start();
        assert!(io.packets.blocking_recv().is_some());
        drop((engine, io));
        assert!(open("device:nowhere", "null").is_err() && open("tone:440", "device:nowhere").is_err());
        assert!(!list().unwrap().is_empty());
    }
    let deadline = Instant::now() + PATIENCE;
    while connections() != 2 {
        assert!(Instant::now() < deadline, "{} stay", connections());
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn in_a_home_without_a_cookie_one_is_made_and_shown() {
    let Some(directory) = in_a_process_of_its_own("in_a_home_without_a_cookie_one_is_made_and_shown") else {
        return;
    };
    let _server = serve(&directory);
    let cookie = directory.join("home/.config/pulse/cookie");
    assert!(!cookie.exists());
    assert!(list().unwrap().iter().any(|device| device.id == "loop.monitor"));
    let made = std::fs::read(&cookie).unwrap();
    assert_eq!((made.len(), std::fs::metadata(&cookie).unwrap().mode() & 0o777), (256, 0o600));
    assert!(open("default", "default").is_ok());
    assert_eq!(std::fs::read(&cookie).unwrap(), made, "what others may have read stays");
}

#[test]
fn in_a_home_that_cannot_be_written_alsa_is_used_and_without_it_the_file_is_named() {
    let name = "in_a_home_that_cannot_be_written_alsa_is_used_and_without_it_the_file_is_named";
    let Some(directory) = std::env::var_os(CHILD).map(PathBuf::from) else {
        // Nobody can make a file in what is no folder, also not the superuser.
        return at_home(Path::new("/dev/null"), name, &tempfile::tempdir().unwrap());
    };
    let _server = serve(&directory);
    for (direction, opened) in
        [(Direction::Capture, open("default", "null")), (Direction::Playback, open("silence", "default"))]
    {
        let Err(DeviceError::NoCookie { direction: blamed, path, .. }) = opened else { panic!("it works") };
        assert_eq!((blamed, path.as_path()), (direction, Path::new("/dev/null/.config/pulse/cookie")));
    }
    let card = "pcm.!default { type null hint { show on description \"A card\" } }\n";
    std::fs::write(directory.join("alsa.conf"), card).unwrap();
    assert!(open("default", "default").is_ok());
    let found = list().unwrap();
    assert!(found.iter().all(|device| device.id == "default") && found.len() == 2, "{found:?}");
}

/// How many such events there are since.
fn told(io: &mut VoiceIo, such: impl Fn(&VoiceEvent) -> bool) -> usize {
    std::iter::from_fn(|| io.events.try_recv().ok()).filter(such).count()
}
