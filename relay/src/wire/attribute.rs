//! Attribute types and the error codes they carry.

/// The 16-bit type of an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttributeType(pub u16);

impl AttributeType {
    /// RFC 8489 §14.1; only read, from servers older than RFC 5389.
    pub const MAPPED_ADDRESS: Self = Self(0x0001);
    /// RFC 8489 §14.3.
    pub const USERNAME: Self = Self(0x0006);
    /// RFC 8489 §14.5.
    pub const MESSAGE_INTEGRITY: Self = Self(0x0008);
    /// RFC 8489 §14.8.
    pub const ERROR_CODE: Self = Self(0x0009);
    /// RFC 8489 §14.13.
    pub const UNKNOWN_ATTRIBUTES: Self = Self(0x000A);
    /// RFC 5780 §7.2.
    pub const CHANGE_REQUEST: Self = Self(0x0003);
    /// RFC 8656 §18.1.
    pub const CHANNEL_NUMBER: Self = Self(0x000C);
    /// RFC 8656 §18.2.
    pub const LIFETIME: Self = Self(0x000D);
    /// RFC 8656 §18.3.
    pub const XOR_PEER_ADDRESS: Self = Self(0x0012);
    /// RFC 8656 §18.4.
    pub const DATA: Self = Self(0x0013);
    /// RFC 8489 §14.9.
    pub const REALM: Self = Self(0x0014);
    /// RFC 8489 §14.10.
    pub const NONCE: Self = Self(0x0015);
    /// RFC 8656 §18.5.
    pub const XOR_RELAYED_ADDRESS: Self = Self(0x0016);
    /// RFC 8656 §18.6.
    pub const REQUESTED_ADDRESS_FAMILY: Self = Self(0x0017);
    /// RFC 8656 §18.7.
    pub const EVEN_PORT: Self = Self(0x0018);
    /// RFC 8656 §18.8.
    pub const REQUESTED_TRANSPORT: Self = Self(0x0019);
    /// RFC 8656 §18.9; refused with 420.
    pub const DONT_FRAGMENT: Self = Self(0x001A);
    /// RFC 8489 §14.2.
    pub const XOR_MAPPED_ADDRESS: Self = Self(0x0020);
    /// RFC 8656 §18.10; refused with 420.
    pub const RESERVATION_TOKEN: Self = Self(0x0022);
    /// RFC 8445 §7.1.1; an ICE agent's check may reach us as a plain Binding request.
    pub const PRIORITY: Self = Self(0x0024);
    /// RFC 8445 §7.1.2.
    pub const USE_CANDIDATE: Self = Self(0x0025);
    /// RFC 5780 §7.6.
    pub const PADDING: Self = Self(0x0026);
    /// RFC 8656 §18.11.
    pub const ADDITIONAL_ADDRESS_FAMILY: Self = Self(0x8000);
    /// RFC 8656 §18.12.
    pub const ADDRESS_ERROR_CODE: Self = Self(0x8001);
    /// RFC 8489 §14.14; comprehension-optional, so it also serves as ballast that every server skips.
    pub const SOFTWARE: Self = Self(0x8022);
    /// RFC 8489 §14.15.
    pub const ALTERNATE_SERVER: Self = Self(0x8023);
    /// RFC 5780 §7.3.
    pub const RESPONSE_ORIGIN: Self = Self(0x802B);
    /// RFC 5780 §7.4.
    pub const OTHER_ADDRESS: Self = Self(0x802C);
    /// RFC 8489 §14.7.
    pub const FINGERPRINT: Self = Self(0x8028);

    /// Whether who does not know it must refuse the message (RFC 8489 §14).
    pub const fn is_comprehension_required(self) -> bool {
        self.0 < 0x8000
    }
}

/// One attribute as it lies in a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawAttribute<'a> {
    /// Its type.
    pub kind: AttributeType,
    /// Its value without padding.
    pub value: &'a [u8],
    /// Where the value starts in the message.
    pub offset: usize,
}

/// What EVEN-PORT says (RFC 8656 §18.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EvenPort {
    /// An even port.
    Alone,
    /// An even port, and the one above it kept for a second allocation.
    ReserveNext,
}

/// The numbers of ERROR-CODE (RFC 8489 §14.8, RFC 8656 §19).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorCode(pub u16);

impl ErrorCode {
    /// Ask the server in ALTERNATE-SERVER.
    pub const TRY_ALTERNATE: Self = Self(300);
    /// The request was malformed.
    pub const BAD_REQUEST: Self = Self(400);
    /// Authenticate, or authenticate better.
    pub const UNAUTHENTICATED: Self = Self(401);
    /// Refused by policy.
    pub const FORBIDDEN: Self = Self(403);
    /// A comprehension-required attribute is not supported.
    pub const UNKNOWN_ATTRIBUTE: Self = Self(420);
    /// No allocation where one is needed, or one where none may be.
    pub const ALLOCATION_MISMATCH: Self = Self(437);
    /// Ask again with the nonce in this reply.
    pub const STALE_NONCE: Self = Self(438);
    /// Addresses of this family cannot be had.
    pub const ADDRESS_FAMILY_NOT_SUPPORTED: Self = Self(440);
    /// The allocation belongs to somebody else.
    pub const WRONG_CREDENTIALS: Self = Self(441);
    /// Only UDP is relayed.
    pub const UNSUPPORTED_TRANSPORT: Self = Self(442);
    /// The peer's family is not that of the relayed address.
    pub const PEER_ADDRESS_FAMILY_MISMATCH: Self = Self(443);
    /// This user or this network holds enough already.
    pub const ALLOCATION_QUOTA_REACHED: Self = Self(486);
    /// The relay is full.
    pub const INSUFFICIENT_CAPACITY: Self = Self(508);
}
