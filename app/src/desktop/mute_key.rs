//! The key that mutes from any window. On X11 a program may ask for a chord wherever the keyboard is; elsewhere none may.
//!
//! ```text
//!   free ──wanted──▶ held, with a thread that reads its presses ──wanted no more──▶ free
//!     └──somebody else has it──▶ refused, until it is wanted anew
//! ```

use super::{Outlet, Report};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::thread;
use x11rb::connection::Connection as _;
use x11rb::errors::ReplyError;
use x11rb::protocol::xproto::{
    ClientMessageEvent, ConnectionExt as _, CreateWindowAux, EventMask, Grab, GrabMode, Keycode, Mapping,
    ModMask, Window, WindowClass,
};
use x11rb::protocol::{ErrorKind, Event};
use x11rb::rust_connection::RustConnection;

/// The chord, as people write it.
pub const MUTE_KEYS: &str = "Ctrl+Shift+M";

/// Where keys of other windows are heard.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum KeySource {
    /// Nowhere.
    #[default]
    None,
    /// On this X11 display; where none is named, on that of the environment.
    X11(Option<String>),
}

/// Whether the key that mutes from any window shall be ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MuteKeyWish {
    /// Other programs may have it.
    #[default]
    Free,
    /// It shall.
    Held,
}

/// Whether the key that mutes from any window is ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MuteKey {
    /// This system lets no program have one.
    #[default]
    Impossible,
    /// It is not.
    Free,
    /// It is.
    Held,
}

/// Why it is not, although it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MuteKeyError {
    /// Another program has it.
    #[error("another program has taken {MUTE_KEYS}")]
    Taken,
    /// No key of the keyboard has this letter.
    #[error("no key gives an M")]
    NoKey,
    /// The X server cannot be reached, or is gone.
    #[error("the X server: {why}")]
    Server {
        /// In the words of the system.
        why: String,
    },
}

/// Asks for the key, and gives it back.
pub(super) struct MuteKeys {
    source: KeySource,
    wish: MuteKeyWish,
    held: Option<Held>,
    outlet: Outlet,
}

impl MuteKeys {
    pub(super) fn new(source: KeySource, outlet: &Outlet) -> Self {
        if matches!(source, KeySource::X11(_)) {
            outlet.report(Report::MuteKey(Ok(MuteKey::Free)));
        }
        Self { source, wish: MuteKeyWish::Free, held: None, outlet: outlet.clone() }
    }

    /// Has it from now on, or no longer.
    pub(super) fn follow(&mut self, wish: MuteKeyWish) {
        let KeySource::X11(display) = &self.source else { return };
        if wish == self.wish {
            return;
        }
        self.wish = wish;
        self.held = None;
        let came = match wish {
            MuteKeyWish::Free => Ok(MuteKey::Free),
            MuteKeyWish::Held => Held::begin(display.as_deref(), &self.outlet).map(|held| {
                self.held = Some(held);
                MuteKey::Held
            }),
        };
        self.outlet.report(Report::MuteKey(came));
    }
}

/// A key that is ours, and a thread that reads its presses; both end with it.
struct Held {
    x: Arc<X>,
}

impl Held {
    fn begin(display: Option<&str>, outlet: &Outlet) -> Result<Self, MuteKeyError> {
        let x = Arc::new(X::open(display)?);
        x.grab()?;
        let (reads, outlet) = (Arc::clone(&x), outlet.clone());
        thread::Builder::new()
            .name("mute key".to_owned())
            .spawn(move || {
                if let Err(error) = reads.listen(&outlet) {
                    outlet.report(Report::MuteKey(Err(error)));
                }
            })
            .map_err(MuteKeyError::server)?;
        Ok(Self { x })
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Err(error) = self.x.leave() {
            tracing::debug!(%error, "the key that mutes went with its X server");
        }
    }
}

/// Our place at an X server.
struct X {
    connection: RustConnection,
    root: Window,
    /// Never seen: what is said to it is said to the thread.
    own: Window,
}

impl X {
    fn open(display: Option<&str>) -> Result<Self, MuteKeyError> {
        let (connection, number) = x11rb::connect(display).map_err(MuteKeyError::server)?;
        let screen = connection.setup().roots.get(number);
        let root = screen.ok_or_else(|| MuteKeyError::server("no screen"))?.root;
        let own = connection.generate_id().map_err(MuteKeyError::server)?;
        let (class, aux) = (WindowClass::INPUT_ONLY, CreateWindowAux::new());
        let made =
            connection.create_window(0, own, root, 0, 0, 1, 1, 0, class, x11rb::COPY_FROM_PARENT, &aux);
        made.map_err(MuteKeyError::server)?.check()?;
        Ok(Self { connection, root, own })
    }

