//! The borrowed parser of STUN messages.

use std::net::SocketAddr;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use md5::{Digest, Md5};
use sha1::Sha1;

use super::address::{self, AddressFamily};
use super::attribute::{AttributeType, ErrorCode, EvenPort, RawAttribute};
use super::channel_data::ChannelNumber;
use super::crc32::crc32;
use super::{HEADER_LEN, MAGIC_COOKIE};

/// More attributes than any STUN or TURN message needs; more are refused unread.
const MAX_ATTRIBUTES: usize = 64;

/// Parses one datagram as one STUN message. All of it is checked: header, lengths, and FINGERPRINT when there is one.
pub fn parse(datagram: &[u8]) -> Result<Message<'_>, Malformed> {
    let header = datagram.first_chunk::<HEADER_LEN>().ok_or(Malformed::Truncated)?;
    let message_type = u16::from_be_bytes([header[0], header[1]]);
    if message_type & 0xC000 != 0 || header[4..8] != MAGIC_COOKIE {
        return Err(Malformed::NotStun);
    }
    let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
    if length % 4 != 0 {
        return Err(Malformed::Unaligned);
    }
    if datagram.len() != HEADER_LEN + length {
        return Err(Malformed::Truncated);
    }
    let mut transaction = [0; 12];
    transaction.copy_from_slice(&header[8..]);
    let message = Message {
        bytes: datagram,
        class: Class::of(message_type),
        method: Method::of(message_type),
        transaction: TransactionId(transaction),
    };
    message.check_attributes()?;
    Ok(message)
}

/// The key of long-term credentials (RFC 8489 §9.2.2): MD5("username:realm:password").
pub fn long_term_key(username: &str, realm: &str, password: &str) -> [u8; 16] {
    Md5::new()
        .chain_update(username)
        .chain_update(":")
        .chain_update(realm)
        .chain_update(":")
        .chain_update(password)
        .finalize()
        .into()
}

/// Why bytes are not a STUN message or ChannelData.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Malformed {
    /// Wrong leading bits or magic cookie.
    #[error("not a STUN message")]
    NotStun,
    /// Shorter or longer than its own length fields say.
    #[error("the length does not match")]
    Truncated,
    /// A message length that is not a multiple of four.
    #[error("the length is not a multiple of four")]
    Unaligned,
    /// More attributes than we read.
    #[error("too many attributes")]
    TooManyAttributes,
    /// FINGERPRINT is wrong or not last.
    #[error("the fingerprint does not match")]
    Fingerprint,
    /// An attribute whose value breaks its own format.
    #[error("attribute {0:?} is malformed")]
    Attribute(AttributeType),
}

/// The 96-bit id that ties a response to its request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransactionId(pub [u8; 12]);

/// The two class bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Asks for a response.
    Request,
    /// Asks for nothing.
    Indication,
    /// The request was carried out.
    Success,
    /// The request was refused.
    Error,
}

impl Class {
    const fn of(message_type: u16) -> Self {
        match (message_type & 0x0100 != 0, message_type & 0x0010 != 0) {
            (false, false) => Self::Request,
            (false, true) => Self::Indication,
            (true, false) => Self::Success,
            (true, true) => Self::Error,
        }
    }

    pub(crate) const fn bits(self) -> u16 {
        match self {
            Self::Request => 0x0000,
            Self::Indication => 0x0010,
            Self::Success => 0x0100,
            Self::Error => 0x0110,
        }
    }
}

/// The twelve method bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// RFC 8489 §17.1.
    Binding,
    /// RFC 8656 §7.
    Allocate,
    /// RFC 8656 §8.
    Refresh,
    /// RFC 8656 §11.
    Send,
    /// RFC 8656 §11.
    Data,
    /// RFC 8656 §10.
    CreatePermission,
    /// RFC 8656 §12.
    ChannelBind,
    /// Anything else.
    Other(u16),
}

impl Method {
    const fn of(message_type: u16) -> Self {
        let method = message_type & 0x000F | (message_type & 0x00E0) >> 1 | (message_type & 0x3E00) >> 2;
        match method {
            0x001 => Self::Binding,
            0x003 => Self::Allocate,
            0x004 => Self::Refresh,
            0x006 => Self::Send,
            0x007 => Self::Data,
            0x008 => Self::CreatePermission,
            0x009 => Self::ChannelBind,
            other => Self::Other(other),
        }
    }

    pub(crate) const fn bits(self) -> u16 {
        let method = match self {
            Self::Binding => 0x001,
            Self::Allocate => 0x003,
            Self::Refresh => 0x004,
            Self::Send => 0x006,
            Self::Data => 0x007,
            Self::CreatePermission => 0x008,
            Self::ChannelBind => 0x009,
            Self::Other(other) => other,
        };
        method & 0x000F | (method & 0x0070) << 1 | (method & 0x0F80) << 2
    }
}

/// What checking MESSAGE-INTEGRITY found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Integrity {
    /// There is none.
    Missing,
    /// Made with this key over these bytes.
    Valid,
    /// Made with another key, or over other bytes.
    Wrong,
}

