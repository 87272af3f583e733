//! Whom https trusts: the authorities of this system, or nobody.

use std::sync::Arc;

use ureq::tls::{Certificate, RootCerts, TlsConfig, TlsProvider};

/// The authorities of this system; `SSL_CERT_FILE` and `SSL_CERT_DIR` name others.
pub(crate) fn trusting_the_system() -> Result<TlsConfig, String> {
    let found = rustls_native_certs::load_native_certs();
    let roots: Vec<_> = found.certs.iter().map(|root| Certificate::from_der(root).to_owned()).collect();
    if roots.is_empty() {
        let why = found.errors.first().map(|error| format!(" ({error})")).unwrap_or_default();
        return Err(format!(
            "this system names no authorities that https could trust{why}: install its package ca-certificates, or \
             let SSL_CERT_FILE name a file of them"
        ));
    }
    Ok(config(roots))
}

/// No authority: every server is refused.
pub(super) fn trusting_nobody() -> TlsConfig {
    config(Vec::new())
}

fn config(roots: Vec<Certificate<'static>>) -> TlsConfig {
    TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .root_certs(RootCerts::Specific(Arc::new(roots)))
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .build()
}
