//! A screen of its own for real windows: Xvfb with a window manager, driven by keyboard and mouse through xdotool.

use crate::process::{EndsWithUs, Place, poll, run};
use anyhow::{Context as _, Result, ensure};
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A running screen; it dies with its owner.
#[derive(Debug)]
pub struct Desktop {
    display: String,
    /// As ImageMagick takes it.
    size: String,
    // Fields drop in this order: the window manager before the screen.
    _manager: Ends,
    _screen: Ends,
}

impl Desktop {
    /// Starts a screen of `width` x `height` on a display number that is free.
    pub fn start(width: u32, height: u32, folder: &Path) -> Result<Self> {
        // `-displayfd 1` lets the server pick the number itself and say it: no race with other screens.
        let mut screen = Place::Here
            .command("Xvfb")
            .args(["-displayfd", "1", "-noreset", "-nolisten", "tcp", "-screen", "0"])
            .arg(format!("{width}x{height}x24"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(folder.join("xvfb.log"))?)
            .spawn()
            .context("cannot start Xvfb")?;
        let stdout = screen.stdout.take();
        let screen = Ends(screen);
        let mut number = String::new();
        BufReader::new(stdout.context("Xvfb has no stdout")?).read_line(&mut number)?;
        ensure!(!number.trim().is_empty(), "Xvfb did not start; see {}/xvfb.log", folder.display());
        let display = format!(":{}", number.trim());
        let manager = Place::Here
            .command("openbox")
            .args(["--sm-disable"])
            .env("DISPLAY", &display)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(folder.join("openbox.log"))?)
            .spawn()
            .context("cannot start openbox")?;
        let size = format!("{width}x{height}");
        let desktop = Self { display, size, _manager: Ends(manager), _screen: screen };
        poll("window manager", Duration::from_secs(10), || {
            let root = run(desktop.on_screen("xprop").args(["-root", "_NET_SUPPORTING_WM_CHECK"]))?;
            Ok(root.contains("window id").then_some(()))
        })?;
        Ok(desktop)
    }

    /// What `DISPLAY` calls it.
    pub fn name(&self) -> &str {
        &self.display
    }

    /// Points a command at this screen and at no other; it speaks English, whatever this machine speaks.
    pub fn here(&self, mut command: Command) -> Command {
        command.env("DISPLAY", &self.display).env_remove("WAYLAND_DISPLAY").env_remove("WAYLAND_SOCKET");
        command.env("LC_ALL", "C").env_remove("LANGUAGE");
        command
    }

    /// Waits for the first visible window of a process.
    pub fn window_of(&self, process: u32, patience: Duration) -> Result<Window<'_>> {
        let id = poll("window", patience, || self.first_window(process))?;
        Ok(Window { desktop: self, id })
    }

    /// Gives the whole screen one colour, as ImageMagick names it.
    pub fn paint(&self, colour: &str) -> Result<()> {
        // It ends with 1 although it has painted.
        let mut painter = self.on_screen("display");
        painter.args(["-window", "root", "-size", &self.size, &format!("xc:{colour}")]);
        painter.output().context("cannot run display")?;
        Ok(())
    }

    /// Opens a window of one colour; `place` is its size and corner, as in `640x360+50+50`. It closes with what is returned.
    pub fn open(&self, title: &str, colour: &str, place: &str) -> Result<EndsWithUs> {
        let size = place.split('+').next().unwrap_or_default();
        let mut painter = self.on_screen("display");
        painter.args(["-title", title, "-geometry", place, "-size", size, &format!("xc:{colour}")]);
        let opened = EndsWithUs(painter.stdout(Stdio::null()).spawn().context("cannot run display")?);
        self.wait_for(title)?;
        Ok(opened)
    }

    fn wait_for(&self, title: &str) -> Result<()> {
        poll("window", Duration::from_secs(20), || {
            let mut search = self.on_screen("xdotool");
            let found = search.args(["search", "--onlyvisible", "--name", title]).output();
            Ok((!found.context("cannot run xdotool")?.stdout.is_empty()).then_some(()))
        })
    }

    /// Saves a picture of the whole screen.
    pub fn photograph(&self, file: &Path) -> Result<()> {
        run(self.on_screen("import").args(["-window", "root"]).arg(file)).map(drop)
    }

    fn first_window(&self, process: u32) -> Result<Option<String>> {
        let mut search = self.on_screen("xdotool");
        search.args(["search", "--all", "--onlyvisible", "--pid", &process.to_string(), "--name", "."]);
        // No match is exit status 1 and no output.
        let output = search.output().context("cannot run xdotool")?;
        Ok(String::from_utf8_lossy(&output.stdout).lines().next().map(str::to_owned))
    }

    fn on_screen(&self, program: &str) -> Command {
        let mut command = Place::Here.command(program);
        command.env("DISPLAY", &self.display);
        command
    }
}

