//! Identity, links, directory of usernames and signalling of the Silbo supernode overlay.

pub mod claim;
pub mod config;
pub mod directory;
#[cfg(feature = "driver")]
pub mod driver;
pub mod envelope;
pub mod error;
pub mod identity;
pub mod node;
pub mod outcome;
pub mod record;
pub mod routing;
#[cfg(test)]
mod sim;
pub mod username;
pub mod wire;

pub use config::{NatKind, Network, Role};
pub use envelope::MAX_PAYLOAD;
pub use error::{LookupError, OfflineReason, RegisterError, RelaysError, SendError};
pub use identity::{Identity, LinkKey, PublicKey};
pub use outcome::{FoundClaim, Lookup, Registration, RelayOffer, Status};
pub use username::{Username, UsernameError};
