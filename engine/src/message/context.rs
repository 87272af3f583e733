//! What every layer of one message is judged by.

use std::cell::{Cell, RefCell};

use time::OffsetDateTime;
use waxseal_key::{DigestAlgorithm, KeyError};
use waxseal_verdict::{Aspect, Reason, Timestamp};

use crate::ber::{Cursor, Tag};
use crate::certificate::identity::Author;
use crate::certificate::path::RevocationInputs;
use crate::certificate::{Certificate, Crl, Fetching, OcspResponse};
use crate::cms::SignerIdentifier;
use crate::message::budget::Budget;
use crate::message::correspondents::{Announcing, Encrypted};
use crate::message::receipt::{Requested, Sent};
use crate::message::request::OpenRequest;

/// The request, and what the mail itself says.
pub(super) struct Context<'a> {
    pub(super) request: &'a OpenRequest<'a>,
    /// Who says to have written it; `None` for a bare object.
    pub(super) author: Option<Author>,
    /// The Date field.
    pub(super) date: Option<OffsetDateTime>,
    /// Signature values that may still be checked in this message.
    work: Cell<usize>,
    /// Times that content may still be read again for a signature over itself.
    readings: Cell<usize>,
    /// Signatures that do not fit of which it may still be looked for why, which
    /// costs three readings of their content.
    explanations: Cell<usize>,
    /// Countersignatures that may still be judged in this message.
    countersigners: Cell<usize>,
    /// What else the message may cost.
    pub(super) budget: Budget,
    /// Who fetches what is missing.
    pub(super) fetching: Option<Fetching<'a>>,
    /// The message that a receipt may be for.
    pub(super) sent: Option<&'a Sent>,
    /// What this message asks receipts for.
    pub(super) requested: RefCell<Vec<Requested>>,
    /// Signatures that the address book may learn from.
    pub(super) announcing: RefCell<Vec<Announcing>>,
    /// Contents that were encrypted for a key that was given.
    pub(super) encrypted: RefCell<Vec<Encrypted>>,
    /// Time-stamps that may still be judged in this message.
    stamps: Cell<usize>,
    /// Those that were.
    pub(super) timestamps: RefCell<Vec<Timestamp>>,
}

/// Signatures of a message of which it is looked for why they do not fit.
const MOST_EXPLANATIONS: usize = 4;

/// What is known beside a signature: what its object carries, and what the
/// request brings.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    /// Certificates that may be the signer's, or lead to an anchor.
    pub(super) certificates: &'a [Certificate],
    /// CRLs that may tell of them.
    pub(super) crls: &'a [Crl],
    /// OCSP responses that may, too.
    pub(super) responses: &'a [OcspResponse],
}

impl<'a> Context<'a> {
    /// All that a message of so many octets may cost is left.
    pub(super) fn new(request: &'a OpenRequest<'a>, octets: u64, sent: Option<&'a Sent>) -> Self {
        let limits = request.limits;
        Self {
            request,
            author: request.from.map(Author::expected),
            date: None,
            work: Cell::new(limits.path_work),
            countersigners: Cell::new(limits.signers),
            readings: Cell::new(limits.content_readings),
            explanations: Cell::new(MOST_EXPLANATIONS),
            budget: Budget::new(limits, octets),
            fetching: request.fetcher.map(|fetcher| Fetching::new(fetcher, limits)),
            sent,
            requested: RefCell::default(),
            announcing: RefCell::default(),
            encrypted: RefCell::default(),
            stamps: Cell::new(limits.timestamps),
            timestamps: RefCell::default(),
        }
    }

    /// What is known of revoked certificates, and whether it has to be known.
    pub(super) fn revocation<'c>(&self, known: Known<'c>) -> RevocationInputs<'c> {
        let inputs = match self.request.policy.require_revocation {
            true => RevocationInputs::required(known.crls),
            false => RevocationInputs::optional(known.crls),
        };
        inputs.with_responses(known.responses)
    }

    /// The key identifier of RFC 5280 section 4.2.1.2 (1): SHA-1 of the public
    /// key's bits.
    pub(super) fn key_identifier(&self, spki: &[u8]) -> Option<Vec<u8>> {
        let mut fields = Cursor::new(spki, 0).take().ok()??.inside();
        fields.take().ok()?;
        let bits = fields.expect(Tag::BIT_STRING, "subjectPublicKey").ok()?;
        self.request.arithmetic.digest(DigestAlgorithm::Sha1, bits.bits()?).ok()
    }

    /// Takes one check of a signature value from what is left; `false` if
    /// nothing is.
    pub(super) fn spend(&self) -> bool {
        let left = self.work.get();
        self.work.set(left.saturating_sub(1));
        left > 0
    }

    /// Takes one explanation from what is left; `false` if nothing is.
    pub(super) fn spend_explanation(&self) -> bool {
        let left = self.explanations.get();
        self.explanations.set(left.saturating_sub(1));
        left > 0
    }

    /// Takes one countersignature from what is left; `false` if nothing is.
    pub(super) fn spend_countersigner(&self) -> bool {
        let left = self.countersigners.get();
        self.countersigners.set(left.saturating_sub(1));
        left > 0
    }

    /// Takes one time-stamp from what is left; `false` if nothing is.
    pub(super) fn spend_timestamp(&self) -> bool {
        let left = self.stamps.get();
        self.stamps.set(left.saturating_sub(1));
        left > 0
    }

    /// Takes one reading of content from what is left; `false` if nothing is.
    pub(super) fn spend_reading(&self) -> bool {
        let left = self.readings.get();
        self.readings.set(left.saturating_sub(1));
        left > 0
    }

    /// Whether an identifier names a certificate; where the certificate has no
    /// key identifier, that of its key counts.
    pub(super) fn is_named(&self, certificate: &Certificate, id: &SignerIdentifier) -> bool {
        match id {
            SignerIdentifier::IssuerAndSerial { issuer, serial } => certificate.is_named(issuer, serial),
            SignerIdentifier::SubjectKeyIdentifier(key_id) => match certificate.ski() {
                Some(ski) => ski == key_id.as_slice(),
                None => self.key_identifier(certificate.spki()).as_deref() == Some(key_id.as_slice()),
            },
        }
    }
}

/// What an operation that failed says: nothing where it is not done here, the
/// reason that the holder of the key gave, or else `otherwise`.
pub(super) fn key_aspect(error: &KeyError, otherwise: Reason) -> Aspect {
    let reason = match error {
        KeyError::NotByThisProvider { .. } | KeyError::UnknownAlgorithm(_) => return Aspect::Unchecked(None),
        KeyError::WrongPin { .. } => Reason::WrongPin,
        KeyError::PinBlocked => Reason::PinBlocked,
        KeyError::CardRemoved => Reason::CardRemoved,
        KeyError::WrongPassword => Reason::WrongPassword,
        KeyError::Refused(_) => Reason::KeyRefused,
        _ => otherwise,
    };
    Aspect::bad(reason, error.to_string())
}
