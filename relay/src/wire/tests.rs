//! The vectors of RFC 5769, a differential test against `stun-rs`, and malformed input.

use std::net::{IpAddr, SocketAddr};

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use stun_rs::attributes::{stun, turn};
use stun_rs::{
    Algorithm, AlgorithmId, DecoderContextBuilder, HMACKey, MessageClass, MessageDecoderBuilder,
    MessageEncoderBuilder, StunMessageBuilder, methods,
};

use super::*;

const SHORT_TERM_PASSWORD: &[u8] = b"VOkJxbRl1RmTxUk/WvJxBt";

#[test]
fn rfc_5769_2_1_sample_request() {
    let bytes = hex(REQUEST);
    let message = parse(&bytes).unwrap();
    assert_eq!((message.class(), message.method()), (Class::Request, Method::Binding));
    assert_eq!(message.text(AttributeType::USERNAME), Ok(Some("evtj:h6vY")));
    assert_eq!(message.text(AttributeType::SOFTWARE), Ok(Some("STUN test client")));
    assert_eq!(message.integrity(SHORT_TERM_PASSWORD), Integrity::Valid);
    assert_eq!(message.integrity(b"another"), Integrity::Wrong);
}

#[test]
fn rfc_5769_2_2_and_2_3_sample_responses() {
    for (sample, mapped) in
        [(RESPONSE_V4, "192.0.2.1:32853"), (RESPONSE_V6, "[2001:db8:1234:5678:11:2233:4455:6677]:32853")]
    {
        let bytes = hex(sample);
        let message = parse(&bytes).unwrap();
        assert_eq!((message.class(), message.method()), (Class::Success, Method::Binding));
        assert_eq!(message.mapped_address(), Ok(Some(mapped.parse().unwrap())));
        assert_eq!(message.integrity(SHORT_TERM_PASSWORD), Integrity::Valid);
    }
}

#[test]
fn rfc_5769_2_4_request_with_long_term_authentication() {
    let bytes = hex(LONG_TERM_REQUEST);
    let message = parse(&bytes).unwrap();
    let username = message.text(AttributeType::USERNAME).unwrap().unwrap();
    let realm = message.text(AttributeType::REALM).unwrap().unwrap();
    assert_eq!((username, realm), ("\u{30DE}\u{30C8}\u{30EA}\u{30C3}\u{30AF}\u{30B9}", "example.org"));
    assert_eq!(message.integrity(&long_term_key(username, realm, "TheMatrIX")), Integrity::Valid);
    assert_eq!(message.integrity(&long_term_key(username, realm, "thematrix")), Integrity::Wrong);
}

#[test]
fn rfc_5769_2_4_is_what_the_builder_writes() {
    let bytes = hex(LONG_TERM_REQUEST);
    let sample = parse(&bytes).unwrap();
    let username = sample.text(AttributeType::USERNAME).unwrap().unwrap();
    let built = MessageBuilder::new(Class::Request, Method::Binding, sample.transaction())
        .text(AttributeType::USERNAME, username)
        .text(AttributeType::NONCE, "f//499k954d6OL34oL9FSTvy64sA")
        .text(AttributeType::REALM, "example.org")
        .seal(&long_term_key(username, "example.org", "TheMatrIX"), Fingerprint::Without);
    assert_eq!(built, bytes);
}

#[test]
fn every_truncation_and_every_flipped_bit_of_a_sealed_message_is_refused() {
    for sample in [REQUEST, RESPONSE_V4, RESPONSE_V6] {
        let bytes = hex(sample);
        for length in 0..bytes.len() {
            assert!(parse(&bytes[..length]).is_err(), "{length} bytes");
        }
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            // A flip in a type or length can hide one seal, never both.
            let is_believed = parse(&flipped).is_ok_and(|message| {
                message.attribute(AttributeType::FINGERPRINT).is_some()
                    && message.integrity(SHORT_TERM_PASSWORD) == Integrity::Valid
            });
            assert!(!is_believed, "bit {bit}");
        }
    }
}

