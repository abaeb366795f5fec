//! A headless Chromium at one end of a call: not our code, and what most of the world calls with.
//!
//! ```text
//!   test ── Chrome DevTools Protocol over two pipes, JSON between NULs ──▶ Chromium: page.js
//!        ◀── what the page tells (Runtime.bindingCalled): its offers, answers and candidates
//! ```
//!
//! Its microphone and camera are files; what it hears and sees is read off the page, so that a test judges by content.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use serde_json::{Value, json};

use crate::process::{EndsWithUs, Place, Turn, poll};

const PAGE: &str = include_str!("browser/page.js");

/// Longest time one thing asked of Chromium may take; its start on a loaded machine takes the longest.
const PATIENCE: Duration = Duration::from_secs(60);

/// Messages of Chromium that wait to be read.
const UNREAD: usize = 1024;

/// What Chromium speaks and shows.
#[derive(Debug, Clone)]
pub struct Fakes {
    /// A WAV file, played for ever.
    pub microphone: PathBuf,
    /// A Y4M file, played for ever.
    pub camera: Option<PathBuf>,
}

/// One Chromium with one page.
#[derive(Debug)]
pub struct Browser {
    to: File,
    from: Receiver<Value>,
    /// Ends the thread that reads.
    end: File,
    session: Option<String>,
    asked: u64,
    told: VecDeque<Value>,
    _chromium: EndsWithUs,
}

