//! ChannelData messages (RFC 8656 §12.4).

use super::message::Malformed;

/// A number that names one peer on one allocation.
///
/// RFC 8656 §12 gives 0x4000..=0x4FFF; clients of RFC 5766 (coturn's own among them) pick up to 0x7FFF. On a port that
/// speaks nothing but STUN and ChannelData the wider range is unambiguous, so it is accepted; our client stays within
/// the narrow one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelNumber(u16);

impl ChannelNumber {
    /// The first channel.
    pub const FIRST: Self = Self(0x4000);
    /// The last one a client of RFC 8656 may take.
    pub const LAST: Self = Self(0x4FFF);

    /// A number in the channel range.
    pub const fn new(number: u16) -> Option<Self> {
        if number >= 0x4000 && number <= 0x7FFF { Some(Self(number)) } else { None }
    }

    /// The number on the wire.
    pub const fn get(self) -> u16 {
        self.0
    }
}

/// A payload with its channel number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChannelData<'a> {
    /// Which peer.
    pub channel: ChannelNumber,
    /// What to relay.
    pub payload: &'a [u8],
}

impl<'a> ChannelData<'a> {
    /// The bytes before the payload.
    pub const HEADER_LEN: usize = 4;

    /// Whether a datagram starts like ChannelData.
    pub fn matches(datagram: &[u8]) -> bool {
        datagram.first().is_some_and(|first| first & 0xC0 == 0x40)
    }

    /// Reads one datagram. Bytes after the payload are padding and are ignored.
    pub fn parse(datagram: &'a [u8]) -> Result<Self, Malformed> {
        let [c0, c1, l0, l1, rest @ ..] = datagram else { return Err(Malformed::Truncated) };
        let channel = ChannelNumber::new(u16::from_be_bytes([*c0, *c1])).ok_or(Malformed::NotStun)?;
        let length = usize::from(u16::from_be_bytes([*l0, *l1]));
        let payload = rest.get(..length).ok_or(Malformed::Truncated)?;
        Ok(Self { channel, payload })
    }

    /// The datagram, without padding, which UDP does not need; nothing when the payload is longer than 65,535 bytes.
    pub fn encode(&self) -> Option<Vec<u8>> {
        let length = u16::try_from(self.payload.len()).ok()?;
        let mut bytes = Vec::with_capacity(Self::HEADER_LEN + self.payload.len());
        bytes.extend_from_slice(&self.channel.get().to_be_bytes());
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(self.payload);
        Some(bytes)
    }
}