#[test]
fn attributes_after_message_integrity_do_not_count() {
    let transaction = TransactionId([1; 12]);
    let sealed =
        MessageBuilder::new(Class::Request, Method::Refresh, transaction).seal(b"key", Fingerprint::Without);
    let mut smuggled = sealed.clone();
    smuggled.extend_from_slice(&[0x00, 0x0D, 0, 4, 0, 0, 0, 0]);
    smuggled[3] += 8;
    let message = parse(&smuggled).unwrap();
    assert_eq!(message.lifetime(), Ok(None));
    assert_eq!(message.integrity(b"key"), Integrity::Valid);
}

#[test]
fn attributes_that_break_their_format_are_malformed_and_not_absent() {
    let broken = |kind, value: &[u8]| {
        MessageBuilder::new(Class::Request, Method::Allocate, TransactionId([0; 12]))
            .attribute(kind, value)
            .finish(Fingerprint::Without)
    };
    for value in [&[][..], &[0], &[0, 1, 0, 0, 1, 2, 3], &[0, 3, 0, 0, 1, 2, 3, 4], &[0, 2, 0, 0, 1, 2, 3, 4]]
    {
        let bytes = broken(AttributeType::XOR_PEER_ADDRESS, value);
        let message = parse(&bytes).unwrap();
        assert!(message.xor_address(AttributeType::XOR_PEER_ADDRESS).is_err(), "{value:?}");
        assert!(message.peer_addresses().all(|peer| peer.is_err()));
    }
    let bytes = broken(AttributeType::USERNAME, &[0xFF, 0xFE]);
    assert!(parse(&bytes).unwrap().text(AttributeType::USERNAME).is_err());
    let bytes = broken(AttributeType::ERROR_CODE, &[0, 0, 7, 1]);
    assert!(parse(&bytes).unwrap().error_code().is_err());
    let bytes = broken(AttributeType::CHANNEL_NUMBER, &[0x3F, 0xFF, 0, 0]);
    assert!(parse(&bytes).unwrap().channel_number().is_err());
}

#[test]
fn a_message_of_more_attributes_than_we_read_is_refused() {
    let message = MessageBuilder::new(Class::Request, Method::Binding, TransactionId([0; 12]));
    let crowded = (0..65).fold(message, |message, _| message.attribute(AttributeType::SOFTWARE, b""));
    assert_eq!(parse(&crowded.finish(Fingerprint::Without)).unwrap_err(), Malformed::TooManyAttributes);
}

#[test]
fn channel_data_comes_back_with_and_without_padding_and_is_refused_when_cut() {
    let channel = ChannelNumber::FIRST;
    let mut bytes = ChannelData { channel, payload: b"hello" }.encode().unwrap();
    assert_eq!(bytes, b"\x40\x00\x00\x05hello");
    for length in 0..bytes.len() {
        assert!(ChannelData::parse(&bytes[..length]).is_err());
    }
    bytes.extend_from_slice(&[0; 3]);
    assert_eq!(ChannelData::parse(&bytes), Ok(ChannelData { channel, payload: b"hello" }));
    assert!(ChannelData::parse(b"\x80\x00\x00\x00").is_err());
    assert_eq!(ChannelData { channel, payload: &[0; 65_536] }.encode(), None);
}

#[test]
fn an_attribute_that_does_not_fit_the_length_field_is_left_out() {
    let built = MessageBuilder::new(Class::Indication, Method::Send, TransactionId([0; 12]))
        .attribute(AttributeType::DATA, &[0; 65_535])
        .attribute(AttributeType::DATA, &[0; 65_536])
        .attribute(AttributeType::DATA, b"fits")
        .finish(Fingerprint::With);
    let message = parse(&built).unwrap();
    assert_eq!(message.attribute(AttributeType::DATA).unwrap().value, b"fits");
}

