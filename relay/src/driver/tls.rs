//! The TLS side of a listener: a certificate from files, or one made for this run.

use std::io;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::server::TlsCertificate;

/// The name in a certificate nobody checks.
const NAME: &str = "relay.invalid";

/// As whom a relay serves TLS.
#[derive(Clone, Debug)]
pub struct TlsIdentity {
    config: Arc<ServerConfig>,
    hash: [u8; 32],
}

impl TlsIdentity {
    /// Reads a certificate and its key, or makes them.
    pub fn of(certificate: &TlsCertificate) -> io::Result<Self> {
        let (chain, key) = match certificate {
            TlsCertificate::SelfSigned => {
                let made = rcgen::generate_simple_self_signed([NAME.to_owned()]).map_err(io::Error::other)?;
                let key = PrivateKeyDer::try_from(made.signing_key.serialize_der());
                (vec![made.cert.into()], key.map_err(io::Error::other)?)
            }
            TlsCertificate::Files { chain, key } => {
                let chain = CertificateDer::pem_file_iter(chain).map_err(io::Error::other)?;
                let chain = chain.collect::<Result<Vec<_>, _>>().map_err(io::Error::other)?;
                (chain, PrivateKeyDer::from_pem_file(key).map_err(io::Error::other)?)
            }
        };
        let hash = chain.first().map(|own| Sha256::digest(own).into()).unwrap_or_default();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|config| config.with_no_client_auth().with_single_cert(chain, key))
            .map_err(io::Error::other)?;
        Ok(Self { config: Arc::new(config), hash })
    }

    /// What a handshake is done with.
    pub fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.config)
    }

    /// The SHA-256 of the certificate, by which a client that was told it knows this relay again.
    pub const fn certificate_hash(&self) -> [u8; 32] {
        self.hash
    }
}
