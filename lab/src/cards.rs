//! A call between two real programs that hear and speak through real sound cards, as far as a machine without any has them:
//! a PulseAudio of our own with null sinks.
//!
//! ```text
//!   speech ─ paplay ─▶ sink NAME-mouth ═ its monitor ═ microphone of one ~~ call ~~ loudspeaker of the other ═ sink NAME-ear ═ parec
//! ```
//! One speaks, then the other; then the sound server is killed, another one takes its place, and both speak again.

use crate::pair::{End, Pair};
use crate::process::{EndsWithUs, Place, Turn, poll, run};
use crate::quality::{self, Quality};
use crate::speech;
use anyhow::{Context as _, Result};
use serde::Serialize;
use std::fs::File;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// Who is in the call.
const NAMES: [&str; 2] = ["one", "other"];
/// How long a sound server takes to come up, at most.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long a call settles before somebody speaks.
const SETTLE: Duration = Duration::from_secs(3);
/// How long nobody has a sound card.
const GONE: Duration = Duration::from_secs(2);
/// A recording goes on so long after the speech, in seconds.
const AFTERWARDS: u32 = 3;
/// Louder than this somebody speaks: a hundredth of full scale.
const SPOKEN: f32 = 0.01;

/// Somewhere to connect to for sound, and nothing else there.
#[derive(Debug)]
pub struct SoundServer {
    folder: PathBuf,
    _server: EndsWithUs,
}

impl SoundServer {
    /// Starts one in a folder of its own, where another one may have been before.
    pub fn start(folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700))?;
        // The server hangs up on whoever shows no cookie, although it lets everybody in.
        std::fs::write(cookie(folder), [7; 256])?;
        let socket = socket(folder);
        if socket.exists() {
            std::fs::remove_file(&socket)?;
        }
        let script = folder.join("cards.pa");
        std::fs::write(&script, modules(&socket))?;
        let mut command = Place::Here.command_at(Turn::First, "pulseaudio");
        command.args(["-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no"]);
        command.args(["--disable-shm=yes", "--realtime=no", "--high-priority=no", "-F"]).arg(&script);
        command.env("PULSE_RUNTIME_PATH", folder).env("PULSE_STATE_PATH", folder).env("HOME", folder);
        command.env("XDG_RUNTIME_DIR", folder).stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(File::create(folder.join("pulseaudio.log"))?);
        let server = EndsWithUs(command.spawn().context("cannot start pulseaudio")?);
        poll("sound server", PATIENCE, || Ok(UnixStream::connect(&socket).ok().map(drop)))?;
        Ok(Self { folder: folder.to_owned(), _server: server })
    }

    /// Lets a command hear and speak here and nowhere else.
    pub fn here(&self, mut command: Command) -> Command {
        command.env("PULSE_SERVER", format!("unix:{}", socket(&self.folder).display()));
        command.env("PULSE_COOKIE", cookie(&self.folder)).env("XDG_RUNTIME_DIR", &self.folder);
        command
    }
}

fn socket(folder: &Path) -> PathBuf {
    folder.join("native")
}

fn cookie(folder: &Path) -> PathBuf {
    folder.join("any-cookie")
}

/// A mouth and an ear for each. The socket comes last: whoever reaches it finds everything else. Without `norewinds` a sink
/// has rendered two seconds ahead, and whatever begins is heard that much later.
fn modules(socket: &Path) -> String {
    let sink = |name: String| {
        format!("load-module module-null-sink norewinds=1 sink_name={name} rate=48000 channels=1\n")
    };
    let sinks: String = NAMES.iter().flat_map(|name| [sink(mouth(name)), sink(ear(name))]).collect();
    format!("{sinks}load-module module-native-protocol-unix socket={} auth-anonymous=1\n", socket.display())
}

fn mouth(name: &str) -> String {
    format!("{name}-mouth")
}

fn ear(name: &str) -> String {
    format!("{name}-ear")
}

