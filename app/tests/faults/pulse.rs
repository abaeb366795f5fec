//! A sound server of a test's own: PulseAudio, with a headset made of numbers that is plugged in and out. Needs the Debian packages `pulseaudio` and `pulseaudio-utils`.

use crate::harness::PATIENCE;
use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
};

/// A sound server that lives as long as this, in a folder of its own.
pub(crate) struct Server {
    child: Child,
    folder: PathBuf,
}

impl Server {
    /// Starts one that has no device yet.
    pub(crate) fn start(folder: &Path) -> Self {
        fs::create_dir_all(folder).unwrap();
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).unwrap();
        // The server hangs up on whoever shows no cookie, although it lets everybody in.
        fs::write(folder.join("cookie"), [7; 256]).unwrap();
        let script = folder.join("silbo.pa");
        let socket = folder.join("native");
        let lines =
            format!("load-module module-native-protocol-unix socket={} auth-anonymous=1\n", socket.display());
        fs::write(&script, lines).unwrap();
        let _ = fs::remove_file(&socket);
        let mut command = Command::new("pulseaudio");
        command.args([
            "-n",
            "--daemonize=no",
            "--exit-idle-time=-1",
            "--use-pid-file=no",
            "--disable-shm=yes",
        ]);
        command.args(["--realtime=no", "--high-priority=no", "-v", "--log-target=stderr", "-F"]).arg(&script);
        command.env("PULSE_RUNTIME_PATH", folder).env("PULSE_STATE_PATH", folder).env("HOME", folder);
        command.env("XDG_RUNTIME_DIR", folder).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child =
            command.spawn().expect("no pulseaudio here: install the package `pulseaudio` (make setup does)");
        let log = BufReader::new(child.stderr.take().unwrap());
        let (is_up, up) = mpsc::sync_channel(1);
        let read = move || {
            for line in log.lines().map_while(Result::ok) {
                if line.contains("Daemon startup complete") {
                    let _ = is_up.try_send(());
                }
            }
        };
        thread::Builder::new().name("pulseaudio".into()).spawn(read).unwrap();
        up.recv_timeout(PATIENCE).expect("pulseaudio does not come up");
        Self { child, folder: folder.to_owned() }
    }

    /// Plugs in a headset, whose microphone `headset.monitor` hears what its loudspeaker plays; by what it is unplugged.
    pub(crate) fn plug_in(&self) -> String {
        self.control(&["load-module", "module-null-sink", "norewinds=1", "sink_name=headset"])
    }

    /// Pulls it out.
    pub(crate) fn unplug(&self, headset: &str) {
        self.control(&["unload-module", headset]);
    }

    /// Kills it, as a crash would.
    pub(crate) fn kill(self) {}

    fn control(&self, words: &[&str]) -> String {
        let output = toward(Command::new("pactl"), &self.folder).args(words).output();
        let output = output.expect("no pactl here: install the package `pulseaudio-utils` (make setup does)");
        assert!(output.status.success(), "{words:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The same program, with all its sound going to the server of this folder, and to no card; where there is none, it has no
/// sound at all.
pub(crate) fn toward(mut command: Command, folder: &Path) -> Command {
    command.env("PULSE_SERVER", format!("unix:{}", folder.join("native").display()));
    command.env("PULSE_COOKIE", folder.join("cookie")).env("XDG_RUNTIME_DIR", folder);
    command.env("ALSA_CONFIG_PATH", "/dev/null");
    command
}
