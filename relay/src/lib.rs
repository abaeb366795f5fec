//! STUN and TURN for Silbo: wire codec, clients and the relay server.

pub mod client;
mod credentials;
#[cfg(feature = "driver")]
pub mod driver;
#[cfg(test)]
mod fixture;
pub mod server;
mod time;
pub mod wire;

pub use credentials::{CredentialIssuer, Credentials, expiry};
pub use time::{Now, UnixTime};
