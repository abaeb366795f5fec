//! One `silbo` process under test: started in a place, heard through its JSON events, ended with its owner.

use anyhow::{Context as _, Result, anyhow, bail};
use serde_json::Value;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

/// Where a process runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// This machine as it is.
    Here,
    /// A host of the NAT lab, by the name of its network namespace.
    Namespace(String),
}

impl Place {
    /// A command that runs in this place and is killed when the thread that spawned it ends, whatever ends it.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        self.command_at(Turn::Usual, program)
    }

    /// The same, and when it gets the processor.
    pub fn command_at(&self, turn: Turn, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL"]);
        if turn == Turn::First && first_turn_is_allowed() {
            command.args(FIRST_TURN);
        }
        if let Self::Namespace(name) = self {
            command.args(["ip", "netns", "exec", name]);
        }
        command.arg(program);
        command
    }
}

/// When a process gets the processor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Like everybody; for what is measured.
    Usual,
    /// Before everybody else, where this system lets us: a call is heard in real time, and its sound is not to depend on
    /// what else a developer's machine is compiling.
    First,
}

const FIRST_TURN: [&str; 3] = ["chrt", "--rr", "1"];

fn first_turn_is_allowed() -> bool {
    static ALLOWED: OnceLock<bool> = OnceLock::new();
    *ALLOWED.get_or_init(|| {
        let tried =
            Command::new(FIRST_TURN[0]).args(&FIRST_TURN[1..]).arg("true").stderr(Stdio::null()).status();
        tried.is_ok_and(|status| status.success())
    })
}

/// Lines kept between the process and the test; a test that reads none for this long is stuck, and the process then
/// waits in its own `write`.
const UNREAD_EVENTS: usize = 4096;

/// One running `silbo --json`.
#[derive(Debug)]
pub struct Silbo {
    title: String,
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<Value>,
    seen: Vec<Value>,
    stderr: PathBuf,
}

impl Silbo {
    /// Starts `silbo --json ARGUMENTS` in `place`; its log goes to `folder/TITLE.log`, its events to `TITLE.jsonl`.
    pub fn start<S: AsRef<OsStr>>(
        title: &str,
        place: &Place,
        turn: Turn,
        folder: &Path,
        arguments: &[S],
    ) -> Result<Self> {
        let mut command = place.command_at(turn, crate::silbo()?);
        command.arg("--json").args(arguments);
        Self::spawn(title, command, folder)
    }

    /// Starts a prepared command that speaks JSON lines.
    pub fn spawn(title: &str, mut command: Command, folder: &Path) -> Result<Self> {
        let stderr = folder.join(format!("{title}.log"));
        let mut copy = File::create(folder.join(format!("{title}.jsonl")))?;
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(&stderr)?)
            .spawn()
            .with_context(|| format!("cannot start {command:?}"))?;
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().ok_or_else(|| anyhow!("{title} has no stdout"))?;
        let (sender, lines) = sync_channel(UNREAD_EVENTS);
        std::thread::Builder::new().name(format!("{title} events")).spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(|line| line.ok()) {
                let _ = writeln!(copy, "{line}");
                let event = serde_json::from_str(&line).unwrap_or(Value::String(line));
                if sender.send(event).is_err() {
                    break;
                }
            }
        })?;
        Ok(Self { title: title.to_owned(), child, stdin, lines, seen: Vec::new(), stderr })
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for the next event called `name` and returns it; earlier events are kept in [`Silbo::seen`].
    pub fn expect(&mut self, name: &str, patience: Duration) -> Result<Value> {
        self.expect_where(name, patience, |event| event["event"] == name)
    }

    /// Waits for the next event that `matches`; `what` names it in the error.
    pub fn expect_where(
        &mut self,
        what: &str,
        patience: Duration,
        matches: impl Fn(&Value) -> bool,
    ) -> Result<Value> {
        let deadline = Instant::now() + patience;
        loop {
            match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(event) => {
                    self.seen.push(event.clone());
                    if matches(&event) {
                        return Ok(event);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {
                    return Err(self.complaint(&format!("no `{what}` within {patience:?}")));
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(self.complaint(&format!("ended before `{what}`")));
                }
            }
        }
    }

    /// The next event that is there already, of those not read yet.
    pub fn poll(&mut self) -> Option<Value> {
        let event = self.lines.try_recv().ok()?;
        self.seen.push(event.clone());
        Some(event)
    }

    /// Every event read so far, in order.
    pub fn seen(&mut self) -> &[Value] {
        while let Ok(event) = self.lines.try_recv() {
            self.seen.push(event);
        }
        &self.seen
    }

    /// Events called `name` among those read so far.
    pub fn seen_named(&mut self, name: &str) -> Vec<Value> {
        self.seen().iter().filter(|event| event["event"] == name).cloned().collect()
    }

    /// Writes one command line (`{"do": ...}`) to the process.
    pub fn command(&mut self, command: &Value) -> Result<()> {
        let stdin = self.stdin.as_mut().ok_or_else(|| anyhow!("stdin is closed"))?;
        writeln!(stdin, "{command}")?;
        Ok(stdin.flush()?)
    }

    /// Asks it to end as Ctrl-C does.
    pub fn interrupt(&self) -> Result<()> {
        self.signal("INT")
    }

    /// Ends it as a power cut would.
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Waits for the end of the process and of its output; the exit status as a shell would show it.
    pub fn exit_status(&mut self, patience: Duration) -> Result<i32> {
        let deadline = Instant::now() + patience;
        loop {
            match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(event) => self.seen.push(event),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    return Err(self.complaint(&format!("still running after {patience:?}")));
                }
            }
        }
        // Its output is closed: it is ending. A process that closes stdout and lives on is stuck.
        loop {
            if let Some(status) = self.child.try_wait()? {
                use std::os::unix::process::ExitStatusExt as _;
                return Ok(status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0)));
            }
            if Instant::now() > deadline {
                return Err(self.complaint(&format!("closed its output but lives after {patience:?}")));
            }
            std::thread::sleep(POLL);
        }
    }

    /// Waits for the end and insists on exit status 0.
    pub fn succeed(&mut self, patience: Duration) -> Result<()> {
        match self.exit_status(patience)? {
            0 => Ok(()),
            status => Err(self.complaint(&format!("exit status {status}"))),
        }
    }

    /// Sends it a signal, by the name `kill` knows it by: STOP makes a process hang as a broken machine does.
    pub fn signal(&self, name: &str) -> Result<()> {
        let status = Command::new("kill").args([format!("-{name}"), self.child.id().to_string()]).status()?;
        if !status.success() {
            bail!("{}: kill -{name} failed", self.title);
        }
        Ok(())
    }

    /// An error with everything a person needs to see why: the last events and the end of the log.
    pub fn complaint(&mut self, what: &str) -> anyhow::Error {
        let title = self.title.clone();
        let log = std::fs::read_to_string(&self.stderr).unwrap_or_default();
        let events: Vec<String> = last(self.seen(), 15).iter().map(|event| event.to_string()).collect();
        let log: Vec<&str> = log.lines().collect();
        anyhow!(
            "{title}: {what}\n--- its last events\n{}\n--- the end of its log ({})\n{}",
            events.join("\n"),
            self.stderr.display(),
            last(&log, 15).join("\n")
        )
    }
}

