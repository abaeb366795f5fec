//! How a connection is set up: codecs, ICE's patience, which ciphers are good enough.

use std::time::Duration;

use rtc::dtls::extension::extension_use_srtp::SrtpProtectionProfile;
use rtc::ice::mdns::MulticastDnsMode;
use rtc::interceptor::{ReceiverReportBuilder, Registry, Slot, TwccReceiverBuilder};
use rtc::peer_connection::configuration::media_engine::{
    MIME_TYPE_OPUS, MIME_TYPE_RTX, MIME_TYPE_VP8, MIME_TYPE_VP9, MediaEngine,
};
use rtc::peer_connection::configuration::setting_engine::SettingEngineBuilder;
use rtc::rtp_transceiver::rtp_sender::{
    RTCPFeedback, RTCRtpCodec, RTCRtpCodecParameters, RTCRtpHeaderExtensionCapability, RTCRtpSendParameters,
    RtpCodecKind,
};

use super::PeerKind;
use super::ear::Ear;
use super::video::{Agreed, Format};
use crate::frame::SAMPLE_RATE;
use crate::session::PathPolicy;
use crate::session::sdp::{NUMBERED, OPUS, RED, VIDEO_FORMATS};
use crate::video::vpx::Codec;

const MIME_TYPE_RED: &str = "audio/red";

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

/// How often the other end hears what became of its packets: about once a picture and a half.
const FEEDBACK_EVERY: Duration = Duration::from_millis(50);

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

/// Opus inside RED (RFC 2198), numbered as we do it.
fn red() -> RTCRtpCodec {
    RTCRtpCodec { mime_type: MIME_TYPE_RED.to_owned(), sdp_fmtp_line: format!("{OPUS}/{OPUS}"), ..opus() }
}

/// A codec of pictures, and what the other end may say of them.
pub(super) fn picture(codec: Codec) -> RTCRtpCodec {
    let (mime_type, sdp_fmtp_line) = match codec {
        Codec::Vp8 => (MIME_TYPE_VP8, ""),
        Codec::Vp9 => (MIME_TYPE_VP9, "profile-id=0"),
    };
    let feedback = [("nack", ""), ("nack", "pli"), ("ccm", "fir"), ("transport-cc", "")];
    let rtcp_feedback = feedback
        .map(|(typ, parameter)| RTCPFeedback { typ: typ.to_owned(), parameter: parameter.to_owned() });
    RTCRtpCodec {
        mime_type: mime_type.to_owned(),
        clock_rate: 90_000,
        channels: 0,
        sdp_fmtp_line: sdp_fmtp_line.to_owned(),
        rtcp_feedback: rtcp_feedback.to_vec(),
    }
}

/// The codecs spoken: one for the voice, two for pictures.
pub(super) fn media() -> Result<MediaEngine, rtc::shared::error::Error> {
    let mut media = MediaEngine::default();
    for (rtp_codec, payload_type) in [(opus(), OPUS), (red(), RED)] {
        media.register_codec(RTCRtpCodecParameters { rtp_codec, payload_type }, RtpCodecKind::Audio)?;
    }
    for (codec, payload_type, repeats) in VIDEO_FORMATS {
        let spoken = RTCRtpCodecParameters { rtp_codec: picture(codec), payload_type };
        media.register_codec(spoken, RtpCodecKind::Video)?;
        let rtx = RTCRtpCodec {
            mime_type: MIME_TYPE_RTX.to_owned(),
            clock_rate: 90_000,
            channels: 0,
            sdp_fmtp_line: format!("apt={payload_type}"),
            rtcp_feedback: Vec::new(),
        };
        let spoken = RTCRtpCodecParameters { rtp_codec: rtx, payload_type: repeats };
        media.register_codec(spoken, RtpCodecKind::Video)?;
    }
    for kind in [RtpCodecKind::Audio, RtpCodecKind::Video] {
        let uri = NUMBERED.to_owned();
        media.register_header_extension(RTCRtpHeaderExtensionCapability { uri }, kind, None)?;
    }
    Ok(media)
}

/// What looks at every packet: our ear nearest to the wire, feedback on what arrives, and receiver reports.
pub(super) fn interceptors(ear: Ear) -> Registry {
    let feedback = TwccReceiverBuilder::new().with_interval(FEEDBACK_EVERY).build();
    Registry::new()
        .with(Slot::CongestionControl, ear)
        .with(Slot::TwccReceiver, feedback)
        .with(Slot::ReceiverReport, ReceiverReportBuilder::new().build())
}

/// Payload types of the voice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct VoiceFormats {
    pub(super) opus: u8,
    /// None where the other end takes no RED.
    pub(super) red: Option<u8>,
}

/// What both ends have agreed on for the voice, by what our sender may send.
pub(super) fn voice_formats(parameters: &RTCRtpSendParameters) -> Option<VoiceFormats> {
    let numbered = |mime: &str| {
        let mut codecs = parameters.rtp_parameters.codecs.iter();
        codecs
            .find(|codec| codec.rtp_codec.mime_type.eq_ignore_ascii_case(mime))
            .map(|codec| codec.payload_type)
    };
    Some(VoiceFormats { opus: numbered(MIME_TYPE_OPUS)?, red: numbered(MIME_TYPE_RED) })
}

/// What both ends have agreed on for pictures, by what our sender may send.
pub(super) fn agreed(parameters: &RTCRtpSendParameters) -> Agreed {
    let spoken = &parameters.rtp_parameters.codecs;
    let is = |codec: &RTCRtpCodecParameters, mime: &str| codec.rtp_codec.mime_type.eq_ignore_ascii_case(mime);
    let formats = spoken.iter().filter_map(|own| {
        let codec = match own {
            own if is(own, MIME_TYPE_VP8) => Codec::Vp8,
            own if is(own, MIME_TYPE_VP9) => Codec::Vp9,
            _ => return None,
        };
        let apt = format!("apt={}", own.payload_type);
        let repeats = spoken.iter().find(|other| {
            is(other, MIME_TYPE_RTX)
                && other.rtp_codec.sdp_fmtp_line.split(';').any(|part| part.trim() == apt)
        });
        Some(Format {
            payload_type: own.payload_type,
            codec,
            repeats: repeats.map(|repeats| repeats.payload_type),
        })
    });
    let mut extensions = parameters.rtp_parameters.header_extensions.iter();
    let extension = extensions.find(|extension| extension.uri == NUMBERED);
    Agreed {
        formats: formats.collect(),
        extension: extension.and_then(|extension| u8::try_from(extension.id).ok()),
    }
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
