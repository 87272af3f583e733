//! The step that puts a time-stamp on a signature.

use std::io::Cursor;

use sha2::{Digest, Sha256};
use waxseal_engine::Limits;
use waxseal_engine::cms::oid;
use waxseal_engine::cms::write::{Tamper, with_unsigned_attribute};
use waxseal_engine::message::signature_values;
use waxseal_engine::timestamp::{Authority, TimeStampReq};
use waxseal_key::DigestAlgorithm;
use waxseal_model::{StampStep, Stamped};

use super::Way;
use crate::mail::Armored;
use crate::{ForgeError, credentials};

/// The policy of every authority, in the arc that RFC 5612 set aside for examples.
const POLICY: &str = "1.3.6.1.4.1.32473.3161";

impl Way<'_> {
    /// Puts a token on the first signature of the outermost layer.
    pub(super) fn stamp(&self, step: &StampStep) -> Result<Vec<u8>, ForgeError> {
        let cannot = |error: &dyn std::fmt::Display| self.cannot(error.to_string());
        let values = signature_values(&mut Cursor::new(&self.message), &Limits::default());
        let value = values.map_err(|error| cannot(&error))?.into_iter().next();
        let value = value.ok_or_else(|| self.cannot("there is no signature to be stamped"))?;
        let value = match step.over {
            Stamped::Signature => value,
            _ => b"another signature".to_vec(),
        };
        let request = TimeStampReq::of(&value, DigestAlgorithm::Sha256, &self.arithmetic);
        let request = TimeStampReq { certificates: !step.compact, ..request.map_err(|error| cannot(&error))? };
        let key = credentials::key(self.pki, &step.by)?;
        let certificate = credentials::certificate(self.pki, &step.by)?;
        let path = self.pki.path_without_root(&step.by).into_iter().skip(1);
        let chain = path.map(|name| credentials::certificate(self.pki, name)).collect::<Result<Vec<_>, _>>()?;
        // The certificate that is none of an authority is what the case is about.
        let tamper = Tamper { unfit_certificates: true, ..Tamper::default() };
        let policies = [POLICY.to_owned()];
        let authority = Authority {
            chain: &chain,
            compact: step.compact,
            ..Authority::new(&key, &certificate, &policies, &tamper, &self.arithmetic)
        };
        let serial = Sha256::digest(format!("{} {}", self.id, self.step));
        let at = step.at.unwrap_or(self.date).date_time();
        let token = authority.issue(&request, at, &serial[..16]).map_err(|error| cannot(&error))?;
        let armored = Armored::find(&self.message).map_err(|what| self.cannot(what))?;
        let stamped = with_unsigned_attribute(&armored.object, 0, oid::ATTRIBUTE_TIME_STAMP_TOKEN, &token);
        Ok(armored.put(&stamped.map_err(|error| cannot(&error))?))
    }
}