    /// Makes the chord ours wherever it is on the keyboard, and whatever is locked there.
    fn grab(&self) -> Result<(), MuteKeyError> {
        let keys = self.keys()?;
        if keys.is_empty() {
            return Err(MuteKeyError::NoKey);
        }
        let numbers = self.numbers_lock()?;
        let locks =
            BTreeSet::from([0, u16::from(ModMask::LOCK), numbers, u16::from(ModMask::LOCK) | numbers]);
        let (chord, mode) = (u16::from(ModMask::CONTROL | ModMask::SHIFT), GrabMode::ASYNC);
        for key in keys {
            for lock in &locks {
                let modifiers = ModMask::from(chord | lock);
                let asked = self.connection.grab_key(false, self.root, modifiers, key, mode, mode);
                asked.map_err(MuteKeyError::server)?.check()?;
            }
        }
        Ok(())
    }

    fn release(&self) -> Result<(), MuteKeyError> {
        let asked = self.connection.ungrab_key(Grab::ANY, self.root, ModMask::ANY);
        // What comes back says that it is done: another one may have the key now.
        Ok(asked.map_err(MuteKeyError::server)?.check()?)
    }

    /// The keys that give an M, in whatever layout.
    fn keys(&self) -> Result<Vec<Keycode>, MuteKeyError> {
        self.keys_of(&[b'm'.into(), b'M'.into()])
    }

    fn keys_of(&self, symbols: &[u32]) -> Result<Vec<Keycode>, MuteKeyError> {
        let setup = self.connection.setup();
        let (first, last) = (setup.min_keycode, setup.max_keycode);
        let asked = self.connection.get_keyboard_mapping(first, last - first + 1);
        let mapping = asked.map_err(MuteKeyError::server)?.reply()?;
        let each = usize::from(mapping.keysyms_per_keycode).max(1);
        let keys = (first..=last).zip(mapping.keysyms.chunks(each));
        Ok(keys
            .filter(|(_, gives)| symbols.iter().any(|it| gives.contains(it)))
            .map(|(key, _)| key)
            .collect())
    }

    /// The modifier that is on while digits are locked; it is another one on each server.
    fn numbers_lock(&self) -> Result<u16, MuteKeyError> {
        let keys = self.keys_of(&[NUM_LOCK])?;
        let asked = self.connection.get_modifier_mapping();
        let mapping = asked.map_err(MuteKeyError::server)?.reply()?;
        let each = usize::from(mapping.keycodes_per_modifier()).max(1);
        let place = mapping.keycodes.chunks(each).position(|of| of.iter().any(|key| keys.contains(key)));
        Ok(place.map_or(0, |place| 1 << place))
    }

    /// Reads presses until it is over.
    fn listen(&self, outlet: &Outlet) -> Result<(), MuteKeyError> {
        let mut chord = Chord::default();
        loop {
            match self.connection.wait_for_event().map_err(MuteKeyError::server)? {
                Event::KeyPress(press) if chord.is_pressed(press.time) => {
                    outlet.report(Report::MuteKeyPressed)
                }
                Event::KeyRelease(release) => chord.released(release.time),
                // Another keyboard, or another layout.
                Event::MappingNotify(other) if other.request != Mapping::POINTER => {
                    self.release()?;
                    self.grab()?;
                }
                Event::ClientMessage(message) if message.window == self.own => return Ok(()),
                _ => {}
            }
        }
    }

    /// Gives the key back, and tells the thread.
    fn leave(&self) -> Result<(), MuteKeyError> {
        let message = ClientMessageEvent::new(32, self.own, x11rb::NONE, [0; 5]);
        let told = self.connection.send_event(false, self.own, EventMask::NO_EVENT, message);
        let released = self.release();
        told.map_err(MuteKeyError::server)?;
        released
    }
}

/// The keysym of the key that locks digits.
const NUM_LOCK: u32 = 0xff7f;

/// Tells a press from a repeat: for the server, a key that repeats goes up and down in the same moment.
#[derive(Debug, Default)]
struct Chord {
    /// When it last went up, in milliseconds of the server.
    up: Option<u32>,
}

impl Chord {
    fn is_pressed(&self, time: u32) -> bool {
        self.up.is_none_or(|up| time.wrapping_sub(up) > 1)
    }

    const fn released(&mut self, time: u32) {
        self.up = Some(time);
    }
}

impl MuteKeyError {
    fn server(why: impl ToString) -> Self {
        Self::Server { why: why.to_string() }
    }
}

impl From<ReplyError> for MuteKeyError {
    fn from(error: ReplyError) -> Self {
        match error {
            ReplyError::X11Error(error) if error.error_kind == ErrorKind::Access => Self::Taken,
            ReplyError::X11Error(error) => Self::Server { why: format!("{:?}", error.error_kind) },
            ReplyError::ConnectionError(error) => Self::server(error),
        }
    }
}

#[cfg(test)]
mod tests;