impl Browser {
    /// Starts Chromium in `place`; its profile, pipes and log are in `folder/TITLE`.
    pub fn start(title: &str, place: &Place, turn: Turn, folder: &Path, fakes: &Fakes) -> Result<Self> {
        let folder = folder.join(title);
        std::fs::create_dir_all(&folder)?;
        let page = folder.join("page.html");
        std::fs::write(&page, "<!doctype html><title>A call</title>")?;
        let (to, from) = (folder.join("to"), folder.join("from"));
        let made = Command::new("mkfifo").args([&to, &from]).status()?;
        ensure!(made.success(), "no pipes in {}", folder.display());
        // Opened both ways, so that nobody waits for a Chromium that never came.
        let both_ways = |pipe: &Path| OpenOptions::new().read(true).write(true).open(pipe);
        let (writer, reader) = (both_ways(&to)?, both_ways(&from)?);
        let end = OpenOptions::new().write(true).custom_flags(libc::O_NONBLOCK).open(&from)?;

        // Chromium leaves helpers behind: with the first process of their namespace all of them are gone.
        let mut command = place.command_at(turn, "unshare");
        command.args(who_may_unshare()).args(["--fork", "--pid", "--mount-proc", "--kill-child"]);
        command.args(["sh", "-c"]);
        command.args([r#"exec "$0" "$@" 3<"$TO" 4>"$FROM""#, "chromium"]);
        command.env("TO", &to).env("FROM", &from).args(FLAGS);
        command.arg(format!("--user-data-dir={}", folder.join("profile").display()));
        command.arg(format!("--use-file-for-fake-audio-capture={}", fakes.microphone.display()));
        if let Some(camera) = &fakes.camera {
            command.arg(format!("--use-file-for-fake-video-capture={}", camera.display()));
        }
        let log = || File::create(folder.join("log"));
        command.arg("about:blank").stdin(Stdio::null()).stdout(log()?).stderr(log()?);
        let chromium = command.spawn().context("cannot start Chromium: is it installed?")?;

        let (sender, from) = sync_channel(UNREAD);
        std::thread::Builder::new().name(format!("{title} tells")).spawn(move || {
            for message in BufReader::new(reader).split(0).map_while(Result::ok) {
                let Ok(message) = serde_json::from_slice(&message) else { break };
                if sender.send(message).is_err() {
                    break;
                }
            }
        })?;
        let chromium = EndsWithUs(chromium);
        let mut browser = Self {
            to: writer,
            from,
            end,
            session: None,
            asked: 0,
            told: VecDeque::new(),
            _chromium: chromium,
        };
        browser.open(&page, fakes)?;
        Ok(browser)
    }

    fn open(&mut self, page: &Path, fakes: &Fakes) -> Result<()> {
        let url = format!("file://{}", page.canonicalize()?.display());
        let target = self.ask("Target.createTarget", &json!({ "url": url }))?;
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let attached = self.ask("Target.attachToTarget", &attach)?;
        self.session = attached["sessionId"].as_str().map(str::to_owned);
        self.ask("Runtime.enable", &json!({}))?;
        self.ask("Runtime.addBinding", &json!({ "name": "tell" }))?;
        poll("page in Chromium", PATIENCE, || {
            let open = self.evaluate("document.readyState + location.protocol")? == "completefile:";
            Ok(open.then_some(()))
        })?;
        self.evaluate(&format!("{PAGE}; globalThis.call = call; 0"))?;
        self.evaluate(&format!("call.open({{ video: {} }})", fakes.camera.is_some()))?;
        Ok(())
    }

    /// Makes an offer, which [`Self::poll_told`] gives.
    pub fn offer(&mut self) -> Result<()> {
        self.evaluate("call.offer()").map(drop)
    }

    /// Makes an offer to begin ICE anew.
    pub fn restart(&mut self) -> Result<()> {
        self.evaluate("call.offer({ iceRestart: true })").map(drop)
    }

    /// Takes what the other end said.
    pub fn take(&mut self, message: &Value) -> Result<()> {
        self.evaluate(&format!("call.take({message})")).map(drop)
    }

    /// What it hears, sees and counts.
    pub fn look(&mut self) -> Result<Value> {
        self.evaluate("call.look()")
    }

    /// What it has for the other end, until nothing is left.
    pub fn poll_told(&mut self) -> Option<Value> {
        while let Ok(message) = self.from.try_recv() {
            self.note(&message);
        }
        self.told.pop_front()
    }

    /// Evaluates an expression on the page and waits for what it comes to.
    pub fn evaluate(&mut self, expression: &str) -> Result<Value> {
        let wanted = json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let result = self.ask("Runtime.evaluate", &wanted)?;
        match result.get("exceptionDetails") {
            None => Ok(result["result"]["value"].clone()),
            Some(thrown) => {
                let shown: String = expression.chars().take(100).collect();
                bail!("{shown} threw {}", thrown["exception"]["description"])
            }
        }
    }

    fn ask(&mut self, method: &str, parameters: &Value) -> Result<Value> {
        self.asked += 1;
        let mut message = json!({ "id": self.asked, "method": method, "params": parameters });
        if let Some(session) = &self.session {
            message["sessionId"] = session.as_str().into();
        }
        self.to.write_all(message.to_string().as_bytes())?;
        self.to.write_all(&[0])?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let message =
                self.from.recv_timeout(left).map_err(|_| anyhow!("Chromium does not answer {method}"))?;
            if message["id"] == self.asked {
                ensure!(message.get("error").is_none(), "Chromium refuses {method}: {}", message["error"]);
                return Ok(message["result"].clone());
            }
            self.note(&message);
        }
    }

    fn note(&mut self, message: &Value) {
        if message["method"] == "Runtime.bindingCalled"
            && let Some(told) = message["params"]["payload"].as_str()
            && let Ok(told) = serde_json::from_str(told)
        {
            self.told.push_back(told);
        }
    }
}

/// As whom a namespace of processes can be made: who is not root is, in a user namespace.
fn who_may_unshare() -> &'static [&'static str] {
    static WHO: OnceLock<&[&str]> = OnceLock::new();
    WHO.get_or_init(|| {
        let mut tried = Command::new("unshare");
        tried.args(["--fork", "--pid", "--mount-proc", "true"]).stderr(Stdio::null());
        let allowed = tried.status().is_ok_and(|status| status.success());
        if allowed { &[] } else { &["--user", "--map-root-user"] }
    })
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Not JSON: the thread breaks off. Where the pipe is full, it does so when its channel is gone.
        let _ = self.end.write_all(b"!\0");
    }
}

const FLAGS: [&str; 15] = [
    "--headless",
    "--remote-debugging-pipe",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--allow-loopback-in-peer-connection",
    "--autoplay-policy=no-user-gesture-required",
    "--allow-file-access-from-files",
];
