//! What goes before a payload on its way to a client, written into the room in front of it: nothing is moved.
//!
//! ```text
//!   | room .............. | payload | room |
//!           | ChannelData | payload |             4 bytes (RFC 8656 §12.4)
//!   | Data indication ... | payload | pad |       36 or 48 bytes, padded to four (RFC 8656 §11.3)
//! ```

use std::net::{IpAddr, SocketAddr};
use std::ops::Range;

use super::address::{self, AddressFamily};
use super::attribute::AttributeType;
use super::channel_data::ChannelNumber;
use super::message::{Class, Method, TransactionId};
use super::{HEADER_LEN, MAGIC_COOKIE};

/// The header of one payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataHeader {
    /// ChannelData.
    Channel(ChannelNumber),
    /// A Data indication from this peer.
    Indication(SocketAddr),
}

impl DataHeader {
    /// The longest header.
    pub const MAX_LEN: usize = 48;
    /// The most padding after the payload.
    pub const MAX_PADDING: usize = 3;

    /// Writes the header before `payload` in `buffer`, and padding behind it; gives the range of the whole message, or
    /// nothing when there is no room for it.
    pub fn wrap(
        self,
        buffer: &mut [u8],
        payload: Range<usize>,
        transaction: TransactionId,
    ) -> Option<Range<usize>> {
        let length = u16::try_from(payload.len()).ok()?;
        match self {
            Self::Channel(channel) => {
                let start = payload.start.checked_sub(4)?;
                let header = buffer.get_mut(start..payload.start)?;
                header[..2].copy_from_slice(&channel.get().to_be_bytes());
                header[2..].copy_from_slice(&length.to_be_bytes());
                Some(start..payload.end)
            }
            Self::Indication(peer) => {
                let address_len = match peer.ip() {
                    IpAddr::V4(_) => 8,
                    IpAddr::V6(_) => 20,
                };
                let header_len = HEADER_LEN + 4 + address_len + 4;
                let start = payload.start.checked_sub(header_len)?;
                let end = payload.start + payload.len().next_multiple_of(4);
                buffer.get_mut(payload.end..end)?.fill(0);
                let body = u16::try_from(end - start - HEADER_LEN).ok()?;
                let header = buffer.get_mut(start..payload.start)?;
                let kind = Class::Indication.bits() | Method::Data.bits();
                header[..2].copy_from_slice(&kind.to_be_bytes());
                header[2..4].copy_from_slice(&body.to_be_bytes());
                header[4..8].copy_from_slice(&MAGIC_COOKIE);
                header[8..20].copy_from_slice(&transaction.0);
                header[20..22].copy_from_slice(&AttributeType::XOR_PEER_ADDRESS.0.to_be_bytes());
                header[22..24].copy_from_slice(&(address_len as u16).to_be_bytes());
                let masked = address::mask(peer, transaction);
                header[24] = 0;
                header[25] = AddressFamily::of(masked.ip()).to_byte();
                header[26..28].copy_from_slice(&masked.port().to_be_bytes());
                match masked.ip() {
                    IpAddr::V4(ip) => header[28..32].copy_from_slice(&ip.octets()),
                    IpAddr::V6(ip) => header[28..44].copy_from_slice(&ip.octets()),
                }
                let data = &mut header[header_len - 4..];
                data[..2].copy_from_slice(&AttributeType::DATA.0.to_be_bytes());
                data[2..].copy_from_slice(&length.to_be_bytes());
                Some(start..end)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{ChannelData, parse};

    #[test]
    fn headers_written_in_place_read_back() {
        for length in [0, 1, 2, 3, 4, 172, 1200] {
            for peer in ["192.0.2.1:5000", "[2001:db8::1]:5000"] {
                let peer = peer.parse().unwrap();
                let mut buffer = vec![0xEE; 48 + length + 3];
                let whole =
                    DataHeader::Indication(peer).wrap(&mut buffer, 48..48 + length, TransactionId([9; 12]));
                let message = parse(&buffer[whole.unwrap()]).unwrap();
                assert_eq!((message.class(), message.method()), (Class::Indication, Method::Data));
                assert_eq!(message.xor_address(AttributeType::XOR_PEER_ADDRESS), Ok(Some(peer)));
                assert_eq!(message.attribute(AttributeType::DATA).unwrap().value, vec![0xEE; length]);
                let channel = ChannelNumber::FIRST;
                let whole =
                    DataHeader::Channel(channel).wrap(&mut buffer, 48..48 + length, TransactionId([9; 12]));
                let read = ChannelData::parse(&buffer[whole.unwrap()]).unwrap();
                assert_eq!((read.channel, read.payload), (channel, &vec![0xEE; length][..]));
            }
        }
    }

    #[test]
    fn without_room_nothing_is_written() {
        let peer = DataHeader::Indication("192.0.2.1:5000".parse().unwrap());
        let id = TransactionId([0; 12]);
        assert_eq!(peer.wrap(&mut [0; 100], 35..40, id), None, "no room before");
        assert_eq!(peer.wrap(&mut [0; 41], 36..41, id), None, "no room for padding");
        assert_eq!(DataHeader::Channel(ChannelNumber::FIRST).wrap(&mut [0; 9], 3..9, id), None);
    }
}
