//! The TLS side of a listener: a certificate from files, or one made for this run.

use std::io;
use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::server::TlsCertificate;

/// The name in a certificate nobody checks.
const NAME: &str = "relay.invalid";

pub(super) fn acceptor(certificate: &TlsCertificate) -> io::Result<TlsAcceptor> {
    let (chain, key) = match certificate {
        TlsCertificate::SelfSigned => {
            let made = rcgen::generate_simple_self_signed([NAME.to_owned()]).map_err(io::Error::other)?;
            let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).map_err(io::Error::other)?;
            (vec![made.cert.into()], key)
        }
        TlsCertificate::Files { chain, key } => {
            let chain = CertificateDer::pem_file_iter(chain).map_err(io::Error::other)?;
            let chain = chain.collect::<Result<Vec<_>, _>>().map_err(io::Error::other)?;
            (chain, PrivateKeyDer::from_pem_file(key).map_err(io::Error::other)?)
        }
    };
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|config| config.with_no_client_auth().with_single_cert(chain, key))
        .map_err(io::Error::other)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
