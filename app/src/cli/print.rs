//! Events on standard output: JSON lines for programs, sentences for people.

use crate::{
    engine::event::{DESCRIPTIONS, Event, EventBody},
    reason::Reason,
};
use std::{
    io::{self, Write},
    time::{Duration, Instant},
};

/// How events are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// One object a line.
    Json,
    /// One sentence a line.
    Text,
}

/// A line, and where it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Printed {
    /// Standard output.
    Out(String),
    /// Standard error.
    Err(String),
}

/// Prints events, counting time from its making.
#[derive(Debug, Clone, Copy)]
pub(super) struct Printer {
    format: Format,
    start: Instant,
}

impl Printer {
    pub(super) fn new(format: Format) -> Self {
        Self { format, start: relay::driver::now().instant }
    }

    /// A printer that began earlier, for another process.
    pub(super) fn began(format: Format, earlier: Duration) -> Self {
        let now = relay::driver::now().instant;
        Self { format, start: now.checked_sub(earlier).unwrap_or(now) }
    }

    /// How long ago it was made.
    pub(super) fn age(&self) -> Duration {
        self.start.elapsed()
    }

    /// Prints one event.
    pub(super) fn event(&self, event: &Event) {
        match self.render(event) {
            Some(Printed::Out(text)) => line(&text),
            Some(Printed::Err(text)) => complaint(&text),
            None => {}
        }
    }

    /// What is printed of an event, and where.
    pub(super) fn render(&self, event: &Event) -> Option<Printed> {
        match (self.format, &event.body) {
            (Format::Json, _) => Some(Printed::Out(event.to_json(self.age()).to_string())),
            (Format::Text, EventBody::Error(reason) | EventBody::Refused(reason)) => {
                Some(Printed::Err(format!("silbo: {reason}")))
            }
            (Format::Text, _) => event.to_line().map(Printed::Out),
        }
    }

    /// Prints something that happened outside of the engine.
    pub(super) fn body(&self, body: EventBody) {
        self.event(&Event { at: relay::driver::now().unix, call: None, body });
    }

    /// Prints why a command failed.
    pub(super) fn error(&self, reason: &Reason) {
        self.body(EventBody::Error(reason.clone()));
    }
}

/// One line on standard output. A reader that went away is no error: the command goes on.
pub(super) fn line(text: &str) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

/// Every event, code and reason.
pub(super) fn events_help() -> String {
    let mut text = String::from(
        "Every line of --json is an object with t_ms (since the start), unix_ms, event, and call where there is one.\n\n\
         Events\n",
    );
    for (name, fields) in DESCRIPTIONS {
        text.push_str(&format!("  {name:<14} {fields}\n"));
    }
    text.push_str(
        "\nCodes of `error` and reasons of `ended`, with the exit status of a command that ends so\n",
    );
    for reason in Reason::every() {
        let sentence = reason.sentence();
        text.push_str(&format!("  {:<18} {}  {}\n", reason.code(), reason.exit_status(), sentence.message));
    }
    text
}

/// One line on standard error.
pub(super) fn complaint(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}
