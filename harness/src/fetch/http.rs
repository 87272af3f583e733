//! Requests by http (RFC 5280 section 4.2.1.13, RFC 6960 appendix A.1).

use std::time::Duration;

use ureq::{Agent, Body};

use super::tls;

/// Redirections that are followed.
const REDIRECTS: u32 = 3;

/// A client that is patient for so long, and no longer. It keeps no connection.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) patience: Duration,
}

impl Client {
    pub(super) fn get(&self, uri: &str, most: u64) -> Result<Vec<u8>, String> {
        self.agent().get(uri).call().map_err(said).and_then(|response| body(response.into_body(), most))
    }

    /// Asks an OCSP responder.
    pub(super) fn post(&self, uri: &str, question: &[u8], most: u64) -> Result<Vec<u8>, String> {
        let request = self.agent().post(uri).header("Content-Type", "application/ocsp-request");
        request.send(question).map_err(said).and_then(|response| body(response.into_body(), most))
    }

    fn agent(&self) -> Agent {
        let config = Agent::config_builder()
            .timeout_global(Some(self.patience))
            .max_redirects(REDIRECTS)
            // A redirection to https ends there: see the module above.
            .tls_config(tls::trusting_nobody())
            .user_agent(concat!("waxseal/", env!("CARGO_PKG_VERSION")))
            .build();
        config.into()
    }
}

fn body(mut body: Body, most: u64) -> Result<Vec<u8>, String> {
    body.with_config().limit(most).read_to_vec().map_err(said)
}

fn said(error: ureq::Error) -> String {
    error.to_string()
}
