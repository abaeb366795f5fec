//! What is logged to standard error, and how much of it.

use crate::reason::Reason;
use std::io::{self, IsTerminal};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::EnvFilter;

/// What a bare level is about; the libraries below only say what is an error.
const OURS: [&str; 5] = ["app", "silbo", "media", "overlay", "relay"];

/// Logs from now on, in colours on a terminal only.
pub(super) fn to_stderr(wish: &str) -> Result<(), Reason> {
    let filter = EnvFilter::try_new(directives(wish))
        .map_err(|error| Reason::Usage(format!("\"{wish}\" is not a log level: {error}.")))?;
    let colours = io::stderr().is_terminal();
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours).with_writer(io::stderr);
    // A second subscriber is only ever set in tests; the first one stays.
    let _ = log.try_init();
    Ok(())
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

    #[test]
    fn a_filter_means_what_it_says() {
        assert_eq!(directives("overlay=debug,rtc=info"), "overlay=debug,rtc=info");
    }
}