/// A STUN message lying in a datagram.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    bytes: &'a [u8],
    class: Class,
    method: Method,
    transaction: TransactionId,
}

impl<'a> Message<'a> {
    /// Whether a datagram starts like a message of this class and method; nothing else of it is looked at.
    pub fn is(datagram: &[u8], class: Class, method: Method) -> bool {
        datagram.first_chunk::<2>() == Some(&(class.bits() | method.bits()).to_be_bytes())
    }

    /// Request, indication, success or error.
    pub const fn class(&self) -> Class {
        self.class
    }

    /// What it is about.
    pub const fn method(&self) -> Method {
        self.method
    }

    /// Its transaction.
    pub const fn transaction(&self) -> TransactionId {
        self.transaction
    }

    /// The attributes that count: those after MESSAGE-INTEGRITY are skipped, except FINGERPRINT (RFC 8489 §14.5).
    pub fn attributes(&self) -> impl Iterator<Item = RawAttribute<'a>> + use<'a> {
        let mut sealed = false;
        Walk { bytes: self.bytes, at: HEADER_LEN }.filter_map(Result::ok).filter(move |attribute| {
            let counts = !sealed || attribute.kind == AttributeType::FINGERPRINT;
            sealed |= attribute.kind == AttributeType::MESSAGE_INTEGRITY;
            counts
        })
    }

    /// The first attribute of a type; later ones do not count (RFC 8489 §14).
    pub fn attribute(&self, kind: AttributeType) -> Option<RawAttribute<'a>> {
        self.attributes().find(|attribute| attribute.kind == kind)
    }

    /// An attribute that is text.
    pub fn text(&self, kind: AttributeType) -> Result<Option<&'a str>, Malformed> {
        self.read(kind, |value| std::str::from_utf8(value).ok())
    }

    /// An attribute that is a XOR-ed transport address.
    pub fn xor_address(&self, kind: AttributeType) -> Result<Option<SocketAddr>, Malformed> {
        self.read(kind, |value| address::decode_xor(value, self.transaction).ok())
    }

    /// An attribute that is a transport address in the clear.
    pub fn plain_address(&self, kind: AttributeType) -> Result<Option<SocketAddr>, Malformed> {
        self.read(kind, |value| address::decode_plain(value).ok())
    }

    /// Every XOR-PEER-ADDRESS, of which CreatePermission may carry several.
    pub fn peer_addresses(&self) -> impl Iterator<Item = Result<SocketAddr, Malformed>> + use<'a> {
        let transaction = self.transaction;
        self.attributes().filter(|attribute| attribute.kind == AttributeType::XOR_PEER_ADDRESS).map(
            move |attribute| {
                address::decode_xor(attribute.value, transaction)
                    .map_err(|_| Malformed::Attribute(attribute.kind))
            },
        )
    }

    /// The reflexive address of a Binding or Allocate response, also in the form of servers from before RFC 5389.
    pub fn mapped_address(&self) -> Result<Option<SocketAddr>, Malformed> {
        match self.xor_address(AttributeType::XOR_MAPPED_ADDRESS)? {
            Some(mapped) => Ok(Some(mapped)),
            None => self.read(AttributeType::MAPPED_ADDRESS, |value| address::decode_plain(value).ok()),
        }
    }

    /// ERROR-CODE.
    pub fn error_code(&self) -> Result<Option<ErrorCode>, Malformed> {
        self.read(AttributeType::ERROR_CODE, |value| match value {
            [_, _, class, number, ..] if (3..=6).contains(&(class & 7)) && *number < 100 => {
                Some(ErrorCode(u16::from(class & 7) * 100 + u16::from(*number)))
            }
            _ => None,
        })
    }

    /// LIFETIME.
    pub fn lifetime(&self) -> Result<Option<Duration>, Malformed> {
        self.read(AttributeType::LIFETIME, |value| {
            let seconds = u32::from_be_bytes(value.try_into().ok()?);
            Some(Duration::from_secs(seconds.into()))
        })
    }

    /// CHANNEL-NUMBER; numbers outside the channel range are malformed.
    pub fn channel_number(&self) -> Result<Option<ChannelNumber>, Malformed> {
        self.read(AttributeType::CHANNEL_NUMBER, |value| match value {
            [high, low, _, _] => ChannelNumber::new(u16::from_be_bytes([*high, *low])),
            _ => None,
        })
    }

    /// REQUESTED-TRANSPORT: an IP protocol number, 17 for UDP.
    pub fn requested_transport(&self) -> Result<Option<u8>, Malformed> {
        self.read(AttributeType::REQUESTED_TRANSPORT, |value| match value {
            [protocol, _, _, _] => Some(*protocol),
            _ => None,
        })
    }

    /// REQUESTED-ADDRESS-FAMILY: `Ok(Some(None))` is a family nobody knows.
    pub fn requested_family(&self) -> Result<Option<Option<AddressFamily>>, Malformed> {
        self.family(AttributeType::REQUESTED_ADDRESS_FAMILY)
    }

    /// ADDITIONAL-ADDRESS-FAMILY, likewise.
    pub fn additional_family(&self) -> Result<Option<Option<AddressFamily>>, Malformed> {
        self.family(AttributeType::ADDITIONAL_ADDRESS_FAMILY)
    }

    fn family(&self, kind: AttributeType) -> Result<Option<Option<AddressFamily>>, Malformed> {
        self.read(kind, |value| match value {
            [family, _, _, _] => Some(AddressFamily::from_byte(*family)),
            _ => None,
        })
    }

    /// EVEN-PORT.
    pub fn even_port(&self) -> Result<Option<EvenPort>, Malformed> {
        self.read(AttributeType::EVEN_PORT, |value| match value {
            [flags] if flags & 0x80 == 0 => Some(EvenPort::Alone),
            [_] => Some(EvenPort::ReserveNext),
            _ => None,
        })
    }

    /// UNKNOWN-ATTRIBUTES: the types the other side did not know.
    pub fn unknown_attributes(&self) -> impl Iterator<Item = AttributeType> + use<'a> {
        let value =
            self.attribute(AttributeType::UNKNOWN_ATTRIBUTES).map_or(&[][..], |attribute| attribute.value);
        value.chunks_exact(2).map(|pair| AttributeType(u16::from_be_bytes([pair[0], pair[1]])))
    }

    /// Comprehension-required attributes that are not in `known`, each once.
    pub fn not_understood(&self, known: &[AttributeType]) -> Vec<AttributeType> {
        let mut unknown: Vec<_> = self
            .attributes()
            .map(|attribute| attribute.kind)
            .filter(|kind| kind.is_comprehension_required() && !known.contains(kind))
            .collect();
        unknown.sort_unstable();
        unknown.dedup();
        unknown
    }

    /// Checks MESSAGE-INTEGRITY under `key` (RFC 8489 §14.5), in constant time.
    pub fn integrity(&self, key: &[u8]) -> Integrity {
        let Some(attribute) = self.attribute(AttributeType::MESSAGE_INTEGRITY) else {
            return Integrity::Missing;
        };
        let covered = &self.bytes[..attribute.offset - 4];
        match integrity_mac(key, covered).map(|mac| mac.verify_slice(attribute.value)) {
            Some(Ok(())) => Integrity::Valid,
            Some(Err(_)) | None => Integrity::Wrong,
        }
    }

    fn read<T>(
        &self,
        kind: AttributeType,
        read: impl FnOnce(&'a [u8]) -> Option<T>,
    ) -> Result<Option<T>, Malformed> {
        let Some(attribute) = self.attribute(kind) else { return Ok(None) };
        read(attribute.value).map(Some).ok_or(Malformed::Attribute(kind))
    }

    fn check_attributes(&self) -> Result<(), Malformed> {
        let mut walk = Walk { bytes: self.bytes, at: HEADER_LEN };
        for count in 0.. {
            let Some(attribute) = walk.next() else { break };
            let attribute = attribute?;
            if count == MAX_ATTRIBUTES {
                return Err(Malformed::TooManyAttributes);
            }
            if attribute.kind == AttributeType::FINGERPRINT {
                let covered = &self.bytes[..attribute.offset - 4];
                let is_last = attribute.offset + attribute.value.len() == self.bytes.len();
                if !is_last || attribute.value != fingerprint(covered).to_be_bytes() {
                    return Err(Malformed::Fingerprint);
                }
            }
        }
        Ok(())
    }
}

