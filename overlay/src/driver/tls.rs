//! TLS 1.3 with raw Ed25519 public keys on both sides (RFC 7250): what QUIC and TCP links alike prove themselves with.

use std::sync::Arc;

use rustls::{
    DigitallySignedStruct, DistinguishedName, SignatureScheme,
    client::{
        AlwaysResolvesClientRawPublicKeys,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, WebPkiSupportedAlgorithms, ring, verify_tls13_signature_with_raw_key},
    pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName, SubjectPublicKeyInfoDer, UnixTime},
    server::{
        AlwaysResolvesServerRawPublicKeys,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
    sign::CertifiedKey,
};

use super::StartError;
use crate::{
    identity::{LinkKey, LinkSecret},
    wire::ALPN,
};

/// The name in the handshake: keys prove who somebody is, names nothing.
pub(super) const SERVER_NAME: &str = "silbo";

/// The key links are made with.
#[derive(Debug, Clone)]
pub(super) struct Tls {
    provider: Arc<CryptoProvider>,
    certified: Arc<CertifiedKey>,
}

impl Tls {
    pub(super) fn new(secret: &LinkSecret) -> Result<Self, StartError> {
        let fault = |error: String| StartError::Tls(error);
        let der = [ED25519_PKCS8.as_slice(), &secret.secret()].concat();
        let key = PrivatePkcs8KeyDer::from(der);
        let signer = ring::sign::any_eddsa_type(&key).map_err(|error| fault(error.to_string()))?;
        let spki = signer.public_key().ok_or_else(|| fault("no public key".into()))?.to_vec();
        Ok(Self {
            provider: Arc::new(ring::default_provider()),
            certified: Arc::new(CertifiedKey::new(vec![CertificateDer::from(spki)], signer)),
        })
    }

    pub(super) fn server(&self) -> Result<rustls::ServerConfig, StartError> {
        let verifier =
            RawKeys { algorithms: self.provider.signature_verification_algorithms, expected: None };
        let mut tls = rustls::ServerConfig::builder_with_provider(self.provider.clone())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(|error| StartError::Tls(error.to_string()))?
            .with_client_cert_verifier(Arc::new(verifier))
            .with_cert_resolver(Arc::new(AlwaysResolvesServerRawPublicKeys::new(self.certified.clone())));
        tls.alpn_protocols = vec![ALPN.to_vec()];
        // Nobody resumes: every dial is a configuration of its own.
        tls.send_tls13_tickets = 0;
        Ok(tls)
    }

    pub(super) fn client(&self, expected: Option<LinkKey>) -> Result<rustls::ClientConfig, StartError> {
        let verifier = RawKeys { algorithms: self.provider.signature_verification_algorithms, expected };
        let mut tls = rustls::ClientConfig::builder_with_provider(self.provider.clone())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(|error| StartError::Tls(error.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_client_cert_resolver(Arc::new(AlwaysResolvesClientRawPublicKeys::new(
                self.certified.clone(),
            )));
        tls.alpn_protocols = vec![ALPN.to_vec()];
        tls.resumption = rustls::client::Resumption::disabled();
        Ok(tls)
    }
}

/// Whom a handshake proved.
pub(super) fn peer_key(chain: &[CertificateDer<'_>]) -> Option<LinkKey> {
    key_of(chain.first()?.as_ref())
}

/// The PKCS #8 form of an Ed25519 secret is this and the secret (RFC 8410 §7).
const ED25519_PKCS8: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// The SubjectPublicKeyInfo of an Ed25519 key is this and the key (RFC 8410 §4).
const ED25519_SPKI: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

fn key_of(spki: &[u8]) -> Option<LinkKey> {
    let key = spki.strip_prefix(&ED25519_SPKI)?;
    Some(LinkKey::from_bytes(key.try_into().ok()?))
}

/// Accepts every key, or exactly the expected one; who may do what is the core's business.
#[derive(Debug)]
struct RawKeys {
    algorithms: WebPkiSupportedAlgorithms,
    expected: Option<LinkKey>,
}

impl RawKeys {
    fn check(&self, spki: &CertificateDer<'_>) -> Result<(), rustls::Error> {
        let key = key_of(spki.as_ref()).ok_or_else(|| rustls::Error::General("not an Ed25519 key".into()))?;
        match self.expected {
            Some(expected) if expected != key => {
                Err(rustls::Error::General("another key than expected".into()))
            }
            Some(_) | None => Ok(()),
        }
    }
}

/// What verifiers of both sides do alike.
macro_rules! verify_like_raw_keys {
    () => {
        fn verify_tls12_signature(
            &self,
            _: &[u8],
            _: &CertificateDer<'_>,
            _: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, rustls::Error> {
            Err(rustls::Error::General("TLS 1.3 only".into()))
        }

        fn verify_tls13_signature(
            &self,
            message: &[u8],
            spki: &CertificateDer<'_>,
            signature: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, rustls::Error> {
            let key = SubjectPublicKeyInfoDer::from(spki.as_ref());
            verify_tls13_signature_with_raw_key(message, &key, signature, &self.algorithms)
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            vec![SignatureScheme::ED25519]
        }

        fn requires_raw_public_keys(&self) -> bool {
            true
        }
    };
}

impl ServerCertVerifier for RawKeys {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.check(end_entity).map(|()| ServerCertVerified::assertion())
    }

    verify_like_raw_keys!();
}

impl ClientCertVerifier for RawKeys {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        self.check(end_entity).map(|()| ClientCertVerified::assertion())
    }

    verify_like_raw_keys!();
}
