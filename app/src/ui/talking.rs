//! Push to talk: who is muted in a call is heard while they hold Space.
//!
//! ```text
//!   Resting ── Space goes down, muted, and nobody else waits for it ──▶ Held ──▶ Talk::Begin, and then Talk::GoOn
//!      ▲ ▲                                                               │ │     every RENEWED
//!      │ └── muted otherwise meanwhile; the call is over ────────────────┘ │
//!      │                                                                   ▼ Space is up; the window is left;
//!      └──────────── the microphone is closed; the call is over ──────── Closing   Space repeats no more
//!                                                                          └──▶ SetMuted(true), until it is taken
//! ```
//! A press that began here stays here: as long as Space is down, no button is pressed by it. Repeats press no button
//! either: one press of Space does one thing. A focused button is pressed by Enter.

use crate::engine::command::{Command, Talk};
use crate::engine::view::{CallPhase, View};
use egui::{Context, Event, Key, Modifiers};
use std::time::{Duration, Instant};

/// So often the engine is told that Space is still down.
pub(super) const RENEWED: Duration = Duration::from_millis(500);

/// A key that has repeated and does so no more, while no other key took its place, is no longer down: whoever has its
/// release has kept it.
const REPEATS: Duration = Duration::from_secs(2);

/// Who talks with Space.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Talking {
    phase: Phase,
    press: Owner,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Phase {
    /// Nobody.
    #[default]
    Resting,
    /// Somebody holds it.
    Held(Hold),
    /// They have let go.
    Closing(Told),
}

/// A Space that is down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Hold {
    /// When the engine was last told.
    told: Option<Instant>,
    /// When it last repeated; none where it has not, or need not any more.
    repeated: Option<Instant>,
    /// Whether the microphone was seen open since.
    open: bool,
}

/// Whether the engine was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Not,
    Once,
}

/// Whose a press of Space is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Owner {
    /// That of whatever has the keyboard.
    #[default]
    Others,
    /// Ours.
    Us,
}

/// Our microphone in a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Microphone {
    /// There is no call, or nobody is on the other end yet.
    None,
    /// Nobody hears us.
    Muted,
    /// They do.
    Open,
}

/// Who has the keyboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keyboard {
    /// Nobody who waits for Space.
    Free,
    /// A text field, or a card that asks something.
    Taken,
    /// Another window.
    Elsewhere,
}

/// What happened at the keyboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Press {
    /// Space went down.
    Down,
    /// It repeats.
    Again,
    /// It is up.
    Up,
    /// Another key went down, in whose place Space may repeat no more.
    Other,
    /// Another window has the keyboard now, perhaps for a moment.
    Left,
}

/// One look at a call and the keyboard.
#[derive(Debug, Clone, Copy)]
struct Look {
    now: Instant,
    microphone: Microphone,
    keyboard: Keyboard,
}

impl Microphone {
    /// That of the call that is on.
    pub(super) fn of(view: &View) -> Self {
        match view.call.as_ref().filter(|call| matches!(call.phase, CallPhase::Active { .. })) {
            None => Self::None,
            Some(call) if call.muted => Self::Muted,
            Some(_) => Self::Open,
        }
    }
}

impl Talking {
    /// One frame: takes the presses of Space that are ours before anything else sees them. In a window that is not drawn
    /// there are none.
    pub(super) fn look(&mut self, ctx: &Context, now: Instant, microphone: Microphone, keyboard: Keyboard) {
        let look = Look { now, microphone, keyboard };
        ctx.input_mut(|input| {
            input.events.retain(|event| {
                let Some(press) = Press::of(event) else {
                    return self.press == Owner::Others || !matches!(event, Event::Text(text) if text == " ");
                };
                self.press(press, look);
                !self.takes(press, look)
            });
        });
        self.settle(look);
    }