/// The HMAC over a message up to MESSAGE-INTEGRITY, its length field counting up to the end of that attribute.
pub(crate) fn integrity_mac(key: &[u8], covered: &[u8]) -> Option<Hmac<Sha1>> {
    let length = u16::try_from((covered.len() + 24).checked_sub(HEADER_LEN)?).ok()?;
    let mut mac = Hmac::<Sha1>::new_from_slice(key).ok()?;
    mac.update(&covered[..2]);
    mac.update(&length.to_be_bytes());
    mac.update(&covered[4..]);
    Some(mac)
}

/// FINGERPRINT of the bytes before it (RFC 8489 §14.7); their length field already counts it.
pub(crate) fn fingerprint(covered: &[u8]) -> u32 {
    crc32(covered) ^ 0x5354_554E
}

/// Steps through attributes; stops for good after the first that runs over the end.
struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Iterator for Walk<'a> {
    type Item = Result<RawAttribute<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.bytes.get(self.at..).filter(|rest| !rest.is_empty())?;
        let attribute = match rest {
            [t0, t1, l0, l1, value @ ..] => {
                let length = usize::from(u16::from_be_bytes([*l0, *l1]));
                value.get(..length).map(|value| RawAttribute {
                    kind: AttributeType(u16::from_be_bytes([*t0, *t1])),
                    value,
                    offset: self.at + 4,
                })
            }
            _ => None,
        };
        match attribute {
            Some(attribute) => {
                self.at = attribute.offset + attribute.value.len().next_multiple_of(4);
                Some(Ok(attribute))
            }
            None => {
                self.at = self.bytes.len();
                Some(Err(Malformed::Truncated))
            }
        }
    }
}