const POLL: Duration = Duration::from_millis(10);

fn last<T>(all: &[T], count: usize) -> &[T] {
    &all[all.len().saturating_sub(count)..]
}

impl Drop for Silbo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A helper process that must not outlive its owner.
#[derive(Debug)]
pub struct EndsWithUs(pub Child);

impl Drop for EndsWithUs {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs a tool to its end and returns its standard output; its complaint becomes the error.
pub fn run(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("cannot run {command:?}"))?;
    if !output.status.success() {
        bail!("{command:?} failed ({}): {}", output.status, String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Asks again and again until `answer` has one.
pub fn poll<T>(what: &str, patience: Duration, mut answer: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(answer) = answer()? {
            return Ok(answer);
        }
        if Instant::now() > deadline {
            bail!("no {what} within {patience:?}");
        }
        std::thread::sleep(POLL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_secs(20);

    fn speaking(script: &str) -> (tempfile::TempDir, Silbo) {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Place::Here.command("sh");
        command.args(["-c", script]);
        let silbo = Silbo::spawn("speaker", command, folder.path()).unwrap();
        (folder, silbo)
    }

    #[test]
    fn events_are_found_in_order_and_all_are_kept() {
        let (_folder, mut silbo) =
            speaking(r#"echo '{"event":"online"}'; echo garbage; echo '{"event":"ended","by":"peer"}'"#);
        let ended = silbo.expect("ended", SOON).unwrap();
        assert_eq!(ended["by"], "peer");
        assert_eq!(silbo.seen().len(), 3);
        assert_eq!(silbo.seen_named("online").len(), 1);
    }

    #[test]
    fn a_missing_event_is_an_error_that_shows_the_log_and_the_last_events() {
        let (_folder, mut silbo) = speaking(r#"echo '{"event":"error"}'; echo why >&2; exit 5"#);
        let complaint = silbo.expect("online", SOON).unwrap_err().to_string();
        assert!(complaint.contains("ended before `online`"), "{complaint}");
        assert!(complaint.contains(r#"{"event":"error"}"#) && complaint.contains("why"), "{complaint}");
        assert_eq!(silbo.exit_status(SOON).unwrap(), 5);
    }

    #[test]
    fn commands_reach_it_and_an_interrupt_ends_it() {
        let (_folder, mut silbo) = speaking(r#"read line; echo "$line"; exec sleep 1000"#);
        silbo.command(&serde_json::json!({ "event": "mute" })).unwrap();
        silbo.expect("mute", SOON).unwrap();
        silbo.interrupt().unwrap();
        assert_eq!(silbo.exit_status(SOON).unwrap(), 130);
    }

    #[test]
    fn it_does_not_outlive_its_owner() {
        let (_folder, mut silbo) = speaking(r#"echo '{"event":"up"}'; exec sleep 1000"#);
        silbo.expect("up", SOON).unwrap();
        let process = format!("/proc/{}", silbo.id());
        assert!(Path::new(&process).exists());
        drop(silbo);
        assert!(!Path::new(&process).exists());
    }
}
