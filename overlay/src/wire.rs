//! What goes over a link: CBOR messages in length-prefixed frames.
//!
//! # Links
//! A link is one QUIC connection (RFC 9000) or one TCP connection, with TLS 1.3 and Ed25519 raw public keys on both
//! sides (RFC 7250), ALPN [`ALPN`]. Over QUIC the dialler opens one bidirectional stream; both sides write frames into
//! it, and nothing else is used. Over TCP an empty frame is a sign of life.
//!
//! ```text
//! frame:  0        4                4+n
//!         | length | message (CBOR) |      length: u32, big endian, 1..=MAX_FRAME
//! ```
//!
//! A frame longer than [`MAX_FRAME`] ends the link. The first frame of each side is `Hello`; anything before it ends
//! the link. A side that cannot go on says why in a `Refuse` and closes.
//!
//! # Messages
//! ```text
//! message  = [0, [hello]] / [1, [reason]] / [2, [records]] / [3, [id, request]] / [4, [id, response]] / [5, [mailbox, sealed]]
//! ```
//! A `Request` is answered by one `Response` with the same id, in any order. `Supernodes` is gossip, `Ring` pushes an
//! envelope to the leaf whose link registered the mailbox. Every list is bounded while it is decoded ([`Bounded`]).
//!
//! Signed structures are `[body, signature]`; the signature covers `domain ‖ 0x00 ‖ CBOR(body)` where the CBOR is the
//! deterministic encoding (definite lengths, shortest integers; RFC 8949 §4.2.1), recomputed by the verifier, so that
//! there is one encoding per meaning.

mod bounded;
mod dial_back;
mod load;
mod message;

use minicbor::{Decode, Encode};

pub(crate) use self::message::Asked;
pub use self::{
    bounded::Bounded,
    dial_back::{DialBack, DialBackFor, Nonce, PROBE_BYTES},
    load::{Alive, Later, Load},
    message::{
        Hello, MAX_CLAIMS, MAX_GOSSIP, MAX_PRESENCES, Message, Need, PROTOCOL_VERSION, Refusal, RefuseReason,
        RelayGrant, RelayUsage, Request, Response, Summary, Timestamp, VersionRange,
    },
};

/// The application protocol named in the TLS handshake.
pub const ALPN: &[u8] = b"silbo/1";

/// Longest message. A longer frame ends the link.
pub const MAX_FRAME: usize = 32 * 1024;

/// Most encodings fit into so many bytes; longer ones grow.
const USUAL: usize = 512;

/// The one encoding of a value.
pub fn to_bytes<T: Encode<()>>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(USUAL);
    // Writing into a Vec cannot fail, and no type of ours refuses to be encoded.
    match minicbor::encode(value, &mut bytes) {
        Ok(()) => bytes,
        Err(_) => Vec::new(),
    }
}

/// Reads a value; bytes after it are an error.
pub fn from_bytes<'b, T: Decode<'b, ()>>(bytes: &'b [u8]) -> Result<T, Malformed> {
    let mut decoder = minicbor::Decoder::new(bytes);
    let value = decoder.decode().map_err(|_| Malformed)?;
    if decoder.position() == bytes.len() { Ok(value) } else { Err(Malformed) }
}

/// The bytes are no message, record or claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("malformed bytes")]
pub struct Malformed;

/// [`relay::UnixTime`] as milliseconds, for `#[cbor(with = "...")]`.
pub(crate) mod unix_time {
    use minicbor::{Decoder, Encoder, encode::Write};
    use relay::UnixTime;

    type EncodeError<E> = minicbor::encode::Error<E>;
    type DecodeError = minicbor::decode::Error;

    pub(crate) fn encode<C, W: Write>(
        time: &UnixTime,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), EncodeError<W::Error>> {
        e.u64(time.as_millis())?.ok()
    }

    pub(crate) fn decode<C>(d: &mut Decoder<'_>, _: &mut C) -> Result<UnixTime, DecodeError> {
        d.u64().map(UnixTime::from_millis)
    }
}
