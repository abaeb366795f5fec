//! What is logged to standard error, and how much of it.

use crate::reason::Reason;
use std::fmt;
use std::io::{self, IsTerminal};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt as lines};

/// What a bare level is about; the libraries below only say what is an error.
const OURS: [&str; 5] = ["app", "silbo", "media", "overlay", "relay"];

/// Logs from now on, in colours on a terminal only.
pub(super) fn to_stderr(wish: &str) -> Result<(), Reason> {
    let filter = EnvFilter::try_new(directives(wish))
        .map_err(|error| Reason::Usage(format!("\"{wish}\" is not a log level: {error}.")))?;
    let ordinary = wish.parse::<LevelFilter>().is_ok().then_some(WithoutOrdinary);
    let lines = lines::layer().with_ansi(io::stderr().is_terminal()).with_writer(io::stderr);
    // A second subscriber is only ever set in tests; the first one stays.
    let _ = tracing_subscriber::registry().with(filter).with(ordinary).with(lines).try_init();
    Ok(())
}

/// What libraries call an error though it happens whenever all goes well: whose it is, and how it is put. The client of
/// PulseAudio says so of each connection that is closed; of one that breaks its owner is told otherwise.
const ORDINARY: [(&str, &str); 1] = [("pulseaudio::client::reactor", "Reactor error: Client disconnected")];

/// From where all comes that libraries tell `log`.
const BRIDGE: &str = "log";

/// Leaves out what is ordinary.
struct WithoutOrdinary;

impl<S: Subscriber> Layer<S> for WithoutOrdinary {
    fn event_enabled(&self, event: &Event<'_>, _context: Context<'_, S>) -> bool {
        if event.metadata().target() != BRIDGE {
            return true;
        }
        let mut said = Said::default();
        event.record(&mut said);
        !ORDINARY.contains(&(said.target.as_str(), said.message.as_str()))
    }
}

/// What a library tells `log`.
#[derive(Default)]
struct Said {
    target: String,
    message: String,
}

impl Visit for Said {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "log.target" {
            value.clone_into(&mut self.target);
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.message = format!("{value:?}");
        }
    }
}

/// A bare level means Silbo itself: what a library warns of is none of the person's business. A filter means what it
/// says.
fn directives(wish: &str) -> String {
    let Ok(level) = wish.parse::<LevelFilter>() else { return wish.to_owned() };
    let ours: Vec<_> = OURS.iter().map(|ours| format!("{ours}={level}")).collect();
    let theirs = level.min(LevelFilter::ERROR);
    // The search on the local network takes an interface that is down for an error.
    format!("{theirs},mdns_sd=off,{}", ours.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_level_is_about_silbo_and_libraries_only_tell_errors() {
        assert_eq!(
            directives("warn"),
            "error,mdns_sd=off,app=warn,silbo=warn,media=warn,overlay=warn,relay=warn"
        );
        assert!(directives("off").starts_with("off,"));
        for level in ["off", "error", "warn", "info", "debug", "trace"] {
            assert!(EnvFilter::try_new(directives(level)).is_ok(), "{level}");
        }
    }

    /// What is written of something that a library says.
    fn written(target: &str, message: &str) -> String {
        let path = tempfile::NamedTempFile::new().unwrap();
        let file = path.reopen().unwrap();
        let lines = lines::layer().with_ansi(false).with_writer(file);
        let log = tracing_subscriber::registry().with(WithoutOrdinary).with(lines);
        tracing::subscriber::with_default(log, || {
            tracing::event!(target: "log", tracing::Level::ERROR, log.target = target, "{message}");
        });
        std::fs::read_to_string(path.path()).unwrap()
    }

    #[test]
    fn what_is_ordinary_is_left_out_and_real_errors_of_the_same_library_are_not() {
        let [(library, closed)] = ORDINARY;
        assert_eq!(written(library, closed), "");
        for real in ["Reactor error: Protocol error", "failed to read command message: end of file"] {
            assert!(written(library, real).contains(real), "{real}");
        }
        assert!(written("another", closed).contains(closed));
    }

    #[test]
    fn a_filter_means_what_it_says() {
        assert_eq!(directives("overlay=debug,rtc=info"), "overlay=debug,rtc=info");
    }
}