#[test]
fn padding_fills_up_to_the_length_asked_for() {
    for length in [0, 20, 24, 44, 76, 120] {
        let padded = MessageBuilder::new(Class::Request, Method::Binding, TransactionId([0; 12]))
            .pad_to(length)
            .finish(Fingerprint::Without);
        assert_eq!(padded.len(), length.max(20), "{length}");
        parse(&padded).unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(5769), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_whatever_make_a_parser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        read_everything(&bytes);
    }

    #[test]
    fn no_bytes_behind_a_good_header_make_a_parser_panic(
        kind in 0u16..0x4000,
        words in proptest::collection::vec(prop_oneof![any::<u32>(), (0u32..0x40).prop_map(|kind| kind << 16 | 4)], 0..40),
    ) {
        let body: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
        let mut bytes = kind.to_be_bytes().to_vec();
        bytes.extend_from_slice(&u16::try_from(body.len()).unwrap().to_be_bytes());
        bytes.extend_from_slice(&MAGIC_COOKIE);
        bytes.extend_from_slice(&[9; 12]);
        bytes.extend_from_slice(&body);
        read_everything(&bytes);
    }

    #[test]
    fn stun_rs_reads_what_we_write(
        transaction: [u8; 12], peer: (IpAddr, u16), lifetime: u32, channel in 0x4000u16..0x5000,
        name in "[a-z0-9]{1,30}", nonce in "[a-f0-9]{1,40}", payload: Vec<u8>,
    ) {
        let peer = SocketAddr::from(peer);
        let key = long_term_key(&name, "silbo", "password");
        let built = MessageBuilder::new(Class::Request, Method::ChannelBind, TransactionId(transaction))
            .xor_address(AttributeType::XOR_PEER_ADDRESS, peer)
            .lifetime(std::time::Duration::from_secs(lifetime.into()))
            .channel_number(ChannelNumber::new(channel).unwrap())
            .attribute(AttributeType::DATA, &payload)
            .text(AttributeType::USERNAME, &name)
            .text(AttributeType::REALM, "silbo")
            .text(AttributeType::NONCE, &nonce)
            .seal(&key, Fingerprint::With);
        let oracle_key = HMACKey::new_long_term(&name, "silbo", "password", Algorithm::from(AlgorithmId::MD5)).unwrap();
        let context = DecoderContextBuilder::default().with_key(oracle_key).with_validation().build();
        let decoder = MessageDecoderBuilder::default().with_context(context).build();
        let (read, length) = decoder.decode(&built).unwrap();
        prop_assert_eq!(length, built.len());
        prop_assert_eq!(read.method(), methods::CHANNEL_BIND);
        prop_assert_eq!(read.class(), MessageClass::Request);
        prop_assert_eq!(read.transaction_id().as_bytes(), &transaction);
        let read_peer = read.get::<turn::XorPeerAddress>().unwrap().as_xor_peer_address().unwrap();
        prop_assert_eq!(read_peer.socket_address(), &peer);
        prop_assert_eq!(read.get::<turn::LifeTime>().unwrap().as_life_time().unwrap(), &lifetime);
        let number = read.get::<turn::ChannelNumber>().unwrap().as_channel_number().unwrap().number();
        prop_assert_eq!(number, channel);
        prop_assert_eq!(read.get::<turn::Data>().unwrap().as_data().unwrap().as_bytes(), &payload[..]);
    }

    #[test]
    fn we_read_what_stun_rs_writes(
        transaction: [u8; 12], mapped: (IpAddr, u16), relayed: (IpAddr, u16), lifetime: u32, name in "[a-z0-9]{1,30}",
    ) {
        let (mapped, relayed) = (SocketAddr::from(mapped), SocketAddr::from(relayed));
        let oracle_key = HMACKey::new_long_term(&name, "silbo", "password", Algorithm::from(AlgorithmId::MD5)).unwrap();
        let message = StunMessageBuilder::new(methods::ALLOCATE, MessageClass::SuccessResponse)
            .with_transaction_id(transaction.into())
            .with_attribute(stun::XorMappedAddress::from(mapped))
            .with_attribute(turn::XorRelayedAddress::from(relayed))
            .with_attribute(turn::LifeTime::from(lifetime))
            .with_attribute(stun::UserName::new(&name).unwrap())
            .with_attribute(stun::MessageIntegrity::new(oracle_key))
            .with_attribute(stun::Fingerprint::default())
            .build();
        let mut buffer = [0; 500];
        let length = MessageEncoderBuilder::default().build().encode(&mut buffer, &message).unwrap();
        let read = parse(&buffer[..length]).unwrap();
        prop_assert_eq!((read.class(), read.method()), (Class::Success, Method::Allocate));
        prop_assert_eq!(read.transaction(), TransactionId(transaction));
        prop_assert_eq!(read.mapped_address(), Ok(Some(mapped)));
        prop_assert_eq!(read.xor_address(AttributeType::XOR_RELAYED_ADDRESS), Ok(Some(relayed)));
        prop_assert_eq!(read.lifetime(), Ok(Some(std::time::Duration::from_secs(lifetime.into()))));
        prop_assert_eq!(read.text(AttributeType::USERNAME), Ok(Some(&name[..])));
        prop_assert_eq!(read.integrity(&long_term_key(&name, "silbo", "password")), Integrity::Valid);
    }
}

