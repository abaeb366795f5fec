//! Transport addresses inside attributes (RFC 8489 §14.1, §14.2).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::message::{Malformed, TransactionId};
use super::{MAGIC_COOKIE, attribute};

/// IPv4 or IPv6, as one byte in addresses and in REQUESTED-ADDRESS-FAMILY.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressFamily {
    /// 0x01.
    Ipv4,
    /// 0x02.
    Ipv6,
}

impl AddressFamily {
    /// The family of `ip`.
    pub const fn of(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(_) => Self::Ipv4,
            IpAddr::V6(_) => Self::Ipv6,
        }
    }

    /// The byte on the wire.
    pub const fn to_byte(self) -> u8 {
        match self {
            Self::Ipv4 => 1,
            Self::Ipv6 => 2,
        }
    }

    /// Reads the byte on the wire.
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::Ipv4),
            2 => Some(Self::Ipv6),
            _ => None,
        }
    }
}

/// `|0|family|port|address|` with everything in the clear: MAPPED-ADDRESS of servers from before RFC 5389.
pub(crate) fn decode_plain(value: &[u8]) -> Result<SocketAddr, Malformed> {
    let bad = Malformed::Attribute(attribute::AttributeType::MAPPED_ADDRESS);
    let [_, family, port_high, port_low, ip @ ..] = value else { return Err(bad) };
    let ip: IpAddr = match AddressFamily::from_byte(*family).ok_or(bad)? {
        AddressFamily::Ipv4 => <[u8; 4]>::try_from(ip).map_err(|_| bad)?.into(),
        AddressFamily::Ipv6 => <[u8; 16]>::try_from(ip).map_err(|_| bad)?.into(),
    };
    Ok(SocketAddr::new(ip, u16::from_be_bytes([*port_high, *port_low])))
}

/// The same with port and address XORed with the cookie and, for IPv6, the transaction id.
pub(crate) fn decode_xor(value: &[u8], transaction: TransactionId) -> Result<SocketAddr, Malformed> {
    decode_plain(value).map(|masked| mask(masked, transaction))
}

/// The form in the clear: 8 or 20 bytes.
pub(crate) fn encode_plain(address: SocketAddr) -> Vec<u8> {
    let mut value = vec![0, AddressFamily::of(address.ip()).to_byte()];
    value.extend_from_slice(&address.port().to_be_bytes());
    match address.ip() {
        IpAddr::V4(ip) => value.extend_from_slice(&ip.octets()),
        IpAddr::V6(ip) => value.extend_from_slice(&ip.octets()),
    }
    value
}

/// The XOR-ed form, ready to be an attribute value: 8 or 20 bytes.
pub(crate) fn encode_xor(address: SocketAddr, transaction: TransactionId) -> Vec<u8> {
    encode_plain(mask(address, transaction))
}

/// XOR is its own inverse: masks and unmasks.
pub(crate) fn mask(address: SocketAddr, transaction: TransactionId) -> SocketAddr {
    let mut key = [0u8; 16];
    key[..4].copy_from_slice(&MAGIC_COOKIE);
    key[4..].copy_from_slice(&transaction.0);
    let ip: IpAddr = match address.ip() {
        IpAddr::V4(ip) => {
            let mut octets = ip.octets();
            octets.iter_mut().zip(key).for_each(|(octet, key)| *octet ^= key);
            Ipv4Addr::from(octets).into()
        }
        IpAddr::V6(ip) => {
            let mut octets = ip.octets();
            octets.iter_mut().zip(key).for_each(|(octet, key)| *octet ^= key);
            Ipv6Addr::from(octets).into()
        }
    };
    SocketAddr::new(ip, address.port() ^ u16::from_be_bytes([MAGIC_COOKIE[0], MAGIC_COOKIE[1]]))
}
