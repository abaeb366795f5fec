//! Everything the window says, in the language the person speaks: sentence case, plain words, what happened and what to
//! do next.
//!
//! ```text
//!   assets/locales/LANGUAGE/silbo.ftl ──▶ catalogue ──▶ messages ──▶ views
//!   settings, system ──▶ locale ──▶ the language spoken ─┘  └──▶ told: reasons, points in time, … of the engine
//! ```
//! A message is declared once, in [`messages`], which makes it the function that says it; what it says is in the
//! catalogues, under GROUP-NAME (Project Fluent). Views call these functions anew in each frame, so that another
//! language counts at once. Labels double as the names screen readers and tests know the controls by, so each is unique
//! on its screen.

#[macro_use]
mod macros;
mod catalogue;
mod locale;
mod messages;
mod pseudo;
#[cfg(test)]
mod tests;

pub(super) mod call;
pub(super) mod receipt;
pub(super) mod told;

pub use locale::Locale;

pub(super) use locale::speak;
pub(super) use messages::{
    about, add, announce, call_words, camera, chooser, contact, desktop, first_run, forget, gate, history,
    invite, keeping, key_change, nat, network, nickname, notice, quit, request, returning, ringtone, scan,
    settings, sharing, side, sure, trend,
};

use crate::engine::command::Sharing;
use crate::engine::view::{CallPhase, CallView, HistoryOutcome, Sentence};
use media::session::Camera;
use messages::{lasted, title};
use std::time::Duration;

/// The name of the application.
pub(super) const APP: &str = "Silbo";

/// Most characters a text field takes; what is typed beyond is dropped. A username has at most 32.
pub(super) const LONGEST_INPUT: usize = 64;

/// The same for the field that searches, which takes invites too.
pub(super) const LONGEST_SEARCH: usize = 4096;

/// What this computer does for others.
pub(super) mod help {
    pub(in crate::ui) use super::messages::help::*;

    use super::tenths;
    use crate::engine::view::{Helped, Totals};

    /// Whom it helps.
    pub(in crate::ui) fn figures(figures: &Helped) -> String {
        helped(figures.leaves, tenths(figures.relayed as f64 / 1e6))
    }

    /// What it passes on now.
    pub(in crate::ui) fn flow(connections: u64, kbps: u64) -> String {
        now(usize::try_from(connections).unwrap_or(usize::MAX), tenths(kbps as f64 / 1e3))
    }

    /// What it passed on in the last 30 days.
    pub(in crate::ui) fn totals(totals: &Totals) -> String {
        let connections = usize::try_from(totals.connections).unwrap_or(usize::MAX);
        month(connections, tenths(totals.bytes as f64 / 1e6))
    }

    /// A full hour, as on the clock of a computer.
    pub(in crate::ui) fn hour(hour: u8) -> String {
        format!("{hour:02}:00")
    }

    /// So many kbit/s.
    pub(in crate::ui) fn rate(kbps: u32) -> String {
        mbits(tenths(f64::from(kbps) / 1000.0))
    }
}

/// The helpers this computer knows.
pub(super) mod ring {
    pub(in crate::ui) use super::messages::ring::*;

    use super::tenths;
    use std::time::Duration;

    /// How long a packet takes there and back: to a tenth where that is much of it.
    pub(in crate::ui) fn round_trip(took: Duration) -> String {
        let exact = took.as_secs_f64() * 1000.0;
        milliseconds(if exact < 10.0 { tenths(exact) } else { exact.round() })
    }
}

/// Declining with a few words.
pub(super) mod reply {
    pub(in crate::ui) use super::messages::reply::*;

    /// Those that are ready.
    pub(in crate::ui) fn ready() -> [&'static str; 3] {
        [later(), not_now(), ten_minutes()]
    }
}

/// Both sentences in one text.
pub(super) fn whole(sentence: &Sentence) -> String {
    format!("{} {}", sentence.message, sentence.next_step)
}

/// How many computers of the network keep our name.
pub(super) fn held(held_by: usize, of: usize) -> String {
    match of {
        1 => first_run::held_by_one().to_owned(),
        _ => first_run::held(held_by, of),
    }
}

/// What came of a past call.
pub(super) fn outcome(outcome: HistoryOutcome) -> &'static str {
    match outcome {
        HistoryOutcome::Received => history::received(),
        HistoryOutcome::Missed => history::missed(),
        HistoryOutcome::Refused | HistoryOutcome::Declined => history::declined(),
        HistoryOutcome::Placed => history::placed(),
        HistoryOutcome::Cancelled => history::cancelled(),
        HistoryOutcome::Busy => history::busy(),
        HistoryOutcome::NoAnswer => history::no_answer(),
        HistoryOutcome::NotOnline => history::not_online(),
        HistoryOutcome::Unanswered => history::unanswered(),
    }
}

/// One among others of the same name, which are counted from 1.
pub(super) fn numbered(name: &str, nth: usize) -> String {
    if nth == 1 { name.to_owned() } else { format!("{name} ({nth})") }
}

/// The title of the window, different for each profile; in a call it tells what others hear and see of us.
pub(super) fn window_title(name: Option<&str>, profile: Option<&str>, call: Option<&CallView>) -> String {
    let title = match (name, profile) {
        (Some(name), _) => format!("{APP} — {name}"),
        (None, Some(profile)) => format!("{APP} — {}", title::profile(profile)),
        (None, None) => APP.to_owned(),
    };
    match call.filter(|call| matches!(call.phase, CallPhase::Active { .. })) {
        Some(call) => format!("{title} — {}", live(call)),
        None => title,
    }
}

/// The title while a camera is open outside a call.
pub(super) fn filmed_title(title: &str) -> String {
    format!("{title} — {}", title::camera())
}

/// The title while so many wait for an answer.
pub(super) fn waiting_title(title: &str, count: usize) -> String {
    if count == 0 { title.to_owned() } else { title::waiting(count, title) }
}

/// What the other side hears and sees of us.
fn live(call: &CallView) -> String {
    let heard = if call.muted { title::muted() } else { title::open() };
    let seen = match (&call.sharing, call.camera) {
        (Sharing::Screen, _) => Some(title::screen()),
        (Sharing::Window(_), _) => Some(title::window()),
        (Sharing::Off, Some(Camera::On)) => Some(title::camera()),
        (Sharing::Off, Some(Camera::Off) | None) => None,
    };
    let seen = seen.map(|seen| format!(", {seen}")).unwrap_or_default();
    format!("{} — {heard}{seen}", title::talk(&call.name))
}

/// `4:07`, or `1:02:45` from an hour on: a running call.
pub(super) fn timer(lasted: Duration) -> String {
    let seconds = lasted.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match hours {
        0 => format!("{minutes}:{seconds:02}"),
        _ => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

/// `4 min 7 s`: a past call.
pub(super) fn lasted(lasted: Duration) -> String {
    let seconds = lasted.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => lasted::seconds(seconds),
        (0, minutes, seconds) => lasted::minutes(minutes, seconds),
        (hours, minutes, _) => lasted::hours(hours, minutes),
    }
}

/// One digit after the point is all that is ever told.
pub(super) fn tenths(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}
