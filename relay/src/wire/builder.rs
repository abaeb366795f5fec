//! The writer of STUN messages.

use std::net::SocketAddr;
use std::time::Duration;

use hmac::Mac;

use super::address::{self, AddressFamily};
use super::attribute::{AttributeType, ErrorCode};
use super::channel_data::ChannelNumber;
use super::message::{Class, Method, TransactionId, fingerprint, integrity_mac};
use super::{HEADER_LEN, MAGIC_COOKIE};

/// Whether a message ends with FINGERPRINT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fingerprint {
    /// Eight bytes more; needed where STUN shares a port with other protocols.
    With,
    /// Shorter.
    Without,
}

/// Builds one message, attribute by attribute.
///
/// An attribute that would push the message past what its length field can say (65,535 bytes) is left out; no datagram
/// is that long, and who sends payloads checks their length before.
#[derive(Clone, Debug)]
pub struct MessageBuilder {
    bytes: Vec<u8>,
    transaction: TransactionId,
}

impl MessageBuilder {
    /// A message without attributes.
    pub fn new(class: Class, method: Method, transaction: TransactionId) -> Self {
        let mut bytes = Vec::with_capacity(160);
        bytes.extend_from_slice(&(class.bits() | method.bits()).to_be_bytes());
        bytes.extend_from_slice(&[0, 0]);
        bytes.extend_from_slice(&MAGIC_COOKIE);
        bytes.extend_from_slice(&transaction.0);
        Self { bytes, transaction }
    }

    /// Any attribute, by its bytes.
    pub fn attribute(mut self, kind: AttributeType, value: &[u8]) -> Self {
        let padded = value.len().next_multiple_of(4);
        let end = self.bytes.len() + 4 + padded;
        let Ok(length) = u16::try_from(value.len()) else { return self };
        if u16::try_from(end - HEADER_LEN).is_err() {
            return self;
        }
        self.bytes.extend_from_slice(&kind.0.to_be_bytes());
        self.bytes.extend_from_slice(&length.to_be_bytes());
        self.bytes.extend_from_slice(value);
        self.bytes.resize(end, 0);
        self
    }

    /// An attribute that is text.
    pub fn text(self, kind: AttributeType, value: &str) -> Self {
        self.attribute(kind, value.as_bytes())
    }

    /// An attribute that is a XOR-ed transport address.
    pub fn xor_address(self, kind: AttributeType, address: SocketAddr) -> Self {
        let value = address::encode_xor(address, self.transaction);
        self.attribute(kind, &value)
    }

    /// An attribute that is a transport address in the clear.
    pub fn plain_address(self, kind: AttributeType, address: SocketAddr) -> Self {
        self.attribute(kind, &address::encode_plain(address))
    }

    /// ERROR-CODE without a reason phrase: the number says it, and replies to strangers stay short.
    pub fn error_code(self, code: ErrorCode) -> Self {
        let class = u8::try_from(code.0 / 100 % 8).unwrap_or(0);
        let number = u8::try_from(code.0 % 100).unwrap_or(0);
        self.attribute(AttributeType::ERROR_CODE, &[0, 0, class, number])
    }

    /// UNKNOWN-ATTRIBUTES.
    pub fn unknown_attributes(self, unknown: &[AttributeType]) -> Self {
        let value: Vec<u8> = unknown.iter().flat_map(|kind| kind.0.to_be_bytes()).collect();
        self.attribute(AttributeType::UNKNOWN_ATTRIBUTES, &value)
    }

    /// LIFETIME, in whole seconds.
    pub fn lifetime(self, lifetime: Duration) -> Self {
        let seconds = u32::try_from(lifetime.as_secs()).unwrap_or(u32::MAX);
        self.attribute(AttributeType::LIFETIME, &seconds.to_be_bytes())
    }

    /// CHANNEL-NUMBER.
    pub fn channel_number(self, channel: ChannelNumber) -> Self {
        let [high, low] = channel.get().to_be_bytes();
        self.attribute(AttributeType::CHANNEL_NUMBER, &[high, low, 0, 0])
    }

    /// REQUESTED-TRANSPORT, an IP protocol number.
    pub fn requested_transport(self, protocol: u8) -> Self {
        self.attribute(AttributeType::REQUESTED_TRANSPORT, &[protocol, 0, 0, 0])
    }

    /// REQUESTED-ADDRESS-FAMILY.
    pub fn requested_family(self, family: AddressFamily) -> Self {
        self.attribute(AttributeType::REQUESTED_ADDRESS_FAMILY, &[family.to_byte(), 0, 0, 0])
    }

    /// ADDITIONAL-ADDRESS-FAMILY.
    pub fn additional_family(self, family: AddressFamily) -> Self {
        self.attribute(AttributeType::ADDITIONAL_ADDRESS_FAMILY, &[family.to_byte(), 0, 0, 0])
    }

    /// ADDRESS-ERROR-CODE: why there is no address of this family.
    pub fn address_error(self, family: AddressFamily, code: ErrorCode) -> Self {
        let class = u8::try_from(code.0 / 100 % 8).unwrap_or(0);
        let number = u8::try_from(code.0 % 100).unwrap_or(0);
        self.attribute(AttributeType::ADDRESS_ERROR_CODE, &[family.to_byte(), 0, class, number])
    }

    /// Fills the message up to `length` bytes in total with an attribute every receiver skips, so that the reply need
    /// not be longer than the request. Does nothing when it is that long already.
    pub fn pad_to(self, length: usize) -> Self {
        let Some(missing) = length.checked_sub(self.bytes.len() + 4) else { return self };
        let ballast = vec![b' '; missing.min(MAX_SOFTWARE)];
        self.attribute(AttributeType::SOFTWARE, &ballast)
    }

    /// The message without integrity.
    pub fn finish(self, end: Fingerprint) -> Vec<u8> {
        match end {
            Fingerprint::With => self.with_fingerprint(),
            Fingerprint::Without => self.with_length(),
        }
    }

    /// The message sealed with MESSAGE-INTEGRITY under `key`.
    pub fn seal(self, key: &[u8], end: Fingerprint) -> Vec<u8> {
        let mac = integrity_mac(key, &self.bytes).map(|mac| mac.finalize().into_bytes());
        match mac {
            Some(mac) => self.attribute(AttributeType::MESSAGE_INTEGRITY, &mac).finish(end),
            None => self.finish(end),
        }
    }

    fn with_fingerprint(self) -> Vec<u8> {
        // The length field counts FINGERPRINT while it is computed.
        let unsigned = self.attribute(AttributeType::FINGERPRINT, &[0; 4]).with_length();
        let at = unsigned.len() - 8;
        let mut signed = unsigned;
        let crc = fingerprint(&signed[..at]);
        signed[at + 4..].copy_from_slice(&crc.to_be_bytes());
        signed
    }

    fn with_length(mut self) -> Vec<u8> {
        let length = u16::try_from(self.bytes.len() - HEADER_LEN).unwrap_or(u16::MAX);
        self.bytes[2..4].copy_from_slice(&length.to_be_bytes());
        self.bytes
    }
}

/// SOFTWARE holds at most 128 characters (RFC 8489 §14.14).
const MAX_SOFTWARE: usize = 128;
