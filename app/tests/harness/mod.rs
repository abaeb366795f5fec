//! Real processes: started in a folder of their own, killed when dropped, their events read line by line. What the tests of
//! several binaries share.

use serde_json::Value;
use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    path::PathBuf,
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// No single wait takes longer, however slow the machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A folder for profiles and sound files, and a supernode if one was started.
pub(crate) struct World {
    folder: TempDir,
    supernode: Option<Silbo>,
    bootstrap: Option<String>,
}

/// A running `silbo --json`.
pub(crate) struct Silbo {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: mpsc::Receiver<Value>,
    seen: Vec<Value>,
    stderr: mpsc::Receiver<String>,
}

/// How a `silbo` ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: i32,
    pub(crate) events: Vec<Value>,
    pub(crate) stderr: String,
}

impl World {
    /// A network of nobody.
    pub(crate) fn empty() -> Self {
        Self { folder: TempDir::new().unwrap(), supernode: None, bootstrap: None }
    }

    /// A network of one supernode.
    pub(crate) fn new() -> Self {
        let mut world = Self::empty();
        world.start_supernode("supernode");
        world
    }

    /// Starts a supernode that everybody is told from now on.
    pub(crate) fn start_supernode(&mut self, profile: &str) {
        self.bootstrap = None;
        let words = ["supernode", "--listen", "127.0.0.1:0", "--relay-listen", "127.0.0.1:0"];
        let mut supernode = self.silbo(profile, &words);
        self.bootstrap = Some(supernode.expect("role")["quic"].as_str().unwrap().to_owned());
        supernode.expect("relay");
        self.supernode = Some(supernode);
    }

    /// Starts a supernode of which everybody is told a port where only TCP answers.
    pub(crate) fn start_supernode_with_tcp(&mut self, profile: &str) {
        let words = ["supernode", "--listen", "127.0.0.1:0", "--relay-listen", "127.0.0.1:0"];
        // Free now; taken again at once.
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let mut supernode = self.silbo(profile, &[&words[..], &["--tcp-listen", &tcp]].concat());
        supernode.expect("relay");
        self.bootstrap = Some(tcp);
        self.supernode = Some(supernode);
    }

    /// Kills the supernode, as a power cut would.
    pub(crate) fn kill_supernode(&mut self) {
        self.supernode = None;
    }

    /// Starts `silbo` with a profile of this world.
    pub(crate) fn silbo(&self, profile: &str, words: &[&str]) -> Silbo {
        Silbo::spawn(&mut self.command(profile, words))
    }

    /// The same, prepared for [`Silbo::spawn`].
    pub(crate) fn command(&self, profile: &str, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_silbo"));
        command.args(["--lab", "--no-mdns", "--no-portmap", "--json", "--profile"]).arg(self.path(profile));
        if let Some(bootstrap) = &self.bootstrap {
            command.args(["--bootstrap", bootstrap]);
        }
        command.args(words).current_dir(self.folder.path());
        command
    }

    /// Runs `silbo` to its end.
    pub(crate) fn run(&self, profile: &str, words: &[&str]) -> Ended {
        self.silbo(profile, words).end()
    }

    /// The address of the supernode.
    pub(crate) fn bootstrap(&self) -> &str {
        self.bootstrap.as_deref().unwrap()
    }

    /// A path within the world's folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The public key of a profile.
    pub(crate) fn key(&self, profile: &str) -> String {
        let text = fs::read_to_string(self.path(profile).join("identity.key")).unwrap();
        let secret = data_encoding::BASE32_NOPAD_NOCASE.decode(text.trim().as_bytes()).unwrap();
        overlay::Identity::from_secret(secret.try_into().unwrap()).public_key().to_string()
    }
}

