//! Short-lived TURN credentials in the REST form every TURN server and client understands.
//!
//! `username = "<expiry, Unix seconds>:<id>"`, `password = base64(HMAC-SHA1(secret, username))`. Whoever holds the secret
//! can issue and check them without keeping anything: a credential costs the relay no memory until it is used.

use std::time::Duration;

use data_encoding::BASE64;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

use crate::UnixTime;

/// What a TURN client authenticates with.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// `expiry:id`.
    pub username: String,
    /// The shared secret derived from the username.
    pub password: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("username", &self.username).finish_non_exhaustive()
    }
}

/// Issues credentials, and recomputes the password of any username it may have issued.
#[derive(Clone)]
pub struct CredentialIssuer {
    secret: [u8; 32],
}

impl CredentialIssuer {
    /// An issuer over `secret`; the relay that shall accept its credentials holds the same secret.
    pub const fn new(secret: [u8; 32]) -> Self {
        Self { secret }
    }

    /// Credentials for `id`, valid for `lifetime`.
    pub fn issue(&self, now: UnixTime, id: &str, lifetime: Duration) -> Credentials {
        let username = format!("{}:{id}", now.saturating_add(lifetime).as_secs());
        let password = self.password(&username);
        Credentials { username, password }
    }

    /// The password that belongs to `username`, whether or not the username is one we issued.
    pub fn password(&self, username: &str) -> String {
        // An HMAC takes a key of any length: the fallback keeps the function total and matches no password.
        let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(&self.secret) else { return String::new() };
        mac.update(username.as_bytes());
        BASE64.encode(&mac.finalize().into_bytes())
    }
}

impl std::fmt::Debug for CredentialIssuer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CredentialIssuer").finish_non_exhaustive()
    }
}

/// How much the one who issued a credential wants for its holder when bandwidth is scarce.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Priority {
    /// Voice always, everything else as far as there is room.
    Usual,
    /// The same, but cut after everybody else's: the holder has relayed for whoever issued the credential.
    Helper,
}

/// Begins the id of a helper's credential. Nobody else can put it there: the password covers the whole username.
const HELPER: char = '+';

impl Priority {
    /// What a username says.
    pub fn of(username: &str) -> Self {
        let is_helper = username.split_once(':').is_some_and(|(_, id)| id.starts_with(HELPER));
        if is_helper { Self::Helper } else { Self::Usual }
    }

    /// The id that says so of `id`.
    pub fn mark(self, id: &str) -> String {
        match self {
            Self::Usual => id.trim_start_matches(HELPER).to_owned(),
            Self::Helper => format!("{HELPER}{id}"),
        }
    }
}

/// When a username of the REST form stops being accepted; nothing when it is not of that form.
pub fn expiry(username: &str) -> Option<UnixTime> {
    let (expiry, id) = username.split_once(':')?;
    if id.is_empty() || !expiry.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    expiry.parse().ok().map(UnixTime::from_secs)
}

/// Whom a username was issued to: the same for all credentials of one identity, however many it asks for.
pub(crate) fn identity(username: &str) -> &str {
    username.split_once(':').map_or(username, |(_, id)| id.trim_start_matches(HELPER))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_carry_their_expiry_and_identity() {
        let issuer = CredentialIssuer::new([7; 32]);
        let issued = issuer.issue(UnixTime::from_secs(1000), "ada", Duration::from_secs(600));
        assert_eq!(issued.username, "1600:ada");
        assert_eq!(issued.password, issuer.password("1600:ada"));
        assert_eq!(expiry(&issued.username), Some(UnixTime::from_secs(1600)));
        assert_eq!(identity(&issued.username), "ada");
    }

    #[test]
    fn only_the_issuer_says_who_is_a_helper() {
        let issuer = CredentialIssuer::new([7; 32]);
        let issue = |id: &str| issuer.issue(UnixTime::from_secs(1000), id, Duration::from_secs(600));
        let (helper, other) = (issue(&Priority::Helper.mark("ada")), issue(&Priority::Usual.mark("ada")));
        assert_eq!([&helper, &other].map(|c| Priority::of(&c.username)), [Priority::Helper, Priority::Usual]);
        assert_eq!(Priority::of(&issue(&Priority::Usual.mark("+ada")).username), Priority::Usual);
        assert_ne!(helper.password, other.password);
        assert_eq!(identity(&helper.username), identity(&other.username));
        assert_eq!(Priority::of("+1600"), Priority::Usual);
    }

    #[test]
    fn another_secret_or_another_name_gives_another_password() {
        let issuer = CredentialIssuer::new([7; 32]);
        assert_ne!(issuer.password("1600:ada"), issuer.password("1601:ada"));
        assert_ne!(issuer.password("1600:ada"), CredentialIssuer::new([8; 32]).password("1600:ada"));
    }

    #[test]
    fn usernames_of_another_form_have_no_expiry() {
        for username in ["", "ada", ":ada", "12", "12:", "+12:ada", "-1:ada", "99999999999999999999999:ada"] {
            assert_eq!(expiry(username), None, "{username:?}");
        }
    }

    #[test]
    fn a_password_never_reaches_the_log() {
        let issued = CredentialIssuer::new([7; 32]).issue(UnixTime::EPOCH, "ada", Duration::ZERO);
        assert!(!format!("{issued:?}").contains(&issued.password));
    }
}
