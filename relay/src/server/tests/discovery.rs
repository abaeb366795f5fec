//! Two supernodes answer for each other (RFC 5780).

use super::*;

const KEY: [u8; 32] = [3; 32];
const THIS: &str = "8.8.8.8:3478";
const OTHER: &str = "9.9.9.9:3479";

#[test]
fn rfc_5780_6_1_the_partner_answers_from_its_own_address() {
    let (mut this, mut other) = (server(THIS, OTHER), server(OTHER, THIS));
    let now = crate::fixture::now();
    this.handle_client(now, ADA.parse().unwrap(), &change_request(6));
    let wish = this.poll_transmit().unwrap();
    assert_eq!(wish.to, OTHER.parse().unwrap());
    assert_eq!(this.poll_transmit(), None, "no answer from here");
    other.handle_client(now, THIS.parse().unwrap(), &wish.payload);
    let answer = other.poll_transmit().unwrap();
    assert_eq!((answer.via, answer.to), (Via::Listener, ADA.parse().unwrap()));
    let answer = parse(&answer.payload).unwrap();
    assert_eq!((answer.class(), answer.transaction()), (Class::Success, ID));
    assert_eq!(answer.mapped_address(), Ok(Some(ADA.parse().unwrap())));
    assert_eq!(answer.plain_address(AttributeType::RESPONSE_ORIGIN), Ok(Some(OTHER.parse().unwrap())));
}

#[test]
fn a_wish_from_elsewhere_under_another_key_or_too_late_is_not_followed() {
    let now = crate::fixture::now();
    let mut this = server(THIS, OTHER);
    this.handle_client(now, ADA.parse().unwrap(), &change_request(6));
    let wish = this.poll_transmit().unwrap().payload;
    let follows = |other: &mut Server, now: Now, from: &str| {
        other.handle_client(now, from.parse().unwrap(), &wish);
        other.poll_transmit().is_some()
    };
    assert!(!follows(&mut server(OTHER, THIS), now, BOB), "from elsewhere");
    let late = now.after(Duration::from_secs(11));
    assert!(!follows(&mut server(OTHER, THIS), late, THIS), "too late");
    let mut stranger = server(OTHER, THIS);
    stranger.config.partner = Some(Partner { address: THIS.parse().unwrap(), key: [4; 32] });
    assert!(!follows(&mut stranger, now, THIS), "another key");
    assert!(follows(&mut server(OTHER, THIS), now, THIS));
}

#[test]
fn rfc_5780_7_2_changing_one_of_both_or_without_a_partner_is_420() {
    let alone = || World::new(PeerPolicy::Public).server;
    for (mut server, flags) in [(server(THIS, OTHER), 2), (server(THIS, OTHER), 4), (alone(), 6)] {
        server.handle_client(crate::fixture::now(), ADA.parse().unwrap(), &change_request(flags));
        let reply = server.poll_transmit().unwrap();
        assert_eq!(parse(&reply.payload).unwrap().error_code(), Ok(Some(ErrorCode::UNKNOWN_ATTRIBUTE)));
    }
}

#[test]
fn rfc_5780_7_4_other_address_is_for_requests_that_have_paid_for_it() {
    let mut this = server(THIS, OTHER);
    for (length, told) in [(20, None), (80, Some(OTHER.parse().unwrap()))] {
        let request = MessageBuilder::new(Class::Request, Method::Binding, ID).pad_to(length);
        this.handle_client(
            crate::fixture::now(),
            ADA.parse().unwrap(),
            &request.finish(Fingerprint::Without),
        );
        let reply = this.poll_transmit().unwrap().payload;
        assert_eq!(parse(&reply).unwrap().plain_address(AttributeType::OTHER_ADDRESS), Ok(told));
    }
}

fn server(at: &str, partner: &str) -> Server {
    let address = partner.parse().unwrap();
    let partner = Some(Partner { address, key: KEY });
    let config = ServerConfig { partner, ..ServerConfig::new(at.parse().unwrap(), SECRET, [1; 32]) };
    Server::new(config, at.parse().unwrap(), crate::fixture::now())
}

fn change_request(flags: u8) -> Vec<u8> {
    MessageBuilder::new(Class::Request, Method::Binding, ID)
        .attribute(AttributeType::CHANGE_REQUEST, &[0, 0, 0, flags])
        .finish(Fingerprint::Without)
}
