//! Messages in a byte stream between client and relay (RFC 8656 §2.1, §12.5).
//!
//! ```text
//!   | STUN header 20 | attributes |            length in the header, a multiple of four
//!   | ChannelData 4  | payload | pad to 4 |    padding is not in the length
//! ```
//!
//! A stream that once carried something else cannot be read on: where the next message begins is unknown.

use super::{ChannelData, HEADER_LEN, is_stun};

/// Why bytes begin no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StreamError {
    /// Neither STUN nor ChannelData.
    #[error("bytes that are neither STUN nor ChannelData")]
    NotTurn,
    /// A message longer than any that is taken.
    #[error("a message of {0} bytes")]
    TooLong(usize),
    /// A STUN message whose length is no multiple of four (RFC 8489 §5).
    #[error("a STUN message that is not padded to four bytes")]
    Unaligned,
}

/// The length of the message these bytes begin, padding included, once it can be seen.
pub fn message_length(bytes: &[u8], longest: usize) -> Result<Option<usize>, StreamError> {
    let Some([first, _, length @ ..]) = bytes.first_chunk::<4>() else { return Ok(None) };
    let length = usize::from(u16::from_be_bytes(*length));
    let whole = match first & 0xC0 {
        0x00 if bytes.len() < 8 => return Ok(None),
        0x00 if bytes.len() < HEADER_LEN || is_stun(bytes) => HEADER_LEN + length,
        0x40 => (ChannelData::HEADER_LEN + length).next_multiple_of(4),
        _ => return Err(StreamError::NotTurn),
    };
    match whole {
        _ if whole > longest => Err(StreamError::TooLong(whole)),
        _ if whole % 4 != 0 => Err(StreamError::Unaligned),
        _ => Ok(Some(whole)),
    }
}

/// Cuts a stream into messages. Holds less than one message of the longest kind, and what was pushed since the last
/// message was taken.
#[derive(Debug, Default)]
pub struct StreamReader {
    buffer: Vec<u8>,
}

impl StreamReader {
    /// Longest message taken: all that a length can say. A peer may send the relay anything that fits a datagram, and must
    /// not end its other end's stream with it.
    pub const LONGEST: usize = HEADER_LEN + 65_535;

    /// More of the stream.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole message, padding included.
    pub fn message(&mut self) -> Result<Option<Vec<u8>>, StreamError> {
        let length = message_length(&self.buffer, Self::LONGEST)?;
        let Some(length) = length.filter(|length| *length <= self.buffer.len()) else { return Ok(None) };
        let rest = self.buffer.split_off(length);
        Ok(Some(std::mem::replace(&mut self.buffer, rest)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{ChannelNumber, Class, Fingerprint, MessageBuilder, Method, TransactionId};

    fn conversation() -> Vec<Vec<u8>> {
        let binding = MessageBuilder::new(Class::Request, Method::Binding, TransactionId([5; 12]));
        let mut messages = vec![binding.finish(Fingerprint::With)];
        for length in [0, 1, 2, 3, 4, 172, 1200] {
            let payload = vec![length as u8; length];
            let mut message =
                ChannelData { channel: ChannelNumber::FIRST, payload: &payload }.encode().unwrap();
            message.resize(message.len().next_multiple_of(4), 0);
            messages.push(message);
        }
        messages
    }

    #[test]
    fn messages_are_cut_where_their_lengths_say() {
        let stun = [&[0, 1, 0, 8, 0x21, 0x12, 0xA4, 0x42][..], &[7; 20]].concat();
        let length = |bytes| message_length(bytes, StreamReader::LONGEST).unwrap();
        assert_eq!(length(&stun), Some(28));
        assert_eq!(length(&stun[..3]), None);
        assert_eq!(length(&stun[..10]), Some(28));
        assert_eq!(length(&[0x40, 0, 0, 5, 1]), Some(12));
        assert_eq!(length(&[0x40, 0, 0, 0]), Some(4));
    }

    #[test]
    fn a_stream_split_at_any_byte_gives_the_same_messages() {
        let messages = conversation();
        let stream = messages.concat();
        for split in 0..=stream.len() {
            let (mut reader, mut read) = (StreamReader::default(), Vec::new());
            for part in [&stream[..split], &stream[split..]] {
                reader.push(part);
                while let Some(message) = reader.message().unwrap() {
                    read.push(message);
                }
            }
            assert_eq!(read, messages, "split at {split}");
        }
        let (mut reader, mut read) = (StreamReader::default(), Vec::new());
        for byte in stream {
            reader.push(&[byte]);
            read.extend(reader.message().unwrap());
        }
        assert_eq!(read, messages, "byte by byte");
    }

    #[test]
    fn what_begins_no_message_is_an_error() {
        let no_cookie = [&[0, 1, 0, 8][..], &[7; 24]].concat();
        let unaligned = [&[0, 1, 0, 7, 0x21, 0x12, 0xA4, 0x42][..], &[7; 20]].concat();
        for (bytes, error) in [
            (&b"GET / HTTP/1.1\r\nHost: x"[..], StreamError::TooLong(21_540)),
            (&[0xFF; 8], StreamError::NotTurn),
            (&no_cookie, StreamError::NotTurn),
            (&[0x40, 0, 0xFF, 0xFF], StreamError::TooLong(65_540)),
            (&unaligned, StreamError::Unaligned),
        ] {
            assert_eq!(message_length(bytes, 4096), Err(error), "{bytes:?}");
        }
        let mut reader = StreamReader::default();
        reader.push(&[0xFF; 8]);
        assert_eq!(reader.message(), Err(StreamError::NotTurn));
    }
}
