//! How a connection is set up: one codec, ICE's patience, which ciphers are good enough.

use std::time::Duration;

use rtc::dtls::extension::extension_use_srtp::SrtpProtectionProfile;
use rtc::ice::mdns::MulticastDnsMode;
use rtc::peer_connection::configuration::media_engine::{MIME_TYPE_OPUS, MediaEngine};
use rtc::peer_connection::configuration::setting_engine::SettingEngineBuilder;
use rtc::rtp_transceiver::rtp_sender::{RTCRtpCodec, RTCRtpCodecParameters, RtpCodecKind};

use super::PeerKind;
use crate::frame::SAMPLE_RATE;
use crate::session::PathPolicy;

/// Opus, as every WebRTC end numbers it.
pub(super) const OPUS_PAYLOAD_TYPE: u8 = 111;

/// How often ICE checks every pair that has not answered. Between Silbos it is answered on the spot, and need not wait to
/// nominate.
const fn check_interval(peer: PeerKind) -> Duration {
    match peer {
        PeerKind::Stock => Duration::from_millis(50),
        PeerKind::Silbo => Duration::from_millis(1),
    }
}

/// How many times: ten seconds of punching towards a stock end.
const CHECKS_PER_PAIR: u16 = 200;

/// After this long without an answer ICE says disconnected, and after [`failed_after`] more, failed, before the first
/// connection and after it alike.
const DISCONNECTED_AFTER: Duration = Duration::from_secs(5);

/// 15 s together with a stock end. Between Silbos ICE has no say in it (see [`crate::session::line`]), and must not lose
/// patience while it rings.
const fn failed_after(peer: PeerKind) -> Duration {
    match peer {
        PeerKind::Stock => Duration::from_secs(10),
        PeerKind::Silbo => Duration::from_secs(120),
    }
}

const KEEPALIVE: Duration = Duration::from_secs(2);

/// How long a working pair through a relay waits for a direct one: long enough for two port-restricted NATs to open
/// each other after candidates have trickled. A direct pair is taken as soon as it works.
const RELAY_PATIENCE: Duration = Duration::from_secs(1);

/// Opus in stereo clothes, as RFC 7587 section 7 wants it; what is inside is mono.
pub(super) fn opus() -> RTCRtpCodec {
    RTCRtpCodec {
        mime_type: MIME_TYPE_OPUS.to_owned(),
        clock_rate: SAMPLE_RATE,
        channels: 2,
        sdp_fmtp_line: "minptime=10;useinbandfec=1".to_owned(),
        rtcp_feedback: Vec::new(),
    }
}

/// The codecs spoken: one.
pub(super) fn media() -> Result<MediaEngine, rtc::shared::error::Error> {
    let mut media = MediaEngine::default();
    let numbered = RTCRtpCodecParameters { rtp_codec: opus(), payload_type: OPUS_PAYLOAD_TYPE };
    media.register_codec(numbered, RtpCodecKind::Audio)?;
    Ok(media)
}

/// ICE, DTLS and SRTP for this kind of end and this policy.
pub(super) fn settings(peer: PeerKind, policy: PathPolicy) -> SettingEngineBuilder {
    let mut profiles =
        vec![SrtpProtectionProfile::Srtp_Aead_Aes_256_Gcm, SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm];
    if peer == PeerKind::Stock {
        profiles.push(SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80);
    }
    let relay_patience = match policy {
        PathPolicy::Any => RELAY_PATIENCE,
        PathPolicy::Direct | PathPolicy::Relay => Duration::ZERO,
    };
    SettingEngineBuilder::new()
        .with_multicast_dns_mode(MulticastDnsMode::Disabled)
        .with_include_loopback_candidate(true)
        .with_srtp_protection_profiles(profiles)
        .with_ice_connection_attempts(Some(check_interval(peer)), Some(CHECKS_PER_PAIR))
        .with_ice_timeouts(Some(DISCONNECTED_AFTER), Some(failed_after(peer)), Some(KEEPALIVE))
        .with_host_acceptance_min_wait(Some(Duration::ZERO))
        .with_srflx_acceptance_min_wait(Some(Duration::ZERO))
        .with_prflx_acceptance_min_wait(Some(Duration::ZERO))
        .with_relay_acceptance_min_wait(Some(relay_patience))
}
