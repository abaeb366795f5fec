//! Between [`Description`] and SDP (RFC 8866, RFC 8839): `rtc` speaks SDP, envelopes do not.
//!
//! Our ends always agree on the same media, so the SDP of the other end is a template: one audio section (Opus, payload
//! type 111, and RED with Opus inside, 63), one video section (VP8 and VP9, each with its retransmissions), one data-channel section, bundled,
//! multiplexed, trickling. Only user name, password, fingerprint, setup and, by the role, the SSRCs differ. SDP of a stock
//! end is given to `rtc` as it came.

use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};

use super::description::{Candidate, CandidateKind, Description, Fingerprint, Malformed, Setup, Token};
use crate::video::vpx::Codec;
use crate::voice::Room;

/// Longest SDP of a stock end that is read; a browser's audio offer has about 3 kB.
pub(super) const MAX_SDP: usize = 64 * 1024;

/// Opus and RED (RFC 2198), as every WebRTC end numbers them.
pub(super) const OPUS: u8 = 111;
pub(super) const RED: u8 = 63;

/// The shortest packets we send, in milliseconds.
const SHORT_FRAME: f32 = 10.0;

/// Opus that was sent before, between our ends; no SDP names it: who takes it says so on the control channel.
pub(super) const REPEAT: u8 = 62;

/// Payload types of pictures between our ends, each with that of its retransmissions (RFC 4588); the first is spoken.
pub(super) const VIDEO_FORMATS: [(Codec, u8, u8); 2] = [(Codec::Vp8, 96, 97), (Codec::Vp9, 98, 99)];

/// The header extension that numbers packets across streams.
pub(super) const NUMBERED: &str = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";

/// SSRCs between our ends: whoever offers and whoever answers never have the same, so that no collision
/// (RFC 3550 §8.2) is to be resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Streams {
    pub(super) voice: u32,
    pub(super) video: u32,
    /// Retransmissions of `video`.
    pub(super) repeats: u32,
}

impl Streams {
    /// Of the end that plays this role.
    pub(super) const fn of(role: Role) -> Self {
        match role {
            Role::Offer => Self { voice: 1, video: 2, repeats: 3 },
            Role::Answer => Self { voice: 11, video: 12, repeats: 13 },
        }
    }
}

/// Which of the two roles of RFC 3264 a description plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Speaks first.
    Offer,
    /// Speaks second.
    Answer,
}

/// The SDP `rtc` is shown for an end of our own kind.
pub(super) fn remote(description: &Description, role: Role) -> String {
    let Description { ufrag, password, fingerprint, setup, .. } = description;
    let setup = match (role, setup) {
        (Role::Offer, _) => "actpass",
        (Role::Answer, Setup::Passive) => "passive",
        (Role::Answer, Setup::Active | Setup::ActPass) => "active",
    };
    let fingerprint = fingerprint.0.iter().fold(String::with_capacity(96), |mut text, byte| {
        let colon = if text.is_empty() { "" } else { ":" };
        let _ = write!(text, "{colon}{byte:02X}");
        text
    });
    let transport = format!(
        "c=IN IP4 0.0.0.0\r\na=ice-ufrag:{}\r\na=ice-pwd:{}\r\na=ice-options:trickle\r\n\
         a=fingerprint:sha-256 {fingerprint}\r\na=setup:{setup}\r\n",
        ufrag.as_str(),
        password.as_str(),
    );
    let Streams { voice, video, repeats } = Streams::of(role);
    let numbers = VIDEO_FORMATS.map(|(_, number, repeats)| format!("{number} {repeats}")).join(" ");
    format!(
        "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1 2\r\na=msid-semantic: WMS *\r\n\
         m=audio 9 UDP/TLS/RTP/SAVPF {OPUS} {RED}\r\n{transport}a=mid:0\r\na=sendrecv\r\na=rtcp-mux\r\na=rtcp-rsize\r\n\
         a=extmap:1 {NUMBERED}\r\na=rtpmap:{OPUS} opus/48000/2\r\na=fmtp:{OPUS} minptime=10;useinbandfec=1\r\n\
         a=rtpmap:{RED} red/48000/2\r\na=fmtp:{RED} {OPUS}/{OPUS}\r\n\
         a=ssrc:{voice} cname:silbo\r\na=ssrc:{voice} msid:silbo voice\r\n\
         m=video 9 UDP/TLS/RTP/SAVPF {numbers}\r\n{transport}a=mid:1\r\na=sendrecv\r\na=rtcp-mux\r\na=rtcp-rsize\r\n\
         a=extmap:1 {NUMBERED}\r\n{}a=ssrc-group:FID {video} {repeats}\r\n\
         a=ssrc:{video} cname:silbo\r\na=ssrc:{video} msid:silbo video\r\n\
         a=ssrc:{repeats} cname:silbo\r\na=ssrc:{repeats} msid:silbo video\r\n\
         m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n{transport}a=mid:2\r\na=sendrecv\r\na=sctp-port:5000\r\n\
         a=max-message-size:65536\r\n",
        VIDEO_FORMATS.map(pictures).concat(),
    )
}

