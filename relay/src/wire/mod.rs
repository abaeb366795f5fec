//! STUN messages (RFC 8489) and ChannelData (RFC 8656 §12.4) as bytes: a borrowed parser and a builder.
//!
//! ```text
//!  0                   1                   2                   3
//! |0 0| message type (14)           | message length (16)           |   RFC 8489 §5
//! | magic cookie 0x2112A442                                         |
//! | transaction id (96)                                       ...   |
//! | attribute type (16)             | value length (16)             |   §14, repeated,
//! | value, padded to four bytes                               ...   |   values zero-padded
//!
//! |0 1| channel number (14)         | payload length (16)           |   RFC 8656 §12.4
//! | payload                                                   ...   |
//! ```
//!
//! Parsing never allocates and never panics; every function here takes plain bytes, so that a fuzzer can call it.

mod address;
mod attribute;
mod builder;
mod channel_data;
mod crc32;
mod data_header;
mod message;
mod stream;
#[cfg(test)]
mod tests;

pub use address::AddressFamily;
#[cfg(test)]
pub(crate) use address::decode_xor;
pub use attribute::{AttributeType, ErrorCode, EvenPort, RawAttribute};
pub use builder::{Fingerprint, MessageBuilder};
pub use channel_data::{ChannelData, ChannelNumber};
pub use data_header::DataHeader;
pub use message::{Class, Integrity, Malformed, Message, Method, TransactionId, long_term_key, parse};
pub use stream::{StreamError, StreamReader, message_length};

/// The header every STUN message starts with.
pub const HEADER_LEN: usize = 20;

/// RFC 8489 §5.
pub const MAGIC_COOKIE: [u8; 4] = [0x21, 0x12, 0xA4, 0x42];

/// Whether a datagram can only be STUN: the two top bits are zero and the magic cookie is in place (RFC 8489 §5).
pub fn is_stun(datagram: &[u8]) -> bool {
    datagram.len() >= HEADER_LEN && datagram[0] & 0xC0 == 0 && datagram[4..8] == MAGIC_COOKIE
}
