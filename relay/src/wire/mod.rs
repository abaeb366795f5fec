//! STUN messages (RFC 8489) and ChannelData (RFC 8656 §12.4) as bytes.

/// Whether a datagram can only be STUN: the two top bits are zero and the magic cookie is in place (RFC 8489 §5).
pub fn is_stun(datagram: &[u8]) -> bool {
    datagram.len() >= 20 && datagram[0] & 0xC0 == 0 && datagram[4..8] == [0x21, 0x12, 0xA4, 0x42]
}