/// How SDP describes one codec of pictures.
fn pictures((codec, number, repeats): (Codec, u8, u8)) -> String {
    let (name, profile) = match codec {
        Codec::Vp8 => ("VP8", String::new()),
        Codec::Vp9 => ("VP9", format!("a=fmtp:{number} profile-id=0\r\n")),
    };
    let feedback = ["nack", "nack pli", "ccm fir", "transport-cc"];
    let feedback = feedback.map(|kind| format!("a=rtcp-fb:{number} {kind}\r\n")).concat();
    format!(
        "a=rtpmap:{number} {name}/90000\r\n{profile}{feedback}\
         a=rtpmap:{repeats} rtx/90000\r\na=fmtp:{repeats} apt={number}\r\n"
    )
}

/// Which frames of the voice this SDP asks for (RFC 8866 §6.4, RFC 7587 §6.1).
pub(super) fn asked_frames(sdp: &str) -> Room {
    let audio = sdp.lines().skip_while(|line| !line.starts_with("m=audio"));
    let mut asked = audio.take_while(|line| !line.starts_with("m=") || line.starts_with("m=audio"));
    let longer = |ms: &str| ms.trim().parse().is_ok_and(|ms: f32| ms > SHORT_FRAME);
    let usual = asked.any(|line| match line.strip_prefix("a=ptime:") {
        Some(ms) => longer(ms),
        None => {
            let parameters = line.strip_prefix("a=fmtp:").and_then(|line| line.split_once(' '));
            let mut parameters = parameters.into_iter().flat_map(|(_, parameters)| parameters.split(';'));
            parameters.any(|parameter| parameter.trim().strip_prefix("minptime=").is_some_and(longer))
        }
    });
    if usual { Room::Usual } else { Room::Any }
}

/// What of our own SDP the other end needs to know.
pub(super) fn local(sdp: &str) -> Result<Description, Malformed> {
    let value = |name: &'static str| {
        sdp.lines()
            .find_map(|line| line.trim_end().strip_prefix("a=")?.strip_prefix(name))
            .ok_or(Malformed::Sdp(name))
    };
    let fingerprint = value("fingerprint:sha-256 ")?;
    let mut bytes = [0; 32];
    let mut parts = fingerprint.split(':');
    for byte in &mut bytes {
        let part = parts.next().ok_or(Malformed::Sdp("fingerprint"))?;
        *byte = u8::from_str_radix(part, 16).map_err(|_| Malformed::Sdp("fingerprint"))?;
    }
    if parts.next().is_some() {
        return Err(Malformed::Sdp("fingerprint"));
    }
    Ok(Description {
        ufrag: Token::parse(value("ice-ufrag:")?)?,
        password: Token::parse(value("ice-pwd:")?)?,
        fingerprint: Fingerprint(bytes),
        setup: match value("setup:")? {
            "actpass" => Setup::ActPass,
            "active" => Setup::Active,
            "passive" => Setup::Passive,
            _ => return Err(Malformed::Sdp("setup")),
        },
        candidates: Vec::new(),
        hello: Vec::new(),
    })
}

impl Candidate {
    /// The candidate as SDP has it: `candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host` (RFC 8839 §5.1).
    ///
    /// Related addresses are never told: they would give away what a relay is there to hide.
    pub fn to_sdp(&self) -> String {
        let Self { kind, address, priority } = self;
        let head = format!(
            "candidate:{} 1 udp {priority} {} {} typ {kind}",
            kind.preference(),
            address.ip(),
            address.port()
        );
        match (kind, address.ip()) {
            (CandidateKind::Host, _) => head,
            (_, IpAddr::V4(_)) => format!("{head} raddr 0.0.0.0 rport 0"),
            (_, IpAddr::V6(_)) => format!("{head} raddr :: rport 0"),
        }
    }