impl Silbo {
    /// Starts a prepared command.
    pub(crate) fn spawn(command: &mut Command) -> Self {
        command.env_remove("SILBO_PASSPHRASE_FILE").env_remove("RUST_LOG");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (send_line, lines) = mpsc::sync_channel(100_000);
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let read_events = move || {
            for line in stdout.lines() {
                let line = line.unwrap();
                let value = serde_json::from_str(&line).unwrap_or(Value::String(line));
                if send_line.send(value).is_err() {
                    return;
                }
            }
        };
        thread::Builder::new().name("stdout".into()).spawn(read_events).unwrap();
        let (send_text, stderr) = mpsc::sync_channel(1);
        let mut errors = child.stderr.take().unwrap();
        let read_errors = move || {
            let mut text = String::new();
            let _ = errors.read_to_string(&mut text);
            let _ = send_text.send(text);
        };
        thread::Builder::new().name("stderr".into()).spawn(read_errors).unwrap();
        let stdin = child.stdin.take();
        Self { child, stdin, lines, seen: Vec::new(), stderr }
    }

    /// Waits for the next event of this name, skipping others.
    #[track_caller]
    pub(crate) fn expect(&mut self, event: &str) -> Value {
        self.expect_one_of(&[event])
    }

    /// Waits for the next event of one of these names, skipping others.
    #[track_caller]
    pub(crate) fn expect_one_of(&mut self, events: &[&str]) -> Value {
        let until = Instant::now() + PATIENCE;
        loop {
            match self.lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    self.seen.push(line.clone());
                    if events.iter().any(|event| line["event"] == *event) {
                        return line;
                    }
                }
                Err(error) => {
                    let errors = self.errors();
                    panic!("none of {events:?} ({error}); seen: {:#?}; {errors}", self.seen)
                }
            }
        }
    }

    /// Writes a line to standard input.
    pub(crate) fn tell(&mut self, line: &str) {
        writeln!(self.stdin.as_mut().unwrap(), "{line}").unwrap();
    }

    /// Ends its standard input.
    pub(crate) fn close_input(&mut self) {
        self.stdin = None;
    }

    /// Asks politely to stop.
    pub(crate) fn terminate(&self) {
        let status = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    /// Waits for the end.
    #[track_caller]
    pub(crate) fn end(mut self) -> Ended {
        let until = Instant::now() + PATIENCE;
        loop {
            match self.lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(line) => self.seen.push(line),
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
                Err(mpsc::RecvTimeoutError::Timeout) => panic!("does not end; seen: {:#?}", self.seen),
            }
        }
        let status = self.child.wait().unwrap().code().unwrap_or(-1);
        Ended { status, events: std::mem::take(&mut self.seen), stderr: self.errors() }
    }

    fn errors(&mut self) -> String {
        // Only an ended process has closed its standard error.
        let _ = self.child.kill();
        self.stderr.recv_timeout(PATIENCE).unwrap_or_default()
    }
}

impl Drop for Silbo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Ended {
    /// The status must be this one.
    #[track_caller]
    pub(crate) fn with(self, status: i32) -> Self {
        assert_eq!(self.status, status, "{self:#?}");
        self
    }

    /// The first event of this name.
    #[track_caller]
    pub(crate) fn event(&self, name: &str) -> &Value {
        let found = self.events.iter().find(|event| event["event"] == name);
        found.unwrap_or_else(|| panic!("no \"{name}\": {self:#?}"))
    }

    /// Whether there is an event of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.events.iter().any(|event| event["event"] == name)
    }

    /// There is an `error` with this code, a sentence and a next step, and the status that belongs to it.
    #[track_caller]
    pub(crate) fn failed(self, code: &str, status: i32) -> Self {
        let ended = self.with(status);
        assert!(!ended.stderr.contains("panicked"), "{ended:#?}");
        let error = ended.event("error");
        assert_eq!(error["code"], code, "{ended:#?}");
        assert!(error["message"].as_str().is_some_and(|text| !text.is_empty()));
        assert!(error["next_step"].as_str().is_some_and(|text| text.ends_with('.')));
        ended
    }
}
