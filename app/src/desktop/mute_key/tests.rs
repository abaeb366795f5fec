//! On an X server of their own (Xvfb), with the hands of xdotool.
#![cfg(unix)]

use super::super::Outlet;
use super::*;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tokio::sync::mpsc;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server that ends with its owner.
struct Server {
    process: Child,
    display: String,
}

impl Server {
    fn start() -> Self {
        let mut process = Command::new("Xvfb")
            .args(["-displayfd", "1", "-noreset", "-nolisten", "tcp"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Xvfb is installed");
        let mut number = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut number).unwrap();
        assert!(!number.trim().is_empty(), "Xvfb did not start");
        Self { process, display: format!(":{}", number.trim()) }
    }

    fn keys(&self) -> Keys {
        let (sender, reports) = mpsc::channel(64);
        let outlet = Outlet { reports: sender, wake: Arc::new(|| {}) };
        let source = KeySource::X11(Some(self.display.clone()));
        let mut keys = Keys { keys: MuteKeys::new(source, &outlet), reports };
        assert_eq!(keys.next(), Report::MuteKey(Ok(MuteKey::Free)));
        keys
    }

    fn hands(&self, words: &[&str]) {
        let hands = Command::new("xdotool").env("DISPLAY", &self.display).args(words).status();
        assert!(hands.expect("xdotool is installed").success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

struct Keys {
    keys: MuteKeys,
    reports: mpsc::Receiver<Report>,
}

impl Keys {
    fn next(&mut self) -> Report {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let next = runtime.block_on(async { tokio::time::timeout(PATIENCE, self.reports.recv()).await });
        next.expect("a report comes").expect("somebody reports")
    }

    fn want(&mut self, wish: MuteKeyWish) -> Report {
        self.keys.follow(wish);
        self.next()
    }
}

const HELD: Report = Report::MuteKey(Ok(MuteKey::Held));
const FREE: Report = Report::MuteKey(Ok(MuteKey::Free));
const TAKEN: Report = Report::MuteKey(Err(MuteKeyError::Taken));

#[test]
fn it_is_heard_whatever_is_locked_and_only_while_it_is_wanted() {
    let server = Server::start();
    let mut keys = server.keys();
    server.hands(&["key", "ctrl+shift+m"]);
    assert_eq!(keys.want(MuteKeyWish::Held), HELD);
    for lock in ["Num_Lock", "Caps_Lock", "Num_Lock"] {
        server.hands(&["key", "ctrl+shift+m"]);
        assert_eq!(keys.next(), Report::MuteKeyPressed, "before {lock}");
        server.hands(&["key", "ctrl+m", "shift+m", "m", lock]);
    }
    assert_eq!(keys.want(MuteKeyWish::Free), FREE, "nothing else was reported");
    server.hands(&["key", "ctrl+shift+m"]);
    assert_eq!(keys.want(MuteKeyWish::Held), HELD);
}

#[test]
fn a_key_that_is_held_down_counts_once() {
    let server = Server::start();
    let mut keys = server.keys();
    assert_eq!(keys.want(MuteKeyWish::Held), HELD);
    server.hands(&["keydown", "ctrl", "keydown", "shift", "keydown", "m", "sleep", "2", "keyup", "m"]);
    assert_eq!(keys.next(), Report::MuteKeyPressed);
    assert_eq!(keys.want(MuteKeyWish::Free), FREE, "its repeats are none");
}

#[test]
fn a_key_that_another_program_has_is_told_of_and_had_once_that_is_gone() {
    let server = Server::start();
    let (mut one, mut other) = (server.keys(), server.keys());
    assert_eq!(one.want(MuteKeyWish::Held), HELD);
    assert_eq!(other.want(MuteKeyWish::Held), TAKEN);
    assert_eq!(other.want(MuteKeyWish::Free), FREE);
    assert_eq!(one.want(MuteKeyWish::Free), FREE);
    assert_eq!(other.want(MuteKeyWish::Held), HELD);
    drop(other);
    assert_eq!(one.want(MuteKeyWish::Held), HELD, "it goes with its owner");
}

#[test]
fn another_layout_has_it_elsewhere() {
    let server = Server::start();
    let mut keys = server.keys();
    assert_eq!(keys.want(MuteKeyWish::Held), HELD);
    // The key beside it gives an M as well now; 57 and 58 are N and M of a usual keyboard.
    let x = X::open(Some(&server.display)).unwrap();
    let symbols = [u32::from(b'm'), u32::from(b'M')];
    x.connection.change_keyboard_mapping(1, 57, 2, &symbols).unwrap().check().unwrap();
    // The thread hears of it after us.
    loop {
        server
            .hands(&["keydown", "ctrl", "keydown", "shift", "key", "57", "keyup", "shift", "keyup", "ctrl"]);
        if keys.reports.try_recv() == Ok(Report::MuteKeyPressed) {
            break;
        }
    }
}

#[test]
fn a_server_that_goes_away_is_told_of() {
    let server = Server::start();
    let mut keys = server.keys();
    assert_eq!(keys.want(MuteKeyWish::Held), HELD);
    drop(server);
    assert!(matches!(keys.next(), Report::MuteKey(Err(MuteKeyError::Server { .. }))));
    assert_eq!(keys.want(MuteKeyWish::Free), FREE);
    assert!(matches!(keys.want(MuteKeyWish::Held), Report::MuteKey(Err(MuteKeyError::Server { .. }))));
}

#[test]
fn where_no_program_hears_keys_of_other_windows_nothing_is_reported() {
    let (sender, mut reports) = mpsc::channel(64);
    let outlet = Outlet { reports: sender, wake: Arc::new(|| {}) };
    MuteKeys::new(KeySource::None, &outlet).follow(MuteKeyWish::Held);
    drop(outlet);
    assert!(reports.blocking_recv().is_none());
}
