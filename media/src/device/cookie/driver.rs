//! The cookie of this person, on this machine.
#![expect(clippy::disallowed_methods, reason = "a cookie is nothing but randomness of the system")]

use std::env;
use std::path::PathBuf;

use super::{Cookie, LENGTH, NoCookie};

/// Sees to it that PulseAudio is shown one; to be called before its server is spoken to.
pub(in super::super) fn provide() -> Result<(), NoCookie> {
    super::provide(&places(), &fresh())
}

/// Where the client of `cpal` looks.
fn places() -> Vec<PathBuf> {
    let named = env::var("PULSE_COOKIE").ok().map(PathBuf::from);
    let usual = env::home_dir().map(|home| [home.join(".config/pulse/cookie"), home.join(".pulse-cookie")]);
    named.into_iter().chain(usual.into_iter().flatten()).collect()
}

fn fresh() -> Cookie {
    let mut fresh = [0; LENGTH];
    for byte in &mut fresh {
        *byte = rand::random();
    }
    fresh
}
