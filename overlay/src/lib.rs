//! Identity, links, directory of usernames and signalling of the Silbo supernode overlay.

pub mod config;
#[cfg(feature = "driver")]
pub mod driver;
pub mod envelope;
pub mod error;
pub mod identity;
pub mod outcome;
pub mod username;

pub use config::{NatKind, Network, Role};
pub use envelope::MAX_PAYLOAD;
pub use error::{LookupError, OfflineReason, RegisterError, RelaysError, SendError};
pub use identity::{Identity, LinkKey, PublicKey};
pub use outcome::{FoundClaim, Lookup, Registration, RelayOffer, Status};
pub use username::{Username, UsernameError};
