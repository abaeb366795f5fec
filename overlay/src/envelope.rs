//! Sealed envelopes: what one person sends another through supernodes that can neither read it nor tell who sent it.
//!
//! ```text
//! envelope (always ENVELOPE_SIZE bytes) = first message of Noise_IK_25519_ChaChaPoly_BLAKE2s (Noise rev. 34, §7.5)
//!   | e: 32 | s, encrypted: 48 | payload, encrypted: the rest, its last 16 bytes the tag |
//! prologue = "silbo envelope 1" ‖ network ‖ the callee's identity key
//! payload  = length: u16, big endian | letter (CBOR) | zeros up to the fixed size
//! letter   = [version, sender's identity key, certificate, message id, Unix ms, application payload]
//! certificate = [not_after, signature of the sender's identity key over (its X25519 key, not_after)]
//! ```
//!
//! The X25519 keys on both sides are made anew for every process and certified by the identities. An envelope more
//! than [`ENVELOPE_WINDOW`] old or early is refused; one seen within that time is dropped, whichever home brought it.

mod replay;
mod seal;
mod token;

use std::time::Duration;

pub use self::{
    replay::{Freshness, ReplaySet},
    seal::{Letter, OpenError, Sealer, Stamp},
    token::{TOKEN_USES, Token},
};

/// Most bytes an application can put into one envelope.
pub const MAX_PAYLOAD: usize = 940;

/// Bytes of every envelope.
pub const ENVELOPE_SIZE: usize = 1_200;

/// How far an envelope's time may lie from ours, and how long it is remembered.
pub const ENVELOPE_WINDOW: Duration = Duration::from_secs(120);