/// How one was heard by the other.
#[derive(Debug, Serialize)]
pub struct Heard {
    /// Who spoke.
    pub speaker: &'static str,
    /// How well it sounded.
    pub quality: Quality,
    /// How much later than it was spoken the first sound was heard, in milliseconds.
    pub first_after_ms: f64,
}

/// A call, and what was heard in it.
#[derive(Debug, Serialize)]
pub struct HeardBothWays {
    /// With the sound server that the call began with.
    pub before: Vec<Heard>,
    /// With the one that took its place.
    pub after: Vec<Heard>,
}

/// Makes the call; recordings and logs go to `folder`.
pub fn call(folder: &Path) -> Result<HeardBothWays> {
    let home = folder.join("sound");
    let server = SoundServer::start(&home)?;
    let devices =
        NAMES.map(|name| (format!("device:{}.monitor", mouth(name)), format!("device:{}", ear(name))));
    let words = devices
        .each_ref()
        .map(|(microphone, loudspeaker)| ["--mic", microphone, "--speaker", loudspeaker, "--camera", "none"]);
    let [one, other] = [0, 1].map(|nth| End {
        title: NAMES[nth],
        place: Place::Here,
        words: &words[nth],
        desktop: None,
        sound: Some(&server),
    });
    let pair = Pair::call(&one, &other, folder)?;
    std::thread::sleep(SETTLE);
    let before = both_ways(&server, &folder.join("before"))?;
    drop(server);
    std::thread::sleep(GONE);
    let server = SoundServer::start(&home)?;
    let after = both_ways(&server, &folder.join("after"))?;
    pair.hang_up()?;
    Ok(HeardBothWays { before, after })
}

/// One speaks, then the other: at once they would be taken for the echo of each other.
fn both_ways(server: &SoundServer, folder: &Path) -> Result<Vec<Heard>> {
    std::fs::create_dir_all(folder)?;
    let ways = [(NAMES[0], NAMES[1]), (NAMES[1], NAMES[0])];
    ways.into_iter().map(|(speaker, listener)| speak(server, speaker, listener, folder)).collect()
}

fn speak(
    server: &SoundServer,
    speaker: &'static str,
    listener: &'static str,
    folder: &Path,
) -> Result<Heard> {
    let speech = speech::file()?;
    let spoken = folder.join(format!("{speaker}-spoken.wav"));
    let heard = folder.join(format!("{speaker}-heard.wav"));
    let mut recorders = Vec::new();
    for (sink, file) in [(mouth(speaker), &spoken), (ear(listener), &heard)] {
        let mut record = Command::new("parec");
        record.args(["--file-format=wav", "--rate=48000", "--channels=1", "--format=s16le"]);
        record.arg("--latency-msec=20").arg(format!("--device={sink}.monitor")).arg(file);
        recorders.push(EndsWithUs(server.here(ends_after(speech::SECONDS + AFTERWARDS, &record)).spawn()?));
    }
    let mut play = Place::Here.command_at(Turn::First, "paplay");
    play.arg("--latency-msec=100").arg(format!("--device={}", mouth(speaker))).arg(&speech);
    run(&mut server.here(play))?;
    for recorder in &mut recorders {
        // Ended by its time, which is no success of its own.
        recorder.0.wait()?;
    }
    let quality = quality::score(&speech, &heard)?;
    let first_after_ms = (first_sound(&heard)? - first_sound(&spoken)?) * 1000.0;
    Ok(Heard { speaker, quality, first_after_ms })
}

/// The same command, which ends as by an interrupt after so many seconds: then it completes its file.
fn ends_after(seconds: u32, command: &Command) -> Command {
    let mut timed = Place::Here.command_at(Turn::First, "timeout");
    timed.args(["--signal=INT", &seconds.to_string()]).arg(command.get_program()).args(command.get_args());
    timed
}

/// When the first sound of a recording is, in seconds.
fn first_sound(recording: &Path) -> Result<f64> {
    let samples = speech::read(recording)?;
    let first = samples.iter().position(|sample| sample.abs() > SPOKEN);
    let first = first.with_context(|| format!("nothing is heard in {}", recording.display()))?;
    Ok(first as f64 / 48_000.0)
}