/// Every accessor on whatever parses.
fn read_everything(bytes: &[u8]) {
    let _ = is_stun(bytes);
    let _ = ChannelData::parse(bytes);
    let Ok(message) = parse(bytes) else { return };
    assert!(is_stun(bytes));
    for attribute in message.attributes() {
        let end = attribute.offset + attribute.value.len();
        assert_eq!(&bytes[attribute.offset..end], attribute.value);
        let _ = message.text(attribute.kind);
        let _ = message.xor_address(attribute.kind);
    }
    let _ = message.mapped_address();
    let _ = message.error_code();
    let _ = message.lifetime();
    let _ = message.channel_number();
    let _ = message.requested_transport();
    let _ = message.requested_family();
    let _ = message.even_port();
    let _ = message.integrity(b"key");
    let _ = message.unknown_attributes().count();
    let _ = message.peer_addresses().count();
    let _ = message.not_understood(&[]);
}

fn hex(text: &str) -> Vec<u8> {
    let digits: String = text.split_whitespace().collect();
    data_encoding::HEXLOWER.decode(digits.as_bytes()).unwrap()
}

const REQUEST: &str = "00010058 2112a442 b7e7a701bc34d686fa87dfae 80220010 5354554e207465737420636c69656e74
    00240004 6e0001ff 80290008 932ff9b151263b36 00060009 6576746a3a68367659202020
    00080014 9aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2 80280004 e57a3bcf";
const RESPONSE_V4: &str = "0101003c 2112a442 b7e7a701bc34d686fa87dfae 8022000b 7465737420766563746f7220
    00200008 0001a147e112a643 00080014 2b91f599fd9e90c38c7489f92af9ba53f06be7d7 80280004 c07d4c96";
const RESPONSE_V6: &str = "01010048 2112a442 b7e7a701bc34d686fa87dfae 8022000b 7465737420766563746f7220
    00200014 0002a1470113a9faa5d3f179bc25f4b5bed2b9d9
    00080014 a382954e4be67bf11784c97c8292c275bfe3ed41 80280004 c8fb0b4c";
const LONG_TERM_REQUEST: &str = "00010060 2112a442 78ad3433c6ad72c029da412e
    00060012 e3839ee38388e383aae38383e382afe382b90000
    0015001c 662f2f3439396b39353464364f4c33346f4c39465354767936347341
    0014000b 6578616d706c652e6f726700 00080014 f67024656dd64a3e02b8e0712e85c9a28ca89666";