    /// What the engine has to be told.
    pub(super) fn wish(&self, now: Instant) -> Option<Command> {
        match self.phase {
            Phase::Held(Hold { told: None, .. }) => Some(Command::Talk(Talk::Begin)),
            Phase::Held(Hold { told: Some(told), .. }) => {
                (now.saturating_duration_since(told) >= RENEWED).then_some(Command::Talk(Talk::GoOn))
            }
            Phase::Closing(Told::Not) => Some(Command::SetMuted(true)),
            Phase::Closing(Told::Once) | Phase::Resting => None,
        }
    }

    /// It was told.
    pub(super) const fn told(&mut self, now: Instant) {
        match &mut self.phase {
            Phase::Held(hold) => hold.told = Some(now),
            Phase::Closing(told) => *told = Told::Once,
            Phase::Resting => {}
        }
    }

    /// Whether somebody is heard because they hold Space.
    pub(super) const fn is_heard(&self) -> bool {
        matches!(self.phase, Phase::Held(Hold { open: true, .. }))
    }

    fn press(&mut self, press: Press, look: Look) {
        match (press, &mut self.phase) {
            (Press::Down, Phase::Resting | Phase::Closing(_)) => {
                let muted = look.microphone == Microphone::Muted || self.phase != Phase::Resting;
                if muted && look.keyboard == Keyboard::Free {
                    self.press = Owner::Us;
                    self.phase = Phase::Held(Hold { told: None, repeated: None, open: false });
                }
            }
            (Press::Again, Phase::Held(hold)) => hold.repeated = Some(look.now),
            (Press::Other, Phase::Held(hold)) => hold.repeated = None,
            (Press::Up | Press::Left, _) => {
                self.press = Owner::Others;
                self.let_go();
            }
            (Press::Down | Press::Again | Press::Other, _) => {}
        }
    }

    /// What is so whatever was pressed.
    fn settle(&mut self, look: Look) {
        if look.keyboard == Keyboard::Elsewhere {
            self.press = Owner::Others;
            self.let_go();
        }
        match (&mut self.phase, look.microphone) {
            (phase, Microphone::None) => *phase = Phase::Resting,
            (Phase::Held(hold), Microphone::Open) => hold.open = true,
            (phase @ Phase::Held(Hold { open: true, .. }), Microphone::Muted)
            | (phase @ Phase::Closing(Told::Once), Microphone::Muted) => *phase = Phase::Resting,
            (Phase::Held(_) | Phase::Closing(_) | Phase::Resting, _) => {}
        }
        if let Phase::Held(Hold { repeated: Some(repeated), .. }) = self.phase
            && look.now.saturating_duration_since(repeated) >= REPEATS
        {
            self.let_go();
        }
    }

    /// A microphone that was never opened needs not be closed.
    const fn let_go(&mut self) {
        match self.phase {
            Phase::Held(Hold { told: Some(_), .. }) => self.phase = Phase::Closing(Told::Not),
            Phase::Held(Hold { told: None, .. }) => self.phase = Phase::Resting,
            Phase::Closing(_) | Phase::Resting => {}
        }
    }

    /// Whether nothing else shall see it.
    fn takes(&self, press: Press, look: Look) -> bool {
        match press {
            Press::Down => self.press == Owner::Us,
            Press::Again => {
                let in_call = look.microphone != Microphone::None && look.keyboard != Keyboard::Taken;
                in_call || self.press == Owner::Us
            }
            Press::Up | Press::Other | Press::Left => false,
        }
    }
}

impl Press {
    const fn of(event: &Event) -> Option<Self> {
        match event {
            Event::Key { key: Key::Space, pressed: true, repeat: true, .. } => Some(Self::Again),
            Event::Key { key: Key::Space, pressed: false, .. } => Some(Self::Up),
            Event::Key { key: Key::Space, pressed: true, modifiers: Modifiers::NONE, .. } => Some(Self::Down),
            Event::Key { pressed: true, .. } => Some(Self::Other),
            Event::WindowFocused(false) => Some(Self::Left),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