/// Equal pictures in a row that mean rest; one takes about a tenth of a second.
const SAME: usize = 4;

/// One window of a [`Desktop`].
#[derive(Debug)]
pub struct Window<'a> {
    desktop: &'a Desktop,
    id: String,
}

impl Window<'_> {
    /// Moves and sizes it, in pixels.
    pub fn place(&self, x: u32, y: u32, width: u32, height: u32) -> Result<()> {
        self.tool(&["windowsize", &self.id, &width.to_string(), &height.to_string()])?;
        self.tool(&["windowmove", &self.id, &x.to_string(), &y.to_string()])
    }

    /// Gives it the keyboard.
    pub fn focus(&self) -> Result<()> {
        // Not xdotool's own --sync, which waits for ever when there is nothing to change; and again and again, for a
        // window that opens late takes the keyboard for itself.
        poll("keyboard focus", Duration::from_secs(20), || {
            self.tool(&["windowactivate", &self.id])?;
            let mut active = self.desktop.on_screen("xdotool");
            let output = active.arg("getactivewindow").output().context("cannot run xdotool")?;
            Ok((String::from_utf8_lossy(&output.stdout).trim() == self.id).then_some(()))
        })
    }

    /// Types text as a keyboard would.
    pub fn type_text(&self, text: &str) -> Result<()> {
        self.focus()?;
        self.tool(&["type", "--delay", "30", text])
    }

    /// Presses one key or chord, in xdotool's words (`Return`, `Tab`, `ctrl+m`).
    pub fn press(&self, key: &str) -> Result<()> {
        self.focus()?;
        self.tool(&["key", "--delay", "30", key])
    }

    /// Holds a key down, or lets go of it.
    pub fn hold(&self, key: &str, hold: Hold) -> Result<()> {
        let how = match hold {
            Hold::Down => "keydown",
            Hold::Up => "keyup",
        };
        self.tool(&[how, key])
    }

    /// Clicks at a point of the window.
    pub fn click(&self, x: u32, y: u32) -> Result<()> {
        self.focus()?;
        self.tool(&[
            "mousemove",
            "--sync",
            "--window",
            &self.id,
            &x.to_string(),
            &y.to_string(),
            "click",
            "1",
        ])
    }

    /// Waits until it shows more than one colour: until something is drawn.
    pub fn wait_until_drawn(&self) -> Result<()> {
        poll("first frame", Duration::from_secs(20), || {
            let mut shot = self.desktop.on_screen("import");
            let colours = run(shot.args(["-window", &self.id, "-format", "%k", "info:-"]))?;
            Ok((colours.trim() != "1").then_some(()))
        })
    }

    /// Waits until it has drawn what it had to draw: until it looks the same four times running.
    pub fn settle(&self) -> Result<()> {
        let mut shots: Vec<String> = Vec::new();
        poll("window at rest", Duration::from_secs(20), || {
            shots.push(self.fingerprint(None)?);
            let last = &shots[shots.len().saturating_sub(SAME)..];
            Ok((last.len() == SAME && last.iter().all(|shot| shot == &last[0])).then_some(()))
        })
    }

    /// A fingerprint of its pixels, or of those inside one area (ImageMagick's `WIDTHxHEIGHT+X+Y`).
    pub fn fingerprint(&self, area: Option<&str>) -> Result<String> {
        let mut shot = self.desktop.on_screen("import");
        shot.args(["-window", &self.id]);
        if let Some(area) = area {
            shot.args(["-crop", area]);
        }
        run(shot.args(["-format", "%#", "info:-"]))
    }

    /// Saves a picture of it.
    pub fn photograph(&self, file: &Path) -> Result<()> {
        run(self.desktop.on_screen("import").args(["-window", &self.id]).arg(file)).map(drop)
    }

    /// What it shows: red, green and blue of each pixel, row by row.
    pub fn pixels(&self) -> Result<Vec<[u8; 3]>> {
        let mut shot = self.desktop.on_screen("import");
        let output = shot.args(["-window", &self.id, "-depth", "8", "rgb:-"]).output()?;
        ensure!(output.status.success(), "import: {}", String::from_utf8_lossy(&output.stderr).trim());
        Ok(output.stdout.as_chunks::<3>().0.to_vec())
    }

    /// Its title.
    pub fn title(&self) -> Result<String> {
        run(self.desktop.on_screen("xdotool").args(["getwindowname", &self.id]))
    }

    fn tool(&self, arguments: &[&str]) -> Result<()> {
        run(self.desktop.on_screen("xdotool").args(arguments)).map(drop)
    }
}

/// What becomes of a key that is not only pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// It goes down, and stays there.
    Down,
    /// It is let go of.
    Up,
}

/// A process that ends with its owner.
#[derive(Debug)]
struct Ends(Child);

impl Drop for Ends {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
