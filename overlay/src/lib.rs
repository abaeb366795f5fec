//! Who is where, and how to ring them: the overlay of Silbo's supernodes.
//!
//! # What is this?
//! Computers that anybody can reach act as *supernodes*: they hold a directory of usernames and pass sealed envelopes
//! on to *leaves*, the computers behind home routers. This crate is both sides of that: identities, links, directory,
//! presence and signalling. It carries no audio and knows nothing about calls.
//!
//! # The two types that matter
//! [`node::Node`] is the protocol: a state machine without I/O that is told the time and fed links and messages. It
//! runs in the simulator (`sim`) and in the program alike. [`driver::Handle`] is what an application holds: an async
//! hand on a node that runs over real QUIC.
//!
//! # Example
//! ```no_run
//! use overlay::{Identity, Network, Username, driver};
//!
//! async fn ring_bob(secret: [u8; 32]) -> Result<(), Box<dyn std::error::Error>> {
//!     let mut config = driver::Config::leaf(Network::Main);
//!     config.bootstrap = vec!["supernode.example:4433".into()];
//!     let (node, mut events) = driver::start(config, Identity::from_secret(secret)).await?;
//!     let found = node.lookup(Username::parse("bob")?).await?;
//!     for claim in &found.claims {
//!         node.send(claim.key, b"ring".to_vec()).await?;
//!     }
//!     while let Some(event) = events.recv().await {
//!         if let driver::Event::Envelope { from, payload, .. } = event {
//!             println!("{} says {payload:?}", from.fingerprint());
//!         }
//!     }
//!     Ok(())
//! }
//! ```
//!
//! # How data flows
//! ```text
//!  Handle ─command─▶ driver ─▶ Node ─Request─▶ link ─▶ other Node (supernode) ─▶ directory
//!  Handle ◀─answer── driver ◀─ Node ◀─Response─ link ◀──────────┘
//!
//!  register: read the claims to a name, put our own on the supernodes closest to its hash, count holders
//!  lookup:   ask the closest, verify every claim, show the union of what they answered
//!  send:     fetch the signed introduction record of a person, seal the payload to the key in it, hand it to the
//!            homes it names; a home pushes it down the link of the leaf that opened the mailbox
//! ```
//! [`wire`] describes the frames, [`claim`] and [`record`] the signed structures, [`envelope`] the sealing.
//!
//! # What it refuses to do
//! It believes nothing because somebody said so: claims and records are verified by whoever reads them. It never picks
//! one of several claimants. It does not tell homes whose they are: link keys have nothing to do with identities. It
//! reads no clock and draws no randomness outside [`driver`], and nothing in it grows without a bound.

pub mod claim;
pub mod config;
pub mod credit;
pub mod directory;
#[cfg(feature = "driver")]
pub mod driver;
pub mod envelope;
pub mod error;
#[cfg(any(test, feature = "fuzz"))]
pub mod fuzz;
mod generations;
pub mod hint;
pub mod identity;
pub mod node;
pub mod outcome;
pub mod record;
pub mod routing;
#[cfg(test)]
mod sim;
pub mod username;
mod verdicts;
pub mod volunteer;
pub mod wire;
pub mod work;

pub use claim::{Inheritance, RankReason, RecoveryHash, Standing};
pub use config::{NatKind, Network, Role};
pub use envelope::MAX_PAYLOAD;
pub use error::{LookupError, OfflineReason, RegisterError, RelaysError, SendError};
pub use hint::{Hint, Invite, InviteError, Roster, RosterError};
pub use identity::{Identity, LinkKey, PublicKey};
pub use outcome::{FoundClaim, Lookup, NameState, Registration, RelayOffer, RelayWish, Report, Status};
pub use record::PresenceSecret;
pub use username::{Skeleton, Username, UsernameError};