    /// Reads a UDP candidate from SDP, with or without `a=` in front. Names in place of addresses (multicast DNS) and
    /// TCP candidates are not for us.
    pub fn from_sdp(text: &str) -> Result<Self, Malformed> {
        let text = text.trim();
        let text = text.strip_prefix("a=").unwrap_or(text);
        let text = text.strip_prefix("candidate:").ok_or(Malformed::Sdp("candidate"))?;
        let mut words = text.split_ascii_whitespace();
        let mut next = |what| words.next().ok_or(Malformed::Sdp(what));
        let _foundation = next("foundation")?;
        let component = next("component")?;
        let transport = next("transport")?;
        let priority: u32 = next("priority")?.parse().map_err(|_| Malformed::Sdp("priority"))?;
        let ip: IpAddr = next("address")?.parse().map_err(|_| Malformed::Address)?;
        let port: u16 = next("port")?.parse().map_err(|_| Malformed::Address)?;
        if component != "1" || !transport.eq_ignore_ascii_case("udp") || next("typ")? != "typ" {
            return Err(Malformed::Sdp("a UDP candidate"));
        }
        let kind = match next("kind")? {
            "host" => CandidateKind::Host,
            "srflx" => CandidateKind::ServerReflexive,
            "prflx" => CandidateKind::PeerReflexive,
            "relay" => CandidateKind::Relay,
            _ => return Err(Malformed::Sdp("a known candidate type")),
        };
        Self::new(kind, SocketAddr::new(ip, port), priority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn description() -> Description {
        Description {
            ufrag: Token::parse("abcd").unwrap(),
            password: Token::parse(&"x".repeat(22)).unwrap(),
            fingerprint: Fingerprint(std::array::from_fn(|n| n as u8)),
            setup: Setup::Active,
            candidates: vec![],
            hello: vec![],
        }
    }

    #[test]
    fn the_template_says_what_the_description_says() {
        assert_eq!(local(&remote(&description(), Role::Answer)), Ok(description()));
    }

    #[test]
    fn an_offer_always_leaves_the_choice_of_dtls_role_open() {
        assert_eq!(local(&remote(&description(), Role::Offer)).unwrap().setup, Setup::ActPass);
    }

    #[test]
    fn who_asks_for_longer_packets_of_sound_gets_no_short_ones() {
        let asked = |audio: &str| {
            asked_frames(&format!(
                "v=0\r\na=ptime:40\r\nm=audio 9 X 111\r\n{audio}m=video 9 X 96\r\na=ptime:40\r\n"
            ))
        };
        for audio in ["", "a=ptime:10\r\n", "a=ptime:?\r\n", "a=fmtp:111 minptime=10;useinbandfec=1\r\n"] {
            assert_eq!(asked(audio), Room::Any, "{audio}");
        }
        for audio in ["a=ptime:20\r\n", "a=fmtp:111 useinbandfec=1; minptime=20\r\n"] {
            assert_eq!(asked(audio), Room::Usual, "{audio}");
        }
        assert_eq!(asked_frames(&remote(&description(), Role::Offer)), Room::Any);
        assert_eq!(asked_frames("v=0"), Room::Any);
    }

    #[test]
    fn candidates_survive_sdp() {
        for text in [
            "candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host",
            "a=candidate:842163049 1 UDP 1677729535 203.0.113.9 46154 typ srflx raddr 0.0.0.0 rport 0 generation 0",
            "candidate:2 1 udp 16777215 2001:db8::1 49152 typ relay raddr :: rport 0",
        ] {
            let candidate = Candidate::from_sdp(text).unwrap();
            assert_eq!(Candidate::from_sdp(&candidate.to_sdp()), Ok(candidate));
        }
    }

    #[test]
    fn what_is_not_a_udp_candidate_is_refused() {
        for text in [
            "",
            "candidate:",
            "candidate:1 1 tcp 1 192.0.2.1 9 typ host tcptype active",
            "candidate:1 2 udp 1 192.0.2.1 9 typ host",
            "candidate:1 1 udp 1 4f2b.local 9 typ host",
            "candidate:1 1 udp 1 192.0.2.1 99999 typ host",
            "candidate:1 1 udp 1 192.0.2.1 9 typ elsewhere",
        ] {
            assert!(Candidate::from_sdp(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn random_text_never_panics(text in ".{0,200}") {
            let _ = Candidate::from_sdp(&text);
            let _ = Candidate::from_sdp(&format!("candidate:{text}"));
            let _ = local(&text);
            let _ = local(&format!("a=fingerprint:sha-256 {text}\r\na=ice-ufrag:abcd"));
        }
    }
}
